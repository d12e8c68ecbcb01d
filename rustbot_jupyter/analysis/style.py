"""Looks of the figures: colours that read on light and dark pages, layout, labels, and the text of an empty one."""

from __future__ import annotations

import html
import math
from typing import Any

# Each has a contrast of at least 3 to 1 to white and to JupyterLab's dark cells (#212121), and stays apart from the
# others for colour-blind readers: Okabe and Ito's palette, its light tones darkened.
BLUE = "#2E86C8"
ORANGE = "#C8781A"
GREEN = "#009E73"
RED = "#DE5A3C"
PURPLE = "#B06AB3"
TEAL = "#3D97A6"
OLIVE = "#8F8A2B"
GREY = "#8A8F98"
INK = "#7D828A"
"""Text and axes: the same distance to white and to black."""
GRID = "rgba(125, 130, 138, 0.22)"
CLEAR = "rgba(0, 0, 0, 0)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

SHOW_CONFIG = {"showSendToCloud": False, "displaylogo": False}
"""plotly.js has a button by default that uploads the figure; no figure of ours is shown with it."""


def layout(title: str, subtitle: str = "", *, height: int = 360, **more: Any) -> dict[str, Any]:
    """The layout that all figures share, with further fields on top."""
    base: dict[str, Any] = {
        # None, not "none": otherwise 7 kB of plotly's default template travel with each figure.
        "template": None,
        "title": {
            "text": _heading(title, subtitle),
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"l": 12, "t": 14},
        },
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "height": height,
        "margin": {"l": 12, "r": 20, "t": 72 if subtitle else 52, "b": 44},
        "hoverlabel": {"bgcolor": "#2A2E35", "bordercolor": "#2A2E35", "font": {"color": "#FFFFFF", "size": 12.5}},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top", "traceorder": "normal"},
        # The name is not in the documentation of `remove`, but this is how plotly.js 4 calls its upload button. Here
        # it is gone however the figure is shown, even by `plotly.io.show` or from a copy.
        "modebar": {"remove": ["sendChartToCloud"], "bgcolor": CLEAR, "color": INK, "activecolor": BLUE},
        # Constant: the reader's zoom survives when the figure is drawn again with new data.
        "uirevision": "rustbot",
    }
    return {**base, **more}


def _heading(title: str, subtitle: str) -> str:
    heading = f"<b style='font-size:16px'>{html.escape(title)}</b>"
    return f"{heading}<br><span style='font-size:12.5px'>{html.escape(subtitle)}</span>" if subtitle else heading


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis in the common style."""
    base: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 12.5}, "standoff": 10},
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "tickfont": {"color": INK},
        "automargin": True,
    }
    return {**base, **more}


def empty_layout(title: str, sentence: str) -> dict[str, Any]:
    """A layout without axes that says what is missing and what to do."""
    hidden = {"visible": False, "fixedrange": True}
    note = {
        "text": sentence,
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "font": {"size": 14, "color": INK},
    }
    return layout(title, height=220, xaxis=hidden, yaxis=hidden, annotations=[note])


def shortened(text: str, limit: int = 30) -> str:
    """A label of at most this many characters, cut in the middle, where names of models differ least."""
    if len(text) > limit:
        head = (limit - 1) // 2
        text = f"{text[:head]}…{text[-(limit - 1 - head) :]}"
    return html.escape(text)


def money(usd: float) -> str:
    """US dollars with the digits that matter: "$12.30", "$0.0042", "$0"."""
    if usd == 0:
        return "$0"
    if abs(usd) >= 1:
        return f"${usd:,.2f}"
    # Three significant digits, never in the form 1e-05.
    digits = 2 - math.floor(math.log10(abs(usd)))
    return "$" + f"{usd:.{digits}f}".rstrip("0")


def duration(seconds: float) -> str:
    """A length of time as a person says it: "340 ms", "3.2 s", "2 min 5 s", "1 h 4 min"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def count(number: int, word: str) -> str:
    """A number with its noun: "one turn", "1,200 turns"."""
    return f"one {word}" if number == 1 else f"{number:,} {word}s"
