from __future__ import annotations

import base64
import copy
import dataclasses
import json
import pickle
import stat
import sys
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.settings import files, keyfile, secrets
from rustbot_jupyter.settings.hosts import OPENROUTER_URL, host_of, insecure_http, is_loopback
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.redaction import redact

KEY = 'sk-"or"-v1/äöü'.encode("ascii", "ignore").decode() + "0123456789+abcdef"
FORMS = (KEY, base64.b64encode(KEY.encode()).decode(), quote(KEY, safe=""), json.dumps(KEY)[1:-1], repr(KEY)[1:-1])
EVIL = "https://evil.example/v1"


@pytest.fixture(autouse=True)
def _no_keys_of_others(monkeypatch):
    # Without the package, so that the keyring of whoever runs the tests is left alone.
    monkeypatch.setitem(sys.modules, "keyring", None)
    yield
    secrets._memory.clear()
    secrets._in_keyring.clear()


def load(folder: Path, environ: dict[str, str] | None = None, **kwargs) -> Settings:
    return Settings.load(environ=environ or {}, config_dir=folder, working_dir=folder, **kwargs)


def assert_hidden(text: str) -> None:
    assert not [form for form in FORMS if form in text]


def found(settings: Settings, base_url: str | None = None) -> tuple[str, str] | None:
    key = settings.find_key(base_url)
    return None if key is None else (key.source, key.value.get_secret_value())


# Where a key is found.


def test_without_any_key_none_is_found(tmp_path):
    assert load(tmp_path).find_key() is None


def test_the_order_is_argument_tab_environment_dotenv_file(tmp_path):
    settings = load(tmp_path)
    settings.remember_key("from-file", "file")
    secrets._memory.clear()
    assert found(load(tmp_path)) == ("file", "from-file")

    (tmp_path / ".env").write_text("OPENROUTER_API_KEY=from-dotenv\n")
    assert found(load(tmp_path)) == (".env", "from-dotenv")

    environ = {"OPENROUTER_API_KEY": " from-environment\n"}
    assert found(load(tmp_path, environ)) == ("OPENROUTER_API_KEY", "from-environment")

    settings.remember_key("from-tab")
    assert found(load(tmp_path, environ)) == ("settings tab", "from-tab")
    assert found(load(tmp_path, environ, api_key="from-argument")) == ("argument", "from-argument")


def test_a_key_typed_into_the_tab_replaces_one_given_in_code(tmp_path):
    settings = load(tmp_path, api_key="wrong-one")

    settings.remember_key("right-one")

    assert found(settings) == ("settings tab", "right-one")


def test_an_unchanged_file_is_read_once_and_one_written_just_now_each_time(tmp_path):
    reads: list[Path] = []
    read = files.kept(reads.append)
    old, new, missing = Path(json.__file__), tmp_path / "new", tmp_path / "missing"
    new.touch()

    for path in (old, old, new, new, missing, missing):
        read(path)
    missing.touch()
    read(missing)

    assert reads == [old, new, new, missing, missing]


def test_a_file_that_could_not_be_read_is_read_again():
    def read(path: Path) -> str:
        if not faults:
            return "read"
        raise faults.pop()

    faults, kept = [OSError("locked")], files.kept(read)

    with pytest.raises(OSError, match="locked"):
        kept(Path(json.__file__))
    assert kept(Path(json.__file__)) == "read"


def _in_dotenv(folder: Path, key: str) -> None:
    (folder / ".env").write_text(f"OPENROUTER_API_KEY={key}")


def _in_file(folder: Path, key: str) -> None:
    keyfile.write(folder, "openrouter.ai", SecretStr(key))


@pytest.mark.parametrize(("write", "name"), [(_in_dotenv, ".env"), (_in_file, keyfile.KEY_FILE)])
@pytest.mark.parametrize("tick", [files._TICK_NS, -(10**18)], ids=["new files", "as if all files were old"])
def test_a_key_that_is_changed_or_taken_away_in_its_file_is_noticed_at_the_next_question(
    tmp_path, monkeypatch, write, name, tick
):
    monkeypatch.setattr(files, "_TICK_NS", tick)
    settings, source = load(tmp_path), name if name == ".env" else "file"
    assert found(settings) is None

    for key in ("first-key", "a-longer-key", "short-key"):
        write(tmp_path, key)
        assert found(settings) == found(settings) == (source, key)
    (tmp_path / name).unlink()
    assert found(settings) is None


def test_another_working_folder_has_its_own_env_file(tmp_path, monkeypatch):
    settings = Settings.load(environ={}, config_dir=tmp_path / "config")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        _in_dotenv(tmp_path / name, f"key-{name}")

    for name in ("one", "two", "one"):
        monkeypatch.chdir(tmp_path / name)
        assert found(settings) == (".env", f"key-{name}")


