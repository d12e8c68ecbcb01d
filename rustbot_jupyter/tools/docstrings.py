"""What a docstring says of a function and of each parameter, in the Google, NumPy and Sphinx styles."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Params):?\s*$")
_OTHER_SECTION = re.compile(r"^(Returns?|Yields?|Raises|Notes?|Examples?|See Also|Attributes|Warns|Warnings):?\s*$")
_GOOGLE = re.compile(r"^\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:\s*(.*)$")
_NUMPY = re.compile(r"^(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::\s.*)?$")
_SPHINX = re.compile(r"^:param(?:\s+[^:]+?)?\s+(\w+):\s*(.*)$")


def describe_function(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The text before any section, and a description for each parameter that has one."""
    lines = (inspect.getdoc(function) or "").splitlines()
    text: list[str] = []
    parameters: dict[str, str] = {}
    is_text = True
    for index, line in enumerate(lines):
        if (found := _SPHINX.match(line)) is not None:
            parameters[found[1]] = _joined(found[2], lines[index + 1 :], 0)
            is_text = False
        elif _SECTION.match(line):
            parameters |= _parameters(lines[index + 1 :])
            break
        elif _OTHER_SECTION.match(line) or line.startswith((":return", ":rtype", ":raises")):
            is_text = False
        elif is_text:
            text.append(line)
    return "\n".join(text).strip(), parameters


def _parameters(lines: list[str]) -> dict[str, str]:
    is_numpy = bool(lines) and set(lines[0].strip()) == {"-"}
    body = _section(lines[1:] if is_numpy else lines, is_numpy)
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


def _section(lines: list[str], is_numpy: bool) -> list[str]:
    """The lines up to the next section's heading."""
    body: list[str] = []
    for line in lines:
        if _OTHER_SECTION.match(line) or (not is_numpy and line.strip() and not line.startswith(" ")):
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
