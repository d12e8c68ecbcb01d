"""Tool calls that stand in the text of an answer, as small local models and bare servers write them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from rustbot_jupyter.llm.call_text import mended
from rustbot_jupyter.messages import ToolCallPart, new_id

_LONGEST = 200_000
_TAGGED = re.compile(r"\s*<(tool_call|function_call)>(.*?)</\1>", re.DOTALL)
_FUNCTION = re.compile(r"\s*<function=([\w.:-]+)>(.*?)</function>", re.DOTALL)
_PARAMETER = re.compile(r"\s*<parameter=([\w.:-]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_MISTRAL = "[TOOL_CALLS]"


def calls_in_text(text: str, names: Collection[str]) -> tuple[ToolCallPart, ...]:
    """The calls that a text is; none where it holds anything else.

    Prose or code around them may quote what somebody else wrote, so that only a text that is nothing but calls of
    tools that were offered counts.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or text[0] not in "<[{":
        return ()
    found = _tagged(text) or _mistral(text) or _bare(text)
    calls = [_call(value, names) for value in found]
    return tuple(call for call in calls if call is not None) if calls and all(calls) else ()


def _tagged(text: str) -> list[Any]:
    """Hermes: an object between tags; and the tags that name the function."""
    found: list[Any] = []
    place = 0
    while place < len(text):
        if (match := _TAGGED.match(text, place)) is not None:
            inner = match[2].strip()
            function = _FUNCTION.fullmatch(inner)
            found.append(_value(inner) if function is None else _function(function))
        elif (match := _FUNCTION.match(text, place)) is not None:
            found.append(_function(match))
        else:
            return []
        place = match.end()
    return found


def _function(match: re.Match[str]) -> Any:
    name, inner = match[1], match[2].strip()
    if inner.startswith("{") or not inner:
        return {"name": name, "arguments": inner or "{}"}
    arguments: dict[str, Any] = {}
    place = 0
    while place < len(inner):
        parameter = _PARAMETER.match(inner, place)
        if parameter is None or parameter[1] in arguments:
            return None
        value = _value(parameter[2])
        # A text is written bare, anything else as JSON.
        arguments[parameter[1]] = parameter[2] if value is None or isinstance(value, str) else value
        place = parameter.end()
    return {"name": name, "arguments": arguments}


def _mistral(text: str) -> list[Any]:
    """A list of objects behind a mark; or a name and its arguments behind each."""
    if not text.startswith(_MISTRAL):
        return []
    found: list[Any] = []
    for piece in map(str.strip, text.split(_MISTRAL)[1:]):
        name, brace, rest = piece.partition("{")
        is_named = bool(name) and not name.startswith("[")
        value = {"name": name.replace("[ARGS]", "").strip(), "arguments": brace + rest} if is_named else _value(piece)
        found += value if isinstance(value, list) else [value]
    return found


def _bare(text: str) -> list[Any]:
    value = _value(text)
    return value if isinstance(value, list) else [value]


def _call(value: Any, names: Collection[str]) -> ToolCallPart | None:
    if not isinstance(value, dict):
        return None
    inner = value.get("function")
    if isinstance(inner, dict):
        value = inner
    name = value.get("name")
    arguments = value.get("arguments", value.get("parameters"))
    if name not in names or not isinstance(arguments, dict | str):
        return None
    written = mended(arguments) if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    if not isinstance(_value(written), dict):
        return None
    return ToolCallPart(call_id=new_id("call"), name=name, arguments=written)


def _value(text: str) -> Any:
    """The JSON value that a text is, or None."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
