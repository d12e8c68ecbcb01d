"""The way to a server: lines of JSON through a process's pipes, or over HTTP; both made fit for the SDK.

The SDK's own stdio transport writes each line of noise, with a traceback, to the kernel's stderr, keeps lines of any
length, and leaves behind what a server forked; so its pipes are ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.tools.mcp.answers import MAX_BYTES, Asked, messages_in
from rustbot_jupyter.tools.mcp.launch import Launch
from rustbot_jupyter.tools.mcp.log import ServerLog
from rustbot_jupyter.tools.mcp.processes import ServerProcess

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams
    from mcp.shared.message import SessionMessage

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
    if launch.command:
        async with _piped(launch, log, on_process, on_end) as streams:
            yield streams
    else:
        # Imported when it is wanted: its library takes a while.
        from rustbot_jupyter.tools.mcp.http import over_http

        async with over_http(launch) as streams:
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
    asked = Asked()
    tasks = [
        asyncio.create_task(_read(process, to_session, asked, log, on_end)),
        asyncio.create_task(_write(process, from_session, asked)),
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


async def _read(
    process: ServerProcess, to_session: Any, asked: Asked, log: ServerLog, on_end: Callable[[], None]
) -> None:
    import anyio

    noise = _Noise(log)
    try:
        async with to_session:
            async for line in _lines(process.stdout):
                messages = _messages_of(line, asked)
                for message in messages:
                    await to_session.send(message)
                if not messages:
                    await noise.met(line)
    except TooLong:
        log.note(f"It sent a message of more than {MAX_BYTES:,} bytes and is ended for it.")
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
        if size > MAX_BYTES:
            raise TooLong


def _messages_of(line: bytes, asked: Asked) -> list[SessionMessage]:
    """The messages that a line is, several when it is a batch; none when it is none."""
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    if not line.lstrip().startswith((b"{", b"[", b"\xef\xbb\xbf{")):
        return []
    found = []
    for message in messages_in(line, asked):
        # What is none of MCP's messages even so is noise.
        with contextlib.suppress(ValueError):
            found.append(SessionMessage(jsonrpc_message_adapter.validate_python(message, by_name=False)))
    return found


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


async def _write(process: ServerProcess, from_session: Any, asked: Asked) -> None:
    async with from_session:
        # A server that has closed its input has ended, or will; the reader tells.
        with contextlib.suppress(OSError, RuntimeError):
            async for item in from_session:
                message = item.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
                asked.note(message)
                process.stdin.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
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
