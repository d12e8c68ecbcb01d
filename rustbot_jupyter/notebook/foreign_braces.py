r"""Braces in a question that belong to another language, so that nothing is put into them.

- LaTeX: behind `\word`, `^` and `_`, and all between `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and `\begin…\end`.
- Templates and shells: `{{ … }}` and all in it, `${…}`, `%{…}`.
- Format strings: `f"…"`, `$"…"`, `println!("…")`, `"…".format(…)`.
- Program code: a fenced block that names its language, unless the braces are all that is in it; a line that reads as
  code; all between other braces, unless these are JSON's.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import accumulate

_BEHIND = "{$%"
_COMMAND = re.compile(r"\\(?!n$)[A-Za-z]+\*?$")
_REACH = 200
"""How far a line is looked at before and behind the braces."""

# As Pandoc has it, so that "$5 and {x} or $6" is no formula.
_FORMULA = re.compile(r"(?<![\\\w$])\$(?![\s$`])[^$\n]*?(?<![\s\\$])\$(?![\w$`])")
_MATHS = (("$$", "$$"), (r"\(", r"\)"), (r"\[", r"\]"), (r"\begin{", r"\end{"))
_FORMAT_STRING = re.compile(
    r"""(?<![\w$'"])(?:[fFtT][rR]?|[rR][fFtT]|\$@?|@\$)
    (?: (?P<triple>\"{3}|'{3}) .*? (?P=triple) | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )""",
    re.VERBOSE | re.DOTALL,
)
_FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?(?P<language>[^\s`{},]*)[^\n]*\n(?P<code>.*?)(?:^[ \t]*(?P=fence)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NO_CODE = {"", "text", "txt", "plain", "plaintext", "markdown", "md", "json", "csv", "html", "xml", "yaml", "toml"}
"""Languages of fenced blocks in which people write placeholders of their own."""

_CODE_BEFORE = re.compile(
    r"""
    ^\s*@[\w.]+\( .*                                              # a decorator
    | ^\s*(?:export|return)\s                                     # with nothing else behind it, see below
    | .*\b(?:const|let|var)\s                                     # what is taken apart
    | ^\s*import\s .*
    | .*\w![(\[]\s*".*                                            # a macro of Rust
    | .*::                                                        # a path of Rust
    | .*\b(?:if|for|while|switch|catch)\s*\(.*\)\s*
    | .*\b(?:func|fn)(?:\s+\w+)?\((?:.*\)[^.,]*)?
    | (?:.*[=(,:;{}`])?\s*(?:(?:export|default|async)\s+)*function(?:\s+\w+)?\s*\((?:.*\)\s*(?::[^.,]*)?)?
    | .*[)\]]
    | .*\]\s*=\s*                                                 # an array of C
    | .*\[\]\w+                                                   # a slice of Go
    | \s*(?:\w+\s+)?(?:enum|struct|union|interface|trait|impl)\s+\w+\s*
    | .*(?<!\w)[A-Z]\w*[a-z]\w*                                   # a type
    | .*<[A-Za-z][\w.]*\s[^<>]*[\w:-]=                            # an attribute of JSX
    """,
    re.VERBOSE,
)
_PROSE_MAY_FOLLOW = re.compile(r"^\s*(?:(?:export|return)\s$|import\b)|\b(?:const|let|var)\s$")
_CODE_AFTER_THEM = re.compile(r"""\s*;?\s*$|\s*(?::[^=]+)?=|\s+from\s+["']""")
_CODE_AFTER = re.compile(r""".*(?:;|\{|=>)\s*(?://.*)?$|.*["']\s*\.\s*format\(|\s*\)\s*=>""")
_CALL_BEFORE, _CALL_AFTER = re.compile(r"^\s*[\w.$]+\("), re.compile(r".*\)\s*$")
_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s")


