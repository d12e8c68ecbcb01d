"""Headers and a query of one's own: sent to the host they were given for, shown nowhere."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.misbehaving import MisbehavingServer, answer, error, json_answer

import rustbot_jupyter as rb
from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.notebook.views_settings import settings_view
from rustbot_jupyter.settings.hidden import MASK
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.redaction import redact

SECRET = "azure-secret-0123456789"
HERE = "http://localhost:5001/v1"
HEADERS = {"api-key": "${AZURE_KEY}", "X-Team": "blue"}
QUERY = {"api-version": "2024-10-21"}


def load(
    folder: Path, toml: str = "", dotenv: str = "", environ: dict[str, str] | None = None, **call: Any
) -> Settings:
    (folder / "settings.toml").write_text(toml)
    (folder / ".env").write_text(dotenv)
    return Settings.load(
        call=call, environ={"AZURE_KEY": SECRET, **(environ or {})}, config_dir=folder, working_dir=folder
    )


def sent(settings: Settings, **overrides: Any) -> tuple[dict[str, str], dict[str, str]]:
    tables = settings.sent_along(settings.values_for(overrides.pop("profile", None), overrides))
    headers, query = ({name: value.get_secret_value() for name, value in table.items()} for table in tables)
    return headers, query


AZURE = f"""
[profiles.azure]
base_url = "{HERE}"
headers = {{ api-key = "${{AZURE_KEY}}", X-Team = "blue" }}
query = {{ api-version = "2024-10-21" }}

