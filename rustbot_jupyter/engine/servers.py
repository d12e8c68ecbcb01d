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
    from rustbot_jupyter.tools.mcp.admission import StartQuestion
    from rustbot_jupyter.tools.mcp.desk import McpDesk, ServerStatus

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
    ) -> None:
        self._registry = registry
        self._consent = consent
        self._emit = emit
        self._on_change = on_change
        self._user_file = user_file
        self._workspace = workspace
        self._pins_file = pins_file
        self._made: McpDesk | None = None

    @property
    def desk(self) -> McpDesk:
        """Who starts and stops them."""
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
        """Start what is approved, and wait for it within a limit."""
        await self.desk.ready(START_WAIT_S)

    def list(self) -> Sequence[ServerStatus]:
        """All servers that the files name, and how they are."""
        return self.desk.list()

    def problems(self) -> Sequence[str]:
        """What could not be used of the files, one sentence each."""
        return self.desk.problems

    def add(self, name: str, config: Mapping[str, Any]) -> ServerStatus:
        """Write a server into the user's file; it starts when tools are next wanted."""
        status = self.desk.add(name, config)
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
        if self._made is not None:
            await self._made.close()

    def kill(self) -> None:
        """Kill their processes at once; from any thread."""
        if self._made is not None:
            self._made.kill()

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
