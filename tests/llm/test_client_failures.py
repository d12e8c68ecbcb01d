"""Every failure of the network or the provider becomes one plain error; the rows N of the reliability table."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from effort import SOON_S
from servers.asking import MODEL, ask, ask_once, client_of, request
from servers.misbehaving import (
    CLOSE,
    END,
    HOLD,
    RESET,
    Chunk,
    MisbehavingServer,
    Pause,
    Script,
    Step,
    answer,
    body,
    comments,
    delta,
    endless_line,
    error,
    event,
    events,
    hanging_port,
    head,
    html,
    json_answer,
    opening,
    redirect,
    refusing_port,
)

from rustbot_jupyter.errors import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    ContextTooLong,
    InvalidAnswer,
    ModelError,
    ModelTimeout,
    OutOfCredits,
    ProviderUnavailable,
    RateLimited,
    RequestBlocked,
    StreamBroken,
    UnknownModel,
)
from rustbot_jupyter.llm.base import Waiting
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.messages import ReasoningPart

LIBRARY_WORDS = re.compile(r"httpx|httpcore|h11|anyio|asyncio|Error\b|Exception|Traceback|Protocol")


def check_sentence(failure: ModelError | None) -> ModelError:
    """One plain sentence or two, ended, with no class of a library in it."""
    assert failure is not None
    text = str(failure)
    assert text.endswith(".")
    assert "\n" not in text
    assert not LIBRARY_WORDS.search(text)
    assert "<" not in text
    return failure


async def fail(server: MisbehavingServer, script: Script, **options: Any) -> ModelError:
    """The error that this script leads to, after exactly one request, with nothing arrived."""
    server.script(script)

    outcome = await ask_once(server, **options)

    assert len(server.chats) == 1
    assert not outcome.answer.is_complete
    assert outcome.text == ""
    server.wait_until_all_closed()
    return check_sentence(outcome.error)


async def break_off(server: MisbehavingServer, script: Script, **options: Any) -> ModelError:
    """The error of a script that breaks after the text "Hi"."""
    server.script(script)

    outcome = await ask_once(server, **options)

    assert len(server.chats) == 1
    assert outcome.text == outcome.answer.text == "Hi"
    assert not outcome.answer.is_complete
    assert type(outcome.error) is StreamBroken
    assert not outcome.error.retryable
    server.wait_until_all_closed()
    return check_sentence(outcome.error)


async def fail_at(base_url: str, **options: Any) -> ModelError:
    client = ChatClient(base_url, **options)
    outcome = await ask(client)
    await client.aclose()
    return check_sentence(outcome.error)


async def test_connection_refused() -> None:
    """N1: the card names the host; retryable."""
    with refusing_port() as port:
        failure = await fail_at(f"http://127.0.0.1:{port}/v1")

    assert type(failure) is ConnectionFailed
    assert failure.retryable
    assert f"127.0.0.1:{port}" in str(failure)


async def test_name_not_found() -> None:
    """N2: no retry storm; says that the name was not found."""
    failure = await fail_at("https://no-such-host.invalid/v1")

    assert type(failure) is ConnectionFailed
    assert not failure.retryable
    assert "'no-such-host.invalid' was not found" in str(failure)


async def test_connect_hangs() -> None:
    """N3: the connect limit holds; nothing was sent, so it may be tried again."""
    started = time.monotonic()

    with hanging_port() as port:
        failure = await fail_at(f"http://127.0.0.1:{port}/v1", connect_timeout_s=0.2)

    assert type(failure) is ModelTimeout
    assert failure.retryable
    # Without the limit it were five seconds.
    assert time.monotonic() - started < 4.5


async def test_accepted_and_silent(server: MisbehavingServer) -> None:
    """N4: the first-byte limit; the socket is closed; not sent again by itself."""
    failure = await fail(server, HOLD, first_token_timeout_s=0.2)

    assert type(failure) is ModelTimeout
    assert not failure.retryable
    server.chats[0].wait_closed(1)


async def test_head_and_silent(server: MisbehavingServer) -> None:
    """N4."""
    failure = await fail(server, [head(), HOLD], first_token_timeout_s=0.2)

    assert type(failure) is ModelTimeout


async def test_only_comments(server: MisbehavingServer) -> None:
    """N5: they are life signs, shown as waiting, but not for ever."""
    server.script(lambda _request: comments(every_s=0.05))
    started = time.monotonic()

    outcome = await ask_once(server, first_token_timeout_s=0.25)

    assert type(check_sentence(outcome.error)) is ModelTimeout
    assert len(outcome.events) > 3
    assert set(outcome.events) == {Waiting()}
    assert 0.45 < time.monotonic() - started < SOON_S
    server.chats[0].wait_closed(1)


async def test_silence_after_tokens(server: MisbehavingServer) -> None:
    """N6."""
    failure = await break_off(server, [*opening("Hi"), HOLD], idle_timeout_s=0.2, first_token_timeout_s=30)

    assert "0.2 s" in str(failure)


async def test_slow_but_alive(server: MisbehavingServer) -> None:
    """N7: no false timeout."""
    server.script(answer(*"slowly", pause_s=0.1))

    outcome = await ask_once(server, idle_timeout_s=0.3, first_token_timeout_s=0.3)

    assert outcome.error is None
    assert outcome.answer.text == "slowly"


async def test_comments_keep_a_begun_answer_alive(server: MisbehavingServer) -> None:
    """N7."""
    alive: list[Step] = [Chunk(b": still here\n\n"), Pause(0.1)] * 5
    server.script([*opening("Hi"), *alive, *answer(" there")[1:]])

    outcome = await ask_once(server, idle_timeout_s=0.3, first_token_timeout_s=0.3)

    assert outcome.answer.text == "Hi there"


@pytest.mark.parametrize("when", ["before the first token", "in the answer"])
async def test_a_process_that_stood_still_blames_nobody(server: MisbehavingServer, when: str) -> None:
    """N7, K4: a cell that holds the GIL longer than a limit, while the server goes on."""
    server.script(answer(*"slowly", pause_s=0.1))
    client = client_of(server, idle_timeout_s=0.25, first_token_timeout_s=0.25)
    text = ""

    async with client.stream(request()) as stream:
        if when == "before the first token":
            await asyncio.to_thread(server.wait_for_requests, 1)
            block(0.5)
        async for piece in stream:
            if not text and when == "in the answer":
                block(0.5)
            text += getattr(piece, "text", "")
    await client.aclose()

    assert text == "slowly"


def block(seconds: float) -> None:
    """Hold this thread, as a cell without a pause does."""
    time.sleep(seconds)


def test_a_local_server_may_take_long_to_load_its_model() -> None:
    local, far = ChatClient("http://localhost:11434/v1"), ChatClient("https://openrouter.ai/api/v1")

    assert local._limits.first_token_s == 600
    assert far._limits.first_token_s == 60


@pytest.mark.parametrize("script", [RESET, [head(), Pause(0.02), RESET], CLOSE, [head(), CLOSE], [head(), END], b""])
async def test_nothing_before_the_end(server: MisbehavingServer, script: Script) -> None:
    """N8, N10: reset or closed before a byte, after the headers, or an empty answer: may be tried again."""
    failure = await fail(server, script if script != b"" else body(b""))

    assert type(failure) is ConnectionFailed
    assert failure.retryable


async def test_reset_mid_stream(server: MisbehavingServer) -> None:
    """N9: as N6."""
    await break_off(server, [*opening("Hi"), Pause(0.02), RESET])


async def test_closed_mid_chunk(server: MisbehavingServer) -> None:
    """N9."""
    await break_off(server, [*opening("Hi"), b"400\r\ndata: ", CLOSE])


async def test_clean_end_without_a_finish(server: MisbehavingServer) -> None:
    """N10: interrupted, never done."""
    await break_off(server, [*opening("Hi"), END])


async def test_an_answer_with_a_broken_event_is_interrupted_and_told(server: MisbehavingServer) -> None:
    """N13."""
    server.script([*opening("Hi"), Chunk(event('{"choices": [')), *answer(" there")[1:]])

    outcome = await ask_once(server)

    assert type(outcome.error) is StreamBroken
    assert "cannot be read" in str(outcome.error)
    assert (outcome.answer.text, outcome.answer.skipped_events) == ("Hi there", 1)
    assert not outcome.answer.is_complete


@pytest.mark.parametrize("is_list", [False, True])
async def test_chunks_without_frames_are_an_answer(server: MisbehavingServer, is_list: bool) -> None:
    chunks = [json.dumps(delta(content=text)) for text in ("Hel", "lo")] + [json.dumps(delta(finish="stop"))]
    text = f"[{', '.join(chunks)}]" if is_list else "\n".join(chunks)
    server.script(body(text.encode(), content_type="application/x-ndjson"))

    outcome = await ask_once(server)

    assert (outcome.error, outcome.answer.text) == (None, "Hello")


async def test_ollamas_own_lines_are_an_answer(server: MisbehavingServer) -> None:
    lines = [
        {"model": "tiny", "message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
        {"model": "tiny", "message": {"role": "assistant", "content": "Hello"}, "done": False},
        {"model": "tiny", "message": {"content": ""}, "done": True, "prompt_eval_count": 12, "eval_count": 5},
    ]
    server.script(body("\n".join(map(json.dumps, lines)).encode(), content_type="application/x-ndjson"))

    answer = (await ask_once(server)).answer

    assert (answer.text, answer.is_complete) == ("Hello", True)
    assert answer.reasoning == ReasoningPart(text="Hm.", field="thinking")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 5)


async def test_only_broken_events(server: MisbehavingServer) -> None:
    """N13: fails when nothing parsed."""
    failure = await fail(server, events("{broken", "broken}"))

    assert type(failure) is InvalidAnswer


@pytest.mark.parametrize("begun", [False, True])
async def test_an_endless_line(server: MisbehavingServer, begun: bool) -> None:
    """N15: closed at 16 MB."""

    def script(_request: object) -> Iterator[Step]:
        steps = iter(endless_line())
        yield next(steps)
        if begun:
            yield Chunk(event(delta(content="Hi")))
        yield from steps

    if begun:
        failure = await break_off(server, script)
    else:
        failure = await fail(server, script)
        assert type(failure) is InvalidAnswer

    assert "16 MB" in str(failure)


@pytest.mark.parametrize("start", [b"{", b"<html>", b"["])
async def test_an_endless_body(server: MisbehavingServer, start: bytes) -> None:
    """N15."""

    def script(_request: object) -> Iterator[Step]:
        yield head(content_type="application/json")
        yield Chunk(start)
        while True:
            yield Chunk(b" " * 65_536)

    assert type(await fail(server, script)) is InvalidAnswer


@pytest.mark.parametrize("status", [200, 400, 502])
async def test_html(server: MisbehavingServer, status: int) -> None:
    """N17: the status and the visible text."""
    page = (
        "<!DOCTYPE html><html><head><title>x</title><style>p{}</style></head><body><script>alert(1)</script>"
        f"<h1>Bad &amp; broken</h1><img src=x onerror=alert(1)>{'long ' * 100}</body></html>"
    )

    failure = await fail(server, html(status, page))

    assert f"status {status}" in str(failure)
    assert failure.detail.startswith("Bad & broken long long")
    assert len(failure.detail) <= 200
    assert "alert" not in str(failure)


async def test_html_where_the_address_is_wrong(server: MisbehavingServer) -> None:
    """N17."""
    failure = await fail(server, html(404))

    assert type(failure) is InvalidAnswer
    assert "base URL" in str(failure)


@pytest.mark.parametrize(
    "script",
    [
        [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", CLOSE],
        [b"\x16\x03\x01\x00\x00garbage\r\n\r\n", CLOSE],
        [b"HTTP/1.1 abc OK\r\n\r\n", CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", CLOSE],
        [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, CLOSE],
    ],
)
async def test_not_http_at_all(server: MisbehavingServer, script: Script) -> None:
    """N17."""
    assert type(await fail(server, script)) is InvalidAnswer


async def test_broken_chunked_encoding(server: MisbehavingServer) -> None:
    """N17."""
    assert type(await fail(server, [head(), b"zz\r\nxx\r\n", CLOSE])) is InvalidAnswer


async def test_broken_chunked_encoding_mid_stream(server: MisbehavingServer) -> None:
    """N17."""
    await break_off(server, [*opening("Hi"), b"zz\r\nxx\r\n", CLOSE])


async def test_a_content_length_that_is_too_long(server: MisbehavingServer) -> None:
    """N17."""
    text = event(delta(content="Hi"))

    await break_off(server, [head(chunked=False, Content_Length="9999") + text, CLOSE])


async def test_a_content_length_that_is_too_short(server: MisbehavingServer) -> None:
    """N17: what lies beyond is not read."""
    text = event(delta(content="Hi"))

    await break_off(server, [head(chunked=False, Content_Length=str(len(text))) + text + answer("x")[1].data, CLOSE])  # type: ignore[union-attr]


async def test_plain_text_is_no_answer(server: MisbehavingServer) -> None:
    """N17."""
    failure = await fail(server, body(b"It works!", content_type="text/plain"))

    assert type(failure) is InvalidAnswer
    assert "It works!" in str(failure)


async def test_tls_where_there_is_none() -> None:
    """N17."""

    async def answer_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(answer_plainly, "127.0.0.1", 0)

    failure = await fail_at(f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}/v1")
    plain.close()

    assert type(failure) is ConnectionFailed
    assert not failure.retryable
    assert "secure connection" in str(failure)


@pytest.fixture
def untrusted(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate that it made itself."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=localhost"
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


async def test_a_certificate_that_is_not_trusted(untrusted: ssl.SSLContext) -> None:
    """N17, X19: it is checked, also for this machine."""
    listener = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=untrusted)

    failure = await fail_at(f"https://localhost:{listener.sockets[0].getsockname()[1]}/v1")
    listener.close()

    assert type(failure) is ConnectionFailed
    assert not failure.retryable
    assert "certificate" in str(failure)


@pytest.mark.parametrize(
    "base_url", ["", "nonsense", "ftp://example.com", "https://", "http://a:99999/", "http://[/v1"]
)
async def test_an_address_that_is_none(base_url: str) -> None:
    failure = await fail_at(base_url)

    assert type(failure) is ConnectionFailed
    assert not failure.retryable
    assert "address" in str(failure)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "temperature must be below 2", BadRequest),
        (400, "openai/nothing is not a valid model ID", UnknownModel),
        (400, "This endpoint's maximum context length is 8192 tokens", ContextTooLong),
        (404, "No endpoints found for test/model", UnknownModel),
        (404, "model 'x' not found", UnknownModel),
        (413, "too large", ContextTooLong),
        (422, "unprocessable", BadRequest),
        (418, "teapot", BadRequest),
        (401, "No auth credentials found", AuthenticationFailed),
        (403, "Your region is not supported", RequestBlocked),
        (402, "Insufficient credits", OutOfCredits),
    ],
)
async def test_statuses_that_are_not_tried_again(
    server: MisbehavingServer, status: int, message: str, kind: type[ModelError]
) -> None:
    """N18, N19, N20: one request; the provider's text is shown."""
    failure = await fail(server, error(status, message))

    assert type(failure) is kind
    assert failure.status == status
    assert not failure.retryable
    assert failure.detail == message
    assert message.rstrip(".") in str(failure)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 524, 529])
