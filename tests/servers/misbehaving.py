"""A model provider on 127.0.0.1 that does exactly what a script says, byte by byte, however wrong.

    with MisbehavingServer() as server:
        server.script(answer("Hel", "lo"))              # every chat request gets this
        server.script(RESET, answer("Hello"))           # the first one is reset, all later ones are answered
        server.script([*opening("Hel"), HOLD], ...)     # stands still until `server.release()` or the client leaves
        server.on("/models", json_answer({"data": []})) # other paths; unknown ones are answered with 404
        client = ChatClient(base_url=server.base_url, ...)

A script is a step or an iterable of steps (a generator may be endless; it stops when the client leaves), or a
function that takes the `Received` request and returns one. Steps:

- `bytes`: sent as they are; `Chunk(bytes)`: sent as one chunk of chunked encoding
- `Pause(seconds)`: waits; `HOLD`: waits for `server.release()`; both end early when the client leaves
- `RESET`: the connection ends with a TCP reset; `CLOSE`: with a normal end

A script that neither resets nor closes leaves the connection open for the next request.
What came in is in `server.requests`; `requests[0].wait_closed()` tells when that client closed its connection.

`python misbehaving.py --chunks 20000 --rate 200` serves in a process of its own (benchmarks): it prints the base
URL and ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Chunk:
    """One chunk of chunked transfer encoding."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    """A wait of some seconds."""

    seconds: float


@dataclass(frozen=True)
class _Signal:
    name: str


HOLD = _Signal("hold")
RESET = _Signal("reset")
CLOSE = _Signal("close")
END = b"0\r\n\r\n"
"""The end of a chunked body."""

Step = bytes | Chunk | Pause | _Signal
Script = Step | Iterable[Step] | Callable[["Received"], "Script"]


@dataclass
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """Which connection it came on, from 0; requests on a reused connection share it."""
    at: float = field(default_factory=time.monotonic)
    closed_at: float | None = None
    """When the client's connection ended (monotonic)."""
    _closed: threading.Event = field(default_factory=threading.Event)

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def wait_closed(self, timeout: float = 30.0) -> float:
        """When this request's connection ended, as a monotonic time; fails if it is still open after the timeout."""
        assert self._closed.wait(timeout), f"the connection was still open after {timeout} s"
        assert self.closed_at is not None
        return self.closed_at


class MisbehavingServer:
    """The server; a context manager that runs in a thread of its own."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        """All chat requests and those to other paths, in the order they came."""
        self.connections = 0
        self._open: set[_Connection] = set()
        self._scripts: list[Script] = [answer("Hello")]
        self._paths: dict[str, list[Script]] = {}
        self._changed = threading.Condition()
        self._held = 0
        self._loop = asyncio.new_event_loop()
        self._release = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="misbehaving-server", daemon=True)
        self._ready = threading.Event()
        self.port = 0

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Received]:
        """The requests to /chat/completions only."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return len(self._open)

    def script(self, *scripts: Script) -> None:
        """Answer the next chat requests with these, one each; the last one serves all that follow."""
        self._scripts = list(scripts)

    def on(self, path: str, *scripts: Script) -> None:
        """Answer requests whose path (without query) ends in `path`; as `script` otherwise."""
        self._paths[path] = list(scripts)

    def release(self) -> None:
        """Let every `HOLD` that is reached, now or later, go on."""
        self._loop.call_soon_threadsafe(self._release.set)

    def wait_for_requests(self, count: int, timeout: float = 30.0) -> None:
        """Return once so many requests came; fails after the timeout."""
        self._wait(lambda: len(self.requests) >= count, timeout, f"{count} requests")

    def wait_until_held(self, count: int = 1, timeout: float = 30.0) -> None:
        """Return once a `HOLD` was reached so many times; fails after the timeout."""
        self._wait(lambda: self._held >= count, timeout, f"{count} holds")

    def wait_until_all_closed(self, timeout: float = 30.0) -> None:
        """Return once no client is connected; fails after the timeout."""
        self._wait(lambda: not self._open, timeout, "every connection to be closed")

    def _wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout), f"waited {timeout} s for {what}"

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and all its connections, as when a provider dies."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for connection in list(self._open):
            connection.abort()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _script_for(self, request: Received) -> Script:
        if request.method == "HEAD":
            return head(chunked=False)
        path = request.path.split("?")[0]
        for suffix, scripts in self._paths.items():
            if path.endswith(suffix):
                return scripts.pop(0) if len(scripts) > 1 else scripts[0]
        if not path.endswith("/chat/completions"):
            return json_answer({"error": {"code": 404, "message": "not found"}}, status=404)
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]


