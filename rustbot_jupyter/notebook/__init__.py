"""Parts that only exist beside a kernel: the core thread, the widget, the magics."""
