"""Goal 13: the event queue."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.report import Line, claim_line, limit_line, median, ratio_line
from rustbot_jupyter.engine.queue import EventQueue
from rustbot_jupyter.events import AssistantEvent, InterruptRequested, MetricsSampled, Priority, TextStreamed

EVENTS = 20_000
QUEUED = 10_000


def event_queue(quick: bool) -> Iterator[Line]:
    """Throughput, latency, rest and precedence."""
    yield _throughput(rounds=9)
    yield from _latency(rounds=500 if quick else 3_000)
    yield claim_line(
        13, "an idle consumer sleeps (looks at the queue in 0.5 s)", (looks := _idle_looks()) <= 1, f"{looks}"
    )
    yield from _precedence(rounds=20 if quick else 100)


def _throughput(rounds: int) -> Line:
    events = [
        TextStreamed(message_id="m", text="x", offset=0) if number % 4 else MetricsSampled(values={"cpu": 1.0})
        for number in range(EVENTS)
    ]
    ours, heap = [], []
    for _ in range(rounds):
        ours.append(_cpu(_push_and_pop, EventQueue(), events))
        heap.append(_cpu(_heap_push_and_pop, queue.PriorityQueue(), events))
    what = f"CPU, push and pop of {EVENTS:,} events"
    ratio = median([mine / its for mine, its in zip(ours, heap, strict=True)])
    return ratio_line(13, what, median(ours), median(heap), 0.2, unit="s", of="PriorityQueue", ratio=ratio)


def _push_and_pop(lanes: EventQueue, events: list[AssistantEvent]) -> None:
    for event in events:
        lanes.put(event)
    for _ in events:
        lanes.get_nowait()


def _heap_push_and_pop(heap: queue.PriorityQueue[Any], events: list[AssistantEvent]) -> None:
    for number, event in enumerate(events):
        heap.put((event.priority, number, event))
    for _ in events:
        heap.get_nowait()


def _cpu(function: Callable[..., None], *arguments: Any) -> float:
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def _latency(rounds: int) -> Iterator[Line]:
    """From a thread to the loop: through the queue, and by a bare `call_soon_threadsafe`; a pair in each round."""
    ours, bare = asyncio.run(_both_latencies(rounds))
    yield ratio_line(13, "thread to loop, p50", median(ours), median(bare), 1.3, unit="s", of="call_soon_threadsafe")


async def _both_latencies(rounds: int) -> tuple[list[float], list[float]]:
    loop, lanes = asyncio.get_running_loop(), EventQueue()
    ours: list[float] = []
    bare: list[float] = []
    arrived = threading.Event()

    def take(event: AssistantEvent) -> None:
        ours.append(time.monotonic() - event.monotonic)
        arrived.set()

    def land(sent: float) -> None:
        bare.append(time.monotonic() - sent)
        arrived.set()

    def send_bare() -> None:
        loop.call_soon_threadsafe(land, time.monotonic())

    def send_ours() -> None:
        event = InterruptRequested()
        object.__setattr__(event, "monotonic", time.monotonic())
        lanes.put(event)

    def produce() -> None:
        for send in (send_bare, send_ours) * rounds:
            arrived.clear()
            send()
            arrived.wait()
            # The loop goes to sleep before the next one comes.
            time.sleep(0.0003)

    consumer = loop.create_task(lanes.serve(take, lambda: False))
    await asyncio.to_thread(produce)
    consumer.cancel()
    return ours[10:], bare[10:]


def _idle_looks() -> int:
    """How often a waiting consumer looks at the queue in half a second without events."""

    class Watched(EventQueue):
        looks = 0

        def get_nowait(self) -> AssistantEvent | None:
            Watched.looks += 1
            return super().get_nowait()

    async def idle() -> None:
        consumer = asyncio.create_task(Watched().serve(lambda event: None, lambda: False))
        await asyncio.sleep(0.5)
        consumer.cancel()

    asyncio.run(idle())
    return Watched.looks


def _precedence(rounds: int) -> Iterator[Line]:
    """A CRITICAL event that another thread puts while 10,000 lower ones wait, in a running agent.

    Its wait is counted in CPU time of the process, so that others on the machine do not count.
    """
    from rustbot_jupyter import Rustbot

    bot = Rustbot(model="rustbot/demo")
    bot.new_conversation()
    waits: list[float] = []
    overtaken = [0]
    is_queued, handled = threading.Event(), threading.Event()
    sent: list[float] = []

    def on_event(event: AssistantEvent) -> None:
        if isinstance(event, InterruptRequested):
            waits.append(time.process_time() - sent[-1])
            handled.set()
        elif is_queued.is_set() and not handled.is_set() and event.priority is not Priority.CRITICAL:
            overtaken[0] += 1

    unsubscribe = bot.agent.bus.subscribe(on_event)
    lanes = bot.agent.queue
    for _ in range(rounds):
        is_queued.clear()
        handled.clear()
        # Put on the core thread in one go, so that they do wait.
        bot.run_on_core(partial(_fill, lanes))
        sent.append(time.process_time())
        bot.agent.interrupt()
        is_queued.set()
        handled.wait(5)
        while len(lanes):
            time.sleep(0.001)
    unsubscribe()
    bot.close()
    p99 = sorted(waits)[len(waits) * 99 // 100]
    yield limit_line(13, f"a CRITICAL event with {QUEUED:,} queued, CPU until handled, p99", p99, 0.005, unit="s")
    # The one that is being handled at that moment is no longer queued.
    yield limit_line(13, "lower events begun after it was put, per time", overtaken[0] / rounds, 1)


def _fill(lanes: EventQueue) -> None:
    for _ in range(QUEUED):
        lanes.put(TextStreamed(message_id="m", text="x", offset=0))
