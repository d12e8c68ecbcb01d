"""The demo model as the engine sees it: streaming, pacing, cancelling, usage."""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import Any

import pytest
from effort import SOON_S

from rustbot_jupyter.llm.base import DEMO_MODEL, Answer, ChatRequest, TextDelta
from rustbot_jupyter.llm.demo import DemoModel
from rustbot_jupyter.messages import Message, MessageRole, TextPart


def request(*said: str, system: str = "", **fields: Any) -> ChatRequest:
    """A request whose messages are the user's and the assistant's in turn."""
    roles = (MessageRole.USER, MessageRole.ASSISTANT)
    messages = [Message(role=roles[index % 2], parts=(TextPart(text=text),)) for index, text in enumerate(said)]
    if system:
        messages.insert(0, Message(role=MessageRole.SYSTEM, parts=(TextPart(text=system),)))
    return ChatRequest(model=DEMO_MODEL, messages=tuple(messages), **fields)


async def answer(*said: str, **fields: Any) -> Answer:
    async with DemoModel(tokens_per_s=float("inf")).stream(request(*said, **fields)) as stream:
        async for _ in stream:
            pass
        return stream.answer


async def test_pieces_are_small_and_make_up_the_answer():
    async with DemoModel(tokens_per_s=float("inf")).stream(request("hello")) as stream:
        pieces = [piece async for piece in stream]

    texts = [piece.text for piece in pieces if isinstance(piece, TextDelta)]
    assert "".join(texts) == stream.answer.text
    assert max(map(len, texts)) < 12
    assert len(texts) > 100


async def test_the_answer_names_the_demo_and_costs_nothing():
    whole = await answer("hello")

    assert (whole.model, whole.provider) == ("rustbot/demo", "offline demo")
    assert (whole.finish_reason, whole.is_complete) == ("stop", True)
    assert whole.usage.cost_usd == 0.0
    assert whole.usage.input_tokens == 2
    assert whole.usage.output_tokens == -(-len(whole.text) // 4)


async def test_the_same_request_gets_the_same_answer():
    assert (await answer("hello")).text == (await answer("hello")).text


async def test_it_streams_at_the_speed_it_was_given():
    started = monotonic()

    async with DemoModel(tokens_per_s=100).stream(request("repeat: " + "abcd " * 16)) as stream:
        async for _ in stream:
            pass

    # 80 characters are 20 tokens, so 0.2 s.
    assert 0.19 <= monotonic() - started < SOON_S


async def test_a_cancelled_stream_ends_at_once_and_keeps_what_came():
    model = DemoModel(tokens_per_s=5)
    seen = asyncio.Event()
    answers: list[Answer] = []

    async def read() -> None:
        async with model.stream(request("write a long answer of 2000 words")) as stream:
            try:
                async for _ in stream:
                    seen.set()
            finally:
                answers.append(stream.answer)

    task = asyncio.create_task(read())
    await seen.wait()
    started = monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert monotonic() - started < SOON_S
    assert answers[0].text
    assert not answers[0].is_complete
    assert answers[0].finish_reason is None
    assert answers[0].usage.output_tokens == -(-len(answers[0].text) // 4)


async def test_a_token_limit_cuts_the_answer():
    cut = await answer("hello", max_tokens=5)

    assert len(cut.text) == 20
    assert cut.finish_reason == "length"


async def test_twenty_streams_at_once_do_not_wait_for_each_other():
    answers = await asyncio.gather(*(answer(f"count to {number}") for number in range(1, 21)))

    assert [len(whole.text.split(", ")) for whole in answers] == list(range(1, 21))


async def test_an_empty_conversation_gets_the_welcome():
    assert "offline demo" in (await answer()).text


async def test_json_is_answered_where_json_is_asked_for():
    whole = await answer('Say "hi" \ud800', response_format={"type": "json_object"})

    assert json.loads(whole.text)["model"] == "rustbot/demo"


async def test_json_fits_the_schema_of_the_request():
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 3},
            "age": {"type": "integer", "minimum": 18},
            "size": {"enum": ["S", "M"]},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/Tag"}, "minItems": 2},
            "child": {"anyOf": [{"type": "null"}, {"$ref": "#"}]},
        },
        "$defs": {"Tag": {"type": "object", "properties": {"ok": {"type": "boolean"}}}},
    }

    whole = await answer("x", response_format={"type": "json_schema", "json_schema": {"name": "t", "schema": schema}})

    value = json.loads(whole.text)
    assert value["age"] == 18
    assert value["size"] == "S"
    assert value["tags"] == [{"ok": False}, {"ok": False}]
    assert value["child"] is None
    assert len(value["name"]) >= 3


async def test_a_schema_that_contains_itself_ends():
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}}

    whole = await answer("x", response_format={"type": "json_schema", "json_schema": {"name": "t", "schema": schema}})

    assert "next" in json.loads(whole.text)


async def test_nothing_is_left_to_settle_or_to_close():
    model = DemoModel()

    await model.warm_up()
    await model.aclose()

    assert await model.settle("gen-1") is None
    assert model.is_local
    assert model.host == "offline demo"
