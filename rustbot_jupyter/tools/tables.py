"""Data frames and series as text: schema, first rows and statistics within a budget, read from a small sample."""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from rustbot_jupyter.key_forms import REDACTED
from rustbot_jupyter.secret_names import Secrecy, is_secret, secrecy
from rustbot_jupyter.tools.short_text import clip, clip_quietly, contained, number_text, safe_repr, type_name

SAMPLED_CELLS = 50_000
"""How many cells the statistics look at; keeps a frame of any size within some 10 ms."""
READ_COLUMNS = 200
"""Columns further right are named only."""
HEAD_ROWS = 5
CELL_CHARS = 24
NAME_CHARS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnSample:
    """Some cells of one column."""

    values: Sequence[Any]
    """Without the missing ones."""
    missing: int
    head: Sequence[Any]
    """The first cells of the column, missing ones included."""


UNREADABLE = ColumnSample(values=(), missing=0, head=("?",) * HEAD_ROWS)
"""Of a column that raises when it is read."""


def _sampled(read: Callable[[], ColumnSample]) -> ColumnSample:
    """The sample of one column; what goes wrong with it makes the others no less known."""
    try:
        return read()
    except BaseException as error:
        contained(error)
        return UNREADABLE


class Table(Protocol):
    """A frame of any library, as it can tell about itself."""

    kind: str
    """`"pandas DataFrame"`."""
    rows: int | None
    """None when counting would compute the frame."""
    columns: list[tuple[str, str]]
    """Name and dtype of each column."""
    index: str
    """Names and dtypes of the row labels; "" when they are plain numbers."""

    def samples(self, rows: int) -> list[ColumnSample]:
        """About `rows` cells of the first `READ_COLUMNS` columns, spread over the whole length."""

    def row_labels(self) -> list[Any]:
        """The labels of the first rows; [] when they are plain numbers."""


def as_table(value: Any) -> Table | None:
    """The value as a table, or None when it is no frame or series of a library we know."""
    root = type(value).__module__.partition(".")[0]
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return PandasTable(value, type_name(value))
    if pandas is not None and isinstance(value, pandas.Series):
        return PandasTable(value.to_frame(name=value.name), type_name(value))
    return _narwhals_table(value) if root in _NARWHALS_LIBRARIES else None


_NARWHALS_LIBRARIES = {"polars", "pyarrow", "modin", "cudf", "dask", "duckdb", "ibis", "pyspark", "sqlframe"}


def _narwhals_table(value: Any) -> Table | None:
    import narwhals as nw

    wrapped = nw.from_native(value, pass_through=True, allow_series=True)
    if isinstance(wrapped, nw.Series):
        wrapped = wrapped.to_frame()
    if isinstance(wrapped, nw.DataFrame):
        return EagerTable(wrapped, type_name(value))
    return LazyTable(wrapped, type_name(value)) if isinstance(wrapped, nw.LazyFrame) else None


class PandasTable:
    """A pandas frame; read directly, as narwhals refuses doubled and odd column names."""

    def __init__(self, frame: Any, kind: str) -> None:
        self.kind = kind
        self.rows: int | None = len(frame)
        levels = frame.columns.names
        self.columns = [
            (column_name(_label_without_secrets(levels, label)), dtype_name(dtype))
            for label, dtype in frame.dtypes.items()
        ]
        self._frame = frame
        self._has_labels = not _only_counts(frame.index)
        self.index = self._describe_index() if self._has_labels else ""

    def _describe_index(self) -> str:
        index = self._frame.index
        dtypes = index.dtypes if index.nlevels > 1 else [index.dtype]
        levels = [
            f"{'' if label is None else column_name(label) + ' '}{dtype_name(dtype)}"
            for label, dtype in zip(index.names, dtypes, strict=True)
        ]
        return ", ".join(levels)

    def samples(self, rows: int) -> list[ColumnSample]:
        step = _step(len(self._frame), rows)
        part = self._frame.iloc[::step, :READ_COLUMNS]
        head = self._frame.iloc[:HEAD_ROWS, :READ_COLUMNS]
        return [_sampled(partial(self._sample, part, head, place)) for place in range(part.shape[1])]

    @staticmethod
    def _sample(part: Any, head_rows: Any, place: int) -> ColumnSample:
        column, head = part.iloc[:, place], head_rows.iloc[:, place]
        is_missing = column.isna().to_numpy()
        return ColumnSample(values=column[~is_missing].tolist(), missing=int(is_missing.sum()), head=head.tolist())

    def row_labels(self) -> list[Any]:
        if not self._has_labels:
            return []
        index = self._frame.index
        return [_label_without_secrets(index.names, label) for label in index[:HEAD_ROWS]]


