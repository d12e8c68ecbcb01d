"""The way to a server over HTTP: Streamable HTTP, or the older kind with an address for events and one for messages.
Whatever comes is bounded, and read as far as it can be. Imported once a server has an address: its library is slow."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

import httpx2
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from rustbot_jupyter.certificates import BadCertificates, trusted
from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.proxies import BadProxy, proxy_for
from rustbot_jupyter.tools.mcp.answers import MAX_BYTES, UNREADABLE, Asked, failure, messages_in
from rustbot_jupyter.tools.mcp.launch import Launch

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

_WAIT = httpx2.Timeout(30.0, read=300.0)
"""Seconds. The second is for the silence between two pieces of an answer, and two messages of the older kind: calls
have limits of their own."""
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@asynccontextmanager
async def over_http(launch: Launch) -> AsyncIterator[TransportStreams]:
    """The streams from and to a server with an address."""
    asked = Asked()

    def client(*_: Any, **__: Any) -> _Client:
        return _Client(launch, asked)

    if launch.is_sse:
        async with sse_client(launch.url, httpx_client_factory=client) as streams:
            yield streams
    else:
        async with (
            client() as http_client,
            streamable_http_client(launch.url, http_client=http_client, max_sse_event_size=None) as streams,
        ):
            yield streams


class _Client(httpx2.AsyncClient):
    """A client whose answers are bounded and mended, whatever proxy they come through."""

    def __init__(self, launch: Launch, asked: Asked) -> None:
        super().__init__(
            # What comes packed could be of any size once it is unpacked.
            headers={**launch.headers, "Accept-Encoding": "identity"},
            timeout=_WAIT,
            verify=_trusted(),
            proxy=_proxy_before(launch.url),
            trust_env=False,
        )
        self._asked = asked

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        number = self._note(request)
        response = await super().send(request, **options)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            await response.aclose()
            raise httpx2.DecodingError("its answer is packed, which was not asked for")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Mended(response, self._asked, number)
        return response

    def _note(self, request: httpx2.Request) -> int | str | None:
        """The id of the question that a request asks, if it asks one."""
        if request.method != "POST":
            return None
        message = json.loads(request.content)
        self._asked.note(message)
        return message.get("id") if "method" in message else None


def _proxy_before(url: str) -> httpx2.Proxy | None:
    try:
        proxy = proxy_for(url)
    except BadProxy as error:
        raise ToolError(str(error)) from error
    return None if proxy is None else httpx2.Proxy(proxy.url, ssl_context=_trusted() if proxy.is_secure else None)


def _trusted() -> SSLContext:
    try:
        return trusted()
    except BadCertificates as error:
        raise ToolError(f"{error} names no certificates that can be read; correct it, or unset it") from error


class _Mended(httpx2.AsyncByteStream):
    """The body of an answer, with its messages as MCP prescribes them."""

    def __init__(self, response: httpx2.Response, asked: Asked, number: int | str | None) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        self._stream = response.stream
        self._kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self._is_error = response.status_code >= 400
        self._asked = asked
        self._number = number

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._kind == "text/event-stream":
            async for event in self._events():
                yield self._mended_event(event)
        else:
            yield await self._whole()

    async def _events(self) -> AsyncIterator[bytes]:
        pending = b""
        async for chunk in self._stream:
            start = max(0, len(pending) - 3)
            pending += chunk
            while (found := _EVENT_END.search(pending, start)) and found.end() <= MAX_BYTES:
                yield pending[: found.end()]
                pending, start = pending[found.end() :], 0
            if len(pending) > MAX_BYTES:
                if self._number is None:
                    raise httpx2.SSEError(_TOO_LONG)
                pending = b"data: " + _packed(failure(self._number, _TOO_LONG)) + b"\n\n"
                break
        yield pending

    def _mended_event(self, event: bytes) -> bytes:
        lines = event.splitlines()
        data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
        messages = messages_in(b"\n".join(data), self._asked) if data else []
        if not messages:
            return event
        others = [line for line in lines if line and not line.startswith(b"data:")]
        return b"".join(b"\n".join([*others, b"data: " + _packed(message), b"", b""]) for message in messages)

    async def _whole(self) -> bytes:
        body = bytearray()
        async for chunk in self._stream:
            body += chunk
            if len(body) > MAX_BYTES:
                if self._number is None:
                    raise httpx2.ReadError(_TOO_LONG)
                return _packed(failure(self._number, _TOO_LONG))
        if self._kind != "application/json" or self._number is None:
            return bytes(body)
        messages = messages_in(bytes(body), self._asked)
        answer = next((each for each in messages if each.get("id") == self._number), None)
        if answer is not None:
            return _packed(answer)
        # An error without a message of MCP's is told by its status.
        return bytes(body) if self._is_error else _packed(failure(self._number, UNREADABLE))


_TOO_LONG = f"it sent a message of more than {MAX_BYTES:,} bytes"


def _packed(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
