"""The client asks, streams, reuses connections, and answers the small questions beside the chat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from servers.asking import KEY, MODEL, ask, ask_once, client_of, request
from servers.misbehaving import (
    CLOSE,
    END,
    HOLD,
    RESET,
    USAGE,
    Chunk,
    MisbehavingServer,
    Pause,
    Received,
    Step,
    answer,
    body,
    closing,
    delta,
    error,
    event,
    events,
    flood,
    head,
    json_answer,
    opening,
    replay,
    tool_call,
)

from rustbot_jupyter.errors import AuthenticationFailed, ConnectionFailed, InvalidAnswer, ModelError
from rustbot_jupyter.llm.base import ChatModel, TextDelta, ToolCallStarted, Waiting
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.usage import Usage


def test_the_client_is_a_chat_model() -> None:
    model: ChatModel = ChatClient("http://localhost:11434/v1")

    assert (model.host, model.is_local) == ("localhost:11434", True)


@pytest.mark.parametrize(
    ("base_url", "host", "is_local"),
    [
        ("https://openrouter.ai/api/v1", "openrouter.ai", False),
        ("https://OpenRouter.ai:443/api/v1", "openrouter.ai", False),
        ("http://127.0.0.1:8080/v1", "127.0.0.1:8080", True),
        ("http://[::1]:8080/v1", "[::1]:8080", True),
        ("http://192.168.1.5:11434/v1", "192.168.1.5:11434", False),
        ("https://user:secret@example.com/v1", "example.com", False),
        ("https://localhost.example.com/v1", "localhost.example.com", False),
    ],
)
def test_hosts_are_named_without_user_or_password(base_url: str, host: str, is_local: bool) -> None:
    client = ChatClient(base_url)

    assert (client.host, client.is_local) == (host, is_local)


async def test_an_answer_streams_and_is_whole_at_the_end(server: MisbehavingServer) -> None:
    server.script(answer("Hel", "lo", pause_s=0.02))

    outcome = await ask_once(server)

    assert outcome.events == [TextDelta("Hel"), TextDelta("lo")]
    assert outcome.error is None
    assert outcome.answer.text == "Hello"
    assert outcome.answer.is_complete
    assert outcome.answer.usage == Usage(
        input_tokens=12,
        output_tokens=5,
        reasoning_tokens=1,
        cache_read_tokens=2,
        cache_write_tokens=0,
        cost_usd=0.00042,
    )


async def test_what_is_sent(server: MisbehavingServer) -> None:
    await ask_once(server, request("Hello?", session_id="conv-1"))

    sent = server.chats[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["accept-encoding"] == "identity"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["x-openrouter-title"] == "Rustbot for Jupyter"
    assert sent.json == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "session_id": "conv-1",
    }


async def test_no_key_no_header(server: MisbehavingServer) -> None:
    await ask_once(server, api_key=None)

    assert "authorization" not in server.chats[0].headers


async def test_a_tool_call_streams(server: MisbehavingServer) -> None:
    server.script(tool_call("evaluate", '{"code": "1+1"}'))

    outcome = await ask_once(server)

    assert outcome.events == [ToolCallStarted(0, "evaluate")]
    assert outcome.answer.tool_calls[0].arguments == '{"code": "1+1"}'
    assert outcome.answer.finish_reason == "tool_calls"


async def test_a_megabyte_is_sent_and_odd_characters_survive(server: MisbehavingServer) -> None:
    text = "\x00 \ud800 עברית 😀 \u202e" + "x" * 1_000_000

    outcome = await ask_once(server, request(text))

    assert outcome.answer.text == "Hello"
    assert server.chats[0].json["messages"][0]["content"] == text.replace("\ud800", "\ufffd")


async def test_connections_are_used_again(server: MisbehavingServer) -> None:
    client = client_of(server)

    for _ in range(5):
        assert (await ask(client)).answer.is_complete
    await client.aclose()

    assert server.connections == 1
    server.wait_until_all_closed()


async def test_a_reused_connection_that_fails_is_replaced_silently(server: MisbehavingServer) -> None:
    """N8: RST before a byte, on a connection that was waiting in the pool."""
    client = client_of(server)
    server.script(answer("one"), RESET, answer("two"))

    first, second = await ask(client), await ask(client)
    await client.aclose()

    assert (first.text, second.text) == ("one", "two")
    assert second.error is None
    assert [sent.connection for sent in server.chats] == [0, 0, 1]
    assert server.chats[1].body == server.chats[2].body


async def test_a_connection_closed_while_idle_is_replaced_silently(server: MisbehavingServer) -> None:
    client = client_of(server)
    server.script([*answer("one"), CLOSE], answer("two"))

    assert (await ask(client)).text == "one"
    server.wait_until_all_closed()

    assert (await ask(client)).text == "two"
    await client.aclose()


async def test_a_fresh_connection_that_fails_is_not_tried_again_by_itself(server: MisbehavingServer) -> None:
    """N8: repeating is the retry policy's decision."""
    server.script(RESET, answer("two"))

    outcome = await ask_once(server)

    assert isinstance(outcome.error, ConnectionFailed)
    assert outcome.error.retryable
    assert len(server.chats) == 1


