"""The lists and quotes that a line of Markdown stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTE = re.compile(r" {0,3}>")
_ITEM = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])(?=[ \t]|$)")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FIRST = frozenset("->+*0123456789")
QUOTE = 0
"""Stands for a quote in a stack of containers, in which an item is the width of its mark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The containers that begin in a line, and the line within them."""

    prefix: str
    stack: tuple[int, ...]
    rest: str


def inside(line: str, stack: tuple[int, ...]) -> tuple[int, str]:
    """Return how many of these containers go on in this line, and the line without their marks."""
    for depth, width in enumerate(stack):
        if width == QUOTE:
            quote = _QUOTE.match(line)
            if quote is None:
                return depth, line
            line = _without_blank(line[quote.end() :])
        elif line.strip(" \t"):
            if indent_of(line) < width:
                return depth, line
            line = without_indent(line, width)
        else:
            line = ""
    return len(stack), line


def opened(line: str, *, most: int, interrupts: bool) -> Opened:
    """The containers that this line begins.

    Args:
        most: Of more, their marks are text.
        interrupts: A paragraph is open, which a list may interrupt only with an item that has text and is the first.
    """
    prefix, stack, rest = "", list[int](), line
    while len(stack) < most and rest.lstrip(" ")[:1] in _FIRST:
        if quote := _QUOTE.match(rest):
            stack.append(QUOTE)
            prefix, rest = f"{prefix}> ", _without_blank(rest[quote.end() :])
            interrupts = False
            continue
        item = None if _RULE.match(rest) else _ITEM.match(rest)
        behind = rest[item.end() :] if item else ""
        is_empty = not behind.strip(" \t")
        if item is None or (interrupts and (is_empty or (item[2][-1] in ".)" and item[2][:-1] != "1"))):
            break
        blanks = indent_of(behind) if not is_empty else 1
        # From five on, the blanks belong to code in the item.
        blanks = blanks if blanks < 5 else 1
        stack.append(len(item[0]) + blanks)
        prefix, rest = f"{prefix}{item[0]}{' ' * blanks}", "" if is_empty else without_indent(behind, blanks)
        interrupts = False
    return Opened(prefix=prefix, stack=tuple(stack), rest=rest)


def continued(stack: tuple[int, ...]) -> str:
    """Return what a further line within these containers begins with."""
    return "".join("> " if width == QUOTE else " " * width for width in stack)


def is_rule(line: str) -> bool:
    """True for a line across the page."""
    return _RULE.match(line) is not None


def indent_of(line: str) -> int:
    """The columns before the text."""
    blanks = line[: len(line) - len(line.lstrip(" \t"))]
    return len(blanks.expandtabs(4)) if "\t" in blanks else len(blanks)


def without_indent(line: str, columns: int) -> str:
    """The line without so many columns of blanks, or as many as it has."""
    blanks = line[: len(line) - len(line.lstrip(" \t"))]
    if "\t" not in blanks:
        return line[min(columns, len(blanks)) :]
    expanded = blanks.expandtabs(4)
    return expanded[columns:] + line[len(blanks) :]


def _without_blank(line: str) -> str:
    return line[1:] if line.startswith(" ") else line
