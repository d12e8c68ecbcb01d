"""Frames have the columns and types of the design, whatever goes in."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from rustbot_jupyter.analysis import frames
from rustbot_jupyter.events import Priority
from rustbot_jupyter.usage import UsageRecord

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

USAGE = {
    "started_at": NOW,
    "turn_id": "turn-1",
    "model": "vendor/name",
    "input_tokens": 12,
    "cost_usd": 0.0,
    "cost_is_estimate": False,
    "retries": 0,
}
EVENT = {"seq": 1, "time": NOW, "kind": "turn_started", "priority": Priority.NORMAL, "data": {"model": "vendor/name"}}
STATE = {"entered_at": NOW, "left_at": None, "duration_s": None, "state": "idle", "trigger": None, "turn_id": None}
METRIC = {"time": NOW, "name": "memory_bytes", "value": 1e8, "unit": "bytes"}

Maker = Callable[[Iterable[dict[str, Any]]], pd.DataFrame]
MAKERS: list[tuple[Maker, dict[str, Any]]] = [
    (frames.usage_frame, USAGE),
    (frames.events_frame, EVENT),
    (frames.states_frame, STATE),
    (frames.metrics_frame, METRIC),
]


def test_usage_has_the_fields_of_the_record_as_columns():
    assert list(frames.usage_frame([]).columns) == [field.name for field in dataclasses.fields(UsageRecord)]


def test_the_other_frames_have_the_columns_of_the_design():
    columns = [list(maker([]).columns) for maker, _ in MAKERS[1:]]

    assert columns == [
        ["seq", "time", "kind", "priority", "state", "conversation_id", "turn_id", "duration_s", "summary", "data"],
        ["entered_at", "left_at", "duration_s", "state", "trigger", "turn_id"],
        ["time", "name", "value", "unit"],
    ]


@pytest.mark.parametrize(("maker", "row"), MAKERS)
def test_types_are_equal_for_no_row_one_row_and_many(maker: Maker, row: dict[str, Any]):
    empty, one, many, sparse = maker([]), maker([row]), maker([row] * 1000), maker([row, {}, row])

    assert len(many) == 1000
    assert list(empty.dtypes) == list(one.dtypes) == list(many.dtypes) == list(sparse.dtypes)


def test_numbers_are_whole_or_nullable_and_times_are_utc():
    types = {name: str(dtype) for name, dtype in frames.usage_frame([USAGE]).dtypes.items()}

    assert types["started_at"] == "datetime64[us, UTC]"
    assert types["input_tokens"] == "Int64"
    assert types["cost_usd"] == "Float64"
    assert types["cost_is_estimate"] == "boolean"
    assert types["model"] == "str"


def test_unknown_is_missing_and_never_zero():
    row = frames.usage_frame([USAGE]).iloc[0]

    assert row["output_tokens"] is pd.NA
    assert row["ttft_s"] is pd.NA
    assert row["cost_usd"] == 0.0
    assert frames.usage_frame([USAGE])["provider"].isna().all()


def test_times_of_any_zone_become_utc():
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))

    frame = frames.metrics_frame([{"time": summer}, {"time": "2026-07-01T10:00:00.5+00:00"}, {"time": None}])

    assert frame["time"][0] == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert frame["time"][1].microsecond == 500_000
    assert frame["time"][2] is pd.NaT


def test_priorities_can_be_compared():
    events = frames.events_frame(
        [{"seq": 1, "priority": Priority.LOW}, {"seq": 2, "priority": "high"}, {"priority": 0}]
    )

    assert list(events["priority"]) == ["LOW", "HIGH", "CRITICAL"]
    assert list(events["priority"] <= "HIGH") == [False, True, True]


def test_data_of_an_event_stays_a_dictionary():
    assert frames.events_frame([EVENT])["data"][0] == {"model": "vendor/name"}


def test_rows_may_come_from_a_generator_and_hold_more_than_is_asked():
    assert len(frames.metrics_frame({**METRIC, "more": 1} for _ in range(3))) == 3


def test_a_frame_of_models_has_prices_per_million_tokens():
    prices = SimpleNamespace(input_usd=0.000003, output_usd=0.000015)
    common = {"name": "", "context_length": None, "max_output_tokens": None, "takes_tools": True}

    frame = frames.models_frame(
        [SimpleNamespace(id="a", prices=prices, **common), SimpleNamespace(id="b", prices=None, **common)]
    )

    assert frame["input_usd_per_million"][0] == 3.0
    assert frame["output_usd_per_million"][0] == 15.0
    assert frame["input_usd_per_million"][1] is pd.NA


def test_importing_the_analysis_loads_neither_pandas_nor_plotly():
    code = (
        "import sys; from rustbot_jupyter.analysis import frames, figures; "
        "print([name for name in ('pandas', 'plotly', 'numpy') if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("half", ["\ud83d", "\ude00 and \ud83d", "\ud83d\ude00"])
def test_half_a_character_does_no_harm_to_a_frame(half: str) -> None:
    row = {"summary": half, "data": {half: [half, {"a": half}], "n": 1}, "error": half, "tool": half, "name": half}
    for make in (
        frames.events_frame,
        frames.usage_frame,
        frames.states_frame,
        frames.tool_runs_frame,
        frames.metrics_frame,
    ):
        frame = make([row])

        assert repr(frame)
        assert frame._repr_html_()
        assert frame.to_csv().encode("utf-8")
        assert frame.to_json(orient="records").encode("utf-8")
