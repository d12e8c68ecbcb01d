"""Leaving an answer closes the connection at once, however often and whenever it is cancelled; nothing leaks. (N28)"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest
from effort import SOON_S
from servers.asking import ask, client_of, request
from servers.misbehaving import (
    HOLD,
    Chunk,
    MisbehavingServer,
    Pause,
    Step,
    answer,
    comments,
    endless_line,
    flood,
    hanging_port,
    opening,
)

from rustbot_jupyter.errors import ModelError
from rustbot_jupyter.llm.client import ChatClient


def other_tasks() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def cancel_often(task: asyncio.Task[object], times: int) -> None:
    """Cancel a task so many times, a turn of the loop apart, and wait for its end."""
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({task})


def endless_text(_request: object) -> Iterator[Step]:
    yield from opening()
    yield from (step for step in flood(10_000, rate=2_000) if isinstance(step, Chunk | Pause))


STATES = {
    "nothing came": HOLD,
    "head came": [*opening(), HOLD],
    "comments come": lambda _request: comments(0.01),
    "text came": [*opening("Hi"), HOLD],
    "text comes": endless_text,
    "a long line comes": lambda _request: endless_line(b"x" * 1_000),
}


@pytest.mark.parametrize("times", [1, 2, 3, 10])
@pytest.mark.parametrize("state", STATES)
async def test_a_cancel_in_any_state_closes_the_connection(server: MisbehavingServer, state: str, times: int) -> None:
    server.script(STATES[state])  # type: ignore[arg-type]
    client = client_of(server)
    asking = asyncio.create_task(ask(client))
    await asyncio.to_thread(server.wait_for_requests, 1)
    await asyncio.sleep(0.02)

    started = time.monotonic()
    await cancel_often(asking, times)

    assert asking.cancelled()
    assert time.monotonic() - started < SOON_S
    server.chats[0].wait_closed(SOON_S)
    assert other_tasks() == set()
    await client.aclose()


async def test_leaving_the_context_closes_the_connection(server: MisbehavingServer) -> None:
    server.script(endless_text)
    client = client_of(server)

    async with client.stream(request()) as stream:
        async for _event in stream:
            break
    left = time.monotonic()

    assert server.chats[0].wait_closed(1) - left < 1
    assert other_tasks() == set()
    assert stream.answer.text.startswith("x")
    assert not stream.answer.is_complete
    await client.aclose()


async def test_an_error_of_the_caller_closes_the_connection(server: MisbehavingServer) -> None:
    server.script([*opening("Hi"), HOLD])
    client = client_of(server)

    async def fail() -> None:
        async with client.stream(request()) as stream:
            async for _event in stream:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    server.chats[0].wait_closed(1)
    assert other_tasks() == set()
    await client.aclose()


async def test_a_context_that_is_never_iterated_closes_too(server: MisbehavingServer) -> None:
    server.script(HOLD)
    client = client_of(server)

    async with client.stream(request()):
        await asyncio.to_thread(server.wait_for_requests, 1)

    server.chats[0].wait_closed(1)
    assert other_tasks() == set()
    await client.aclose()


@pytest.mark.parametrize("times", [1, 3])
async def test_a_cancel_while_connecting(times: int) -> None:
    with hanging_port() as port:
        client = ChatClient(f"http://127.0.0.1:{port}/v1")
        asking = asyncio.create_task(ask(client))
        await asyncio.sleep(0.05)

        started = time.monotonic()
        await cancel_often(asking, times)
        await client.aclose()

    assert asking.cancelled()
    assert time.monotonic() - started < SOON_S
    assert other_tasks() == set()


async def test_fifty_rounds_of_interrupts_leave_nothing(server: MisbehavingServer) -> None:
    client = client_of(server)
    for number in range(50):
        server.script(list(STATES.values())[number % len(STATES)])  # type: ignore[arg-type]
        asking = asyncio.create_task(ask(client))
        await asyncio.to_thread(server.wait_for_requests, number + 1)
        await cancel_often(asking, 1 + number % 3)
    server.script(answer("fine"))

    assert (await ask(client)).text == "fine"

    pool = client._opened._client._transport._pool  # type: ignore[union-attr]
    assert (len(pool._requests), len(pool.connections)) == (0, 1)
    await client.aclose()
    server.wait_until_all_closed()
    assert other_tasks() == set()
    gc.collect()


async def test_a_cancel_of_the_small_questions_leaves_nothing(server: MisbehavingServer) -> None:
    server.on("/models", HOLD)
    client = client_of(server)
    listing = asyncio.create_task(client.list_models())
    await asyncio.to_thread(server.wait_for_requests, 1)

    await cancel_often(listing, 3)

    server.requests[0].wait_closed(1)
    assert other_tasks() == set()
    await client.aclose()


async def test_closing_the_client_ends_what_still_runs(server: MisbehavingServer) -> None:
    server.script([*opening("Hi"), HOLD])
    client = client_of(server)

    async with client.stream(request()) as stream:
        events = aiter(stream)
        await anext(events)
        await client.aclose()
        with pytest.raises(ModelError):
            await anext(events)

    assert stream.answer.text == "Hi"
    server.wait_until_all_closed()


async def test_five_chats_fail_each_by_itself(server: MisbehavingServer) -> None:
    """N29."""
    server.script([*opening("Hi"), HOLD])
    client = client_of(server)
    begun = asyncio.Semaphore(0)
    chats = [asyncio.create_task(ask(client, on_event=lambda _event: begun.release())) for _ in range(5)]
    for _ in chats:
        await begun.acquire()

    server.stop()
    outcomes = await asyncio.gather(*chats)
    await client.aclose()

    assert [outcome.text for outcome in outcomes] == ["Hi"] * 5
    assert all(outcome.error is not None for outcome in outcomes)
