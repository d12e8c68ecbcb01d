"""Ops on their way to the page: few of them, in order, and not too often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Literal, cast
from weakref import WeakKeyDictionary

from rustbot_jupyter.notebook.protocol import EventRow, Op

_LATEST_WINS = frozenset(
    {"state", "queue", "model", "totals", "notices", "settings", "approvals", "approve_mode", "tools", "tool_run"}
)
MOST_ROWS = 2_000
"""Event rows of one flush; of more the oldest are left out, the page asks for them when it shows them."""


class Outbox:
    """Ops that wait for the next flush; pieces of one text become one op, of a state only the last one counts."""

    def __init__(self) -> None:
        self._ops: list[dict[str, Any]] = []
        self._latest: dict[str, int] = {}
        self._texts: dict[tuple[str, str], int] = {}
        """(kind, message id) → the op that more of this text may join."""
        self._rows: list[EventRow] = []

    def add(self, op: Op) -> None:
        """Add an op."""
        kind = op["op"]
        # One of each, but one for each tool call.
        key = f"tool_run {op['run']['id']}" if op["op"] == "tool_run" else kind
        if kind in _LATEST_WINS and key in self._latest:
            self._ops[self._latest[key]] = cast(dict[str, Any], op)
            return
        if kind in ("message", "remove", "reset"):
            self._texts.clear()
        if kind in _LATEST_WINS:
            self._latest[key] = len(self._ops)
        self._ops.append(cast(dict[str, Any], op))

    def add_text(self, kind: Literal["text", "reasoning"], message_id: str, offset: int, text: str) -> None:
        """Add a piece of a message's text."""
        at = self._texts.get((kind, message_id))
        if at is not None and self._ops[at]["offset"] + len(self._ops[at]["text"]) == offset:
            self._ops[at]["text"] += text
            return
        self._texts[kind, message_id] = len(self._ops)
        self._ops.append({"op": kind, "id": message_id, "offset": offset, "text": text})

    def add_row(self, row: EventRow) -> None:
        """Add a line for the Events tab."""
        self._rows.append(row)
        if len(self._rows) > 2 * MOST_ROWS:
            del self._rows[:-MOST_ROWS]

    def seal(self) -> None:
        """Let nothing that comes later change what is here already."""
        self._latest.clear()
        self._texts.clear()

    def take(self) -> list[Op]:
        """All ops, in order; they are no longer here."""
        ops = self._ops
        if self._rows:
            ops.append({"op": "events", "rows": self._rows[-MOST_ROWS:]})
        self._ops, self._rows = [], []
        self.seal()
        return cast(list[Op], ops)


class Pace:
    """Decides when to flush: the first op at once, then at most once per interval. On the core thread.

    A flush that somebody waits for (an acknowledgement, a first or a last word) need not wait for the interval;
    those come out of a small allowance, so that no page can make us send without limit.
    """

    INTERVAL_S = 0.040
    SHARE_S = 0.0075
    """The interval grows to this for each session that streams: ten at once send 133 messages a second in all."""
    HURRIED_PER_S = 5.0
    MOST_HURRIED = 5.0

    _flushed_at: ClassVar[WeakKeyDictionary[Pace, float]] = WeakKeyDictionary()
    """When the sessions of this process last sent something."""

    def __init__(self, flush: Callable[[], bool]) -> None:
        self._flush = flush
        self._timer: asyncio.Handle | None = None
        self._is_due = False
        self._allowance = self.MOST_HURRIED
        self._allowed_at = float("-inf")

    def soon(self) -> None:
        """Flush as early as the interval allows, together with what else happens in this step of the loop."""
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._flushed_at.get(self, float("-inf")) + self._interval_s(loop.time()) - loop.time()
        if wait_s <= 0:
            self._is_due = True
            self._timer = loop.call_soon(self._run)
        else:
            self._timer = loop.call_later(wait_s, self._run)

    def now(self) -> None:
        """Flush in this step of the loop, if the allowance is not used up."""
        if self._is_due or not self._take_allowance():
            self.soon()
            return
        self.stop()
        self._is_due = True
        self._timer = asyncio.get_running_loop().call_soon(self._run)

    def stop(self) -> None:
        """Forget the flush that was planned."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._is_due = None, False

    def leave(self) -> None:
        """Stop, and no longer count among the sessions."""
        self.stop()
        self._flushed_at.pop(self, None)

    def _run(self) -> None:
        self._timer, self._is_due = None, False
        if self._flush():
            self._flushed_at[self] = asyncio.get_running_loop().time()

    def _interval_s(self, now: float) -> float:
        streaming = sum(now - at < 0.5 for at in self._flushed_at.values())
        return max(self.INTERVAL_S, self.SHARE_S * streaming)

    def _take_allowance(self) -> bool:
        now = asyncio.get_running_loop().time()
        earned = (now - self._allowed_at) * self.HURRIED_PER_S
        self._allowance, self._allowed_at = min(self.MOST_HURRIED, self._allowance + earned), now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
