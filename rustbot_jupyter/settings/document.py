"""TOML text: what can be read of it, however broken it is."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.settings.files import SIZE_LIMIT, decoded

_OPENERS = ('"""', "'''", "[", "{")
_LONGEST_STATEMENT = 500
_MOST_LINES = 5000
_MOST_DOTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """The content of a file."""

    data: dict[str, Any]
    faults: tuple[str, ...] = ()
    """What could not be read, in words; empty when all of it is proper TOML."""


def parse(raw: bytes) -> Parsed:
    """Read the bytes as far as possible; never raises. Faults name lines, not what stands in them: it may be a key."""
    text, is_utf_16 = decoded(raw[:SIZE_LIMIT])
    faults = ["it is written in UTF-16 instead of UTF-8"] if is_utf_16 else []
    if len(raw) > SIZE_LIMIT:
        faults.append(f"it is longer than {SIZE_LIMIT >> 20} MB and the rest is not read")
    try:
        data = None if faults else loads(text)
    except BROKEN:
        data = None
    if data is None:
        lines = re.split(r"\r?\n", text)
        data, bad_lines = _salvage(lines[:_MOST_LINES])
        if bad_lines:
            faults.append(_name_lines(bad_lines))
        if len(lines) > _MOST_LINES:
            faults.append(f"only its first {_MOST_LINES} lines are read")
        if not faults:
            faults.append("something stands in it twice, and the last one counts")
    return Parsed(data=data, faults=tuple(faults))


BROKEN = (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError)


def loads(text: str) -> dict[str, Any]:
    """Return what proper TOML says.

    Raises:
        ValueError: It is not proper TOML, or would take for ever to read.
        RecursionError: It is nested too deeply.
    """
    text.encode()
    # The standard parser takes time with the square of the parts of a dotted key: a file of 1 MB would hang it.
    if text.count(".") > _MOST_DOTS and any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise ValueError("too many dots")
    return tomllib.loads(text)


def _salvage(lines: list[str]) -> tuple[dict[str, Any], list[int]]:
    """Return the values of the lines that can be read, and the numbers of the others. The last line of a name wins."""
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
    """Return how many lines the statement has, and what it says: None if it is broken."""
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
        return loads(text)
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