async def test_statuses_that_may_be_tried_again(server: MisbehavingServer, status: int) -> None:
    """N21."""
    failure = await fail(server, error(status, "busy"))

    assert type(failure) is (RateLimited if status == 429 else ProviderUnavailable)
    assert failure.status == status
    assert failure.retryable
    assert "busy" in str(failure)


async def test_moderation_shows_its_reasons(server: MisbehavingServer) -> None:
    """N19: as text."""
    metadata = {"reasons": ["violence", "<b>hate</b>"], "flagged_input": "..."}

    failure = (await _outcome(server, error(403, "Flagged", metadata=metadata))).error

    assert failure is not None
    assert "Flagged; reasons: violence, <b>hate</b>" in str(failure)


async def _outcome(server: MisbehavingServer, script: Script) -> Any:
    server.script(script)
    return await ask_once(server)


async def test_credits_held_by_requests_in_flight_come_back(server: MisbehavingServer) -> None:
    """N20."""
    failure = await fail(server, error(402, "Credits are reserved by requests in flight"))

    assert type(failure) is OutOfCredits
    assert failure.retryable


async def test_a_key_that_is_missing_is_asked_for(server: MisbehavingServer) -> None:
    """N19."""
    failure = await fail(server, error(401, "Missing Authentication header"), api_key=None)

    assert "wants an API key" in str(failure)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "1.5"}, 1.5),
        ({"retry_after_ms": "2500"}, 2.5),
        ({"Retry_After": "1", "retry_after_ms": "0"}, 1),
        ({"Retry_After": "86400"}, 86_400),
        ({"X_RateLimit_Reset": "12"}, 12),
        ({"Retry_After": "-3"}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "nan"}, None),
        ({"Retry_After": "inf"}, None),
        ({"Retry_After": "9" * 400}, None),
        ({}, None),
    ],
)
async def test_the_wait_that_is_asked_for(
    server: MisbehavingServer, headers: dict[str, str], seconds: float | None
) -> None:
    """N22."""
    failure = await fail(server, error(429, "slow down", **headers))

    assert failure.retry_after_s == (None if seconds is None else pytest.approx(seconds, abs=3))


