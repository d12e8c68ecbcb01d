"""The engine's side of tools: what is offered in a turn, and an answer's calls carried out for it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol

from rustbot_jupyter.engine.plan import TurnPlan
from rustbot_jupyter.engine.servers import Servers
from rustbot_jupyter.engine.states import Trigger
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.events import AssistantEvent
from rustbot_jupyter.messages import Message, ToolCallPart, ToolResultPart, new_id
from rustbot_jupyter.tools.approval import Approvals
from rustbot_jupyter.tools.base import Kernel, Tool, ToolResult
from rustbot_jupyter.tools.consent import ApproveMode, Consent, Emit, question
from rustbot_jupyter.tools.listeners import Listeners
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules
from rustbot_jupyter.tools.runner import CallScope, ToolRunner
from rustbot_jupyter.tools.runs import RunState, ToolRun, ToolRuns


class Fire(Protocol):
    """Moves the state machine."""

    def __call__(self, *triggers: Trigger) -> None:
        """Fire these triggers, one after the other."""


@dataclass(frozen=True, kw_only=True)
class ServerFiles:
    """Files of MCP servers and of their approvals."""

    user_file: Path | None
    """The user's own `mcp.json`."""
    workspace: Path
    """The folder whose `.mcp.json` is read."""
    pins_file: Path | None
    mcp_registry: Callable[[], str] = str
    """File or address of the MCP registry that is searched now; "" for none."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the user's own calls."""

    timeout_s: float = 60.0
    """For tools without a limit of their own."""
    send_values: bool = True


