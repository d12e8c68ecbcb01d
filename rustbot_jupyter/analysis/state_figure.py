"""The timeline of states: what the assistant did when, one lane per state."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.analysis import style
from rustbot_jupyter.analysis.quiet_figure import QuietFigure, empty_figure
from rustbot_jupyter.analysis.thinning import merged_bars

if TYPE_CHECKING:
    import pandas as pd

TITLE = "What the assistant did"
NOTHING_YET = "No states yet. Ask something, for example with <b>bot.ask</b>, and draw this again."

COLOURS = {
    "idle": style.GREY,
    "processing": style.BLUE,
    "responding": style.GREEN,
    "running_tools": style.TEAL,
    "waiting_approval": style.ORANGE,
    "waiting_kernel": style.PURPLE,
    "waiting_retry": style.OLIVE,
    "error": style.RED,
    "closed": style.INK,
}
OPEN_SHARE = 0.02
"""A state that still lasts has no end; it is drawn as this part of the whole time, within these limits."""
OPEN_LIMITS = (timedelta(seconds=1), timedelta(minutes=1))


def state_figure(frame: pd.DataFrame) -> QuietFigure:
    """Bars over time, one lane per state, with the time spent in each beside its name."""
    known = frame.dropna(subset=["entered_at", "state"])
    if known.empty:
        return empty_figure(TITLE, NOTHING_YET)
    visits = _visits(known)
    present = list(dict.fromkeys(visits["state"]))
    lanes = [state for state in COLOURS if state in present] + [state for state in present if state not in COLOURS]
    bars = merged_bars(visits, "state")
    figure = QuietFigure()
    for lane, state in enumerate(lanes):
        _add_lane(figure, lane, state, bars[bars["state"] == state])
    figure.update_layout(_layout(visits, lanes))
    return figure


def _visits(known: pd.DataFrame) -> pd.DataFrame:
    """`state`, `start`, `end`, `seconds`, `trigger`, `left_at` of each visit, in order; times in UTC without a zone."""
    import pandas as pd

    ordered = known.sort_values("entered_at", kind="stable")
    start, left = ordered["entered_at"].dt.tz_localize(None), ordered["left_at"].dt.tz_localize(None)
    latest = pd.concat([start, left]).max()
    open_length = min(max((latest - start.min()) * OPEN_SHARE, OPEN_LIMITS[0]), OPEN_LIMITS[1])
    visits = ordered[["state", "trigger", "left_at"]]
    return visits.assign(
        start=start,
        end=left.fillna((start + open_length).clip(lower=latest)),
        seconds=ordered["duration_s"].astype("float64").fillna(0.0),
    )


def _add_lane(figure: QuietFigure, lane: int, state: str, bars: pd.DataFrame) -> None:
    colour = COLOURS.get(state, style.GREY)
    figure.add_bar(
        orientation="h",
        base=bars["start"],
        x=(bars["end"] - bars["start"]).dt.total_seconds() * 1000,
        y=[lane] * len(bars),
        width=0.62,
        # The outline keeps a visit of some milliseconds visible beside minutes of waiting.
        marker={"color": colour, "line": {"color": colour, "width": 1.5}},
        customdata=_hover(bars),
        hovertemplate=f"<b>{_name(state)}</b><br>%{{customdata}}<extra></extra>",
        name=_name(state),
        showlegend=False,
    )


def _hover(bars: pd.DataFrame) -> list[str]:
    rows = bars.to_dict("records")
    return [
        f"from {row['start']:%H:%M:%S}, {_length(row)}"
        + (f"<br>{row['count']} visits drawn as one" if row["count"] > 1 else "")
        + (f"<br>after {style.shortened(row['trigger'])}" if isinstance(row.get("trigger"), str) else "")
        for row in rows
    ]


def _length(row: dict[Any, Any]) -> str:
    is_open = "left_at" in row and row["left_at"] != row["left_at"]
    return "still going on" if is_open else style.duration(float(row["seconds"]))


def _layout(visits: pd.DataFrame, lanes: list[str]) -> dict[str, object]:
    seconds, visited = visits.groupby("state")["seconds"].sum(), visits["state"].value_counts()
    labels = [
        f"{_name(state)}<br><span style='font-size:11px'>{_spent(float(seconds[state]), int(visited[state]))}</span>"
        for state in lanes
    ]
    begin = visits["start"].min()
    margin = (visits["end"].max() - begin) * 0.01
    return style.layout(
        TITLE,
        f"{style.count(len(visits), 'visit')} since {begin:%d %B %Y, %H:%M} UTC",
        height=130 + 46 * len(lanes),
        barmode="overlay",
        xaxis=style.axis(type="date", range=[begin - margin, visits["end"].max() + margin]),
        yaxis=style.axis(
            tickvals=list(range(len(lanes))),
            ticktext=labels,
            range=[len(lanes) - 0.4, -0.6],
            showgrid=False,
            fixedrange=True,
        ),
    )


def _spent(seconds: float, visits: int) -> str:
    if not seconds:
        return "now"
    return style.duration(seconds) + (f", {visits:,} times" if visits > 1 else "")


def _name(state: str) -> str:
    return style.shortened(state.replace("_", " ").capitalize(), 24)
