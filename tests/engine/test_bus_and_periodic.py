"""The bus and the periodic runner (reliability row K9)."""

from __future__ import annotations

import asyncio
import logging

import pytest

from rustbot_jupyter.engine.bus import EventBus
from rustbot_jupyter.engine.periodic import PeriodicRunner, PeriodicTask
from rustbot_jupyter.events import AssistantEvent, ProviderWaiting, QueueChanged


def test_a_failing_subscriber_is_logged_and_the_others_are_still_called(caplog: pytest.LogCaptureFixture):
    bus = EventBus()
    told: list[AssistantEvent] = []

    def fail(event: AssistantEvent) -> None:
        raise ValueError("broken subscriber")

    bus.subscribe(fail)
    bus.subscribe(told.append)
    with caplog.at_level(logging.ERROR, "rustbot_jupyter"):
        bus.publish(QueueChanged(waiting=1))

    assert len(told) == 1
    assert "broken subscriber" in caplog.text


def test_a_subscriber_hears_only_the_kinds_it_asked_for_and_nothing_after_it_left():
    bus = EventBus()
    told: list[AssistantEvent] = []

    leave = bus.subscribe(told.append, (QueueChanged,))
    bus.publish(ProviderWaiting(waited_s=1))
    bus.publish(QueueChanged(waiting=1))
    leave()
    leave()
    bus.publish(QueueChanged(waiting=2))

    assert [event.kind for event in told] == ["queue_changed"]


def test_a_subscriber_may_leave_while_it_is_being_told():
    bus = EventBus()
    told: list[str] = []

    def once(event: AssistantEvent) -> None:
        told.append("once")
        leave()

    leave = bus.subscribe(once)
    bus.subscribe(lambda event: told.append("always"))
    bus.publish(QueueChanged(waiting=1))
    bus.publish(QueueChanged(waiting=2))

    assert told == ["once", "always", "always"]


async def test_a_periodic_task_runs_only_while_it_is_wanted():
    runner = PeriodicRunner()
    runs = 0
    is_wanted = False
    ran_twice = asyncio.Event()

    def count() -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            ran_twice.set()

    clock_ticked = asyncio.Event()
    runner.add(PeriodicTask(name="count", interval_s=0.01, run=count, wanted=lambda: is_wanted))
    runner.add(PeriodicTask(name="clock", interval_s=0.03, run=clock_ticked.set))
    running = asyncio.create_task(runner.run())
    await asyncio.wait_for(clock_ticked.wait(), 30)
    before = runs
    is_wanted = True
    runner.wake()
    await asyncio.wait_for(ran_twice.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert before == 0
    assert running.cancelled()


async def test_a_failing_periodic_task_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture):
    runner = PeriodicRunner()
    again = asyncio.Event()
    runs = 0

    async def fail_first() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OSError("disk is away")
        again.set()

    runner.add(PeriodicTask(name="save", interval_s=0.01, run=fail_first))
    running = asyncio.create_task(runner.run())
    await asyncio.wait_for(again.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert "'save' failed" in caplog.text