def _label_without_secrets(levels: Sequence[Any], label: Any) -> Any:
    """A label of a row or column, which a level with such a name makes a secret."""
    if len(levels) == 1:
        return REDACTED if is_secret(levels[0], label) else label
    return tuple(REDACTED if is_secret(level, part) else part for level, part in zip(levels, label, strict=True))


def _only_counts(index: Any) -> bool:
    """True if the row labels say no more than the number of the row."""
    return type(index).__name__ == "RangeIndex" and index.name is None and (index.start, index.step) == (0, 1)


class EagerTable:
    """A frame in memory of polars, pyarrow and what else narwhals reads."""

    index = ""

    def __init__(self, frame: Any, kind: str) -> None:
        self.kind = kind
        self.rows: int | None = len(frame)
        self.columns = [(column_name(name), dtype_name(dtype)) for name, dtype in frame.schema.items()]
        self._frame = frame

    def samples(self, rows: int) -> list[ColumnSample]:
        frame = self._frame[:, :READ_COLUMNS] if len(self.columns) > READ_COLUMNS else self._frame
        step = _step(len(frame), rows)
        part = frame[list(range(0, len(frame), step))] if step > 1 else frame
        head = frame.head(HEAD_ROWS)
        return [_sampled(partial(self._sample, part, head, name)) for name in frame.columns]

    @staticmethod
    def _sample(part: Any, head_rows: Any, name: str) -> ColumnSample:
        cells, head = part[name].to_list(), head_rows[name].to_list()
        values = [cell for cell in cells if not (cell is None or (isinstance(cell, float) and cell != cell))]
        return ColumnSample(values=values, missing=len(cells) - len(values), head=head)

    def row_labels(self) -> list[Any]:
        return []


class LazyTable:
    """A query that has not run; only its schema is looked at."""

    rows: int | None = None
    index = ""

    def __init__(self, frame: Any, kind: str) -> None:
        self.kind = kind
        self.columns = [(column_name(name), dtype_name(dtype)) for name, dtype in frame.collect_schema().items()]

    def samples(self, rows: int) -> list[ColumnSample]:
        return []

    def row_labels(self) -> list[Any]:
        return []


