"""Conversations with a real llama.cpp server."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from servers.llama import CONTEXT_TOKENS, llama_server

import rustbot_jupyter as rb
from rustbot_jupyter.errors import ContextTooLong

# Where the system has no libgomp, the package is there and cannot be imported.
pytest.importorskip("xllamacpp", exc_type=ImportError)
pytest.importorskip("gguf")


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as url:
        yield url


@pytest.fixture
def bot(base_url: str, own_folders: None) -> Iterator[rb.Rustbot]:
    bot = rb.Rustbot(base_url=base_url)
    bot.settings.max_tokens = 24
    yield bot
    bot.close()


def ask_directly(base_url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{base_url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def is_busy(base_url: str) -> bool:
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/slots", timeout=10) as answer:
        return any(slot["is_processing"] for slot in json.load(answer))


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < timeout_s, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - started


def test_three_turns_are_counted_as_the_server_counts_them(bot: rb.Rustbot, base_url: str):
    bot.settings.temperature = 0.0
    # Without tools: what the server makes of their descriptions is its own.
    replies = [bot.ask(question, tools=()) for question in ("one", "two", "three")]

    rows = bot.usage()
    messages = [{"role": "system", "content": bot.settings.values.system_prompt()}, {"role": "user", "content": "one"}]
    counted = ask_directly(base_url, {"messages": messages, "max_tokens": 24, "temperature": 0.0})["usage"]
    assert [reply.status.value for reply in replies] == ["complete"] * 3
    assert all(reply.text for reply in replies)
    assert rows["input_tokens"].iloc[0] == counted["prompt_tokens"]
    assert rows["input_tokens"].is_monotonic_increasing
    assert (rows["output_tokens"] <= 24).all()
    assert rows["provider"].tolist() == ["local"] * 3
    assert rows["cost_usd"].tolist() == [0.0] * 3


def test_without_a_model_the_one_that_the_server_lists_is_asked(bot: rb.Rustbot):
    bot.ask("hi")

    assert bot.model.endswith("tiny.gguf")


def test_an_interrupt_ends_the_generation_within_a_second_and_the_next_question_works(bot: rb.Rustbot, base_url: str):
    bot.settings.max_tokens = CONTEXT_TOKENS - 500
    replies: list[rb.Reply] = []
    asking = threading.Thread(target=lambda: replies.append(bot.ask("write on")))
    asking.start()
    wait_until(lambda: bot.state.value == "responding")

    bot.interrupt()
    asking.join(timeout=30)

    assert replies[0].status.value == "interrupted"
    assert wait_until(lambda: not is_busy(base_url)) < 1
    bot.settings.max_tokens = 8
    assert bot.ask("and now?").status.value == "complete"


def test_a_conversation_that_does_not_fit_is_told_in_one_sentence(bot: rb.Rustbot):
    bot.settings.context_budget_tokens = 100_000

    with pytest.raises(ContextTooLong) as raised:
        bot.ask("word " * CONTEXT_TOKENS)

    assert raised.value.status == 400
    assert len(str(raised.value).splitlines()) == 1
    bot.new_conversation()
    assert bot.ask("short").status.value == "complete"
