"""Costs are computed from prices as the provider would bill them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rustbot_jupyter.llm.prices import Prices, read_prices, write_prices
from rustbot_jupyter.usage import Usage

SONNET = {
    "prompt": "0.000003",
    "completion": "0.000015",
    "input_cache_read": "0.0000003",
    "input_cache_write": "0.00000375",
    "internal_reasoning": "0.00002",
    "overrides": [
        {
            "min_prompt_tokens": 200_000,
            "prompt": "0.000006",
            "completion": "0.0000225",
            "input_cache_read": "0.0000006",
        }
    ],
}


def prices_of(pricing: dict[str, Any]) -> Prices:
    prices = read_prices(pricing)
    assert prices is not None
    return prices


def cost_of(pricing: dict[str, Any], at: datetime | None = None, **usage: int) -> float | None:
    return prices_of(pricing).cost(Usage(**usage), at)


def test_input_and_output_are_priced() -> None:
    assert cost_of(SONNET, input_tokens=1_000, output_tokens=100) == pytest.approx(0.003 + 0.0015)


def test_cached_and_written_tokens_are_part_of_the_input() -> None:
    cost = cost_of(SONNET, input_tokens=1_000, output_tokens=0, cache_read_tokens=600, cache_write_tokens=300)

    assert cost == pytest.approx(100 * 3e-6 + 600 * 3e-7 + 300 * 3.75e-6)


def test_reasoning_is_not_added_on_top() -> None:
    assert cost_of(SONNET, input_tokens=0, output_tokens=10, reasoning_tokens=9) == pytest.approx(150e-6)


def test_without_cache_prices_cached_tokens_cost_as_any_other() -> None:
    plain = {"prompt": "0.000001", "completion": "0"}

    assert cost_of(plain, input_tokens=10, output_tokens=5, cache_read_tokens=4) == pytest.approx(10e-6)


def test_more_cached_than_sent_never_makes_a_negative_cost() -> None:
    cost = cost_of(SONNET, input_tokens=10, output_tokens=0, cache_read_tokens=20, cache_write_tokens=20)

    assert cost == pytest.approx(10 * 3e-7)


@pytest.mark.parametrize(("tokens", "per_token"), [(200_000, 3e-6), (200_001, 6e-6)])
def test_long_prompts_have_other_prices_above_the_limit(tokens: int, per_token: float) -> None:
    assert cost_of(SONNET, input_tokens=tokens, output_tokens=0) == pytest.approx(tokens * per_token)


def test_an_override_keeps_what_it_does_not_name() -> None:
    long = prices_of(SONNET).for_prompt(300_000)

    assert (long.cache_read_usd, long.cache_write_usd) == (6e-7, 3.75e-6)


@pytest.mark.parametrize(("tokens", "per_token"), [(1_000, 1e-6), (40_000, 2e-6), (200_000, 3e-6)])
def test_the_highest_limit_that_is_passed_counts(tokens: int, per_token: float) -> None:
    steps = [{"min_prompt_tokens": 128_000, "prompt": "0.000003"}, {"min_prompt_tokens": 32_000, "prompt": "0.000002"}]
    pricing = {"prompt": "0.000001", "completion": "0", "overrides": steps}

    assert cost_of(pricing, input_tokens=tokens, output_tokens=0) == pytest.approx(tokens * per_token)


@pytest.mark.parametrize(
    ("hour", "window", "holds"),
    [
        (3, (100, 500), True),
        (5, (100, 500), False),
        (0, (2200, 200), True),
        (2, (2200, 200), False),
        (23, (2200, 200), True),
    ],
)
def test_prices_may_depend_on_the_time_of_day_in_utc(hour: int, window: tuple[int, int], holds: bool) -> None:
    override = {"utc_start": window[0], "utc_end": window[1], "prompt": "0.000002"}
    pricing = {"prompt": "0.000001", "completion": "0", "overrides": [override]}
    at = datetime(2026, 11, 23, hour, 0, tzinfo=UTC).astimezone(timezone(timedelta(hours=9)))

    assert cost_of(pricing, at, input_tokens=1, output_tokens=0) == pytest.approx(2e-6 if holds else 1e-6)


def test_unknown_tokens_give_an_unknown_cost() -> None:
    assert prices_of(SONNET).cost(Usage(input_tokens=5)) is None
    assert prices_of(SONNET).cost(Usage()) is None


def test_free_costs_nothing() -> None:
    assert cost_of({"prompt": "0", "completion": "0"}, input_tokens=9, output_tokens=9) == 0.0


@pytest.mark.parametrize(
    "pricing",
    [
        None,
        [],
        {},
        {"prompt": "0.1"},
        {"prompt": "-1", "completion": "-1"},
        {"prompt": "x", "completion": "0"},
        {"prompt": "nan", "completion": "0"},
        {"prompt": "inf", "completion": "0"},
        {"prompt": [], "completion": "0"},
    ],
)
def test_prices_that_are_none_are_unknown(pricing: Any) -> None:
    assert read_prices(pricing) is None


def test_overrides_that_are_none_are_left_out() -> None:
    odd = [None, 5, {}, {"min_prompt_tokens": 5}, {"min_prompt_tokens": "x", "prompt": "-1"}]

    assert prices_of({"prompt": "0", "completion": "0", "overrides": odd}).overrides == ()


def test_prices_survive_being_written() -> None:
    assert read_prices(write_prices(prices_of(SONNET))) == prices_of(SONNET)