@pytest.mark.parametrize("per_second", [1, 1000])
async def test_the_wait_may_be_a_point_in_time(server: MisbehavingServer, per_second: int) -> None:
    """N22: in seconds or milliseconds."""
    failure = await fail(server, error(429, "slow", X_RateLimit_Reset=str(int((time.time() + 30) * per_second))))

    assert failure.retry_after_s == pytest.approx(30, abs=3)


async def test_the_wait_may_be_a_date(server: MisbehavingServer) -> None:
    """N22."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 20))

    failure = await fail(server, error(503, "later", Retry_After=date))

    assert failure.retry_after_s == pytest.approx(20, abs=3)


async def test_the_wait_may_stand_in_the_body(server: MisbehavingServer) -> None:
    """N22, N25: availability says whether and when, and which models could do instead."""
    availability = {"retryable": False, "retry_after": 9, "fallback_models": ["a/b", 5, "c/d"]}

    failure = await fail(server, json_answer({"error": {"message": "no", "availability": availability}}, 503))

    assert failure.retry_after_s == 9
    assert not failure.retryable
    assert failure.metadata["fallback_models"] == ["a/b", "c/d"]


async def test_the_rate_limit_headers_may_stand_in_the_metadata(server: MisbehavingServer) -> None:
    """N22."""
    metadata = {"headers": {"X-RateLimit-Reset": str(int((time.time() + 40) * 1000))}}

    failure = await fail(server, error(429, "free tier", metadata=metadata))

    assert failure.retry_after_s == pytest.approx(40, abs=3)


@pytest.mark.parametrize(
    ("bad", "kind", "retryable"),
    [
        ({"error": {"code": 502, "message": "down"}}, ProviderUnavailable, True),
        ({"error": {"code": "rate_limit_exceeded", "message": "slow"}}, RateLimited, True),
        ({"error": {"code": "429", "message": "slow"}}, RateLimited, True),
        ({"error": {"code": 400, "message": "bad"}}, BadRequest, False),
        ({"error": {"code": 401, "message": "key"}}, AuthenticationFailed, False),
        ({"error": {"message": "odd"}}, ProviderUnavailable, True),
        ({"error": "text"}, ProviderUnavailable, True),
        ({"object": "error", "message": "The prompt is too long", "code": 400}, ContextTooLong, False),
    ],
)
@pytest.mark.parametrize("shape", ["body", "first event"])
async def test_an_error_in_a_success(
    server: MisbehavingServer, bad: dict[str, Any], kind: type[ModelError], retryable: bool, shape: str
) -> None:
    """N24: typed; tried again by its code."""
    failure = await fail(server, json_answer(bad) if shape == "body" else events(bad))

    assert type(failure) is kind
    assert failure.retryable is retryable


async def test_an_error_mid_stream(server: MisbehavingServer) -> None:
    """N24: as N6."""
    bad = {**delta(content="", finish="error"), "error": {"code": "server_error", "message": "Provider disconnected"}}

    failure = await break_off(server, [*opening("Hi"), Chunk(event(bad)), END])

    assert failure.status == 500
    assert failure.detail == "Provider disconnected"


async def test_the_real_reason_is_dug_out(server: MisbehavingServer) -> None:
    inner = json.dumps({"error": {"message": "The server is on fire"}})
    metadata = {"raw": inner, "provider_name": "Acme", "previous_errors": [{"code": 500, "message": "It smoked"}, 5]}

    failure = await fail(server, error(502, "Provider returned error", metadata=metadata))

    assert failure.detail == "Acme: The server is on fire; It smoked"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(server: MisbehavingServer, status: int) -> None:
    """N26: the key goes nowhere else."""
    with MisbehavingServer() as other:
        failure = await fail(server, redirect(f"{other.base_url}/chat/completions", status))

        assert other.requests == []
    assert type(failure) is InvalidAnswer
    assert other.base_url in str(failure)


async def test_an_error_body_that_never_ends_is_still_an_error(server: MisbehavingServer) -> None:
    started = time.monotonic()

    failure = await fail(
        server, [head(503, content_type="text/plain"), Chunk(b"overloaded"), HOLD], first_token_timeout_s=0.2
    )

    assert type(failure) is ProviderUnavailable
    assert "overloaded" in str(failure)
    assert time.monotonic() - started < SOON_S


async def test_an_error_body_that_is_cut_is_still_an_error(server: MisbehavingServer) -> None:
    failure = await fail(server, [head(401, chunked=False, Content_Length="500") + b'{"error":', CLOSE])

    assert type(failure) is AuthenticationFailed


@pytest.mark.parametrize("data", [None, [], "text", 5, {}, {"error": None}, {"error": []}, {"detail": "why"}])
async def test_error_bodies_of_any_shape(server: MisbehavingServer, data: Any) -> None:
    failure = await fail(server, json_answer(data, 500))

    assert type(failure) is ProviderUnavailable


async def test_control_characters_do_not_get_into_a_sentence(server: MisbehavingServer) -> None:
    failure = await fail(server, error(400, "a\x1b[31mb\r\nc\u202ed" + "x" * 5_000))

    assert "\x1b" not in str(failure)
    assert "\u202e" not in str(failure)
    assert len(failure.detail) <= 500


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{port}", "nonsense://x", "socks5://127.0.0.1:1"])
async def test_proxies_of_the_environment(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """N27: clear errors; servers on this machine are asked directly."""
    with refusing_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", proxy.format(port=port))
        monkeypatch.setenv("HTTP_PROXY", proxy.format(port=port))

        failure = await fail_at("https://openrouter.ai/api/v1")
        local = await ask_once(server)

    assert type(failure) is ConnectionFailed
    assert local.error is None


async def test_certificates_of_the_users_own_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")

    for path in (tmp_path / "missing.pem", broken):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        failure = await fail_at("https://openrouter.ai/api/v1")

        assert type(failure) is ConnectionFailed
        assert not failure.retryable
        assert "SSL_CERT_FILE" in str(failure)


async def test_an_answer_that_says_it_is_packed_and_is_not(server: MisbehavingServer) -> None:
    """N17: damaged, not a connection to be tried again."""
    failure = await fail(server, [head(**{"Content-Encoding": "gzip"}), event(delta(content="Hi")), b"0\r\n\r\n"])

    assert type(failure) is InvalidAnswer
    assert "damaged" in str(failure)


async def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch, server: MisbehavingServer) -> None:
    """N27: named as the proxy's doing."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")

    failure = await fail_at("https://openrouter.ai/api/v1")
    proxy.close()

    assert "proxy" in str(failure)


async def test_the_model_and_the_host_are_named(server: MisbehavingServer) -> None:
    failure = await fail(server, error(503, "busy"))

    assert repr(MODEL) in str(failure)
    assert f"127.0.0.1:{server.port}" in str(failure)


async def test_after_any_failure_the_next_question_works(server: MisbehavingServer) -> None:
    scripts: list[Script] = [
        RESET,
        html(),
        error(500),
        [*opening("Hi"), Pause(0.02), RESET],
        [head(), b"zz\r\n", CLOSE],
    ]
    client = client_of(server)
    for script in scripts:
        server.script(script, answer("fine"))

        assert (await ask(client)).error is not None
        assert (await ask(client)).text == "fine"
    await client.aclose()
    server.wait_until_all_closed()


async def test_a_request_that_is_no_json_is_refused_before_it_is_sent(server: MisbehavingServer) -> None:
    from rustbot_jupyter.errors import RequestError

    client = client_of(server)

    with pytest.raises(RequestError, match="cannot be sent as JSON"):
        await ask(client, request(extra={"x": object()}))
    await client.aclose()
    assert server.requests == []