async def test_done_ends_the_answer_though_the_connection_stays_open(server: MisbehavingServer) -> None:
    """N11: and data that comes late does not count."""
    server.script([*opening("Hi"), Chunk(event("[DONE]")), Chunk(event(delta(content=" late"))), HOLD])

    outcome = await ask_once(server, idle_timeout_s=1_000)

    assert outcome.answer.text == "Hi"
    assert outcome.answer.is_complete
    server.chats[0].wait_closed()


async def test_a_finish_reason_without_done_is_accepted(server: MisbehavingServer) -> None:
    """N11: finish is stop."""
    server.script(events(delta(content="Hi"), delta(finish="stop"), done=False))

    outcome = await ask_once(server)

    assert outcome.error is None
    assert (outcome.answer.is_complete, outcome.answer.finish_reason) == (True, "stop")


async def test_a_server_that_forgets_to_end_the_stream_is_not_waited_for(server: MisbehavingServer) -> None:
    """N11: finish reason and silence."""
    server.script([*opening("Hi"), Chunk(event(delta(finish="stop"))), HOLD])

    outcome = await ask_once(server, idle_timeout_s=0.2)

    assert outcome.error is None
    assert outcome.answer.is_complete


async def test_a_reset_after_the_finish_reason_does_no_harm(server: MisbehavingServer) -> None:
    server.script([*opening("Hi"), Chunk(event(delta(finish="stop"))), Pause(0.05), RESET])

    outcome = await ask_once(server)

    assert outcome.error is None
    assert outcome.answer.is_complete


async def test_done_without_a_finish_reason_is_accepted(server: MisbehavingServer) -> None:
    """N11: finish unknown."""
    server.script(events(delta(content="Hi")))

    outcome = await ask_once(server)

    assert (outcome.error, outcome.answer.is_complete, outcome.answer.finish_reason) == (None, True, None)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html", "x"])
