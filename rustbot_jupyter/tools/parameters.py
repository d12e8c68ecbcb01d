"""The parameters of any tool, whoever made it, as a model is shown them, and the way back from that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rustbot_jupyter.tools.meant_values import as_meant
from rustbot_jupyter.tools.plain_schemas import PlainSchema, plain_schema

MAX_SCHEMA_CHARS = 30_000

_ANYTHING: Mapping[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """A tool's parameters: as a model is shown them, and back."""

    plain: PlainSchema

    @property
    def shown(self) -> dict[str, str]:
        """The plain names of those that a model knows by another name, by their own."""
        return {name: plain for plain, name in self.plain.names.original.items()}

    @property
    def schema(self) -> dict[str, Any]:
        """In the form that providers take."""
        return self.plain.schema

    @property
    def note(self) -> str:
        """Return what the schema cannot say; "" for nothing."""
        groups = [" and ".join(group) for group in self._groups]
        return f" Needs {' or '.join(groups)}." if groups else ""

    def restored(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A model's arguments as the tool knows them: its own names, and values where they were written as texts."""
        restored: dict[str, Any] = self.plain.names.restored(as_meant(arguments, self.schema))
        return restored

    @property
    def _groups(self) -> list[list[str]]:
        shown = self.shown
        return [[shown.get(name, name) for name in group] for group in self.plain.alternatives]


def parameters_of_stranger(schema: Mapping[str, Any]) -> Parameters:
    """A stranger's schema in the form that providers take, small in any case. Nothing is fetched."""
    return parameters_for_model(schema if _chars(schema) <= MAX_SCHEMA_CHARS else _ANYTHING)


def parameters_for_model(schema: Mapping[str, Any]) -> Parameters:
    """A schema in the form that providers take, not much larger than it was."""
    plain = plain_schema(schema)
    if _chars(plain.schema) > max(MAX_SCHEMA_CHARS, _chars(schema)):
        # What was one definition for many stands in each place now: what is inside is left to the tool's own check.
        outer = {
            name: {key: each[key] for key in ("type", "description") if key in each}
            for name, each in plain.schema["properties"].items()
        }
        plain = replace(plain, schema={**plain.schema, "properties": outer})
    return Parameters(plain=plain)


def _chars(schema: Mapping[str, Any]) -> int:
    return len(json.dumps(schema, default=str))
