"""Tool calls carried out: checked, approved, run within limits, cancelled cleanly; every call gets one result."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from rustbot_jupyter.errors import ToolError, ToolRefused, ToolTimeout
from rustbot_jupyter.events import ToolCallRequested, ToolFailed, ToolFinished, ToolProgressed, ToolStarted
from rustbot_jupyter.messages import ToolCallPart, ToolResultPart, utc_now
from rustbot_jupyter.tools.base import BUILT_IN, USER, Kernel, Tool, ToolContext, ToolResult
from rustbot_jupyter.tools.call_arguments import parsed
from rustbot_jupyter.tools.consent import ApproveMode, Consent, Emit
from rustbot_jupyter.tools.failures import contained, text_of
from rustbot_jupyter.tools.listeners import Listeners
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.results import cleaned, fitted
from rustbot_jupyter.tools.runs import OUTPUT_CHARS, RunState, Stopwatch, ToolRun, ToolRuns

logger = logging.getLogger("rustbot_jupyter.tools")

MOST_AT_ONCE = 4
GRACE_S = 0.9
"""How long a stopped tool may tidy up before it is left behind."""
KERNEL_WAIT_S = 600.0
"""How long a call waits for the main thread while a cell has it."""
LONGEST_KEY = 1_000
"""Characters; about what a key takes up in its longest spelling."""
EVENT_CHARS = 1_000
"""Of the output that one event tells: its end."""
FLUSH_S = 0.1
"""How often output of a running tool is told."""

NOT_BEGUN = "It was not run: the answer was stopped before."
BEGUN = "It was stopped while it ran; a part of it may have been done."


def _never_waits(waiting: RunState | None) -> None:
    """Nobody looks at the waits."""


@dataclass(frozen=True, kw_only=True)
class CallScope:
    """The values that the calls of one answer have in common."""

    emit: Emit
    conversation_id: str
    turn_id: str = ""
    message_id: str = ""
    mode: ApproveMode | None = None
    """For this turn; None takes the conversation's."""
    is_offered: Callable[[str], bool] = lambda name: True
    """True if the model was told of a tool in this turn."""
    timeout_s: float = 60.0
    """For tools without a limit of their own."""
    send_values: bool = True
    on_wait: Callable[[RunState | None], None] = _never_waits
    """Told what the calls wait for, all in all: WAITING_APPROVAL, WAITING_KERNEL, or None while they run."""


@dataclass
class Waits:
    """The waits of several calls at once: the user before the kernel."""

    on_wait: Callable[[RunState | None], None]
    _counts: dict[RunState, int] = field(
        default_factory=lambda: {RunState.WAITING_APPROVAL: 0, RunState.WAITING_KERNEL: 0}
    )
    _told: RunState | None = None

    def change(self, kind: RunState, by: int) -> None:
        """One more, or one less, waits for this."""
        self._counts[kind] += by
        now = next((kind for kind, count in self._counts.items() if count), None)
        if now is not self._told:
            self._told = now
            self.on_wait(now)


