"""Tool results in Markdown: what was found, in a sentence, a table or a block; errors and refusals as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.llm.demo_rules.review import code_or_error_answer
from rustbot_jupyter.messages import ToolCallPart, ToolResultPart

MOST_CHARS = 4_000
"""Of a result that is shown; the card has all of it."""
MOST_ROWS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A call, and what it gave."""

    call: ToolCallPart
    result: ToolResultPart

    @property
    def arguments(self) -> dict[str, Any]:
        """As the call had them; {} when they are no JSON object."""
        try:
            value = json.loads(self.call.arguments)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def subject(self) -> str:
        """The first argument, as code: what the call was about."""
        return code_span(str(next(iter(self.arguments.values()), "")))


def summary_of(findings: Sequence[Finding]) -> str:
    """Return what the calls gave, for a reader who may have the cards folded."""
    return "\n\n".join(_failure(each) if each.result.is_error else _told(each) for each in findings)


def _told(finding: Finding) -> str:
    tell = _TELLERS.get(finding.call.name, _tell_other)
    return tell(finding)


# What went wrong. Only the runner marks a result as an error, so no file or page can pretend to be a refusal.


def _failure(finding: Finding) -> str:
    name, content = code_span(finding.call.name), finding.result.content.strip()
    _, _, reason = content.partition("The user says: ")
    # Rustbot's own words, where no user could say anything.
    if reason.startswith("Nobody "):
        return f"{name} was not run. {reason}"
    for words, sentence in _ENDINGS:
        if words in content:
            return sentence.format(name=name) + (f" You said: “{_line(reason)}”" if reason else "")
    return f"{name} did not work. It says:\n\n{fenced(content or 'nothing')}"


_ENDINGS = (
    ("the user refused it", "You did not allow {name}, so it was not run, and nothing has changed."),
    ("a rule of the user's forbids it", "One of your rules forbids this call of {name}, so it was not run."),
    ("only reading is allowed", "Tools may only read at the moment, so {name} was not run."),
    ("The user cancelled it", "You cancelled {name}; what it had done until then stays done."),
    ("It was interrupted by the user", "You stopped {name}; what it had done until then stays done."),
    ("is switched off", "The tool {name} is switched off, so it was not run."),
)


# What went well.


def _tell_variables(finding: Finding) -> str:
    content = finding.result.content
    rows = table_in(content)
    if not rows:
        return f"This is what I found:\n\n{fenced(content)}"
    unnamed = _MORE.search(content)
    total = len(rows) + (int(unnamed["count"].replace(",", "")) if unnamed else 0)
    count = "one variable" if total == 1 else f"{total:,} variables"
    more = f"\n\n… and {total - MOST_ROWS:,} more." if total > MOST_ROWS else ""
    return f"You have {count}:\n\n{_table(rows[:MOST_ROWS])}{more}"


_MORE = re.compile(r"^… (?P<count>[\d,]+) more", re.MULTILINE)