def _step(length: int, rows: int) -> int:
    return max(1, -(-length // max(1, rows)))


def column_name(label: Any) -> str:
    """A column's or level's label as text on one line."""
    return clip_quietly(label, NAME_CHARS) if isinstance(label, str) else safe_repr(label, NAME_CHARS)


def dtype_name(dtype: Any) -> str:
    """The dtype as text that can hold no cell value: no categories, no fill value."""
    library = type(dtype).__module__.partition(".")[0]
    if library == "narwhals":
        return _narwhals_dtype(dtype)
    if library not in ("numpy", "pandas"):
        return type(dtype).__name__
    if type(dtype).__name__ == "SparseDtype":
        return f"Sparse[{dtype_name(dtype.subtype)}]"
    return "category" if type(dtype).__name__ == "CategoricalDtype" else str(dtype)


def _narwhals_dtype(dtype: Any) -> str:
    if hasattr(dtype, "inner"):
        return f"{type(dtype).__name__}[{_narwhals_dtype(dtype.inner)}]"
    if hasattr(dtype, "fields"):
        return f"Struct[{', '.join(f'{field.name}: {_narwhals_dtype(field.dtype)}' for field in dtype.fields)}]"
    # An Enum prints its categories, which are cell values.
    return type(dtype).__name__ if type(dtype).__name__ in ("Enum", "Categorical") else str(dtype)


def heading(table: Table) -> str:
    """Kind and shape in one line: `pandas DataFrame, 1,000,000 rows × 50 columns, index id int64`."""
    rows = "rows not computed" if table.rows is None else f"{table.rows:,} {'row' if table.rows == 1 else 'rows'}"
    columns = f"{len(table.columns):,} {'column' if len(table.columns) == 1 else 'columns'}"
    return f"{table.kind}, {rows} × {columns}" + (f", index {table.index}" if table.index else "")


def schema_text(table: Table, budget_chars: int) -> str:
    """Names and dtypes only."""
    return _fit_lines((f"- {name}: {dtype}" for name, dtype in table.columns), len(table.columns), budget_chars)


def full_text(table: Table, budget_chars: int) -> str:
    """Schema with statistics and the first rows, with as much detail as the budget allows."""
    samples = table.samples(SAMPLED_CELLS // max(1, min(len(table.columns), READ_COLUMNS)))
    if not samples or not table.rows:
        return schema_text(table, budget_chars)
    samples = [_without_secrets(name, sample) for (name, _), sample in zip(table.columns, samples, strict=False)]
    seen = max(len(sample.values) + sample.missing for sample in samples)
    note = "" if seen >= table.rows else f" (statistics from a sample of {seen:,} rows)"
    lines = [
        f"- {name}: {dtype}, {_summary(sample)}"
        for (name, dtype), sample in zip(table.columns[: len(samples)], samples, strict=True)
    ]
    for share, head_rows in ((1.0, HEAD_ROWS), (1.0, 2), (0.7, 2), (0.4, 2), (0.2, 1), (0.1, 1)):
        shown = max(1, int(len(lines) * share))
        text = "\n".join(
            [f"columns{note}:", *lines[:shown], *_rest(table, shown), _head(table, samples, shown, head_rows)]
        )
        if len(text) <= budget_chars:
            return text
    return clip(text, budget_chars)


def _rest(table: Table, shown: int) -> list[str]:
    names = [name for name, _ in table.columns[shown:]]
    if not names:
        return []
    return [clip_quietly(f"- … {len(names):,} more columns: {', '.join(names[:100])}", 600)]


def _fit_lines(lines: Iterator[str], total: int, budget_chars: int) -> str:
    kept: list[str] = []
    left = budget_chars - 40
    for number, line in enumerate(lines):
        left -= len(line) + 1
        if left < 0:
            return "\n".join([*kept, f"- … {total - number:,} more columns"])
        kept.append(line)
    return "\n".join(kept)


def _head(table: Table, samples: list[ColumnSample], shown: int, rows: int) -> str:
    labels = [[cell_text(label) for label in table.row_labels()]] if table.index else []
    columns = labels + [[cell_text(cell) for cell in sample.head] for sample in samples[:shown]]
    names = (["(index)"] if table.index else []) + [name for name, _ in table.columns[:shown]]
    lines = [" | ".join(names), *(" | ".join(row) for row in list(zip(*columns, strict=True))[:rows])]
    return "\n".join(["first rows:", *lines])


def _without_secrets(name: str, sample: ColumnSample) -> ColumnSample:
    """The sample of a column whose name says that its values are secret, without them."""
    if secrecy(name) is Secrecy.NONE or not any(is_secret(name, cell) for cell in (*sample.values, *sample.head)):
        return sample
    return ColumnSample(values=(), missing=sample.missing, head=[REDACTED] * len(sample.head))


def cell_text(value: Any) -> str:
    """One cell, short and on one line."""
    try:
        return _cell_text(value)
    except BaseException as error:
        return f"<{type_name(value)}; {type(contained(error)).__name__}>"


def _cell_text(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else number_text(float(value))
    if type(value) is int:
        return number_text(value)
    if isinstance(value, str):
        return clip_quietly(value, CELL_CHARS)
    if isinstance(value, datetime.datetime | datetime.date | datetime.timedelta | Decimal) or value is None:
        return "" if value is None else str(value)
    return safe_repr(value, CELL_CHARS)


def _summary(sample: ColumnSample) -> str:
    if sample is UNREADABLE:
        return "cannot be read"
    try:
        return _statistics(sample)
    # Cells are anybody's objects: some do not compare, add up or hash.
    except BaseException as error:
        contained(error)
        kinds = ", ".join(sorted({type_name(value) for value in sample.values})[:5])
        return f"holds {kinds}; cannot be summed up"


def _statistics(sample: ColumnSample) -> str:
    total = len(sample.values) + sample.missing
    if not sample.values and sample.head and sample.head[0] is REDACTED:
        return "values left out, as its name says they are secret"
    parts = [_spread(sample.values)] if sample.values else []
    if sample.missing:
        parts.append(f"{sample.missing / total:.0%} missing")
    return ", ".join(parts)


def _spread(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds <= {bool}:
        return f"{sum(values) / len(values):.0%} true"
    if kinds <= {int, float}:
        return f"min {number_text(min(values))}{_mean(values)}, max {number_text(max(values))}"
    if len(kinds) == 1 and issubclass(next(iter(kinds)), _ORDERED):
        return f"from {cell_text(min(values))} to {cell_text(max(values))}"
    return _counts(values, kinds)


_ORDERED = (datetime.date, datetime.timedelta, Decimal)


def _mean(values: Sequence[Any]) -> str:
    try:
        mean = sum(values) / len(values)
    # Whole numbers beyond what a float can hold.
    except OverflowError:
        return ""
    # A mean is rounded in any case; of epochs and sums of money the whole part counts.
    return f", mean {mean:.4g}" if abs(mean) < 10_000 else f", mean {number_text(round(mean, 2))}"


def _counts(values: Sequence[Any], kinds: set[type]) -> str:
    try:
        counts = Counter(values)
    # Lists and dicts in cells cannot be counted.
    except TypeError:
        return f"holds {', '.join(sorted(kind.__name__ for kind in kinds)[:5])}"
    common = counts.most_common(3)
    if common[0][1] == 1 and len(values) > 1:
        return f"all distinct, such as {cell_text(common[0][0])!r}"
    shares = ", ".join(f"{cell_text(value)!r} {count / len(values):.0%}" for value, count in common)
    return f"{len(counts):,} distinct: {shares}"
