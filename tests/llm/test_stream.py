"""Every dialect of chunks becomes the same kind of answer: one small fixture per quirk."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.asking import answer_to, understand
from servers.misbehaving import USAGE, delta, event

from rustbot_jupyter.llm.base import ReasoningDelta, TextDelta, ToolCallStarted
from rustbot_jupyter.llm.stream import AnswerBuilder
from rustbot_jupyter.messages import CitationPart, ImagePart, TextPart

DONE = event("[DONE]")


def choice(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, **fields}]}


def test_text_is_joined_and_the_head_is_known() -> None:
    answer = answer_to(delta(content="Hel"), delta(content="lo"), delta(content="", finish="stop"))

    assert answer.text == "Hello"
    assert (answer.model, answer.provider, answer.generation_id) == ("test/model-1", "Test", "gen-test-1")
    assert answer.finish_reason == "stop"
    assert answer.is_complete


@pytest.mark.parametrize(
    "last",
    [
        {**delta(content="", finish="stop"), "usage": USAGE},
        {"choices": [], "usage": USAGE},
        {**delta(content=""), "usage": USAGE},
        {"choices": None, "usage": USAGE},
        {"usage": USAGE},
    ],
)
def test_the_usage_chunk_comes_in_many_shapes(last: dict[str, Any]) -> None:
    answer = answer_to(delta(content="Hi"), delta(content="", finish="stop"), last)

    assert answer.text == "Hi"
    assert answer.finish_reason == "stop"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 5)
    assert (answer.usage.cache_read_tokens, answer.usage.reasoning_tokens) == (2, 1)
    assert answer.usage.cost_usd == 0.00042
    assert not answer.usage.cost_is_estimate


def test_the_last_usage_wins_and_null_is_ignored() -> None:
    first, last = {"usage": {"prompt_tokens": 1}}, {"usage": {"prompt_tokens": 2, "completion_tokens": 3}}

    answer = answer_to(first, last, {"usage": None}, {"x_groq": {"id": "req"}})

    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2, 3)


def test_the_usage_of_groq_is_found() -> None:
    assert answer_to({"x_groq": {"usage": {"prompt_tokens": 7, "completion_tokens": 1}}}).usage.input_tokens == 7


def test_a_cost_object_gives_its_total() -> None:
    cost = {"input_tokens_cost": 1, "total_cost": 0.005}

    assert answer_to({"usage": {"prompt_tokens": 1, "cost": cost}}).usage.cost_usd == 0.005


def test_a_cost_of_zero_is_a_cost_and_a_missing_one_is_unknown() -> None:
    assert answer_to({"usage": {"prompt_tokens": 1, "cost": 0}}).usage.cost_usd == 0.0
    assert answer_to({"usage": {"prompt_tokens": 1}}).usage.cost_usd is None


@pytest.mark.parametrize(
    "odd", [-1, "three", "1.5", "nan", "-1", True, None, [], float("nan"), float("inf"), 1.5, 10**400]
)
def test_odd_counts_are_unknown(odd: Any) -> None:
    """B3: odd values are refused."""
    answer = answer_to({"usage": {"prompt_tokens": odd, "completion_tokens": 4}})

    assert answer.usage.input_tokens is None
    assert answer.usage.output_tokens == 4


@pytest.mark.parametrize("odd", [-1, "three", "nan", "", True, float("nan"), float("inf"), [], 10**400])
def test_odd_costs_are_unknown(odd: Any) -> None:
    """B3: odd values are refused."""
    assert answer_to({"usage": {"prompt_tokens": 1, "cost": odd}}).usage.cost_usd is None


@pytest.mark.parametrize("written", [12, 12.0, "12", "12.0", "1.2e1"])
def test_whole_numbers_count_whatever_their_type(written: Any) -> None:
    answer = answer_to({"usage": {"prompt_tokens": written, "completion_tokens": 4}})

    assert answer.usage.input_tokens == 12
    assert type(answer.usage.input_tokens) is int


@pytest.mark.parametrize(
    ("usage", "read", "written"),
    [
        ({"cached_tokens": 8}, 8, None),
        ({"prompt_cache_hit_tokens": 8}, 8, None),
        ({"cache_read_input_tokens": 8, "cache_creation_input_tokens": 3}, 8, 3),
        ({"prompt_tokens_details": {"cached_tokens": 8}, "cached_tokens": 9}, 8, None),
        ({"prompt_tokens_details": {"cached_tokens": None}, "cached_tokens": 8.0}, 8, None),
        ({"input_tokens_details": {"cached_tokens": "8", "cache_creation_tokens": 2}}, 8, 2),
    ],
)
def test_cached_tokens_are_found_where_they_stand(usage: dict[str, Any], read: int, written: int | None) -> None:
    found = answer_to({"usage": {"prompt_tokens": 12, "completion_tokens": 5, **usage}}).usage

    assert (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens) == (12, read, written)


def test_cached_tokens_that_are_counted_apart_belong_to_the_input() -> None:
    usage = {"input_tokens": 4, "output_tokens": 5, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 1}

    assert answer_to({"usage": usage}).usage.input_tokens == 13


@pytest.mark.parametrize("growing", [False, True])
def test_the_usage_may_stand_in_a_choice(growing: bool) -> None:
    def counted(tokens: int, finish: str | None = None) -> dict[str, Any]:
        return choice(
            delta={"content": "a"}, finish_reason=finish, usage={"prompt_tokens": 12, "completion_tokens": tokens}
        )

    answer = answer_to(*([counted(1), counted(2)] if growing else []), counted(5, "stop"))

    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 5)


def test_a_later_usage_leaves_what_only_an_earlier_one_told() -> None:
    usage = answer_to({"usage": {"prompt_tokens": 1, "cost": 0.5}}, {"usage": {"completion_tokens": 3}}).usage

    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (1, 3, 0.5)


@pytest.mark.parametrize(
    ("told", "upstream", "own_key", "paid"),
    [
        (0.001, 0.9, True, 0.901),
        (0, 0.9, True, 0.9),
        (None, 0.9, True, 0.9),
        ("0.001", "0.9", True, 0.901),
        (0.001, 0.9, None, 0.901),
        (0, 0.9, None, 0.9),
        (0, None, True, None),
        (0.9, 0.9, False, 0.9),
        (0.9, 0.9, None, 0.9),
        (0.5, None, None, 0.5),
    ],
)
def test_with_a_key_of_ones_own_the_providers_bill_is_a_part_of_the_cost(
    told: Any, upstream: Any, own_key: bool | None, paid: float | None
) -> None:
    usage = {"prompt_tokens": 1, "cost": told, "cost_details": {"upstream_inference_cost": upstream}}
    usage |= {} if own_key is None else {"is_byok": own_key}

    assert answer_to({"usage": usage}).usage.cost_usd == (None if paid is None else pytest.approx(paid))


@pytest.mark.parametrize(
    ("sent", "reason", "native"),
    [
        ("stop", "stop", None),
        ("", None, None),
        (None, None, None),
        ("eos", "stop", "eos"),
        ("function_call", "tool_calls", "function_call"),
        ("length", "length", None),
        ("content_filter", "content_filter", None),
        ("whatever", "stop", "whatever"),
        (7, None, None),
    ],
)
def test_finish_reasons_are_normalised(sent: Any, reason: str | None, native: str | None) -> None:
    answer = answer_to(delta(content="Hi"), choice(delta={}, finish_reason=sent))

    assert (answer.finish_reason, answer.native_finish_reason) == (reason, native)


def test_the_first_finish_reason_stays() -> None:
    answer = answer_to(delta(finish="length"), delta(finish="stop"), {**delta(), "usage": USAGE})

    assert answer.finish_reason == "length"


def test_text_beside_the_finish_reason_counts() -> None:
    assert answer_to(delta(content="all", finish="stop")).text == "all"


@pytest.mark.parametrize("body", [b"", DONE])
def test_complete_means_a_finish_reason_or_done(body: bytes) -> None:
    """N11: no `[DONE]`, or `[DONE]` without a finish reason, is accepted."""
    finish = "stop" if not body else None
    _, builder = understand(event(delta(content="Hi", finish=finish)) + body)

    assert builder.answer().is_complete
    assert builder.answer().finish_reason == finish


def test_neither_finish_reason_nor_done_is_incomplete() -> None:
    """N10: interrupted, never done."""
    assert not understand(event(delta(content="Hi")))[1].answer().is_complete


def test_nothing_after_done_counts() -> None:
    _, builder = understand(event(delta(content="Hi")) + DONE + event(delta(content=" late")) + DONE)

    assert builder.answer().text == "Hi"


@pytest.mark.parametrize("done", [b"data:[DONE]\n\n", b"data:  [DONE] \n\n", b"data: [DONE]\r\n\r\n", b"data: [DONE]"])
def test_done_is_known_in_any_spelling(done: bytes) -> None:
    assert understand(done)[1].is_done


@pytest.mark.parametrize(
    "chunk",
    [
        {},
        {"choices": [{}]},
        {"choices": [None]},
        {"choices": {"0": 1}},
        {"choices": "x"},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": []}]},
        {"choices": [{"index": 0, "delta": {"content": None}}]},
        {"choices": [{"index": 0, "delta": {"content": 5}}]},
        {"choices": [{"index": 0, "delta": {"content": [None, 5, {"type": "image"}]}}]},
        {"choices": [{"index": 0, "delta": {"reasoning": 5, "reasoning_details": 5, "tool_calls": 5}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [None, {}, {"function": None}, {"index": "x"}]}}]},
        {"choices": [{"index": 0, "delta": {"annotations": [5, {"url_citation": 5}], "refusal": 5}}]},
        {"choices": [], "debug": {"echo_upstream_body": {}}},
        {"type": "response.output_text.delta", "delta": "x"},
        {"model": 5, "id": [], "provider": {}},
        {"usage": "x", "citations": 5, "search_results": {"a": 1}},
        {"error": None},
        {"x_groq": 5},
    ],
)
def test_odd_shapes_are_harmless(chunk: dict[str, Any]) -> None:
    """N14: odd shapes."""
    answer = answer_to(delta(content="a"), chunk, delta(content="b", finish="stop"))

    assert answer.text == "ab"
    assert answer.tool_calls == ()
    assert answer.is_complete


CR, LF = "\r", "\n"
BROKEN = ["{", "[1, 2", '{"choices": [{"delta": {"content": "x', "{'choices': [{'delta': {}}]}", "[" * 100_000]
ESCAPED_WRONG = [
    r'{"choices": [{"delta": {"content": "\x41"}}]}',
    r"""{"choices": [{"delta": {"content": "it\'s"}}]}""",
]


@pytest.mark.parametrize("junk", ["nonsense", "ping", "[PING]", "1", "null", "[]", *BROKEN, *ESCAPED_WRONG])
def test_events_that_do_not_parse_are_skipped_and_counted(junk: str) -> None:
    """N13."""
    _, builder = understand(event(delta(content="a")) + event(junk) + event(delta(content="b")) + DONE)

    assert builder.answer().text == "ab"
    assert builder.answer().skipped_events == 1


@pytest.mark.parametrize("junk", [*BROKEN, *ESCAPED_WRONG, '{"choices": []} {"choices'])
def test_an_answer_with_a_piece_that_cannot_be_read_is_not_complete(junk: str) -> None:
    _, builder = understand(event(delta(content="a")) + event(junk) + event(delta(content="b", finish="stop")) + DONE)

    assert builder.has_gap
    assert not builder.answer().is_complete


@pytest.mark.parametrize("junk", ["ping", "1", "null"])
def test_a_life_sign_in_its_own_words_leaves_no_gap(junk: str) -> None:
    _, builder = understand(event(delta(content="a")) + event(junk) + event(delta(content="b", finish="stop")) + DONE)

    assert builder.answer().is_complete


@pytest.mark.parametrize("raw", ["\t", "\x1b[1m", "\x0b", "\0", "\x7f", "\x1f", "\n", "\r", "\r\n"])
def test_control_characters_that_nobody_escaped_are_text(raw: str) -> None:
    text = delta(content="one|two ")
    written = json.dumps(text).replace("|", raw).encode()
    stream = event(delta(content="a ")) + b"data: " + written + b"\n\n" + event(delta(content="b", finish="stop"))

    answer = understand(stream + DONE)[1].answer()

    assert answer.text == f"a one{raw if raw not in {CR, CR + LF} else LF}two b"
    assert answer.is_complete


@pytest.mark.parametrize("between", [" ", "\ndata: ", "data: ", "", "\n"])
def test_several_chunks_in_one_event_are_all_read(between: str) -> None:
    both = between.join(json.dumps(delta(content=text)) for text in ("one ", "two "))

    answer = understand(f"data: {both}\n\ndata: {json.dumps(delta(finish='stop'))}\ndata: [DONE]".encode())[1].answer()

    assert answer.text == "one two "
    assert answer.is_complete


WHOLE = {"role": "assistant", "content": "Hello, my dear world."}


@pytest.mark.parametrize(
    "chunks",
    [
        [choice(message=WHOLE, finish_reason="stop")],
        [choice(delta={}, message=WHOLE, finish_reason="stop")],
        [choice(delta={"role": "assistant", "content": ""}, message=WHOLE, finish_reason="stop")],
        [choice(delta={"content": "Hello, my dear world."}), choice(message=WHOLE, finish_reason="stop")],
        [choice(delta={"content": "Hello, "}), choice(delta={"content": "my dear world."}, message=WHOLE)],
        [choice(message={"content": "Hello, "}), choice(message={"content": "my dear world."})],
        [choice(message={"content": "Hello, my dear "}), choice(message=WHOLE), choice(message=WHOLE)],
        [choice(message={"content": [{"type": "text", "text": "Hello, my dear world."}]})],
        [choice(text="Hello, "), choice(text="my dear world.", finish_reason="stop")],
        [choice(text="Hello, my dear world.", delta=None, finish_reason="stop")],
        [choice(delta={"content": "Hello, my dear world."}, text="Hello, my dear world.")],
        [{"message": {"role": "assistant", "content": text}, "done": False} for text in ("Hello, ", "my dear world.")],
    ],
)
def test_text_that_does_not_stand_in_a_delta_is_found_once(chunks: list[dict[str, Any]]) -> None:
    assert answer_to(*chunks).text == "Hello, my dear world."


def test_the_older_function_call_is_a_tool_call() -> None:
    answer = answer_to(
        delta(function_call={"name": "f", "arguments": ""}),
        delta(function_call={"arguments": '{"x": '}),
        delta(function_call={"arguments": "1}"}, finish="function_call"),
    )

    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("f", '{"x": 1}')]
    assert answer.finish_reason == "tool_calls"


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_keeps_the_name_it_came_under(field: str) -> None:
    reasoning = answer_to(delta(**{field: "hm"}), delta(content="Hi", finish="stop")).reasoning

    assert reasoning is not None
    assert (reasoning.text, reasoning.field) == ("hm", field)


def framed(chunks: list[dict[str, Any]], style: str) -> bytes:
    """The same chunks, framed as some servers do."""
    texts = [json.dumps(chunk) for chunk in chunks]
    match style:
        case "no blank after the colon":
            return "".join(f"data:{text}\n\n" for text in texts).encode() + b"data:[DONE]\n\n"
        case "carriage returns":
            return "".join(f"data: {text}\r\r" for text in texts).encode() + b"data: [DONE]\r\r"
        case "both line ends":
            return "".join(f"data: {text}\r\n\r\n" for text in texts).encode() + b"data: [DONE]\r\n\r\n"
        case "a mark at the start":
            return b"\xef\xbb\xbf" + framed(chunks, "plain")
        case "comments and names":
            return "".join(f": hi\nevent: message\nid: 7\nretry: 9\ndata: {text}\n\n" for text in texts).encode()
        case "single line ends":
            return "".join(f"data: {text}\n" for text in texts).encode() + b"data: [DONE]\n"
        case "no end":
            return "\n\n".join(f"data: {text}" for text in texts).encode()
        case "a stream in a stream":
            return "".join(f"data: data: {text}\n\n" for text in texts).encode() + b"data: data: [DONE]\n\n"
    return "".join(f"data: {text}\n\n" for text in texts).encode() + b"data: [DONE]\n\n"


STYLES = [
    "plain",
    "no blank after the colon",
    "carriage returns",
    "both line ends",
    "a mark at the start",
    "comments and names",
    "single line ends",
    "no end",
    "a stream in a stream",
]
PIECES = st.one_of(
    st.text(max_size=8).map(lambda text: delta(content=text)),
    st.text(max_size=8).map(lambda text: delta(reasoning_content=text)),
    st.text(max_size=8).map(lambda text: delta(tool_calls=[{"index": 0, "function": {"arguments": text}}])),
    st.just(delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}])),
    st.just({"choices": [], "usage": USAGE}),
)


@given(
    chunks=st.lists(PIECES, min_size=1, max_size=8),
    style=st.sampled_from(STYLES),
    cuts=st.lists(st.integers(0, 4_000), max_size=12),
)
def test_a_stream_means_the_same_however_it_is_framed_and_cut(
    chunks: list[dict[str, Any]], style: str, cuts: list[int]
) -> None:
    chunks = [*chunks, delta(content="end", finish="stop")]
    stream = framed(chunks, style)
    places = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    plain = answer_to(*chunks)

    answer = understand(*(stream[start:end] for start, end in pairwise(places)))[1].answer()

    calls = [[(call.name, call.arguments) for call in found.tool_calls] for found in (answer, plain)]
    assert calls[0] == calls[1]
    assert (answer.text, answer.reasoning, answer.usage) == (plain.text, plain.reasoning, plain.usage)
    assert answer.is_complete


def test_broken_events_that_would_fit_together_stay_apart() -> None:
    """Events are parsed several at a time; their borders must hold all the same."""
    halves = ['{"choices": [{"delta": {"content": "x"}}], "a": [1}', "{2]}"]

    _, builder = understand(b"".join(event(half) for half in halves))

    assert builder.answer().text == ""
    assert builder.answer().skipped_events == 2


def test_only_the_first_choice_is_shown() -> None:
    second = {"choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": "stop"}]}
    both = {"choices": [{"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": "b"}}]}

    assert answer_to(delta(content="a"), second, both, done=False).text == "ab"


def test_a_message_beside_the_delta_is_ignored() -> None:
    last = choice(message={"role": "assistant", "content": "1 2 3"}, delta={"content": ""}, finish_reason="stop")

    assert answer_to(delta(content="1 2 3"), last).text == "1 2 3"


def test_adjacent_pieces_of_one_read_come_as_one() -> None:
    pieces = [delta(reasoning="a"), delta(reasoning="b"), delta(content="c"), delta(content="d"), delta(reasoning="e")]

    events, _ = understand(b"".join(map(event, pieces)))

    assert events == [ReasoningDelta("ab"), TextDelta("cd"), ReasoningDelta("e")]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_found_under_its_names(field: str) -> None:
    answer = answer_to(delta(**{field: "think"}), delta(content="Hi", finish="stop"))

    assert answer.reasoning is not None
    assert answer.reasoning.text == "think"


def test_the_same_thought_under_several_names_is_shown_once() -> None:
    details = [{"type": "reasoning.text", "text": "think", "index": 0}]

    events, builder = understand(
        event(delta(content="", reasoning="think", reasoning_content="think", reasoning_details=details))
    )

    assert events == [ReasoningDelta("think")]
    assert builder.answer().reasoning.details == ({"type": "reasoning.text", "text": "think", "index": 0},)  # type: ignore[union-attr]


def test_reasoning_details_are_put_together_with_their_late_signature() -> None:
    part = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    hidden = {"type": "reasoning.encrypted", "data": "gAAA", "id": "rs_1", "format": "x", "index": 0}

    answer = answer_to(
        delta(reasoning="Let ", reasoning_details=[{**part, "text": "Let "}]),
        delta(reasoning="me", reasoning_details=[{**part, "text": "me"}]),
        delta(reasoning_details=[{**part, "signature": "sig=="}]),
        delta(reasoning_details=[{**part, "text": "", "signature": None}]),
        delta(reasoning_details=[hidden]),
        delta(content="Hi", finish="stop"),
    )

    assert answer.reasoning is not None
    assert answer.reasoning.text == "Let me"
    assert answer.reasoning.details == ({**part, "text": "Let me", "signature": "sig=="}, hidden)


def test_summaries_and_blocks_of_their_own_stay_apart() -> None:
    one = {"type": "reasoning.summary", "index": 0}
    two = {"type": "reasoning.summary", "index": 1}

    answer = answer_to(
        delta(reasoning_details=[{**one, "summary": "a"}, {**two, "summary": "c"}]),
        delta(reasoning_details=[{**one, "summary": "b"}]),
    )

    assert [dict(detail) for detail in answer.reasoning.details] == [{**one, "summary": "ab"}, {**two, "summary": "c"}]  # type: ignore[union-attr]


def test_encrypted_reasoning_alone_is_kept_without_text() -> None:
    answer = answer_to(delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "gA", "index": 0}]))

    assert answer.reasoning is not None
    assert answer.reasoning.text == ""
    assert answer.reasoning.details[0]["data"] == "gA"


def test_content_as_a_list_gives_text_and_thinking() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}

    answer = answer_to(
        delta(content=[thinking]), delta(content=[thinking, {"type": "text", "text": "1"}]), delta(content="44")
    )

    assert answer.text == "144"
    assert answer.reasoning is not None
    assert answer.reasoning.text == "hmhm"


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("sent", "thought", "text"),
    [
        ("<think>\nTwelve squared </ is.\n</think>\n\n144", "Twelve squared </ is.", "144"),
        ("\n<think>hm</think>144 <think>no tag</think>", "hm", "144 <think>no tag</think>"),
        ("<think></think>144", "", "144"),
        ("<think>cut off </thi", "cut off </thi", ""),
        ("\n <thin", "", "\n <thin"),
        ("<b>144</b>", "", "<b>144</b>"),
        ("so <think>144</think>", "", "so <think>144</think>"),
    ],
)
def test_thoughts_between_tags_at_the_start_are_reasoning(sent: str, thought: str, text: str, size: int) -> None:
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]

    answer = answer_to(*(delta(content=piece) for piece in pieces), delta(content="", finish="stop"))

    assert answer.text == text
    assert (answer.reasoning.text.rstrip() if answer.reasoning else "") == thought


def test_a_refusal_is_kept_and_stands_for_the_text() -> None:
    answer = answer_to(delta(content="", refusal="I can't"), delta(content="", refusal=" help", finish="stop"))

    assert answer.text == ""
    assert answer.refusal == "I can't help"
    assert answer.parts[0].text == "I can't help"  # type: ignore[union-attr]


def test_images_are_collected_once_each_and_what_is_none_is_left_out() -> None:
    def image(url: str) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": url}}

    drawn, far = image("data:image/png;base64,iVBORw0="), image("https://a.test/x.png")
    odd = [
        None,
        {},
        image("data:image/svg+xml;base64,PHN2Zz4="),
        image("data:image/png;base64,%%"),
        image("javascript:x"),
    ]

    answer = answer_to(
        delta(content="", images=[drawn]), delta(content="Here", images=[drawn, far, *odd], finish="stop")
    )

    assert answer.images == (
        ImagePart(media_type="image/png", data=b"\x89PNG\r"),
        ImagePart(media_type="", url="https://a.test/x.png"),
    )
    assert answer.parts == (TextPart(text="Here"), *answer.images)


def test_citations_are_collected_once_each() -> None:
    def cite(url: str, title: str) -> dict[str, Any]:
        return {"type": "url_citation", "url_citation": {"url": url, "title": title, "start_index": 0, "end_index": 0}}

    answer = answer_to(
        delta(content="", annotations=[cite("https://a", "A")]),
        delta(content="x", annotations=[cite("https://a", "A"), cite("https://b", "")]),
        delta(annotations=[{"type": "file", "file": {"hash": "1"}}], finish="stop"),
    )

    assert answer.citations == (CitationPart(url="https://a", title="A"), CitationPart(url="https://b", title=""))
    assert [annotation["type"] for annotation in answer.annotations] == ["url_citation", "url_citation", "file"]


def test_citations_of_perplexity_have_the_titles_of_its_search_results() -> None:
    chunk = {
        **delta(content="x"),
        "citations": ["https://a", "https://b"],
        "search_results": [{"title": "A", "url": "https://a"}],
    }

    assert answer_to(chunk, chunk).citations == (
        CitationPart(url="https://a", title="A"),
        CitationPart(url="https://b", title=""),
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"error": {"code": 502, "message": "down"}},
        {**delta(content="", finish="error"), "error": {"code": "server_error", "message": "down"}},
        {"object": "error", "message": "down"},
        {"error": "down"},
        choice(delta={}, finish_reason="error", error={"code": 502, "message": "down"}),
        choice(delta={"content": ""}, finish_reason="error"),
    ],
)
def test_an_error_in_a_chunk_is_seen_whatever_its_shape(bad: dict[str, Any]) -> None:
    """N24."""
    _, builder = understand(event(delta(content="Hi")) + event(bad) + DONE)

    assert builder.error is not None
    assert not builder.answer().is_complete
    assert builder.answer().text == "Hi"


def test_an_error_event_is_an_error_whatever_it_holds() -> None:
    _, builder = understand(event({"message": "no"}, name="error"))

    assert builder.error == {"message": "no"}


def test_an_error_after_the_finish_reason_still_brings_its_usage() -> None:
    """As MiniMax sends it."""
    bad = {**delta(content=""), "error": {"code": 400, "message": "Token limit reached"}, "usage": {"prompt_tokens": 3}}

    _, builder = understand(b"".join(map(event, [delta(finish="length"), delta(finish="length"), bad])) + DONE)

    assert builder.error["message"] == "Token limit reached"
    assert builder.answer().usage.input_tokens == 3
    assert not builder.answer().is_complete


@pytest.mark.parametrize("native", ["network_error", "error"])
def test_a_failure_that_hides_behind_a_harmless_reason_is_an_error(native: str) -> None:
    hidden = choice(delta={"content": ""}, finish_reason="stop", native_finish_reason=native)

    assert understand(event(hidden) + DONE)[1].error is not None


def test_surrogate_pairs_cut_between_chunks_become_one_character() -> None:
    first, second = event(delta(content="a\ud83d")), event(delta(content="\ude00b"))

    events, builder = understand(first, second)

    assert events == [TextDelta("a"), TextDelta("😀b")]
    assert builder.answer().text == "a😀b"
    assert understand(first + second)[1].answer().text == "a😀b"


def test_a_lone_surrogate_stays_as_it_came() -> None:
    events, builder = understand(event(delta(content="a\ud83d")), event(delta(content="b")))

    assert builder.answer().text == "a\ud83db"
    assert "".join(piece.text for piece in events) == "a\ud83db"  # type: ignore[union-attr]
    assert understand(event(delta(content="a\ud83d")))[1].answer().text == "a\ud83d"


def test_a_whole_answer_reads_like_a_stream() -> None:
    builder = AnswerBuilder()
    message = {
        "content": "Hi",
        "reasoning": "hm",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }

    builder.add_whole(
        {"id": "gen-1", "model": "m", "usage": USAGE, "choices": [{"message": message, "finish_reason": ""}]}
    )

    answer = builder.answer()
    assert (answer.text, answer.generation_id, answer.finish_reason) == ("Hi", "gen-1", None)
    assert answer.tool_calls[0].call_id == "c1"
    assert answer.usage.cost_usd == 0.00042
    assert answer.is_complete
    assert builder.take() == [TextDelta("Hi"), ReasoningDelta("hm"), ToolCallStarted(0, "f")]


@pytest.mark.parametrize("body", [{}, [], "x", None, {"data": []}])
def test_a_whole_body_that_is_no_answer_is_known_as_such(body: Any) -> None:
    builder = AnswerBuilder()

    builder.add_whole(body)

    assert builder.nothing_parsed


def test_the_answer_can_be_read_at_any_time() -> None:
    _, builder = understand(event(delta(content="Hel")))

    first = builder.answer()
    builder.feed([("", json.dumps(delta(content="lo", finish="stop")))])

    assert (first.text, first.is_complete) == ("Hel", False)
    assert builder.answer().text == "Hello"
    assert builder.take() == [TextDelta("lo")]


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("Two and two.\n</think>\n\nFour.", "Two and two.", "Four."),
        ("Two and two.</think>Four.", "Two and two.", "Four."),
        ("</think>\n\nFour.", "", "Four."),
        ("Use `a` and ```x``` here.\n</think>\nFour.", "Use `a` and ```x``` here.", "Four."),
        ("Hm.\n</mm:think>\nFour.", "Hm.", "Four."),
        ("Hm.\n[/THINK]Four.", "Hm.", "Four."),
        *(
            (f"{opened}Hm.{close}\nFour.", "Hm.", "Four.")
            for opened, close in [
                ("<thinking>", "</thinking>"),
                ("[THINK]", "[/THINK]"),
                ("<mm:think>", "</mm:think>"),
                ("<reasoning>", "</reasoning>"),
                ("<seed:think>", "</seed:think>"),
                ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
            ]
        ),
    ],
)
@pytest.mark.parametrize("is_cut", [False, True])
def test_thoughts_are_told_from_the_answer_whatever_their_tags(
    text: str, thought: str, answer: str, is_cut: bool
) -> None:
    pieces = list(text) if is_cut else [text]

    found = answer_to(*(delta(content=piece) for piece in pieces), delta(finish="stop"))

    assert (found.reasoning.text if found.reasoning else "", found.text) == (thought, answer)


@pytest.mark.parametrize(
    "text",
    [
        "The tag </think> ends the thought.",
        "It ends with `</think>`.",
        "It ends with </think>.",
        "```\nhm\n</think>\nx\n```",
        "Write `<think>` and then\n</think>\nbehind it.",
        "<p>so</p> and <thinker>",
        "a [/THINK] b",
        "<reason",
    ],
)
def test_an_answer_that_speaks_of_the_tags_is_left_as_it_is(text: str) -> None:
    found = answer_to(delta(content=text), delta(finish="stop"))

    assert (found.reasoning, found.text) == (None, text)
