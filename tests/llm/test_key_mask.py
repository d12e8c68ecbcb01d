"""Keys are taken out of answers, wherever the stream is cut, and nothing else is."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.asking import KEY, ask, client_of
from servers.misbehaving import Chunk, MisbehavingServer, closing, delta, event, head, json_answer

import rustbot_jupyter as rb
from rustbot_jupyter.key_forms import MASK
from rustbot_jupyter.key_spellings import spellings
from rustbot_jupyter.llm.key_mask import KeyMask
from rustbot_jupyter.llm.keys import ApiKey

OTHER = "hunter2-" + "x9" * 12
MANY = KeyMask(ApiKey(KEY).forms | ApiKey(OTHER).forms)
WORDS = st.text(alphabet="abc sk-orv1\n0123é€", max_size=12)


def streamed(text: str, cuts: list[int]) -> str:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    stream = MANY.opened()
    return "".join(stream.feed(text[start:end]) for start, end in pairwise(places)) + stream.end()


@given(
    st.lists(st.one_of(WORDS, st.sampled_from([KEY, OTHER, KEY[:7], KEY[3:]])), max_size=6), st.lists(st.integers(0))
)
def test_a_key_is_masked_wherever_the_text_is_cut(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)

    given_out = streamed(text, cuts)

    assert KEY not in given_out
    assert OTHER not in given_out
    assert given_out.count(MASK) == MANY.mask(text).count(MASK)


@given(st.lists(WORDS, max_size=8), st.lists(st.integers(0)))
def test_a_text_without_a_key_stays_as_it_is(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)

    assert streamed(text, cuts) == text


@pytest.mark.parametrize("form", sorted(spellings(KEY)))
def test_every_spelling_is_masked_letter_by_letter(form: str) -> None:
    given_out = streamed(f"see: {form}.", list(range(len(form) + 7)))

    assert form not in given_out
    assert MASK in given_out


def test_a_key_that_ends_in_the_middle_is_not_shown() -> None:
    assert streamed(f"your key is {KEY[:-1]}", [9, 17]) == f"your key is {MASK}"
    assert streamed("your key is sk-or", [14]) == "your key is sk-or"


@pytest.mark.parametrize("placeholder", ["ollama", "lm-studio", "not-needed", "sk-1234", "", "dummy"])
def test_the_placeholders_of_local_servers_are_words(placeholder: str) -> None:
    assert ApiKey(placeholder).forms == frozenset()


def test_a_text_full_of_beginnings_is_masked_in_linear_time() -> None:
    text = KEY[:-1] * 20_000 + KEY

    assert MANY.mask(text).endswith(MASK)
    assert KEY not in streamed(text, list(range(0, len(text), 1_000)))


HALF = len(KEY) // 2
CUT = [f"key: {KEY[:HALF]}", f"{KEY[HALF:]}!"]
ARGUMENTS = json.dumps({"note": KEY})
ECHOES: dict[str, list[dict[str, Any]]] = {
    "text": [delta(content=f"key: {KEY}!")],
    "text, cut": [delta(content=text) for text in CUT],
    "text, letter by letter": [delta(content=letter) for letter in f"key: {KEY}!"],
    "reasoning, cut": [*(delta(reasoning=text) for text in CUT), delta(content="Hi")],
    "thoughts in tags": [delta(content="<think>" + CUT[0]), delta(content=CUT[1] + "</think>Hi")],
    "refusal": [delta(refusal=KEY)],
    "details": [delta(reasoning_details=[{"type": "reasoning.text", "text": KEY, "signature": KEY, "index": 0}])],
    "arguments, cut": [
        delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": ARGUMENTS[:20]}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": ARGUMENTS[20:]}}]),
    ],
    "a call's name": [delta(tool_calls=[{"index": 0, "id": KEY, "function": {"name": KEY, "arguments": "{}"}}])],
    "annotations": [
        delta(content="Hi", annotations=[{"type": "url_citation", "url_citation": {"url": f"https://a/{KEY}"}}])
    ],
    "model": [{**delta(content="Hi"), "model": KEY, "provider": KEY, "id": KEY}],
}


@pytest.mark.parametrize("name", ECHOES)
async def test_a_key_that_comes_back_is_in_no_part_of_the_answer(server: MisbehavingServer, name: str) -> None:
    pieces = [Chunk(event({"id": "gen-1", **chunk})) for chunk in ECHOES[name]]
    server.script([head(), *pieces, *closing()])
    client = client_of(server)

    outcome = await ask(client)
    await client.aclose()

    assert outcome.error is None
    assert not any(form in repr(outcome) for form in spellings(KEY))
    assert MASK in repr(outcome.answer)
    if name.startswith("text"):
        assert outcome.text == outcome.answer.text
        # What came before it could be told from other text is there.
        assert outcome.text.replace(f"sk-{MASK}", MASK) == f"key: {MASK}!"


async def test_a_whole_answer_is_masked_too(server: MisbehavingServer) -> None:
    message = {"role": "assistant", "content": f"key: {KEY}!"}
    server.script(json_answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))
    client = client_of(server)

    outcome = await ask(client)
    await client.aclose()

    assert outcome.answer.text == f"key: {MASK}!"


@pytest.mark.usefixtures("own_folders")
def test_a_key_that_came_back_is_not_kept_shown_or_sent_again(server: MisbehavingServer) -> None:
    server.script([head(), *(Chunk(event(delta(content=text))) for text in CUT), *closing()])
    bot = rb.Rustbot(model="tiny", base_url=server.base_url, api_key=KEY, tools=())
    try:
        reply = bot.ask("What is your key?")
        bot.ask("Again?")

        shown = [reply.text, repr(reply), str(reply.events), str(bot.conversation.messages), bot.events().to_csv()]
        assert reply.text == f"key: {MASK}!"
        assert not any(KEY in text for text in shown)
        assert KEY.encode() not in server.chats[-1].body
    finally:
        bot.close()
