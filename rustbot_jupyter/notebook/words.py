"""The words of a magic's line, quoted or not; an apostrophe inside a word is just a letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One word, where it stands, and whether it was quoted."""

    text: str
    """Without the quotes."""
    start: int
    is_quoted: bool = False

    @property
    def is_flag(self) -> bool:
        """True if it looks like `-f` or `--format`; `-5`, `-` and a quoted one do not."""
        return not self.is_quoted and re.match(r"--?[^\W\d]", self.text) is not None


# A quote opens at the beginning of a word (or behind `--flag=`) and closes before a space, so "what's" is one word
# and 'what's this?' one text. The bound keeps a megabyte of unpaired quotes quick.
_WORD = re.compile(
    r"""(?P<flag>--[\w-]+=)?(?P<quote>["'])(?P<body>.{0,20000}?)(?<!\\)(?P=quote)(?=\s|$)|\S+""", re.DOTALL
)


def split_words(line: str, start: int = 0) -> Iterator[Word]:
    """The words from `start` on, one by one; never fails."""
    for match in _WORD.finditer(line, start):
        quote = match["quote"]
        if quote is None:
            yield Word(text=match[0], start=match.start())
            continue
        body = match["body"].replace(f"\\{quote}", quote)
        flag = match["flag"] or ""
        yield Word(text=flag + body, start=match.start(), is_quoted=not flag)
