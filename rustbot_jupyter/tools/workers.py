"""Threads for blocking work: one a call, so that one that hangs keeps nobody waiting, not even the end of Python."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from rustbot_jupyter.tools.failures import as_exception

T = TypeVar("T")


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
        self._is_working = True
        self._thread: threading.Thread | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Begin."""

        def guarded() -> None:
            # A stop may come between any two lines of it, after the function's own end too.
            with contextlib.suppress(Stopped):
                work()

        self._thread = threading.Thread(target=guarded, name="rustbot-tool", daemon=True)
        self._thread.start()

    def ends(self) -> None:
        """The function is over; from now on there is nothing to stop."""
        with self._lock:
            self._is_working = False

    def stop(self) -> None:
        """Raise `Stopped` in the thread."""
        with self._lock:
            if self._is_working and self._thread is not None and self._thread.ident is not None:
                ident = ctypes.c_ulong(self._thread.ident)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Stopped))
