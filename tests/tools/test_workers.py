"""Blocking work on threads of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from effort import examples
from tool_lab import until

from rustbot_jupyter.tools.workers import Stopped, in_worker


def threads_left() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "rustbot-tool"]


async def test_the_result_comes_back_and_the_thread_ends():
    assert await in_worker(lambda: 5) == 5
    await until(lambda: not threads_left())


@pytest.mark.parametrize("error", [ValueError("x"), StopIteration(3), SystemExit(2), KeyboardInterrupt(), Stopped()])
async def test_what_it_raises_comes_back_as_an_exception(error: BaseException):
    def fail() -> None:
        raise error

    with pytest.raises(Exception):  # noqa: B017, PT011
        await asyncio.wait_for(in_worker(fail), 30)


async def test_a_cancel_returns_at_once_and_stops_the_function_at_its_next_line():
    ended: list[str] = []
    started = threading.Event()

    def work() -> None:
        try:
            started.set()
            while True:
                time.sleep(0.001)
        except Stopped:
            ended.append("stopped")
            raise

    task = asyncio.create_task(in_worker(work))
    await until(started.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await until(lambda: not threads_left())
    assert ended == ["stopped"]


async def test_a_cancel_while_the_function_starts_threads_leaves_none_behind_that_waits_for_ever():
    def work() -> None:
        while True:
            child = threading.Thread(target=lambda: None, name="rustbot-tool", daemon=True)
            child.start()
            child.join()

    # Without care a few dozen are enough beside busy cores, and a few hundred on idle ones.
    for pause in range(examples(200)):
        task = asyncio.create_task(in_worker(work))
        await asyncio.sleep(pause % 10 * 0.0003)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await until(lambda: not threads_left())


async def test_a_function_that_catches_everything_goes_on_alone_and_its_result_is_dropped():
    started, release = threading.Event(), threading.Event()

    def stubborn() -> str:
        started.set()
        while not release.is_set():
            try:
                time.sleep(0.001)
            except BaseException:
                continue
        return "late"

    task = asyncio.create_task(in_worker(stubborn))
    await until(started.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()

    await until(lambda: not threads_left())


async def test_cancels_at_any_moment_stop_no_other_thread_and_print_nothing():
    """The moments around a function's end are where a stop can hit the thread after its work, or a new one."""
    problems: list[Any] = []
    before, threading.excepthook = threading.excepthook, problems.append

    def short() -> int:
        return sum(range(200))

    try:
        for number in range(300):
            task = asyncio.create_task(in_worker(short))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            if number % 3 == 0:
                await asyncio.sleep(0.0001 * (number % 7))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await in_worker(short) == 19_900
        await until(lambda: not threads_left())
    finally:
        threading.excepthook = before

    assert problems == []


def test_a_function_that_outlives_the_loop_harms_nobody():
    started, release = threading.Event(), threading.Event()

    async def main() -> None:
        task = asyncio.create_task(in_worker(lambda: (started.set(), release.wait())))
        await until(started.is_set)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    release.set()
    for thread in threads_left():
        thread.join(30)

    assert threads_left() == []
