"""Figures say what they should, for no rows, one row and a hundred thousand."""

from __future__ import annotations

import copy
import json
import pickle
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from rustbot_jupyter.analysis import figures, frames, style

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
QUIET = {"showSendToCloud": False, "displaylogo": False}
MANY = 100_000


def usage(count: int, **fields: Any) -> pd.DataFrame:
    common = {"model": "vendor/name", "input_tokens": 100, "output_tokens": 50, "cost_usd": 0.001, **fields}
    return frames.usage_frame(
        {"started_at": START + timedelta(seconds=10 * row), "turn_id": f"turn-{row}", **common} for row in range(count)
    )


def states(count: int) -> pd.DataFrame:
    cycle = [("idle", 5.0), ("processing", 0.5), ("responding", 3.0)]
    rows, moment = [], START
    for row in range(count):
        state, seconds = cycle[row % 3]
        left = moment + timedelta(seconds=seconds)
        is_last = row == count - 1
        rows.append(
            {
                "entered_at": moment,
                "left_at": None if is_last else left,
                "duration_s": None if is_last else seconds,
                "state": state,
                "trigger": "user_message",
            }
        )
        moment = left
    return frames.states_frame(rows)


FIGURES: list[tuple[Callable[[pd.DataFrame], go.Figure], Callable[[int], pd.DataFrame]]] = [
    (figures.states, states),
    (figures.tokens, usage),
    (figures.cost, usage),
]


def points(figure: go.Figure) -> int:
    return sum(len(trace.y) for trace in figure.data)


def words(figure: go.Figure) -> str:
    return str(figure.layout.title.text) + " ".join(str(note.text) for note in figure.layout.annotations)


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_an_empty_frame_gives_a_sentence_that_says_what_to_do(draw, rows):
    figure = draw(rows(0))

    assert "bot.ask" in figure.layout.annotations[0].text
    assert not figure.data
    assert not figure.layout.xaxis.visible


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_one_row_is_drawn(draw, rows):
    assert points(draw(rows(1))) >= 1


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_a_hundred_thousand_rows_stay_small(draw, rows):
    figure = draw(rows(MANY))

    assert points(figure) <= 2_100
    assert len(figure.to_json()) <= 500_000
    assert f"{MANY:,}" in words(figure)


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_the_page_shows_through_and_a_zoom_survives_a_redraw(draw, rows):
    layout = draw(rows(3)).layout

    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert layout.uirevision == draw(rows(4)).layout.uirevision
    assert layout.template.layout == go.layout.Template().layout


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["BLUE", "ORANGE", "GREEN", "RED", "PURPLE", "TEAL", "OLIVE", "GREY", "INK"])
@pytest.mark.parametrize("page", ["#FFFFFF", "#111111", "#212121"])
def test_each_colour_can_be_seen_on_light_and_on_dark(name: str, page: str):
    assert contrast(getattr(style, name), page) >= 3


def test_states_have_a_lane_each_with_the_time_spent():
    figure = figures.states(states(7))

    assert [trace.name for trace in figure.data] == ["Idle", "Processing", "Responding"]
    assert "6.0 s, 2 times" in figure.layout.yaxis.ticktext[2]


def test_the_state_that_still_lasts_is_drawn_as_going_on():
    figure = figures.states(states(1))

    assert figure.layout.yaxis.ticktext[0].count("now") == 1
    assert "still going on" in figure.data[0].customdata[0]
    assert figure.data[0].x[0] > 0


def test_an_unknown_state_gets_a_lane_too():
    frame = frames.states_frame([{"entered_at": START, "left_at": START + timedelta(seconds=2), "state": "dreaming"}])

    assert figures.states(frame).data[0].name == "Dreaming"


def test_cached_input_and_reasoning_are_parts_and_not_counted_twice():
    frame = usage(1, input_tokens=100, cache_read_tokens=40, output_tokens=50, reasoning_tokens=20)

    bars = {trace.name: trace.y[0] for trace in figures.tokens(frame).data}

    assert bars == {"Input from the cache": 40, "Input": 60, "Output": 30, "Reasoning": 20}


def test_requests_of_one_turn_make_one_bar():
    frame = pd.concat([usage(2), usage(2)], ignore_index=True)

    assert list(figures.tokens(frame).data[0].y) == [200, 200]


def test_turns_without_known_counts_are_told():
    frame = pd.concat([usage(2), usage(1, input_tokens=None, output_tokens=None)], ignore_index=True)
    frame["turn_id"] = ["a", "b", "c"]

    assert "one turn without known counts" in words(figures.tokens(frame))


def shown(figure: go.Figure) -> str:
    return words(figure) + " ".join(str(label) for trace in figure.data for label in trace.customdata or ())


def test_what_nobody_knows_is_never_drawn_or_told_as_nothing():
    frame = usage(3, input_tokens=None, output_tokens=None, cost_usd=None)

    tokens, cost = figures.tokens(frame), figures.cost(frame)

    assert all(count is None for trace in tokens.data for count in trace.y)
    assert "an unknown number in" in words(tokens)
    assert "$0" not in shown(cost)
    assert "3 requests of unknown cost" in words(cost)


def test_a_count_that_only_some_requests_tell_is_told_with_the_rest():
    frame = pd.concat([usage(2), usage(1, output_tokens=None, turn_id="other")], ignore_index=True)

    assert "one turn without known counts" in words(figures.tokens(frame))


