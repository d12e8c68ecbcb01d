"""Tokens over turns: what went in and what came out, stacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rustbot_jupyter.analysis import style
from rustbot_jupyter.analysis.quiet_figure import QuietFigure, empty_figure
from rustbot_jupyter.analysis.thinning import binned_sums

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Tokens per turn"
NOTHING_YET = "No requests yet. Ask something, for example with <b>bot.ask</b>, and draw this again."
MOST_BARS = 400
FEWEST_PLACES = 8
"""The axis has room for at least so many bars, so that a single one is not a wall."""

PARTS = {
    "cached": ("Input from the cache", style.TEAL),
    "input": ("Input", style.BLUE),
    "output": ("Output", style.ORANGE),
    "reasoning": ("Reasoning", style.PURPLE),
}


def token_figure(frame: pd.DataFrame) -> QuietFigure:
    """One bar per turn: cached and new input, output and reasoning. Unknown counts are left out and counted."""
    if frame.empty:
        return empty_figure(TITLE, NOTHING_YET)
    turns = _turns(frame)
    bars, size = binned_sums(turns, list(PARTS), MOST_BARS)
    places = [1 + bar * size + (size - 1) / 2 for bar in range(len(bars))]
    labels = [_label(bar, size, len(turns)) for bar in range(len(bars))]
    figure = QuietFigure()
    for part, (name, colour) in PARTS.items():
        if part in {"input", "output"} or bars[part].sum() > 0:
            figure.add_bar(
                x=places,
                y=bars[part].astype("Int64").astype("object").where(bars[part].notna(), None).tolist(),
                width=0.7 * size,
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                customdata=labels,
                hovertemplate=f"%{{customdata}}<br>{name}: <b>%{{y:,}}</b> tokens<extra></extra>",
            )
    figure.update_layout(_layout(turns, size))
    return figure


def _turns(frame: pd.DataFrame) -> pd.DataFrame:
    """The parts of each turn, in the order of their first requests; NA where no request told."""
    ordered = frame.sort_values("started_at", kind="stable")
    cached, reasoning = ordered["cache_read_tokens"], ordered["reasoning_tokens"]
    parts = ordered.assign(
        cached=cached,
        input=(ordered["input_tokens"] - cached.fillna(0)).clip(lower=0),
        output=(ordered["output_tokens"] - reasoning.fillna(0)).clip(lower=0),
        reasoning=reasoning,
        # A request without a turn is a turn of its own.
        turn=ordered["turn_id"].fillna(ordered.index.to_series().map("row {}".format)),
    )
    return parts.groupby("turn", sort=False)[list(PARTS)].sum(min_count=1)


def _label(bar: int, size: int, turns: int) -> str:
    first, last = bar * size + 1, min((bar + 1) * size, turns)
    return f"Turn {first:,}" if first == last else f"Turns {first:,} to {last:,}"


def _total(parts: pd.DataFrame) -> str:
    return "an unknown number" if parts.isna().all(axis=None) else f"{int(parts.fillna(0).sum().sum()):,}"


def _layout(turns: pd.DataFrame, size: int) -> dict[str, object]:
    total_in, total_out = _total(turns[["input", "cached"]]), _total(turns[["output", "reasoning"]])
    unknown = int((turns["input"].isna() | turns["output"].isna()).sum())
    notes = [f"{total_in} in and {total_out} out, in {style.count(len(turns), 'turn')}"]
    if size > 1:
        notes.append(f"each bar holds {size:,} turns")
    if unknown:
        notes.append(f"{style.count(unknown, 'turn')} without known counts")
    spare = max(0, FEWEST_PLACES - len(turns)) / 2
    ticks = {"tickvals": list(range(1, len(turns) + 1))} if len(turns) <= 20 else {"tickformat": ",d"}
    return style.layout(
        TITLE,
        "; ".join(notes),
        barmode="stack",
        hovermode="x" if size == 1 and len(turns) <= 60 else "closest",
        xaxis=style.axis("turn", range=[0.4 - spare, len(turns) + 0.6 + spare], showgrid=False, **ticks),
        yaxis=style.axis("tokens", rangemode="tozero", tickformat=",~s"),
    )
