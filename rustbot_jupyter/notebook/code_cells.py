"""Code that a tool runs in the user's namespace: as a cell, but with its output caught and without a number.

What the code does to the user's world stays, as it would from a cell: variables, imports, the working folder, the
environment. What belongs to the kernel is as it was afterwards: `In`, `Out` and `_`, the streams and hooks, `input`,
the handler of interrupts, figures of the cell that waits, the last error that the user saw.
"""

from __future__ import annotations

import builtins
import getpass
import io
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from IPython.core.error import UsageError

from rustbot_jupyter.notebook import tool_code
from rustbot_jupyter.notebook.cell_output import CellOutput, OutputStream
from rustbot_jupyter.notebook.code_figures import own_figures
from rustbot_jupyter.notebook.traceback_text import traceback_text
from rustbot_jupyter.tools.failures import text_of
from rustbot_jupyter.tools.notebook import CellOutcome
from rustbot_jupyter.tools.pictures import is_figure, picture_of
from rustbot_jupyter.tools.plotly_json import figure_of
from rustbot_jupyter.tools.short_text import clip
from rustbot_jupyter.tools.variables import describe, kind_and_shape

T = TypeVar("T")

ERROR_CHARS = 300
TRACEBACK_CHARS = 4_000
NAME_OF_THE_CODE = "the code"
_NO_CELL = 0
"""In[0] is no cell, so that it can stand for the code while its traceback is written."""
_NO_EXIT = "The kernel is not ended by code that a tool runs."
_NO_INPUT = "The code asked for input, and there is nobody to type it. Put the value into the code."


def needs_loop(shell: Any, code: str) -> bool:
    """True if the code awaits something outside of any function."""
    transformed, problem = _transformed(shell, code)
    return bool(shell.should_run_async(code, transformed_cell=transformed, preprocessing_exc_tuple=problem))


async def run_code(
    shell: Any,
    code: str,
    *,
    on_output: Callable[[str], None],
    allow: Callable[[Callable[[], Any]], Any] | None = None,
) -> CellOutcome:
    """Run code in a shell, on its thread, and return what came of it; never raises for what the code does.

    Args:
        shell: An IPython shell.
        code: Python, magics and top-level `await` included.
        on_output: Gets each piece of output.
        allow: Runs what may be interrupted by KeyboardInterrupt; for code that needs no loop.
    """
    run = _Run(shell, code, CellOutput(on_output))
    with ExitStack() as stack:
        for part in (run.surroundings, run.streams, run.hooks, run.refusals):
            stack.enter_context(part())
        try:
            executing = _execute(shell, code, run)
            error = await executing if allow is None else allow(lambda: at_once(executing))
        # An interrupt beside the code itself, or a hook of somebody's that failed.
        except BaseException as beside:
            error = beside
    return run.outcome(error)


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("The code waits for something although it has no await.")


async def _execute(shell: Any, code: str, run: _Run) -> BaseException | None:
    """The exception that ended the code; None when none did."""
    transformed, problem = _transformed(shell, code)
    result = None
    with own_figures(run.show_figure):
        try:
            result = await shell.run_cell_async(
                code, store_history=False, transformed_cell=transformed, preprocessing_exc_tuple=problem
            )
        finally:
            # IPython leaves these two to whoever runs the coroutine; figures are drawn in the first.
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


def _transformed(shell: Any, code: str) -> tuple[str, Any]:
    try:
        return shell.transform_cell(code), None
    except Exception:
        return code, sys.exc_info()


@dataclass(frozen=True)
class _Kept:
    """An attribute that the run changes, and that is put back."""

    owner: Any
    name: str


_MISSING = object()


