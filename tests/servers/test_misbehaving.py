"""The test server does what its scripts say."""

from __future__ import annotations

import socket
import time

import httpx
import pytest
from servers.misbehaving import (
    HOLD,
    RESET,
    MisbehavingServer,
    Pause,
    answer,
    comments,
    flood,
    hanging_port,
    html,
    json_answer,
    opening,
    refusing_port,
    replay,
)


def chat(server: MisbehavingServer, client: httpx.Client) -> httpx.Response:
    return client.post(f"{server.base_url}/chat/completions", json={"model": "m"})


def test_scripts_are_played_in_order_and_the_last_one_stays(server: MisbehavingServer) -> None:
    server.script(html(502), answer("Hello"))

    with httpx.Client() as client:
        statuses = [chat(server, client).status_code for _ in range(3)]

    assert statuses == [502, 200, 200]
    assert [request.connection for request in server.requests] == [0, 0, 0]
    assert server.chats[0].json == {"model": "m"}


def test_other_paths_have_scripts_of_their_own(server: MisbehavingServer) -> None:
    server.on("/models", json_answer({"data": []}))

    assert httpx.get(f"{server.base_url}/models?a=b").json() == {"data": []}
    assert httpx.get(f"{server.base_url}/key").status_code == 404


def test_reset_is_a_reset(server: MisbehavingServer) -> None:
    server.script([*opening("Hi"), Pause(0.02), RESET])

    with pytest.raises(httpx.ReadError), httpx.Client() as client:
        chat(server, client)


def test_a_held_answer_goes_on_when_it_is_released(server: MisbehavingServer) -> None:
    server.script([*opening("Hi"), HOLD, *answer("there")[1:]])

    with (
        httpx.Client() as client,
        client.stream("POST", f"{server.base_url}/chat/completions", json={}) as response,
    ):
        server.wait_until_held()
        server.release()
        text = response.read().decode()

    assert '"Hi"' in text
    assert "[DONE]" in text


def test_the_moment_a_client_leaves_is_known(server: MisbehavingServer) -> None:
    server.script(lambda _request: comments())

    with httpx.Client() as client, client.stream("POST", f"{server.base_url}/chat/completions", json={}) as response:
        next(response.iter_bytes())
        before = time.monotonic()

    assert server.requests[0].wait_closed() - before < 1
    server.wait_until_all_closed()


def test_a_flood_is_whole(server: MisbehavingServer) -> None:
    server.script(lambda _request: flood(1_234))

    with httpx.Client() as client:
        assert chat(server, client).text.count('"content": "x"') == 1_234


def test_bytes_are_replayed_whatever_the_cuts(server: MisbehavingServer) -> None:
    server.script(lambda _request: replay("data: é\n\n".encode(), 1, 7, 8))

    with httpx.Client() as client:
        assert chat(server, client).text == "data: é\n\n"


def test_ports_refuse_or_hang() -> None:
    with refusing_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with hanging_port() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.2)


def test_no_other_machine_can_be_reached() -> None:
    with socket.socket() as direct, pytest.raises(PermissionError, match="this machine only"):
        direct.connect(("192.0.2.1", 80))
    with pytest.raises(socket.gaierror):
        socket.create_connection(("example.com", 80), timeout=1)
