"""Tool calls are put together from every dialect of fragments."""

from __future__ import annotations

from typing import Any

import pytest
from servers.asking import answer_to, understand
from servers.misbehaving import delta, event

from rustbot_jupyter.llm.base import ToolCallStarted
from rustbot_jupyter.messages import ToolCallPart


def fragment(**fields: Any) -> dict[str, Any]:
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return {**fields, "type": "function", "function": function}


def calls_of(*chunks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    answer = answer_to(*(delta(content=None, tool_calls=chunk) for chunk in chunks), delta(finish="tool_calls"))
    assert len({call.call_id for call in answer.tool_calls}) == len(answer.tool_calls)
    assert all(answer.tool_calls)
    return [(call.name, call.arguments) for call in answer.tool_calls]


QUIRKS: dict[str, tuple[list[list[dict[str, Any]]], list[tuple[str, str]]]] = {
    "normal pieces": (
        [
            [fragment(index=0, id="a", name="f", arguments="")],
            [fragment(index=0, arguments='{"x"')],
            [fragment(index=0, arguments=": 1}")],
        ],
        [("f", '{"x": 1}')],
    ),
    "whole in one fragment": ([[fragment(index=0, id="a", name="f", arguments='{"x": 1}')]], [("f", '{"x": 1}')]),
    "first fragment has a brace": (
        [[fragment(index=0, id="a", name="f", arguments="{")], [fragment(index=0, arguments='"x": 1}')]],
        [("f", '{"x": 1}')],
    ),
    "two calls, in turn": (
        [
            [fragment(index=0, id="a", name="f", arguments="")],
            [fragment(index=1, id="b", name="g", arguments="")],
            [fragment(index=0, arguments='{"x": 1}'), fragment(index=1, arguments='{"y": 2}')],
        ],
        [("f", '{"x": 1}'), ("g", '{"y": 2}')],
    ),
    "null as text for no arguments": ([[fragment(index=0, id="a", name="f", arguments="null")]], [("f", "{}")]),
    "no arguments at all": ([[fragment(index=0, id="a", name="f")]], [("f", "{}")]),
    "null pieces": (
        [[fragment(index=0, id="a", name="f", arguments=None)], [fragment(index=0, arguments="{}")]],
        [("f", "{}")],
    ),
    "an object instead of text": (
        [[fragment(index=0, id="a", name="f", arguments={"x": 1})]],
        [("f", '{"x": 1}')],
    ),
    "empty id later": (
        [[fragment(index=0, id="a", name="f", arguments="{")], [fragment(index=0, id="", arguments="}")]],
        [("f", "{}")],
    ),
    "empty name later": (
        [[fragment(index=0, id="a", name="f", arguments="{")], [fragment(index=0, name="", arguments="}")]],
        [("f", "{}")],
    ),
    "id and name in each fragment": (
        [
            [fragment(index=0, id="0", name="f", arguments="")],
            [fragment(index=0, id="0", name="f", arguments='{"x":')],
            [fragment(index=0, id="0", name="f", arguments="1}")],
        ],
        [("f", '{"x":1}')],
    ),
    "index 0 for all, ids differ": (
        [
            [fragment(index=0, id="a", name="f", arguments="{}")],
            [fragment(index=0, id="b", name="f", arguments='{"x": 1}')],
            [fragment(index=0, arguments="")],
        ],
        [("f", "{}"), ("f", '{"x": 1}')],
    ),
    "index 0 for all, pieces by id": (
        [
            [fragment(index=0, id="a", name="f", arguments="[")],
            [fragment(index=0, id="b", name="g", arguments="{")],
            [fragment(index=0, id="a", arguments="]"), fragment(index=0, id="b", arguments="}")],
        ],
        [("f", "[]"), ("g", "{}")],
    ),
    "a new id in each fragment": (
        [
            [fragment(index=0, id="a1", name="f", arguments="")],
            [fragment(index=0, id="a2", arguments='{"x": ')],
            [fragment(index=0, id="a3", name="", arguments="1")],
            [fragment(index=0, id="a4", name=None, arguments="}")],
        ],
        [("f", '{"x": 1}')],
    ),
    "a new id and the name in each fragment": (
        [
            [fragment(index=0, id="a1", name="f", arguments="")],
            [fragment(index=0, id="a2", name="f", arguments='{"x": ')],
            [fragment(index=0, id="a3", name="f", arguments="1}")],
        ],
        [("f", '{"x": 1}')],
    ),
    "a new id in each fragment of two calls": (
        [
            [fragment(index=0, id="a1", name="f", arguments="{"), fragment(index=1, id="b1", name="f", arguments="")],
            [fragment(index=1, id="b2", arguments="[]"), fragment(index=0, id="a2", arguments="}")],
        ],
        [("f", "{}"), ("f", "[]")],
    ),
    "a new id in each fragment, no index": (
        [[fragment(id="a1", name="f", arguments="")], [fragment(id="a2", arguments='{"x": 1}')]],
        [("f", '{"x": 1}')],
    ),
    "no index, ids": (
        [
            [fragment(id="a", name="f", arguments="{}"), fragment(id="b", name="g", arguments="{")],
            [fragment(arguments="}")],
        ],
        [("f", "{}"), ("g", "{}")],
    ),
    "no index, no id": (
        [[fragment(name="f", arguments='{"x": 1}'), fragment(name="f", arguments='{"x": 2}')]],
        [("f", '{"x": 1}'), ("f", '{"x": 2}')],
    ),
    "no id": (
        [
            [fragment(index=0, name="f", arguments="{")],
            [fragment(index=1, name="g", arguments="{}")],
            [fragment(index=0, arguments="}")],
        ],
        [("f", "{}"), ("g", "{}")],
    ),
    "no id, index 0 for all": (
        [[fragment(index=0, name="f", arguments="{}")], [fragment(index=0, name="g", arguments="{}")]],
        [("f", "{}"), ("g", "{}")],
    ),
    "the same id twice": (
        [[fragment(index=0, id="a", name="f", arguments="{}"), fragment(index=1, id="a", name="g", arguments="{}")]],
        [("f", "{}"), ("g", "{}")],
    ),
    "id after the name": (
        [[fragment(index=0, name="f", arguments="")], [fragment(index=0, id="a", arguments="{}")]],
        [("f", "{}")],
    ),
    "cut arguments stay as they are": (
        [[fragment(index=0, id="a", name="f", arguments='{"x": "unfin')]],
        [("f", '{"x": "unfin')],
    ),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_dialects(quirk: str) -> None:
    chunks, expected = QUIRKS[quirk]

    assert calls_of(*chunks) == expected


@pytest.mark.parametrize(("sent", "kept"), [("call_1", True), ("functions.f:0", True), ("0", False), ("", False)])
def test_ids_that_cannot_be_unique_are_replaced_for_good(sent: str, kept: bool) -> None:
    _, builder = understand(event(delta(tool_calls=[fragment(index=0, id=sent, name="f", arguments="{}")])))

    call_id = builder.answer().tool_calls[0].call_id

    assert (call_id == sent) is kept
    assert builder.answer().tool_calls[0].call_id == call_id


def test_the_name_of_a_call_is_told_once_as_soon_as_it_is_known() -> None:
    pieces = [
        event(delta(content="Let me look. ")),
        event(delta(tool_calls=[fragment(index=0, id="a", arguments="")])),
        event(delta(tool_calls=[fragment(index=0, name="f")])),
        event(delta(tool_calls=[fragment(index=0, name="f", arguments="{}")])),
        event(delta(tool_calls=[fragment(index=1, id="b", name="g", arguments="{}")])),
    ]

    events, builder = understand(*pieces)

    assert [piece for piece in events if isinstance(piece, ToolCallStarted)] == [
        ToolCallStarted(0, "f"),
        ToolCallStarted(1, "g"),
    ]
    assert builder.answer().text == "Let me look. "


def test_an_empty_duplicate_does_not_take_the_calls_away() -> None:
    whole = delta(tool_calls=[fragment(index=0, id="a", name="f", arguments="{}")], finish="tool_calls")

    answer = answer_to(whole, {**delta(content="", tool_calls=[], finish="tool_calls"), "usage": {"prompt_tokens": 1}})

    assert answer.tool_calls == (ToolCallPart(call_id="a", name="f", arguments="{}"),)


def test_calls_count_whatever_the_finish_reason_says() -> None:
    answer = answer_to(delta(tool_calls=[fragment(index=0, id="a", name="f", arguments="{}")], finish="stop"))

    assert len(answer.tool_calls) == 1
