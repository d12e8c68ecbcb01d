"""The kernel around us, as tools use it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from rustbot_jupyter.notebook import tool_code
from rustbot_jupyter.notebook.compat import loop_of
from rustbot_jupyter.notebook.mainloop import MainThread, main_thread
from rustbot_jupyter.tools.base import RecentCell

if TYPE_CHECKING:
    from rustbot_jupyter.notebook.failures import FailedCell, Failures
    from rustbot_jupyter.tools.notebook import CellOutcome

# What runs code is imported with the first code to run: a bot that is only shown needs none of it.

T = TypeVar("T")

OUTPUT_CHARS = 2_000


class KernelPort:
    """An IPython shell for tools: its variables, its main thread, what ran in it.

    Args:
        shell: The shell, in a kernel or in a terminal.
        main: Where work for the main thread goes.
    """

    def __init__(self, shell: Any, main: MainThread = main_thread) -> None:
        self._shell = shell
        self._main = main
        self._own_failures: Failures | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        loop = loop_of(shell)
        if loop is not None:
            main.attach(loop=lambda: loop, knock=loop.call_soon_threadsafe)
        else:
            main.attach(loop=_loop_of_terminal, knock=self._knock_at_prompt)

    @property
    def shell(self) -> Any:
        """The shell that this is for."""
        return self._shell

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The user's variables, live: copy before you iterate."""
        namespace: Mapping[str, Any] = self._shell.user_ns
        return namespace

    async def run_code(
        self, code: str, *, on_start: Callable[[], None], on_output: Callable[[str], None]
    ) -> CellOutcome:
        """Run code as a cell on the main thread, once no cell runs there. Cancelling interrupts it.

        Args:
            code: Python, magics included.
            on_start: Called when the main thread has begun.
            on_output: Called with each piece of output; both on any thread.
        """
        from rustbot_jupyter.notebook.code_cells import at_once, needs_loop, run_code

        if needs_loop(self._shell, code):
            # Two at a time would take the streams from one another.
            async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
                return await self._main.run_coroutine(
                    lambda: run_code(self._shell, code, on_output=on_output), on_start=on_start
                )
        return await self._main.run(
            lambda interrupts: at_once(run_code(self._shell, code, on_output=on_output, allow=interrupts.allow)),
            on_start=on_start,
        )

    async def run_coroutine(self, make: Callable[[], Coroutine[Any, Any, T]], *, on_start: Callable[[], None]) -> T:
        """Run a coroutine on the kernel's own loop, also while a magic blocks it. Cancelling cancels and drains it."""
        return await self._main.run_coroutine(make, on_start=on_start)

    def recent_cells(self, count: int) -> list[RecentCell]:
        """The newest cells that ran, oldest first; the cell that runs now is the last one."""
        codes = list(self._shell.history_manager.input_hist_raw)
        numbers = [number for number in range(1, len(codes)) if codes[number].strip()]
        return [self._cell(number, codes[number]) for number in numbers[-count:]]

    def last_error(self, *, schema_only: bool) -> str:
        """Code and traceback of the newest failed cell; "" when none has failed. `schema_only` leaves out messages."""
        failed = next((each.newest for each in self._failures if each.newest is not None), None)
        if failed is None:
            return ""
        traceback = failed.traceback_without_messages if schema_only else failed.traceback
        return f"In [{failed.number}]:\n{failed.code.rstrip()}\n\n{traceback}"

    def _cell(self, number: int, code: str) -> RecentCell:
        from rustbot_jupyter.tools.variables import describe

        outputs = dict(self._shell.user_ns.get("_oh", {}))
        output = describe("value", outputs[number], budget_chars=OUTPUT_CHARS) if number in outputs else ""
        failed = next((found for each in self._failures if (found := each.of_cell(number)) is not None), None)
        return RecentCell(number=number, code=code, output=output, error=_last_line(failed))

    @property
    def _failures(self) -> list[Failures]:
        """Those since the first bot, and those that the magics know from before."""
        magic = self._shell.magics_manager.magics["cell"].get("rustbot")
        of_magics: Failures | None = getattr(getattr(magic, "__self__", None), "failures", None)
        return [self.watch_failures(), *([of_magics] if of_magics is not None else ())]

    def watch_failures(self) -> Failures:
        """Keep which cells fail from now on, and the one before."""
        if self._own_failures is None:
            from rustbot_jupyter.notebook.failures import Failures

            self._own_failures = Failures()
            self._note_failure(self._shell.last_execution_result)
            self._shell.events.register("post_run_cell", self._note_failure)
        return self._own_failures

    def _note_failure(self, result: Any) -> None:
        if result is None or self._own_failures is None or tool_code.running.get() is not None:
            return
        error = result.error_in_exec or result.error_before_exec
        if error is not None:
            # IPython's own record of which file a cell was compiled as.
            files = getattr(self._shell.compile, "_filename_map", {})
            number = result.execution_count or self._shell.execution_count
            self._own_failures.record(number, result.info.raw_cell, error, files)

    def _knock_at_prompt(self, run: Callable[[], None]) -> None:
        """Between the cells of a terminal its prompt is what runs on the main thread."""
        prompt = getattr(getattr(self._shell, "pt_app", None), "app", None)
        if prompt is None:
            return
        # For the next prompt, and for this one if there is one; called once too often it does nothing.
        prompt.pre_run_callables.append(run)
        if prompt.loop is not None and prompt.loop.is_running():
            prompt.loop.call_soon_threadsafe(run)


def _last_line(failed: FailedCell | None) -> str:
    return failed.traceback.rstrip().rpartition("\n")[2] if failed is not None else ""


def _loop_of_terminal() -> asyncio.AbstractEventLoop:
    from IPython.core.async_helpers import get_asyncio_loop

    loop: asyncio.AbstractEventLoop = get_asyncio_loop()  # type: ignore[no-untyped-call]
    return loop


_port: KernelPort | None = None


def kernel_port() -> KernelPort | None:
    """The kernel or shell that we run in; None in plain Python. On any thread."""
    global _port
    module = sys.modules.get("IPython.core.interactiveshell")
    shell = module.InteractiveShell._instance if module is not None else None
    if shell is None:
        return None
    if _port is None or _port.shell is not shell:
        _port = KernelPort(shell)
    return _port
