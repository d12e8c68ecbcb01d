"""Tool calls: how often each tool was called, and how that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rustbot_jupyter.analysis import style
from rustbot_jupyter.analysis.quiet_figure import QuietFigure, empty_figure

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Tool calls"
NOTHING_YET = "No tool calls yet. Ask something that needs one, for example <b>What variables do I have?</b>"
MOST_TOOLS = 20
BAR_HEIGHT = 30

ENDINGS = {
    "complete": ("Done", style.GREEN),
    "error": ("Failed", style.RED),
    "timeout": ("Timed out", style.ORANGE),
    "refused": ("Refused", style.PURPLE),
    "interrupted": ("Stopped", style.GREY),
}


def tool_figure(frame: pd.DataFrame) -> QuietFigure:
    """One bar per tool, the most used one on top, in parts by how its calls ended; what still runs is left out."""
    ended = frame[frame["status"].isin(list(ENDINGS))]
    if ended.empty:
        return empty_figure(TITLE, NOTHING_YET)
    counts = ended.groupby(["tool", "status"]).size().unstack(fill_value=0)
    order = counts.sum(axis=1).sort_values(kind="stable").tail(MOST_TOOLS).index
    labels = [style.shortened(str(tool)) for tool in order]
    times = [_times(ended[ended["tool"] == tool]) for tool in order]
    figure = QuietFigure()
    for status, (name, colour) in ENDINGS.items():
        if status in counts:
            figure.add_bar(
                y=labels,
                x=counts.loc[order, status].astype("int64"),
                orientation="h",
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                customdata=times,
                hovertemplate=f"%{{y}}<br>{name}: <b>%{{x:,}}</b><br>%{{customdata}}<extra></extra>",
            )
    figure.update_layout(_layout(ended, len(order), len(counts)))
    return figure


def _times(calls: pd.DataFrame) -> str:
    durations = calls["duration_s"].dropna()
    if durations.empty:
        return "none of them ran"
    return f"half of them took under {style.duration(float(durations.median()))}"


def _layout(ended: pd.DataFrame, shown: int, tools: int) -> dict[str, object]:
    notes = [f"{style.count(len(ended), 'call')} of {style.count(tools, 'tool')}"]
    worked, waited = (float(ended[name].fillna(0).sum()) for name in ("duration_s", "waited_s"))
    notes.append(f"{style.duration(worked)} of work, {style.duration(waited)} of waiting for you or the kernel")
    if shown < tools:
        notes.append(f"the {shown} most used ones")
    return style.layout(
        TITLE,
        "; ".join(notes),
        height=150 + BAR_HEIGHT * max(shown, 3),
        barmode="stack",
        bargap=0.35,
        hovermode="closest",
        xaxis=style.axis("calls", rangemode="tozero", tickformat=",d"),
        yaxis=style.axis("", showgrid=False),
    )