class _Connection(asyncio.Protocol):
    """One client: reads requests, plays their scripts."""

    transport: asyncio.Transport

    def __init__(self, server: MisbehavingServer) -> None:
        self._server = server
        self._number = server.connections
        self._buffer = bytearray()
        self._data = asyncio.Event()
        self._gone = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._requests: list[Received] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._server.connections += 1
        self._server._open.add(self)
        self._task = self._server._loop.create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._data.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._data.set()
        self._writable.set()
        for request in self._requests:
            if request.closed_at is None:
                request.closed_at = time.monotonic()
                request._closed.set()
        self._server._open.discard(self)
        self._server._notify()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def abort(self) -> None:
        self.transport.abort()

    async def _serve(self) -> None:
        while (request := await self._read_request()) is not None:
            script = self._server._script_for(request)
            self._requests.append(request)
            self._server.requests.append(request)
            self._server._notify()
            await self._play(script, request)

    async def _read_request(self) -> Received | None:
        while b"\r\n\r\n" not in self._buffer:
            if not await self._more():
                return None
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _version = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0"))
        self._buffer = bytearray(rest)
        while len(self._buffer) < size:
            if not await self._more():
                return None
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Received(method=method, path=path, headers=headers, body=body, connection=self._number)

    async def _more(self) -> bool:
        self._data.clear()
        if not self._gone.is_set():
            await self._data.wait()
        return not self._gone.is_set()

    async def _play(self, script: Script, request: Received) -> None:
        while callable(script):
            script = script(request)
        steps = [script] if isinstance(script, bytes | Chunk | Pause | _Signal) else script
        for step in steps:
            if self._gone.is_set():
                return
            await self._do(step)

    async def _do(self, step: Step) -> None:
        if isinstance(step, bytes):
            await self._write(step)
        elif isinstance(step, Chunk):
            await self._write(b"%x\r\n%b\r\n" % (len(step.data), step.data))
        elif isinstance(step, Pause):
            await _first_of(self._gone.wait(), asyncio.sleep(step.seconds))
        elif step is HOLD:
            self._server._held += 1
            self._server._notify()
            await _first_of(self._gone.wait(), self._server._release.wait())
        elif step is RESET:
            # SO_LINGER 0 makes close() send RST instead of FIN.
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
            await self._gone.wait()
        else:
            self.transport.close()
            await self._gone.wait()

    async def _write(self, data: bytes) -> None:
        self.transport.write(data)
        # Lets the bytes leave (and connection_lost arrive) before the next step.
        await asyncio.sleep(0)
        await self._writable.wait()


async def _first_of(*waits: Any) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


# Bytes of honest answers, and of common faults.


def head(status: int = 200, *, content_type: str = "text/event-stream", chunked: bool = True, **headers: str) -> bytes:
    """Status line and headers; header names are given with `_` for `-`."""
    fields = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if chunked:
        fields["Transfer-Encoding"] = "chunked"
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def event(data: Any, *, name: str | None = None) -> bytes:
    """One SSE event; anything but a string is sent as JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def delta(*, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chat chunk with these delta fields (content="Hi", reasoning=..., tool_calls=[...])."""
    choice = {"index": 0, "delta": {"role": "assistant", **fields}, "finish_reason": finish}
    return {
        "id": "gen-test-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "test/model-1",
        "provider": "Test",
        "choices": [choice],
    }


USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "cost": 0.00042,
    "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
"""The usage every `answer` ends with."""


def opening(*texts: str, **headers: str) -> list[Step]:
    """The head and the text chunks of an answer that is not ended."""
    return [head(**headers), *(Chunk(event(delta(content=text))) for text in texts)]


def closing(*, finish: str = "stop", usage: dict[str, Any] | None = None) -> list[Step]:
    """What ends an answer: finish chunk, usage chunk, [DONE]."""
    last = {**delta(content="", finish=finish), "usage": USAGE if usage is None else usage}
    return [Chunk(event(delta(content="", finish=finish))), Chunk(event(last)), Chunk(event("[DONE]")), END]


def answer(*texts: str, finish: str = "stop", usage: dict[str, Any] | None = None, pause_s: float = 0.0) -> list[Step]:
    """A whole streamed answer, one chunk per text."""
    steps: list[Step] = [head()]
    for text in texts:
        steps.append(Chunk(event(delta(content=text))))
        if pause_s:
            steps.append(Pause(pause_s))
    return [*steps, *closing(finish=finish, usage=usage)]


