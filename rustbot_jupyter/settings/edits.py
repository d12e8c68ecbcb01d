"""Edits of TOML text that leave comments, order and unknown entries alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item

from rustbot_jupyter.settings.document import BROKEN, loads, parse
from rustbot_jupyter.settings.files import decoded
from rustbot_jupyter.settings.hidden import HiddenTable
from rustbot_jupyter.settings.migrations import migrate

Path = tuple[str, ...]
Changes = Mapping[Path, Any]
"""New values by path, such as `("profiles", "fast", "temperature")`; None takes the entry out."""

_HEADER = (
    "# Settings of Rustbot for Jupyter. `bot.settings.explain()` shows what each one is and where it comes from.\n"
)


def edit(raw: bytes, changes: Changes) -> str:
    """The text with the changes made, in today's schema.

    Raises:
        UnsupportedVersion: A newer Rustbot wrote it.
        ValueError: A value does not survive being written.
    """
    expected = _changed(parse(raw).data, changes)
    for document in _documents(raw):
        migrate(document)
        try:
            for path, value in changes.items():
                _put(document, path, value)
            text = tomlkit.dumps(document)
            written = loads(text)
        except (TOMLKitError, *BROKEN):
            continue
        # tomlkit has misplaced entries of unusual files before: what it wrote is read again.
        if _comparable(written) == _comparable(expected):
            return text
    raise ValueError("it cannot be written as TOML")


def _documents(raw: bytes) -> Iterator[MutableMapping[str, Any]]:
    parsed = parse(raw)
    original = None
    with suppress(TOMLKitError, *BROKEN):
        original = tomlkit.parse(decoded(raw)[0]) if not parsed.faults else None
    if original is not None:
        yield original
    document = tomlkit.parse(_HEADER)
    for name, value in parsed.data.items():
        document[name] = value
    yield document


def _comparable(data: Any) -> str:
    """As text, because NaN is not equal to itself."""
    return json.dumps(data, sort_keys=True, default=repr)


def _put(document: MutableMapping[str, Any], path: Path, value: Any) -> None:
    table = document
    for name in path[:-1]:
        if not isinstance(table.get(name), MutableMapping):
            if value is None:
                return
            table[name] = tomlkit.table()
        table = table[name]
    if value is None:
        table.pop(path[-1], None)
    elif path[-1] not in table or table[path[-1]] != _plain(value):
        table[path[-1]] = _item(value)


def _changed(data: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """Return what reading the edited text must give."""
    migrate(data)
    for path, value in changes.items():
        _put_plain(data, path, value)
    return data


def _put_plain(table: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        if not isinstance(table.get(name), dict):
            if value is None:
                return
            table[name] = {}
        table = table[name]
    if value is None:
        table.pop(path[-1], None)
    else:
        table[path[-1]] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, HiddenTable):
        return value.reveal()
    return list(value) if isinstance(value, tuple) else value


def _item(value: Any) -> Item:
    value = _plain(value)
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for name, entry in value.items():
            table[name] = _item(entry)
        return table
    # Only texts that need no escapes are written over several lines; TOML drops a first line break there.
    if isinstance(value, str) and "\n" in value[1:] and not re.search(r'^\n|["\\\x00-\x09\x0b-\x1f\x7f]', value):
        return tomlkit.string(value, multiline=True)
    item: Item = tomlkit.item(_plain(value))
    return item
