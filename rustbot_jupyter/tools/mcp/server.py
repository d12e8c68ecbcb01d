"""One server: started, asked, seen to die, started again, stopped; and the one task that owns its connection."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from rustbot_jupyter import __version__
from rustbot_jupyter.errors import RustbotError, ToolError
from rustbot_jupyter.tools.mcp.launch import Launch
from rustbot_jupyter.tools.mcp.log import ServerLog
from rustbot_jupyter.tools.mcp.offers import MAX_TOOLS
from rustbot_jupyter.tools.mcp.pins import Offer
from rustbot_jupyter.tools.mcp.processes import ServerProcess
from rustbot_jupyter.tools.mcp.sentences import CONNECTION_CLOSED, why
from rustbot_jupyter.tools.mcp.transport import transport_to
from rustbot_jupyter.tools.workers import in_worker

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

T = TypeVar("T")

LIST_S = 10.0
"""For its tools, once it has said that they have changed."""
END_S = 5.0
"""From the wish to stop it until it is cut off."""
RESTARTS = 3
"""In the time below; then it has failed, and waits for the user."""
RESTARTS_WITHIN_S = 600.0
BACKOFF_S = 0.5
"""Before the first restart; doubled each time."""
RELIST_S = 1.0
"""How long a change of the list of tools waits for further ones."""
MAX_PAGES = 64


class ServerState(StrEnum):
    """The present doing of a server."""

    STOPPED = "stopped"
    UNAPPROVED = "unapproved"
    """Its command waits for the user's word."""
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"


