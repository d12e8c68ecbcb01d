"""A runner for work that comes back: metrics, autosave, settling costs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

logger = logging.getLogger("rustbot_jupyter.periodic")


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodicTask:
    """One piece of recurring work."""

    name: str
    interval_s: float
    run: Callable[[], Awaitable[None] | None]
    wanted: Callable[[], bool] = lambda: True
    """Asked before each run; while no task is wanted the runner sleeps without waking up."""


class PeriodicRunner:
    """Runs tasks at their intervals while they are wanted. One asyncio task for all; a failing one is logged.

    `wake` says that something may be wanted again.

    Args:
        on_failure: Told the error and the task's name when one fails.
    """

    def __init__(self, on_failure: Callable[[Exception, str], None] | None = None) -> None:
        self._on_failure = on_failure
        self._tasks: list[PeriodicTask] = []
        self._due: dict[str, float] = {}
        self._wake = asyncio.Event()

    def add(self, task: PeriodicTask) -> None:
        """Add a task; its first run is one interval after it is first wanted."""
        self._tasks.append(task)

    def wake(self) -> None:
        """Look again at what is wanted. On the core thread."""
        self._wake.set()

    async def run(self) -> None:
        """Run until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now = loop.time()
            due_at = [self._schedule(task, now) for task in self._tasks if self._is_wanted(task)]
            if not due_at:
                await self._wake.wait()
                continue
            delay = max(0.0, min(due_at) - now)
            try:
                await asyncio.wait_for(self._wake.wait(), delay)
            except TimeoutError:
                await self._run_due(loop.time())

    def _is_wanted(self, task: PeriodicTask) -> bool:
        wanted = task.wanted()
        if not wanted:
            self._due.pop(task.name, None)
        return wanted

    def _schedule(self, task: PeriodicTask, now: float) -> float:
        return self._due.setdefault(task.name, now + task.interval_s)

    async def _run_due(self, now: float) -> None:
        for task in self._tasks:
            if self._due.get(task.name, now + 1) > now:
                continue
            self._due[task.name] = now + task.interval_s
            try:
                result = task.run()
                if result is not None:
                    await result
            except Exception as error:
                logger.exception("The periodic task %r failed; it is tried again.", task.name)
                if self._on_failure is not None:
                    self._on_failure(error, task.name)