def test_a_forgotten_key_is_gone_everywhere(tmp_path):
    settings = load(tmp_path, api_key="from-argument")
    settings.remember_key("from-file", "file")

    settings.forget_key()

    assert settings.find_key() is None
    assert "from-file" not in (tmp_path / "keys.json").read_text()


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "ключ", "nul\0", "x" * 5000])
def test_a_key_that_cannot_be_one_is_refused_or_left_out(tmp_path, key):
    with pytest.raises(SettingsError, match="cannot be used"):
        load(tmp_path).remember_key(key)

    assert load(tmp_path, {"OPENROUTER_API_KEY": key}).find_key() is None


def test_without_the_keyring_package_there_is_a_hint(tmp_path):
    settings = load(tmp_path)

    assert settings.find_key() is None
    with pytest.raises(SettingsError, match="pip install"):
        settings.remember_key(KEY, "keyring")


def test_the_key_file_is_the_owners_only(tmp_path):
    load(tmp_path).remember_key(KEY, "file")
    path = tmp_path / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    path.chmod(0o644)
    secrets._memory.clear()

    assert found(load(tmp_path)) == ("file", KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("raw", [b"", b"\0", b"[]", b'{"keys": 3}', b'{"keys": {"openrouter.ai": 3}}', b"[" * 10**5])
def test_a_broken_key_file_gives_no_key_and_is_kept(tmp_path, raw):
    (tmp_path / "keys.json").write_bytes(raw)
    settings = load(tmp_path)
    assert settings.find_key() is None

    settings.remember_key(KEY, "file")

    secrets._memory.clear()
    assert found(load(tmp_path)) == ("file", KEY)
    assert [path.read_bytes() for path in tmp_path.glob("keys.json.broken-*")] == ([raw] if raw else [])


# For which host.


@pytest.mark.parametrize(
    "url",
    [
        EVIL,
        "https://openrouter.ai.evil.example/api/v1",
        "https://evil-openrouter.ai/api/v1",
        "https://openrouter.ai:8443/api/v1",
        "https://openrouter.ai./api/v1",
        "http://openrouter.ai/api/v1",
        "http://localhost:8000/v1",
    ],
)
@pytest.mark.parametrize("layer", ["file", "profile", "environment", ".env", "call", "session"])
def test_a_moved_base_url_does_not_get_the_key_of_openrouter(tmp_path, url, layer):
    environ = {"OPENROUTER_API_KEY": KEY, "RUSTBOT_PROFILE": "p"}
    text = f'base_url = "{url}"\n'
    (tmp_path / "settings.toml").write_text({"file": text, "profile": "[profiles.p]\n" + text}.get(layer, ""))
    (tmp_path / ".env").write_text(f"RUSTBOT_BASE_URL={url}\n" if layer == ".env" else "")
    if layer == "environment":
        environ["RUSTBOT_BASE_URL"] = url
    settings = load(tmp_path, environ, call={"base_url": url} if layer == "call" else None)
    if layer == "session":
        settings.base_url = url

    assert settings.base_url == url
    assert settings.find_key() is None


def test_a_key_given_in_code_is_bound_to_the_address_given_with_it(tmp_path):
    settings = load(tmp_path, api_key=KEY, call={"base_url": "https://llm.example/v1"})
    assert found(settings) == ("argument", KEY)

    settings.base_url = EVIL

    assert settings.find_key() is None
    assert settings.find_key(OPENROUTER_URL) is None


def test_a_projects_env_file_does_not_get_a_key_given_in_code(tmp_path):
    (tmp_path / ".env").write_text(f"RUSTBOT_BASE_URL={EVIL}\n")

    settings = load(tmp_path, api_key=KEY)

    assert settings.base_url == EVIL
    assert "chosen by .env" in settings.problems[0]
    assert settings.find_key() is None
    assert found(settings, OPENROUTER_URL) == ("argument", KEY)


def test_the_users_own_server_gets_the_key_for_own_servers(tmp_path):
    (tmp_path / "settings.toml").write_text('base_url = "https://llm.example/v1"\n')

    assert found(load(tmp_path, {"RUSTBOT_API_KEY": KEY})) == ("RUSTBOT_API_KEY", KEY)


def test_the_key_for_own_servers_is_bound_to_the_address_beside_it(tmp_path):
    environ = {"RUSTBOT_API_KEY": KEY, "RUSTBOT_BASE_URL": "https://llm.example/v1"}
    assert found(load(tmp_path, environ)) == ("RUSTBOT_API_KEY", KEY)

    settings = load(tmp_path, environ, call={"base_url": EVIL})

    assert settings.find_key() is None


def test_the_key_for_own_servers_goes_neither_to_a_projects_server_nor_to_the_default_one(tmp_path):
    assert load(tmp_path, {"RUSTBOT_API_KEY": KEY}).find_key() is None

    (tmp_path / ".env").write_text(f"RUSTBOT_BASE_URL={EVIL}\n")

    assert load(tmp_path, {"RUSTBOT_API_KEY": KEY}).find_key() is None


def test_a_project_may_bring_a_server_and_its_own_key_for_it(tmp_path):
    (tmp_path / ".env").write_text(f"RUSTBOT_BASE_URL=https://llm.example/v1\nRUSTBOT_API_KEY={KEY}\n")

    settings = load(tmp_path)

    assert found(settings) == (".env", KEY)
    assert settings.find_key(EVIL) is None


def test_a_project_cannot_put_the_key_into_an_address(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-abc")
    (tmp_path / ".env").write_text("RUSTBOT_BASE_URL=https://evil.example/${OPENROUTER_API_KEY}\n")

    settings = Settings.load(config_dir=tmp_path, working_dir=tmp_path)

    assert "sk-or-v1-abc" not in settings.base_url


def test_a_remembered_key_goes_to_its_host_only(tmp_path):
    settings = load(tmp_path, call={"base_url": "https://llm.example:8443/v1"})

    key = settings.remember_key(KEY)

    assert key.host == "llm.example:8443"
    assert settings.find_key("https://llm.example/v1") is None
    with pytest.raises(SettingsError, match="no host"):
        settings.remember_key(KEY, host="https://llm.example/v1")


def test_no_key_travels_unencrypted_except_on_this_machine(tmp_path):
    away = load(tmp_path, api_key=KEY, call={"base_url": "http://10.0.0.5:8000/v1"})
    here = load(tmp_path, api_key=KEY, call={"base_url": "http://127.0.0.1:8000/v1"})

    assert away.find_key() is None
    assert "not encrypted" in insecure_http(away.base_url)
    assert found(here) == ("argument", KEY)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://OpenRouter.AI/api/v1", "openrouter.ai"),
        ("https://openrouter.ai:443/api/v1", "openrouter.ai"),
        ("http://[::1]:8000/v1", "[::1]:8000"),
        ("https://openrouter.ai@evil.example/", ""),
        ("nonsense", ""),
    ],
)
def test_the_host_of_an_address(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    "host",
    ["127.1", "0177.0.0.1", "2130706433", "localhost.evil.example", "evil.localhost", "0.0.0.0", "10.0.0.1"],
)
def test_only_plain_names_of_this_machine_count_as_local(host):
    assert not is_loopback(f"http://{host}/")
    assert not ChatClient(f"http://{host}/").is_local


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.9.9.9:8000", "[::1]:8000"])
def test_settings_and_client_agree_on_what_is_local(host):
    assert is_loopback(f"http://{host}/")
    assert ChatClient(f"http://{host}/").is_local


