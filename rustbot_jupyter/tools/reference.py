"""The reference of tools, as Markdown: what each does, what it asks for, what it may do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rustbot_jupyter.tools.base import BUILT_IN, USER, Risk, Tool

_RISKS = {
    Risk.READ: "reads; runs without asking",
    Risk.WRITE: "changes files; asks first",
    Risk.EXECUTE: "runs code; asks first",
    Risk.NETWORK: "uses the network; asks first",
}


def reference(tools: Iterable[Tool]) -> str:
    """A section for each source, and in it one for each tool."""
    sections = [
        f"## {_heading(source)}\n\n" + "\n\n".join(_tool_text(tool) for tool in group)
        for source, group in groupby(tools, key=lambda tool: tool.source)
    ]
    return "# Tools\n\n" + ("\n\n".join(sections) or "There are none.") + "\n"


def _heading(source: str) -> str:
    return {BUILT_IN: "Built in", USER: "Your own"}.get(source, f"From `{source}`")


def _tool_text(tool: Tool) -> str:
    title = f"### {tool.name}\n\n*{tool.label or tool.name}: {_RISKS[tool.risk]}.*"
    parameters = _parameters(tool.definition.parameters)
    return "\n\n".join(filter(None, [title, _paragraphs(tool.definition.description), parameters]))


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _parameters(schema: Mapping[str, Any]) -> str:
    entries = schema.get("properties") or {}
    if not entries:
        return ""
    required = set(schema.get("required") or ())
    rows = [
        [f"`{_cell(name)}`", _kind(entry), "" if name in required else _default(entry), _cell(entry.get("description"))]
        for name, entry in entries.items()
        if isinstance(entry, Mapping)
    ]
    head = ["| parameter | type | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def _kind(entry: Mapping[str, Any]) -> str:
    if "enum" in entry:
        return _cell(", ".join(f"`{value}`" for value in entry["enum"]))
    if isinstance(entry.get("$ref"), str):
        return f"`{_cell(entry['$ref'].rpartition('/')[2])}`"
    if entry.get("type") == "object" and isinstance(entry.get("title"), str):
        return f"`{_cell(entry['title'])}`"
    if "anyOf" in entry:
        kinds = [_kind(each) for each in entry["anyOf"] if isinstance(each, Mapping) and each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    items = entry.get("items")
    of = f" of {_kind(items)}" if isinstance(items, Mapping) and items else ""
    kind = entry.get("type", "any")
    return _cell(" or ".join(map(str, kind)) if isinstance(kind, list) else kind) + of


def _default(entry: Mapping[str, Any]) -> str:
    value = entry.get("default")
    return "none" if value is None or value in ("", [], {}) else f"`{_cell(json.dumps(value))}`"


def _cell(value: object) -> str:
    return " ".join(str(value or "").split()).replace("|", "\\|")
