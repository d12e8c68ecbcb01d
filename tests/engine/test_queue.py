"""EventQueue: order, overflow, threads (reliability row B5)."""

from __future__ import annotations

import asyncio
import random
import threading
from contextvars import ContextVar

import pytest
from effort import cpu_at_most

from rustbot_jupyter.engine.queue import EventQueue
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.events import (
    AssistantEvent,
    ErrorOccurred,
    InterruptRequested,
    Priority,
    ProviderWaiting,
    QueueChanged,
)


def normal(number: int) -> QueueChanged:
    return QueueChanged(waiting=number)


def drain(queue: EventQueue) -> list[AssistantEvent]:
    events = []
    while (event := queue.get_nowait()) is not None:
        events.append(event)
    return events


async def served(queue: EventQueue, count: int) -> list[AssistantEvent]:
    """The first `count` events, as the consumer gets them."""
    taken: list[AssistantEvent] = []
    await asyncio.wait_for(queue.serve(taken.append, lambda: len(taken) == count), 10)
    return taken


def test_an_interrupt_overtakes_everything_that_waits():
    queue = EventQueue()
    for number in range(10_000):
        queue.put(normal(number))
    queue.put(InterruptRequested())

    with cpu_at_most(0.05):
        first = queue.get_nowait()

    assert isinstance(first, InterruptRequested)


def test_events_of_one_priority_keep_their_order_in_a_burst_of_100_000():
    queue = EventQueue()
    kinds = [
        lambda n: normal(n),
        lambda n: ProviderWaiting(waited_s=n),
        lambda n: ErrorOccurred(error=str(n), where=""),
    ]
    shuffled = random.Random(7)
    events = [shuffled.choice(kinds)(number) for number in range(100_000)]
    for event in events:
        queue.put(event)

    taken = drain(queue)

    assert taken == sorted(events, key=lambda event: event.priority)
    assert [event.seq for event in taken] == list(range(1, 100_001))


def test_a_full_queue_drops_only_low_events_and_counts_them():
    queue = EventQueue(capacity=10)
    for number in range(10):
        assert queue.put(normal(number))
        assert queue.put(ProviderWaiting(waited_s=number))

    was_kept = queue.put(ProviderWaiting(waited_s=11))

    assert not was_kept
    assert queue.dropped == 1
    assert len(queue) == 20


def test_a_full_queue_refuses_other_events_and_loses_none():
    queue = EventQueue(capacity=10)
    for number in range(10):
        queue.put(normal(number))

    with pytest.raises(RequestError, match="10 events are waiting already"):
        queue.put(normal(10))

    assert [event.waiting for event in drain(queue)] == list(range(10))
    assert queue.dropped == 0


def test_an_interrupt_is_accepted_by_a_queue_full_of_messages():
    queue = EventQueue(capacity=10)
    for number in range(10):
        queue.put(normal(number))

    queue.put(InterruptRequested())

    assert queue.get_nowait().priority is Priority.CRITICAL


async def test_events_put_by_many_threads_all_arrive_in_each_threads_order():
    queue = EventQueue()

    def produce(thread: int) -> None:
        for number in range(2_000):
            queue.put(QueueChanged(waiting=number, turn_id=str(thread)))

    threads = [threading.Thread(target=produce, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    taken = await served(queue, 16_000)

    for number in range(8):
        assert [event.waiting for event in taken if event.turn_id == str(number)] == list(range(2_000))
    assert [event.seq for event in taken] == list(range(1, 16_001))


async def test_a_sleeping_consumer_is_woken_by_another_thread_without_polling():
    queue = EventQueue()
    serving = asyncio.create_task(served(queue, 1))
    await asyncio.sleep(0)

    threading.Thread(target=queue.put, args=(normal(1),)).start()

    assert [event.waiting for event in await serving] == [1]


async def test_a_put_between_the_last_look_and_the_sleep_is_not_missed():
    queue = EventQueue()
    serving = asyncio.create_task(served(queue, 3_000))

    for number in range(3_000):
        queue.put(normal(number))
        if number % 7 == 0:
            await asyncio.sleep(0)

    assert [event.waiting for event in await serving] == list(range(3_000))


async def test_a_long_queue_leaves_the_loop_time_for_others():
    queue = EventQueue()
    for number in range(10_000):
        queue.put(normal(number))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await served(queue, 10_000)
    task.cancel()

    assert turns > 100


async def test_events_are_handled_in_the_consumers_context_not_in_that_of_whoever_put_them():
    queue = EventQueue()
    cell: ContextVar[str] = ContextVar("cell", default="none")
    seen: list[str] = []
    serving = asyncio.create_task(queue.serve(lambda event: seen.append(cell.get()), lambda: bool(seen)))
    await asyncio.sleep(0)

    def put_in_a_cell() -> None:
        cell.set("cell 1")
        queue.put(normal(1))

    threading.Thread(target=put_in_a_cell).start()

    await asyncio.wait_for(serving, 5)
    assert seen == ["none"]


async def test_a_failing_handler_is_told_to_whoever_serves():
    queue = EventQueue()
    queue.put(normal(1))

    def fail(event: AssistantEvent) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await queue.serve(fail, lambda: False)
