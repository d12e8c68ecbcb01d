"""The event log: what happened, kept in memory, newest last."""

from __future__ import annotations

from collections import deque

from rustbot_jupyter.events import AssistantEvent, UserMessageReceived


class EventLog:
    """The last events of one bot. Appended on the core thread; read from anywhere.

    Args:
        limit: Events kept; the oldest are forgotten first.
    """

    def __init__(self, limit: int = 50_000) -> None:
        self._events: deque[AssistantEvent] = deque(maxlen=limit)

    def append(self, event: AssistantEvent) -> None:
        """Keep an event."""
        self._events.append(event)

    def __len__(self) -> int:
        return len(self._events)

    def all(self) -> list[AssistantEvent]:
        """A snapshot, oldest first."""
        while True:
            try:
                return list(self._events)
            except RuntimeError:
                # The core thread appended while we copied; a copy takes less than the time between two events.
                continue

    def of_turn(self, turn_id: str) -> tuple[AssistantEvent, ...]:
        """The events of one turn, oldest first."""
        found = []
        for event in reversed(self.all()):
            if event.turn_id == turn_id:
                found.append(event)
                if isinstance(event, UserMessageReceived):
                    # The first of every turn; what is older need not be looked at.
                    break
        return tuple(reversed(found))

    def before(self, seq: int | None, limit: int) -> tuple[list[AssistantEvent], bool]:
        """The `limit` events before `seq` (None: the newest), oldest first, and whether there are earlier ones."""
        events = self.all()
        if seq is not None and events:
            # Gapless numbers: the place of an event is its distance from the first.
            events = events[: max(0, seq - events[0].seq)]
        return events[-limit:], len(events) > limit

    def find(self, seq: int) -> AssistantEvent | None:
        """The event with this number, if it is still kept."""
        events = self.all()
        index = seq - events[0].seq if events else -1
        return events[index] if 0 <= index < len(events) else None
