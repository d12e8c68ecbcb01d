"""How often a loop is woken: once for all that comes together, and not at all by its own thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from rustbot_jupyter.engine.inbox import Inbox
from rustbot_jupyter.engine.queue import EventQueue
from rustbot_jupyter.events import AssistantEvent, QueueChanged


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often another thread woke it, or thought that it has to."""

    wakeups = 0

    def call_soon_threadsafe(self, *arguments: Any, **options: Any) -> asyncio.Handle:
        self.wakeups += 1
        return super().call_soon_threadsafe(*arguments, **options)


def run(main: Callable[[], Any]) -> int:
    """Run it on a loop of its own; gives the wake-ups of that loop."""
    loop = CountingLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
        return loop.wakeups


def on_another_loop(function: Callable[[], Any]) -> threading.Thread:
    """Call it in a thread, on a loop that runs there."""

    async def call() -> None:
        function()

    thread = threading.Thread(target=lambda: asyncio.run(call()))
    thread.start()
    return thread


def events(count: int) -> list[AssistantEvent]:
    return [QueueChanged(waiting=number) for number in range(count)]


def put(inbox: Inbox, *sent: AssistantEvent) -> None:
    for event in sent:
        inbox.put(event)
    inbox.settle()


def test_events_of_one_moment_reach_another_loop_with_one_wakeup_and_in_order():
    sent = events(1_000)
    got: list[AssistantEvent] = []

    async def main() -> None:
        inbox = Inbox()
        thread = on_another_loop(lambda: put(inbox, *sent))
        got.extend([await inbox.get() for _ in sent])
        thread.join()

    assert run(main) == 1
    assert got == sent


def test_an_inbox_wakes_again_for_what_comes_later():
    async def main() -> None:
        inbox = Inbox()
        for event in events(3):
            on_another_loop(lambda event=event: put(inbox, event))  # type: ignore[misc]
            assert await inbox.get() is event

    assert run(main) == 3


def test_an_inbox_whose_reader_is_gone_takes_what_comes():
    inboxes: list[Inbox] = []

    async def main() -> None:
        inboxes.append(Inbox())

    run(main)
    put(inboxes[0], *events(1))


def test_events_of_the_engines_own_thread_wake_it_without_a_system_call():
    handled: list[AssistantEvent] = []

    async def main() -> None:
        lanes = EventQueue()
        serving = asyncio.create_task(lanes.serve(handled.append, lambda: len(handled) == 10))
        await asyncio.sleep(0)
        for event in events(10):
            lanes.put(event)
            # It is handled and sleeps again.
            while handled[-1:] != [event]:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await serving

    assert run(main) == 0


def test_the_events_of_one_moment_are_settled_once():
    handled: list[AssistantEvent] = []
    settled_after: list[int] = []

    async def main() -> None:
        lanes = EventQueue()
        for event in events(10):
            lanes.put(event)
        await lanes.serve(handled.append, lambda: len(handled) == 10, lambda: settled_after.append(len(handled)))

    run(main)

    assert settled_after == [10]


def test_events_of_another_thread_wake_the_engine_once_for_all_that_wait():
    handled: list[AssistantEvent] = []

    async def main() -> None:
        lanes = EventQueue()
        serving = asyncio.create_task(lanes.serve(handled.append, lambda: len(handled) == 10))
        await asyncio.sleep(0)
        # The loop stands still until all of them are there.
        on_another_loop(lambda: [lanes.put(event) for event in events(10)]).join()
        await serving

    assert run(main) == 1
