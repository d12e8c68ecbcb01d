"""Threads for blocking work: one a call, so that one that hangs keeps nobody waiting, not even the end of Python."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import threading
from collections.abc import Callable
from typing import Any, TypeVar

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
    is_over = threading.Event()
    context = contextvars.copy_context()

    def tell(setter: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():
            setter(value)

    def work() -> None:
        try:
            setter, value = outcome.set_result, context.run(function)
        except Stopped:
            return
        # Whatever it is, SystemExit and StopIteration included, it is the tool's and ends in its result.
        except BaseException as error:
            setter, value = outcome.set_exception, _as_exception(error)  # type: ignore[assignment]
        finally:
            is_over.set()
        # The loop may have ended meanwhile; then nobody waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, setter, value)

    thread = threading.Thread(target=work, name="rustbot-tool", daemon=True)
    thread.start()
    try:
        return await outcome
    except asyncio.CancelledError:
        if not is_over.is_set():
            _stop(thread)
        raise


def _as_exception(error: BaseException) -> Exception:
    """An `Exception` that a future takes: it refuses StopIteration, and its owner must survive SystemExit."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return RuntimeError(text).with_traceback(error.__traceback__)


def _stop(thread: threading.Thread) -> None:
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped))
