"""Listeners to changes: one that fails is logged, and the others are told all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")

logger = logging.getLogger("rustbot_jupyter.tools")


class Listeners(Generic[P]):
    """A list of callbacks."""

    def __init__(self) -> None:
        self._all: tuple[Callable[P, None], ...] = ()

    def add(self, listener: Callable[P, None]) -> Callable[[], None]:
        """One more; the result takes it out, and is harmless the second time."""
        self._all = (*self._all, listener)

        def end() -> None:
            self._all = tuple(other for other in self._all if other is not listener)

        return end

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call each."""
        for listener in self._all:
            try:
                listener(*args, **kwargs)
            except Exception:
                logger.exception("A listener failed.")
