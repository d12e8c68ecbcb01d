"""The way to a server: lines of JSON through a process's pipes, or Streamable HTTP; both made fit for the SDK.

The SDK's own stdio transport writes each line of noise, with a traceback, to the kernel's stderr, keeps lines of any
length, and leaves behind what a server forked; so its pipes are ours.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.tools.mcp.launch import Launch
from rustbot_jupyter.tools.mcp.log import ServerLog
from rustbot_jupyter.tools.mcp.processes import ServerProcess

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams
    from mcp.shared.message import SessionMessage

MAX_LINE = 16_000_000
"""Bytes of one message. What sends more is ended: memory would have no end."""
_CHUNK = 65_536
_WATCH_S = 0.2
_NOISE_LINES = 20
"""How many lines that are no messages are logged one by one."""


class TooLong(Exception):
    """A message without an end."""


@asynccontextmanager
async def transport_to(
    launch: Launch, log: ServerLog, on_process: Callable[[ServerProcess], None], on_end: Callable[[], None]
) -> AsyncIterator[TransportStreams]:
    """The streams from and to a server.

    Args:
        launch: Its command or address.
        log: Takes its stderr, and what it wrote beside messages.
        on_process: Gets the process of a command, once it runs.
        on_end: Called when the server has ended its side.

    Raises:
        OSError: Its process cannot be started.
    """
    way = _piped(launch, log, on_process, on_end) if launch.command else _over_http(launch)
    async with way as (read, write):
        yield MendedStream(read), write


@asynccontextmanager
async def _over_http(launch: Launch) -> AsyncIterator[TransportStreams]:
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    async with (
        create_mcp_http_client(headers=dict(launch.headers)) as client,
        streamable_http_client(launch.url, http_client=client) as streams,
    ):
        yield streams


@asynccontextmanager
async def _piped(
    launch: Launch, log: ServerLog, on_process: Callable[[ServerProcess], None], on_end: Callable[[], None]
) -> AsyncIterator[TransportStreams]:
    import anyio

    process = await ServerProcess.start(launch)
    on_process(process)
    to_session, read = anyio.create_memory_object_stream["SessionMessage | Exception"](0)
    # With room for some: a server that does not read its input must not hold up whoever gives a call up.
    write, from_session = anyio.create_memory_object_stream["SessionMessage"](64)
    tasks = [
        asyncio.create_task(_read(process, to_session, log, on_end)),
        asyncio.create_task(_write(process, from_session)),
        asyncio.create_task(_copy(process.stderr, log)),
        asyncio.create_task(_watch(process, on_end)),
    ]
    try:
        yield read, write
    finally:
        with anyio.CancelScope(shield=True):
            await process.end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for stream in (to_session, read, write, from_session):
                await stream.aclose()


async def _read(process: ServerProcess, to_session: Any, log: ServerLog, on_end: Callable[[], None]) -> None:
    import anyio

    noise = _Noise(log)
    try:
        async with to_session:
            async for line in _lines(process.stdout):
                message = _message_of(line)
                if message is None:
                    await noise.met(line)
                else:
                    await to_session.send(message)
    except TooLong:
        log.note(f"It sent a message of more than {MAX_LINE:,} bytes and is ended for it.")
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        # The session is gone, or the pipe is.
        pass
    finally:
        on_end()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    pending: list[bytes] = []
    size = 0
    while chunk := await stream.read(_CHUNK):
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            yield b"".join((*pending, part))
            pending, size = [], 0
        pending.append(rest)
        size += len(rest)
        if size > MAX_LINE:
            raise TooLong


def _message_of(line: bytes) -> SessionMessage | None:
    """The message that a line is; None when it is none."""
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    if not line.lstrip().startswith(b"{"):
        return None
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        return None


class _Noise:
    """Logs what a server wrote to its stdout beside messages; not all of it, and without keeping others waiting."""

    def __init__(self, log: ServerLog) -> None:
        self._log = log
        self._count = 0

    async def met(self, line: bytes) -> None:
        if not line.strip():
            return
        self._count += 1
        if self._count <= _NOISE_LINES:
            self._log.note(f"Not a message, on its stdout: {line[:300].decode('utf-8', 'replace')}")
        elif self._count % 1000 == 0:
            self._log.note(f"{self._count:,} lines on its stdout were no messages.")
        if self._count % 100 == 0:
            await asyncio.sleep(0)


async def _write(process: ServerProcess, from_session: Any) -> None:
    async with from_session:
        # A server that has closed its input has ended, or will; the reader tells.
        with contextlib.suppress(OSError, RuntimeError):
            async for item in from_session:
                process.stdin.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await process.stdin.drain()


async def _watch(process: ServerProcess, on_end: Callable[[], None]) -> None:
    # What a dead server has forked may hold its pipes open, so their end may never come.
    while not process.ending:  # noqa: ASYNC110
        await asyncio.sleep(_WATCH_S)
    # What it said last may still be on its way.
    await asyncio.sleep(_WATCH_S)
    on_end()


async def _copy(stderr: asyncio.StreamReader, log: ServerLog) -> None:
    while chunk := await stderr.read(_CHUNK):
        log.write(chunk)


class MendedStream:
    """What comes from a server, with its listing of tools made such that the SDK takes it: one bad tool would cost
    all the others."""

    def __init__(self, stream: ReadStream[SessionMessage | Exception]) -> None:
        self._stream = stream

    async def receive(self) -> SessionMessage | Exception:
        """The next message."""
        return _mended(await self._stream.receive())

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    def __aiter__(self) -> MendedStream:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return _mended(await self._stream.__anext__())

    async def __aenter__(self) -> MendedStream:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> bool | None:
        return await self._stream.__aexit__(*details)


def _mended(item: SessionMessage | Exception) -> SessionMessage | Exception:
    if not isinstance(item, Exception):
        result = getattr(item.message, "result", None)
        if isinstance(result, dict) and isinstance(result.get("tools"), list):
            result["tools"] = [_mended_tool(tool) for tool in result["tools"] if _has_name(tool)]
            if not isinstance(result.get("nextCursor"), str):
                result.pop("nextCursor", None)
    return item


def _has_name(tool: Any) -> bool:
    return isinstance(tool, dict) and isinstance(tool.get("name"), str) and bool(tool["name"])


def _mended_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """Name, description and schema. Titles and hints are the server's own praise; schemas of results would be checked
    here, with patterns that may take forever."""
    description = tool.get("description")
    return {
        "name": tool["name"],
        "description": description if isinstance(description, str) else "",
        "inputSchema": _mended_schema(tool.get("inputSchema")),
    }


def _mended_schema(schema: Any) -> dict[str, Any]:
    mended = {**schema, "type": "object"} if isinstance(schema, dict) else {"type": "object"}
    properties, required = mended.pop("properties", None), mended.pop("required", None)
    if isinstance(properties, dict):
        mended["properties"] = {name: each for name, each in properties.items() if isinstance(each, dict)}
    if isinstance(required, list):
        mended["required"] = [name for name in required if isinstance(name, str)]
    if not isinstance(mended.get("$schema"), str):
        mended.pop("$schema", None)
    return mended
