"""Results cut and cleaned; the records of calls kept within bounds."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import time
from collections import namedtuple
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from effort import cpu_at_most
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rustbot_jupyter.messages import ImagePart, ToolCallPart
from rustbot_jupyter.tools.base import ToolContext, ToolResult
from rustbot_jupyter.tools.results import MODEL_CHARS, cleaned, cut, fitted, result_of
from rustbot_jupyter.tools.runs import KEPT_RUNS, RunState, Stopwatch, ToolRun, ToolRuns


@given(text=st.text(max_size=300), limit=st.integers(0, 400), more=st.integers(0, 1_000))
def test_a_cut_text_fits_and_keeps_both_ends(text: str, limit: int, more: int):
    short = cut(text, limit, len(text) + more)

    if len(text) <= limit:
        assert short == text
    else:
        assert f"of {len(text) + more:,} characters left out" in short
        assert len(short) <= max(limit, 100)
        if len(short) <= limit:
            assert text.startswith(short.partition("\n[…")[0])
            assert text.endswith(short.rpartition("…]\n")[2])


@given(st.text(st.characters(), max_size=200))
def test_clean_text_can_be_stored_sent_and_shown(text: str):
    clean = cleaned(text)

    clean.encode()
    assert not any(ord(char) < 32 and char not in "\t\n" for char in clean)
    assert "\x7f" not in clean
    assert cleaned(clean) == clean


@given(st.text(alphabet="\x1b[]0;31mABC\x07\\\r\n\x00\x9b\ud800é", max_size=300))
def test_terminal_escapes_in_any_order_are_cleaned_once_and_for_all(text: str):
    clean = cleaned(text)

    clean.encode()
    assert "\x1b" not in clean
    assert "\r" not in clean
    assert cleaned(clean) == clean


@pytest.mark.parametrize("piece", ["\x1b[", "\x1b]", "\x1b]0;" + "x" * 100, "\r", "\x1b[31m", "\ud800", "a\x00"])
def test_a_million_odd_characters_are_cleaned_in_no_time(piece: str):
    text = piece * (1_000_000 // len(piece))

    with cpu_at_most(2):
        cleaned(text)


def test_what_a_cut_leaves_of_a_key_is_in_the_part_that_is_left_out():
    key = "sk-0123456789"
    for length in (10_000, 30_000, 600_000, 1_000_000):
        text = (key * (length // len(key) + 1))[:length]

        result = fitted(ToolResult(text=text), lambda text: text.replace(key, "•"))

        kept = result.text.replace("•", "")
        assert key not in kept
        assert len(result.text) <= MODEL_CHARS


def test_data_becomes_text_and_a_fitted_result_stays_as_it_is():
    once = fitted(ToolResult(data={"a": ["ä", 1]}))

    assert (once.text, once.data) == ('{"a": ["ä", 1]}', None)
    assert fitted(once) == once


def a_run(number: int = 0, state: RunState = RunState.COMPLETE) -> ToolRun:
    picture = ImagePart(media_type="image/png", data=bytes(1_000_000))
    run = ToolRun(
        call=ToolCallPart(call_id=str(number), name="t", arguments="x" * 10_000),
        turn_id=f"turn-{number % 2}",
        conversation_id="c",
        message_id=f"m{number % 3}",
        state=state,
        output="y" * 10_000,
    )
    run.result, run.result_bytes = ToolResult(text="z" * 20_000, images=(picture,), figures=("{}",)), 20_000
    return run


def test_old_calls_keep_their_row_and_let_go_of_what_takes_room():
    runs = ToolRuns(most_whole=3)
    kept = [a_run(number) for number in range(10)]
    for run in kept:
        runs.add(run)

    old, new = kept[0], kept[-1]

    assert (len(old.output), old.images, old.figures, old.call.arguments) == (0, (), (), "")
    assert old.row()["result_bytes"] == 20_000
    assert (len(new.images), len(new.figures)) == (1, 1)
    assert [bool(run.images) for run in runs.all()] == [False] * 7 + [True] * 3


def test_a_call_that_still_runs_is_left_whole():
    runs = ToolRuns(most_whole=2)
    running = a_run(state=RunState.RUNNING)
    runs.add(running)
    for number in range(10):
        runs.add(a_run(number))

    assert running.call.arguments
    running.state = RunState.COMPLETE
    for number in range(10):
        runs.add(a_run(number))
    assert sum(bool(run.images) for run in runs.all()) == 2


def test_the_oldest_calls_are_forgotten_first():
    runs = ToolRuns(limit=5)
    kept = [a_run(number) for number in range(8)]
    for run in kept:
        runs.add(run)

    assert runs.all() == kept[3:]
    assert runs.find(kept[0].id) is None
    assert runs.find(kept[7].id) is kept[7]
    assert runs.of_turn("turn-1") == [kept[3], kept[5], kept[7]]
    assert KEPT_RUNS == 10_000


def test_a_stopwatch_adds_up_and_takes_no_harm_from_doubled_presses():
    watch = Stopwatch()
    watch.stop()
    assert watch.seconds == 0
    watch.start()
    watch.start()
    time.sleep(0.002)
    watch.stop()
    stood = watch.seconds
    watch.stop()

    assert stood >= 0.002
    assert watch.seconds == stood


def test_where_values_are_not_sent_no_picture_is_either() -> None:
    image = Image.new("RGB", (2, 2), "red")

    result = result_of(image, ToolContext(send_values=False))

    assert result.images == ()
    assert "Image" in result.text


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Place:
    city: str
    at: Any
    note: str = dataclasses.field(default="hidden words", repr=False)


class Order(pydantic.BaseModel):
    units: int
    code: pydantic.SecretStr = pydantic.SecretStr("hidden words")
    note: str = pydantic.Field(default="hidden words", repr=False)


Pair = namedtuple("Pair", "one two")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (float("nan"), None),
        (float("inf"), "inf"),
        (pd.Timestamp("2024-01-01"), "2024-01-01T00:00:00"),
        (pd.NaT, None),
        (pd.NA, None),
        (np.datetime64("NaT"), None),
        (np.datetime64("2024-01-01"), "2024-01-01"),
        (pd.Timedelta("1D"), "1 days 00:00:00"),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        (datetime.time(1, 2), "01:02:00"),
        (Decimal("1.10"), 1.1),
        (Decimal("0.1000000000000000000001"), "0.1000000000000000000001"),
        ({2, 1}, [1, 2]),
        (frozenset({"a"}), ["a"]),
        (Pair(1, np.int64(2)), {"one": 1, "two": 2}),
        (Colour.RED, "red"),
        (Path("a/b"), "a/b"),
        (Place("Oslo", np.float64(1.5)), {"city": "Oslo", "at": 1.5}),
        (Order(units=3), {"units": 3, "code": "**********"}),
        (np.array([1, 2]), [1, 2]),
        (pd.DataFrame({"n": [1], "when": [pd.Timestamp("2024-01-01")]}), [{"n": 1, "when": "2024-01-01T00:00:00"}]),
        (pd.Series({"a": 1.5}), {"a": 1.5}),
        (pd.DataFrame({"n": range(2_000)}), "<pandas DataFrame 2,000 × 1>"),
        (pd.Period("2024-01"), "2024-01"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("put", [lambda value: {"a": value}, lambda value: [value], lambda value: {"a": [(value,)]}])
def test_values_of_libraries_become_json(value, written, put):
    text = result_of(put(value), ToolContext()).text

    assert json.loads(text) == json.loads(json.dumps(put(written)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({np.int64(1): "a", (1, 2): "b", None: "c"}, {"1": "a", "[1, 2]": "b", "null": "c"}),
        (np.int64(5), 5),
        (Place("Oslo", None), {"city": "Oslo", "at": None}),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        ({1, 2}, [1, 2]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_keys_and_lone_values_become_json(value, written):
    assert json.loads(result_of(value, ToolContext()).text) == written


@pytest.mark.parametrize("value", [{"a": object()}, [lambda: 1], {"a": 10**5000}])
def test_what_json_cannot_say_is_described(value):
    assert result_of(value, ToolContext()).text.startswith("result: ")


def test_a_list_that_holds_itself_is_described():
    value: list[Any] = [1]
    value.append(value)

    assert result_of(value, ToolContext()).text.startswith("result: list")
