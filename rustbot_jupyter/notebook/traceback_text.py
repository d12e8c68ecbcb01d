"""An exception as plain text for a model: no colours, none of the kernel's own frames, no more than a budget."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException

from rustbot_jupyter.tools.results import cleaned

DEFAULT_BUDGET_CHARS = 8_000
MAX_FRAMES = 20
"""Of a longer stack the first and the last ones are kept."""
MAX_CHAIN = 10


def traceback_text(
    error: BaseException,
    *,
    cells: Mapping[str, int] | None = None,
    schema_only: bool = False,
    budget_chars: int = DEFAULT_BUDGET_CHARS,
) -> str:
    """The traceback as the user's cells caused it; beginning and end survive a cut.

    Args:
        error: What was raised.
        cells: Which file names stand for which numbered cells; they are shown as `In[3]`.
        schema_only: Leave out messages, which quote values; types and lines of code stay.
        budget_chars: Longest text.
    """
    summary = TracebackException.from_exception(error, compact=True)
    for each in _members(summary):
        each.stack = _readable(each.stack, cells or {})
        # A SyntaxError names its file outside the stack; of a cell itself, the stack is all the kernel's.
        if getattr(each, "filename", None) in (cells or {}):
            each.stack = each.stack if _has_cell(each.stack) else StackSummary()
            each.filename = f"In[{(cells or {})[each.filename or '']}]"
    text = "".join(_types_only(error, summary) if schema_only else summary.format()).rstrip()
    # Messages may bring a terminal's colours along.
    return _cut(cleaned(text), budget_chars)


def _members(summary: TracebackException) -> list[TracebackException]:
    """The exception, its causes, and the members of groups."""
    found: list[TracebackException] = []
    waiting: list[TracebackException | None] = [summary]
    while waiting:
        each = waiting.pop()
        if each is not None and not any(each is other for other in found):
            found.append(each)
            waiting += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or [])]
    return found


def _has_cell(stack: StackSummary) -> bool:
    return any(frame.filename.startswith("In[") for frame in stack)


def _readable(stack: StackSummary, cells: Mapping[str, int]) -> StackSummary:
    """From the first frame in a cell on, as what lies above is how the kernel got there; the middle left out."""
    frames = list(stack)
    first = next((place for place, frame in enumerate(frames) if frame.filename in cells), 0)
    frames = frames[first:]
    if len(frames) > MAX_FRAMES:
        frames = frames[: MAX_FRAMES // 2] + frames[-MAX_FRAMES // 2 :]
    return StackSummary.from_list([_in_cell(frame, cells) for frame in frames])


def _in_cell(frame: FrameSummary, cells: Mapping[str, int]) -> FrameSummary:
    number = cells.get(frame.filename)
    name = short_path(frame.filename) if number is None else f"In[{number}]"
    return FrameSummary(name, frame.lineno or 0, frame.name, lookup_line=False, line=frame.line)


def short_path(path: str) -> str:
    """The path without what tells who and where the user is: from the package, Python's library or `~` on."""
    path = path.replace("\\", "/")
    inside = re.sub(r"^.*/(?:site-packages|dist-packages|lib/python3\.\d+|Lib)/", "", path)
    home = Path.home().as_posix()
    return f"~{inside[len(home) :]}" if inside.startswith(f"{home}/") else inside


def _types_only(error: BaseException, summary: TracebackException) -> Iterator[str]:
    chain: list[tuple[BaseException, TracebackException]] = []
    one: BaseException | None = error
    each: TracebackException | None = summary
    while one is not None and each is not None and len(chain) < MAX_CHAIN:
        chain.append((one, each))
        if one.__cause__ is not None:
            one, each = one.__cause__, each.__cause__
        else:
            one, each = (None, None) if one.__suppress_context__ else (one.__context__, each.__context__)
    for one, each in reversed(chain):
        yield "Traceback (most recent call last):\n"
        yield from each.stack.format()
        yield f"{type(one).__qualname__}: (message left out)\n\n"


def _cut(text: str, budget_chars: int) -> str:
    if len(text) <= budget_chars:
        return text
    note = "\n… (cut) …\n"
    head = budget_chars // 4
    return text[:head] + note + text[-max(1, budget_chars - head - len(note)) :]
