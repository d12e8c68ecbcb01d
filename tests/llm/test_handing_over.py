"""How pieces of an answer reach who takes them: at once when they come alone, together when they come together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from servers.asking import ask, client_of, request
from servers.misbehaving import CLOSE, END, HOLD, Chunk, MisbehavingServer, answer, closing, delta, event, head, opening

from rustbot_jupyter.errors import InvalidAnswer, StreamBroken
from rustbot_jupyter.llm.base import StreamEvent, TextDelta

WORDS = [f"w{number:04d} " for number in range(3_000)]


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds; the test's own limit ends it."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def burst() -> bytes:
    """An answer of 3,000 words, each event an HTTP chunk of its own, all of it ready at once."""
    chunks = b"".join(framed(event(delta(content=word))) for word in WORDS)
    return head() + chunks + b"".join(framed(step.data) for step in closing() if isinstance(step, Chunk)) + END


async def test_a_burst_of_single_chunks_is_handed_over_in_few_pieces(server: MisbehavingServer) -> None:
    server.script([burst()])
    client = client_of(server)

    outcome = await ask(client)
    await client.aclose()

    assert outcome.text == "".join(WORDS)
    assert outcome.answer.is_complete
    # Two for each read of the socket, of which there are a few dozen at most.
    assert len(outcome.events) < len(WORDS) / 10


@pytest.mark.parametrize("way", ["each", "iteration"])
async def test_a_piece_that_comes_alone_is_there_before_the_next(server: MisbehavingServer, way: str) -> None:
    server.script([*opening("Hel"), HOLD, *answer("lo")[1:]])
    client = client_of(server)
    pieces: list[str] = []

    def take(piece: StreamEvent) -> None:
        if isinstance(piece, TextDelta):
            pieces.append(piece.text)
            server.release()

    async with client.stream(request()) as stream:
        if way == "each":
            await stream.each(take)
        else:
            async for piece in stream:
                take(piece)
    await client.aclose()

    assert pieces == ["Hel", "lo"]


async def test_what_came_before_somebody_takes_it_is_not_lost(server: MisbehavingServer) -> None:
    server.script([*opening("Hel"), HOLD, *answer("lo")[1:]])
    client = client_of(server)
    pieces: list[StreamEvent] = []

    async with client.stream(request()) as stream:
        await until(lambda: stream.answer.text == "Hel")
        server.release()
        await stream.each(pieces.append)
    await client.aclose()

    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == "Hello"


@pytest.mark.parametrize("steps", [[*opening("Hi"), HOLD], [burst()], answer("Hi")], ids=["held", "burst", "whole"])
async def test_an_error_of_the_taker_is_raised_and_closes_the_connection(
    server: MisbehavingServer, steps: list[object]
) -> None:
    server.script(steps)  # type: ignore[arg-type]
    client = client_of(server)
    taken: list[StreamEvent] = []

    def fail(piece: StreamEvent) -> None:
        taken.append(piece)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with client.stream(request()) as stream:
            await stream.each(fail)

    assert len(taken) == 1
    assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()
    await client.aclose()


async def test_nothing_is_handed_over_once_the_taker_has_left(server: MisbehavingServer) -> None:
    server.script([*opening("Hel"), HOLD, *answer("lo")[1:]])
    client = client_of(server)
    pieces: list[StreamEvent] = []

    async with client.stream(request()) as stream:
        taking = asyncio.create_task(stream.each(pieces.append))
        await until(lambda: pieces)
        taking.cancel()
        await asyncio.wait({taking})
        server.release()
        await until(lambda: stream.answer.is_complete)
    await client.aclose()

    assert len(pieces) == 1
    assert stream.answer.text == "Hello"


async def test_a_connection_that_breaks_after_a_burst_keeps_all_of_it(server: MisbehavingServer) -> None:
    whole = b"".join(framed(event(delta(content=word))) for word in WORDS)
    server.script([head() + whole, CLOSE])
    client = client_of(server)

    outcome = await ask(client)
    await client.aclose()

    assert isinstance(outcome.error, StreamBroken)
    assert outcome.text == outcome.answer.text == "".join(WORDS)


async def test_what_is_no_answer_is_refused_however_small_its_pieces(server: MisbehavingServer) -> None:
    server.script([head(content_type="text/html") + b"".join(framed(b"<p>%d</p>" % n) for n in range(500)) + END])
    client = client_of(server)

    outcome = await ask(client)
    await client.aclose()

    assert isinstance(outcome.error, InvalidAnswer)
