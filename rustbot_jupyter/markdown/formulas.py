r"""Formulas in prose: `$…$` and `\(…\)` in a line, `$$…$$`, `\[…\]` and environments displayed. "$5 and $6" is text.

The chat reads them in the same way, in `js/src/markdown/math.ts`; `tests/fixtures/formulas.json` holds both to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rustbot_jupyter.markdown.finder import Finder

MOST_TEX = 5000
DISPLAYED = frozenset(
    f"{name}{star}"
    for name in ("align", "alignat", "eqnarray", "equation", "flalign", "gather", "multline")
    for star in ("", "*")
)
"""Environments that are a displayed formula by themselves; inside dollars MathJax refuses them."""
_MATRICES = frozenset(f"{kind}matrix" for kind in ("", "b", "B", "p", "small", "v", "V"))
_INNER = _MATRICES | {"aligned", "alignedat", "array", "cases", "dcases", "gathered", "rcases", "split"}
_BEGIN = re.compile(r"\\begin\{([A-Za-z]{1,12}\*?)\}")
_MONEY = re.compile(r"[\d.,]+(?:\s*[-–/|]|\s+[A-Za-z]{2,}|[kKmMbB]?\s)")
_SPACED = re.compile(r"[ \t]+\S(?:.*\S)?[ \t]+", re.DOTALL)
_MATHEMATICAL = re.compile(r"[\\^_=+<>{]")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[\s,;.-]+[^\W\d_]{2,})*[.!?]?")
_ESCAPE = re.compile(r"\\(?:.|$)", re.DOTALL)
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Formula:
    """One formula of a text."""

    tex: str
    is_block: bool
    end: int
    """Where the text goes on behind it."""


def formula_at(finder: Finder, place: int, *, is_alone: bool = False) -> Formula | None:
    r"""The formula that begins at a dollar or backslash, or nothing.

    Args:
        is_alone: The formula is all of its paragraph, so that `\[1\]` cannot be a bracket of prose.
    """
    text = finder.text
    if text.startswith("$$", place):
        return _between(finder, place, "$$", "$$", is_block=True)
    if text[place] == "$":
        return _dollars(finder, place)
    if text.startswith(r"\(", place):
        found = _between(finder, place, r"\(", r"\)", is_block=False)
        return None if found and _WORDS.fullmatch(found.tex) else found
    if text.startswith(r"\[", place):
        found = _between(finder, place, r"\[", r"\]", is_block=True)
        return found if found and (is_alone or _MATHEMATICAL.search(found.tex)) else None
    return _environment(finder, place)


def environment_name(text: str) -> str:
    r"""The name behind a `\begin` at the start of the text, if it is an environment of mathematics."""
    begin = _BEGIN.match(text)
    return begin[1] if begin and (begin[1] in DISPLAYED or begin[1] in _INNER) else ""


def _between(finder: Finder, place: int, opening: str, closing: str, *, is_block: bool) -> Formula | None:
    start = place + len(opening)
    end = finder.find(closing, start)
    if end < 0 or end - start > MOST_TEX or (opening != closing and 0 <= finder.find(opening, start) < end):
        return None
    return _formula(finder.text[start:end], end + len(closing), is_block=is_block)


def _dollars(finder: Finder, place: int) -> Formula | None:
    text = finder.text
    if place and _touches(text[place - 1]):
        return None
    end = finder.find("$", place + 1)
    while end > 0 and _is_escaped(text, end):
        end = finder.find("$", end + 1)
    if end < 0 or end - place > MOST_TEX:
        return None
    inner, behind = text[place + 1 : end], text[end + 1 : end + 2]
    if not inner or "\n" in inner or _touches(behind) or behind == "{":
        return None
    if inner[0] == "(" == behind or _MONEY.match(inner.strip()):
        return None
    is_spaced = inner[0].isspace() or inner[-1].isspace()
    if is_spaced and not (_SPACED.fullmatch(inner) and _MATHEMATICAL.search(inner)):
        return None
    return _formula(inner, end + 1, is_block=False)


def _touches(char: str) -> bool:
    # Writing without blanks goes on right beside a formula.
    return char.isascii() and (char.isalnum() or char in ("_", "$"))


def _environment(finder: Finder, place: int) -> Formula | None:
    name = environment_name(finder.text[place : place + 24])
    if not name:
        return None
    closing = f"\\end{{{name}}}"
    end = finder.find(closing, place)
    if end < 0 or end - place > MOST_TEX or 0 <= finder.find(f"\\begin{{{name}}}", place + 1) < end:
        return None
    end += len(closing)
    return _formula(finder.text[place:end], end, is_block=True)


def _formula(tex: str, end: int, *, is_block: bool) -> Formula | None:
    # TeX ends a formula at a blank line.
    tex = _BLANK_LINES.sub("\n", tex.strip())
    if not tex or not _is_balanced(tex) or "```" in tex or "~~~" in tex:
        return None
    return Formula(tex=tex, is_block=is_block, end=end)


def _is_balanced(tex: str) -> bool:
    depth = 0
    for brace in re.findall("[{}]", _ESCAPE.sub("", tex)):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _is_escaped(text: str, place: int) -> bool:
    start = place
    while start and text[start - 1] == "\\":
        start -= 1
    return (place - start) % 2 == 1