def _table(rows: Sequence[dict[str, str]]) -> str:
    columns = [name for name in rows[0] if any(row.get(name) for row in rows)]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += ["| " + " | ".join(_cell(row.get(name, "")) for name in columns) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    # A bar ends a cell, even within code.
    return code_span(text.replace("|", "¦")) if text else ""


def _tell_value(finding: Finding) -> str:
    value = _RESULT.sub("", finding.result.content.strip(), count=1)
    if "\n" in value or len(value) > 100:
        return f"{finding.subject} is:\n\n{fenced(value)}"
    return f"{finding.subject} is {code_span(value)}."


# "result: int = 4", "result: numpy float64 = ..." and "result: pandas DataFrame, 3 rows × 2 columns".
_RESULT = re.compile(r"\Aresult: (?:[\w.]+(?: [\w.]+)? = )?")


def _tell_code(finding: Finding) -> str:
    output = finding.result.content.strip()
    if finding.result.images:
        return "It ran. The figure stands with the tool's result."
    rest = _FIGURE.sub("", output).strip()
    if str(finding.arguments.get("code", "")).endswith("\nfigure"):
        shown = "It is drawn: the figure is shown here" if rest != output else "It is drawn"
        return f"{shown}, and kept in the variable `figure`: a cell with just that name shows it, too."
    if rest != output and (not rest or rest.startswith("result: plotly Figure")):
        return "It ran. The figure is shown here."
    if not output or output.startswith("The code ran;"):
        return output or "The code ran."
    return f"The code ran. This came out:\n\n{fenced(output)}"


_FIGURE = re.compile(r"^\[figure \d+: the user sees it.*\]$", re.MULTILINE)


def _tell_error(finding: Finding) -> str:
    told = finding.result.content.strip()
    cell = _FAILED_CELL.fullmatch(told)
    as_pasted = f"{_block(cell['code'], 'python')}\n\n{_block(cell['traceback'], 'text')}" if cell else told
    return code_or_error_answer(as_pasted) or f"This is the last error:\n\n{fenced(told)}"


# The code of a cell, an empty line, and its traceback, which of a mistake in the syntax begins with the file.
_FAILED_CELL = re.compile(
    r"In \[\d+\]:\n(?P<code>.*?)\n\n(?P<traceback>(?:Traceback \(most recent|[ ]+File \"In\[).*)", re.DOTALL
)


def _with_intro(intro: str) -> Callable[[Finding], str]:
    def tell(finding: Finding) -> str:
        return f"{intro.format(subject=finding.subject)}\n\n{fenced(finding.result.content.strip() or '(nothing)')}"

    return tell


def _tell_other(finding: Finding) -> str:
    name, content = code_span(finding.call.name), finding.result.content.strip()
    pictures = " Its picture stands with the tool's result." if finding.result.images else ""
    if "\n" in content or len(content) > 200:
        return f"{name} answered:{pictures}\n\n{fenced(content)}"
    return f"{name} answered: {code_span(content)}.{pictures}" if content else f"{name} is done.{pictures}"


_TELLERS: dict[str, Callable[[Finding], str]] = {
    "list_variables": _tell_variables,
    "describe_variable": _with_intro("This is {subject}:"),
    "evaluate": _tell_value,
    "run_code": _tell_code,
    "recent_cells": _with_intro("These are your last cells:"),
    "last_error": _tell_error,
    "read_file": _with_intro("{subject} says:"),
    "list_files": _with_intro("These files are there:"),
    "find_files": _with_intro("For {subject} I found:"),
    "search_files": _with_intro("For {subject} I found:"),
    "run_shell": _with_intro("{subject} printed:"),
    "fetch_page": _with_intro("This stands at {subject}:"),
    "web_search": _with_intro("For {subject} the web has:"),
    "system_info": _with_intro("This is the system your kernel runs on:"),
}


# Reading a result that is a list of variables.


def table_in(content: str) -> list[dict[str, str]]:
    """The rows of a result: a JSON list of objects, a Markdown table, or lines such as `df: DataFrame, 3 rows`."""
    try:
        return _json_rows(json.loads(content))
    except (ValueError, RecursionError):
        pass
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if len(lines) > 1 and re.fullmatch(r"\|?[ :|-]+\|[ :|-]*", lines[1]):
        names, *rows = ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines)
        return [dict(zip(names, row, strict=False)) for row in rows[1:]]
    return [
        {"name": match["name"], "type": match["type"], "size": match["size"] or ""}
        for line in lines
        if (match := _LINE.fullmatch(line))
    ]


_LINE = re.compile(r"(?:[-*] )?`?(?P<name>[^\W\d]\w*)`?\s*[:=]\s*(?P<type>[^,]+)(?:,\s*(?P<size>.*))?")


def _json_rows(value: Any) -> list[dict[str, str]]:
    if isinstance(value, dict):
        value = next((part for part in value.values() if isinstance(part, list)), None) or [
            {"name": name, "type": kind} for name, kind in value.items()
        ]
    if not isinstance(value, list):
        return []
    return [
        {key: "" if cell is None else str(cell) for key, cell in row.items()} for row in value if isinstance(row, dict)
    ]


def frames_in(content: str) -> list[str]:
    """The names of the data frames in a list of variables."""
    return [row["name"] for row in table_in(content) if "name" in row and _FRAME.search(row.get("type", ""))]


_FRAME = re.compile(r"Frame\b")


# Text of others as Markdown: always inside code, where it is only text.


def code_span(text: str) -> str:
    """The text in one line, as code."""
    line = _line(text)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    mark = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{mark}{space}{line}{space}{mark}" if line else "`''`"


def fenced(text: str) -> str:
    """The text as a block, cut where it is long; no fence in it ends the block."""
    shown = (
        text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}\n[… {len(text) - MOST_CHARS:,} characters more …]"
    )
    return _block(shown, "text")


def _block(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    return f"{'`' * (longest + 1)}{language}\n{text}\n{'`' * (longest + 1)}"


def _line(text: str, limit: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
