"""A request becomes the body that providers expect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.llm import wire
from rustbot_jupyter.llm.base import ChatRequest
from rustbot_jupyter.llm.spellings import DIALECTS, dialect_of
from rustbot_jupyter.messages import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    MessageRole,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    user_message,
)

CALL = ToolCallPart(call_id="call_1", name="f", arguments='{"x": 1}')
DETAILS = ({"type": "reasoning.text", "text": "hm", "signature": "s==", "index": 0}, {"type": "reasoning.encrypted"})


def body_of(**fields: Any) -> dict[str, Any]:
    fields.setdefault("messages", (user_message("Hi"),))
    return json.loads(wire.encode(ChatRequest(model="a/b", **fields)))  # type: ignore[no-any-return]


def entries_of(role: MessageRole, *parts: Part) -> list[dict[str, Any]]:
    return body_of(messages=(Message(role=role, parts=parts),))["messages"]  # type: ignore[no-any-return]


def test_what_is_not_set_is_not_sent() -> None:
    assert body_of() == {
        "model": "a/b",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_everything_that_is_set_is_sent() -> None:
    fields: dict[str, Any] = {
        "max_tokens": 100,
        "reasoning": {"effort": "low"},
        "provider": {"order": ["x"]},
        "response_format": {"type": "json_object"},
        "tools": ({"type": "function", "function": {"name": "f"}},),
        "tool_choice": "auto",
        "cache_control": {"type": "ephemeral"},
        "session_id": "conv-1",
    }

    body = body_of(**fields, fallback_models=("c/d",), sampling={"temperature": 0, "seed": None}, extra={"plugins": []})

    assert body["models"] == ["c/d"]
    assert body["temperature"] == 0
    assert "seed" not in body
    assert body["plugins"] == []
    assert body["tools"] == list(fields.pop("tools"))
    assert {name: body[name] for name in fields} == fields


def test_extra_fields_win() -> None:
    body = body_of(sampling={"top_p": 0.5}, extra={"top_p": 0.1, "user": "me"})

    assert (body["top_p"], body["user"]) == (0.1, "me")


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(("given", "sent"), [(3, 3), (7, 5)])
def test_an_extra_limit_keeps_its_spelling_and_lifts_no_cap(name: str, given: int, sent: int) -> None:
    body = body_of(max_tokens=5, extra={name: given})

    assert {key: value for key, value in body.items() if "tokens" in key} == {name: sent}


@pytest.mark.parametrize("given", [-1, 0, True, "7", 7.5, None])
def test_what_is_no_number_of_tokens_lifts_no_cap(given: Any) -> None:
    assert body_of(max_tokens=5, extra={"max_tokens": given})["max_tokens"] == 5


def test_without_a_cap_the_users_own_limit_goes_as_it_is() -> None:
    assert body_of(extra={"max_tokens": -1})["max_tokens"] == -1


def test_a_long_session_id_is_cut() -> None:
    assert len(body_of(session_id="x" * 500)["session_id"]) == 256


OWN_SPELLINGS = {
    "openrouter.ai": {"max_tokens", "reasoning", "models", "provider", "session_id", "cache_control", "stream_options"},
    "api.openai.com": {"max_completion_tokens", "reasoning_effort", "stream_options"},
    "mine.openai.azure.com": {"max_completion_tokens", "reasoning_effort", "stream_options"},
    "localhost:11434": {"max_tokens", "reasoning_effort", "stream_options"},
    "127.0.0.1:8080": {"max_tokens", "reasoning_effort", "stream_options"},
    "localhost:8000": {"max_tokens", "reasoning_effort", "stream_options"},
    "[::1]:1234": {"max_tokens", "reasoning_effort", "stream_options"},
    "api.deepseek.com": {"max_tokens", "reasoning_effort", "stream_options"},
    "generativelanguage.googleapis.com": {"max_tokens", "reasoning_effort", "stream_options"},
    "api.mistral.ai": {"max_tokens", "reasoning_effort"},
    "localhost:5000": {"max_tokens", "reasoning_effort", "stream_options", "session_id"},
    "models.example": {"max_tokens", "reasoning_effort", "stream_options"},
    "openrouter.ai.example": {"max_tokens", "reasoning_effort", "stream_options"},
}


@pytest.mark.parametrize("host", OWN_SPELLINGS)
def test_each_kind_of_server_gets_the_fields_that_it_knows(host: str) -> None:
    request = ChatRequest(
        model="m",
        messages=(),
        fallback_models=("n",),
        max_tokens=9,
        sampling={"seed": 1},
        reasoning={"effort": "low"},
        provider={"sort": "price"},
        cache_control={"type": "ephemeral"},
        session_id="c",
    )

    is_local = host.startswith(("localhost", "127.0.0.1", "[::1]"))
    body = wire.body_of(request, dialect_of(host, is_local=is_local))

    seed = "random_seed" if "mistral" in host else "seed"
    assert body.keys() - {"model", "messages", "stream"} == OWN_SPELLINGS[host] | {seed}
    assert body.get("reasoning_effort", "low") == "low"


def test_every_kind_of_server_says_where_its_fields_are_described() -> None:
    assert all(dialect.source.startswith("https://") for dialect in DIALECTS)


def test_several_text_parts_are_one_text() -> None:
    assert entries_of(MessageRole.USER, TextPart(text="a"), TextPart(text="b")) == [{"role": "user", "content": "ab"}]


def test_images_and_files_are_parts() -> None:
    parts = (
        TextPart(text="look"),
        ImagePart(media_type="image/png", data=b"\x89PNG"),
        ImagePart(media_type="image/png", url="https://example.com/a.png"),
        FilePart(name="a.pdf", media_type="application/pdf", data=b"%PDF"),
    )

    assert entries_of(MessageRole.USER, *parts)[0]["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
    ]


def test_an_answer_goes_back_with_its_reasoning_unchanged_and_in_order() -> None:
    reasoning = ReasoningPart(text="hm", details=DETAILS)

    assert entries_of(MessageRole.ASSISTANT, reasoning, TextPart(text="Hi"), CALL, CitationPart(url="https://a")) == [
        {
            "role": "assistant",
            "content": "Hi",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
            ],
            "reasoning_details": list(DETAILS),
        }
    ]


def test_plain_reasoning_goes_back_with_tool_calls_only() -> None:
    thought = ReasoningPart(text="hm")

    assert entries_of(MessageRole.ASSISTANT, thought, CALL)[0]["reasoning"] == "hm"
    assert entries_of(MessageRole.ASSISTANT, thought, CALL)[0]["content"] is None
    theirs = ReasoningPart(text="hm", field="reasoning_content")
    assert entries_of(MessageRole.ASSISTANT, theirs, CALL)[0]["reasoning_content"] == "hm"
    in_text = ReasoningPart(text="hm", field="")
    assert entries_of(MessageRole.ASSISTANT, in_text, CALL)[0].keys() == {"role", "content", "tool_calls"}
    assert entries_of(MessageRole.ASSISTANT, thought, TextPart(text="a")) == [{"role": "assistant", "content": "a"}]


def test_each_tool_result_is_an_entry() -> None:
    results = [ToolResultPart(call_id=f"call_{n}", name="f", content=str(n)) for n in range(2)]

    assert entries_of(MessageRole.TOOL, *results) == [
        {"role": "tool", "tool_call_id": "call_0", "content": "0"},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
    ]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("a\x00b", "a\x00b"),
        ("\ud83d", "\ufffd"),
        ("a\ude00\ud83db", "a\ufffd\ufffdb"),
        ("😀 \ud800", "😀 \ufffd"),
        ("שלום \u202e \u2028", "שלום \u202e \u2028"),
    ],
)
def test_what_utf_8_cannot_hold_is_replaced_on_the_wire_only(typed: str, sent: str) -> None:
    message = user_message(typed)

    assert body_of(messages=(message,))["messages"][0]["content"] == sent
    assert message.text == typed


@pytest.mark.parametrize("value", [object(), float("nan"), b"bytes", {1, 2}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(RequestError, match="cannot be sent as JSON"):
        body_of(extra={"x": value})
