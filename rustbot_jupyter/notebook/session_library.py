"""Large libraries of the page, sent only when it needs one."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rustbot_jupyter.errors import RequestError

STATIC = Path(__file__).parent / "static"
_FILES = {"katex": "katex.js.gz", "markdown": "markdown.js.gz"}
_NAMES = (*_FILES, "plotly")


@cache
def read_library(name: str) -> tuple[bytes, Literal["gzip"]]:
    """A library's ES module, compressed.

    Raises:
        RequestError: There is no such library.
    """
    if name not in _NAMES:
        raise RequestError(f"There is no library {name[:50]!r}; there are {', '.join(map(repr, _NAMES))}.")
    if name == "plotly":
        return gzip.compress(_plotly_module(), compresslevel=6, mtime=0), "gzip"
    return (STATIC / _FILES[name]).read_bytes(), "gzip"


# The file exports to a `module` where there is one; it sets `Plotly` of the window all the same, which is not ours.
_BEFORE = b"const before = window.Plotly, module = { exports: {} };\n"
_AFTER = b"""
if (before === undefined) delete window.Plotly;
else window.Plotly = before;
export default module.exports;
"""


def _plotly_module() -> bytes:
    """plotly.js as the installed Plotly brings it, as an ES module that leaves the page's own alone."""
    # Found, not imported: a kernel that only shows what an earlier one drew needs no Plotly.
    spec = find_spec("plotly")
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        file = Path(place) / "package_data" / "plotly.min.js"
        if file.is_file():
            return _BEFORE + file.read_bytes() + _AFTER
    raise RequestError("Figures are drawn by the package 'plotly', which is not there. Install it: %pip install plotly")
