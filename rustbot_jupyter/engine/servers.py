"""The engine's side of MCP servers: made when they are first wanted, asked about like tools, closed with the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.messages import AttachedPart, Message
from rustbot_jupyter.tools.consent import Consent, Emit, question
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.runs import ToolRun

if TYPE_CHECKING:
    from rustbot_jupyter.tools.marketplace import Found, Marketplace
    from rustbot_jupyter.tools.mcp.admission import StartQuestion
    from rustbot_jupyter.tools.mcp.desk import McpDesk, ServerStatus
    from rustbot_jupyter.tools.plugins import Plugins

PLUGINS_WAIT_S = 5.0
START_WAIT_S = 10.0
"""How long a question waits for servers that start; they go on starting after that."""


class Servers:
    """The MCP servers of one bot. On the core thread only.

    Args:
        registry: Gets the tools of running servers.
        consent: Asks the user about starts and changed tools.
        emit: Where events go.
        on_change: Told when a server was started, stopped or removed; by way of the registry when its tools change.
        user_file: The user's own `mcp.json`; None for none.
        workspace: The folder whose `.mcp.json` is read.
        pins_file: Where approvals of servers are kept; None keeps them in memory.
        mcp_registry: File or address of the MCP registry that is searched now; "" for none.
    """

    def __init__(
        self,
        *,
        registry: ToolRegistry,
        consent: Consent,
        emit: Emit,
        on_change: Callable[[], None],
        user_file: Path | None,
        workspace: Path,
        pins_file: Path | None,
        mcp_registry: Callable[[], str],
    ) -> None:
        self._registry = registry
        self._consent = consent
        self._emit = emit
        self._on_change = on_change
        self._user_file = user_file
        self._workspace = workspace
        self._pins_file = pins_file
        self._mcp_registry = mcp_registry
        self._made: McpDesk | None = None
        self._plugins: Plugins | None = None
        self._has_plugins = False
        """True if they were loaded, or are being loaded."""

    @property
    def desk(self) -> McpDesk:
        """Return who starts and stops them."""
        if self._made is None:
            from rustbot_jupyter.tools.mcp.desk import McpDesk

            self._made = McpDesk(
                self._registry,
                self._ask,
                self._tell,
                user_file=self._user_file,
                workspace=self._workspace,
                pins_file=self._pins_file,
            )
        return self._made

    async def ready(self) -> None:
        """Load the plugins and start what servers are approved, and wait for it within a limit."""
        if not self._has_plugins:
            self._has_plugins = True
            await self.plugins.ready(PLUGINS_WAIT_S)
        await self.desk.ready(START_WAIT_S)

    async def look(self) -> None:
        """Read the files that name servers, unless that is done."""
        await self.desk.look()

    def list(self) -> Sequence[ServerStatus]:
        """All servers that the files name, and how they are, once `look` has read them."""
        return self.desk.list()

    def problems(self) -> Sequence[str]:
        """Return what could not be used of the files and of plugins, one sentence each."""
        return [*self.desk.problems, *(each.error for each in self.plugins.problems)]

    @property
    def plugins(self) -> Plugins:
        """The installed plugins."""
        if self._plugins is None:
            from rustbot_jupyter.tools.plugins import Plugins

            self._plugins = Plugins(self._registry)
        return self._plugins

    @property
    def marketplace(self) -> Marketplace:
        """Return what could be added."""
        from rustbot_jupyter.tools.marketplace import Marketplace

        return Marketplace(
            self.plugins.installed, self._mcp_registry, self._fetch, self._ask, self._workspace / ".mcp.json"
        )

    async def browse(self, words: str) -> Sequence[Found]:
        """Installed plugins, and servers of the MCP registry, that have all these words.

        Raises:
            RequestError: The registry cannot be read.
            ToolError: It cannot be fetched.
        """
        return await self.marketplace.browse(words)

    async def adopt(self, found: Found) -> str:
        """Write a server that was found into the workspace's `.mcp.json`, once the user agrees; the name it has there.

        Raises:
            RequestError: It cannot be used, its name is taken, or the user said no.
            SettingsError: The file cannot be written.
        """
        name = await self.marketplace.add(found)
        await self.desk.read_files()
        self._on_change()
        return name

    async def add(self, name: str, config: Mapping[str, Any]) -> ServerStatus:
        """Write a server into the user's file; it starts when tools are next wanted."""
        status = await self.desk.add(name, config)
        self._on_change()
        return status

    async def change(self, name: str, action: str) -> None:
        """start, stop, restart or remove a server."""
        actions = {
            "start": self.desk.start,
            "stop": self.desk.stop,
            "restart": self.desk.restart,
            "remove": self.desk.remove,
        }
        try:
            await actions[action](name)
        finally:
            self._on_change()

    async def references(self) -> dict[str, Any]:
        """The prompts and resources that a message may name, for completion."""
        prompts, resources = [], []
        for each in await self.desk.references():
            entry = {"name": each.text[1:], "description": each.description}
            if each.kind == "prompt":
                prompts.append({**entry, "arguments": list(each.arguments)})
            else:
                resources.append(entry)
        return {"prompts": prompts, "resources": resources}

    async def expanded(self, message: Message, conversation_id: str) -> Message:
        """The message with what its `/server:prompt` and `@server:uri` stand for attached.

        Raises:
            RequestError: A prompt lacks an argument, or is not there.
            ToolError: A server failed at it.
        """
        if self._made is None or not ("@" in message.text or message.text.lstrip().startswith("/")):
            return message
        expanded = await self.desk.expand(message.text)
        for origin in expanded.origins:
            self._consent.note(conversation_id, origin, is_private=False)
        attached = (AttachedPart(text=expanded.text),) if expanded.text != message.text else ()
        return replace(message, parts=(*message.parts, *attached, *expanded.images))

    async def aclose(self) -> None:
        """End all of them; no process is left."""
        if self._plugins is not None:
            await self._plugins.close()
        if self._made is not None:
            await self._made.close()

    def kill(self) -> None:
        """Kill their processes at once; from any thread."""
        if self._made is not None:
            self._made.kill()

    async def _fetch(self, address: str) -> bytes:
        from rustbot_jupyter.tools.addresses import Reach
        from rustbot_jupyter.tools.fetch import fetch

        page = await fetch(address, Reach())
        return page.text.encode()

    async def _ask(self, asked: StartQuestion) -> bool:
        approval = question(asked.text, label=asked.title, tool=asked.server, kind=asked.kind)
        self._on_change()
        answer = await self._consent.ask_question(approval, _NobodyWaits(), self._emit)
        return answer.allowed

    def _tell(self, kind: type[Any], /, **fields: Any) -> None:
        self._emit(kind, **fields)
        self._on_change()


class _NobodyWaits:
    """A start is asked about beside the turns: the state machine does not wait for it."""

    def wait_for_user(self, run: ToolRun | None) -> None:
        """Nobody is told."""

    def go_on(self, run: ToolRun | None) -> None:
        """Nobody is told."""