class ToolRunner:
    """Carries out tool calls. On the core thread only.

    Args:
        registry: The tools.
        consent: Who decides whether a call may run.
        runs: Where calls are recorded.
        kernel: The kernel around us; None in a plain script.
        redact: Takes keys out of text.
    """

    def __init__(
        self,
        *,
        registry: ToolRegistry,
        consent: Consent,
        runs: ToolRuns,
        kernel: Callable[[], Kernel | None] = lambda: None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._registry = registry
        self._consent = consent
        self._runs = runs
        self._kernel = kernel
        self._redact = redact
        self._listeners = Listeners[[ToolRun]]()
        self._stray: set[asyncio.Task[Any]] = set()
        """Tools that ignored their cancel; they are cancelled again when the bot ends."""

    def on_change(self, listener: Callable[[ToolRun], None]) -> Callable[[], None]:
        """Call `listener` whenever a call changed its state; the result ends that."""
        return self._listeners.add(listener)

    async def run_all(
        self, calls: Sequence[ToolCallPart], scope: CallScope, results: dict[int, ToolResultPart]
    ) -> None:
        """Carry out the calls of one answer, at most four at once.

        Args:
            calls: In the order the model made them.
            scope: What they have in common.
            results: Gets the result of each call, by its place, as soon as it is there; after a cancel too it has one
                for each.
        """
        limit = asyncio.Semaphore(MOST_AT_ONCE)
        waits = Waits(scope.on_wait)
        runs = [self._recorded(call, scope) for call in calls]

        async def run_one(index: int, run: ToolRun) -> None:
            async with limit:
                await _Call(self, run, scope, waits).finish()
            results[index] = _part_of(run)

        try:
            async with asyncio.TaskGroup() as group:
                for index, run in enumerate(runs):
                    group.create_task(run_one(index, run), name=f"rustbot-{run.id}")
        finally:
            for index, run in enumerate(runs):
                if not run.is_over:
                    self.over(run, RunState.INTERRUPTED, NOT_BEGUN, scope)
                results[index] = _part_of(run)

    async def run_one(self, call: ToolCallPart, scope: CallScope) -> ToolRun:
        """Carry out one call of the user's own, consent included."""
        run = self._recorded(call, scope)
        await _Call(self, run, scope, Waits(scope.on_wait)).finish()
        return run

    async def aclose(self) -> None:
        """Cancel once more what would not end."""
        stray = list(self._stray)
        for task in stray:
            task.cancel()
        if stray:
            await asyncio.wait(stray, timeout=GRACE_S)

    # What one call uses.

    def _recorded(self, call: ToolCallPart, scope: CallScope) -> ToolRun:
        # A model may call a tool by whatever it has read; no tool has a key for a name.
        call = replace(call, name=self._redact(call.name))
        run = ToolRun(
            call=call, turn_id=scope.turn_id, conversation_id=scope.conversation_id, message_id=scope.message_id
        )
        self._runs.add(run)
        scope.emit(ToolCallRequested, call_id=call.call_id, tool=call.name, arguments=call.arguments)
        self.changed(run)
        return run

    def changed(self, run: ToolRun) -> None:
        """Tell that a call changed."""
        self._listeners.tell(run)

    def over(self, run: ToolRun, state: RunState, error: str, scope: CallScope) -> None:
        """Record how a call ended, and tell it."""
        error = self._redact(error)
        run.state, run.error, run.cancel = state, error, None
        names = {"run_id": run.id, "call_id": run.call.call_id, "tool": run.call.name}
        if state is RunState.COMPLETE:
            scope.emit(ToolFinished, result_bytes=run.result_bytes or 0, took_s=run.duration_s or 0.0, **names)
        else:
            scope.emit(ToolFailed, status=state.value, error=error, took_s=run.duration_s or 0.0, **names)
        self.changed(run)

    def leave_behind(self, task: asyncio.Task[Any]) -> None:
        """Keep a task that ignores its cancel, so that it is not lost while it runs."""
        self._stray.add(task)
        task.add_done_callback(self._stray.discard)

    async def decide(self, tool: Tool, arguments: dict[str, Any], run: ToolRun, call: _Call, scope: CallScope) -> str:
        """Return why the call may run."""
        return await self._consent.decide(tool, arguments, run, call, scope.emit, scope.mode)

    def tool(self, name: str, scope: CallScope) -> Tool:
        """The tool of this name, if it was offered."""
        tool = self._registry.get(name)
        if not scope.is_offered(name):
            raise ToolError(f"The tool {name!r} is switched off. Go on without it.")
        return tool

    def finished(self, run: ToolRun, result: ToolResult) -> ToolResult:
        """The result as the model gets it; what it held is remembered for later approvals."""
        origin = result.origin or _origin_of(run.tool)
        result = replace(fitted(result, self._redact), origin=self._redact(cleaned(origin)))
        self._consent.note(
            run.conversation_id, result.origin, is_private=result.is_private, is_foreign=result.is_foreign
        )
        return result

    def failed(self, run: ToolRun, error: BaseException) -> None:
        """Remember whose words the text of an error may hold: a tool may raise what it has read."""
        origin = getattr(error, "origin", "") or _origin_of(run.tool)
        if run.started_at is not None and origin:
            is_private = run.tool is not None and run.tool.source in (BUILT_IN, USER)
            self._consent.note(run.conversation_id, self._redact(cleaned(origin)), is_private=is_private)

    def plain_text(self, text: str) -> str:
        """Text of a tool without control characters and keys."""
        return self._redact(cleaned(text))

    @property
    def kernel(self) -> Kernel | None:
        """The kernel around us."""
        return self._kernel()

    def plain(self, error: BaseException) -> str:
        """An error of a tool in one line, without keys."""
        text = " ".join(cleaned(text_of(error)).split())
        return self._redact(f"{type(error).__name__}: {text}" if text else type(error).__name__)[:2_000]


class _Call:
    """One call on its way."""

    def __init__(self, runner: ToolRunner, run: ToolRun, scope: CallScope, waits: Waits) -> None:
        self._runner = runner
        self._run = run
        self._scope = scope
        self._waits = waits
        self._waited = Stopwatch()
        self._work: asyncio.Task[None] | None = None
        self._is_cancelled = False

    async def finish(self) -> None:
        """Have the call over; raises nothing but `CancelledError`, when the whole turn is stopped."""
        run = self._run
        work = self._work = asyncio.get_running_loop().create_task(self._carry_out(), name=f"rustbot-{run.id}-work")
        run.cancel = self._cancel
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            self._cancel()
            await asyncio.wait({work})
            self._cancelled(BEGUN if run.started_at is not None else NOT_BEGUN)
            raise
        self._cancelled("The user cancelled it. Do not try it again.")

    def _cancel(self) -> None:
        # Once: a second cancel would break off the tidying up after the first.
        if self._work is not None and not self._is_cancelled:
            self._is_cancelled = True
            self._work.cancel()

    def _cancelled(self, reason: str) -> None:
        if not self._run.is_over:
            self._over(RunState.INTERRUPTED, reason)

    async def _carry_out(self) -> None:
        run = self._run
        try:
            tool = run.tool = self._runner.tool(run.call.name, self._scope)
            run.arguments = tool.check(parsed(run.call))
            run.approval = await self._runner.decide(tool, run.arguments, run, self, self._scope)
            run.result = self._runner.finished(run, await self._within_limits(tool, run.arguments))
            run.result_bytes = len(run.result.text.encode("utf-8", "replace"))
        except ToolTimeout as error:
            self._over(RunState.TIMEOUT, str(error))
        except ToolRefused as error:
            run.approval = run.approval or "refused"
            self._over(RunState.REFUSED, str(error))
        except ToolError as error:
            self._runner.failed(run, error)
            self._over(RunState.ERROR, self._runner.plain(error).removeprefix(f"{type(error).__name__}: "))
        except asyncio.CancelledError:
            raise
        # A type of the user's may raise anything while it is checked.
        except BaseException as error:
            logger.info("The tool %r failed.", run.call.name, exc_info=True)
            self._runner.failed(run, error)
            self._over(RunState.ERROR, f"{run.call.name!r} failed: {self._runner.plain(error)}")
        else:
            is_error = run.result.is_error
            self._over(RunState.ERROR if is_error else RunState.COMPLETE, run.result.text[:500] if is_error else "")

    async def _within_limits(self, tool: Tool, arguments: dict[str, Any]) -> ToolResult:
        run, scope = self._run, self._scope
        limit = _Limit(tool.name, scope.timeout_s if tool.timeout is None else tool.timeout, self._move)
        output = _Output(run, self._tell_output, self._runner.plain_text)
        context = ToolContext(
            run_id=run.id,
            conversation_id=run.conversation_id,
            progress=output.add,
            kernel=self._runner.kernel,
            kernel_needed=limit.wait_for_kernel,
            kernel_ready=limit.go_on,
            send_values=scope.send_values,
        )
        run.started_at = utc_now()
        self._move(RunState.RUNNING)
        scope.emit(ToolStarted, run_id=run.id, call_id=run.call.call_id, tool=tool.name, source=tool.source)
        task = asyncio.get_running_loop().create_task(_run_of(tool, arguments, context), name=f"rustbot-{run.id}-tool")
        # It may fail at the moment at which its call is cancelled.
        task.add_done_callback(_look_at)
        try:
            return await limit.result_of(task)
        finally:
            if not task.done():
                await self._stop(task)
            limit.close()
            output.flush()
            run.waited_s += limit.waited.seconds
            run.duration_s = limit.worked.seconds

    async def _stop(self, task: asyncio.Task[ToolResult]) -> None:
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE_S)
        if not task.done():
            logger.warning("The tool %r does not end when it is cancelled.", self._run.call.name)
            self._runner.leave_behind(task)

    def _tell_output(self, text: str) -> None:
        # The record has all that is kept; events are many, and stay for long.
        self._scope.emit(ToolProgressed, run_id=self._run.id, tool=self._run.call.name, text=text[-EVENT_CHARS:])

    def _over(self, state: RunState, error: str) -> None:
        self._runner.over(self._run, state, error, self._scope)

    def _move(self, state: RunState) -> None:
        old, self._run.state = self._run.state, state
        if old is state:
            return
        if old is RunState.WAITING_KERNEL:
            self._waits.change(old, -1)
        if state is RunState.WAITING_KERNEL:
            self._waits.change(state, 1)
        self._runner.changed(self._run)

    # Told by the consent.

    def wait_for_user(self, run: ToolRun | None) -> None:
        """The call waits for the user."""
        self._waited.start()
        self._waits.change(RunState.WAITING_APPROVAL, 1)
        self._move(RunState.WAITING_APPROVAL)

    def go_on(self, run: ToolRun | None) -> None:
        """The user has answered, or nobody waits any more."""
        self._waited.stop()
        self._run.waited_s = self._waited.seconds
        self._waits.change(RunState.WAITING_APPROVAL, -1)
        self._move(RunState.WAITING)


