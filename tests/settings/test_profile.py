from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings.profile import FIELDS, Profile, check, field_schema, model_id

SCHEMA = {entry["name"]: entry for entry in field_schema()}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_the_schema_describes_every_field_and_is_json():
    text = json.dumps(field_schema(), allow_nan=False)

    assert [entry["name"] for entry in json.loads(text)] == list(FIELDS)
    assert all(entry["label"] and entry["help"] for entry in field_schema())


def test_every_default_is_a_value_its_field_takes():
    for name, entry in SCHEMA.items():
        if entry["default"] is not None:
            assert check(name, entry["default"]) == getattr(Profile(), name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model", "text"),
        ("instructions", "long_text"),
        ("temperature", "number"),
        ("max_tokens", "integer"),
        ("send_values", "boolean"),
        ("reasoning_effort", "choice"),
        ("stop", "list"),
        ("fallback_models", "list"),
        ("provider", "table"),
        ("connect_timeout_s", "number"),
        ("base_url", "text"),
    ],
)
def test_the_schema_says_how_a_field_is_edited(name, kind):
    assert SCHEMA[name]["type"] == kind


def test_only_fields_that_may_be_unset_are_optional():
    for name, entry in SCHEMA.items():
        if entry["optional"]:
            assert check(name, None) is None
        else:
            with pytest.raises(SettingsError):
                check(name, None)


@pytest.mark.parametrize("name", [name for name, entry in SCHEMA.items() if entry["type"] in ("number", "integer")])
def test_limits_hold_at_both_ends(name):
    low, high = SCHEMA[name]["min"], SCHEMA[name]["max"]

    assert check(name, low) == low
    assert check(name, high) == high
    for wrong in (low - 1, high + 1, math.nan, math.inf, -math.inf, True, "much", [1], 10**400):
        with pytest.raises(SettingsError, match=name):
            check(name, wrong)


@given(name=st.sampled_from(FIELDS), value=ANYTHING)
def test_a_field_takes_a_value_or_says_in_one_line_why_not(name, value):
    try:
        kept = check(name, value)
    except SettingsError as exc:
        message = str(exc)
    else:
        message = f"{name!r}."
        assert check(name, kept) == kept

    assert message.startswith(repr(name))
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    assert "pydantic" not in message


def test_an_unknown_field_names_the_nearest():
    with pytest.raises(SettingsError, match="'temprature'; did you mean 'temperature'"):
        check("temprature", 1)


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(SettingsError) as caught:
        check("base_url", "https://user:hunter2@openrouter.ai/api/v1")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "openrouter.ai",
        "ftp://openrouter.ai",
        "file:///etc/passwd",
        "https://",
        "https://openrouter.ai:0/v1",
        "https://openrouter.ai:99999/v1",
        "https://openrouter.ai\\@evil.example/v1",
        "https://evil.example\\.openrouter.ai",
        "https://openrouter.ai/v1?x=1",
        "https://openrouter.ai/v1#x",
        "https://openrоuter.ai/api/v1",
        "https://a b/",
        "https://a\r\nHost: b/",
    ],
)
def test_an_address_that_can_be_misread_is_refused(url):
    with pytest.raises(SettingsError, match="base_url"):
        check("base_url", url)


@pytest.mark.parametrize("url", ["http://localhost:11434/v1", "http://[::1]:8000", "https://llm.example/v1"])
def test_addresses_of_own_servers_are_taken(url):
    assert check("base_url", url + "/") == url


def test_the_system_prompt_is_instructions_then_personality():
    assert Profile(instructions="Do this.", personality="Be kind.").system_prompt() == "Do this.\n\nBe kind."
    assert Profile(instructions=" ", personality="Be kind.").system_prompt() == "Be kind."
    assert Profile(instructions="", personality="").system_prompt() == ""


def test_sampling_holds_only_what_is_set():
    assert Profile().sampling() == {}
    assert Profile(temperature=0, stop="END").sampling() == {"temperature": 0.0, "stop": ["END"]}
    assert Profile().reasoning() is None
    assert Profile(reasoning_effort="low").reasoning() == {"effort": "low"}


def test_a_profile_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Profile().temperature = 1


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("openai:gpt-5", "openai/gpt-5"),
        ("openai/gpt-5", "openai/gpt-5"),
        ("openai/gpt-5:free", "openai/gpt-5:free"),
        ("anthropic:claude-sonnet-4.5:beta", "anthropic/claude-sonnet-4.5"),
        ("anthropic/claude-sonnet-4.5:beta", "anthropic/claude-sonnet-4.5"),
        ("openrouter:openai/gpt-5", "openai/gpt-5"),
        ("openrouter/openai/gpt-5", "openai/gpt-5"),
        ("openrouter/auto", "openrouter/auto"),
        ("~anthropic/claude-sonnet-latest", "~anthropic/claude-sonnet-latest"),
        ("rustbot:demo", "rustbot/demo"),
        ("rustbot/demo", "rustbot/demo"),
    ],
)
def test_every_usual_spelling_of_a_model_is_understood(typed, full):
    assert model_id(typed) == full


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("llama3.2:3b", "llama3.2:3b"),
        ("ollama:llama3.2:3b", "llama3.2:3b"),
        ("openai:gpt-5", "gpt-5"),
        ("a/b:q4", "a/b:q4"),
    ],
)
def test_on_other_servers_a_colon_belongs_to_the_name(typed, full):
    assert model_id(typed, "http://localhost:11434/v1") == full


LISTED_MODELS = [
    "Qwen 2.5 7B Instruct",
    "C:\\Users\\Jane Doe\\models\\qwen 2.5.gguf",
    "/home/jane doe/model (final) [v2].gguf",
    "模型-7b",
    'with "quotes" & {braces}',
    "x" * 500,
]


@pytest.mark.parametrize("name", LISTED_MODELS)
def test_any_printable_name_of_a_model_can_be_chosen(name):
    assert check("model", f" {name} ") == name
    assert model_id(name, "http://localhost:1234/v1") == name


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[31m", "a\u202eb", "\ud800", "x" * 501])
def test_what_cannot_be_seen_is_no_name_of_a_model(name):
    with pytest.raises(SettingsError):
        check("model", name)
