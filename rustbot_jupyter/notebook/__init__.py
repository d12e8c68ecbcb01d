"""What only exists beside a kernel: the core thread, the widget, the magics."""
