"""The user's word over a server's start, and over each of its tools that has changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rustbot_jupyter.errors import RustbotError, SettingsError
from rustbot_jupyter.tools.base import Tool
from rustbot_jupyter.tools.mcp.config import ServerConfig
from rustbot_jupyter.tools.mcp.launch import Shown
from rustbot_jupyter.tools.mcp.pins import Change, Offer, Pins
from rustbot_jupyter.tools.mcp.server import McpServer
from rustbot_jupyter.tools.mcp.tools import tools_of


@dataclass(frozen=True, kw_only=True)
class StartQuestion:
    """The question before a server starts, or before its changed tools are used."""

    server: str
    title: str
    kind: Literal["command", "address", "diff"]
    text: str
    """The whole command, address or diff."""
    digest: str
    """Of what is asked; another text has another one."""


Ask = Callable[[StartQuestion], Awaitable[bool]]


def start_question(config: ServerConfig, what: Shown) -> StartQuestion:
    """The question whether a server may start."""
    where = "the project's file" if config.origin == "workspace" else "your file of MCP servers"
    return StartQuestion(
        server=config.name,
        title=f"Start the MCP server {config.name!r}, which {where} names?",
        kind="command" if config.command else "address",
        text=what.text,
        digest=what.digest,
    )


class Registry(Protocol):
    """A place where tools are kept."""

    def add(self, tool: Tool, /) -> object:
        """Offer a tool."""

    def remove(self, name: str, /) -> object:
        """Offer it no more."""


class Admission:
    """The tools of one server in the registry: those that are as they were approved.

    Args:
        server: Whose tools.
        prefix: What their names begin with.
        registry: Gets them.
        ask: Asks about those that have changed.
    """

    def __init__(self, server: McpServer, prefix: str, registry: Registry, ask: Ask) -> None:
        self.prefix = prefix
        self.names: list[str] = []
        """Its tools in the registry."""
        self._server = server
        self._registry = registry
        self._ask = ask
        self._question: asyncio.Task[None] | None = None

    def take(self, pins: Pins, start: str, offers: Sequence[Offer]) -> None:
        """Offer the tools that are as they were approved, and ask about the others."""
        self._drop_question()
        changes = pins.changes(start, offers)
        changed = {change.offer.name for change in changes}
        self._offer(pins, start, [offer for offer in offers if offer.name not in changed])
        if changes:
            self._server.log.note(f"{len(changes)} tools are new or changed, and wait for the user's word.")
            self._question = asyncio.create_task(self._ask_about(changes, lambda: self._offer(pins, start, offers)))

    async def _ask_about(self, changes: Sequence[Change], allow: Callable[[], None]) -> None:
        server, text = self._server.name, "\n\n".join(change.diff for change in changes)
        hashes = "".join(change.offer.fingerprint for change in changes)
        question = StartQuestion(
            server=server,
            title=f"The MCP server {server!r} has changed its tools ({len(changes)}). Use them as they are now?",
            kind="diff",
            text=text,
            digest=hashlib.sha256(f"{server}\n{hashes}".encode("utf-8", "surrogatepass")).hexdigest(),
        )
        if await self._ask(question):
            allow()

    def _offer(self, pins: Pins, start: str, offers: Sequence[Offer]) -> None:
        self._withdraw()
        for tool in tools_of(self._server, self.prefix, offers):
            try:
                self._registry.add(tool)
            except RustbotError as error:
                self._server.log.note(f"{tool.name!r} is left out: {error}")
            else:
                self.names.append(tool.name)
        try:
            pins.approve_tools(start, offers)
        except SettingsError as error:
            self._server.log.note(str(error))

    def end(self) -> None:
        """Offer none of them any more, and ask nothing."""
        self._drop_question()
        self._withdraw()

    def _withdraw(self) -> None:
        for name in self.names:
            self._registry.remove(name)
        self.names = []

    def _drop_question(self) -> None:
        if self._question is not None:
            self._question.cancel()
            self._question = None
