"""Answers that come packed although nobody asked for that: read, or refused in words, and never a bomb."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable

import pytest
from servers.asking import ask_once, client_of
from servers.misbehaving import MisbehavingServer, answer, body, delta, error, event

from rustbot_jupyter.errors import BadRequest, InvalidAnswer, ModelError

MOST_MB = 150
ANSWER = b"".join(event(delta(content=f"word {number} ")) for number in range(2_000)) + event("[DONE]")


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip by its old name": ("x-gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "many members": (
        "gzip",
        lambda data: b"".join(gzip.compress(data[at : at + 999]) for at in range(0, len(data), 999)),
    ),
}


@pytest.mark.parametrize("name", PACKERS)
async def test_a_packed_answer_is_read(server: MisbehavingServer, name: str) -> None:
    encoding, pack = PACKERS[name]
    server.script(body(pack(ANSWER), content_type="text/event-stream", Content_Encoding=encoding))

    outcome = await ask_once(server)

    assert (outcome.error, outcome.text) == (None, "".join(f"word {number} " for number in range(2_000)))


async def test_a_packed_error_says_what_it_is(server: MisbehavingServer) -> None:
    plain = error(400, "too hot")[0]
    assert isinstance(plain, bytes)
    packed = gzip.compress(plain.partition(b"\r\n\r\n")[2])
    server.script(body(packed, 400, Content_Encoding="gzip"))

    outcome = await ask_once(server)

    assert type(outcome.error) is BadRequest
    assert "too hot" in str(outcome.error) + outcome.error.detail


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "x" * 1_000])
async def test_what_cannot_be_unpacked_is_refused_in_words(server: MisbehavingServer, encoding: str) -> None:
    server.script(body(b"\x1b\0\0" * 100, content_type="text/event-stream", Content_Encoding=encoding))

    outcome = await ask_once(server)

    assert type(outcome.error) is InvalidAnswer
    assert "was not asked for" in str(outcome.error)
    assert len(str(outcome.error)) < 300


async def test_a_packed_model_list_is_read_and_a_bomb_is_not(server: MisbehavingServer) -> None:
    server.on("/models", body(gzip.compress(b'{"data": [{"id": "tiny"}]}'), Content_Encoding="gzip"))
    client = client_of(server)
    assert await client.list_models() == [{"id": "tiny"}]

    server.on("/models", body(gzip.compress(b" " * 100_000_000), Content_Encoding="gzip"))
    with pytest.raises(ModelError, match="sent more than"):
        await client.list_models()
    await client.aclose()


BOMBS = {
    "one event": b"data: " + b"x" * 400_000_000,
    "one JSON text": b'{"a": "' + b"x" * 400_000_000,
    "white space": b" " * 100_000_000,
    "comments": b": wait\n\n" * 12_000_000,
    "no answer": b"<html>" + b"x" * 400_000_000,
}
ASKING = """
import asyncio, resource, sys

from rustbot_jupyter.llm.base import ChatRequest
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.messages import user_message

def most_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

async def ask(model):
    async with client.stream(ChatRequest(model=model, messages=(user_message("Hi"),))) as stream:
        try:
            async for piece in stream:
                pass
        except Exception as error:
            return type(error).__name__
    return "read"

async def main():
    print(await ask("honest"))
    before = most_mb()
    print(await ask("bomb"))
    print(most_mb() - before)
    await client.aclose()

client = ChatClient(sys.argv[1])
asyncio.run(main())
"""


def packed_bomb(data: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little_memory_and_is_an_error(server: MisbehavingServer, name: str) -> None:
    """N15: measured in a process of its own."""
    data = packed_bomb(BOMBS[name])
    server.script(answer("Hi"), body(data, content_type="text/event-stream", Content_Encoding="gzip"))

    done = subprocess.run(
        [sys.executable, "-c", ASKING, server.base_url], capture_output=True, text=True, timeout=120, check=True
    )

    honest, bomb, grown_mb = done.stdout.split()
    assert honest == "read"
    assert bomb in {"InvalidAnswer", "StreamBroken"}
    assert float(grown_mb) < MOST_MB
