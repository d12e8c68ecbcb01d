"""The event queue: four priority lanes, `put` from any thread, one consumer on the core loop."""

from __future__ import annotations

import asyncio
from collections import deque

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.events import AssistantEvent, Priority


class EventQueue:
    """Events in the order (priority, arrival). Lanes instead of a heap: no comparisons, and appends are atomic.

    `seq` is stamped when an event is taken out: there is one consumer, so numbers are gapless without a lock, and
    the event log is in the order in which things were handled.

    Args:
        capacity: Most events that wait in one lane. A full LOW lane drops what comes and counts it; any other full
            lane refuses with `RequestError`, so that nothing else is ever lost silently.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        self.capacity = capacity
        self.dropped = 0
        """LOW events dropped so far because their lane was full."""
        self._lanes: tuple[deque[AssistantEvent], ...] = tuple(deque() for _ in Priority)
        self._seq = 0
        self._consumer_sleeps = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def __len__(self) -> int:
        return sum(map(len, self._lanes))

    def put(self, event: AssistantEvent) -> bool:
        """Add an event, from any thread; False if it was LOW and was dropped.

        Raises:
            RequestError: The event's lane is full.
        """
        lane = self._lanes[event.priority]
        if len(lane) >= self.capacity:
            return self._overflow(event)
        lane.append(event)
        # One wake-up per idle period: the consumer sets the flag only when it is about to sleep again.
        if self._consumer_sleeps:
            self._consumer_sleeps = False
            self._wake()
        return True

    def get_nowait(self) -> AssistantEvent | None:
        """The next event with its `seq`, or None. On the consumer's thread only."""
        for lane in self._lanes:
            if lane:
                event = lane.popleft()
                self._seq += 1
                # Stamped once, before anybody but the producer has seen the event.
                object.__setattr__(event, "seq", self._seq)
                return event
        return None

    async def get(self) -> AssistantEvent:
        """The next event with its `seq`; waits without polling. One consumer at a time."""
        while True:
            event = self.get_nowait()
            if event is not None:
                return event
            await self._sleep()

    async def _sleep(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken.clear()
        self._consumer_sleeps = True
        # A put between the last look and the flag did not wake us: look once more.
        if len(self):
            self._consumer_sleeps = False
            return
        await self._woken.wait()

    def _wake(self) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:
            # The loop closed between the check and the call; nobody is left to read the queue.
            return

    def _overflow(self, event: AssistantEvent) -> bool:
        if event.priority is Priority.LOW:
            self.dropped += 1
            return False
        raise RequestError(f"{self.capacity:,} events are waiting already. Stop what runs, or wait until it is done.")
