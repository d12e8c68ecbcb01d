"""The notebook's tools: look at variables, evaluate, run code, read recent cells and the last error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.secret_names import is_secret
from rustbot_jupyter.tools.base import (
    BUILT_IN,
    EVERY_CALL,
    CodeOutcome,
    Kernel,
    Preview,
    RecentCell,
    Risk,
    Tool,
    ToolContext,
    ToolResult,
)
from rustbot_jupyter.tools.evaluate import EvaluationFailed, evaluate
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.namespace import own_variables, size_of
from rustbot_jupyter.tools.pictures import is_figure, picture_of
from rustbot_jupyter.tools.plotly_json import figure_of, line_for
from rustbot_jupyter.tools.short_text import clip
from rustbot_jupyter.tools.tables import as_table
from rustbot_jupyter.tools.variables import describe, describe_variables, kind_and_shape

LIST_CHARS = 6_000
LINE_CHARS = 160
CELLS_CHARS = 12_000
MOST_CELLS = 20
MOST_CODE_CHARS = 50_000

_NOT_SENT = "values are not sent"


@dataclass(frozen=True, kw_only=True)
class CellOutcome(CodeOutcome):
    """The outcome of code, with what may be told of it where values are not sent."""

    result_kind: str = ""
    """Type and shape of the value of the last expression; "" for none."""
    error_without_values: str = ""
    """The traceback without messages; "" when there was no error."""


def notebook_tools(kernel: Kernel) -> list[Tool]:
    """The tools that work with this kernel's namespace."""
    tools = _NotebookTools(kernel)
    return [
        _reading(tools.list_variables, "List the variables"),
        _reading(tools.describe_variable, "Describe a variable"),
        _reading(tools.evaluate, "Evaluate an expression"),
        tool_of(
            tools.run_code,
            risk=Risk.EXECUTE,
            source=BUILT_IN,
            label="Run code in the notebook",
            preview=_preview_code,
            patterns=EVERY_CALL,
            sends_out=True,
        ),
        _reading(tools.recent_cells, "Read the recent cells"),
        _reading(tools.last_error, "Read the last error"),
    ]


def _reading(function: Callable[..., Any], label: str) -> Tool:
    return tool_of(function, risk=Risk.READ, source=BUILT_IN, label=label)


def _preview_code(arguments: Mapping[str, Any]) -> Preview:
    return Preview(kind="code", text=str(arguments.get("code", "")), note="Runs in this notebook, with your variables.")


