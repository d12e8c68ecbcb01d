"""All MCP servers of a bot: which are named, approved and running."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from rustbot_jupyter.errors import RequestError, RustbotError, SettingsError, ToolError
from rustbot_jupyter.events import McpServerFailed, McpServerStarted
from rustbot_jupyter.tools.mcp.admission import Admission, Ask, Registry, start_question
from rustbot_jupyter.tools.mcp.config import Input, Origin, ServerConfig, add_server, read_servers, remove_server
from rustbot_jupyter.tools.mcp.launch import Launch, Shown, launch_of, missing_inputs, shown
from rustbot_jupyter.tools.mcp.offers import prefix_of
from rustbot_jupyter.tools.mcp.pins import Offer, Pins
from rustbot_jupyter.tools.mcp.references import Expanded, Reference, expand, references_of
from rustbot_jupyter.tools.mcp.server import McpServer, ServerState
from rustbot_jupyter.tools.workers import in_worker

WORKSPACE_FILES = (".mcp.json", ".vscode/mcp.json")
PATIENCE = 3
"""How many times as long as one question waits a start may have lasted, and still be waited for."""


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """The condition of a server, for people."""

    name: str
    state: ServerState
    command: str
    """The exact command or address; a variable that holds a secret stands as its name."""
    origin: str
    """user or workspace: which file named it."""
    tools: int
    error: str


@dataclass(kw_only=True, eq=False)
class _Place:
    """A named server and what is known of it here."""

    config: ServerConfig
    server: McpServer
    admission: Admission
    is_wanted: bool = True
    """False once the user has refused or stopped it; it starts again only on their word."""
    task: asyncio.Task[None] | None = None
    """Its start under way, or the question before it."""
    began_at: float = 0.0
    """When its start began."""


class McpDesk:
    """The servers of one bot. Used on the core thread only; making one starts nothing and reads nothing. Files are read
    beside the loop: their folder may be one of a network that is gone.

    Args:
        registry: Gets the tools of running servers.
        ask: Asks the user; True is a yes. May take an hour.
        emit: Told of starts and failures: `emit(McpServerStarted, server=..., tools=..., took_s=...)`.
        user_file: The user's own `mcp.json`; None for none.
        workspace: The folder whose `.mcp.json` and `.vscode/mcp.json` are read, and in which servers run.
        pins_file: Where approvals are kept; None keeps them in memory.
        environ: The variables that files may name, and from which servers get the few that all need.
    """

    def __init__(
        self,
        registry: Registry,
        ask: Ask,
        emit: Callable[..., object],
        *,
        user_file: Path | None,
        workspace: Path,
        pins_file: Path | None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._registry = registry
        self._ask = ask
        self._emit = emit
        self._user_file = user_file
        self._workspace = workspace
        self._pins_file = pins_file
        self._environ = environ
        self._places: dict[str, _Place] = {}
        self._inputs: dict[str, str] = {}
        """What the user was asked for; kept for this session only."""
        self._pins = Pins(None)
        """Those of the file, once files are read."""
        self._problems: tuple[str, ...] = ()
        self._reading: asyncio.Future[None] | None = None
        """The first look at the files."""
        self._is_open = True

    # What there is.

    def list(self) -> Sequence[ServerStatus]:
        """All servers that the files name, and how they are, once `look` has read them."""
        return [self._status(place) for place in self._places.values()]

    @property
    def problems(self) -> Sequence[str]:
        """Return what could not be used of the files, one sentence each."""
        return self._problems

    def log(self, name: str) -> str:
        """Return what a server wrote and what became of it, the last 200 kB.

        Raises:
            RequestError: There is no such server.
        """
        return self._place(name).server.log.text

    def wanted_inputs(self, name: str) -> Sequence[Input]:
        """Return what a person has to be asked for before a server can start.

        Raises:
            RequestError: There is no such server.
        """
        return missing_inputs(self._place(name).config, self._inputs)

    def give_inputs(self, values: Mapping[str, str]) -> None:
        """Take what a person answered, for this session."""
        self._inputs.update(values)

    def _status(self, place: _Place) -> ServerStatus:
        try:
            command = self._shown(place.config).first_line
        except SettingsError:
            command = place.config.url or " ".join(place.config.command)
        return ServerStatus(
            name=place.config.name,
            state=place.server.state,
            command=command,
            origin=place.config.origin,
            tools=len(place.admission.names),
            error=place.server.error,
        )

    def _place(self, name: str) -> _Place:
        if name not in self._places:
            there = ", ".join(sorted(self._places)) or "none"
            raise RequestError(f"There is no MCP server {name!r}; there are: {there}.")
        return self._places[name]

    def _shown(self, config: ServerConfig) -> Shown:
        return shown(config, self._environ, self._workspace)

    # Files.

    async def look(self) -> None:
        """Read the files, unless that is done. Whoever comes meanwhile waits for the same look."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._first_look())
        await asyncio.shield(self._reading)

    async def _first_look(self) -> None:
        self._pins, _ = await asyncio.gather(in_worker(lambda: Pins(self._pins_file)), self.read_files())

    async def read_files(self) -> None:
        """Read the files again: servers that are new wait for their start, those that run go on as they are."""
        problems: list[str] = []
        for config in await self._configs(problems):
            place = self._places.get(config.name) or self._add_place(config)
            if place.server.state is not ServerState.RUNNING and place.task is None:
                place.config = config
        self._problems = tuple(problems)

    async def _configs(self, problems: MutableSequence[str]) -> Sequence[ServerConfig]:
        files: list[tuple[Path, Origin]] = [(self._workspace / name, "workspace") for name in WORKSPACE_FILES]
        if self._user_file is not None:
            files.insert(0, (self._user_file, "user"))
        found = await asyncio.gather(*(in_worker(partial(read_servers, path, origin)) for path, origin in files))
        configs: dict[str, ServerConfig] = {}
        for servers in found:
            problems.extend(servers.problems)
            for config in servers.servers:
                # The user's own file comes first: a project cannot put another command under a name they know.
                configs.setdefault(config.name, config)
        return tuple(configs.values())

    def _add_place(self, config: ServerConfig) -> _Place:
        name = config.name
        server = McpServer(
            name,
            launch=lambda: self._approved_launch(place),
            on_listed=lambda offers, has_started: self._listed(place, offers, has_started),
            on_failed=lambda error: self._failed(place, error),
        )
        prefix = prefix_of(name, {other.admission.prefix for other in self._places.values()})
        admission = Admission(server, prefix, self._registry, self._ask)
        place = self._places[name] = _Place(config=config, server=server, admission=admission)
        return place

    async def add(self, name: str, entry: Mapping[str, Any]) -> ServerStatus:
        """Write a server into the user's file: `{"command": ..., "args": [...]}` or `{"url": ...}`. Whoever calls this
        has named the command, and so approved it; it starts when tools are next wanted.

        Raises:
            RequestError: The name is taken, or there is no file of the user's.
            SettingsError: The entry cannot be used, or the file not be written.
        """
        await self.look()
        if name in self._places:
            raise RequestError(f"There is an MCP server {name!r} already; remove it first, or pick another name.")
        file = self._user_file
        if file is None:
            raise RequestError("There is no file for the user's MCP servers; name it in '.mcp.json' here instead.")
        place = self._add_place(await in_worker(lambda: add_server(file, name, entry, "user")))
        with contextlib.suppress(SettingsError):
            self._pins.approve_start(self._shown(place.config).digest, name)
        return self._status(place)

    async def remove(self, name: str) -> None:
        """Stop a server, forget its approvals, and take it out of the file that names it.

        Raises:
            RequestError: There is no such server.
            SettingsError: Its file cannot be written.
        """
        await self.look()
        place = self._place(name)
        await self._stop(place)
        files = [self._workspace / file for file in WORKSPACE_FILES]
        if place.config.origin == "user" and self._user_file is not None:
            files = [self._user_file]
        for file in files:
            await in_worker(partial(remove_server, file, name))
        del self._places[name]
        with contextlib.suppress(SettingsError):
            self._pins.forget(self._shown(place.config).digest)

    # Starting and stopping.

    async def ready(self, timeout: float) -> None:
        """Start what is approved and not running, and wait for it, but no longer than `timeout` seconds, and not for
        one whose start has lasted for `PATIENCE` times as long: a silent one does not hold up each question. The rest
        is asked about and goes on in the background; one that fails keeps nobody waiting."""
        await self.look()
        for place in self._places.values():
            is_idle = place.task is None and place.server.state is ServerState.STOPPED and not place.server.error
            if self._is_open and place.is_wanted and is_idle:
                self._begin(place)
        since = monotonic() - PATIENCE * timeout
        starting = [
            asyncio.wait({place.task}, timeout=max(0.0, min(timeout, place.began_at - since)))
            for place in self._places.values()
            if place.task is not None and place.server.state is not ServerState.UNAPPROVED
        ]
        await asyncio.gather(*starting)

    async def start(self, name: str) -> None:
        """Start a server, with what its file says now, once it is approved.

        Raises:
            RequestError: There is no such server, or the user said no.
            ToolError: It could not be started.
        """
        await self.look()
        await self.read_files()
        place = self._place(name)
        place.is_wanted = True
        task = place.task or self._begin(place)
        await asyncio.wait({task})
        if place.server.state is ServerState.UNAPPROVED:
            raise RequestError(f"The MCP server {name!r} was not started: its command was not approved.")
        place.server.check_running()

    async def stop(self, name: str) -> None:
        """End a server until it is started again; its tools are offered no more.

        Raises:
            RequestError: There is no such server.
        """
        await self.look()
        place = self._place(name)
        place.is_wanted = False
        await self._stop(place)

    async def restart(self, name: str) -> None:
        """Stop and start a server, with what its file says now.

        Raises:
            RequestError: There is no such server, or the user said no.
            ToolError: It could not be started.
        """
        await self.look()
        await self._stop(self._place(name))
        await self.start(name)

    async def close(self) -> None:
        """End all servers; no process is left."""
        self._is_open = False
        await asyncio.gather(*(self._stop(place) for place in self._places.values()))

    def kill(self) -> None:
        """Kill all servers' processes at once; from any thread, when nothing can be awaited any more."""
        for place in tuple(self._places.values()):
            place.server.kill()

    def _begin(self, place: _Place) -> asyncio.Task[None]:
        def done(task: asyncio.Task[None]) -> None:
            if place.task is task:
                place.task = None

        place.began_at = monotonic()
        if not self._is_approved(place):
            place.server.state = ServerState.UNAPPROVED
        task = place.task = asyncio.create_task(self._approve_and_start(place))
        task.add_done_callback(done)
        return task

    async def _approve_and_start(self, place: _Place) -> None:
        if place.server.state is ServerState.UNAPPROVED and not await self._is_allowed(place):
            place.is_wanted = False
            return
        place.began_at = monotonic()
        # It tells by itself: an event, its state, its log.
        with contextlib.suppress(RustbotError):
            await place.server.start()

    async def _is_allowed(self, place: _Place) -> bool:
        what = self._shown(place.config)
        if not await self._ask(start_question(place.config, what)):
            return False
        try:
            self._pins.approve_start(what.digest, place.config.name)
        except SettingsError as error:
            place.server.log.note(str(error))
        return True

    def _is_approved(self, place: _Place) -> bool:
        try:
            return self._pins.is_approved(self._shown(place.config).digest)
        except SettingsError:
            # A variable is missing: there is nothing to show yet, and the start will say so.
            return True

    def _approved_launch(self, place: _Place) -> Launch:
        """Return the very launch that was approved, whatever has changed since: the file, a variable."""
        launch = launch_of(place.config, self._environ, self._workspace, self._inputs)
        if not self._pins.is_approved(self._shown(place.config).digest):
            raise ToolError("its command is not the one that was approved")
        return launch

    async def _stop(self, place: _Place) -> None:
        if place.task is not None:
            place.task.cancel()
            await asyncio.wait({place.task})
        await place.server.stop()
        place.admission.end()

    # What servers tell.

    def _listed(self, place: _Place, offers: Sequence[Offer], has_started: bool) -> None:
        place.admission.take(self._pins, self._shown(place.config).digest, offers)
        if has_started:
            tools, took_s = len(place.admission.names), place.server.took_s
            self._emit(McpServerStarted, server=place.config.name, tools=tools, took_s=took_s)

    def _failed(self, place: _Place, error: str) -> None:
        if place.server.state is ServerState.FAILED:
            place.admission.end()
        self._emit(McpServerFailed, server=place.config.name, error=error)

    # Prompts and resources.

    async def references(self) -> Sequence[Reference]:
        """The prompts and resources of all running servers, for completion in the chat's input."""
        return await references_of(self._running())

    async def expand(self, text: str) -> Expanded:
        """A message's text with `/server:prompt words` replaced, and what `@server:uri` names attached.

        Raises:
            RequestError: A prompt lacks an argument, or is not there.
            ToolError: A server failed at it.
        """
        return await expand(text, self._running())

    def _running(self) -> Mapping[str, McpServer]:
        return {name: place.server for name, place in self._places.items() if place.server.state is ServerState.RUNNING}
