"""The event queue: four priority lanes, `put` from any thread, one consumer on the core loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from threading import get_ident

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.events import AssistantEvent, Priority

_set_attribute = object.__setattr__
EVENTS_PER_STEP = 64
"""Events handled before the loop gets a chance to read sockets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Consumer:
    loop: asyncio.AbstractEventLoop
    thread: int
    context: Context
    handle: Callable[[AssistantEvent], None]
    is_over: Callable[[], bool]
    settle: Callable[[], None]
    ended: asyncio.Future[None]


class EventQueue:
    """Events in the order (priority, arrival). Lanes instead of a heap: no comparisons, and appends are atomic.

    `seq` is stamped when an event is taken out: there is one consumer, so numbers are gapless without a lock, and
    the event log is in the order in which things were handled.

    Args:
        capacity: Most events that wait in one lane. A full LOW lane drops what comes and counts it; any other full
            lane refuses with `RequestError`, so that nothing else is ever lost silently.
        last_seq: The number after which this queue goes on.
    """

    def __init__(self, capacity: int = 100_000, last_seq: int = 0) -> None:
        self.capacity = capacity
        self.last_seq = last_seq
        """The number of the event taken out last."""
        self.dropped = 0
        """LOW events dropped so far because their lane was full."""
        self._lanes: tuple[deque[AssistantEvent], ...] = tuple(deque() for _ in Priority)
        self._consumer_sleeps = False
        self._consumer: _Consumer | None = None

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
                self.last_seq = seq = self.last_seq + 1
                # Stamped once, before anybody but the producer has seen the event.
                _set_attribute(event, "seq", seq)
                return event
        return None

    async def serve(
        self,
        handle: Callable[[AssistantEvent], None],
        is_over: Callable[[], bool],
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """Hand each event, with its `seq`, to `handle` on the running loop until `is_over`; waits without polling.

        `settle` is called after the events of one moment. One consumer at a time. A `put` wakes the handling itself,
        not this coroutine, which would cost another turn of the loop.
        """
        self._consumer = _Consumer(
            loop=asyncio.get_running_loop(),
            thread=get_ident(),
            # Handlers must not run in the context of whoever put an event: that of a cell decides where it prints.
            context=copy_context(),
            handle=handle,
            is_over=is_over,
            settle=settle,
            ended=asyncio.get_running_loop().create_future(),
        )
        try:
            self._step()
            await self._consumer.ended
        finally:
            self._consumer = None

    def _step(self) -> None:
        """Handle what there is; between steps the loop gets to read its sockets."""
        consumer = self._consumer
        if consumer is None or consumer.ended.done():
            return
        try:
            for _ in range(EVENTS_PER_STEP):
                if consumer.is_over():
                    consumer.ended.set_result(None)
                    return
                event = self.get_nowait()
                if event is None:
                    if self._fell_asleep():
                        return
                else:
                    consumer.handle(event)
        except Exception as error:
            consumer.ended.set_exception(error)
            return
        finally:
            consumer.settle()
        consumer.loop.call_soon(self._step)

    def _fell_asleep(self) -> bool:
        self._consumer_sleeps = True
        # A put between the last look and the flag did not wake us: look once more.
        if len(self):
            self._consumer_sleeps = False
            return False
        return True

    def _wake(self) -> None:
        consumer = self._consumer
        if consumer is None or consumer.loop.is_closed():
            return
        if get_ident() == consumer.thread:
            # Most events are the engine's own; the loop runs already, so nothing need be written to wake it.
            consumer.loop.call_soon(self._step, context=consumer.context)
            return
        try:
            consumer.loop.call_soon_threadsafe(self._step, context=consumer.context)
        except RuntimeError:
            # The loop closed between the check and the call; nobody is left to read the queue.
            return

    def _overflow(self, event: AssistantEvent) -> bool:
        if event.priority is Priority.LOW:
            self.dropped += 1
            return False
        raise RequestError(f"{self.capacity:,} events are waiting already. Stop what runs, or wait until it is done.")
