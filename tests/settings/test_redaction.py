from __future__ import annotations

import base64
import json
import pickle
from urllib.parse import quote

import pytest
from effort import cpu_at_most
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from rustbot_jupyter.settings.redaction import Redactor

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=80)


def redactor_for(*keys: str) -> Redactor:
    redactor = Redactor()
    for key in keys:
        redactor.add(SecretStr(key))
    return redactor


def percent(key: str) -> str:
    return quote(key, safe="")


def percent_in_small_letters(key: str) -> str:
    return "".join(f"%{byte:02x}" for byte in key.encode())


def json_escaped(key: str) -> str:
    return json.dumps(key)[1:-1]


def json_in_json(key: str) -> str:
    return json.dumps(json.dumps({"k": key}))


def base64_text(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def base64_for_addresses(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


FORMS = [str, percent, percent_in_small_letters, json_escaped, json_in_json, base64_text, base64_for_addresses]


@pytest.mark.parametrize("form", FORMS)
@given(key=KEYS, before=st.text(max_size=9), after=st.text(max_size=9))
def test_a_live_key_is_taken_out_in_every_form(form, key, before, after):
    redactor = redactor_for(key)

    text = redactor.redact(before + form(key) + after)

    assert form(key) not in text
    assert redactor.redact("nothing to hide") == "nothing to hide"


@given(key=KEYS, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_a_key_inside_a_longer_base64_text_is_taken_out(key, before, after):
    text = base64.b64encode(before + key.encode() + after).decode()

    redacted = redactor_for(key).redact(f"Basic {text}")

    assert text not in redacted
    assert "[redacted]" in redacted


@pytest.mark.parametrize(
    "text",
    [
        "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
        "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD",
    ],
)
def test_what_looks_like_a_key_is_taken_out_unknown(text):
    assert Redactor().redact(f"wrong key '{text}'.") == "wrong key '[redacted]'."


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_token_is_taken_out_and_the_word_kept(word):
    assert Redactor().redact(f'"{word} abcdefghij0123456789.x=="') == f'"{word} [redacted]"'


@pytest.mark.parametrize(
    "text",
    ["a bearer of news", "task-or-not", "sk-toggleable__label-arrow", "class='sk-estimator-doc-link'", "", "sk-"],
)
def test_ordinary_words_stay(text):
    assert redactor_for("none", "ollama").redact(text) == text
    assert redactor_for("none").redact("none of it") == "none of it"


def test_nested_data_is_redacted_down_to_its_keys():
    redactor = redactor_for("secret-key-1")

    data = redactor.redact_data(
        {
            "a": ["x secret-key-1", 3, None, {"secret-key-1": True}],
            "b": ("secret-key-1",),
            "c": b"secret-key-1",
            "d": 1.5,
        }
    )

    assert data == {
        "a": ["x [redacted]", 3, None, {"[redacted]": True}],
        "b": ("[redacted]",),
        "c": b"[redacted]",
        "d": 1.5,
    }


def test_endless_data_ends():
    data: list[object] = ["secret-key-1"]
    data.append(data)

    assert "secret-key-1" not in repr(redactor_for("secret-key-1").redact_data(data))


def test_a_long_text_without_keys_takes_a_moment_only():
    redactor = redactor_for(*(f"sk-or-v1-{number:064x}" for number in range(5)))
    text = "The quick brown fox jumps over the lazy dog; " * 25_000

    with cpu_at_most(0.2):
        assert redactor.redact(text) == text


def test_the_redactor_itself_shows_and_gives_away_nothing():
    redactor = redactor_for("secret-key-1")

    assert "secret" not in repr(redactor)
    assert not hasattr(redactor, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(redactor)
