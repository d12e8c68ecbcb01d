"""The names that the code which uses the magic sees: those of its function, then those of the notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

_BETWEEN = ("IPython.", "ipykernel.", "rustbot_jupyter.")
"""Packages whose frames lie between the magic and who uses it."""


def names_of_caller(user_ns: dict[str, Any]) -> dict[str, Any]:
    """The notebook's variables, hidden by the names of the function, class body or `exec` that uses the magic.

    The notebook's own dict when a cell itself uses it. The names of functions around that function count as well while
    these run: Python itself hands only those down that the inner one names, and names in a question are text.
    """
    frame = _calling_frame()
    if frame is None or frame.f_locals is user_ns:
        return user_ns
    scopes = [dict(scope.f_locals) for scope in (frame, *_around(frame))]
    names = dict(user_ns)
    for scope in (frame.f_globals, *reversed(scopes)):
        names |= scope
    return names


def _calling_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and f"{frame.f_globals.get('__name__')}.".startswith(_BETWEEN):
        frame = frame.f_back
    return frame


def _around(frame: FrameType) -> Iterator[FrameType]:
    """The running functions in which the frame's code is written, the innermost first."""
    code, above = frame.f_code, frame.f_back
    while above is not None:
        if _holds(above.f_code, code):
            yield above
            code = above.f_code
        above = above.f_back


def _holds(outer: CodeType, inner: CodeType) -> bool:
    return any(constant is inner for constant in outer.co_consts)
