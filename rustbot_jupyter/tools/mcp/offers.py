"""Tools that a server offers, fit for a model: names made to fit, texts cut, arguments checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.meant_values import is_kind, is_of_kind
from rustbot_jupyter.tools.parameters import Parameters
from rustbot_jupyter.tools.results import cleaned, cut

MAX_TOOLS = 128
"""Of one server; the rest is left out."""
MAX_DESCRIPTION = 2_000
"""Characters that a model is shown."""
MAX_NAME = 64
_MAX_PREFIX = 28


def prefix_of(server: str, taken: Collection[str] = ()) -> str:
    """The beginning of the names of a server's tools, unlike all that are taken. It holds no `__`, which ends it."""
    plain = re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9_-]", "_", server)).strip("_")[:_MAX_PREFIX].rstrip("_")
    return _unlike(plain or "server", server, taken, _MAX_PREFIX)


def tool_name(prefix: str, name: str, taken: Collection[str] = ()) -> str:
    """`prefix__name` in the characters that a tool's name may have, unlike all that are taken."""
    whole = f"{prefix}__{re.sub(r'[^A-Za-z0-9_-]', '_', name) or 'tool'}"
    if len(whole) > MAX_NAME:
        whole = _marked(whole, name, MAX_NAME)
    return _unlike(whole, name, taken, MAX_NAME)


def _unlike(plain: str, original: str, taken: Collection[str], limit: int) -> str:
    if plain not in taken:
        return plain
    return next(
        marked
        for number in range(len(taken) + 1)
        if (marked := _marked(plain, f"{original}{number or ''}", limit)) not in taken
    )


def _marked(plain: str, original: str, limit: int) -> str:
    """A shortened name with a mark of the original; two servers' or tools' marks differ, and stay the same."""
    mark = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{plain[: limit - 7]}_{mark}"


def description_for_model(description: str, server: str) -> str:
    """A server's words, cut, with their origin in front."""
    return f"[MCP server {server}] {cut(cleaned(description).strip(), MAX_DESCRIPTION)}"


class CheckAgainstSchema:
    """Checks arguments for what a model gets wrong: missing ones, unknown ones, other kinds of values. The server
    checks the rest. Patterns and references are left to it: they could take forever here."""

    def __init__(self, name: str, parameters: Parameters) -> None:
        self._name = name
        self._parameters = parameters

    def __call__(self, arguments: Mapping[str, Any], /) -> dict[str, Any]:
        """The arguments under the names that the server gave them.

        Raises:
            ToolError: They do not fit; says which and why.
        """
        plain = self._parameters.plain
        restored = self._parameters.restored(arguments)
        shown = self._parameters.shown
        properties: Mapping[str, Any] = plain.merged["properties"]
        missing = [name for name in plain.merged["required"] if name not in restored]
        problems = [f"{shown.get(name, name)}: is required" for name in missing]
        if plain.merged.get("additionalProperties") is False:
            problems += [f"{name}: is not known" for name in restored if name not in properties]
        problems += [
            f"{shown.get(name, name)}: should be of the type {kind}"
            for name, value in restored.items()
            if (kind := _other_kind(value, properties.get(name, {})))
        ]
        if not problems and plain.alternatives and not any(set(group) <= set(restored) for group in plain.alternatives):
            problems.append(self._parameters.note.strip().removesuffix("."))
        if problems:
            names = ", ".join(self._parameters.schema["properties"]) or "none"
            raise ToolError(
                f"{self._name!r} was not run: {'; '.join(problems[:5])}. Its parameters are: {names}. "
                "Correct the arguments and call again."
            )
        return restored


def _other_kind(value: Any, schema: Any) -> str:
    """The kind that a value should have had; "" when it has it, or any will do."""
    said = schema.get("type") if isinstance(schema, Mapping) else None
    kinds: list[Any] = said if isinstance(said, list) else [said]
    if not kinds or not all(is_kind(kind) for kind in kinds):
        return ""
    return "" if any(is_of_kind(value, kind) for kind in kinds) else " or ".join(kinds)
