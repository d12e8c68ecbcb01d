from __future__ import annotations

import traceback

import pytest

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings import secrets
from rustbot_jupyter.settings.layers import Settings

keyring = pytest.importorskip("keyring")
backend = pytest.importorskip("keyring.backend")
fail = pytest.importorskip("keyring.backends.fail")

KEY = "sk-or-v1-0123456789abcdef"


class MemoryKeyring(backend.KeyringBackend):
    """A keyring that works, without a desktop."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def _own_keyring():
    keyring.set_keyring(fail.Keyring())
    yield
    secrets._memory.clear()
    secrets._in_keyring.clear()


@pytest.fixture
def working_keyring():
    kept = MemoryKeyring()
    keyring.set_keyring(kept)
    return kept


def load(folder, environ=None) -> Settings:
    return Settings.load(environ=environ or {}, config_dir=folder, working_dir=folder)


def test_a_key_in_the_keyring_is_found_after_variables_and_before_the_key_file(tmp_path, working_keyring):
    settings = load(tmp_path)
    settings.remember_key("from-file", "file")
    settings.remember_key(KEY, "keyring")
    secrets._memory.clear()

    assert load(tmp_path).find_key().source == "keyring"
    assert load(tmp_path).find_key().value.get_secret_value() == KEY
    assert load(tmp_path, {"OPENROUTER_API_KEY": "other-key"}).find_key().source == "OPENROUTER_API_KEY"
    assert load(tmp_path).find_key("https://llm.example/v1") is None


def test_a_forgotten_key_is_taken_out_of_the_keyring(tmp_path, working_keyring):
    settings = load(tmp_path)
    settings.remember_key(KEY, "keyring")

    settings.forget_key()

    assert settings.find_key() is None
    assert working_keyring.kept == {}


def test_a_keyring_that_fails_means_no_key(tmp_path):
    settings = load(tmp_path)

    assert settings.find_key() is None
    with pytest.raises(SettingsError, match="keyring did not take the key") as caught:
        settings.remember_key(KEY, "keyring")
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(frames.format())
    assert settings.find_key() is None
