"""Plotly figures as inert JSON: what is drawn stays, what would load, link or act is gone."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import pytest

from rustbot_jupyter.tools.base import ToolContext, ToolResult
from rustbot_jupyter.tools.plotly_json import (
    MAX_FIGURE_BYTES,
    MIME,
    MOST_FIGURES,
    figure_in,
    figure_of,
    inert_figure,
    line_for,
)
from rustbot_jupyter.tools.results import fitted, result_of

DOT = "data:image/png;base64,iVBORw0KGgo="
AWAY = "https://away.test/x.png"
BARS: dict[str, Any] = {"type": "bar", "x": ["Oslo", "Rome"], "y": [3, 5]}
HIDDEN_START = "<\u2060"

# What Plotly reads as a tag, as far as it is more than plain emphasis; its words are not.
TAG = re.compile(r"<(?!/?(?:b|i|em|s|u|sub|sup|span|br|extra)>)[^<>\u2060][^<>]*>", re.IGNORECASE)
ADDRESS = re.compile(r"url\(|\\[^\\\u2060]", re.IGNORECASE)


def shown(*traces: Any, **layout: Any) -> dict[str, Any]:
    """What is drawn of a figure with these traces."""
    figure = inert_figure({"data": list(traces), "layout": layout})
    assert figure.json is not None, figure.note
    drawn: dict[str, Any] = json.loads(figure.json)
    return drawn


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []


def test_a_figure_of_plotly_keeps_data_and_layout_without_its_template() -> None:
    frame = pd.DataFrame({"city": ["Oslo", "Rome"], "units": [3, 5]})

    figure = figure_of(px.bar(frame, x="city", y="units", title="Units<br>of <b>2026</b>"))

    assert figure is not None
    assert figure.json is not None
    drawn = json.loads(figure.json)
    assert set(drawn) == {"data", "layout"}
    assert drawn["data"][0]["x"] == ["Oslo", "Rome"]
    assert drawn["data"][0]["hovertemplate"] == "city=%{x}<br>units=%{y}<extra></extra>"
    assert drawn["layout"]["title"]["text"] == "Units<br>of <b>2026</b>"
    assert "template" not in drawn["layout"]
    assert line_for(figure, 1) == "[figure 1: the user sees it; it is not sent as a picture]"


@pytest.mark.parametrize("value", [None, 5, "text", {"data": []}, pd.DataFrame(), go.Bar(x=[1])])
def test_what_is_no_figure_is_none(value: Any) -> None:
    assert figure_of(value) is None


def test_a_figure_is_found_in_what_is_displayed() -> None:
    assert figure_in({"text/plain": "x"}) is None
    figure = figure_in({MIME: {"data": [BARS], "layout": {}, "config": {"plotlyServerURL": AWAY}}, "text/html": "x"})
    assert figure is not None
    assert figure.json is not None
    assert json.loads(figure.json) == {"data": [BARS], "layout": {}}


MAPS = [
    {"type": "scattergeo", "lat": [1], "lon": [2]},
    {"type": "choropleth", "locations": ["NO"], "z": [1]},
    {"type": "choropleth", "geojson": AWAY, "locations": ["NO"], "z": [1]},
    {"type": "scattermap", "lat": [1], "lon": [2]},
    {"type": "scattermapbox", "lat": [1], "lon": [2]},
    {"type": "choroplethmap", "geojson": AWAY},
    {"type": "choroplethmapbox", "geojson": AWAY},
    {"type": "densitymap", "lat": [1], "lon": [2]},
    {"type": "densitymapbox", "lat": [1], "lon": [2]},
    {"type": "image", "source": AWAY},
    {"type": "image", "source": "//away.test/x.png"},
    {"type": "image", "source": "data:image/svg+xml;base64,PHN2Zz4="},
    {"type": "image", "source": [AWAY]},
    {"type": "image", "source": f"{DOT}', url({AWAY})"},
    {"type": "SCATTERGEO"},
    {"type": ["scattergeo"]},
    {"type": {"a": 1}},
    {"type": None},
    {"type": "a kind of tomorrow"},
    "scattergeo",
    None,
]


@pytest.mark.parametrize("trace", MAPS, ids=lambda trace: str(trace)[:50])
def test_maps_and_pictures_from_elsewhere_are_left_out(trace: Any) -> None:
    alone = inert_figure({"data": [trace], "layout": {}})
    beside = inert_figure({"data": [BARS, trace], "layout": {}})

    assert alone.json is None
    assert "left out: it is a map" in line_for(alone, 1)
    assert beside.json is not None
    assert json.loads(beside.json)["data"] == [BARS]
    assert "without its maps" in line_for(beside, 1)


@pytest.mark.parametrize(
    "layout",
    [
        {"template": {"layout": {"images": [{"source": AWAY}]}, "data": {"scattergeo": [{}]}}},
        {"images": [{"source": AWAY}]},
        {"images": [{"source": "//away.test/x.png"}]},
        {"images": [{"source": "x.png"}, AWAY, None]},
        {"images": [{"source": "blob:https://away.test/1"}]},
        {"images": [{"source": "data:image/svg+xml,<svg/>"}]},
        {"images": [{"source": "data:text/html,x"}]},
        {"images": [{"source": [AWAY]}]},
        {"images": {"source": AWAY}},
        {"geo": {"scope": "europe"}, "geo2": {}, "map": {"style": AWAY}, "map12": {}, "mapbox": {"style": AWAY}},
        {"updatemenus": [{"buttons": [{"method": "relayout", "args": [{"images": [{"source": AWAY}]}]}]}]},
        {"sliders": [{"steps": [{"method": "restyle", "args": ["type", "scattergeo"]}]}]},
        {"modebar": {"add": ["sendChartToCloud"]}},
    ],
    ids=lambda layout: ", ".join(layout),
)
def test_what_the_layout_would_load_or_do_is_gone(layout: dict[str, Any]) -> None:
    kept = shown(BARS, **layout, title="Units")["layout"]

    assert kept["title"] == "Units"
    assert not kept.get("images")
    assert set(kept) <= {"title", "images"}


def test_pictures_that_are_inside_stay() -> None:
    drawn = shown({"type": "image", "source": DOT}, images=[{"source": DOT, "x": 0}])

    assert drawn["data"][0]["source"] == DOT
    assert drawn["layout"]["images"] == [{"source": DOT, "x": 0}]


LINK = f'<a href="{AWAY}">here</a>'
TEXTS = [
    LINK,
    LINK.upper(),
    f"<a  href='{AWAY}' target=_top popup='width=1'>here</a>",
    f"<a\thref='{AWAY}'>here",
    f"<a\nhref='{AWAY}'>here",
    f"<<b x>a href='{AWAY}'>here",
    f"<<a>a href='{AWAY}'>here",
    f"<a<a x> href='{AWAY}'>here",
    f"<<extra></extra>a href='{AWAY}'>here",
    f"&lt;a href='{AWAY}'&gt;here",
    f"&LT;a href='{AWAY}'>here",
    f"&#60;a href='{AWAY}'>here",
    f"&#0060;a href='{AWAY}'>here",
    f"&#x3C;a href='{AWAY}'>here",
    f"&amp;lt;a href='{AWAY}'>here",
    f"&amp;amp;#60;a href='{AWAY}'>here",
    f"<%{{customdata[0]}} href='{AWAY}'>here",
    "<%{x}",
    f"<span style='background:url({AWAY})'>here</span>",
    f"<SPAN STYLE=\"filter:url('{AWAY}#a')\">here</SPAN>",
    f"<b style='fill:url({AWAY})'>here</b>",
    f"<sup style='cursor:\\75rl({AWAY})'>here</sup>",
    f"<br style='mask:url({AWAY})'>here",
    f"<img src='{AWAY}'>",
    f"<image href='{AWAY}'>",
    f"<script src='{AWAY}'></script>",
    f"<iframe src='{AWAY}'>",
    f"<foreignObject><img src='{AWAY}'>",
    f"<use xlink:href='{AWAY}#a'>",
    f"<style>@import '{AWAY}'</style>",
    "<svg onload=alert(1)>",
    "<a onclick=alert(1)>here</a>",
    '<a href="javascript:alert(1)">here</a>',
    '<a href="data:text/html,x">here</a>',
    f"url({AWAY})",
    f"URL({AWAY})",
    f"u\\72l({AWAY})",
    f"\\75 rl({AWAY})",
    f"red;background:url('{AWAY}')",
    f"x'), url({AWAY}#",
]
PLACES: list[Any] = [
    lambda text: (BARS, {"title": {"text": text}}),
    lambda text: (BARS, {"annotations": [{"text": text, "hovertext": text, "font": {"color": text}}]}),
    lambda text: ({**BARS, "x": [text], "text": [text], "name": text, "hovertemplate": text}, {}),
    lambda text: ({"type": "table", "cells": {"values": [[text]], "fill": {"color": [[text]]}}}, {"meta": [text]}),
]


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_is_a_link_a_style_or_an_address(text: str) -> None:
    for place in PLACES:
        trace, layout = place(text)
        drawn = shown(trace, **layout)

        for each in texts_in(drawn):
            # As Plotly reads it, and as it would read it once more.
            for reading in (each, re.sub(r"&(lt|#0*60|#x0*3c);", "<", each, flags=re.IGNORECASE)):
                assert not TAG.search(reading), each
                assert not ADDRESS.search(reading), each


@pytest.mark.parametrize(
    "text",
    [
        "Oslo",
        "a < b",
        "5 > 3 & 2 <= 4",
        "<b>bold</b> and <i>so</i>",
        "H<sub>2</sub>O, m<sup>2</sup>",
        "two<br>lines",
        "%{y:.2f}<extra></extra>",
        "C:\\temp",
        "rgba(0, 0, 0, 0.5)",
        "url of a page",
        "Grüße 👩‍💻",
        "$\\alpha$",
    ],
)
def test_ordinary_texts_look_as_they_did(text: str) -> None:
    kept = shown(BARS, title=text)["layout"]["title"]

    assert kept.replace("\u2060", "") == text
    assert ("\u2060" in kept) == bool(re.search("<[ =]", text))


def test_what_is_inert_stays_as_it_is() -> None:
    once = inert_figure({"data": [BARS], "layout": {"title": " ".join(TEXTS)}}).json
    assert once is not None

    assert inert_figure(str(once)).json == once


@pytest.mark.parametrize("name", ["__proto__", "constructor", "prototype", "uid"])
def test_no_name_reaches_beyond_the_figure(name: str) -> None:
    drawn = shown({**BARS, name: {"polluted": 1}}, xaxis={name: {"polluted": 1}, "title": "x"})

    assert drawn == {"data": [BARS], "layout": {"xaxis": {"title": "x"}}}


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "cannot be read"),
        ("[1", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ([], "cannot be read"),
        (None, "cannot be read"),
        ({"data": {"type": "bar"}}, "cannot be read"),
        ({"data": [], "layout": [1]}, "cannot be read"),
        ({"data": [{**BARS, "y": nested(100)}]}, "cannot be read"),
        ({"data": [{**BARS, "y": object()}]}, "cannot be read"),
        ({"data": [{**BARS, "y": [0] * 300_000}]}, "larger than 500,000 bytes"),
        ({"data": [{**BARS, "x": ["x" * 600_000]}]}, "larger than 500,000 bytes"),
        ('{"data": "' + "x" * 21_000_000 + '"}', "larger than 500,000 bytes"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_cannot_be_shown_says_why(source: Any, why: str) -> None:
    figure = inert_figure(source)

    assert figure.json is None
    assert why in line_for(figure, 1)


def test_numbers_that_json_has_not_become_gaps() -> None:
    assert shown({**BARS, "y": [float("nan"), float("inf"), 1.5]})["data"][0]["y"] == [None, None, 1.5]


def test_controls_and_animations_are_missed_in_words() -> None:
    figure = inert_figure({"data": [BARS], "layout": {"sliders": [{}]}, "frames": [{"data": []}]})

    assert line_for(figure, 2).startswith("[figure 2: the user sees it, without its controls and animation; ")


def test_a_figure_that_fails_to_tell_itself_is_left_out() -> None:
    class Broken(go.Figure):  # type: ignore[misc]
        def to_json(self, *args: Any, **kwargs: Any) -> str:
            raise RuntimeError("no")

    figure = figure_of(Broken())

    assert figure is not None
    assert figure.json is None


# Results of tools.


def test_a_figure_that_a_tool_returns_is_shown_beside_its_description() -> None:
    result = result_of(go.Figure(go.Bar(x=["Oslo"], y=[3])), ToolContext())

    assert json.loads(result.figures[0])["data"][0]["type"] == "bar"
    assert result.text.startswith("result: plotly Figure")
    assert result.text.endswith("[figure 1: the user sees it; it is not sent as a picture]")


def test_where_values_are_not_sent_there_is_no_figure() -> None:
    result = result_of(go.Figure(go.Bar(x=["Oslo"], y=[3])), ToolContext(send_values=False))

    assert result.figures == ()
    assert "Oslo" not in result.text


def test_figures_of_any_result_are_inert_and_few_and_hold_no_key() -> None:
    figure = json.dumps({"data": [{**BARS, "name": LINK}], "layout": {"title": "sk-secret"}})

    result = fitted(
        ToolResult(text="Drawn.", figures=(figure,) * 5 + ("nonsense",)),
        lambda text: text.replace("sk-secret", "[redacted]"),
    )

    assert len(result.figures) == MOST_FIGURES
    assert "2 figures were left out" in result.text
    assert json.loads(result.figures[0]) == {
        "data": [{**BARS, "name": "here"}],
        "layout": {"title": "[redacted]"},
    }
    assert all(len(figure) <= MAX_FIGURE_BYTES for figure in result.figures)
