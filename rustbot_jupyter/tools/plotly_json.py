"""Plotly figures as inert JSON, to be drawn in the page: nothing in it loads anything, links anywhere, or acts."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MIME = "application/vnd.plotly.v1+json"
MOST_FIGURES = 4
MAX_FIGURE_BYTES = 500_000

# What is taken out may be large: the frames of an animation, maps.
_MOST_READ = 40 * MAX_FIGURE_BYTES
# Each takes two bytes at least.
_MOST_VALUES = MAX_FIGURE_BYTES // 2
_DEEPEST = 40


class InertJson(str):
    """The JSON of a figure that went through `inert_figure`."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class PlotlyFigure:
    """A figure, as far as it can be shown."""

    json: InertJson | None
    """`data` and `layout`; None when it cannot be shown."""
    note: str = ""
    """What was taken out, or why it cannot be shown; "" for nothing."""


def figure_of(value: Any) -> PlotlyFigure | None:
    """The figure that a value is; None when it is no Plotly figure."""
    module = sys.modules.get("plotly.basedatatypes")
    kind: type[Any] | None = getattr(module, "BaseFigure", None)
    if kind is None or not isinstance(value, kind):
        return None
    # Writing runs the library's code on the user's object.
    try:
        written = value.to_json()
    except Exception:
        return _UNREADABLE
    return inert_figure(written)


def figure_in(bundle: Mapping[str, Any]) -> PlotlyFigure | None:
    """The figure in what `display` was given; None when there is none."""
    return inert_figure(bundle[MIME]) if MIME in bundle else None


def inert_figure(source: Any) -> PlotlyFigure:
    """The figure without whatever would load, link or act; `source` is its JSON, or that as values."""
    if isinstance(source, InertJson):
        return PlotlyFigure(json=source)
    try:
        return _inert(_read(source) if isinstance(source, str) else source)
    except _TooLarge:
        return PlotlyFigure(json=None, note=f"it is larger than {MAX_FIGURE_BYTES:,} bytes; show fewer points")
    except (ValueError, TypeError, RecursionError):
        return _UNREADABLE


def line_for(figure: PlotlyFigure, number: int) -> str:
    """Return what stands in the result's text for the figure, for the model."""
    if figure.json is None:
        return f"[a figure was left out: {figure.note}]"
    note = f", {figure.note}" if figure.note else ""
    return f"[figure {number}: the user sees it{note}; it is not sent as a picture]"


class _TooLarge(Exception):
    """There is more of it than is shown."""


_UNREADABLE = PlotlyFigure(json=None, note="it cannot be read")


def _read(written: str) -> Any:
    if len(written) > _MOST_READ:
        raise _TooLarge
    return json.loads(written)


def _inert(figure: Any) -> PlotlyFigure:
    if not isinstance(figure, Mapping):
        return _UNREADABLE
    traces, layout = figure.get("data", []), figure.get("layout", {})
    if not isinstance(traces, list | tuple) or not isinstance(layout, Mapping):
        return _UNREADABLE
    kept = [trace for trace in traces if isinstance(trace, Mapping) and _is_drawn_here(trace)]
    if traces and not kept:
        return PlotlyFigure(json=None, note="it is a map or a picture that loads more from the web")
    copy = _Copy()
    data = [copy.of(trace) for trace in kept]
    written = json.dumps({"data": data, "layout": copy.of(_quiet(layout))}, separators=(",", ":"), allow_nan=False)
    if len(written) > MAX_FIGURE_BYTES:
        raise _TooLarge
    gone = ["maps" if len(kept) < len(traces) else "", "controls" if _CONTROLS & layout.keys() else ""]
    gone += ["animation" if figure.get("frames") else ""]
    note = " and ".join(filter(None, gone))
    return PlotlyFigure(json=InertJson(written), note=f"without its {note}" if note else "")


# Any other kind is a map, which loads tiles or outlines, or one that is not known here.
_KINDS = """
    bar barpolar box candlestick carpet cone contour contourcarpet funnel funnelarea heatmap histogram histogram2d
    histogram2dcontour icicle image indicator isosurface mesh3d ohlc parcats parcoords pie quiver sankey scatter
    scatter3d scattercarpet scattergl scatterpolar scatterpolargl scattersmith scatterternary splom streamtube sunburst
    surface table treemap violin volume waterfall
    """
_DRAWN_HERE = frozenset(_KINDS.split())
_CONTROLS = frozenset({"updatemenus", "sliders"})
# Buttons and sliders can turn a figure into any other one; the page brings colours of its own.
_LEFT_OUT = _CONTROLS | {"template", "modebar"}
_MAP = re.compile(r"(?:geo|map|mapbox)\d*")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")


def _is_drawn_here(trace: Mapping[str, Any]) -> bool:
    kind = trace.get("type", "scatter")
    return isinstance(kind, str) and kind in _DRAWN_HERE and (kind != "image" or _is_inside(trace))


def _is_inside(picture: Mapping[str, Any]) -> bool:
    """True if it brings its bytes along."""
    source = picture.get("source")
    return source is None or (isinstance(source, str) and _PICTURE.fullmatch(source) is not None)


def _quiet(layout: Mapping[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in layout.items() if k not in _LEFT_OUT and not _MAP.fullmatch(str(k))}
    images = kept.pop("images", None)
    if isinstance(images, list | tuple):
        kept["images"] = [image for image in images if isinstance(image, Mapping) and _is_inside(image)]
    return kept


# Names that reach a page's own objects, and ids that Plotly makes itself and writes into styles.
_NO_KEYS = frozenset({"__proto__", "constructor", "prototype", "uid"})


class _Copy:
    """Copies JSON values, with every text inert."""

    def __init__(self) -> None:
        self._values = 0

    def of(self, value: Any, depth: int = 0) -> Any:
        """The copy.

        Raises:
            ValueError: It is nested too deep.
            TypeError: It is no JSON.
            _TooLarge: There are too many values.
        """
        self._values += 1
        if self._values > _MOST_VALUES:
            raise _TooLarge
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if isinstance(value, Mapping):
            return {str(k): self.of(v, depth + 1) for k, v in value.items() if k not in _NO_KEYS}
        if isinstance(value, list | tuple):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, str):
            return _inert_text(value)
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value


_JOINER = "\u2060"
"""Word joiner: not seen, and what it stands in is no tag and no address any more."""
# Plotly's tags for links, and its others where they carry a style or more.
_LINK = re.compile(r"</?(?:a\b|(?:b|i|em|s|u|sub|sup|span|br)\s)[^<>]*>", re.IGNORECASE)
_TAG_START = re.compile(
    rf"(?:<|&(?:amp;)*(?:lt|#0*60|#x0*3c);)(?!{_JOINER}|/?(?:b|i|em|s|u|sub|sup|span|br|extra)>)", re.IGNORECASE
)
# An address in a colour; CSS reads the name of that function with escapes in it, too.
_CALL = re.compile(rf"\\(?!{_JOINER})|url(?=\()", re.IGNORECASE)


def _inert_text(text: str) -> str:
    if "<" in text or "&" in text:
        text = _LINK.sub(_bare, text)
        text = _TAG_START.sub("<" + _JOINER, text)
    return _CALL.sub(lambda match: match[0] + _JOINER, text) if "(" in text else text


def _bare(tag: re.Match[str]) -> str:
    """`<br />` is none of those that carry more; the others are taken away."""
    return "<br>" if tag[0].lower().startswith("<br") else ""
