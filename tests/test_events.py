"""Events: their names, their one line for people, their plain data."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from rustbot_jupyter.events import (
    AssistantEvent,
    InterruptRequested,
    MetricsSampled,
    Priority,
    StateChanged,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    UserMessageReceived,
)
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.usage import Usage

EVENTS: list[tuple[AssistantEvent, str]] = [
    (UserMessageReceived(message=user_message("Hi\nthere"), source="chat"), "chat: Hi there"),
    (
        TurnFinished(
            message=user_message("Once upon"),
            usage=Usage(input_tokens=1200, output_tokens=5, cost_usd=0.00025),
            model="m",
            finish_reason="stop",
            took_s=1.0,
        ),
        "1,200 + 5 tokens, $0.00025: Once upon",
    ),
    (
        TurnInterrupted(message=None, usage=Usage(), reason="user", took_s=1.0),
        "stopped (user); 0 characters kept",
    ),
    (TurnFailed(error_type="RateLimited", error="Too fast."), "RateLimited: Too fast."),
    (
        StateChanged(old="idle", new="processing", trigger="user_message", took_s=2.0),
        "idle → processing (user_message)",
    ),
    (MetricsSampled(values={"memory_bytes": 1e6, "cpu_percent": 12.4}), "memory_bytes 1,000,000, cpu_percent 12"),
]


@pytest.mark.parametrize(("event", "summary"), EVENTS, ids=[event.kind for event, _ in EVENTS])
def test_an_event_says_in_one_line_what_happened_and_gives_plain_data(event: AssistantEvent, summary: str):
    assert event.summary == summary
    assert json.loads(json.dumps(event.data)) == event.data
    assert "seq" not in event.data


def test_a_kind_is_the_class_name_in_snake_case_and_carries_its_priority():
    assert UserMessageReceived.kind == "user_message_received"
    assert InterruptRequested.priority is Priority.CRITICAL
    assert MetricsSampled.priority is Priority.LOW


def test_an_event_cannot_be_changed():
    event = TurnFailed(error_type="RateLimited", error="Too fast.")

    with pytest.raises(FrozenInstanceError):
        event.error = "fine"


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (Usage(), "? + ? tokens, cost unknown"),
        (Usage(input_tokens=1, output_tokens=2, cost_usd=0.5, cost_is_estimate=True), "1 + 2 tokens, about $0.5"),
        (Usage(input_tokens=1, output_tokens=2, cost_usd=0.0), "1 + 2 tokens, $0"),
    ],
)
def test_an_unknown_cost_is_said_to_be_unknown_and_an_estimate_to_be_one(usage: Usage, said: str):
    event = TurnFinished(message=user_message("a"), usage=usage, model=None, finish_reason=None, took_s=0)

    assert event.summary.startswith(f"{said}:")
