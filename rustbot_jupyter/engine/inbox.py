"""Events on their way from the core thread to another loop: handed over in bulk, one wake-up for all of a moment."""

from __future__ import annotations

import asyncio
from collections import deque

from rustbot_jupyter.events import AssistantEvent


class Inbox:
    """Made and read on the reader's loop; `put` on the core thread. Events stay in order, and none is lost."""

    def __init__(self) -> None:
        self._reader = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._events: deque[AssistantEvent] = deque()
        self._is_knock_due = False

    def put(self, event: AssistantEvent) -> None:
        """Add an event; the reader is told once the core has done what it does now."""
        self._events.append(event)
        if not self._is_knock_due:
            self._is_knock_due = True
            asyncio.get_running_loop().call_soon(self._knock)

    async def get(self) -> AssistantEvent:
        """The next event; waits for it."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.popleft()

    def _knock(self) -> None:
        self._is_knock_due = False
        if not self._reader.is_closed():
            self._reader.call_soon_threadsafe(self._arrived.set)
