"""How fast Rustbot is, beside the bare loop and other libraries, in one run: `python -m benchmarks`."""
