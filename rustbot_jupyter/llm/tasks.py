"""Work in a task of its own, which is cancelled at most once and always waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def stop(task: asyncio.Task[Any], grace_s: float = 0.0) -> None:
    """Return when the task has ended; it is cancelled after the grace, once.

    httpx 0.28 loses a connection for good when a request is cancelled a second time while it cleans up. So if the
    caller itself is cancelled meanwhile, however often, the task is still waited for; then that cancel goes on.
    """
    cancelled: asyncio.CancelledError | None = None
    if grace_s and not task.done():
        try:
            await asyncio.wait({task}, timeout=grace_s)
        except asyncio.CancelledError as exc:
            cancelled = exc
    if not task.done() and not task.cancelling():
        task.cancel()
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled


async def apart(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, done in a task of its own."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    finally:
        await stop(task)
    return task.result()
