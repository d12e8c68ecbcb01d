"""A loop turned on the thread that blocks it, the one place for nest-asyncio; coroutines interrupted by steps."""

from __future__ import annotations

import asyncio
import contextlib
import types
import warnings
from collections.abc import Callable, Collection, Coroutine, Generator
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.notebook.interrupts import Interruptible

LOOK_EVERY_S = 0.1
"""How often a turned loop looks whether it was interrupted."""
DRAIN_S = 1.0
"""How long cancelled tasks have to tidy up."""


class NestedTurns:
    """Turns a loop until one of its tasks ends, it is woken or time is up; the Stop cancels the tasks and drains them.

    Args:
        loop: The loop of this thread: one that does not run, or one whose turn is blocked by the caller.
        tasks: Tasks of that loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tasks: Collection[asyncio.Task[Any]]) -> None:
        self._loop = loop
        self._tasks = tasks
        self._woken: asyncio.Future[None] = loop.create_future()
        self._was_interrupted = False

    def wake(self) -> None:
        """Have `turn` return; from any thread."""
        # The loop may have been closed since.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)

    def turn(self, timeout: float | None = None) -> None:
        """Turn the loop; at most `timeout` seconds, None for as long as it takes."""
        if self._loop.is_running():
            make_nestable(self._loop)
        interrupts = Interruptible(self._cancel_tasks)
        interrupts.hold(lambda: interrupts.allow(lambda: self._loop.run_until_complete(self._wait(timeout))))
        interrupts.hand_on()

    async def _wait(self, timeout: float | None) -> None:
        end = None if timeout is None else self._loop.time() + timeout
        done: set[asyncio.Future[Any]] = set()
        while not done and (end is None or self._loop.time() < end):
            # In short turns: a Stop that comes just before the loop sleeps would be noticed after it.
            turn = LOOK_EVERY_S if end is None else min(LOOK_EVERY_S, end - self._loop.time())
            waiting = [self._woken, *self._tasks]
            done, _ = await asyncio.wait(waiting, timeout=turn, return_when=asyncio.FIRST_COMPLETED)
        if self._was_interrupted:
            await asyncio.wait(list(self._tasks), timeout=DRAIN_S)

    def _cancel_tasks(self) -> None:
        # Once: a second cancel would break off the tidying up after the first.
        if self._was_interrupted:
            return
        self._was_interrupted = True
        for task in self._tasks:
            self._loop.call_soon_threadsafe(task.cancel)
        self.wake()

    def _end(self) -> None:
        if not self._woken.done():
            self._woken.set_result(None)


def make_nestable(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop that runs be turned from within. The one place for nest-asyncio, which is applied when it is needed.

    Raises:
        ToolError: It is a loop of a kind that cannot.
    """
    import nest_asyncio2  # type: ignore[import-untyped]

    try:
        if not hasattr(loop, "_nest_asyncio2"):
            # It is the class that gets patched, and the core thread's loop, which is of the same one, must stay as is.
            loop.__class__ = type("NestableLoop", (type(loop),), {"_nest_patched": _NotPatched()})
        with warnings.catch_warnings():
            # That the older package was there before: this loop does not use it any more.
            warnings.simplefilter("ignore")
            nest_asyncio2.apply(loop)
    except (TypeError, ValueError) as error:
        raise ToolError(
            f"A coroutine cannot run while a cell blocks the kernel's loop, which is a {type(loop).__name__!r}. "
            "Await the question instead: `await bot.ask_async(...)`."
        ) from error


class _NotPatched:
    """Hides that the older nest-asyncio patched a loop's class.

    A turn of its ends before the callbacks of the task that it was turned for, so that nobody hears of the result; and
    it drops what is to run in a context that is entered, which in ipykernel 7 are the cells that wait.
    """

    def __get__(self, loop: object, owner: type) -> bool:
        raise AttributeError("_nest_patched")


@types.coroutine
def by_steps(coroutine: Coroutine[Any, Any, Any], interrupts: Interruptible) -> Generator[Any, Any, Any]:
    """The coroutine's result; each of its steps can be interrupted, and what lies between them cannot."""
    step: Callable[[Any], Any] = coroutine.send
    value: Any = None
    while True:
        try:
            yielded = _one_step(step, value, interrupts)
        except StopIteration as end:
            return end.value
        except KeyboardInterrupt as interrupt:
            if getattr(coroutine, "cr_frame", None) is None:
                raise
            # It came just after the step: what the coroutine awaits is lost, so that it has to hear of it.
            step, value = coroutine.throw, interrupt
            continue
        try:
            step, value = coroutine.send, (yield yielded)
        except GeneratorExit:
            coroutine.close()
            raise
        # Whatever comes in, a cancel above all, is for the coroutine.
        except BaseException as error:
            interrupts.rest()
            step, value = coroutine.throw, error


def _one_step(step: Any, value: Any, interrupts: Interruptible) -> Any:
    try:
        return interrupts.hold(lambda: interrupts.allow(lambda: step(value)))
    finally:
        interrupts.hand_on()
