"""Every recorded exchange is understood, whole, byte by byte and in random pieces, and through a real connection."""

from __future__ import annotations

import json

import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import naive_reading
from servers.asking import ask_once, understand
from servers.misbehaving import MisbehavingServer, recording
from servers.naive_reading import RECORDINGS, Reading, body, head, is_stream, names

from rustbot_jupyter.llm.base import Answer
from rustbot_jupyter.llm.stream import AnswerBuilder

pytestmark = pytest.mark.skipif(not names(), reason="there are no recordings beside this checkout")

STREAMS = [name for name in names() if is_stream(name)]
SMALL = [name for name in STREAMS if len(body(name)) <= 6_000]

# What a plain reading cannot know.
NULL_ARGUMENTS = "groq-tool-parallel-whole-args"
OWN_CALL_IDS = "or-kimi-tool-crafted-a"
FAILURES = {
    "azure-error-429-retry-after": ("RateLimited", "exceeded rate limit"),
    "doubleword-error-404-model": ("UnknownModel", "does not exist"),
    "groq-error-event-no-done": ("StreamBroken", "Tool call validation failed"),
    "llamacpp-error-400-context": ("ContextTooLong", "exceeds the available context size"),
    "llamacpp-error-401": ("AuthenticationFailed", "Invalid API Key"),
    "llamacpp-error-500-jinja": ("ProviderUnavailable", "requires --jinja flag"),
    "ollama-cloud-error-400-context": ("ContextTooLong", "prompt too long"),
    "ollama-cloud-error-401": ("AuthenticationFailed", "Unauthorized"),
    "or-error-400-context": ("ContextTooLong", "maximum context length is 200000"),
    "or-error-400-model-id": ("UnknownModel", "is not a valid model ID"),
    "or-error-401": ("AuthenticationFailed", "Missing Authentication header"),
    "or-error-429-provider": ("RateLimited", "Google: google/gemini-2.0-flash-exp:free is temporarily rate-limited"),
    "or-error-midstream-minimax": ("StreamBroken", "Token limit reached"),
}
COSTS = {
    "or-error-midstream-minimax": 0.0,
    "or-text-2026-haiku-bedrock": 0.00006,
    "or-text-usage-empty-choices": 0.000837,
    "or-reasoning-claude-2025": 0.000669,
    "or-json-cache-write-haiku": 0.01355025,
    "or-json-web-search-gpt5.2": 0.066407,
    "or-web-annotations-stream": 0.0076509169000000005,
    "perplexity-crlf-no-done": 0.00501,
    "llamacpp-text-stream": None,
    "or-json-tool-mistral": None,
}


def check(answer: Answer, expected: Reading, name: str) -> None:
    """Compare an answer with the plain reading of the same bytes."""
    usage = expected.usage
    assert answer.text == expected.text
    assert (answer.reasoning.text if answer.reasoning else "") == expected.reasoning
    assert answer.refusal == expected.refusal
    details = answer.reasoning.details if answer.reasoning else ()
    assert [item["signature"] for item in details if item.get("signature")] == expected.signatures
    assert [item["data"] for item in details if item.get("data")] == expected.encrypted
    arguments = ["{}" if name == NULL_ARGUMENTS else call["arguments"] for call in expected.calls.values()]
    assert [call.name for call in answer.tool_calls] == [call["name"] for call in expected.calls.values()]
    assert [call.arguments for call in answer.tool_calls] == arguments
    if name != OWN_CALL_IDS:
        assert [call.call_id for call in answer.tool_calls] == [call["id"] for call in expected.calls.values()]
    assert [citation.url for citation in answer.citations] == expected.urls
    assert answer.finish_reason == expected.finish
    assert answer.model == expected.model
    assert answer.usage.input_tokens == usage.get("prompt_tokens")
    assert answer.usage.output_tokens == usage.get("completion_tokens")
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    assert answer.usage.cache_read_tokens == cached
    cost = usage.get("cost")
    assert answer.usage.cost_usd == (cost["total_cost"] if isinstance(cost, dict) else cost)
    assert answer.usage.cost_usd == COSTS.get(name, answer.usage.cost_usd)
    assert answer.is_complete is not expected.has_error
    assert answer.skipped_events == 0


def test_all_recordings_are_here() -> None:
    assert len([folder for folder in RECORDINGS.iterdir() if folder.is_dir()]) == 72
    assert len(STREAMS) == 45


@pytest.mark.parametrize("name", names())
def test_whole(name: str) -> None:
    if is_stream(name):
        events, builder = understand(body(name))
        assert (
            "".join(getattr(event, "text", "") for event in events)
            == (
                builder.answer().reasoning.text if builder.answer().reasoning else ""  # type: ignore[union-attr]
            )
            + builder.answer().text
        )
    else:
        builder = AnswerBuilder()
        builder.add_whole(json.loads(body(name)))

    check(builder.answer(), naive_reading.read(name), name)


@pytest.mark.parametrize("name", SMALL)
def test_byte_by_byte(name: str) -> None:
    data = body(name)

    _, builder = understand(*(data[at : at + 1] for at in range(len(data))))

    check(builder.answer(), naive_reading.read(name), name)


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_pieces(name: str, data: st.DataObject) -> None:
    whole = body(name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=40)))

    _, builder = understand(*(whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)))

    check(builder.answer(), naive_reading.read(name), name)


@pytest.mark.parametrize("name", names())
async def test_through_a_connection(name: str, server: MisbehavingServer) -> None:
    server.script(lambda _request: recording(RECORDINGS / name))
    expected = naive_reading.read(name)
    status, _headers = head(name)

    outcome = await ask_once(server)

    if status == 200:
        check(outcome.answer, expected, name)
        assert outcome.text == expected.text
        assert outcome.reasoning == expected.reasoning
    kind, words = FAILURES.get(name, (None, ""))
    assert (type(outcome.error).__name__ if outcome.error else None) == kind
    assert words in str(outcome.error or "")
