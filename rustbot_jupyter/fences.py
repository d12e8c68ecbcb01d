"""The fenced code blocks of a Markdown text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeBlock:
    """One fenced block."""

    code: str
    """Without the fences, ending in a line break unless it is empty."""
    language: str = ""
    """First word of the info string in lower case: `python` of "```python title=x"; "" without one."""
    is_closed: bool = True
    """False when the text ended before the fence did."""


_OPENING = re.compile(
    r"(?P<lead>(?:[ \t]*+(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*+[ \t]*+)(?P<fence>`{3,}|~{3,})(?P<info>.*)"
)
_QUOTE = re.compile(r"[ \t]*> ?")
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*$")


def code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """The blocks between fences of backticks or tildes, in order; an unclosed last one reaches to the end.

    More lenient than CommonMark in one thing, as models write it: a fence may be indented as far as a list takes it.
    """
    # Not splitlines: code may hold form feeds and U+2028, which break no line of Markdown.
    return tuple(_blocks(text.replace("\r\n", "\n").removesuffix("\n").split("\n")))


def _blocks(lines: list[str]) -> Iterator[CodeBlock]:
    at = 0
    while at < len(lines):
        opening = _OPENING.match(lines[at])
        at += 1
        # An info string of a backtick fence holds no backtick: "```x```" is code within a line.
        if opening is None or (opening["fence"][0] == "`" and "`" in opening["info"]):
            continue
        *quotes, lead = opening["lead"].split(">")
        lead = lead.removeprefix(" ") if quotes else lead
        code: list[str] = []
        is_closed = False
        while at < len(lines) and not is_closed:
            inner = _unquoted(lines[at], len(quotes))
            # With its quote the code ends, too.
            is_closed = inner is None or _closes(inner, opening["fence"], len(lead.expandtabs(4)))
            if inner is None:
                break
            at += 1
            if not is_closed:
                code.append(_without_indent(inner, len(lead)))
        yield CodeBlock(
            code="".join(f"{one}\n" for one in code), language=language_of(opening["info"]), is_closed=is_closed
        )


def _unquoted(line: str, depth: int) -> str | None:
    """The line without the marks of so many quotes; None if it stands in fewer."""
    for _ in range(depth):
        mark = _QUOTE.match(line)
        if mark is None:
            return None
        line = line[mark.end() :]
    return line


def _closes(line: str, fence: str, indent: int) -> bool:
    match = _FENCE.match(line)
    if match is None or match[1][0] != fence[0] or len(match[1]) < len(fence):
        return False
    # A fence further in belongs to the code, such as to a docstring with an example.
    return len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip()) <= indent + 3


def _without_indent(line: str, width: int) -> str:
    lead = len(line) - len(line.lstrip())
    return line[min(lead, width) :]


def language_of(info: str) -> str:
    """The language that is named behind a fence, in lower case, with letters, digits and `+#.-` only."""
    # "{python}" and "{.python}" are the spellings of Quarto and Pandoc.
    words = _LANGUAGE.match(info.strip(" \t{}").lstrip("."))
    return words[0].lower() if words else ""
