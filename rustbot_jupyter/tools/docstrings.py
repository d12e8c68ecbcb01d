"""Descriptions of a function and of each parameter in its docstring, in all usual styles."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_SECTION = re.compile(r"^\s*(?:Args|Arguments|Parameters|Params|(?:Keyword|Other) (?:Args|Arguments|Parameters)):?\s*$")
_OTHER_SECTION = re.compile(
    r"^\s*(?:Returns?|Yields?|Raises|Notes?|Examples?|See Also|Attributes|Warns|Warnings?|References|Todo):?\s*$"
)
_GOOGLE = re.compile(r"^(?:[-*+]\s+)?`{0,2}\*{0,2}(\w+)`{0,2}\s*(?:\(.*?\))?\s*(?::|--|–)\s*(.*)$")
_NUMPY = re.compile(r"^(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::\s.*|:)?$")
_FIELD = re.compile(r"^\s*[:@](?:param|parameter|arg|argument|key|keyword)(?:\s+[^:]+?)?\s+\*{0,2}(\w+)\s*:\s*(.*)$")
_OTHER_FIELD = re.compile(r"^\s*[:@](?:return|returns|rtype|raise|raises|except|type|yield|yields|ytype|note|see)\b")


def describe_function(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The text before any section, and a description for each parameter that has one."""
    lines = (inspect.getdoc(function) or "").splitlines()
    text: list[str] = []
    parameters: dict[str, str] = {}
    is_text = True
    for index, line in enumerate(lines):
        if (found := _FIELD.match(line)) is not None:
            parameters[found[1]] = _joined(found[2], lines[index + 1 :], _indent(line))
            is_text = False
        elif _SECTION.match(line):
            # Below a heading in the first line, which has no indent, Python takes the indent of all others away.
            margin = -1 if index == 0 else _indent(line)
            parameters |= _parameters(lines[index + 1 :], margin)
            is_text = False
        elif _OTHER_SECTION.match(line) or _OTHER_FIELD.match(line):
            is_text = False
        elif is_text:
            text.append(line)
    return "\n".join(text).strip(), parameters


def _parameters(lines: list[str], heading: int) -> dict[str, str]:
    """Return what a section says of each parameter; `heading` is the indent of its heading."""
    is_numpy = bool(lines) and set(lines[0].strip()) == {"-"}
    body = _section(lines[1:] if is_numpy else lines, is_numpy, heading)
    margin = min((_indent(line) for line in body if line.strip()), default=0)
    found: dict[str, str] = {}
    for index, line in enumerate(body):
        if not line.strip() or _indent(line) != margin:
            continue
        match = (_NUMPY if is_numpy else _GOOGLE).match(line.strip())
        if match is None:
            continue
        text = _joined("" if is_numpy else match[2], body[index + 1 :], margin)
        found |= dict.fromkeys(re.findall(r"\w+", match[1]), text)
    return found


def _section(lines: list[str], is_numpy: bool, heading: int) -> list[str]:
    """The lines up to the next section's heading."""
    body: list[str] = []
    for line in lines:
        if _SECTION.match(line) or _OTHER_SECTION.match(line) or _FIELD.match(line) or _OTHER_FIELD.match(line):
            break
        if not is_numpy and line.strip() and _indent(line) <= heading:
            break
        body.append(line)
    return body


def _joined(first: str, following: list[str], margin: int) -> str:
    """A description with the deeper lines that go on with it."""
    words = [first.strip()]
    for line in following:
        if not line.strip() or _indent(line) <= margin:
            break
        words.append(line.strip())
    return " ".join(word for word in words if word)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