class McpServer:
    """A server, from its first start to its last end. Used on the core thread only.

    Args:
        name: As in its file.
        launch: Makes the command or address, with its variables replaced.
        on_listed: Gets its tools at each start, before `start` returns, and when it says that they have changed; and
            whether it has just started.
        on_failed: Told when it could not be started, or has died.
    """

    def __init__(
        self,
        name: str,
        launch: Callable[[], Launch],
        on_listed: Callable[[list[Offer], bool], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self.name = name
        self.state = ServerState.STOPPED
        self.error = ""
        """Why it does not run; "" when nothing is wrong."""
        self.log = ServerLog()
        self.offers: dict[str, Offer] = {}
        """What it listed last, by its own names."""
        self.took_s = 0.0
        """How long its last start took."""
        self._launch = launch
        self._on_listed = on_listed
        self._on_failed = on_failed
        self._client: Client | None = None
        self._process: ServerProcess | None = None
        self._has_died = False
        self._restarts: list[float] = []
        self._ending = asyncio.Event()
        self._owner: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._relisting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, unless it runs; a start that is under way is shared. Cancelling leaves the start to itself.

        Raises:
            ToolError: It could not be started.
        """
        self._restarts.clear()
        if self.state is not ServerState.RUNNING:
            await self._share_start(0)
            self.check_running()

    async def _share_start(self, delay: float) -> None:
        if self._starting is None or self._starting.done():
            self.state = ServerState.STARTING
            self._starting = asyncio.create_task(self._start(delay))
        await asyncio.shield(self._starting)

    def check_running(self) -> None:
        """Raises `ToolError` when it does not run; says why."""
        if self.state is not ServerState.RUNNING:
            raise ToolError(
                f"The MCP server {self.name!r} does not run: {self.error or 'it was stopped'}. "
                f"Its log tells more, and the user can start it again: %rustbot mcp start {self.name}"
            )

    async def _start(self, delay: float) -> None:
        """Ends with the state RUNNING or FAILED; raises nothing."""
        try:
            await asyncio.sleep(delay)
            await self._end_owner()
            await _import_sdk()
            # It may read a file.
            offers = await self._open(await in_worker(self._launch))
        except RustbotError as error:
            self._fail(str(error))
            return
        self.state, self.error, self._has_died = ServerState.RUNNING, "", False
        self.log.note(f"Started in {self.took_s:.1f} s, {len(offers)} tools.")
        self._list(offers, has_started=True)
        if self._ending.is_set():
            self._died()

    async def _open(self, launch: Launch) -> list[Offer]:
        began = monotonic()
        opened: asyncio.Future[list[Offer]] = asyncio.get_running_loop().create_future()
        self._ending = asyncio.Event()
        self._owner = asyncio.create_task(self._own(launch, opened, self._ending))
        waited: set[asyncio.Future[Any]] = {opened, self._owner}
        try:
            await asyncio.wait(waited, timeout=launch.start_timeout, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._owner.cancel()
            raise
        self.took_s = monotonic() - began
        if opened.done():
            return opened.result()
        if not self._owner.done():
            self._owner.cancel()
            raise ToolError(
                f"it did not answer within {launch.start_timeout:g} s. A first start may have to fetch the program: "
                "run its command once in a terminal, or give it longer with 'startup_timeout_sec' in its entry"
            )
        ending = self._process.ending if self._process else ""
        raise ToolError(why(self._owner.exception(), launch, ending, self.log.text))

    async def _own(self, launch: Launch, opened: asyncio.Future[list[Offer]], ending: asyncio.Event) -> None:
        """Opens and closes the connection, in this one task: the SDK's scopes may not cross tasks."""
        from mcp import Client
        from mcp.types import Implementation

        self._process = None
        client = Client(
            transport_to(launch, self.log, self._set_process, lambda: self._ended(ending)),
            cache=None,
            client_info=Implementation(name="rustbot-jupyter", version=__version__),
            logging_callback=self._log_message,
            message_handler=self._on_message,
        )
        async with client:
            self._client = client
            opened.set_result(await _listed(client, self.log))
            await ending.wait()

    def _set_process(self, process: ServerProcess) -> None:
        self._process = process

    def _ended(self, ending: asyncio.Event) -> None:
        """The connection is gone. Found out at once for a process, at the next call for an address."""
        was_running = not ending.is_set() and self.state is ServerState.RUNNING and ending is self._ending
        ending.set()
        if was_running:
            self._died()

    def _died(self) -> None:
        self._has_died = True
        self.state, self.error = ServerState.STOPPED, "it has ended"
        self.log.note("It has ended; the next call starts it again.")
        self._on_failed(self.error)

    def _fail(self, error: str) -> None:
        self.state, self.error, self._has_died = ServerState.FAILED, error, False
        self.log.note(f"Failed: {error}")
        self._on_failed(error)

    async def _log_message(self, params: Any) -> None:
        self.log.note(f"{params.level}: {str(params.data)[:2_000]}")

    # Its list of tools.

    def _list(self, offers: list[Offer], *, has_started: bool) -> None:
        self.offers = {offer.name: offer for offer in offers}
        self._on_listed(offers, has_started)

    async def _on_message(self, message: Any) -> None:
        from mcp.types import ToolListChangedNotification

        is_due = self._relisting is None or self._relisting.done()
        if isinstance(message, ToolListChangedNotification) and is_due and self.state is ServerState.RUNNING:
            self._relisting = asyncio.create_task(self._relist())

    async def _relist(self) -> None:
        await asyncio.sleep(RELIST_S)
        client = self._client
        # A list that does not come leaves the old one; the next call finds out why.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LIST_S):
                offers = await _listed(client, self.log) if client is not None else []
            if client is self._client and self.state is ServerState.RUNNING:
                self._list(offers, has_started=False)

    # What it is asked.

    async def call(self, offer: Offer, arguments: Mapping[str, Any], show: Callable[[str], None]) -> CallToolResult:
        """Return what a tool answers. A server that has died is started again first.

        Raises:
            ToolError: It does not run, its tool has changed, or it failed at the call.
        """
        _check_encodable(arguments)

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            of = f"{progress:g} of {total:g}" if total else f"{progress:g}"
            show(f"{of}: {message}\n" if message else f"{of}\n")

        async def ask(client: Client) -> CallToolResult:
            now = self.offers.get(offer.name)
            if now is None or now.fingerprint != offer.fingerprint:
                raise ToolError(
                    f"{offer.name!r} of the MCP server {self.name!r} is not what the user approved any more; "
                    "the user is asked about it. Do without it for now."
                )
            return await client.call_tool(offer.name, dict(arguments), progress_callback=tell)

        return await self.ask(ask, f"the tool {offer.name!r}")

    async def ask(self, question: Callable[[Client], Awaitable[T]], about: str) -> T:
        """The answer to a question that is put to the running server.

        Raises:
            ToolError: It does not run, or failed at it.
        """
        client = await self._running()
        try:
            return await question(client)
        except RustbotError:
            raise
        # Whatever the SDK makes of what a server sends: it is the server's failure, and the turn goes on.
        except Exception as error:
            raise self._failure(error, client, about) from error

    async def _running(self) -> Client:
        if self._has_died or self.state is ServerState.STARTING:
            await self._share_start(self._next_delay())
        self.check_running()
        assert self._client is not None
        return self._client

    def _next_delay(self) -> float:
        if self.state is ServerState.STARTING:
            return 0
        now = monotonic()
        self._restarts = [at for at in self._restarts if now - at < RESTARTS_WITHIN_S]
        if len(self._restarts) >= RESTARTS:
            self._fail(f"it has ended {RESTARTS + 1} times in a short while")
            self.check_running()
        self._restarts.append(now)
        return BACKOFF_S * float(2 ** (len(self._restarts) - 1))

    def _failure(self, error: Exception, client: Client, about: str) -> ToolError:
        reason = why(error)
        if getattr(error, "code", None) != CONNECTION_CLOSED and not self._is_connection_error(error):
            return ToolError(f"The MCP server {self.name!r} failed at {about}: {reason}")
        if client is self._client:
            self._ended(self._ending)
        return ToolError(
            f"The MCP server {self.name!r} ended while it worked on {about}; whether that was done is not known. "
            "It is started again with the next call."
        )

    def _is_connection_error(self, error: Exception) -> bool:
        import httpx2

        return isinstance(error, httpx2.TransportError | OSError)

    # The end.

    async def stop(self) -> None:
        """End it; no process of it is left."""
        for task in (self._starting, self._relisting):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})
        self.state, self.error, self._has_died = ServerState.STOPPED, "", False
        await self._end_owner()

    async def _end_owner(self) -> None:
        self._ending.set()
        if (owner := self._owner) is None:
            return
        # Ending a process takes some seconds at most; what is left then is cut off.
        _, late = await asyncio.wait({owner}, timeout=END_S)
        if late:
            owner.cancel()
            await asyncio.wait({owner}, timeout=END_S)
        if owner.done() and not owner.cancelled():
            # Looked at, so that asyncio does not report it.
            owner.exception()
        self._owner = self._client = None

    def kill(self) -> None:
        """Kill its process with all it started, at once; from any thread, when nothing can be awaited any more."""
        if self._process is not None:
            self._process.kill()


