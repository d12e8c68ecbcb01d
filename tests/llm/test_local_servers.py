"""Model servers on this machine are found on their ports, whatever else listens there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from effort import SOON_S
from servers.misbehaving import (
    CLOSE,
    HOLD,
    RESET,
    MisbehavingServer,
    body,
    head,
    html,
    json_answer,
    redirect,
    refusing_port,
)

from rustbot_jupyter.llm.local_servers import USUAL_PORTS, LocalServer, find_servers


@pytest.fixture
def servers() -> Iterator[list[MisbehavingServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(MisbehavingServer()) for _ in range(3)]


async def find(*servers: MisbehavingServer) -> list[LocalServer]:
    ports = {f"Server {number}": server.port for number, server in enumerate(servers, start=1)}
    return await find_servers(ports, longest_wait_s=0.5)


async def test_servers_are_found_with_their_models_in_order(servers: list[MisbehavingServer]) -> None:
    for number, server in enumerate(servers):
        server.on("/models", json_answer({"object": "list", "data": [{"id": f"model-{number}"}, {"id": "other"}]}))

    found = await find(*servers)

    assert [(server.name, server.models) for server in found] == [
        ("Server 1", ("model-0", "other")),
        ("Server 2", ("model-1", "other")),
        ("Server 3", ("model-2", "other")),
    ]
    assert found[0].base_url == servers[0].base_url


@pytest.mark.parametrize("answer", [json_answer({"data": None}), json_answer({"error": "no key"}, 401)])
async def test_a_server_without_models_or_with_a_key_is_found(servers: list[MisbehavingServer], answer: Any) -> None:
    servers[0].on("/models", answer)

    found = await find(servers[0])

    assert [server.models for server in found] == [()]


@pytest.mark.parametrize(
    "answer",
    [
        RESET,
        CLOSE,
        HOLD,
        [head(), HOLD],
        html(200),
        json_answer([1, 2]),
        json_answer({"models": []}),
        json_answer({"data": "text"}),
        json_answer({"data": []}, 500),
        redirect("http://127.0.0.1:1/v1/models"),
        body(b"\xff\xfe" * 100),
        body(b"[" * 100_000),
        body(b'{"data": []}' + b" " * 5_000_000),
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=[
        "reset",
        "closed",
        "silent",
        "silent after the head",
        "HTML",
        "a list",
        "other JSON",
        "text as data",
        "a failure",
        "a redirect",
        "binary",
        "deep JSON",
        "5 MB",
        "not HTTP",
    ],
)
async def test_what_is_no_model_server_is_left_out_quickly(servers: list[MisbehavingServer], answer: Any) -> None:
    servers[0].on("/models", answer)
    servers[1].on("/models", json_answer({"data": [{"id": "good"}]}))
    started = time.monotonic()

    found = await find(servers[0], servers[1])

    assert [server.models for server in found] == [("good",)]
    assert time.monotonic() - started < SOON_S


async def test_odd_entries_are_left_out(servers: list[MisbehavingServer]) -> None:
    entries = [{"id": 7}, "text", None, {"id": ""}, {"id": "x" * 1_000}, {"id": "good"}]
    servers[0].on("/models", json_answer({"data": entries}))

    found = await find(servers[0])

    assert found[0].models == ("good",)


async def test_nobody_there_is_no_server() -> None:
    with refusing_port() as port:
        found = await find_servers({"Nobody": port})

    assert found == []


async def test_cancelling_leaves_no_connection(servers: list[MisbehavingServer]) -> None:
    servers[0].on("/models", HOLD)
    search = asyncio.create_task(find_servers({"Slow": servers[0].port}, longest_wait_s=30))
    await asyncio.to_thread(servers[0].wait_for_requests, 1)

    search.cancel()
    await asyncio.gather(search, return_exceptions=True)

    await asyncio.to_thread(servers[0].requests[0].wait_closed)


def test_the_usual_ports_are_those_of_the_servers_we_name() -> None:
    assert dict(USUAL_PORTS) == {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000, "LiteLLM": 4000}
