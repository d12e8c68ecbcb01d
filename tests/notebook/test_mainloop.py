"""Work for the main thread: done while it waits, dropped or interrupted when cancelled, and nobody else is hit."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from effort import SOON_S

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.notebook.core import Core, attach_core, detach_core
from rustbot_jupyter.notebook.interrupts import Interruptible
from rustbot_jupyter.notebook.mainloop import MainThread

PATIENCE_S = 30.0


@pytest.fixture
def core() -> Iterator[Core]:
    core = attach_core()
    yield core
    detach_core(core)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def main(loop: asyncio.AbstractEventLoop) -> MainThread:
    """A main thread whose loop runs only when it is turned, as in a terminal."""
    main = MainThread()
    main.attach(loop=lambda: loop, knock=lambda run: None)
    return main


@pytest.fixture(autouse=True)
def _same_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def nothing() -> None:
    """Nobody is told that it begins."""


def interruptible(function: Callable[[], Any]) -> Callable[[Interruptible], Any]:
    return lambda interrupts: interrupts.allow(function)


def start(core: Core, main: MainThread, function: Callable[[], Any], on_start: Callable[[], None] = nothing) -> Any:
    return core.start(main.run(interruptible(function), on_start=on_start))


def press_stop_once(event: threading.Event) -> threading.Thread:
    """Press the kernel's Stop once something is so, and no sooner after it than a hand can."""

    def press() -> None:
        assert event.wait(PATIENCE_S)
        time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def test_work_is_done_by_the_thread_that_waits_for_its_result(core: Core, main: MainThread) -> None:
    begun: list[str] = []

    thread = main.serve_until(start(core, main, threading.current_thread, lambda: begun.append("yes")))

    assert thread is threading.main_thread()
    assert begun == ["yes"]


def test_work_wakes_a_wait_that_was_there_before_it(core: Core, main: MainThread) -> None:
    async def later() -> list[int]:
        await asyncio.sleep(0.05)
        return [await main.run(lambda interrupts, n=n: n, on_start=nothing) for n in range(3)]

    assert main.serve_until(core.start(later())) == [0, 1, 2]


def test_work_of_many_is_done_in_order(core: Core, main: MainThread) -> None:
    done: list[int] = []

    async def many() -> None:
        await asyncio.gather(
            *(main.run(lambda interrupts, n=n: done.append(n), on_start=nothing) for n in range(20))  # type: ignore[misc]
        )

    main.serve_until(core.start(many()))

    assert done == list(range(20))


def test_work_that_waits_for_work_is_served_too(core: Core, main: MainThread) -> None:
    inner = lambda: main.serve_until(start(core, main, lambda: "inner"))  # noqa: E731

    assert main.serve_until(start(core, main, inner)) == "inner"


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), StopIteration(), GeneratorExit(), MemoryError()])
def test_what_work_raises_is_its_callers(core: Core, main: MainThread, error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(Exception, match=r"bad|3|Stop|Generator|") as failed:
        main.serve_until(start(core, main, fail))

    assert isinstance(failed.value, type(error)) or type(error).__name__ in str(failed.value)
    assert main.serve_until(start(core, main, lambda: "fine")) == "fine"


def test_work_that_was_cancelled_before_it_began_is_dropped(core: Core, main: MainThread) -> None:
    ran: list[int] = []

    async def start_and_cancel() -> None:
        task = asyncio.ensure_future(main.run(interruptible(lambda: ran.append(1)), on_start=nothing))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    # Nothing serves it meanwhile.
    core.start(start_and_cancel()).result(PATIENCE_S)
    main.serve_until(start(core, main, lambda: ran.append(2)))

    assert ran == [2]


def test_work_that_is_cancelled_while_it_runs_is_interrupted_and_the_wait_goes_on(core: Core, main: MainThread) -> None:
    running, seen = threading.Event(), []

    def sleep() -> None:
        try:
            running.set()
            time.sleep(30)
        except KeyboardInterrupt:
            seen.append("interrupted")
            raise

    async def cancel_it() -> str:
        task = asyncio.ensure_future(main.run(interruptible(sleep), on_start=nothing))
        await asyncio.to_thread(running.wait, PATIENCE_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return "cancelled"

    begun = time.monotonic()
    outcome = main.serve_until(core.start(cancel_it()))

    assert (outcome, seen) == ("cancelled", ["interrupted"])
    assert time.monotonic() - begun < SOON_S


def test_work_that_swallows_one_interrupt_gets_the_next(core: Core, main: MainThread) -> None:
    running, seen = threading.Event(), []

    def stubborn() -> None:
        for _ in range(2):
            try:
                running.set()
                time.sleep(30)
            except KeyboardInterrupt:
                seen.append("interrupted")

    async def cancel_it() -> None:
        task = asyncio.ensure_future(main.run(interruptible(stubborn), on_start=nothing))
        await asyncio.to_thread(running.wait, PATIENCE_S)
        task.cancel()
        await asyncio.wait([task])

    main.serve_until(core.start(cancel_it()))

    assert seen == ["interrupted", "interrupted"]


def test_a_cancel_that_comes_too_late_hits_nobody(core: Core, main: MainThread) -> None:
    async def cancel_at_the_end(delay: float) -> None:
        task = asyncio.ensure_future(main.run(interruptible(lambda: time.sleep(0.002)), on_start=nothing))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])

    for round_ in range(150):
        main.serve_until(core.start(cancel_at_the_end(0.001 + round_ % 10 * 0.0003)))
        # The user's next cell.
        sum(range(20_000))


