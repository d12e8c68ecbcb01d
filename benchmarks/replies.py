"""The answers that are streamed. Each holds numbered words, so that a page can be checked for lost or torn text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

CHUNK_CHARACTERS = 6
WORD = re.compile(r"w\d{6}")
LAST_WORD = "w999999"


def plain(chunks: int) -> str:
    """Paragraphs of words, no markup."""
    words = (f"w{number:06d} " + ("\n\n" if number % 40 == 0 else "") for number in count(1))
    return _filled(words, chunks)


def markdown(chunks: int) -> str:
    """Headings, emphasis, links, lists, tables and code, over and over."""
    numbers = count(1)
    sections = (_section(numbers, index) for index in count(1))
    return _filled(sections, chunks)


def pieces(reply: str) -> list[str]:
    """The reply cut as a server sends it."""
    return [reply[at : at + CHUNK_CHARACTERS] for at in range(0, len(reply), CHUNK_CHARACTERS)]


def words(text: str) -> list[str]:
    """The numbered words of a reply, or of what a page shows of it."""
    return WORD.findall(text)


KINDS = {"plain": plain, "markdown": markdown}


def reply(kind: str, chunks: int) -> str:
    """The reply of a kind that comes in so many chunks."""
    return KINDS[kind](chunks)


def _filled(parts: Iterable[str], chunks: int) -> str:
    length, last = chunks * CHUNK_CHARACTERS, "\n\n" + LAST_WORD
    text = ""
    for part in parts:
        if len(text) + len(part) + len(last) > length:
            break
        text += part
    return text + " " * (length - len(text) - len(last)) + last


def _section(numbers: count[int], index: int) -> str:
    def some(amount: int) -> str:
        return " ".join(f"w{next(numbers):06d}" for _ in range(amount))

    return "\n\n".join(
        [
            f"## Section {index}: {some(3)}",
            f"{some(12)} **{some(2)}** and `{some(1)}`, {some(14)} [{some(2)}](https://example.org/{index}).",
            "\n".join(f"- {some(4)} *{some(2)}*" for _ in range(4)),
            f"```python\ndef step_{index}(x):\n    # {some(4)}\n    return [x * {index}, '{some(1)}']\n```",
            f"| {some(1)} | {some(1)} |\n|---|---:|\n" + "\n".join(f"| {some(1)} | {some(1)} |" for _ in range(4)),
            f"> {some(8)}\n\n",
        ]
    )
