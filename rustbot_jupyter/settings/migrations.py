"""Old settings files made new: one step per old version of their schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from rustbot_jupyter.errors import UnsupportedVersion

SCHEMA_VERSION = 1

Document = MutableMapping[str, Any]


def migrate(document: Document) -> int:
    """The version the document had; it is of `SCHEMA_VERSION` now. Works on plain dicts and on tomlkit documents.

    Raises:
        UnsupportedVersion: A newer Rustbot wrote it; nothing was changed.
    """
    found = version_of(document)
    if found > SCHEMA_VERSION:
        raise UnsupportedVersion(
            f"The settings were saved by a newer Rustbot (schema {found}, this one reads up to {SCHEMA_VERSION})."
        )
    for version in range(found, SCHEMA_VERSION):
        STEPS[version](document)
    document["schema_version"] = SCHEMA_VERSION
    return found


def version_of(document: Document) -> int:
    """The document's schema version; one without, or with something that is none, counts as the oldest."""
    version = document.get("schema_version", 0)
    is_version = isinstance(version, int) and not isinstance(version, bool) and version >= 0
    return int(version) if is_version else 0


def _drop_beta(document: Document) -> None:
    # OpenRouter dropped the suffix: "anthropic/claude-sonnet-4.5:beta" is no valid model ID any more.
    for table in _tables(document):
        _replace(table, "model")
        for index, name in enumerate(table.get("fallback_models") or ()):
            if isinstance(name, str) and name.endswith(":beta"):
                table["fallback_models"][index] = name.removesuffix(":beta")
    aliases = document.get("aliases")
    if isinstance(aliases, MutableMapping):
        for name in list(aliases):
            _replace(aliases, name)


def _tables(document: Document) -> Iterator[Document]:
    yield document
    profiles = document.get("profiles")
    if isinstance(profiles, MutableMapping):
        yield from (table for table in profiles.values() if isinstance(table, MutableMapping))


def _replace(table: Document, name: str) -> None:
    value = table.get(name)
    if isinstance(value, str) and value.endswith(":beta"):
        table[name] = value.removesuffix(":beta")


STEPS: dict[int, Callable[[Document], None]] = {0: _drop_beta}
