"""Cost over time and per model, with what is estimated marked as such."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.analysis import style
from rustbot_jupyter.analysis.quiet_figure import QuietFigure, empty_figure
from rustbot_jupyter.analysis.thinning import thinned_line

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Cost"
NOTHING_YET = "No requests yet. Ask something, for example with <b>bot.ask</b>, and draw this again."
MOST_MODELS = 8
MOST_MARKS = 40


def cost_figure(frame: pd.DataFrame) -> QuietFigure:
    """Above, how the cost grew; below, the sum per model. Estimates are hollow marks and hatched bars."""
    known = frame.dropna(subset=["started_at"])
    if known.empty:
        return empty_figure(TITLE, NOTHING_YET)
    requests = _requests(known)
    models = _models(requests)
    figure = QuietFigure()
    _add_line(figure, requests)
    _add_marks(figure, requests[requests["is_estimate"]], "estimated", "circle-open", style.ORANGE)
    _add_marks(figure, requests[requests["is_unknown"]], "cost unknown, counted as nothing", "x-thin-open", style.RED)
    _add_models(figure, models)
    figure.update_layout(_layout(requests, models))
    return figure


def _requests(known: pd.DataFrame) -> pd.DataFrame:
    """`time`, `model`, `usd`, `total` so far, and what is estimated or unknown, of each request, in order."""
    ordered = known.sort_values("started_at", kind="stable").reset_index(drop=True)
    usd = ordered["cost_usd"].astype("float64")
    unknown = usd.isna()
    return ordered.assign(
        time=ordered["started_at"].dt.tz_localize(None),
        model=ordered["model"].fillna(ordered["model_requested"]).fillna("unknown model"),
        usd=usd.fillna(0.0),
        total=usd.fillna(0.0).cumsum(),
        is_estimate=ordered["cost_is_estimate"].fillna(False).astype(bool) & ~unknown,
        is_unknown=unknown,
        is_total_unknown=unknown.cummin(),
    )[["time", "model", "usd", "total", "is_estimate", "is_unknown", "is_total_unknown"]]


def _models(requests: pd.DataFrame) -> pd.DataFrame:
    """`billed`, `estimated`, `total`, `count`, `unknown` of the dearest models; the last row may be all the others."""
    split = requests.assign(
        billed=requests["usd"].where(~requests["is_estimate"], 0.0),
        estimated=requests["usd"].where(requests["is_estimate"], 0.0),
    )
    sums = split.groupby("model").agg(
        billed=("billed", "sum"),
        estimated=("estimated", "sum"),
        total=("usd", "sum"),
        count=("usd", "size"),
        unknown=("is_unknown", "sum"),
    )
    sums = sums.sort_values(["total", "count"], ascending=False, kind="stable")
    if len(sums) <= MOST_MODELS:
        return sums
    kept = sums.head(MOST_MODELS - 1).copy()
    rest = sums.iloc[MOST_MODELS - 1 :]
    kept.loc[f"{len(rest)} other models"] = rest.sum()
    return kept


def _add_line(figure: QuietFigure, requests: pd.DataFrame) -> None:
    points = thinned_line(requests, 1_000)
    figure.add_scatter(
        x=points["time"],
        y=points["total"],
        mode="lines+markers" if len(points) <= 60 else "lines",
        line={"color": style.BLUE, "width": 2, "shape": "hv"},
        marker={"size": 5},
        fill="tozeroy",
        fillcolor="rgba(46, 134, 200, 0.14)",
        name="total so far",
        # A free model's line lies on the axis; half of it would be cut off.
        cliponaxis=False,
        customdata=[_told(row) for row in points.to_dict("records")],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _add_marks(figure: QuietFigure, requests: pd.DataFrame, name: str, symbol: str, colour: str) -> None:
    points = thinned_line(requests, MOST_MARKS)
    if points.empty:
        return
    figure.add_scatter(
        x=points["time"],
        y=points["total"],
        mode="markers",
        marker={"symbol": symbol, "size": 9, "color": colour, "line": {"width": 2, "color": colour}},
        name=name,
        hoverinfo="skip",
    )


def _told(row: dict[Any, Any]) -> str:
    cost = "cost unknown" if row["is_unknown"] else style.money(row["usd"])
    estimate = " (estimate)" if row["is_estimate"] else ""
    total = "unknown" if row["is_total_unknown"] else style.money(row["total"])
    return f"<b>{total}</b> so far<br>{row['time']:%H:%M:%S}: {cost}{estimate}<br>{style.shortened(row['model'], 60)}"


def _add_models(figure: QuietFigure, models: pd.DataFrame) -> None:
    told = [_told_model(str(name), row) for name, row in zip(models.index, models.to_dict("records"), strict=True)]
    for column, colour, pattern in (("billed", style.BLUE, ""), ("estimated", style.ORANGE, "/")):
        figure.add_bar(
            orientation="h",
            x=models[column].where(models[column] > 0),
            y=list(range(len(models))),
            width=0.34,
            xaxis="x2",
            yaxis="y2",
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "fillmode": "replace", "size": 7, "solidity": 0.45},
                "line": {"color": colour, "width": 1},
            },
            name=column,
            showlegend=False,
            customdata=told,
            hovertemplate="%{customdata}<extra></extra>",
        )


def _told_model(name: str, row: dict[Any, Any]) -> str:
    parts = [
        f"<b>{style.shortened(name, 80)}</b>",
        f"{_sum(row)} in {style.count(int(row['count']), 'request')}",
    ]
    if row["estimated"]:
        parts.append(f"{style.money(row['estimated'])} of it estimated")
    if 0 < row["unknown"] < row["count"]:
        parts.append(f"{style.count(int(row['unknown']), 'request')} of unknown cost")
    return "<br>".join(parts)


def _sum(row: dict[Any, Any]) -> str:
    """Return what a model cost, as far as it is known at all."""
    return "an unknown sum" if row["unknown"] == row["count"] else style.money(row["total"])


def _layout(requests: pd.DataFrame, models: pd.DataFrame) -> dict[str, Any]:
    total = float(requests["usd"].sum())
    above, between, below = 220, 74, 20 + 46 * len(models)
    height = above + between + below
    has_marks = bool((requests["is_estimate"] | requests["is_unknown"]).any())
    return style.layout(
        TITLE,
        "; ".join(_notes(requests)),
        height=height + 130,
        barmode="stack",
        margin={"l": 12, "r": 20, "t": 104 if has_marks else 72, "b": 26},
        showlegend=has_marks,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        xaxis=style.axis(type="date", range=_time_range(requests), anchor="y"),
        yaxis=style.axis(**_money_axis(total), domain=[(below + between) / height, 1]),
        xaxis2=style.axis(
            **_money_axis(float(models["total"].max())),
            anchor="y2",
            showgrid=False,
            showticklabels=False,
            linecolor=style.CLEAR,
        ),
        yaxis2=style.axis(
            range=[len(models) - 0.6, -0.8],
            anchor="x2",
            domain=[0, below / height],
            showgrid=False,
            showticklabels=False,
            fixedrange=True,
        ),
        annotations=[
            _label(place, str(name), _sum(row))
            for place, (name, row) in enumerate(zip(models.index, models.to_dict("records"), strict=True))
        ],
    )


def _label(place: int, name: str, cost: str) -> dict[str, Any]:
    """A model's name and sum, above its bar: long names need no margin there."""
    return {
        "text": f"{style.shortened(name, 44)}  <b>{cost}</b>",
        "showarrow": False,
        "xref": "x2 domain",
        "yref": "y2",
        "x": 0,
        "y": place - 0.22,
        "xanchor": "left",
        "yanchor": "bottom",
        "font": {"size": 12.5},
    }


def _notes(requests: pd.DataFrame) -> list[str]:
    estimates, unknown = requests[requests["is_estimate"]], int(requests["is_unknown"].sum())
    if unknown == len(requests):
        return [f"{style.count(unknown, 'request')} of unknown cost"]
    notes = [f"{style.money(float(requests['usd'].sum()))} in {style.count(len(requests), 'request')}"]
    if len(estimates):
        notes.append(f"{style.money(float(estimates['usd'].sum()))} of it estimated")
    if unknown:
        notes.append(f"{style.count(unknown, 'request')} of unknown cost")
    return notes


def _money_axis(largest: float) -> dict[str, Any]:
    # A free model leaves nothing to scale by; without a range Plotly would draw from -1 to 1 dollar.
    scale = {"rangemode": "tozero"} if largest > 0 else {"range": [0, 0.01]}
    return {"tickprefix": "$", "tickformat": ",.6~f", "nticks": 6, **scale}


def _time_range(requests: pd.DataFrame) -> list[Any] | None:
    first, last = requests["time"].min(), requests["time"].max()
    return (
        None if last - first > timedelta(seconds=1) else [first - timedelta(seconds=30), last + timedelta(seconds=30)]
    )