def test_the_stop_ends_the_work_and_then_the_wait(core: Core, main: MainThread) -> None:
    running, seen = threading.Event(), []

    def sleep() -> None:
        try:
            running.set()
            time.sleep(30)
        except KeyboardInterrupt:
            seen.append("interrupted")
            raise

    future = start(core, main, sleep)
    pressing = press_stop_once(running)
    with pytest.raises(KeyboardInterrupt):
        main.serve_until(future)
    pressing.join()

    assert seen == ["interrupted"]
    with pytest.raises(ToolError, match="interrupted"):
        future.result(PATIENCE_S)
    assert main.serve_until(start(core, main, lambda: "next")) == "next"


def test_the_stop_ends_a_wait_without_work(main: MainThread) -> None:
    never: Future[None] = Future()
    waiting = threading.Event()
    pressing = press_stop_once(waiting)

    def wait() -> None:
        waiting.set()
        main.serve_until(never)

    with pytest.raises(KeyboardInterrupt):
        wait()
    pressing.join()


def test_another_thread_just_waits(core: Core, main: MainThread) -> None:
    found: list[Any] = []
    future: Future[str] = Future()
    thread = threading.Thread(target=lambda: found.append(main.serve_until(future)))
    thread.start()

    future.set_result("there")
    thread.join(PATIENCE_S)

    assert found == ["there"]


def test_a_wait_of_ones_own_shape_is_woken_and_does_the_work(core: Core, main: MainThread) -> None:
    events: list[str] = []
    with main.serving() as wait:

        async def speak() -> None:
            for word in ("one", "two"):
                events.append(word)
                wait.wake()
                events.append(await main.run(lambda interrupts: "work", on_start=nothing))

        future = core.start(speak())
        future.add_done_callback(lambda done: wait.wake())
        while not future.done():
            wait.wait(1)

    assert events == ["one", "work", "two", "work"]


# Coroutines.


async def nap(seconds: float = 0.01) -> str:
    await asyncio.sleep(seconds)
    return threading.current_thread().name


def test_a_coroutine_runs_on_the_loop_of_the_thread_that_waits(core: Core, main: MainThread) -> None:
    future = core.start(main.run_coroutine(nap, on_start=nothing))

    assert main.serve_until(future) == "MainThread"


def test_a_coroutine_runs_while_the_loop_itself_is_blocked(core: Core, loop: asyncio.AbstractEventLoop) -> None:
    main = MainThread()
    main.attach(loop=lambda: loop, knock=loop.call_soon_threadsafe)
    lock = asyncio.Lock()

    async def use_lock() -> str:
        async with lock:
            return await nap()

    async def cell() -> str:
        await lock.acquire()
        loop.call_later(0.02, lock.release)
        # Blocks the loop that the coroutine needs.
        return main.serve_until(core.start(main.run_coroutine(use_lock, on_start=nothing)))

    assert loop.run_until_complete(cell()) == "MainThread"
    assert type(core.loop).__name__ != type(loop).__name__
    assert not hasattr(type(core.loop), "_nest_patched")


