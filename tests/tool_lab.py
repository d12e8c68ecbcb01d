"""Tools, rules and approvals put together as a bot does it, without a bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rustbot_jupyter.events import AssistantEvent
from rustbot_jupyter.messages import ToolCallPart, ToolResultPart
from rustbot_jupyter.tools.approval import Approval, Approvals
from rustbot_jupyter.tools.base import Kernel, Risk, Tool
from rustbot_jupyter.tools.consent import ApproveMode, Consent
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules
from rustbot_jupyter.tools.runner import CallScope, ToolRunner
from rustbot_jupyter.tools.runs import RunState, ToolRun, ToolRuns

CONVERSATION = "conv-1"


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(30):
        # What is waited for has no event to wait on.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class Lab:
    """A runner and what it needs; keeps what was told."""

    def __init__(
        self,
        *functions: Callable[..., Any] | Tool,
        mode: ApproveMode = ApproveMode.ASK,
        kernel: Kernel | None = None,
        rules_file: Path | None = None,
        workspace: str = "/work",
        redact: Callable[[str], str] = str,
        wait_s: float = 60.0,
        risk: Risk = Risk.READ,
    ) -> None:
        self.registry = ToolRegistry()
        for function in functions:
            self.registry.add(function if isinstance(function, Tool) else tool_of(function, risk=risk))
        self.rules = Rules(rules_file, workspace, self.find)
        self.approvals = Approvals(wait_s)
        self.consent = Consent(self.rules, self.approvals, lambda: mode)
        self.runs = ToolRuns()
        self.runner = ToolRunner(
            registry=self.registry, consent=self.consent, runs=self.runs, kernel=lambda: kernel, redact=redact
        )
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[RunState | None] = []

    def find(self, name: str) -> Tool | None:
        """The tool of this name."""
        return next((tool for tool in self.registry.all() if tool.name == name), None)

    def emit(self, kind: type[AssistantEvent], /, **fields: Any) -> None:
        """Keep an event; it must be one."""
        event = kind(**fields)
        self.events.append((event.kind, fields))

    def kinds(self) -> list[str]:
        """What was told, in order."""
        return [kind for kind, _ in self.events]

    def scope(self, **fields: Any) -> CallScope:
        """The scope of a call."""
        values: dict[str, Any] = {"emit": self.emit, "conversation_id": CONVERSATION, "on_wait": self.waits.append}
        return CallScope(**(values | fields))

    async def run(self, name: str, arguments: Any = None, **scope: Any) -> ToolRun:
        """One call; `arguments` are text as a model writes it, or a dict."""
        return await self.runner.run_one(call(name, arguments), self.scope(**scope))

    async def run_all(self, *calls: ToolCallPart, **scope: Any) -> list[ToolResultPart]:
        """The calls of one answer."""
        results: dict[int, ToolResultPart] = {}
        await self.runner.run_all(calls, self.scope(**scope), results)
        return [results[index] for index in range(len(calls))]

    async def asked(self, count: int = 1) -> list[Approval]:
        """What waits for the user, once that many do."""
        await until(lambda: len(self.approvals.pending()) >= count)
        return self.approvals.pending()


def call(name: str, arguments: Any = None, call_id: str = "call-1") -> ToolCallPart:
    """A model's call."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return ToolCallPart(call_id=call_id, name=name, arguments=text)


def tasks_left() -> list[str]:
    """The tasks that run beside the test."""
    return [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