class _Limit:
    """The time a call may take; its wait for the kernel has a limit of its own and does not count."""

    def __init__(self, name: str, limit_s: float, move: Callable[[RunState], None]) -> None:
        self._name = name
        self._limit_s = limit_s
        self._move = move
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._expired: asyncio.Future[ToolTimeout] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self.worked = Stopwatch()
        self.waited = Stopwatch()
        self._work()

    async def result_of(self, task: asyncio.Task[ToolResult]) -> ToolResult:
        """The result of the task.

        Raises:
            ToolTimeout: It did not come within the limit; the task still runs.
        """
        either: set[asyncio.Future[Any]] = {task, self._expired}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise self._expired.result()
        if task.cancelled():
            raise ToolError(f"{self._name!r} stopped by itself and gave no result.")
        return task.result()

    def wait_for_kernel(self) -> None:
        """The wait begins; from any thread."""
        self._on_loop(self._wait)

    def go_on(self) -> None:
        """The wait is over; from any thread."""
        self._on_loop(self._work)

    def close(self) -> None:
        """No limit any more."""
        self._is_closed = True
        self.worked.stop()
        self.waited.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._expired.cancel()
        self._move(RunState.RUNNING)

    def _on_loop(self, function: Callable[[], None]) -> None:
        if threading.get_ident() == self._thread:
            function()
        else:
            # A thread that outlived its bot speaks to a loop that is gone.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function)

    def _wait(self) -> None:
        if self._is_closed:
            return
        self.worked.stop()
        self.waited.start()
        self._expire_after(
            max(0.0, KERNEL_WAIT_S - self.waited.seconds),
            f"{self._name!r} waited {KERNEL_WAIT_S / 60:.0f} minutes for the notebook's running cell and was given up.",
        )
        self._move(RunState.WAITING_KERNEL)

    def _work(self) -> None:
        if self._is_closed:
            return
        self.waited.stop()
        self.worked.start()
        self._expire_after(
            max(0.0, self._limit_s - self.worked.seconds),
            f"{self._name!r} was stopped after {self._limit_s:g} s. Ask for less at once, or tell the user to raise it "
            f'with `bot.tools["{self._name}"].timeout = {max(1, round(self._limit_s * 2))}`.',
        )
        self._move(RunState.RUNNING)

    def _expire_after(self, seconds: float, text: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._expire, text)

    def _expire(self, text: str) -> None:
        if not self._expired.done():
            self._expired.set_result(ToolTimeout(text))


