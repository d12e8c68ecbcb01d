"""Streaming text in few pieces: the first at once, the next ones at most every interval."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Coalescer:
    """Joins small pieces of text. On the core thread; nothing waits longer than `interval_s`.

    Args:
        emit: Called with (text, offset): a joined piece, and the characters emitted before it.
        interval_s: Shortest time between two pieces.
    """

    def __init__(self, emit: Callable[[str, int], None], interval_s: float = 0.033) -> None:
        self._emit = emit
        self._interval_s = interval_s
        self._pending: list[str] = []
        self._emitted: list[str] = []
        self._length = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def text(self) -> str:
        """Everything emitted so far."""
        return "".join(self._emitted)

    def add(self, text: str) -> None:
        """Take a piece; it is emitted now if the last one is an interval ago."""
        self._pending.append(text)
        if self._timer is None:
            self._emit_pending()
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._on_timer)

    def flush(self) -> None:
        """Emit what is pending and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._emit_pending()

    def _on_timer(self) -> None:
        self._timer = None
        if self._pending:
            self._emit_pending()
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._on_timer)

    def _emit_pending(self) -> None:
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        offset, self._length = self._length, self._length + len(text)
        self._emitted.append(text)
        self._emit(text, offset)
