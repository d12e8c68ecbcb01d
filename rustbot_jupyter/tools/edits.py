"""Changes to a text: one passage replaced by another, and the difference as a person reads it."""

from __future__ import annotations

import difflib

from rustbot_jupyter.errors import ToolError

CONTEXT_LINES = 3
MAX_COMPARED_LINES = 600
"""Of the part that differs. A longer one is shown as taken out and put in, without a search for what stayed."""


def replaced(text: str, old: str, new: str, *, line_end: str, replace_all: bool) -> str:
    """The text with a passage replaced.

    Args:
        text: As it is in the file.
        old: The passage, with the file's line ends or with plain ones.
        new: What stands there afterwards; it gets the file's line ends.
        line_end: That of the file.
        replace_all: Whether the passage may stand there more than once.

    Raises:
        ToolError: The passage is not there, is not the only one, or stays as it is.
    """
    if not old:
        raise ToolError("'old' is empty, so it is not clear where the text belongs. Give the lines it stands next to.")
    if old not in text:
        old = with_line_end(old, line_end)
    new = with_line_end(new, line_end)
    starts = _starts(text, old)
    if not starts:
        raise ToolError("'old' is not in the file. Read the file again, and copy the passage exactly, spaces included.")
    if len(starts) > 1 and not replace_all:
        lines = ", ".join(str(text.count("\n", 0, start) + 1) for start in starts[:5])
        raise ToolError(
            f"'old' is in the file {len(starts):,} times (lines {lines}{', …' if len(starts) > 5 else ''}). "
            "Give more of the lines around it, or set replace_all."
        )
    if old == new:
        raise ToolError("'old' and 'new' are the same, so nothing would change. Give the text as it should become.")
    return text.replace(old, new)


def with_line_end(text: str, line_end: str) -> str:
    """The text with these line ends in place of its own."""
    return text.replace("\r\n", "\n").replace("\n", line_end)


def difference(before: str, after: str, name: str) -> str:
    """A unified diff; "" when nothing changes. It takes time in proportion to the texts."""
    old, new = _lines(before), _lines(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    if len(old) - head - tail > MAX_COMPARED_LINES or len(new) - head - tail > MAX_COMPARED_LINES:
        return _as_a_whole(old, new, head, tail, name)
    # Only the part that differs is compared: the search is quadratic in it.
    start = max(0, head - CONTEXT_LINES)
    end = max(0, tail - CONTEXT_LINES)
    hunks = list(difflib.unified_diff(old[start : len(old) - end], new[start : len(new) - end], n=CONTEXT_LINES))[2:]
    return "".join([f"--- {name}\n+++ {name}\n", *(_line(_moved(hunk, start)) for hunk in hunks)]) if hunks else ""


def _starts(text: str, part: str) -> list[int]:
    starts: list[int] = []
    at = text.find(part)
    while at >= 0 and len(starts) < 1_000:
        starts.append(at)
        at = text.find(part, at + 1)
    return starts


def _lines(text: str) -> list[str]:
    # Not `splitlines`: to a file, form feeds and U+2028 are no line ends.
    lines = [f"{line}\n" for line in text.split("\n")]
    return [*lines[:-1], lines[-1][:-1]] if lines[-1] != "\n" else lines[:-1]


def _common(old: list[str], new: list[str]) -> int:
    """Return how many lines both begin with."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(old), len(new)))


def _as_a_whole(old: list[str], new: list[str], head: int, tail: int, name: str) -> str:
    out, put = old[head : len(old) - tail], new[head : len(new) - tail]
    heading = f"--- {name}\n+++ {name}\n@@ -{head + 1},{len(out)} +{head + 1},{len(put)} @@\n"
    return heading + "".join(_line(f"-{line}") for line in out) + "".join(_line(f"+{line}") for line in put)


def _line(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _moved(line: str, by: int) -> str:
    """A hunk's heading with the line numbers of the whole file."""
    if not by or not line.startswith("@@ -"):
        return line
    _, old, new, _ = line.split(" ", 3)
    return f"@@ -{_range(old[1:], by)} +{_range(new[1:], by)} @@\n"


def _range(numbers: str, by: int) -> str:
    start, comma, count = numbers.partition(",")
    return f"{int(start) + by}{comma}{count}"