class _Output:
    """What a tool prints, told in pieces of some size; `add` may be called from any thread."""

    def __init__(self, run: ToolRun, tell: Callable[[str], None], plain: Callable[[str], str]) -> None:
        self._run = run
        self._tell = tell
        self._plain = plain
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pieces: list[str] = []
        self._length = 0
        self._dropped = 0
        self._is_due = False
        self._last = float("-inf")

    def add(self, text: str) -> None:
        """More output."""
        if not text:
            return
        with self._lock:
            self._keep(text)
            if self._is_due:
                return
            self._is_due = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._schedule)

    def _keep(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)
        if self._length > 2 * OUTPUT_CHARS:
            # Nobody reads as fast as this; only the end is shown.
            kept = "".join(self._pieces)[-OUTPUT_CHARS - LONGEST_KEY :]
            self._dropped += self._length - len(kept)
            self._pieces, self._length = [kept], len(kept)

    def _schedule(self) -> None:
        self._loop.call_later(max(0.0, self._last + FLUSH_S - monotonic()), self.flush)

    def flush(self) -> None:
        """Tell what has come."""
        with self._lock:
            whole, dropped = "".join(self._pieces), self._dropped
            self._pieces, self._length, self._dropped, self._is_due = [], 0, 0, False
        self._last = monotonic()
        text = self._plain(whole)
        # What a cut has left of a key at the beginning is nobody's to see either.
        text = text[max(len(text) - OUTPUT_CHARS, LONGEST_KEY if dropped else 0) :]
        if text and not self._run.is_over:
            self._run.add_output(text, dropped + max(0, len(whole) - OUTPUT_CHARS))
            self._tell(text)


async def _run_of(tool: Tool, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
    return await contained(tool.run(dict(arguments), context))


def _look_at(task: asyncio.Task[Any]) -> None:
    """Take note of how a tool ended; when it was stopped, nobody else asks."""
    if not task.cancelled():
        task.exception()


def _part_of(run: ToolRun) -> ToolResultPart:
    """Return what the model is told of a call that is over."""
    result = run.result or ToolResult(text=run.error, is_error=True)
    return ToolResultPart(
        call_id=run.call.call_id,
        name=run.call.name,
        content=result.text,
        is_error=result.is_error,
        images=result.images,
    )


def _origin_of(tool: Tool | None) -> str:
    """Return who speaks when a tool does not say whose words it gives; "" for built-in ones, which say it."""
    if tool is None or tool.source == BUILT_IN:
        return ""
    if tool.source == USER:
        return f"{tool.name} (your tool)"
    kind, _, name = tool.source.partition(":")
    return f"MCP server {name}" if kind == "mcp" else f"{tool.name} ({kind} {name})"
