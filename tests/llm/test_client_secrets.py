"""The key goes to its own host, encrypted, and is seen nowhere else. (X1, X2, X3)"""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr
from servers.asking import KEY, ask, client_of
from servers.misbehaving import (
    CLOSE,
    HOLD,
    RESET,
    Chunk,
    MisbehavingServer,
    Pause,
    Script,
    body,
    error,
    event,
    events,
    html,
    opening,
    redirect,
)

from rustbot_jupyter.errors import AuthenticationFailed, ModelError
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.llm.keys import ApiKey

ODD_KEY = 'sk-or/v1+"äquoted"\\key=='
FORMS = {
    "plain": KEY,
    "percent": quote(KEY, safe=""),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "basic": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "bearer": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "url-safe base64": base64.urlsafe_b64encode(f"x{KEY}y".encode()).decode(),
}


def holds_key(text: str) -> bool:
    """Whether the key, or a long piece of it in any form, is in a text."""
    middle = KEY[4:-4]
    pieces = [KEY, middle, quote(middle, safe="")]
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + KEY.encode()).decode()
        pieces.append(encoded[8:-8])
    return any(piece in text for piece in pieces)


def all_of(failure: BaseException) -> str:
    """What a crash report could show of an error: its fields, its causes, its frames (not the tests') and variables."""
    report = traceback.TracebackException.from_exception(failure, capture_locals=True)
    waiting = [report]
    while waiting:
        one = waiting.pop()
        one.stack[:] = [frame for frame in one.stack if "tests" not in Path(frame.filename).parts]
        waiting += [cause for cause in (one.__cause__, one.__context__, *(one.exceptions or ())) if cause]
    return "".join(report.format()) + repr(failure) + repr(vars(failure))


@pytest.mark.parametrize("key", [KEY, SecretStr(KEY)])
def test_a_client_does_not_show_its_key(key: Any) -> None:
    client = ChatClient("https://openrouter.ai/api/v1", key)

    shown = [repr(client), str(client), repr(vars(client)), repr(vars(copy.copy(client))), repr(client._key)]

    assert not any(holds_key(text) for text in shown)


@pytest.mark.parametrize("what", ["client", "key"])
def test_a_key_is_not_pickled(what: str) -> None:
    client = ChatClient("https://openrouter.ai/api/v1", KEY)

    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(client if what == "client" else client._key)


FAILURES: dict[str, Script] = {
    "401": error(401, f"Bad key {KEY}"),
    "raw": error(502, "Provider returned error", metadata={"raw": json.dumps({"error": {"message": KEY}})}),
    "metadata": error(400, "no", metadata={KEY: [{"deep": f"<{KEY}>"}]}),
    "html": html(502, f"<p>Authorization: Bearer {KEY}</p>"),
    "text": body(f"Bearer {KEY}".encode(), content_type="text/plain"),
    "redirect": redirect(f"https://example.com/?key={KEY}"),
    "stream": events({"error": {"message": f"no {KEY}"}}),
    "mid-stream": [*opening("Hi"), Chunk(event({"error": {"message": KEY, "code": KEY}})), CLOSE],
    "reset": RESET,
    "reset after the head": [*opening(), Pause(0.02), RESET],
    "reset mid-stream": [*opening("Hi"), Pause(0.02), RESET],
    "not HTTP": [KEY.encode() + b"\r\n\r\n", CLOSE],
    "silence": HOLD,
}


@pytest.mark.parametrize("name", FAILURES)
async def test_no_failure_shows_the_key(server: MisbehavingServer, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """X1, X2: neither its text, its fields, its causes, nor the variables of any frame, nor the log."""
    caplog.set_level(logging.INFO)
    server.script(FAILURES[name])
    client = client_of(server, first_token_timeout_s=0.2)

    outcome = await ask(client)
    await client.aclose()

    assert outcome.error is not None
    assert server.chats[0].headers["authorization"] == f"Bearer {KEY}"
    assert not holds_key(all_of(outcome.error))
    assert not holds_key(caplog.text)


@pytest.mark.parametrize("path", ["/models", "/key"])
async def test_no_failure_of_the_small_questions_shows_the_key(server: MisbehavingServer, path: str) -> None:
    client = client_of(server)
    for script in (error(401, f"Bad key {KEY}"), RESET, [KEY.encode() + b"\r\n\r\n", CLOSE], body(KEY.encode())):
        server.on(path, script)

        with pytest.raises(ModelError) as caught:
            await (client.list_models() if path == "/models" else client.key_status())

        assert not holds_key(all_of(caught.value))
    await client.aclose()


@pytest.mark.parametrize("form", FORMS)
async def test_an_echoed_key_is_masked_in_every_form(server: MisbehavingServer, form: str) -> None:
    """X2."""
    server.script(error(400, f"You sent <{FORMS[form]}> to us"))
    client = client_of(server)

    outcome = await ask(client)
    await client.aclose()

    assert outcome.error is not None
    assert "[key]" in outcome.error.detail
    assert not holds_key(str(outcome.error))


def test_odd_keys_are_masked_in_json_and_percent_form() -> None:
    key = ApiKey(ODD_KEY)

    for form in (ODD_KEY, json.dumps(ODD_KEY), quote(ODD_KEY, safe=""), quote(ODD_KEY, safe="").lower()):
        assert "quoted" not in key.redact(f"x {form} y")


def test_a_word_as_key_of_a_local_server_does_not_blot_out_words() -> None:
    assert ApiKey("none").redact("there are none") == "there are none"


async def test_further_keys_are_masked_by_whoever_knows_them(server: MisbehavingServer) -> None:
    server.script(error(400, f"a other-secret b {KEY}"))
    client = client_of(server, redact=lambda text: text.replace("other-secret", "***"))

    outcome = await ask(client)
    await client.aclose()

    assert outcome.error is not None
    assert outcome.error.detail == "a *** b [key]"


@pytest.mark.parametrize("key", ["with space", "line\nbreak", "ümlaut-key", "tab\tkey", "null\x00key"])
async def test_a_key_that_is_none_is_not_sent_and_not_shown(server: MisbehavingServer, key: str) -> None:
    client = client_of(server, api_key=key)

    outcome = await ask(client)
    await client.aclose()

    assert type(outcome.error) is AuthenticationFailed
    assert key not in all_of(outcome.error)
    assert server.requests == []


async def test_space_around_a_key_is_dropped(server: MisbehavingServer) -> None:
    client = client_of(server, api_key=f"  {KEY}\n")

    await ask(client)
    await client.aclose()

    assert server.chats[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_does_not_travel_unencrypted_to_another_machine() -> None:
    """X19."""
    far, near, safe = (
        ChatClient(base_url, KEY)
        for base_url in ("http://192.168.1.5/v1", "http://localhost:1/v1", "https://192.168.1.5/v1")
    )

    assert far._key_headers() == {}
    assert near._key_headers() == safe._key_headers() == {"Authorization": f"Bearer {KEY}"}


async def test_a_user_and_password_in_the_address_are_not_shown() -> None:
    client = ChatClient("https://someone:hunter2@no-such-host.invalid/v1")

    outcome = await ask(client)
    await client.aclose()

    assert "hunter2" not in str(outcome.error)
    assert "hunter2" not in repr(client)
