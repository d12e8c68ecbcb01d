"""Matplotlib figures of code that a tool runs, kept apart from those of the user's cells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_INLINE = "matplotlib_inline.backend_inline"


@contextmanager
def own_figures(show: Callable[[Any], None]) -> Iterator[None]:
    """Within this, the open figures are the code's own; those that no cell would show at its end are shown after it."""
    manager = _manager()
    before = dict(manager.figs) if manager is not None else {}
    # The inline backend shows and closes whatever is open when code ends, a half-drawn figure of the cell's included.
    with _set_aside(manager) if manager is not None and _INLINE in sys.modules else _nothing():
        yield
    manager = _manager()
    if manager is not None:
        for number, each in list(manager.figs.items()):
            if before.get(number) is not each:
                show(each.canvas.figure)


@contextmanager
def _set_aside(manager: Any) -> Iterator[None]:
    inline_show = sys.modules[_INLINE].show
    figures, flags = dict(manager.figs), dict(vars(inline_show))
    manager.figs.clear()
    try:
        yield
    finally:
        manager.figs.clear()
        manager.figs.update(figures)
        vars(inline_show).update(flags)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _manager() -> Any:
    module = sys.modules.get("matplotlib._pylab_helpers")
    return module.Gcf if module is not None else None
