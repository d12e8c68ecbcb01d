"""EventQueue: order, overflow, threads (reliability row B5)."""

from __future__ import annotations

import asyncio
import random
import threading
from time import perf_counter

import pytest

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


def test_an_interrupt_overtakes_everything_that_waits():
    queue = EventQueue()
    for number in range(10_000):
        queue.put(normal(number))
    queue.put(InterruptRequested())

    started = perf_counter()
    first = queue.get_nowait()
    waited_s = perf_counter() - started

    assert isinstance(first, InterruptRequested)
    assert waited_s < 0.05


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
    taken = [await asyncio.wait_for(queue.get(), 10) for _ in range(16_000)]

    for number in range(8):
        assert [event.waiting for event in taken if event.turn_id == str(number)] == list(range(2_000))
    assert [event.seq for event in taken] == list(range(1, 16_001))


async def test_a_sleeping_consumer_is_woken_by_another_thread_without_polling():
    queue = EventQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)

    threading.Thread(target=queue.put, args=(normal(1),)).start()

    assert (await asyncio.wait_for(waiting, 5)).waiting == 1


async def test_a_put_between_the_last_look_and_the_sleep_is_not_missed():
    queue = EventQueue()
    received: list[int] = []

    async def consume() -> None:
        while len(received) < 3_000:
            received.append((await queue.get()).waiting)

    consumer = asyncio.create_task(consume())
    for number in range(3_000):
        queue.put(normal(number))
        if number % 7 == 0:
            await asyncio.sleep(0)

    await asyncio.wait_for(consumer, 10)
    assert received == list(range(3_000))
