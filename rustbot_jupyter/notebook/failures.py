"""Cells that failed: the `Err` of questions, and the matter of `fix` and `explain`."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.errors import RequestError, RustbotError
from rustbot_jupyter.notebook.traceback_text import traceback_text
from rustbot_jupyter.settings.redaction import redact_for_request
from rustbot_jupyter.tools.namespace import is_own
from rustbot_jupyter.tools.variables import describe_variables

KEPT_FAILURES = 50
MAX_VARIABLES = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedCell:
    """A cell that raised. Text only: the exception itself would keep the cell's variables alive."""

    number: int
    code: str
    traceback: str
    traceback_without_messages: str


class Failures:
    """The cells that failed in this kernel, newest last; fed by IPython's `post_run_cell` event."""

    def __init__(self) -> None:
        self.tracebacks: dict[int, str] = {}
        """By cell number; what the user's namespace has as `Err`."""
        self._cells: dict[int, FailedCell] = {}

    def record(self, number: int, code: str, error: BaseException, cells: Mapping[str, int] | None = None) -> None:
        """Keep a failure. An interrupt is none, and Rustbot's own errors are not the cell's."""
        if isinstance(error, KeyboardInterrupt | asyncio.CancelledError | RustbotError):
            return
        failed = FailedCell(
            number=number,
            code=code,
            traceback=traceback_text(error, cells=cells),
            traceback_without_messages=traceback_text(error, cells=cells, schema_only=True),
        )
        self._cells.pop(number, None)
        self._cells[number] = failed
        self.tracebacks[number] = failed.traceback
        while len(self._cells) > KEPT_FAILURES:
            oldest = next(iter(self._cells))
            del self._cells[oldest]
            self.tracebacks.pop(oldest, None)

    @property
    def newest(self) -> FailedCell | None:
        """The newest one, if any cell has failed."""
        return next(reversed(self._cells.values()), None)

    def of_cell(self, number: int) -> FailedCell | None:
        """The failure of this cell, if it has failed."""
        return self._cells.get(number)

    def find(self, number: int | None = None) -> FailedCell:
        """The failure of this cell, or the newest one.

        Raises:
            RequestError: No cell has failed, or not this one.
        """
        if number is None and self.newest is not None:
            return self.newest
        if number in self._cells:
            return self._cells[number]
        if number is None:
            raise RequestError("No cell has failed in this kernel yet. Run the cell that fails first.")
        known = ", ".join(str(each) for each in list(self._cells)[-5:])
        hint = f"these have: {known}." if known else "none has."
        raise RequestError(f"Cell In[{number}] has not failed in this kernel; {hint}")


def failure_question(
    failed: FailedCell, namespace: Mapping[str, Any], *, task: str, wish: str = "", schema_only: bool = False
) -> str:
    """The question about a failed cell: its code, its traceback and the variables it names.

    Args:
        failed: The cell.
        namespace: The user's variables.
        task: `fix` or `explain`.
        wish: What the user wants beyond that.
        schema_only: No value of a variable and no message of the exception.
    """
    shown = failed.traceback_without_messages if schema_only else failed.traceback
    parts = [_fenced(failed.code, "python"), _fenced(shown, "text")]
    return _joined(_TASKS[task].format(number=failed.number), wish, parts, failed.code, namespace, schema_only)


def cell_question(
    number: int, code: str, namespace: Mapping[str, Any], *, wish: str = "", schema_only: bool = False
) -> str:
    """The question what a cell does that has not failed."""
    task = f"Explain what the notebook cell In[{number}] does."
    return _joined(task, wish, [_fenced(code, "python")], code, namespace, schema_only)


_TASKS = {
    "fix": "The notebook cell In[{number}] failed. Say in a sentence or two why, then give the whole corrected cell "
    "in one Python code block.",
    "explain": "The notebook cell In[{number}] failed. Explain what the error means here, what caused it, and how to "
    "avoid it.",
}


def _joined(task: str, wish: str, parts: list[str], code: str, namespace: Mapping[str, Any], schema_only: bool) -> str:
    names = variables_in(code, namespace)
    if names:
        parts.append("The variables it names:")
        parts.append(_fenced(describe_variables(namespace, names, schema_only=schema_only), "text"))
    # What the user wishes is sent as typed.
    return "\n\n".join(part for part in (task, wish, *(redact_for_request(each, namespace) for each in parts)) if part)


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def variables_in(code: str, namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """The user's variables and functions that the code names, in its order; modules and library code are left out."""
    return tuple(name for name in _names_in(code) if name in namespace and is_own(name, namespace[name]))[
        :MAX_VARIABLES
    ]


def _names_in(code: str) -> list[str]:
    try:
        found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
        names = [node.id for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))]
    # Magics, shell lines and broken code do not parse; their words will do.
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        names = re.findall(r"[^\W\d]\w*", code)
    return list(dict.fromkeys(names))
