"""Keys: where they are found, and for which host. A key never leaves for another host than the one it was given for.

Order: argument, settings tab, environment, .env, keyring, key file. `OPENROUTER_API_KEY` is for openrouter.ai.
`RUSTBOT_API_KEY` is for the server the user configured: the one in `RUSTBOT_BASE_URL` beside it, or else the
`base_url` of an argument or of the user's settings file; never for one that a project's .env brought in.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NoReturn, get_args

from pydantic import SecretStr

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings import keyfile
from rustbot_jupyter.settings.hosts import OPENROUTER_HOST, host_of, insecure_http
from rustbot_jupyter.settings.key_text import fault_of, unquoted
from rustbot_jupyter.settings.profile import shown
from rustbot_jupyter.settings.redaction import REDACTOR

KeyPlace = Literal["memory", "keyring", "file"]
UrlOrigin = Literal["default", "user", "project"]
"""Who chose the base URL: nobody, the user (argument, settings file, environment), or a .env in the working folder."""

_SERVICE = "rustbot-jupyter"
KEY_VARIABLES = ("OPENROUTER_API_KEY", "RUSTBOT_API_KEY")
_logger = logging.getLogger(__name__)
_lock = threading.Lock()
_memory: dict[str, Key] = {}
_in_keyring: dict[str, SecretStr | None] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """An API key, the host it may go to, and where it was found. It shows itself without its value."""

    value: SecretStr
    source: str
    """argument, settings tab, OPENROUTER_API_KEY, RUSTBOT_API_KEY, .env, keyring or file."""
    host: str

    def __post_init__(self) -> None:
        REDACTOR.add(self.value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key is not pickled.")

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: Any) -> Key:
        return self


def clean_key(key: str | SecretStr) -> SecretStr:
    """The key without the space and the quotation marks around it.

    Raises:
        SettingsError: It is none; the message says why, and does not repeat it.
    """
    cleaned = SecretStr(unquoted(_hidden(key).get_secret_value()))
    fault = fault_of(cleaned.get_secret_value())
    if fault:
        raise SettingsError(f"The API key cannot be used: it {fault}. Give the key alone, as the provider shows it.")
    return cleaned


def problems_of(variables: Mapping[str, str], place: str = "") -> list[str]:
    """A message for each variable that holds something else than a key; none repeats it."""
    given = {name: unquoted(variables[name]) for name in KEY_VARIABLES if variables.get(name, "").strip()}
    return [
        f"{name}{place} is not used: it {fault}. Put the key alone there, as the provider shows it."
        for name, text in given.items()
        if (fault := fault_of(text))
    ]


def find_key(
    base_url: str,
    *,
    argument: Key | None = None,
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    url_from: UrlOrigin,
    config_dir: Path | None = None,
) -> Key | None:
    """The key for the server at `base_url`, or None if none was given for its host or the way there is not encrypted.

    Args:
        base_url: Where the request is going to.
        argument: A key given in code, bound to its host then.
        environ: The environment's variables.
        dotenv: The variables of the working directory's .env.
        url_from: Who chose `base_url`.
        config_dir: Where the key file is; None if there is no such folder.
    """
    host = host_of(base_url)
    if not host or insecure_http(base_url):
        return None
    given = [argument, _memory.get(host), *_from_variables(host, environ, dotenv, url_from)]
    for key in given:
        if key is not None and key.host == host:
            return key
    return _from_keyring(host) or _from_file(host, config_dir)


def remember_key(host: str, key: str | SecretStr, where: KeyPlace = "memory", config_dir: Path | None = None) -> Key:
    """The key, now used for `host` in this process, and kept for later ones in the keyring or a 0600 file if asked.

    Raises:
        SettingsError: The key or the host cannot be used, or the place cannot be written; nothing was kept there.
    """
    key = _hidden(key)
    secret = clean_key(key)
    if host_of(f"https://{host}") != host:
        raise SettingsError(f"{host[:80]!r} is no host; write it as 'openrouter.ai' or 'localhost:8000'.")
    found = Key(value=secret, source="settings tab", host=host)
    if where not in get_args(KeyPlace):
        raise SettingsError(f"A key cannot be kept in {shown(where)}; there are {', '.join(get_args(KeyPlace))}.")
    if where == "keyring":
        _write_keyring(host, secret)
    elif where == "file":
        keyfile.write(_folder(config_dir), host, secret)
    with _lock:
        _memory[host] = found
    return found


def forget_key(host: str, config_dir: Path | None = None) -> None:
    """Forget what was remembered for `host`, in memory, keyring and file.

    Raises:
        SettingsError: The key file cannot be changed.
    """
    with _lock:
        _memory.pop(host, None)
        _in_keyring.pop(host, None)
    if (keyring := _keyring()) is not None:
        _quietly(keyring.delete_password, _SERVICE, host)
    if config_dir is not None:
        keyfile.write(config_dir, host, None)


def given_key(key: object) -> SecretStr | None:
    """The key of an argument, hidden; None when none was given. Something that is no text becomes an empty one, which
    is refused wherever it is used."""
    return None if key is None or key == "" else _hidden(key)


def _hidden(key: object) -> SecretStr:
    """The key as something that a traceback may show; called first, so that no frame keeps the text."""
    if isinstance(key, SecretStr):
        return key
    return SecretStr(key if isinstance(key, str) else "")


def _from_variables(
    host: str, environ: Mapping[str, str], dotenv: Mapping[str, str], url_from: UrlOrigin
) -> Iterator[Key | None]:
    yield _variable(environ, "OPENROUTER_API_KEY", "OPENROUTER_API_KEY", OPENROUTER_HOST)
    yield _variable(environ, "RUSTBOT_API_KEY", "RUSTBOT_API_KEY", _own_host(environ, host, url_from))
    yield _variable(dotenv, "OPENROUTER_API_KEY", ".env", OPENROUTER_HOST)
    yield _variable(dotenv, "RUSTBOT_API_KEY", ".env", _own_host(dotenv, host, url_from))


def _own_host(variables: Mapping[str, str], host: str, url_from: UrlOrigin) -> str:
    beside = unquoted(variables.get("RUSTBOT_BASE_URL", ""))
    if beside:
        return host_of(beside)
    return host if url_from == "user" else ""


def _variable(variables: Mapping[str, str], name: str, source: str, host: str) -> Key | None:
    # What is wrong with one that cannot be used stands among the problems of the settings.
    return _key(SecretStr(variables[name]), source, host) if host and variables.get(name, "").strip() else None


def _from_keyring(host: str) -> Key | None:
    # Asked once for each host: a keyring is another process, and a locked one may ask the user each time.
    if host not in _in_keyring and (keyring := _keyring()) is not None:
        _in_keyring[host] = _quietly(keyring.get_password, _SERVICE, host)
    return _key(_in_keyring.get(host), "keyring", host)


def _from_file(host: str, folder: Path | None) -> Key | None:
    return None if folder is None else _key(keyfile.read(folder).get(host), "file", host)


def _key(value: SecretStr | None, source: str, host: str) -> Key | None:
    if value is not None:
        with suppress(SettingsError):
            return Key(value=clean_key(value), source=source, host=host)
    return None


def _folder(config_dir: Path | None) -> Path:
    if config_dir is None:
        raise SettingsError("There is no home folder to keep the key in; set RUSTBOT_CONFIG_DIR to a folder.")
    return config_dir


def _keyring() -> ModuleType | None:
    try:
        import keyring
    except ImportError:
        return None
    module: ModuleType = keyring
    return module


def _quietly(call: Any, *arguments: str) -> SecretStr | None:
    # Each platform's keyring fails in its own way (no backend, locked, no D-Bus, denied): all mean "no key here".
    try:
        found = call(*arguments)
    except Exception as exc:
        _logger.debug("The keyring did not answer: %s", type(exc).__name__)
        return None
    return SecretStr(found) if isinstance(found, str) else None


def _write_keyring(host: str, secret: SecretStr) -> None:
    keyring = _keyring()
    if keyring is None:
        raise SettingsError("There is no keyring: `pip install rustbot-jupyter[keyring]`, or keep the key in a file.")
    try:
        keyring.set_password(_SERVICE, host, secret.get_secret_value())
    except Exception as exc:
        why = type(exc).__name__
    else:
        _in_keyring.pop(host, None)
        return
    # Not chained: a backend's traceback has the key in its locals.
    raise SettingsError(f"The keyring did not take the key ({why}); keep it in memory or in a file instead.")