class _NotebookTools:
    """The tools as methods: name, parameters and docstring are what the model is told."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def list_variables(self, context: ToolContext, words: str = "") -> ToolResult:
        """List the variables that the user has defined in this notebook: name, type, shape and memory, no values.

        Call it first when you do not know what data there is. Modules and imported names are left out. Use
        `describe_variable` to see what is in one.

        Args:
            words: Only variables whose name or type contains one of these words; "" lists all.
        """
        variables = own_variables(self._kernel.namespace)
        lines = [_line(name, value) for name, value in sorted(variables.items())]
        wanted = words.lower().split()
        lines = [line for line in lines if not wanted or any(word in line.lower() for word in wanted)]
        if lines:
            return ToolResult(text=_fitted(lines), origin="the notebook's variables", is_foreign=False, is_private=True)
        if variables:
            return ToolResult(text=f"None of the {len(variables)} variables has {words!r} in its name or type.")
        return ToolResult(text="There are no variables in this notebook yet.")

    def describe_variable(self, name: str, context: ToolContext) -> ToolResult:
        """Describe one variable: a data frame's columns, statistics, missing values and first rows; an array's shape
        and range; a figure with its picture; a model's parameters; a function's source; anything else as text.

        It is quick for data of any size, as statistics of large data come from a sample; use `evaluate` for exact ones.

        Args:
            name: The variable's name, such as "df".
        """
        namespace = dict(list(self._kernel.namespace.items()))
        try:
            text = describe_variables(namespace, [name], schema_only=not context.send_values)
        except RequestError as error:
            raise ToolError(str(error)) from error
        value = namespace[name]
        picture = picture_of(value) if context.send_values and is_figure(value) else None
        figure = figure_of(value) if context.send_values and picture is None else None
        return ToolResult(
            text=text if figure is None else f"{text}\n{line_for(figure, 1)}",
            images=(picture,) if picture is not None else (),
            figures=(figure.json,) if figure is not None and figure.json is not None else (),
            origin=_origin(name, value),
            is_private=True,
        )

    def evaluate(self, expression: str, context: ToolContext) -> ToolResult:
        """Evaluate a Python expression over the notebook's variables and get its value. It cannot change anything.

        Allowed: names, attributes, subscripts, operators, comparisons, comprehensions, f-strings, Python's simple
        functions (len, sum, min, max, sorted, round, ...), functions of math, statistics and numpy that only compute,
        and methods of pandas, numpy and polars objects that only read, such as
        `df.groupby("city")["price"].mean().nlargest(5)`. For anything else (assignments, imports, lambdas, plots, your
        own functions) use `run_code`.

        Args:
            expression: One Python expression, no statements.
        """
        try:
            value = evaluate(expression, dict(list(self._kernel.namespace.items())))
        except EvaluationFailed as error:
            if context.send_values:
                raise
            raise ToolError(
                f"The expression failed with {error.kind} (its message is left out, as {_NOT_SENT})."
            ) from None
        if not context.send_values:
            return ToolResult(text=f"{kind_and_shape(value)} ({_NOT_SENT})", is_private=True)
        name = _last_name(expression)
        text = describe(name if is_secret(name, value) else "result", value)
        return ToolResult(text=text, origin="the notebook's variables", is_private=True)

    async def run_code(self, code: str, context: ToolContext) -> ToolResult:
        """Run Python code in the user's notebook, as a cell would: with its variables, imports and working folder.

        What the code assigns stays there. You get what it prints, the value of its last expression, its figures (open
        ones are shown, so no `plt.show()` is needed) and its error. It cannot read input. The user is asked before each
        run and sees exactly this code; to only look at data, `describe_variable` and `evaluate` are quicker.

        Args:
            code: Python code; magics such as `%timeit` and a top-level `await` work, too.
        """
        if not code.strip():
            raise ToolError("There is no code to run. Give at least one statement.")
        if len(code) > MOST_CODE_CHARS:
            raise ToolError(f"The code has {len(code):,} characters, at most {MOST_CODE_CHARS:,} can be run at once.")
        context.kernel_needed()
        outcome = await self._kernel.run_code(
            code,
            on_start=context.kernel_ready,
            on_output=context.progress if context.send_values else lambda text: None,
        )
        return _result_of_code(outcome) if context.send_values else _result_without_values(outcome)

    def recent_cells(self, context: ToolContext, count: int = 5) -> ToolResult:
        """Read the code that the user ran last in this notebook, with each cell's result and error.

        What a cell printed and its figures are not kept.

        Args:
            count: How many cells, 1 to 20.
        """
        if not 1 <= count <= MOST_CELLS:
            raise ToolError(f"'count' is {count}; it goes from 1 to {MOST_CELLS}.")
        cells = self._kernel.recent_cells(count)
        if not cells:
            return ToolResult(text="No cell has run in this notebook yet.")
        each = CELLS_CHARS // len(cells)
        text = "\n\n".join(_cell_text(cell, each, with_values=context.send_values) for cell in cells)
        return ToolResult(text=text, origin="the notebook's cells", is_private=True)

    def last_error(self, context: ToolContext) -> ToolResult:
        """Read the newest error in the notebook: the code of the cell that failed and its traceback."""
        text = self._kernel.last_error(schema_only=not context.send_values)
        if not text:
            return ToolResult(text="No cell has failed in this notebook yet.")
        return ToolResult(text=text, origin="the notebook's last error", is_private=True)


def _line(name: str, value: Any) -> str:
    # The first line of a description without values: a name, a type and a shape.
    outline = clip(describe(name, value, schema_only=True).partition("\n")[0], LINE_CHARS)
    size = size_of(value)
    return f"{outline}, {size}" if size else outline


def _fitted(lines: list[str]) -> str:
    kept: list[str] = []
    left = LIST_CHARS
    for number, line in enumerate(lines):
        left -= len(line) + 1
        if left < 0:
            return "\n".join([*kept, f"… {len(lines) - number:,} more variables; ask with `words` for some of them"])
        kept.append(line)
    return "\n".join(kept)


def _last_name(expression: str) -> str:
    """Of `login.password` and `login["password"]`: `password`; "" for what has no name."""
    match = re.search(r"""(\w+)["'\])\s]*$""", expression)
    return match[1] if match is not None else ""


def _origin(name: str, value: Any) -> str:
    return f"{'data frame' if as_table(value) is not None else 'variable'} {name}"


def _result_of_code(outcome: CodeOutcome) -> ToolResult:
    return ToolResult(
        text=outcome.text or "The code ran; it printed nothing and has no value.",
        images=outcome.images,
        figures=outcome.figures,
        is_error=bool(outcome.error),
        origin="the output of code",
        is_foreign=False,
        is_private=True,
    )


def _result_without_values(outcome: CodeOutcome) -> ToolResult:
    kind, traceback = "", ""
    if isinstance(outcome, CellOutcome):
        kind, traceback = outcome.result_kind, outcome.error_without_values
    if outcome.error:
        failure = traceback or f"It failed with {outcome.error.partition(':')[0]}."
        return ToolResult(text=f"{failure}\n({_NOT_SENT})", is_error=True, is_private=True)
    value = f"its value is a {kind}" if kind else "it has no value"
    return ToolResult(text=f"The code ran; {value} ({_NOT_SENT}, nor is output).", is_private=True)


def _cell_text(cell: RecentCell, budget: int, *, with_values: bool) -> str:
    parts = [f"In [{cell.number}]:\n{cell.code.rstrip()}"]
    if cell.output and with_values:
        parts.append(f"Out[{cell.number}]: {cell.output}")
    if cell.error:
        parts.append(f"It failed: {cell.error if with_values else cell.error.partition(':')[0]}")
    return clip("\n".join(parts), budget)
