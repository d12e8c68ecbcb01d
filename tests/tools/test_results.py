"""Results cut and cleaned; the records of calls kept within bounds."""

from __future__ import annotations

import time

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
