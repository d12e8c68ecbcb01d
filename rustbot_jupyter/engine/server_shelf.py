"""`bot.mcp`: the MCP servers of a bot as its user handles them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from getpass import getpass
from typing import TYPE_CHECKING, Any, Protocol

from rustbot_jupyter.engine.states import AgentState
from rustbot_jupyter.errors import RequestError

if TYPE_CHECKING:
    from rustbot_jupyter.engine.servers import Servers
    from rustbot_jupyter.engine.toolbox import Toolbox
    from rustbot_jupyter.tools.mcp.config import Input
    from rustbot_jupyter.tools.mcp.desk import ServerStatus


class Bot(Protocol):
    """The part of a bot that the shelf needs."""

    @property
    def toolbox(self) -> Toolbox:
        """The tools, and the servers of some of them."""

    @property
    def state(self) -> AgentState:
        """Return what it is doing."""

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the core thread, and wait for it."""


class ServerShelf:
    """The MCP servers of a bot; from any thread. Their tools are `bot.tools["server__tool"]`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    def __repr__(self) -> str:
        lines = [f"{each.name:16} {each.state:10} {each.tools:3} tools  {each.command}" for each in self.list()]
        if self._bot.state is AgentState.CLOSED:
            lines.append("This bot is closed: its MCP servers have ended.")
        return "\n".join(lines) or "No MCP servers. `bot.mcp.add(name, {'command': ..., 'args': [...]})` adds one."

    @property
    def problems(self) -> Sequence[str]:
        """Return what could not be used of the files that name servers, one sentence each."""
        return tuple(self._looked(lambda servers: servers.problems()))

    def list(self) -> list[ServerStatus]:
        """All servers that the files name: name, state, command, origin, tools, error."""
        return list(self._looked(lambda servers: servers.list()))

    def add(self, name: str, config: Mapping[str, Any]) -> ServerStatus:
        """Keep a server in your own file of servers; it starts when tools are next wanted.

        Args:
            name: What its tools begin with.
            config: `{"command": "npx", "args": [...], "env": {...}}` or `{"url": "https://…", "headers": {...}}`.

        Raises:
            RequestError: The name is taken.
            SettingsError: The config cannot be used, or the file not be written.
        """
        status: ServerStatus = self._bot.run(self._servers.add(name, config))
        return status

    def remove(self, name: str) -> None:
        """Stop a server, and take it out of the file that names it.

        Raises:
            RequestError: There is no such server.
        """
        self._bot.run(self._servers.change(name, "remove"))

    def start(self, name: str) -> None:
        """Start a server; the first time its command is shown for approval. What its file wants to be asked for
        (`${input:key}`) is asked for here, unseen, and kept for this session.

        Raises:
            RequestError: There is no such server, or its start was refused.
            ToolError: It could not be started.
        """
        wanted = self._looked(lambda servers: servers.desk.wanted_inputs(name))
        if wanted:
            given = {each.id: _asked(name, each) for each in wanted}
            self._looked(lambda servers: servers.desk.give_inputs(given))
        self._bot.run(self._servers.change(name, "start"))

    def stop(self, name: str) -> None:
        """End a server until it is started again.

        Raises:
            RequestError: There is no such server.
        """
        self._bot.run(self._servers.change(name, "stop"))

    def restart(self, name: str) -> None:
        """Stop and start a server, with what its file says now.

        Raises:
            RequestError: There is no such server, or its start was refused.
            ToolError: It could not be started.
        """
        self._bot.run(self._servers.change(name, "restart"))

    def log(self, name: str) -> str:
        """Return what a server wrote to its standard error, and what became of it.

        Raises:
            RequestError: There is no such server.
        """
        text: str = self._looked(lambda servers: servers.desk.log(name))
        return text

    def _looked(self, get: Callable[[Servers], Any]) -> Any:
        """Return the servers once their files are read; a closed bot reads none, and still tells what it knew."""
        servers = self._servers

        async def look() -> Any:
            await servers.look()
            return get(servers)

        return get(servers) if self._bot.state is AgentState.CLOSED else self._bot.run(look())

    @property
    def _servers(self) -> Servers:
        return self._bot.toolbox.servers


def _asked(server: str, wanted: Input) -> str:
    """Return what a person answers; their default, if they answer nothing."""
    options = f" ({', '.join(wanted.options)})" if wanted.options else ""
    default = f" [{wanted.default}]" if wanted.default else ""
    try:
        given = getpass(f"{wanted.description or wanted.id}{options}{default}, for the MCP server {server!r}: ").strip()
    # Each front end without a keyboard says so in its own way.
    except (EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise RequestError(
            f"The MCP server {server!r} needs {wanted.id!r}, and nobody can be asked here: put the value into an "
            f"environment variable, and write ${{NAME}} instead of ${{input:{wanted.id}}}."
        ) from error
    value = given or wanted.default
    if not value or (wanted.options and value not in wanted.options):
        raise RequestError(f"The MCP server {server!r} was not started: it needs a value for {wanted.id!r}{options}.")
    return value
