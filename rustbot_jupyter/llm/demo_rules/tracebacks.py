"""Reading a traceback in a message: which exception, where, and in which line of code."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The facts of a traceback."""

    kind: str
    """The exception's name without its module."""
    message: str
    line_number: int | None
    """The line in the user's own code, from 1; None if it is not told."""
    line: str
    """That line's text, stripped; "" if it is not shown."""
    function: str
    """The user's function that this line is in; "" outside of any."""


# "json.decoder.JSONDecodeError: Expecting value", "KeyboardInterrupt", but not "Note: this is fine".
_LAST_LINE = re.compile(
    r"^[ \t]*`?(?:[a-zA-Z_]\w*\.)*(?P<kind>[A-Z]\w*(?:Error|Exception|Warning|Interrupt|StopIteration|Timeout|Exit)|"
    r"StopIteration)"
    r"(?::[ \t]*(?P<message>[^\n]*?))?`?[ \t]*$",
    re.MULTILINE,
)
_FRAME = re.compile(
    r"^[ \t]*(?:File (?P<file>\"[^\"]+\"|\S+?)(?:, line |:)(?P<line>\d+)(?:, in (?P<function>[\w.<>]+))?|"
    r"(?P<cell>Cell In ?\[\d+\]|Input In \[\d+\]), line (?P<cell_line>\d+)(?:, in (?P<cell_function>[\w.<>]+))?)",
    re.MULTILINE,
)
_ARROW = re.compile(r"^[ \t]*-+>\s*(?P<number>\d+)[ \t]?(?P<line>[^\n]*)$", re.MULTILINE)
_USERS_OWN = re.compile(r"In\[\d+\]|<ipython-input|ipykernel_|<stdin>|<string>|<cell|__main__")


def failure_in(text: str) -> Failure | None:
    """The last exception that the text tells about; None if there is none."""
    ends = [match for match in _LAST_LINE.finditer(text) if match["message"] is not None or "Traceback" in text]
    if not ends:
        return None
    end = ends[-1]
    frames = [frame for frame in _FRAME.finditer(text) if frame.start() < end.start()]
    own = [frame for frame in frames if frame["cell"] or _USERS_OWN.search(frame["file"] or "")] or frames
    number = int(own[-1]["cell_line"] or own[-1]["line"]) if own else None
    shown = _line_shown(text[: end.start()], own[-1] if own else None, number)
    function = (own[-1]["function"] or own[-1]["cell_function"] or "") if own else ""
    return Failure(
        kind=end["kind"],
        message=(end["message"] or "").strip(),
        line_number=number if number is not None else shown[0],
        line=shown[1],
        function="" if function.startswith("<") else function,
    )


def _line_shown(text: str, frame: re.Match[str] | None, number: int | None) -> tuple[int | None, str]:
    """The number and text of the failing line, as the traceback shows it."""
    arrows = [(int(arrow["number"]), arrow["line"].strip()) for arrow in _ARROW.finditer(text)]
    fitting = [arrow for arrow in arrows if number is None or arrow[0] == number]
    if fitting:
        return fitting[-1]
    following = text[frame.end() :].split("\n", 2) if frame is not None else []
    line = following[1].strip() if len(following) > 1 else ""
    return number, "" if set(line) <= set("^~ ") or line.startswith(("File ", "Cell In")) else line