async def test_the_content_type_may_be_wrong(server: MisbehavingServer, content_type: str) -> None:
    """N17: a stream is read as one, whatever it says it is."""
    server.script([head(content_type=content_type), *answer("Hello")[1:]])

    outcome = await ask_once(server)

    assert (outcome.error, outcome.answer.text) == (None, "Hello")


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
async def test_a_json_answer_to_a_streaming_question_is_read(server: MisbehavingServer, content_type: str) -> None:
    whole = {"id": "gen-1", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": USAGE}
    data = b"\n  \n         \n" + json.dumps(whole).encode()
    server.script(lambda _request: replay(data, 1, 5, 30, pause_s=0.01, content_type=content_type))

    outcome = await ask_once(server)

    assert outcome.error is None
    assert (outcome.answer.text, outcome.answer.is_complete) == ("Hi", True)
    assert outcome.text == "Hi"
    assert Waiting() in outcome.events


async def test_comments_are_shown_as_waiting(server: MisbehavingServer) -> None:
    comment = Chunk(b": OPENROUTER PROCESSING\n\n")
    server.script([head(), comment, Pause(0.02), comment, Pause(0.02), *answer("Hi")[1:]])

    outcome = await ask_once(server)

    assert outcome.events == [Waiting(), Waiting(), TextDelta("Hi")]


async def test_any_cut_and_half_characters_do_no_harm(server: MisbehavingServer) -> None:
    """N12, N14."""
    data = (event(delta(content="żółć 😀")) + event(delta(finish="stop")) + event("[DONE]")).replace(b"\n", b"\r\n")
    data = data.replace(b"\\u017c", "ż".encode()).replace(b"\\ud83d\\ude00", "😀".encode())
    server.script(lambda _request: replay(data, *range(1, len(data)), pause_s=0))

    outcome = await ask_once(server)

    assert outcome.answer.text == "żółć 😀"


async def test_bad_bytes_do_no_harm(server: MisbehavingServer) -> None:
    """N12: no exception, the rest of the text is kept."""
    bad = event(delta(content="a?b")).replace(b"?", b"\xff\xfe")
    server.script([head(), Chunk(bad), Chunk(event(delta(content="c"))), *closing()])

    outcome = await ask_once(server)

    assert outcome.error is None
    assert outcome.answer.text == "a\ufffd\ufffdbc"


async def test_a_flood_comes_whole_in_few_pieces(server: MisbehavingServer) -> None:
    """N16: what came together is coalesced."""
    server.script(lambda _request: flood(20_000))

    outcome = await ask_once(server)

    assert outcome.text == "x" * 20_000
    assert outcome.answer.text == "x" * 20_000
    assert len(outcome.events) < 5_000


async def test_a_slow_caller_makes_the_server_wait(server: MisbehavingServer) -> None:
    """K5: no buffer without a cap, and no limit runs out meanwhile."""
    filler = b":" + b"x" * 60_000 + b"\n\n"
    sent = 0

    def script(_request: Received) -> Iterator[Step]:
        nonlocal sent
        yield from opening("Hi")
        for _ in range(400):
            sent += 1
            yield Chunk(filler)
        yield from closing()

    server.script(script)
    client = client_of(server, idle_timeout_s=0.2)
    async with client.stream(request()) as stream:
        events = aiter(stream)
        await anext(events)
        await asyncio.sleep(0.5)
        sent_meanwhile = sent
        async for _event in events:
            pass
    await client.aclose()

    assert sent_meanwhile < 400
    assert stream.answer.is_complete
    assert sent == 400


async def test_the_answer_so_far_can_be_read_while_it_streams(server: MisbehavingServer) -> None:
    server.script([*opening("Hel"), HOLD, *answer("lo")[1:]])
    client = client_of(server)

    async with client.stream(request()) as stream:
        async for _event in stream:
            if stream.answer.text == "Hel":
                assert not stream.answer.is_complete
                server.release()
    await client.aclose()

    assert stream.answer.text == "Hello"
    assert stream.answer.is_complete


async def test_the_generation_id_is_known_from_the_head(server: MisbehavingServer) -> None:
    server.script([head(X_Generation_Id="gen-head"), Pause(0.02), RESET])

    assert (await ask_once(server)).answer.generation_id == "gen-head"


async def test_warm_up_opens_a_connection_and_sends_no_key(server: MisbehavingServer) -> None:
    client = client_of(server)

    await client.warm_up()
    outcome = await ask(client)
    await client.aclose()

    assert outcome.text == "Hello"
    assert server.connections == 1
    assert [sent.method for sent in server.requests] == ["HEAD", "POST"]
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9/v1", "nonsense", "https://no-such-host.invalid/v1"])
async def test_warm_up_never_fails(base_url: str) -> None:
    client = ChatClient(base_url, connect_timeout_s=0.5)

    await client.warm_up()
    await client.aclose()


async def test_a_stopped_answer_is_settled(server: MisbehavingServer) -> None:
    data = {"total_cost": 0.0123, "tokens_prompt": 9, "native_tokens_prompt": 10, "native_tokens_completion": 20}
    server.on("/generation", error(404, "not found"), json_answer({"data": data}))
    client = client_of(server)

    first, second = await client.settle("gen-1"), await client.settle("gen-1")
    await client.aclose()

    assert first is None
    assert second == Usage(input_tokens=10, output_tokens=20, cost_usd=0.0123)
    assert server.requests[0].path == "/v1/generation?id=gen-1"


@pytest.mark.parametrize("script", [RESET, body(b"<html>"), json_answer([]), json_answer({"data": None}), error(500)])
async def test_what_cannot_be_settled_is_unknown(server: MisbehavingServer, script: object) -> None:
    server.on("/generation", script)  # type: ignore[arg-type]
    client = client_of(server)

    assert await client.settle("gen-1") is None
    await client.aclose()


async def test_the_key_status_leaves_out_the_label(server: MisbehavingServer) -> None:
    server.on("/key", json_answer({"data": {"label": "sk-or-v1-012...def", "limit_remaining": 4.5}}))
    client = client_of(server)

    assert await client.key_status() == {"limit_remaining": 4.5}
    await client.aclose()


async def test_models_are_listed_as_sent(server: MisbehavingServer) -> None:
    server.on("/models", json_answer({"data": [{"id": "a"}]}))
    client = client_of(server)

    assert await client.list_models() == [{"id": "a"}]
    await client.aclose()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (RESET, ConnectionFailed),
        (error(401), AuthenticationFailed),
        (body(b"<html>no</html>"), InvalidAnswer),
        (json_answer({"data": 5}), InvalidAnswer),
        ([head(), Chunk(b'{"data": ['), END], InvalidAnswer),
    ],
)
async def test_a_model_list_that_fails_says_why(
    server: MisbehavingServer, script: object, kind: type[ModelError]
) -> None:
    """N30."""
    server.on("/models", script)  # type: ignore[arg-type]
    client = client_of(server)

    with pytest.raises(kind):
        await client.list_models()
    await client.aclose()


async def test_fifty_streams_at_once_are_all_complete(server: MisbehavingServer) -> None:
    server.script(lambda _request: flood(200))
    client = client_of(server)

    outcomes = await asyncio.gather(*(ask(client) for _ in range(50)))
    await client.aclose()

    assert {outcome.text for outcome in outcomes} == {"x" * 200}
    server.wait_until_all_closed()
