"""TOML text: what can be read of it however broken it is, and edits that leave comments and order alone."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item

from rustbot_jupyter.settings.files import SIZE_LIMIT
from rustbot_jupyter.settings.migrations import migrate

Path = tuple[str, ...]
Changes = Mapping[Path, Any]
"""New values by path, such as `("profiles", "fast", "temperature")`; None takes the entry out."""

_OPENERS = ('"""', "'''", "[", "{")
_LONGEST_STATEMENT = 500
_MOST_LINES = 5000
_MOST_DOTS = 10_000
_HEADER = (
    "# Settings of Rustbot for Jupyter. `bot.settings.explain()` shows what each one is and where it comes from.\n"
)


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a file says."""

    data: dict[str, Any]
    faults: tuple[str, ...] = ()
    """What could not be read, in words; empty when all of it is proper TOML."""


def parse(raw: bytes) -> Parsed:
    """What can be read of the bytes; never raises. Faults name lines, not what stands in them: it may be a key."""
    text, faults = _decode(raw[:SIZE_LIMIT])
    if len(raw) > SIZE_LIMIT:
        faults.append(f"it is longer than {SIZE_LIMIT >> 20} MB and the rest is not read")
    try:
        data = None if faults else _loads(text)
    except _BROKEN:
        data = None
    if data is None:
        data, bad_lines = _salvage(text)
        if bad_lines or not faults:
            faults.append(
                _name_lines(bad_lines) if bad_lines else "something stands in it twice, and the last one counts"
            )
    return Parsed(data=data, faults=tuple(faults))


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
            written = _loads(text)
        except (TOMLKitError, *_BROKEN):
            continue
        # tomlkit has misplaced entries of unusual files before: what it wrote is read again.
        if _comparable(written) == _comparable(expected):
            return text
    raise ValueError("it cannot be written as TOML")


_BROKEN = (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError)


def _loads(text: str) -> dict[str, Any]:
    text.encode()
    # The standard parser takes time with the square of the parts of a dotted key: a file of 1 MB would hang it.
    if text.count(".") > _MOST_DOTS and any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise ValueError("too many dots")
    return tomllib.loads(text)


def _decode(raw: bytes) -> tuple[str, list[str]]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), ["it is written in UTF-16 instead of UTF-8"]
    # Bytes that are no UTF-8 become lone surrogates, which `_loads` refuses line by line.
    return raw.decode("utf-8-sig", errors="surrogateescape"), []


def _documents(raw: bytes) -> Any:
    parsed = parse(raw)
    if not parsed.faults:
        try:
            yield tomlkit.parse(raw.decode("utf-8-sig"))
        except (TOMLKitError, *_BROKEN):
            pass
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
    """What reading the edited text must give."""
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
    return list(value) if isinstance(value, tuple) else value


def _item(value: Any) -> Item:
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


def _salvage(text: str) -> tuple[dict[str, Any], list[int]]:
    """What the lines that can be read say, and the numbers of the others. A later line wins over an earlier one."""
    lines = re.split(r"\r\n|\n|\r", text)[:_MOST_LINES]
    data: dict[str, Any] = {}
    table: dict[str, Any] | None = data
    bad: list[int] = []
    at = 0
    while at < len(lines):
        count, found = _statement(lines, at)
        if found is None or (table is None and not lines[at].lstrip().startswith("[")):
            bad.append(at + 1)
        if lines[at].lstrip().startswith("["):
            table = None if found is None else _table_at(data, found)
        elif found is not None and table is not None:
            _merge(table, found)
        at += count
    return data, bad


def _statement(lines: list[str], at: int) -> tuple[int, dict[str, Any] | None]:
    """How many lines the statement has, and what it says: None if it is broken."""
    found = _try(lines[at])
    if found is not None:
        return 1, found
    opener = next((mark for mark in _OPENERS if mark in lines[at].partition("=")[2]), "")
    closer = {"[": "]", "{": "}"}.get(opener, opener)
    tries = 0
    for end in range(at + 1, min(len(lines), at + _LONGEST_STATEMENT) if opener else 0):
        if closer in lines[end] and (tries := tries + 1) <= 5:
            found = _try("\n".join(lines[at : end + 1]))
            if found is not None:
                return end - at + 1, found
    return 1, None


def _try(text: str) -> dict[str, Any] | None:
    try:
        return _loads(text)
    except (ValueError, RecursionError):
        return None


def _table_at(data: dict[str, Any], header: dict[str, Any]) -> dict[str, Any] | None:
    table, rest = data, header
    while rest:
        name, rest = next(iter(rest.items()))
        child = table.setdefault(name, {})
        if not isinstance(child, dict) or not isinstance(rest, dict):
            return None
        table = child
    return table


def _merge(table: dict[str, Any], found: dict[str, Any]) -> None:
    for name, value in found.items():
        old = table.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            old.update(value)
        else:
            table[name] = value


def _name_lines(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"line {numbers[0]} is not TOML"
    shown = ", ".join(map(str, numbers[:5]))
    return f"{len(numbers)} lines are not TOML ({shown}{', ...' if len(numbers) > 5 else ''})"
