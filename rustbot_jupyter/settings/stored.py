"""settings.toml: what of it can be used, and how changes get into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.errors import SettingsError, UnsupportedVersion
from rustbot_jupyter.settings import document, files
from rustbot_jupyter.settings.hidden import HiddenTable
from rustbot_jupyter.settings.migrations import SCHEMA_VERSION, migrate
from rustbot_jupyter.settings.profile import FIELDS, check, shown, unknown_field
from rustbot_jupyter.whole_files import write_atomically

if TYPE_CHECKING:
    from rustbot_jupyter.settings.edits import Changes

_NAME = re.compile(r"[A-Za-z0-9][\w .+-]{0,63}", re.ASCII)
_MOST_TOLD = 4


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The content of a settings file, as far as it can be used."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """Checked settings of the top level."""
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Checked settings of each `[profiles.NAME]`."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Short names of models, from `[aliases]`."""
    problem: str = ""
    """One message on everything that could not be used; "" when there is nothing to say."""


def read(path: Path | None) -> Stored:
    """Return what the file says; never raises. Without a file: nothing."""
    if path is None:
        return Stored()
    try:
        raw = files.read_start(path)
    except OSError as exc:
        return Stored(problem=f"{str(path)!r} cannot be read ({_why(exc)}); the defaults are used.")
    return Stored() if raw is None else _checked(path, raw)


def save(path: Path | None, changes: Changes) -> None:
    """Write changes into the file, comments and everything unknown in it kept.

    Before anything is written the old bytes are kept beside the file: as `.bak`, and when something broken in them
    goes or their schema was older, once more under a name of their own, which no later save replaces.

    Raises:
        UnsupportedVersion: A newer Rustbot wrote the file; it was left alone.
        SettingsError: It could not be written; it is as it was.
    """
    # Its library is needed for saving only, and takes a while to import.
    from rustbot_jupyter.settings.edits import edit

    if path is None:
        raise SettingsError("There is no home folder to save settings in; set RUSTBOT_CONFIG_DIR to a folder.")
    # Headers and query fields may hold keys.
    mode = 0o600 if any(isinstance(value, HiddenTable) and value for value in changes.values()) else None
    try:
        raw = files.read_start(path)
        if raw is None:
            write_atomically(path, edit(b"", changes).encode(), mode)
            return
        text = edit(raw, changes)
        _keep(path, raw, text.encode())
        write_atomically(path, text.encode(), mode)
    except UnsupportedVersion as exc:
        raise UnsupportedVersion(f"{str(path)!r} is left alone. {exc} Upgrade to change it.") from exc
    except (OSError, ValueError) as exc:
        raise SettingsError(
            f"The settings cannot be saved to {str(path)!r} ({_why(exc)}); they stay in use until the kernel ends."
        ) from exc


def check_name(name: str) -> str:
    """The name of a profile or an alias.

    Raises:
        SettingsError: It is empty, too long or made of other characters.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingsError(f"{shown(name)} is no name: use up to 64 letters, digits and - _ . + in it.")
    return name


def _keep(path: Path, raw: bytes, new: bytes) -> None:
    if len(raw) > files.SIZE_LIMIT:
        raw = files.read_start(path, path.stat().st_size) or b""
    parsed = document.parse(raw)
    if parsed.faults or _checked(path, raw).problem != _checked(path, new).problem:
        files.keep_beside(path, raw, "broken")
    elif (version := migrate(parsed.data)) < SCHEMA_VERSION:
        files.keep_beside(path, raw, f"schema{version}")
    write_atomically(path.with_name(path.name + ".bak"), raw, path.stat().st_mode & 0o777)


def _checked(path: Path, raw: bytes) -> Stored:
    parsed = document.parse(raw)
    data, faults = parsed.data, list(parsed.faults)
    try:
        migrate(data)
    except UnsupportedVersion as exc:
        return Stored(problem=f"{str(path)!r} is not used and stays as it is. {exc} Upgrade to use it.")
    profiles: dict[str, Mapping[str, Any]] = {}
    for name, table in _table(data.pop("profiles", {}), "profiles", faults).items():
        if _NAME.fullmatch(name):
            where = f"profiles.{name}"
            profiles[name] = _fields(_table(table, where, faults), where + ".", faults)
        else:
            faults.append(f"{shown(name)} is no name for a profile")
    aliases = _aliases(_table(data.pop("aliases", {}), "aliases", faults), faults)
    data.pop("schema_version")
    values = _fields(data, "", faults)
    return Stored(values=values, profiles=profiles, aliases=aliases, problem=_message(path, faults))


def _table(value: Any, name: str, faults: list[str]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    faults.append(f"{name!r} is no table")
    return {}


def _fields(table: Mapping[str, Any], prefix: str, faults: list[str]) -> dict[str, Any]:
    good = {}
    for name, value in table.items():
        if name not in FIELDS and len(faults) > _MOST_TOLD:
            # Counted, not worded: looking for near names takes seconds in a file with thousands of them.
            faults.append("")
            continue
        try:
            good[name] = check(name, value)
        except SettingsError as exc:
            faults.append((f"in {prefix[:-1]!r}: " if prefix else "") + _fault(name, str(exc)))
    return good


def _fault(name: str, text: str) -> str:
    if name in FIELDS:
        return text.rstrip(".")
    if re.search("key|token|secret|password", name, re.IGNORECASE):
        return f"{shown(name)}: keys do not belong here, set OPENROUTER_API_KEY or save the key in the settings tab"
    return unknown_field(name).rstrip(".")


def _aliases(table: Mapping[str, Any], faults: list[str]) -> dict[str, str]:
    good = {}
    for name, model in table.items():
        try:
            good[check_name(name)] = _model(model)
        except SettingsError as exc:
            faults.append(f"in 'aliases': {str(exc).rstrip('.')}")
    return good


def _model(value: Any) -> str:
    model: str | None = check("model", value)
    if model is None:
        raise SettingsError("An alias stands for a model.")
    return model


def _message(path: Path, faults: list[str]) -> str:
    if not faults:
        return ""
    told = "; ".join(faults[:_MOST_TOLD])
    more = f"; and {len(faults) - _MOST_TOLD} more" if len(faults) > _MOST_TOLD else ""
    return f"{str(path)!r} is used in part: {told}{more}. The rest of it is used, and it stays as it is until you save."


def _why(exc: Exception) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc) or "unknown reason"
