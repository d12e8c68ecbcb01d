"""The policy decides whether and when a failed request is sent again."""

from __future__ import annotations

import pytest

from rustbot_jupyter.errors import ConnectionFailed, ModelError, RateLimited, StreamBroken
from rustbot_jupyter.llm.retries import RetryPolicy

POLICY = RetryPolicy()


def wait(error: ModelError, attempt: int = 1, elapsed_s: float = 0.0, policy: RetryPolicy = POLICY) -> float | None:
    return policy.next_wait(error, attempt, elapsed_s, random=lambda: 0.5)


def test_waits_double_up_to_the_longest_and_end_after_the_last_retry() -> None:
    policy = RetryPolicy(retries=6)

    waits = [wait(ConnectionFailed("x"), attempt, policy=policy) for attempt in range(1, 8)]

    assert waits == [0.5, 1, 2, 4, 8, 8, None]


def test_two_retries_by_default_none_if_so_set() -> None:
    assert [wait(ConnectionFailed("x"), attempt) for attempt in (1, 2, 3)] == [0.5, 1, None]
    assert wait(ConnectionFailed("x"), policy=RetryPolicy(retries=0)) is None


def test_what_cannot_succeed_is_not_repeated() -> None:
    assert wait(StreamBroken("x")) is None
    assert wait(ConnectionFailed("x", retryable=False)) is None


@pytest.mark.parametrize(("dice", "expected"), [(0.0, 0.375), (1.0, 0.625)])
def test_jitter_is_a_quarter_either_way(dice: float, expected: float) -> None:
    assert POLICY.next_wait(ConnectionFailed("x"), 1, 0.0, random=lambda: dice) == expected


@pytest.mark.parametrize(
    ("asked", "expected"), [(7.0, 7.0), (60.0, 60.0), (60.1, None), (86_400.0, None), (0.0, 0.5), (None, 0.5)]
)
def test_the_providers_wish_is_honoured_to_a_minute(asked: float | None, expected: float | None) -> None:
    """N22."""
    assert wait(RateLimited("x", retry_after_s=asked)) == expected


def test_nothing_is_sent_after_the_budget() -> None:
    assert wait(ConnectionFailed("x"), elapsed_s=89.5) == 0.5
    assert wait(ConnectionFailed("x"), elapsed_s=89.6) is None
    assert wait(RateLimited("x", retry_after_s=50), elapsed_s=41) is None
