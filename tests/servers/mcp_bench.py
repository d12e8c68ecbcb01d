"""A desk of MCP servers for tests, with the servers of mcp_misbehaving.py beside this file."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from rustbot_jupyter.tools.base import ToolContext, ToolResult
from rustbot_jupyter.tools.mcp.admission import StartQuestion
from rustbot_jupyter.tools.mcp.desk import McpDesk, ServerStatus
from rustbot_jupyter.tools.registry import ToolRegistry

SERVER = Path(__file__).parent / "mcp_misbehaving.py"


def processes_with(mark: Path) -> list[str]:
    """What runs with this path among its arguments."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if str(mark) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


async def until(condition: Callable[[], object]) -> None:
    """Waits until something holds; the test's own limit ends it."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


class Bench:
    """A workspace, a desk, and what it asked and told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.pins_file = folder / "pins.json"
        self.user_file = folder / "config" / "mcp.json"
        self.environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
        self.says_yes = True
        self.desks: list[McpDesk] = []
        self.open()

    def open(self) -> None:
        """A new desk, as after a restart of the kernel."""
        self.registry = ToolRegistry()
        self.questions: list[StartQuestion] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.desk = McpDesk(
            self.registry,
            self.ask,
            lambda kind, **fields: self.events.append((kind.kind, fields)),
            user_file=self.user_file,
            workspace=self.workspace,
            pins_file=self.pins_file,
            environ=self.environ,
        )
        self.desks.append(self.desk)

    async def ask(self, question: StartQuestion) -> bool:
        self.questions.append(question)
        return self.says_yes

    def write(self, servers: dict[str, Any], name: str = ".mcp.json") -> None:
        """Put servers into the workspace's file."""
        path = self.workspace / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")

    def entry(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A server that misbehaves in one way."""
        return {"command": sys.executable, "args": [str(SERVER), kind, str(self.folder)], **fields}

    async def start(self, kind: str, **fields: Any) -> ServerStatus:
        """Start one, under the name s."""
        self.write({"s": self.entry(kind, **fields)})
        await self.desk.start("s")
        return self.status()

    def status(self, name: str = "s") -> ServerStatus:
        return next(each for each in self.desk.list() if each.name == name)

    async def call(self, name: str, **arguments: Any) -> ToolResult:
        tool = self.registry.get(name)
        return await tool.run(tool.check(arguments), ToolContext())

    @property
    def tools(self) -> list[str]:
        return [tool.name for tool in self.registry.all()]
