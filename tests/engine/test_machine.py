"""The state machine: every pair of state and trigger (reliability row B6)."""

from __future__ import annotations

import itertools

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from rustbot_jupyter.engine.machine import StateMachine
from rustbot_jupyter.engine.states import TRANSITIONS, AgentState, Trigger
from rustbot_jupyter.errors import InvalidTransition


def machine_in(state: AgentState) -> StateMachine:
    machine = StateMachine()
    machine.state = state
    return machine


@pytest.mark.parametrize(("state", "trigger"), list(itertools.product(AgentState, Trigger)))
def test_each_trigger_moves_as_the_table_says_or_changes_nothing(state: AgentState, trigger: Trigger):
    machine = machine_in(state)

    if (state, trigger) in TRANSITIONS:
        assert machine.can(trigger)
        assert machine.fire(trigger) is TRANSITIONS[state, trigger]
    else:
        assert not machine.can(trigger)
        with pytest.raises(InvalidTransition, match=trigger.value):
            machine.fire(trigger)
        assert machine.state is state
        assert len(machine.history()) == 1


@pytest.mark.parametrize("state", [state for state in AgentState if state is not AgentState.CLOSED])
def test_an_interrupt_leads_to_idle_from_every_state_but_closed(state: AgentState):
    assert machine_in(state).fire(Trigger.INTERRUPT) is AgentState.IDLE


def test_a_closed_machine_stays_closed():
    machine = machine_in(AgentState.CLOSED)

    assert [trigger for trigger in Trigger if machine.can(trigger)] == [Trigger.SHUTDOWN]


def test_every_state_can_be_reached_from_idle():
    reached = {AgentState.IDLE}
    while True:
        further = {new for (old, _), new in TRANSITIONS.items() if old in reached} | reached
        if further == reached:
            break
        reached = further

    assert reached == set(AgentState)


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.sampled_from([trigger for trigger in Trigger if trigger is not Trigger.SHUTDOWN]), max_size=2_000))
def test_any_sequence_of_triggers_makes_only_declared_moves_and_never_gets_stuck(triggers: list[Trigger]):
    moves: list[tuple[AgentState, Trigger, AgentState]] = []
    machine = StateMachine(lambda old, new, trigger, took_s, turn_id: moves.append((old, trigger, new)))

    for trigger in triggers:
        if machine.can(trigger):
            machine.fire(trigger)

    assert all(TRANSITIONS[old, trigger] is new for old, trigger, new in moves)
    assert machine.fire(Trigger.INTERRUPT) is AgentState.IDLE


def test_the_history_tells_each_visit_with_its_length_and_its_turn():
    machine = StateMachine()

    machine.fire(Trigger.USER_MESSAGE, "turn-1")
    machine.fire(Trigger.FIRST_TOKEN, "turn-1")
    visits = machine.history()

    assert [(visit.state, visit.trigger) for visit in visits] == [
        ("idle", None),
        ("processing", "user_message"),
        ("responding", "first_token"),
    ]
    assert visits[1].turn_id == "turn-1"
    assert visits[1].left_at == visits[2].entered_at or visits[1].left_at < visits[2].entered_at
    assert visits[1].duration_s is not None
    assert visits[1].duration_s >= 0
    assert (visits[2].left_at, visits[2].duration_s) == (None, None)
