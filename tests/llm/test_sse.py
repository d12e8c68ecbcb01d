"""Bytes become events by the rules of server-sent events, wherever they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.llm.sse import EventTooLong, SSEDecoder


def decode(*pieces: bytes) -> list[tuple[str, str]]:
    decoder = SSEDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_the_same(end: str) -> None:
    data = f"data: one{end}{end}data: two{end}{end}".encode()

    assert decode(data) == [("", "one"), ("", "two")]
    assert decode(*(data[at : at + 1] for at in range(len(data)))) == [("", "one"), ("", "two")]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data:no space\n\n", [("", "no space")]),
        (b"data:  two spaces\n\n", [("", " two spaces")]),
        (b"data: a\ndata: b\n\n", [("", "a\nb")]),
        (b"data\n\n", [("", "")]),
        (b"event: error\ndata: x\n\n", [("error", "x")]),
        (b"data: x\nevent: late\n\n", [("late", "x")]),
        (b"id: 7\nretry: 10\ndata: x\n\n", [("", "x")]),
        (b"event: nothing\n\n", []),
        (b"unknown: x\n\ndata: y\n\n", [("", "y")]),
        (b"\n\n\n\ndata: x\n\n\n\n\ndata: y\n\n", [("", "x"), ("", "y")]),
        (b"data: x", [("", "x")]),
        (b"data: x\n", [("", "x")]),
        (b"\xef\xbb\xbfdata: x\n\n", [("", "x")]),
        ("data: a\u2028b\u0085c\x0bd\n\n".encode(), [("", "a\u2028b\u0085c\x0bd")]),
        (b"", []),
        (b"\xef\xbb", []),
    ],
)
def test_dialects(data: bytes, events: list[tuple[str, str]]) -> None:
    assert decode(data) == events
    assert decode(*(data[at : at + 1] for at in range(len(data)))) == events


def test_comments_are_counted_and_are_no_events() -> None:
    decoder = SSEDecoder()

    events = decoder.feed(b": OPENROUTER PROCESSING\n\n:\n\n: x\ndata: y\n\n")

    assert events == [("", "y")]
    assert decoder.comments == 3


def test_bytes_that_are_not_text_spoil_only_themselves() -> None:
    assert decode(b"data: a\xffb\n\n", b"data: \xe2\x82", b"\xac\n\n", b"data: \xf0\x9f\n\n") == [
        ("", "a\ufffdb"),
        ("", "€"),
        ("", "\ufffd"),
    ]


@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1), max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    data=st.data(),
)
def test_any_cut_gives_the_same_events(texts: list[str], end: str, data: st.DataObject) -> None:
    whole = "".join(f"data: {text}{end}{end}" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))

    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    assert decode(*pieces) == [("", text) for text in texts]


def test_an_event_that_does_not_end_is_refused() -> None:
    decoder = SSEDecoder(max_event_bytes=1_000)

    decoder.feed(b"data: " + b"x" * 900)

    with pytest.raises(EventTooLong):
        decoder.feed(b"x" * 200)


def test_a_whole_event_beyond_the_limit_is_refused() -> None:
    with pytest.raises(EventTooLong):
        SSEDecoder(max_event_bytes=1_000).feed(b"data: x\n\ndata: " + b"x" * 1_001 + b"\n\n")


def test_many_events_beyond_the_limit_together_are_fine() -> None:
    assert len(SSEDecoder(max_event_bytes=1_000).feed(b"data: 0123456789\n\n" * 500)) == 500
