"""What was measured, as lines of one table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure beside another."""

    goal: int
    what: str
    ours: str
    reference: str = ""
    ratio: str = ""
    limit: str = ""
    """What the ratio, or our figure, may be at most; "" for lines that only inform."""
    is_met: bool | None = None
    """None for lines that only inform."""


def ratio_line(
    goal: int,
    what: str,
    ours: float,
    reference: float,
    limit: float | None,
    *,
    unit: str,
    of: str = "httpx+json",
    slack: float = 0.0,
    ratio: float | None = None,
) -> Line:
    """Our figure (the lower the better) over the reference's, and whether it is within the limit."""
    ratio = ours / reference if ratio is None else ratio
    is_met = None if limit is None else ratio * reference <= reference * limit + slack
    extra = f" + {show(slack, unit)}" if slack else ""
    return Line(
        goal=goal,
        what=what,
        ours=show(ours, unit),
        reference=f"{show(reference, unit)} {of}",
        ratio=f"{ratio:.2f}",
        limit="" if limit is None else f"≤ {limit:g}{extra}",
        is_met=is_met,
    )


def limit_line(goal: int, what: str, ours: float, limit: float, *, unit: str = "", reference: str = "") -> Line:
    """Our figure and the most it may be."""
    return Line(
        goal=goal,
        what=what,
        ours=show(ours, unit),
        reference=reference,
        limit=f"≤ {show(limit, unit)}",
        is_met=ours <= limit,
    )


def claim_line(goal: int, what: str, is_met: bool, found: str = "", reference: str = "") -> Line:
    """Something that holds or does not."""
    return Line(
        goal=goal,
        what=what,
        ours=found or ("yes" if is_met else "no"),
        reference=reference,
        limit="yes",
        is_met=is_met,
    )


def show(value: float, unit: str = "") -> str:
    """A figure for people: seconds as ms or µs, bytes as kB or MB."""
    if unit == "s":
        if value < 0.001:
            return f"{value * 1e6:.0f} µs"
        return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "B":
        return f"{value / 1e6:.2f} MB" if value >= 1e6 else f"{value / 1000:.1f} kB"
    number = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
    return f"{number} {unit}".strip()


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


HEADINGS = ("goal", "what", "rustbot", "beside", "ratio", "limit", "met")


def table(lines: Sequence[Line]) -> str:
    """The lines as a table, in Markdown."""
    rows = [HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def _cells(line: Line) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[line.is_met]
    return (str(line.goal), line.what, line.ours, line.reference, line.ratio, line.limit, met)
