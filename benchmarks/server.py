"""A model provider on 127.0.0.1 in a process of its own, whose answers are ready before they are asked for.

The path says what comes: `/KIND/CHUNKS/RATE/JOINED/v1/chat/completions`. KIND is one of `replies.KINDS`, or `stamped`,
whose chunks each hold the time of their writing; RATE is chunks a second, 0 as fast as they are taken; JOINED is how
many events of a burst make one chunk of the HTTP body. `/last` tells when the last byte of an answer was written. It
prints its port and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from functools import cache
from typing import Any

from benchmarks import replies

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_last_byte: dict[str, float] = {}


def event(content: str, **more: Any) -> bytes:
    """A chunk of a chat answer as OpenRouter sends it."""
    finish = more.pop("finish_reason", None)
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": finish}
    chunk: dict[str, Any] = {"id": "gen-1700000000-benchmark", "provider": "Benchmark", "model": "benchmark/fast"}
    chunk |= {"object": "chat.completion.chunk", "created": 1700000000, "choices": [choice], **more}
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def framed(data: bytes) -> bytes:
    """A piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def ending(chunks: int) -> bytes:
    """Finish reason, usage, [DONE] and the end of the body."""
    usage = {"prompt_tokens": 10, "completion_tokens": chunks, "total_tokens": chunks + 10, "cost": 0.001}
    last = event("", finish_reason="stop") + event("", usage=usage) + b"data: [DONE]\n\n"
    return framed(last) + b"0\r\n\r\n"


@cache
def events_of(kind: str, chunks: int) -> list[bytes]:
    """Each chunk of a reply as an event."""
    return [event(piece) for piece in replies.pieces(replies.reply(kind, chunks))]


@cache
def burst_of(kind: str, chunks: int, joined: int) -> bytes:
    """A whole reply as its bytes on the wire."""
    events = events_of(kind, chunks)
    pieces = (b"".join(events[at : at + joined]) for at in range(0, len(events), joined))
    return HEAD + b"".join(map(framed, pieces)) + ending(chunks)


async def answer(writer: asyncio.StreamWriter, kind: str, chunks: int, rate: float, joined: int) -> None:
    """Write a whole answer."""
    if rate == 0:
        data = memoryview(burst_of(kind, chunks, joined))
        for at in range(0, len(data), 65_536):
            writer.write(data[at : at + 65_536])
            await writer.drain()
    else:
        await _answer_paced(writer, kind, chunks, rate)
    _last_byte["at"] = time.time()


async def _answer_paced(writer: asyncio.StreamWriter, kind: str, chunks: int, rate: float) -> None:
    events = [] if kind == "stamped" else events_of(kind, chunks)
    last = ending(chunks)
    writer.write(HEAD)
    start = time.monotonic()
    for number in range(chunks):
        wait_s = start + number / rate - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        writer.write(framed(event(f"{time.monotonic_ns()} ") if kind == "stamped" else events[number]))
        await writer.drain()
    writer.write(last)
    await writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one client's requests until it leaves."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next((line for line in head.split("\r\n") if line.lower().startswith("content-length:")), ":0")
            await reader.readexactly(int(length.split(":")[1]))
            method, path, _ = head.split(" ", 2)
            if path.endswith("/chat/completions"):
                _, kind, chunks, rate, joined, *_ = path.split("/")
                await answer(writer, kind, int(chunks), float(rate), int(joined))
            else:
                body = json.dumps(_last_byte if path == "/last" else {"data": []}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + (body if method != "HEAD" else b""))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        writer.close()


async def main() -> None:
    """Serve until standard input ends."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