class Toolbox:
    """The tools of one bot, and all that belongs to them.

    Args:
        registry: The tools.
        rules: What was answered for good.
        mode: What happens with calls that no rule speaks of, in conversations that were given no mode.
        fill: Puts the built-in tools into the registry; called once, when they are first wanted.
        files: Where MCP servers and their approvals are kept; None for a bot without servers.
        kernel: The kernel around us; None in a plain script.
        redact: Takes keys out of text.
        limits: What holds for calls of the user's own now.
    """

    def __init__(
        self,
        *,
        registry: ToolRegistry,
        rules: Rules,
        mode: Callable[[], ApproveMode],
        fill: Callable[[ToolRegistry], None],
        files: ServerFiles | None,
        kernel: Callable[[], Kernel | None],
        redact: Callable[[str], str],
        limits: Callable[[], Limits] | None = None,
    ) -> None:
        self._limits = limits or Limits
        self.rules = rules
        self.approvals = Approvals()
        self.consent = Consent(rules, self.approvals, mode, redact)
        self.runs = ToolRuns()
        self._registry = registry
        self._fill = fill
        self.tell: Emit = _tell_nobody
        """Where events beside a turn go; the agent's, once there is one."""
        self._files = files
        self._servers: Servers | None = None
        self._is_filled = False
        self.only: tuple[str, ...] | None = None
        """Names or patterns of the tools this bot offers where a question names none; None offers all."""
        # Who hears of the tools that are filled in may look at them.
        self._lock = threading.RLock()
        self.runner = ToolRunner(registry=registry, consent=self.consent, runs=self.runs, kernel=kernel, redact=redact)

        self._listeners: Listeners[[]] = Listeners()
        registry.on_change(self.changed)
        rules.on_change(self.changed)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change of tools, servers or rules, on whatever thread; the result ends that."""
        return self._listeners.add(listener)

    def changed(self) -> None:
        """Tell that tools, servers or rules changed."""
        self._listeners.tell()

    @property
    def registry(self) -> ToolRegistry:
        """The tools, the built-in ones among them from the first use on."""
        with self._lock:
            if not self._is_filled:
                # Whoever looks at the tools while they are added sees those that are there.
                self._is_filled = True
                try:
                    self._fill(self._registry)
                except BaseException:
                    self._is_filled = False
                    raise
        return self._registry

    @property
    def servers(self) -> Servers:
        """The MCP servers.

        Raises:
            RequestError: This bot has none.
        """
        if self._files is None:
            raise RequestError("This bot has no MCP servers.")
        # Asked for by the core thread and by the user's: there is one set of them.
        with self._lock:
            if self._servers is None:
                self._servers = Servers(
                    registry=self.registry,
                    consent=self.consent,
                    emit=self._tell,
                    on_change=self.changed,
                    user_file=self._files.user_file,
                    workspace=self._files.workspace,
                    pins_file=self._files.pins_file,
                    mcp_registry=self._files.mcp_registry,
                )
            return self._servers

    def _tell(self, kind: type[AssistantEvent], /, **fields: Any) -> None:
        self.tell(kind, **fields)

    def abandon(self) -> None:
        """Let go of what lived on a loop that is gone, or in another process: servers, questions, running calls."""
        self._servers = None
        self.approvals.withdraw_all()
        self.runs.end_all()

    async def expanded(self, message: Message, conversation_id: str) -> Message:
        """A question with what it names of servers attached.

        Raises:
            RustbotError: It names what cannot be had.
        """
        return message if self._servers is None else await self._servers.expanded(message, conversation_id)

    def offered(self, only: Sequence[str] | None, disabled: Sequence[str] = ()) -> list[Tool]:
        """The tools of a turn.

        Args:
            only: Names or patterns of those that it wants; None wants all that the bot offers.
            disabled: Names or patterns of those that its profile switches off.
        """
        wanted = self.only if only is None else only
        return [
            tool
            for tool in self.registry.all()
            if (wanted is None or _is_named(tool, wanted)) and not _is_named(tool, disabled)
        ]

    async def ready(self, only: Sequence[str] | None) -> None:
        """Make the tools of a turn known: the built-in ones, and within a limit those of servers that start."""
        if only is None or only:
            if not self._is_filled:
                # Making their schemas takes a while; the loop goes on meanwhile.
                await asyncio.to_thread(lambda: self.registry)
            if self._files is not None:
                await self.servers.ready()

    def check_wishes(self, only: Sequence[str] | None) -> None:
        """Refuse a turn whose question, or whose bot, names a tool that never was; once tools are `ready`.

        Raises:
            RequestError: There is none of that name; names the nearest.
        """
        for name in (self.only or ()) if only is None else only:
            # A pattern may match nothing; a server's tool, such as `files__read`, may be away for a while.
            is_open = "__" in name or any(sign in name for sign in "*?[")
            if not is_open and not self.registry.has_seen(name):
                raise RequestError(self.registry.missing(name))

    async def run_calls(
        self,
        calls: Sequence[ToolCallPart],
        turn: Turn,
        plan: TurnPlan,
        results: dict[int, ToolResultPart],
        emit: Emit,
        on_wait: Callable[[RunState | None], None],
    ) -> None:
        """Carry out the calls of an answer; `results` gets each result by its place, as it comes."""
        tools = plan.tools
        scope = CallScope(
            emit=emit,
            conversation_id=turn.history.id,
            turn_id=turn.id,
            message_id=turn.message_id,
            mode=self._mode(turn, plan),
            is_offered=lambda name: tools is not None and name in tools.names,
            timeout_s=tools.timeout_s if tools is not None else 0.0,
            send_values=tools is None or tools.send_values,
            on_wait=on_wait,
        )
        await self.runner.run_all(calls, scope, results)

    async def call(self, name: str, arguments: dict[str, Any], conversation_id: str, emit: Emit) -> ToolResult:
        """Run a tool for the user, consent included.

        Raises:
            ToolError: It came to nothing; says why.
        """
        await self.ready(None)
        call = ToolCallPart(call_id=new_id("call"), name=name, arguments=json.dumps(arguments))
        scope = CallScope(
            emit=emit,
            conversation_id=conversation_id,
            is_offered=self.registry.is_enabled,
            timeout_s=self._limits().timeout_s,
            send_values=self._limits().send_values,
        )
        run = await self.runner.run_one(call, scope)
        if run.result is None or run.result.is_error:
            raise ToolError(run.error or f"{name!r} gave no result.")
        return run.result

    async def may_go_on(
        self, text: str, turn: Turn, plan: TurnPlan, emit: Emit, on_wait: Callable[[RunState | None], None]
    ) -> bool:
        """True if the user lets a turn go on that reached a limit; not where nothing asks them."""
        if self._mode(turn, plan) is ApproveMode.READ_ONLY:
            return False
        approval = question(text, label="Go on?")
        approval.turn_id = turn.id
        answer = await self.consent.ask_question(approval, _Waiting(on_wait), emit)
        return answer.allowed

    def _mode(self, turn: Turn, plan: TurnPlan) -> ApproveMode:
        """Return what the question says, or the user for this conversation, or the profile of the turn."""
        if turn.request.approve is not None:
            return ApproveMode.named(turn.request.approve)
        chosen = self.consent.chosen_mode(turn.history.id)
        if chosen is None and plan.tools is not None and plan.tools.approve is not None:
            return ApproveMode.named(plan.tools.approve)
        return chosen or self.consent.mode(turn.history.id)

    async def aclose(self) -> None:
        """End what still runs."""
        await self.runner.aclose()
        if self._servers is not None:
            await self._servers.aclose()

    def kill(self) -> None:
        """End what would outlive us; from any thread, when nothing can be awaited any more."""
        if self._servers is not None:
            self._servers.kill()


def _is_named(tool: Tool, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(tool.name, pattern) for pattern in patterns)


class _Waiting:
    """Tells the engine that a turn waits for the user."""

    def __init__(self, on_wait: Callable[[RunState | None], None]) -> None:
        self._on_wait = on_wait

    def wait_for_user(self, run: ToolRun | None) -> None:
        self._on_wait(RunState.WAITING_APPROVAL)

    def go_on(self, run: ToolRun | None) -> None:
        self._on_wait(None)


class ToolStates:
    """The waits of a turn's calls, as moves of the state machine."""

    def __init__(self, fire: Fire) -> None:
        self._fire = fire
        self._waiting: RunState | None = None

    def on_wait(self, waiting: RunState | None) -> None:
        """The calls wait for something else now, or for nothing."""
        left = {RunState.WAITING_APPROVAL: Trigger.APPROVAL_ANSWERED, RunState.WAITING_KERNEL: Trigger.KERNEL_READY}
        entered = {RunState.WAITING_APPROVAL: Trigger.APPROVAL_NEEDED, RunState.WAITING_KERNEL: Trigger.KERNEL_NEEDED}
        before, self._waiting = self._waiting, waiting
        if before is not None:
            self._fire(left[before])
        if waiting is not None:
            self._fire(entered[waiting])


def _tell_nobody(kind: type[AssistantEvent], /, **fields: Any) -> None:
    """There is no agent yet."""


def empty_toolbox() -> Toolbox:
    """No tools: a model that calls one all the same is told so."""
    return Toolbox(
        registry=ToolRegistry(),
        rules=Rules(None, ""),
        mode=lambda: ApproveMode.READ_ONLY,
        fill=lambda registry: None,
        files=None,
        kernel=lambda: None,
        redact=str,
    )