class _Run:
    """One run: what it swaps in the kernel, and what it collects."""

    def __init__(self, shell: Any, code: str, output: CellOutput) -> None:
        self._shell = shell
        self._code = code
        self._output = output
        self._result_kind = ""
        self._threads_before = {thread.ident for thread in threading.enumerate()}
        self._files_before = dict(self._files)

    @property
    def _files(self) -> Mapping[str, int]:
        # IPython's own record of which file a cell was compiled as.
        files: Mapping[str, int] = getattr(self._shell.compile, "_filename_map", {})
        return files

    def is_ours(self) -> bool:
        """True if the caller is the code: on its thread, in its context, or on a thread that it started."""
        if tool_code.running.get() is self:
            return True
        thread = threading.current_thread()
        return thread.ident not in self._threads_before and not thread.name.startswith("rustbot-")

    def outcome(self, error: BaseException | None) -> CellOutcome:
        """Return what came of it, once it is over."""
        # Threads that it left behind write to the notebook from now on.
        self._threads_before = {thread.ident for thread in threading.enumerate()}
        if error is None:
            return CellOutcome(
                text=self._output.text,
                images=self._output.images,
                figures=self._output.figures,
                result_kind=self._result_kind,
            )
        self._output.write_line(self._traceback(error))
        return CellOutcome(
            text=self._output.text,
            images=self._output.images,
            figures=self._output.figures,
            error=_one_line(error),
            error_without_values=traceback_text(
                error, cells=self._cells(), schema_only=True, budget_chars=TRACEBACK_CHARS
            ),
        )

    def show_figure(self, figure: Any) -> None:
        """Keep the picture of a figure that the code left open."""
        picture = picture_of(figure)
        if picture is not None:
            self._output.add_image(picture)

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Know who writes by the context; what the kernel remembers of its cells is put back."""
        kept = [
            *(_Kept(self._shell, name) for name in _REMEMBERED_BY_SHELL),
            *(_Kept(sys, name) for name in _REMEMBERED_BY_PYTHON),
            _Kept(self._shell.displayhook, "exec_result"),
        ]
        values = [getattr(each.owner, each.name, _MISSING) for each in kept]
        token = tool_code.running.set(self)
        try:
            yield
        finally:
            tool_code.running.reset(token)
            for each, value in zip(kept, values, strict=True):
                _put_back(each, value)

    @contextmanager
    def streams(self) -> Iterator[None]:
        """Take what is printed; nothing can be read."""
        with ExitStack() as stack:
            for name in ("stdout", "stderr"):
                stream = OutputStream(getattr(sys, name), self.is_ours, self._output.write)
                stack.enter_context(_swapped(sys, name, stream))
            stack.enter_context(_swapped(sys, "stdin", io.StringIO()))
            yield

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """Take what is displayed, the value of the last expression and the traceback."""
        shell = self._shell
        publish, clear = shell.display_pub.publish, shell.display_pub.clear_output
        with ExitStack() as stack:
            stack.enter_context(_swapped(shell.display_trap, "hook", self._show_result))
            stack.enter_context(_swapped(sys, "displayhook", self._show_result))
            stack.enter_context(_overridden(shell.display_pub, "publish", self._shown_or(publish)))
            stack.enter_context(_overridden(shell.display_pub, "clear_output", self._nothing_or(clear)))
            stack.enter_context(_overridden(shell, "_showtraceback", self._nothing_or(shell._showtraceback)))
            yield

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """No input, no end of the kernel, no message to the page that asks for this run's cell."""
        payloads = getattr(self._shell, "payload_manager", None)
        before = list(payloads.read_payload()) if payloads is not None else []
        with ExitStack() as stack:
            for owner, name in ((builtins, "input"), (getpass, "getpass")):
                stack.enter_context(_swapped(owner, name, self._refused_or(getattr(owner, name))))
            leave = getattr(self._shell, "ask_exit", lambda: None)
            stack.enter_context(_overridden(self._shell, "ask_exit", self._refused_exit_or(leave)))
            yield
        if payloads is not None:
            self._take_payloads(payloads, before)

    def _take_payloads(self, payloads: Any, before: list[Any]) -> None:
        for payload in payloads.read_payload():
            # `name?` shows its help in a pager.
            if payload not in before and payload.get("source") == "page":
                self._output.show(payload.get("data", {}))
        payloads.clear_payload()
        for payload in before:
            payloads.write_payload(payload, single=False)

    def _show_result(self, value: Any) -> None:
        if not self.is_ours():
            self._shell.displayhook(value)
        elif value is not None:
            self._result_kind = kind_and_shape(value)
            if not self._shell.displayhook.semicolon_at_end_of_expression(self._code):
                self._write_result(value)

    def _write_result(self, value: Any) -> None:
        picture = picture_of(value) if is_figure(value) else None
        if picture is not None:
            self._output.add_image(picture)
            return
        self._output.write_line(describe("result", value))
        figure = figure_of(value)
        if figure is not None:
            self._output.add_figure(figure)

    def _shown_or(self, publish: Callable[..., None]) -> Callable[..., None]:
        def publish_or_take(data: Mapping[str, Any], metadata: Any = None, *more: Any, **options: Any) -> None:
            if self.is_ours():
                self._output.show(data)
            else:
                publish(data, metadata, *more, **options)

        return publish_or_take

    def _nothing_or(self, clear: Callable[..., None]) -> Callable[..., None]:
        return lambda *about, **options: None if self.is_ours() else clear(*about, **options)

    def _refused_or(self, read: Callable[..., str]) -> Callable[..., str]:
        def refuse_or_read(*about: Any, **options: Any) -> str:
            if self.is_ours():
                raise EOFError(_NO_INPUT)
            return read(*about, **options)

        return refuse_or_read

    def _refused_exit_or(self, leave: Callable[[], None]) -> Callable[[], None]:
        def refuse_or_exit() -> None:
            if self.is_ours():
                raise SystemExit(_NO_EXIT)
            leave()

        return refuse_or_exit

    def _traceback(self, error: BaseException) -> str:
        # A magic that was misused has said so, and has no lines of code to show.
        if isinstance(error, UsageError):
            return ""
        text = traceback_text(error, cells=self._cells(), budget_chars=TRACEBACK_CHARS)
        return text.replace(f'File "In[{_NO_CELL}]"', f"In {NAME_OF_THE_CODE}")

    def _cells(self) -> dict[str, int]:
        ours = [file for file, number in self._files.items() if self._files_before.get(file) != number]
        return {**self._files, **dict.fromkeys(ours, _NO_CELL)}


_REMEMBERED_BY_SHELL = ("_last_traceback", "last_execution_succeeded", "last_execution_result")
_REMEMBERED_BY_PYTHON = ("last_exc", "last_type", "last_value", "last_traceback")


def _put_back(kept: _Kept, value: object) -> None:
    if value is not _MISSING:
        setattr(kept.owner, kept.name, value)
    elif hasattr(kept.owner, kept.name):
        delattr(kept.owner, kept.name)


@contextmanager
def _swapped(owner: Any, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _overridden(owner: Any, name: str, value: object) -> Iterator[None]:
    """A method replaced on one object."""
    before = vars(owner).get(name, _MISSING)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _one_line(error: BaseException) -> str:
    text = " ".join(text_of(error).split())
    name = type(error).__name__
    return clip(f"{name}: {text}" if text else name, ERROR_CHARS)
