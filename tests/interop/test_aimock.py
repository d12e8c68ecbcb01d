"""Conversations with aimock, an independent stand-in for OpenAI and OpenRouter; skipped without node."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import rustbot_jupyter as rb
from rustbot_jupyter.errors import RateLimited

LLMOCK = Path(__file__).parents[2] / "js" / "node_modules" / ".bin" / "llmock"
FIXTURES = {
    "fixtures": [
        {"match": {"userMessage": "one"}, "response": {"content": "The first answer, in **Markdown**. Ünïcödé 👍"}},
        {"match": {"userMessage": "two"}, "response": {"content": "The second answer.", "reasoning": "I think."}},
        {
            "match": {"userMessage": "call"},
            "response": {"toolCalls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]},
        },
        {"match": {"userMessage": "limited"}, "response": {"error": {"message": "Slow down"}, "status": 429}},
    ]
}

pytestmark = pytest.mark.skipif(not LLMOCK.exists(), reason="needs node and `npm ci` in js/")


@contextmanager
def llmock(folder: Path, *options: str) -> Iterator[str]:
    """The address of a running aimock."""
    (folder / "fixtures.json").write_text(json.dumps(FIXTURES), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(LLMOCK), "-p", str(port), "-f", str(folder / "fixtures.json"), "--strict", *options]
    with (folder / "aimock.log").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 20
        while not _answers(address):
            assert time.monotonic() < deadline, (folder / "aimock.log").read_text()
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/v1/models", timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llmock(tmp_path_factory.mktemp("aimock")) as running:
        yield running


def make_bot(base_url: str) -> rb.Rustbot:
    bot = rb.Rustbot(model="openai/gpt-4o-mini", base_url=base_url, api_key="test-key-of-aimock")
    bot.settings.retries = 0
    return bot


@pytest.fixture(params=["/v1", "/api/v1"], ids=["openai", "openrouter"])
def bot(request: pytest.FixtureRequest, address: str) -> Iterator[rb.Rustbot]:
    bot = make_bot(address + request.param)
    yield bot
    bot.close()


def test_a_conversation_is_streamed_and_counted(bot: rb.Rustbot):
    replies = [bot.ask("one"), bot.ask("two")]

    assert replies[0].text == "The first answer, in **Markdown**. Ünïcödé 👍"
    assert replies[1].text == "The second answer."
    assert [reply.finish_reason for reply in replies] == ["stop", "stop"]
    assert all(reply.usage.input_tokens and reply.usage.output_tokens for reply in replies)


def test_a_tool_call_nobody_asked_for_is_assembled_whole(bot: rb.Rustbot):
    with pytest.raises(rb.RustbotError):
        bot.ask("call")

    call = next(message for message in bot.conversation.messages if message.tool_calls).tool_calls[0]
    assert call.name == "get_weather"
    assert json.loads(call.arguments) == {"city": "Paris"}


def test_a_rate_limit_is_told_as_one(bot: rb.Rustbot):
    with pytest.raises(RateLimited) as raised:
        bot.ask("limited")

    assert raised.value.status == 429


def test_connections_that_are_destroyed_end_in_one_plain_sentence(tmp_path: Path):
    with llmock(tmp_path, "--chaos-disconnect", "1") as address:
        bot = make_bot(f"{address}/v1")

        with pytest.raises(rb.ModelError) as raised:
            bot.ask("one")
        bot.close()

    assert len(str(raised.value).splitlines()) == 1
    assert "httpx" not in str(raised.value)