# Nowhere to be seen.


def test_a_key_shows_itself_nowhere(tmp_path):
    settings = load(tmp_path, {"OPENROUTER_API_KEY": KEY}, api_key=KEY)
    key = settings.find_key()
    shown = [
        repr(key),
        str(key),
        f"{key}",
        repr(dataclasses.asdict(key)),
        repr(copy.copy(key)),
        repr(copy.deepcopy(key)),
        repr([key]),
        repr(settings),
        str(settings),
        repr(vars(settings)),
        repr(settings.explain()),
        settings._repr_html_(),
        repr(settings.values.model_dump()),
        repr(settings.problems),
    ]

    assert_hidden("\n".join(shown))
    for thing in (key, settings):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    with pytest.raises(TypeError):
        json.dumps(dataclasses.asdict(key))


def test_a_key_is_in_no_local_variable_of_a_traceback(tmp_path):
    settings = load(tmp_path)
    (tmp_path / "keys.json").mkdir()
    keys = iter([KEY + " ", KEY, KEY, KEY])
    attempts = [
        lambda: settings.remember_key(next(keys) + "\n two"),
        lambda: settings.remember_key(next(keys), "file"),
        lambda: settings.remember_key(next(keys), "keyring"),
        lambda: Settings.load(api_key=next(keys), profile="missing", environ={}, config_dir=tmp_path),
    ]

    for attempt in attempts:
        with pytest.raises(SettingsError) as caught:
            attempt()
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert_hidden("".join(frames.format()))


def test_saved_settings_hold_no_key(tmp_path):
    settings = load(tmp_path, {"OPENROUTER_API_KEY": KEY}, api_key=KEY)
    settings.seed = 1

    settings.save()

    assert_hidden("".join(path.read_text() for path in tmp_path.iterdir()))


def test_a_key_that_was_found_once_is_known_to_the_redactor(tmp_path):
    load(tmp_path, {"OPENROUTER_API_KEY": "plain-word-key"}).find_key()

    assert redact("401: invalid key plain-word-key") == "401: invalid key [redacted]"


def test_a_key_in_the_settings_file_is_not_repeated(tmp_path):
    (tmp_path / "settings.toml").write_text(f"api_key = {json.dumps(KEY)}\nmodel = {json.dumps(KEY + ' x')}\n")
    secrets.Key(value=SecretStr(KEY), source="argument", host="x")

    settings = load(tmp_path)

    assert "keys do not belong here" in settings.problems[0]
    assert_hidden("".join(settings.problems))
