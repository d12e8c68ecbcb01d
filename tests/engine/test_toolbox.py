"""The tools of one bot: filled in once, offered, called by the user; and what calls wait for as states."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tool_lab import until

from rustbot_jupyter.engine.states import TRANSITIONS, AgentState, Trigger
from rustbot_jupyter.engine.toolbox import Toolbox, ToolStates, empty_toolbox
from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.events import AssistantEvent
from rustbot_jupyter.tools.base import BUILT_IN, Risk, ToolResult
from rustbot_jupyter.tools.consent import ApproveMode
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules
from rustbot_jupyter.tools.runner import Waits
from rustbot_jupyter.tools.runs import RunState


def add(a: int, b: int = 1) -> int:
    return a + b


def emit(kind: type[AssistantEvent], /, **fields: Any) -> None:
    kind(**fields)


def make_toolbox(
    fill: Callable[[ToolRegistry], None] | None = None,
    mode: ApproveMode = ApproveMode.ASK,
    risk: Risk = Risk.READ,
) -> Toolbox:
    def add_one(registry: ToolRegistry) -> None:
        registry.add(tool_of(add, source=BUILT_IN, risk=risk))

    return Toolbox(
        registry=ToolRegistry(),
        rules=Rules(None, "/work"),
        mode=lambda: mode,
        fill=fill or add_one,
        files=None,
        kernel=lambda: None,
        redact=str,
    )


def test_the_built_in_tools_are_made_once_when_they_are_first_wanted():
    filled: list[int] = []
    toolbox = make_toolbox(lambda registry: filled.append(1))
    assert filled == []

    threads = [threading.Thread(target=lambda: toolbox.registry.all()) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert filled == [1]


def test_who_hears_of_a_tool_that_is_filled_in_may_look_at_the_tools():
    toolbox = make_toolbox()
    seen: list[int] = []
    toolbox.on_change(lambda: seen.append(len(toolbox.registry.all())))
    thread = threading.Thread(target=lambda: toolbox.registry, daemon=True)

    thread.start()
    thread.join(10)

    assert not thread.is_alive()
    assert seen == [1]


@pytest.mark.parametrize(
    ("of_bot", "of_question", "offered"),
    [
        (None, None, ["add"]),
        (None, (), []),
        ((), None, []),
        ((), ("add",), ["add"]),
        (("add",), None, ["add"]),
        (("other",), None, []),
        (None, ("a*",), ["add"]),
    ],
)
def test_a_question_goes_before_the_bot(of_bot: Any, of_question: Any, offered: list[str]):
    toolbox = make_toolbox()
    toolbox.only = of_bot

    assert [tool.name for tool in toolbox.offered(of_question)] == offered


async def test_a_question_without_tools_makes_none():
    filled: list[int] = []
    toolbox = make_toolbox(lambda registry: filled.append(1))

    await toolbox.ready(())
    assert filled == []
    await toolbox.ready(None)
    assert filled == [1]


async def test_the_user_calls_a_tool_with_consent_and_gets_result_or_reason():
    toolbox = make_toolbox(risk=Risk.WRITE)
    task = asyncio.create_task(toolbox.call("add", {"a": 1}, "c1", emit))
    await until(lambda: bool(toolbox.approvals.pending()))
    toolbox.approvals.pending()[0].allow()

    result = await task

    assert isinstance(result, ToolResult)
    assert result.text == "2"
    with pytest.raises(ToolError, match="There is no tool 'sub'"):
        await toolbox.call("sub", {}, "c1", emit)
    with pytest.raises(ToolError, match="Its parameters are: a, b"):
        await toolbox.call("add", {"x": 1}, "c1", emit)


async def test_a_call_of_the_users_that_is_cancelled_leaves_no_card_and_no_task():
    toolbox = make_toolbox(risk=Risk.WRITE)
    task = asyncio.create_task(toolbox.call("add", {"a": 1}, "c1", emit))
    await until(lambda: bool(toolbox.approvals.pending()))

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert toolbox.approvals.pending() == []
    assert toolbox.runs.all()[0].state is RunState.INTERRUPTED
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_no_tools_at_all_are_said():
    with pytest.raises(ToolError, match="There is no tool 'add'"):
        await empty_toolbox().call("add", {}, "c1", emit)


WAITS = (None, RunState.WAITING_APPROVAL, RunState.WAITING_KERNEL)


@given(st.lists(st.sampled_from(WAITS), max_size=12))
def test_whatever_calls_wait_for_one_after_the_other_only_known_moves_are_made(waits: list[RunState | None]):
    state = AgentState.RUNNING_TOOLS

    def fire(*triggers: Trigger) -> None:
        nonlocal state
        for trigger in triggers:
            state = TRANSITIONS[(state, trigger)]

    states = ToolStates(fire)
    for waiting in waits:
        states.on_wait(waiting)
    states.on_wait(None)

    assert state is AgentState.RUNNING_TOOLS


@given(st.permutations([*range(4)] * 2))
def test_several_calls_that_wait_are_told_as_one_and_the_user_goes_first(order: list[int]):
    told: list[RunState | None] = []
    waits = Waits(told.append)
    kinds = [RunState.WAITING_APPROVAL, RunState.WAITING_KERNEL] * 2
    waiting: set[int] = set()

    for number in order:
        waits.change(kinds[number], -1 if number in waiting else 1)
        waiting ^= {number}
        expected = next((kind for kind in WAITS[1:] if kind in {kinds[each] for each in waiting}), None)
        assert (told[-1] if told else None) is expected

    assert all(one is not other for one, other in itertools.pairwise(told))
    assert told[-1] is None
