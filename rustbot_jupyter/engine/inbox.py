"""Events on their way from the core thread to another loop: handed over in bulk, one wake-up for all of a moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from rustbot_jupyter.events import AssistantEvent


class Inbox:
    """Made and read on the reader's loop; all else on the core thread. Events stay in order, and none is lost."""

    def __init__(self) -> None:
        self._reader = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._events: deque[AssistantEvent] = deque()
        self._is_new = False

    def put(self, event: AssistantEvent) -> None:
        """Add an event; the reader is told with the next `settle`."""
        self._events.append(event)
        self._is_new = True

    def settle(self) -> None:
        """Wake the reader if something is new."""
        if self._is_new:
            self._is_new = False
            # Whoever iterated may be gone, and its loop closed: the bot goes on.
            with contextlib.suppress(RuntimeError):
                self._reader.call_soon_threadsafe(self._arrived.set)

    async def get(self) -> AssistantEvent:
        """The next event; waits for it."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.popleft()
