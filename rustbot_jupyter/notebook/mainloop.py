"""Work on the kernel's main thread and on its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.notebook.interrupts import Interruptible
from rustbot_jupyter.notebook.nested_loop import DRAIN_S, NestedTurns, by_steps
from rustbot_jupyter.tools.failures import as_exception

T = TypeVar("T")

LOOK_EVERY_S = 0.1
"""How often the loop looks whether its cell was interrupted."""
NAP_S = 0.5
"""How long a wait sleeps at a time; what it waits for wakes it at once."""
STOP_EVERY_S = 0.25
"""How long what was told to stop has before it is told again."""
STOPS = 4


@contextmanager
def open_to_interrupts() -> Iterator[None]:
    """Have the running loop turn now and then: ipykernel cancels a cell on its loop without waking that up."""
    loop = asyncio.get_running_loop()
    next_turn: asyncio.TimerHandle

    def turn() -> None:
        nonlocal next_turn
        next_turn = loop.call_later(LOOK_EVERY_S, turn)

    next_turn = loop.call_later(LOOK_EVERY_S, turn)
    try:
        yield
    finally:
        next_turn.cancel()


class MainThread:
    """Hands work to the main thread, which does it between cells, or inside a wait that blocks it.

    Who waits on the main thread for something that may need it waits with `serve_until` or `serving`. On any other
    thread, and where no kernel is, these only wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._waits: list[Serving] = []
        """The waits that the main thread is in; the innermost one is last."""
        self._tasks: set[asyncio.Task[Any]] = set()
        """Users' coroutines on the kernel's loop."""
        self._is_busy = False
        """True if a piece of work is being done."""
        self._loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.get_running_loop
        self._knock: Callable[[Callable[[], None]], object] = lambda run: None

    def attach(
        self, *, loop: Callable[[], asyncio.AbstractEventLoop], knock: Callable[[Callable[[], None]], object]
    ) -> None:
        """Say where work between cells is done.

        Args:
            loop: The loop on which coroutines run; asked on the main thread.
            knock: Has a function called on the main thread once no cell blocks it; from any thread.
        """
        self._loop, self._knock = loop, knock

    async def run(self, function: Callable[[Interruptible], T], *, on_start: Callable[[], None]) -> T:
        """The result of a function that runs on the main thread once nothing else does; for another thread's loop.

        A cancel drops it when it has not begun, and interrupts it when it has.

        Args:
            function: Gets what makes a part of it interruptible: `interrupts.allow(part)`.
            on_start: Called on the main thread when it begins.

        Raises:
            ToolError: The user stopped it.
        """
        job = _Job(function, on_start)
        self._put(job.run)
        return await _outcome_of(job.outcome, lambda attempt: job.interrupts.interrupt())

    async def run_coroutine(self, make: Callable[[], Coroutine[Any, Any, T]], *, on_start: Callable[[], None]) -> T:
        """The result of a coroutine that runs on the kernel's loop, also while a served wait blocks that.

        A cancel cancels it and waits until it has tidied up, for at most a second.

        Raises:
            ToolError: The user stopped it.
        """
        job = _CoroutineJob(make, on_start)
        self._put(lambda: self._start(job))
        return await _outcome_of(job.outcome, job.stop)

    def serve_until(self, future: Future[T]) -> T:
        """The result of a future of another thread; what the main thread is needed for meanwhile is done.

        Raises:
            KeyboardInterrupt: The kernel was interrupted; work that was being done has had the interrupt, too.
        """
        if not _is_main_thread():
            return future.result()
        with self.serving() as wait:
            future.add_done_callback(lambda done: wait.wake())
            while not future.done():
                wait.wait()
        return future.result()

    @contextmanager
    def serving(self) -> Iterator[Serving]:
        """For a wait of the caller's own shape: a loop around `wait`, which returns whenever `wake` was called."""
        wait = Serving(self)
        with self._lock:
            self._waits.append(wait)
        try:
            yield wait
        finally:
            with self._lock:
                self._waits.remove(wait)

    def do_waiting(self) -> None:
        """Do what waits; on the main thread."""
        while (work := self._next()) is not None:
            self._do(work)

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """The users' coroutines that run on the kernel's loop."""
        return [task for task in self._tasks if not task.done()]

    def _put(self, work: Callable[[], None]) -> None:
        with self._lock:
            self._waiting.append(work)
            innermost = self._waits[-1:]
        for wait in innermost:
            wait.wake()
        self._knock_once()

    def _knock_once(self) -> None:
        # The kernel may be ending: its loop takes nothing any more.
        with contextlib.suppress(RuntimeError):
            self._knock(self._do_one)

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def _do_one(self) -> None:
        """One piece of work between cells: the next cell need not wait for all of them."""
        # A loop that is turned from within one piece of work gets here as well.
        if self._is_busy or (work := self._next()) is None:
            return
        # There is no cell that it could interrupt, and the kernel's loop would end with it.
        with contextlib.suppress(KeyboardInterrupt):
            self._do(work)

    def _do(self, work: Callable[[], None]) -> None:
        was_busy, self._is_busy = self._is_busy, True
        try:
            work()
        finally:
            self._is_busy = was_busy
            if self._waiting:
                self._knock_once()

    def _start(self, job: _CoroutineJob) -> None:
        task = job.start(self._loop())
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class Serving:
    """A wait of the main thread during which it does the work that it is needed for."""

    def __init__(self, main: MainThread) -> None:
        self._main = main
        # Held until somebody wakes the wait. No `threading.Event`: an interrupt inside of one leaves it broken.
        self._asleep = threading.Lock()
        self._asleep.acquire()
        self._turns: NestedTurns | None = None

    def wake(self) -> None:
        """Have `wait` return; from any thread."""
        # It may have been woken before.
        with contextlib.suppress(RuntimeError):
            self._asleep.release()
        turns = self._turns
        if turns is not None:
            turns.wake()

    def wait(self, timeout: float | None = None) -> None:
        """Do what waits, then wait until woken, for at most `timeout` seconds (None: for ever).

        More work wakes it, too, so that it may return early.

        Raises:
            KeyboardInterrupt: The kernel was interrupted.
        """
        is_main = _is_main_thread()
        if is_main:
            self._main.do_waiting()
        if is_main and (tasks := self._main.tasks):
            self._turn_loop(tasks, timeout)
        else:
            self._sleep(timeout)

    def _sleep(self, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        while end is None or time.monotonic() < end:
            # In short turns: Python notices an interrupt that comes just before it blocks when it has blocked.
            if self._asleep.acquire(timeout=NAP_S if end is None else max(0.0, min(NAP_S, end - time.monotonic()))):
                return

    def _turn_loop(self, tasks: list[asyncio.Task[Any]], timeout: float | None) -> None:
        self._turns = NestedTurns(tasks[0].get_loop(), tasks)
        try:
            if self._asleep.locked():
                self._turns.turn(timeout)
            self._asleep.acquire(blocking=False)
        finally:
            self._turns = None


class _Job:
    """A function for the main thread, and what became of it."""

    def __init__(self, function: Callable[[Interruptible], Any], on_start: Callable[[], None]) -> None:
        self._function = function
        self._on_start = on_start
        self.interrupts = Interruptible()
        self.outcome: Future[Any] = Future()

    def run(self) -> None:
        if not self.outcome.set_running_or_notify_cancel():
            return
        try:
            self._on_start()
            value = self.interrupts.hold(lambda: self._function(self.interrupts))
        # SystemExit and KeyboardInterrupt are the work's, too: whoever waits for it gets them as its failure.
        except BaseException as error:
            self.outcome.set_exception(_as_failure(error))
        else:
            self.outcome.set_result(value)
        self.interrupts.hand_on()


class _CoroutineJob:
    """A coroutine for the kernel's loop, and what became of it."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Any]], on_start: Callable[[], None]) -> None:
        self._make = make
        self._on_start = on_start
        self._interrupts = Interruptible(rest_s=DRAIN_S)
        self._task: asyncio.Task[Any] | None = None
        self.outcome: Future[Any] = Future()

    def start(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[Any] | None:
        """The task, unless it was dropped; on the main thread."""
        if not self.outcome.set_running_or_notify_cancel():
            return None
        self._on_start()
        self._task = loop.create_task(_steps(self._make(), self._interrupts))
        self._task.add_done_callback(self._finish)
        return self._task

    def stop(self, attempt: int) -> None:
        """Cancel it; a later attempt interrupts a step that does not end."""
        task = self._task
        if task is not None:
            # The kernel may be ending.
            with contextlib.suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)
        if attempt:
            self._interrupts.interrupt()

    def _finish(self, task: asyncio.Task[Any]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.outcome.set_result(task.result())
        else:
            self.outcome.set_exception(_as_failure(error))


async def _steps(coroutine: Coroutine[Any, Any, T], interrupts: Interruptible) -> T:
    try:
        result: T = await by_steps(coroutine, interrupts)
        return result
    except asyncio.CancelledError:
        raise
    # These would end the kernel's loop.
    except BaseException as error:
        failure = _as_failure(error)
        if failure is error:
            raise
        raise failure from error


def _as_failure(error: BaseException) -> Exception:
    if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
        return ToolError("It was interrupted before it was done.")
    return as_exception(error)


async def _outcome_of(outcome: Future[T], stop: Callable[[int], None]) -> T:
    waiting = asyncio.wrap_future(outcome)
    shielded = asyncio.shield(waiting)
    for each in (waiting, shielded):
        # It may fail at the moment at which whoever waits for it is cancelled.
        each.add_done_callback(_look_at)
    try:
        return await shielded
    except asyncio.CancelledError:
        # One that has not begun is dropped by that.
        attempts = 0 if outcome.cancel() else STOPS
        for attempt in range(attempts):
            stop(attempt)
            await asyncio.wait([waiting], timeout=STOP_EVERY_S)
            if waiting.done():
                break
        raise


def _look_at(future: asyncio.Future[Any]) -> None:
    """Take note of how it ended: asyncio complains about failures that nobody looked at."""
    if not future.cancelled():
        future.exception()


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


main_thread = MainThread()
"""The one that this process has."""
