"""The key file: keys by host, in the config folder, readable by its owner only; made only when the user asks."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings import files
from rustbot_jupyter.whole_files import write_atomically

KEY_FILE = "keys.json"
_OWNER_ONLY = 0o600
_logger = logging.getLogger(__name__)


def read(folder: Path) -> Mapping[str, SecretStr]:
    """The keys by host; none when there is no file or it cannot be read."""
    path = folder / KEY_FILE
    try:
        return _keys(path)
    except OSError as exc:
        _logger.warning("%r cannot be read (%s); no key is taken from it.", str(path), exc.strerror or exc)
        return {}


def write(folder: Path, host: str, secret: SecretStr | None) -> None:
    """Keep the key for `host`, or with None take it out.

    Raises:
        SettingsError: The file is as it was.
    """
    path = folder / KEY_FILE
    keys = read(folder)
    if secret is None and host not in keys:
        return
    keys = {name: key for name, key in {**keys, host: secret}.items() if key is not None}
    try:
        _keep_if_unreadable(path)
        write_atomically(path, _dump(keys), _OWNER_ONLY)
    except OSError as exc:
        why = exc.strerror or str(exc)
    else:
        return
    # Not chained: the frames of what failed hold the keys.
    raise SettingsError(f"The key cannot be saved to {str(path)!r} ({why}); keep it in memory instead.")


@files.kept
def _keys(path: Path) -> Mapping[str, SecretStr]:
    raw = files.read_start(path)
    if raw is None:
        return {}
    _close_to_others(path)
    return MappingProxyType(_parse(raw))


def _dump(keys: dict[str, SecretStr]) -> bytes:
    plain = {host: key.get_secret_value() for host, key in keys.items()}
    return json.dumps({"schema_version": 1, "keys": plain}, indent=1).encode()


def _keep_if_unreadable(path: Path) -> None:
    raw = files.read_start(path)
    if raw and not _parse(raw):
        files.keep_beside(path, raw, "broken")


def _parse(raw: bytes) -> dict[str, SecretStr]:
    with suppress(ValueError, RecursionError):
        data = json.loads(raw)
        keys = data.get("keys") if isinstance(data, dict) else None
        if isinstance(keys, dict):
            return {host: SecretStr(key) for host, key in keys.items() if isinstance(key, str)}
    return {}


def _close_to_others(path: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        with suppress(OSError):
            path.chmod(_OWNER_ONLY)