def tool_call(name: str, arguments: str, *, call_id: str = "call_1") -> list[Step]:
    """A streamed answer that calls one tool, its arguments in two pieces."""
    half = len(arguments) // 2
    first = {"index": 0, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments[:half]}}
    second = {"index": 0, "function": {"arguments": arguments[half:]}}
    pieces = [Chunk(event(delta(content=None, tool_calls=[piece]))) for piece in (first, second)]
    return [head(), *pieces, *closing(finish="tool_calls")]


def events(*data: Any, done: bool = True) -> list[Step]:
    """A stream of these events (JSON values, or strings as they are), whole in one write."""
    body = b"".join(event(item) for item in data) + (event("[DONE]") if done else b"")
    return [head(), Chunk(body), END]


def body(data: bytes, status: int = 200, *, content_type: str = "application/json", **headers: str) -> list[Step]:
    """A plain answer with a Content-Length."""
    return [head(status, content_type=content_type, chunked=False, Content_Length=str(len(data)), **headers) + data]


def json_answer(data: Any, status: int = 200, **headers: str) -> list[Step]:
    """A JSON answer."""
    return body(json.dumps(data).encode(), status, **headers)


def error(status: int, message: str = "no", *, metadata: dict[str, Any] | None = None, **headers: str) -> list[Step]:
    """OpenRouter's error body under its status."""
    fields: dict[str, Any] = {"code": status, "message": message}
    if metadata is not None:
        fields["metadata"] = metadata
    return json_answer({"error": fields}, status, **headers)


def html(status: int = 502, text: str = "<html><body><h1>Bad gateway</h1></body></html>") -> list[Step]:
    """A proxy's HTML page."""
    return body(text.encode(), status, content_type="text/html; charset=utf-8")


def redirect(url: str, status: int = 307) -> list[Step]:
    """A redirect to somewhere else."""
    return body(b"", status, Location=url)


def comments(every_s: float = 0.05) -> Iterator[Step]:
    """Keep-alive comments for ever."""
    yield head()
    while True:
        yield Chunk(b": OPENROUTER PROCESSING\n\n")
        yield Pause(every_s)


def flood(count: int = 20_000, *, rate: float | None = None, letter: str = "x", per_write: int = 50) -> Iterator[Step]:
    """A whole answer of `count` one-letter chunks, as fast as they go or `rate` a second, one write each."""
    yield head()
    one = event(delta(content=letter))
    if rate is None:
        for _ in range(count // per_write):
            yield Chunk(one * per_write)
        yield from (Chunk(one) for _ in range(count % per_write))
    else:
        start = time.monotonic()
        for number in range(count):
            yield Chunk(one)
            yield Pause(max(0.0, start + (number + 1) / rate - time.monotonic()))
    yield from closing()


def endless_line(piece: bytes = b"x" * 65_536) -> Iterator[Step]:
    """An event that never ends."""
    yield head()
    yield Chunk(b"data: ")
    while True:
        yield Chunk(piece)


def replay(data: bytes, *cuts: int, pause_s: float = 0.0, **head_fields: Any) -> Iterator[Step]:
    """Given bytes as the body, written in pieces cut at these positions."""
    yield head(**head_fields)
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        if data[start:end]:
            yield Chunk(data[start:end])
            yield Pause(pause_s)
    yield END


def recording(folder: Path, *cuts: int) -> Iterator[Step]:
    """A recorded exchange of the shared recordings, with its status and content type."""
    saved = json.loads((folder / "response.headers.json").read_text(encoding="utf-8"))
    content_type = saved["headers"].get("content-type", "application/json")
    data = (folder / "response.body").read_bytes()
    return replay(data, *cuts, status=saved["status"], content_type=content_type)


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port of this machine where connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def hanging_port() -> Iterator[int]:
    """A port of this machine where connecting hangs: the queue of the listening socket is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        try:
            yield listener.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


def main() -> None:
    """Serve floods to another process until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=20_000, help="one-letter chunks in an answer")
    parser.add_argument("--rate", type=float, default=None, help="chunks a second; as fast as possible without it")
    options = parser.parse_args()
    with MisbehavingServer() as server:
        server.script(lambda _request: flood(options.chunks, rate=options.rate))
        print(server.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