def test_cost_adds_up_and_unknown_cost_is_told_and_not_counted():
    frame = pd.concat([usage(3), usage(2, cost_usd=None)], ignore_index=True)

    figure = figures.cost(frame)

    assert max(figure.data[0].y) == pytest.approx(0.003)
    assert "$0.003 in 5 requests" in words(figure)
    assert "2 requests of unknown cost" in words(figure)


def test_estimates_are_marked_in_the_line_and_in_the_bars():
    figure = figures.cost(usage(2, cost_is_estimate=True))

    assert "estimated" in [trace.name for trace in figure.data if trace.type == "scatter"]
    assert [
        trace.marker.pattern.shape for trace in figure.data if trace.name == "estimated" and trace.type == "bar"
    ] == ["/"]
    assert "$0.002 of it estimated" in words(figure)


def test_a_free_model_costs_nothing_and_is_drawn_at_zero():
    figure = figures.cost(usage(3, cost_usd=0.0))

    assert "$0 in 3 requests" in words(figure)
    assert figure.layout.yaxis.range[0] == 0


def test_many_models_end_in_one_row_for_the_others():
    frame = usage(30)
    frame["model"] = [f"vendor/model-{row:02}" for row in range(30)]

    labels = [note.text for note in figures.cost(frame).layout.annotations]

    assert len(labels) == 8
    assert "23 other models" in labels[-1]


def test_long_and_hostile_names_are_cut_and_inert():
    figure = figures.cost(usage(2, model="<b>bold</b><a href='https://example.org'>x</a>" + "y" * 300))

    label = figure.layout.annotations[0].text
    assert "<a" not in label
    assert len(label) < 120


def test_all_costs_and_counts_missing_is_drawn_without_complaint(recwarn):
    frame = usage(3, cost_usd=None, input_tokens=None, output_tokens=None, model=None)

    assert figures.cost(frame).to_json()
    assert figures.tokens(frame).to_json()
    assert not recwarn.list


def test_money_and_time_read_as_a_person_says_them():
    assert [style.money(usd) for usd in (0, 0.00001234, 0.0042, 0.5, 12.3, 1234.5)] == [
        "$0", "$0.0000123", "$0.0042", "$0.5", "$12.30", "$1,234.50",
    ]  # fmt: skip
    assert [style.duration(seconds) for seconds in (0.34, 3.21, 125, 3840)] == [
        "340 ms",
        "3.2 s",
        "2 min 5 s",
        "1 h 4 min",
    ]


# No way to show a figure offers to upload it.


def figure_in_a_cell(figure: go.Figure) -> dict[str, Any]:
    return figure._repr_mimebundle_()


@pytest.fixture
def jupyter_renderer(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    yield
    pio.renderers.default = "plotly_mimetype"


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_the_bundle_of_a_cell_carries_the_quiet_configuration(draw, rows, jupyter_renderer):
    for count in (0, 3):
        bundle = figure_in_a_cell(draw(rows(count)))

        assert bundle["application/vnd.plotly.v1+json"]["config"] == QUIET


def test_show_and_display_carry_it_too(monkeypatch, jupyter_renderer):
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("plotly.io._renderers.ipython_display.display", lambda bundle, raw: shown.append(bundle))
    figure = figures.cost(usage(2))

    figure.show()
    figure.show(config={"scrollZoom": True, "showSendToCloud": True})
    figure._ipython_display_()

    configs = [bundle["application/vnd.plotly.v1+json"]["config"] for bundle in shown]
    assert configs == [QUIET, {"scrollZoom": True, **QUIET}, QUIET]


def test_html_carries_it_too(tmp_path: Path):
    figure = figures.cost(usage(2))
    figure.write_html(tmp_path / "cost.html", include_plotlyjs=False)

    for page in (
        figure.to_html(include_plotlyjs=False),
        figure.to_html({"scrollZoom": True}, include_plotlyjs=False),
        (tmp_path / "cost.html").read_text(encoding="utf-8"),
    ):
        assert '"showSendToCloud": false' in page
        assert "plotlyServerURL" not in page


def test_copies_stay_quiet():
    figure = figures.cost(usage(2))

    for twin in (copy.deepcopy(figure), pickle.loads(pickle.dumps(figure))):
        assert type(twin) is type(figure)


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_no_way_of_showing_has_an_upload_button_in_a_browser(tmp_path: Path):
    figure = figures.cost(usage(3))
    ways = {
        "control": pio.to_html(go.Figure(go.Bar(y=[1])), full_html=False, include_plotlyjs=False),
        "ours": figure.to_html(full_html=False, include_plotlyjs=False),
        "plotly.io": pio.to_html(figure, full_html=False, include_plotlyjs=False),
        "plain copy": pio.to_html(go.Figure(json.loads(figure.to_json())), full_html=False, include_plotlyjs=False),
    }
    sections = "".join(f"<section>{html}</section>" for html in ways.values())
    page = tmp_path / "page.html"
    page.write_text(f"<meta charset='utf-8'><script>{go_js()}</script>{sections}", encoding="utf-8")

    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    dom = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=60, check=True).stdout

    drawn = dict(zip(ways, re.findall(r"<section>(.*?)</section>", dom, re.DOTALL), strict=True))
    assert all('data-title="Zoom in"' in section for section in drawn.values())
    assert [way for way, section in drawn.items() if "Share chart" in section] == ["control"]


def go_js() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