class ForeignBraces:
    """Tells for each brace of a text whether it belongs to another language.

    Nothing is read before the first brace is asked for: most questions have none that could be a variable.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _structure(self) -> set[int]:
        partners = _brace_partners(self._text)
        return {*_in_latex(self._text, partners), *_in_braces(self._text, partners)}

    @cached_property
    def _regions(self) -> tuple[list[int], list[int]]:
        """Return where regions begin, and the furthest end of those up to there."""
        regions = sorted(_regions(self._text))
        return [start for start, _ in regions], list(accumulate((end for _, end in regions), max))

    def has(self, start: int, end: int) -> bool:
        """True if the braces that open at `start` and whose end lies before `end` are not the question's own."""
        return (
            self._text[max(0, start - 1) : start] in tuple(_BEHIND)
            or start in self._structure
            or self._is_in_region(start)
            or self._is_in_code(start, end)
        )

    def _is_in_region(self, place: int) -> bool:
        starts, ends = self._regions
        index = bisect_right(starts, place) - 1
        return index >= 0 and ends[index] > place

    def _is_in_code(self, start: int, end: int) -> bool:
        text = self._text
        line_end = text.find("\n", end)
        line_start = text.rfind("\n", 0, start) + 1
        before = text[max(line_start, start - _REACH) : start]
        after = text[end : min(len(text) if line_end < 0 else line_end, end + _REACH)]
        return _reads_as_code(before, after)


def _reads_as_code(before: str, after: str) -> bool:
    if _CODE_BEFORE.fullmatch(before) is not None:
        return _PROSE_MAY_FOLLOW.search(before) is None or _CODE_AFTER_THEM.match(after) is not None
    if before.endswith("#"):
        # Ruby has them in texts only; elsewhere it is a number, such as that of an issue.
        return '"' in before and '"' in after
    if _CALL_BEFORE.match(before) is not None and _CALL_AFTER.match(after) is not None:
        return True
    return _CODE_AFTER.match(after) is not None and _ITEM.match(before) is None


def _regions(text: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for pattern in (_FORMULA, _FORMAT_STRING) for match in pattern.finditer(text))
    for opening, closing in _MATHS:
        yield from _between(text, opening, closing)
    for block in _FENCE.finditer(text):
        code = block["code"].strip()
        is_one_placeholder = code.startswith("{") and code.endswith("}") and not re.search(r"[{}\n]", code[1:-1])
        if block["language"].lower() not in _NO_CODE and not is_one_placeholder:
            yield block.span()


def _between(text: str, opening: str, closing: str) -> Iterator[tuple[int, int]]:
    end = 0
    while (start := text.find(opening, end)) >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
        end += len(closing)
        yield start, end


def _brace_partners(text: str) -> dict[int, int]:
    """Return where each opening brace is closed, in their order."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"[{}]", text):
        if match[0] == "{":
            opened.append(match.start())
        elif opened:
            partners[opened.pop()] = match.start()
    return dict(sorted(partners.items()))


_NAME_BEFORE, _NAME_AFTER = re.compile(r"(?<![\\\w])[A-Za-z]\w{2,30}_$"), re.compile(r"\.[A-Za-z]")


def _in_latex(text: str, partners: Mapping[int, int]) -> Iterator[int]:
    """The opening braces of arguments: behind a command, behind `^` and `_`, and behind another argument."""
    closed: set[int] = set()
    for start in partners:
        before = text[max(0, start - 40) : start]
        if before.endswith("]") and "[" in before:
            before = before[: before.rindex("[")]
        if _NAME_BEFORE.search(before) is not None and _NAME_AFTER.match(text, partners[start] + 1) is not None:
            # `data_{year}.csv` is the name of a file.
            continue
        if before.endswith(("^", "_")) or start - 1 in closed or _COMMAND.search(before) is not None:
            closed.add(partners[start])
            yield start


def _in_braces(text: str, partners: Mapping[int, int]) -> Iterator[int]:
    """The opening braces between other braces, unless all of these are objects of JSON."""
    around: list[tuple[int, bool]] = []
    for start in partners:
        while around and around[-1][0] < start:
            around.pop()
        is_in_code = bool(around) and around[-1][1]
        if is_in_code:
            yield start
        is_json = text[start + 1 : start + 40].lstrip()[:1] in ('"', "'")
        around.append((partners[start], is_in_code or not is_json))
