"""The core thread: one daemon thread with its own asyncio loop, for all bots of the process."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Core:
    """A thread that runs an asyncio loop. Started on creation; stopped when the last user has left."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.process_id = os.getpid()
        self._running: set[Future[Any]] = set()
        self.users = 0
        """Who attached and has not detached; changed under the module's lock."""
        self._thread = threading.Thread(target=self._run, name="rustbot-core", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """False after a fork (threads do not survive it), or when the loop died."""
        return self.process_id == os.getpid() and self._thread.is_alive() and not self.loop.is_closed()

    @property
    def is_current(self) -> bool:
        """True if the caller is on the core thread."""
        return threading.current_thread() is self._thread

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; the future gives its result, and cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        # asyncio itself holds its tasks only weakly; one that waits for an event of its own would be collected.
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """The result of a quick function, run on the core thread; on that thread it is called directly."""
        if self.is_current:
            return function(*arguments)

        async def run() -> T:
            return function(*arguments)

        return self.start(run()).result()

    def stop(self) -> None:
        """End the loop and the thread; what still runs there is cancelled."""
        if not self.is_alive:
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        if not self.is_current:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            _cancel_leftovers(self.loop)
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


def _cancel_leftovers(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


_core: Core | None = None
_core_lock = threading.Lock()


def attach_core() -> Core:
    """The process's core thread, with the caller counted as a user; made now, or anew after a fork."""
    global _core
    with _core_lock:
        if _core is None or not _core.is_alive:
            _core = Core()
        _core.users += 1
        return _core


def detach_core(core: Core) -> None:
    """Say that one user less needs the thread; the last one stops it."""
    global _core
    with _core_lock:
        core.users -= 1
        is_last = core.users == 0
        if is_last and _core is core:
            _core = None
    if is_last:
        core.stop()


def _forget_after_fork() -> None:
    global _core, _core_lock
    _core = None
    # The lock may have been held by a thread that the child does not have.
    _core_lock = threading.Lock()


def _stop_at_exit() -> None:
    if _core is not None:
        _core.stop()


# A bot that nobody closed: without this the interpreter tears its tasks apart and complains on stderr.
atexit.register(_stop_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
