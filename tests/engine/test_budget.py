"""The spending cap (reliability row B3, and B1 inside one bot)."""

from __future__ import annotations

import pytest

from rustbot_jupyter.engine.budget import Budget, Caps, Reservation
from rustbot_jupyter.errors import BudgetExceeded


def reserve(budget: Budget, caps: Caps, **changes: object) -> Reservation:
    fields: dict[str, object] = {
        "conversation_id": "conv-1",
        "caps": caps,
        "input_tokens": 100_000,
        "max_tokens": 100_000,
        "input_usd": 2e-6,
        "output_usd": 2e-6,
    }
    return budget.reserve(**{**fields, **changes})


def test_parallel_requests_are_admitted_only_while_spent_and_reserved_stay_under_the_cap():
    budget = Budget()
    caps = Caps(bot_usd=1.0)

    admitted = []
    for number in range(10):
        try:
            admitted.append(reserve(budget, caps, conversation_id=f"conv-{number}"))
        except BudgetExceeded:
            continue

    assert [reservation.worst_case_usd for reservation in admitted] == pytest.approx([0.4, 0.4])


def test_the_answer_is_cut_to_what_the_cap_affords():
    reservation = reserve(Budget(), Caps(request_usd=0.25))

    assert reservation.max_tokens == 25_000
    assert reservation.worst_case_usd == pytest.approx(0.25)


def test_a_request_that_cannot_fit_is_refused_with_the_cap_and_what_is_left():
    budget = Budget()
    budget.correct("conv-1", 0.95)

    with pytest.raises(BudgetExceeded, match=r"conversation cap of \$1 leaves \$0\.0500"):
        reserve(budget, Caps(conversation_usd=1.0))


def test_an_unknown_price_counts_as_an_estimate_against_the_cap():
    reservation = reserve(Budget(), Caps(request_usd=2.0), input_usd=None, output_usd=None)

    assert reservation.worst_case_usd == pytest.approx(2.0)
    assert reservation.max_tokens is not None
    assert 16 <= reservation.max_tokens < 100_000


def test_an_unknown_cost_is_booked_as_the_worst_case_and_a_known_one_as_it_is():
    budget = Budget()
    known = reserve(budget, Caps(bot_usd=10))
    unknown = reserve(budget, Caps(bot_usd=10))

    budget.settle(known, 0.01)
    budget.settle(unknown, None)

    assert budget.spent() == pytest.approx(0.01 + unknown.worst_case_usd)


def test_a_free_model_is_never_stopped_by_a_cap():
    reservation = reserve(Budget(), Caps(request_usd=0.01), input_usd=0.0, output_usd=0.0)

    assert reservation.worst_case_usd == 0
    assert reservation.max_tokens == 100_000


def test_without_a_cap_nothing_is_reserved_and_the_cost_is_booked():
    budget = Budget()

    reservation = reserve(budget, Caps())
    budget.settle(reservation, 0.5)

    assert reservation.max_tokens == 100_000
    assert budget.spent("conv-1") == 0.5


def test_a_turn_that_is_over_takes_no_memory_and_what_it_spent_counts():
    budget = Budget()
    caps = Caps(turn_usd=1.0, bot_usd=100.0)

    for number in range(100):
        reservation = reserve(budget, caps, turn_id=f"turn-{number}")
        budget.end_turn(f"turn-{number}")
        # A request that was stopped may be settled after its turn.
        budget.settle(reservation, 0.1)

    assert budget._used_in_turn == {}
    assert budget.spent() == pytest.approx(10.0)
