"""Wishes that a server has no field or role for, said in words in the messages of a request instead."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def without_system(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The system prompt in front of the first question, as some templates know no such role; None without either."""
    first, *rest = body.get("messages") or [{}]
    if first.get("role") != "system":
        return None
    at = next((index for index, entry in enumerate(rest) if entry.get("role") == "user"), None)
    if at is None:
        return None
    content = _joined(first["content"], rest[at]["content"])
    return {**body, "messages": [*rest[:at], {**rest[at], "content": content}, *rest[at + 1 :]]}


def without_response_format(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema of the answer behind the last question; None where no question is."""
    entries = list(body.get("messages") or ())
    at = next((index for index in reversed(range(len(entries))) if entries[index].get("role") == "user"), None)
    if at is None:
        return None
    wanted = body["response_format"].get("json_schema") or {}
    wish = "Answer with one JSON value and nothing else."
    if "schema" in wanted:
        wish += f" It has to fit this JSON schema:\n{json.dumps(wanted['schema'], ensure_ascii=False)}"
    entries[at] = {**entries[at], "content": _joined(entries[at]["content"], wish)}
    return {name: value for name, value in body.items() if name != "response_format"} | {"messages": entries}


def without_earlier_calls(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Earlier tool calls and their results as texts, in turns of assistant and user; None where there are none."""
    entries = body.get("messages") or []
    if not has_calls(body):
        return None
    told: list[dict[str, Any]] = []
    names: dict[Any, str] = {}
    for entry in entries:
        for call in entry.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        said = _result_in_words(entry, names) if entry.get("role") == "tool" else _calls_in_words(entry)
        if told and told[-1]["role"] == said["role"] != "system":
            told[-1] = {**told[-1], "content": _joined(told[-1]["content"], said["content"])}
        else:
            told.append(said)
    return {**body, "messages": told}


def has_calls(body: Mapping[str, Any]) -> bool:
    """True if the messages hold tool calls or results."""
    return any("tool_calls" in entry or entry.get("role") == "tool" for entry in body.get("messages") or ())


def _calls_in_words(entry: Mapping[str, Any]) -> dict[str, Any]:
    if "tool_calls" not in entry:
        return dict(entry)
    calls = [
        f"(Called the tool {call['function']['name']} with {call['function']['arguments']})"
        for call in entry["tool_calls"]
    ]
    return {"role": "assistant", "content": "\n\n".join(filter(None, [entry.get("content"), *calls]))}


def _result_in_words(entry: Mapping[str, Any], names: Mapping[Any, str]) -> dict[str, Any]:
    # As the user, as there is nobody else: so it says first that these are not the user's words.
    name = names.get(entry.get("tool_call_id"), "?")
    return {"role": "user", "content": f"(Not from the user, but the result of the tool {name}:)\n{entry['content']}"}


def _joined(first: Any, second: Any) -> Any:
    """Two contents as one."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> Iterator[Any]:
    yield from content if isinstance(content, list) else [{"type": "text", "text": content}]