[profiles.other]
base_url = "http://localhost:5002/v1"
"""


def test_a_profile_sends_them_with_values_of_the_environment(tmp_path: Path) -> None:
    settings = load(tmp_path, AZURE)

    assert sent(settings, profile="azure") == ({"api-key": SECRET, "X-Team": "blue"}, QUERY)
    assert sent(settings, profile="other") == ({}, {})
    assert sent(settings) == ({}, {})


def test_another_address_does_not_get_them(tmp_path: Path) -> None:
    settings = load(tmp_path, f'base_url = "{HERE}"\nheaders = {{ api-key = "{SECRET}" }}')

    assert sent(settings)[0] == {"api-key": SECRET}
    assert sent(settings, base_url="http://localhost:9/v1") == ({}, {})
    settings.base_url = "https://elsewhere.example/v1"
    assert sent(settings) == ({}, {})
    assert "'headers' was given for 'localhost:5001' and is not sent to 'elsewhere.example'" in str(settings.problems)


def test_a_project_can_neither_move_nor_give_them(tmp_path: Path) -> None:
    stranger = (
        'RUSTBOT_BASE_URL=https://stranger.example/v1\nRUSTBOT_HEADERS={"x": "${AZURE_KEY}"}\nRUSTBOT_QUERY={"a":"b"}'
    )

    plain = load(tmp_path, dotenv=stranger)
    own = load(tmp_path, f'base_url = "{HERE}"\nheaders = {{ api-key = "{SECRET}" }}', dotenv=stranger)

    for settings in (plain, own):
        assert settings.values.base_url == "https://stranger.example/v1"
        assert sent(settings) == ({}, {})
        assert "RUSTBOT_HEADERS in .env is not used" in str(settings.problems)


def test_what_was_given_in_code_stays_with_the_server_it_was_given_for(tmp_path: Path) -> None:
    settings = load(tmp_path, base_url=HERE)
    settings.headers = {"api-key": SECRET}

    assert sent(settings)[0] == {"api-key": SECRET}
    settings.base_url = "https://elsewhere.example/v1"
    assert sent(settings) == ({}, {})
    settings.base_url = HERE
    assert sent(settings)[0] == {"api-key": SECRET}


def test_plain_http_to_another_machine_does_not_get_them(tmp_path: Path) -> None:
    settings = load(tmp_path, base_url="http://models.example/v1", headers={"api-key": SECRET})

    assert sent(settings) == ({}, {})


def test_the_environment_gives_them_beside_its_address(tmp_path: Path) -> None:
    environ = {"RUSTBOT_BASE_URL": HERE, "RUSTBOT_HEADERS": json.dumps(HEADERS), "RUSTBOT_QUERY": json.dumps(QUERY)}

    assert sent(load(tmp_path, environ=environ)) == ({"api-key": SECRET, "X-Team": "blue"}, QUERY)


def test_a_value_may_come_from_the_env_file(tmp_path: Path) -> None:
    settings = load(tmp_path, AZURE.replace("AZURE_KEY", "OTHER_KEY"), dotenv=f"OTHER_KEY={SECRET}")

    assert sent(settings, profile="azure")[0]["api-key"] == SECRET


def test_a_variable_that_is_missing_is_named(tmp_path: Path) -> None:
    settings = load(tmp_path, AZURE.replace("AZURE_KEY", "MISSING_KEY"))

    with pytest.raises(SettingsError, match=r"'api-key' needs the variable 'MISSING_KEY', which is not set"):
        sent(settings, profile="azure")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("headers", {"a b": "x"}),
        ("headers", {"a": "x\r\nInjected: y"}),
        ("headers", {"a": SECRET + "\n"}),
        ("headers", {"a": "ключ"}),
        ("headers", {"Host": "x"}),
        ("headers", {"content-length": "1"}),
        ("headers", {"": "x"}),
        ("headers", {"a": 5}),
        ("headers", [SECRET]),
        ("query", {"a": {"b": SECRET}}),
        ("query", {f"a{number}": "b" for number in range(51)}),
        ("query", SECRET),
    ],
)
def test_what_is_none_is_refused_without_being_shown(tmp_path: Path, name: str, value: Any) -> None:
    settings = load(tmp_path)

    with pytest.raises(SettingsError, match=f"'{name}' cannot be") as caught:
        settings.set(name, value)

    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_value_that_would_break_a_header_is_refused_when_it_comes(tmp_path: Path) -> None:
    settings = load(tmp_path, AZURE, environ={"AZURE_KEY": "a\r\nX: y"})

    with pytest.raises(SettingsError, match="'AZURE_KEY' of 'api-key' holds characters that cannot be sent"):
        sent(settings, profile="azure")


def test_they_are_shown_nowhere(tmp_path: Path) -> None:
    settings = load(tmp_path, base_url=HERE, headers={"api-key": SECRET}, query={"code": "short", "v": "1"})
    sent(settings)

    shown = [
        repr(settings),
        settings._repr_html_(),
        repr(settings.explain()),
        repr(settings.values),
        str(settings.headers),
        json.dumps(settings_view(settings)),
        str(vars(settings.headers) if hasattr(settings.headers, "__dict__") else ""),
    ]
    assert not [text for text in shown if SECRET in text or "short" in text]
    assert redact(f"the server said {SECRET}") == "the server said [redacted]"
    assert copy.deepcopy(settings.headers) == settings.headers
    with pytest.raises(TypeError):
        pickle.dumps(settings.headers)


def test_what_is_no_secret_is_not_masked_in_other_texts(tmp_path: Path) -> None:
    load(tmp_path, base_url=HERE, headers={"X-Team": "data-science"}, query=QUERY)

    assert redact("data-science since 2024-10-21") == "data-science since 2024-10-21"


def test_the_settings_tab_sends_the_mask_back_and_the_values_stay(tmp_path: Path) -> None:
    settings = load(tmp_path, base_url=HERE, headers={"api-key": SECRET})
    (field,) = [each for each in settings_view(settings)["fields"] if each["name"] == "headers"]

    assert (field["type"], field["value"], field["default"]) == ("table", {"api-key": MASK}, {})
    settings.update({"headers": {**field["value"], "x": "${AZURE_KEY}"}})

    assert sent(settings)[0] == {"api-key": SECRET, "x": SECRET}
    (field,) = [each for each in settings_view(settings)["fields"] if each["name"] == "headers"]
    assert field["value"] == {"api-key": MASK, "x": "${AZURE_KEY}"}


def test_they_are_saved_as_given_and_for_the_user_only(tmp_path: Path) -> None:
    settings = load(tmp_path, base_url=HERE, headers=HEADERS, query=QUERY)

    settings.save(["base_url", "headers", "query"])
    settings.save("headers")
    text = (tmp_path / "settings.toml").read_text()
    again = Settings.load(environ={"AZURE_KEY": SECRET}, config_dir=tmp_path, working_dir=tmp_path)

    assert "${AZURE_KEY}" in text
    assert SECRET not in text
    assert (tmp_path / "settings.toml").stat().st_mode & 0o077 == 0
    assert sent(again) == ({"api-key": SECRET, "X-Team": "blue"}, QUERY)


# Over HTTP, as Azure wants it.


@pytest.fixture
def bot(server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch, own_folders: None) -> Iterator[rb.Rustbot]:
    monkeypatch.setenv("AZURE_KEY", SECRET)
    bot = rb.Rustbot(model="gpt-5", base_url=f"{server.base_url}/openai/deployments/gpt-5")
    bot.settings.update({"headers": {"api-key": "${AZURE_KEY}"}, "query": QUERY})
    yield bot
    bot.close()


def test_azures_key_and_version_are_sent_with_each_request(bot: rb.Rustbot, server: MisbehavingServer) -> None:
    server.on("/openai/deployments/gpt-5/chat/completions", answer("Yes."))
    server.on("/openai/deployments/gpt-5/models", json_answer({"data": [{"id": "gpt-5"}]}))

    assert bot.ask("Hello").text == "Yes."
    assert bot.refresh_models() == ""

    asked = [request for request in server.requests if request.method != "HEAD"]
    assert {request.path.partition("?")[2] for request in asked} == {"api-version=2024-10-21"}
    assert {request.headers["api-key"] for request in asked} == {SECRET}
    assert "authorization" not in asked[0].headers


def test_what_the_server_says_of_them_is_masked(
    bot: rb.Rustbot, server: MisbehavingServer, caplog: pytest.LogCaptureFixture
) -> None:
    bot.settings.query = {"code": SECRET}
    server.script(error(401, f"Access denied for key {SECRET}"))

    with caplog.at_level("INFO"), pytest.raises(rb.RustbotError, match="did not accept the API key") as caught:
        bot.ask("Hello")

    texts = ["".join(traceback.format_exception(caught.value)), bot.events().to_string(), repr(bot), caplog.text]
    assert not [text for text in texts if SECRET in text]
