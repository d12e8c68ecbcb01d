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


_OPENING = re.compile(r"(?P<indent>[ \t]*)(?:[-*+] +|\d+[.)] +)?(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*$")


def code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """The blocks between fences of backticks or tildes, in order; an unclosed last one reaches to the end.

    More lenient than CommonMark in one thing, as models write it: a fence may be indented as far as a list takes it.
    """
    # Not splitlines: code may hold form feeds and U+2028, which break no line of Markdown.
    return tuple(_blocks(text.replace("\r\n", "\n").removesuffix("\n").split("\n")))


def _blocks(lines: list[str]) -> Iterator[CodeBlock]:
    rest = iter(lines)
    for line in rest:
        opening = _OPENING.match(line)
        # An info string of a backtick fence holds no backtick: "```x```" is code within a line.
        if opening is None or (opening["fence"][0] == "`" and "`" in opening["info"]):
            continue
        indent = len(opening["indent"].expandtabs(4))
        code: list[str] = []
        is_closed = False
        for inner in rest:
            if _closes(inner, opening["fence"], indent):
                is_closed = True
                break
            code.append(_without_indent(inner, opening.start("fence")))
        yield CodeBlock(
            code="".join(f"{one}\n" for one in code), language=language_of(opening["info"]), is_closed=is_closed
        )


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