def test_a_coroutine_that_began_before_the_wait_is_driven_by_it(core: Core, loop: asyncio.AbstractEventLoop) -> None:
    main = MainThread()
    main.attach(loop=lambda: loop, knock=loop.call_soon_threadsafe)
    begun = asyncio.Event()

    async def cell() -> str:
        future = core.start(main.run_coroutine(lambda: nap(0.1), on_start=begun.set))
        await begun.wait()
        return main.serve_until(future)

    assert loop.run_until_complete(cell()) == "MainThread"


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt()])
def test_what_a_coroutine_raises_is_its_callers(core: Core, main: MainThread, error: BaseException) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises((ValueError, RuntimeError, ToolError)):
        main.serve_until(core.start(main.run_coroutine(fail, on_start=nothing)))

    assert main.serve_until(core.start(main.run_coroutine(nap, on_start=nothing))) == "MainThread"


def test_a_cancelled_coroutine_has_tidied_up_when_the_cancel_is_over(core: Core, main: MainThread) -> None:
    begun, tidied = threading.Event(), []

    async def tidy() -> None:
        try:
            begun.set()
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.05)
            tidied.append("yes")

    async def cancel_it() -> list[str]:
        task = asyncio.ensure_future(main.run_coroutine(tidy, on_start=nothing))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        task.cancel()
        await asyncio.wait([task])
        return list(tidied)

    assert main.serve_until(core.start(cancel_it())) == ["yes"]
    assert main.tasks == []


def test_a_coroutine_that_blocks_in_a_step_is_interrupted_by_a_cancel(core: Core, main: MainThread) -> None:
    begun = threading.Event()

    async def block() -> None:
        begun.set()
        time.sleep(30)  # noqa: ASYNC251

    async def cancel_it() -> str:
        task = asyncio.ensure_future(main.run_coroutine(block, on_start=nothing))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        task.cancel()
        await asyncio.wait([task])
        return "over"

    started = time.monotonic()

    assert main.serve_until(core.start(cancel_it())) == "over"
    assert time.monotonic() - started < SOON_S


@pytest.mark.parametrize("is_blocking", [False, True], ids=["awaits", "blocks"])
def test_the_stop_cancels_and_drains_a_coroutine_and_ends_the_wait(
    core: Core, main: MainThread, is_blocking: bool
) -> None:
    begun, tidied = threading.Event(), []

    async def tool() -> None:
        try:
            begun.set()
            if is_blocking:
                time.sleep(30)  # noqa: ASYNC251
            await asyncio.sleep(30)
        finally:
            tidied.append("yes")

    future = core.start(main.run_coroutine(tool, on_start=nothing))
    pressing = press_stop_once(begun)
    with pytest.raises(KeyboardInterrupt):
        main.serve_until(future)
    pressing.join()

    assert tidied == ["yes"]
    assert main.tasks == []
    with pytest.raises((ToolError, CancelledError)):
        future.result(PATIENCE_S)


def test_a_coroutine_that_ignores_its_cancel_does_not_hold_the_stop_up(core: Core, main: MainThread) -> None:
    begun, is_over = threading.Event(), asyncio.Event()

    async def stubborn() -> None:
        while not is_over.is_set():
            try:
                begun.set()
                await is_over.wait()
            except asyncio.CancelledError:
                pass

    future = core.start(main.run_coroutine(stubborn, on_start=nothing))
    pressing = press_stop_once(begun)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        main.serve_until(future)
    pressing.join()

    assert time.monotonic() - started < SOON_S
    is_over.set()
    main.serve_until(future)


# Between cells, on a loop that runs.


def test_between_cells_work_is_done_by_the_loop_one_piece_at_a_time(
    core: Core, loop: asyncio.AbstractEventLoop
) -> None:
    main = MainThread()
    main.attach(loop=lambda: loop, knock=loop.call_soon_threadsafe)
    seen: list[str] = []

    async def idle() -> None:
        futures = [start(core, main, lambda n=n: seen.append(f"work {n}")) for n in range(3)]  # type: ignore[misc]
        await asyncio.gather(*map(asyncio.wrap_future, futures))

    loop.run_until_complete(idle())

    assert seen == ["work 0", "work 1", "work 2"]


def test_nothing_is_patched_before_it_is_needed() -> None:
    code = (
        "import asyncio, sys\n"
        "before = asyncio.Task, asyncio.run, asyncio.get_event_loop\n"
        "import rustbot_jupyter.notebook.kernel_port\n"
        "print('nest_asyncio2' in sys.modules, (asyncio.Task, asyncio.run, asyncio.get_event_loop) == before)\n"
        "print(rustbot_jupyter.notebook.kernel_port.kernel_port(), 'IPython' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.stdout == "False True\nNone False\n", done.stderr
