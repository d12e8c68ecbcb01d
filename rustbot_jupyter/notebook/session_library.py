"""Large libraries of the page, sent only when it needs one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from rustbot_jupyter.errors import RequestError

STATIC = Path(__file__).parent / "static"
_FILES = {"katex": "katex.js.gz", "markdown": "markdown.js.gz"}


@cache
def read_library(name: str) -> tuple[bytes, Literal["gzip"]]:
    """A library's ES module, compressed.

    Raises:
        RequestError: There is no such library.
    """
    if name not in _FILES:
        raise RequestError(f"There is no library {name[:50]!r}; there are {', '.join(map(repr, _FILES))}.")
    return (STATIC / _FILES[name]).read_bytes(), "gzip"
