"""The state machine: the current state, the moves the table allows, and the history of visits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from rustbot_jupyter.engine.states import TRANSITIONS, AgentState, Trigger
from rustbot_jupyter.errors import InvalidTransition
from rustbot_jupyter.messages import utc_now


@dataclass(frozen=True, kw_only=True, slots=True)
class StateVisit:
    """A stay in one state; the fields are the columns of the `states` frame, in order."""

    entered_at: datetime
    left_at: datetime | None
    """None while it lasts."""
    duration_s: float | None
    state: str
    trigger: str | None
    """What led here; None for the first state."""
    turn_id: str | None


class StateMachine:
    """The agent's state. Changed on the core thread only; `state` and `history` may be read anywhere.

    Args:
        on_change: Called after each move with (old, new, trigger, seconds in the old state, turn id).
        history_limit: Visits kept; the oldest are forgotten first.
    """

    def __init__(
        self,
        on_change: Callable[[AgentState, AgentState, Trigger, float, str | None], None] | None = None,
        history_limit: int = 100_000,
    ) -> None:
        self.state = AgentState.IDLE
        self._on_change = on_change
        self._visits: deque[StateVisit] = deque(maxlen=history_limit)
        self._entered_at = utc_now()
        self._entered_monotonic = monotonic()
        self._trigger: Trigger | None = None
        self._turn_id: str | None = None

    @property
    def entered_at(self) -> datetime:
        """Return when the current state was entered."""
        return self._entered_at

    @property
    def turn_id(self) -> str | None:
        """The turn that the current state belongs to."""
        return self._turn_id

    def fire(self, trigger: Trigger, turn_id: str | None = None) -> AgentState:
        """Move to the state the table names.

        Raises:
            InvalidTransition: The table has no such move; nothing is changed.
        """
        old = self.state
        new = TRANSITIONS.get((old, trigger))
        if new is None:
            raise InvalidTransition(f"{trigger.value!r} cannot happen in state {old.value!r}.")
        now = monotonic()
        took_s = now - self._entered_monotonic
        self._visits.append(self._visit(left_at=utc_now(), duration_s=took_s))
        self.state, self._trigger = new, trigger
        self._turn_id = turn_id
        self._entered_at, self._entered_monotonic = utc_now(), now
        if self._on_change is not None:
            self._on_change(old, new, trigger, took_s, turn_id)
        return new

    def can(self, trigger: Trigger) -> bool:
        """True if the table allows this move now."""
        return (self.state, trigger) in TRANSITIONS

    def history(self) -> list[StateVisit]:
        """All visits, oldest first; the last one is the current state, still open."""
        return [*self._visits, self._visit(left_at=None, duration_s=None)]

    def _visit(self, *, left_at: datetime | None, duration_s: float | None) -> StateVisit:
        return StateVisit(
            entered_at=self._entered_at,
            left_at=left_at,
            duration_s=duration_s,
            state=self.state.value,
            trigger=self._trigger.value if self._trigger else None,
            turn_id=self._turn_id,
        )
