"""Text that is too wild to be parsed as Markdown: it is shown as it was typed, so that no answer can freeze a page.

The numbers are those of the chat, in `js/src/markdown/limits.ts`.
"""

from __future__ import annotations

import re

MOST_MARKERS = 24
"""Quotes and lists in each other."""
MOST_COLUMNS = 200
MOST_FORMULAS = 400
"""In one answer; more stay as their source."""
MOST_FENCES = 1000
MOST_TARGETS = 400
"""Lines `[name]: address` in one answer; a parser looks through all of them for each use."""

_MOST = {"*_~": 3000, "[": 600, "`": 3000, "<": 1500, "@": 400, "$": 800, ":": 1500}
"""Marks in a piece of text of `_PIECE` characters; parsers need the product of both."""
_PIECE = 6000
_MOST_NESTED = 32
_LONG_WORD = re.compile(r"\S{2500}")
_BRACKET = re.compile(r"[\[\]]")


def is_too_wild(text: str) -> bool:
    """True if parsing this paragraph could take much longer than its length suggests."""
    scale = max(len(text), _PIECE) / _PIECE
    if any(sum(text.count(mark) for mark in marks) * scale > most for marks, most in _MOST.items()):
        return True
    return "(" * _MOST_NESTED in text or _depth(text) > _MOST_NESTED or _LONG_WORD.search(text) is not None


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth = depth + 1 if bracket == "[" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest
