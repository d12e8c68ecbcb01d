"""Approvals: what waits for the user's word, and the word. One answer each; a late one is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.messages import new_id
from rustbot_jupyter.tools.base import Preview, Risk, canonical_arguments
from rustbot_jupyter.tools.listeners import Listeners

WAIT_S = 3600.0
"""How long a card waits for an answer."""
LONGEST_REASON = 2_000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The user's word."""

    allowed: bool
    scope: str = "once"
    """once, conversation or always."""
    reason: str = ""
    """What the user says to the model; "" for nothing."""


@dataclass(kw_only=True, eq=False)
class Approval:
    """Something that waits for the user. Answer it with `allow` or `deny`, from any thread."""

    tool: str
    arguments: Mapping[str, Any]
    """Exactly those it will run with."""
    preview: Preview
    source: str = ""
    """What was read before, and may have led to the wish: "after reading file notes.txt"; "" for nothing."""
    label: str = ""
    risk: Risk = Risk.EXECUTE
    run_id: str = ""
    """The tool call that waits; "" for another kind of question."""
    turn_id: str = ""
    pattern: str = ""
    """What "always" would allow; "" when that is not offered."""
    scopes: tuple[str, ...] = ("once",)
    id: str = field(default_factory=lambda: new_id("approval"))
    asked_at: float = field(default_factory=monotonic)
    _answer: Future[Answer] = field(default_factory=Future, repr=False)

    @property
    def digest(self) -> str:
        """A hash of all that is shown: an answer that carries it means this and nothing else."""
        preview = self.preview
        shown = [
            self.id,
            self.tool,
            self.label,
            self.risk.value,
            self.source,
            canonical_arguments(self.arguments),
            preview.kind,
            preview.text,
            preview.note,
            self.pattern,
            self.scopes,
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()

    @property
    def is_answered(self) -> bool:
        """True if the user has said something, or nobody waits any more."""
        return self._answer.done()

    def allow(self, scope: str = "once") -> None:
        """Let it run.

        Args:
            scope: "once", "conversation" (this tool, as `pattern` says, until the conversation ends) or "always"
                (the same, kept for this folder).

        Raises:
            RequestError: It is answered already, or cannot be allowed that way.
        """
        if scope not in self.scopes:
            offered = ", ".join(map(repr, self.scopes))
            raise RequestError(f"This call of {self.tool!r} cannot be allowed with {scope!r}; there is {offered}.")
        self._say(Answer(allowed=True, scope=scope))

    def deny(self, reason: str | None = None) -> None:
        """Do not let it run.

        Args:
            reason: What the model is told; None for nothing.

        Raises:
            RequestError: It is answered already.
        """
        self._say(Answer(allowed=False, reason=(reason or "")[:LONGEST_REASON]))

    def withdraw(self) -> None:
        """Nobody waits any more; an answer from now on is late."""
        self._answer.cancel()

    async def wait(self, timeout_s: float = WAIT_S) -> Answer:
        """The user's word.

        Raises:
            TimeoutError: There was none in time.
        """
        # Not `wait_for`: in Python 3.11 it forgets a cancel that comes right after the answer, and the call would run.
        async with asyncio.timeout(timeout_s):
            return await asyncio.wrap_future(self._answer)

    def _say(self, answer: Answer) -> None:
        # Of two answers the second one fails, and so does one to a wait that was cancelled.
        try:
            self._answer.set_result(answer)
        except InvalidStateError:
            what = f"This call of {self.tool!r}" if self.tool else "This"
            raise RequestError(f"{what} does not wait any more: it was answered or stopped.") from None


class Approvals:
    """Approvals that wait for the user now, oldest first. May be read from any thread.

    Args:
        wait_s: How long each waits, in seconds.
    """

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._pending: tuple[Approval, ...] = ()
        self._listeners = Listeners[[]]()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change, on the core thread; the result ends that."""
        return self._listeners.add(listener)

    def pending(self) -> list[Approval]:
        """All that wait."""
        return [approval for approval in self._pending if not approval.is_answered]

    def withdraw(self, turn_id: str) -> None:
        """The turn was stopped: nobody waits for the answers to its questions."""
        for approval in self._pending:
            if approval.turn_id == turn_id:
                approval.withdraw()

    def withdraw_all(self) -> None:
        """Nobody waits any more: the loop on which they did is gone."""
        pending, self._pending = self._pending, ()
        for approval in pending:
            approval.withdraw()

    def find(self, approval_id: str, digest: str | None = None) -> Approval:
        """The one of this id that still waits.

        Raises:
            RequestError: None does, or what was shown is not what waits.
        """
        for approval in self.pending():
            if approval.id == approval_id:
                if digest is not None and digest != approval.digest:
                    raise RequestError("What was shown is not what waits: reload the page and look again.")
                return approval
        raise RequestError("That does not wait any more: it was answered, stopped, or its time was over.")

    async def ask(self, approval: Approval) -> Answer:
        """Show it and wait for the user; without a word within the limit it is refused."""
        self._pending = (*self._pending, approval)
        self._listeners.tell()
        try:
            return await approval.wait(self._wait_s)
        except TimeoutError:
            return Answer(allowed=False, reason=f"Nobody answered within {self._wait_s / 60:.0f} minutes.")
        finally:
            approval.withdraw()
            self._pending = tuple(other for other in self._pending if other is not approval)
            self._listeners.tell()