async def _import_sdk() -> None:
    # It takes seconds, which the core thread has not.
    await asyncio.to_thread(_import)


def _import() -> None:
    try:
        importlib.import_module("mcp")
        importlib.import_module("rustbot_jupyter.tools.mcp.http")
    except ImportError as error:
        raise ToolError('MCP servers need the package mcp: pip install "rustbot-jupyter[mcp]"') from error
    logger = logging.getLogger("mcp")
    if not logger.handlers:
        # What it warns of, such as each message that is not understood, would be printed into the notebook.
        logger.addHandler(logging.NullHandler())


async def _listed(client: Client, log: ServerLog) -> list[Offer]:
    """Its tools: no more than so many, and no page more than needed."""
    if client.server_capabilities.tools is None:
        return []
    offers: dict[str, Offer] = {}
    cursors: set[str | None] = set()
    cursor: str | None = None
    while cursor not in cursors and len(cursors) < MAX_PAGES and len(offers) <= MAX_TOOLS:
        cursors.add(cursor)
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            offer = Offer(name=tool.name, description=tool.description or "", parameters=tool.input_schema)
            offers.setdefault(offer.name, offer)
        cursor = page.next_cursor
    if len(offers) > MAX_TOOLS or (cursor is not None and cursor not in cursors):
        log.note(f"It offers more than {MAX_TOOLS} tools, or its list does not end; the rest is left out.")
    return list(offers.values())[:MAX_TOOLS]


def _check_encodable(arguments: Mapping[str, Any]) -> None:
    try:
        json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise ToolError(f"The arguments cannot be sent: {error}. Correct them and call again.") from error
