"""The origin of each setting, as a small table that shows itself in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, overload

from rustbot_jupyter.settings.redaction import redact

_LONGEST_CELL = 60


class Origin(NamedTuple):
    """One setting: its value, and the layer that gave it."""

    name: str
    value: Any
    layer: str
    """default, file, profile, environment or call."""
    where: str
    """The file, variable or profile, for people."""


class Explanation(Sequence[Origin]):
    """All settings in order, as rows of name, value, layer and where."""

    def __init__(self, rows: Iterable[Origin]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Origin: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Origin, ...]: ...
    def __getitem__(self, index: int | slice) -> Origin | tuple[Origin, ...]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        table = [Origin._fields, *map(_cells, self._rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in Origin._fields)
        body = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in _cells(row)) + "</tr>"
            for row in self._rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: Origin) -> tuple[str, ...]:
    value = "" if row.value is None else row.value if isinstance(row.value, str) else repr(row.value)
    return tuple(_line(cell) for cell in (row.name, value, row.layer, row.where))


def _line(text: str) -> str:
    # Redacted before it is cut: half a key would not be recognised.
    text = "".join(char if char.isprintable() else " " for char in " ".join(redact(text).split()))
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
