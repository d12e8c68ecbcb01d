"""Threads for blocking work: one a call, so that one that hangs keeps nobody waiting, not even the end of Python."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from rustbot_jupyter.tools.failures import as_exception

T = TypeVar("T")

LOOK_EVERY_S = 0.001
"""How often a thread that is to be stopped is looked at while it cannot be."""


class Stopped(BaseException):
    """Raised inside a worker thread whose call was cancelled; no tool should catch it."""


async def in_worker(function: Callable[[], T]) -> T:
    """The result of a blocking function, run on a thread of its own.

    A cancel returns at once. The function is stopped at its next line of Python; one that hangs in C goes on alone,
    and what it gives is dropped.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()
    worker = _Worker()
    context = contextvars.copy_context()

    def tell(setter: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():
            setter(value)

    def work() -> None:
        try:
            setter, value = outcome.set_result, context.run(function)
        # Whatever it is, SystemExit and StopIteration included, it is the tool's and ends in its result.
        except BaseException as error:
            setter, value = outcome.set_exception, as_exception(error)  # type: ignore[assignment]
        worker.ends()
        # The loop may have ended meanwhile; then nobody waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, setter, value)

    worker.start(work)
    try:
        return await outcome
    except asyncio.CancelledError:
        worker.stop()
        raise


class _Worker:
    """A thread that can be stopped while it works, and only then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_working = False
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Begin."""

        def guarded() -> None:
            # A stop may come between any two lines of it, after the function's own end too.
            with contextlib.suppress(Stopped):
                if self._begins():
                    work()

        self._thread = threading.Thread(target=guarded, name="rustbot-tool", daemon=True)
        self._thread.start()

    def _begins(self) -> bool:
        with self._lock:
            self._is_working = not self._is_stopped
            return self._is_working

    def ends(self) -> None:
        """The function is over; from now on there is nothing to stop."""
        with self._lock:
            self._is_working = False

    def stop(self) -> None:
        """Raise `Stopped` in the thread, now or very soon."""
        if not self._stop_unless_a_thread_begins():
            threading.Thread(target=self._stop_soon, name="rustbot-stop", daemon=True).start()

    def _stop_soon(self) -> None:
        while not self._stop_unless_a_thread_begins():
            time.sleep(LOOK_EVERY_S)

    def _stop_unless_a_thread_begins(self) -> bool:
        """Stop it, unless it has started a thread that has not begun yet; False if it must be tried again.

        Python 3.11 counts such a thread under the number of the one that starts it. `Stopped` would end the new one,
        and the other would wait for ever for it to begin, with whatever locks it holds.
        """
        # Without this lock `Thread.start` gets no further.
        with threading._active_limbo_lock, self._lock:  # type: ignore[attr-defined]
            self._is_stopped = True
            if not self._is_working or self._thread is None or self._thread.ident is None:
                return True
            ident = self._thread.ident
            if _starts_a_thread(ident):
                return False
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stopped))
            return True


def _starts_a_thread(ident: int) -> bool:
    frame = sys._current_frames().get(ident)
    while frame is not None:
        if frame.f_code is threading.Thread.start.__code__:
            new: threading.Thread = frame.f_locals["self"]
            return new.ident is None
        frame = frame.f_back
    return False
