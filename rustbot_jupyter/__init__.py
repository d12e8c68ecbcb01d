"""Rustbot for Jupyter: an LLM assistant that lives in the kernel."""

__version__ = "0.1.0"
