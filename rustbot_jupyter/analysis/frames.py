"""Records as pandas data frames, with the same columns and types for none, one or many of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rustbot_jupyter.hidden_characters import data_without_halves, without_halves

if TYPE_CHECKING:
    import pandas as pd

TIME = "datetime64[us, UTC]"
TEXT = "str"
WHOLE = "Int64"
# Float64 rather than float64: an unknown cost or duration then shows as <NA>, as an unknown count does.
NUMBER = "Float64"
FLAG = "boolean"
PRIORITY = "priority"
MAPPING = "object"

USAGE_COLUMNS = {
    "started_at": TIME,
    "conversation_id": TEXT,
    "turn_id": TEXT,
    "source": TEXT,
    "profile": TEXT,
    "provider": TEXT,
    "model_requested": TEXT,
    "model": TEXT,
    "input_tokens": WHOLE,
    "output_tokens": WHOLE,
    "reasoning_tokens": WHOLE,
    "cache_read_tokens": WHOLE,
    "cache_write_tokens": WHOLE,
    "cost_usd": NUMBER,
    "cost_is_estimate": FLAG,
    "ttft_s": NUMBER,
    "duration_s": NUMBER,
    "tokens_per_s": NUMBER,
    "retries": WHOLE,
    "finish_reason": TEXT,
    "status": TEXT,
    "error": TEXT,
    "cell_id": TEXT,
}
EVENTS_COLUMNS = {
    "seq": WHOLE,
    "time": TIME,
    "kind": TEXT,
    "priority": PRIORITY,
    "state": TEXT,
    "conversation_id": TEXT,
    "turn_id": TEXT,
    "duration_s": NUMBER,
    "summary": TEXT,
    "data": MAPPING,
}
STATES_COLUMNS = {
    "entered_at": TIME,
    "left_at": TIME,
    "duration_s": NUMBER,
    "state": TEXT,
    "trigger": TEXT,
    "turn_id": TEXT,
}
TOOL_RUNS_COLUMNS = {
    "started_at": TIME,
    "turn_id": TEXT,
    "call_id": TEXT,
    "tool": TEXT,
    "source": TEXT,
    "status": TEXT,
    "approval": TEXT,
    "waited_s": NUMBER,
    "duration_s": NUMBER,
    "result_bytes": WHOLE,
    "error": TEXT,
}
TOOLS_COLUMNS = {
    "tool": TEXT,
    "label": TEXT,
    "risk": TEXT,
    "source": TEXT,
    "enabled": FLAG,
    "timeout_s": NUMBER,
    "description": TEXT,
}
METRICS_COLUMNS = {"time": TIME, "name": TEXT, "value": NUMBER, "unit": TEXT}
MODELS_COLUMNS = {
    "id": TEXT,
    "name": TEXT,
    "context_length": WHOLE,
    "max_output_tokens": WHOLE,
    "input_usd_per_million": NUMBER,
    "output_usd_per_million": NUMBER,
    "takes_tools": FLAG,
    "asked_without": TEXT,
}

Row = Mapping[str, Any]


class ListedModel(Protocol):
    """The fields of a model that the frame of the catalogue shows."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def context_length(self) -> int | None: ...
    @property
    def max_output_tokens(self) -> int | None: ...
    @property
    def takes_tools(self) -> bool: ...
    @property
    def prices(self) -> Any:
        """Has `input_usd` and `output_usd`, US dollars per token; None when the prices are unknown."""


def usage_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """One row per request: tokens, cost, timing and how it ended; what nobody knows is `<NA>`."""
    return _frame(rows, USAGE_COLUMNS)


def events_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """One row per event; `priority` is ordered, so `events.priority <= "HIGH"` selects the urgent ones."""
    return _frame(rows, EVENTS_COLUMNS)


def states_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """One row per state the agent was in; `left_at` and `duration_s` of the current one are missing."""
    return _frame(rows, STATES_COLUMNS)


def tool_runs_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """One row per tool call; `waited_s` are seconds of the user's and the kernel's, `duration_s` the tool's own."""
    return _frame(rows, TOOL_RUNS_COLUMNS)


def tools_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """One row per tool that there is."""
    return _frame(rows, TOOLS_COLUMNS)


def metrics_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """One row per sample of a metric."""
    return _frame(rows, METRICS_COLUMNS)


def models_frame(models: Iterable[ListedModel], asked_without: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row per model, with prices in US dollars per million tokens; an unknown price is `<NA>`.

    Args:
        models: What the server lists.
        asked_without: What models are asked without, by id, because they refused it before.
    """
    return _frame((_model_row(model, (asked_without or {}).get(model.id)) for model in models), MODELS_COLUMNS)


def _model_row(model: ListedModel, asked_without: str | None) -> Row:
    known = model.prices is not None
    return {
        "id": model.id,
        "name": model.name,
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "input_usd_per_million": round(model.prices.input_usd * 1e6, 6) if known else None,
        "output_usd_per_million": round(model.prices.output_usd * 1e6, 6) if known else None,
        "takes_tools": model.takes_tools,
        "asked_without": asked_without,
    }


def _frame(rows: Iterable[Row], columns: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    kept = list(rows)
    return pd.DataFrame({name: _column([row.get(name) for row in kept], kind) for name, kind in columns.items()})


def _column(values: list[Any], kind: str) -> pd.Series[Any]:
    import pandas as pd

    if kind == TIME:
        return pd.Series(pd.to_datetime(values, utc=True, format="ISO8601"), dtype=TIME)
    if kind == TEXT:
        return pd.Series([None if value is None else without_halves(str(value)) for value in values], dtype=TEXT)
    if kind == PRIORITY:
        from rustbot_jupyter.events import Priority

        levels = pd.CategoricalDtype([level.name for level in Priority], ordered=True)
        return pd.Series([_priority_name(value) for value in values], dtype=levels)
    if kind == MAPPING:
        return pd.Series([data_without_halves(value) for value in values], dtype=kind)
    return pd.Series(values, dtype=kind)


def _priority_name(value: Any) -> str | None:
    if value is None:
        return None
    from rustbot_jupyter.events import Priority

    return value.upper() if isinstance(value, str) else Priority(value).name
