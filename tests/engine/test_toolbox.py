"""The tools of one bot: filled in once, offered, called by the user; and what calls wait for as states."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import ScriptedModel, planner_for
from tool_lab import until

from rustbot_jupyter.engine.plan import ToolPlan, TurnRequest
from rustbot_jupyter.engine.states import TRANSITIONS, AgentState, Trigger
from rustbot_jupyter.engine.toolbox import ServerFiles, Toolbox, ToolStates, empty_toolbox
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.events import AssistantEvent
from rustbot_jupyter.messages import ConversationHistory, ToolCallPart, user_message
from rustbot_jupyter.tools.base import BUILT_IN, Risk, ToolResult
from rustbot_jupyter.tools.consent import ApproveMode, question
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules
from rustbot_jupyter.tools.runner import Waits
from rustbot_jupyter.tools.runs import RunState, ToolRun


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


@pytest.mark.parametrize(
    ("of_bot", "of_question", "said"),
    [
        (None, ("ad",), "There is no tool 'ad'. Did you mean 'add'?"),
        (("add", "zebra"), None, "There is no tool 'zebra'. `bot.tools` lists them."),
    ],
)
async def test_a_tool_that_does_not_exist_is_not_wished_for_in_silence(of_bot: Any, of_question: Any, said: str):
    toolbox = make_toolbox()
    toolbox.only = of_bot

    await toolbox.ready(of_question)
    with pytest.raises(RequestError) as refused:
        toolbox.check_wishes(of_question)

    assert str(refused.value) == said


@pytest.mark.parametrize("wanted", ["add", "z*", "files__read"])
async def test_patterns_and_tools_of_servers_that_are_away_may_be_wished_for(wanted: str):
    toolbox = make_toolbox()
    await toolbox.ready((wanted,))

    toolbox.check_wishes((wanted,))

    assert [tool.name for tool in toolbox.offered((wanted,))] == (["add"] if wanted == "add" else [])


async def test_a_bot_whose_tool_was_taken_out_goes_on_and_its_other_tools_can_be_called():
    toolbox = make_toolbox()
    toolbox.only = ("add", "read_fil")

    assert (await toolbox.call("add", {"a": 1}, "c1", emit)).text

    toolbox.only = ("add",)
    toolbox.registry.remove("add")
    toolbox.check_wishes(None)

    assert toolbox.offered(None) == []


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


def test_the_profile_of_a_turn_decides_where_nobody_chose_a_mode():
    toolbox = empty_toolbox()
    turn = Turn(request=TurnRequest(message=user_message("Hi"), source="api"), history=ConversationHistory())
    tools = ToolPlan(
        names=frozenset(), definitions=(), definition_tokens=0, timeout_s=1.0, send_values=True, approve="read-only"
    )
    strict = replace(planner_for(ScriptedModel())(turn.request), tools=tools)

    assert toolbox._mode(turn, strict) is ApproveMode.READ_ONLY
    toolbox.consent.set_mode(turn.history.id, ApproveMode.ALLOW)
    assert toolbox._mode(turn, strict) is ApproveMode.ALLOW


def test_two_threads_that_want_the_servers_get_the_same_ones(tmp_path):
    files = ServerFiles(user_file=None, workspace=tmp_path, pins_file=None)
    toolbox = Toolbox(
        registry=ToolRegistry(),
        rules=Rules(None, ""),
        mode=lambda: ApproveMode.ASK,
        fill=lambda registry: None,
        files=files,
        kernel=lambda: None,
        redact=str,
    )
    together, found = threading.Barrier(8), []

    def want() -> None:
        together.wait(30)
        found.append(toolbox.servers)

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len({id(servers) for servers in found}) == 1


def test_what_waited_on_a_dead_loop_waits_no_more():
    toolbox = empty_toolbox()
    approval = question("Go on?", label="Go on?")
    toolbox.approvals._pending = (approval,)
    call = ToolCallPart(call_id="1", name="act", arguments="{}")
    run = ToolRun(call=call, turn_id="t", conversation_id="c", message_id="m")
    toolbox.runs.add(run)

    toolbox.abandon()

    assert toolbox.approvals.pending() == []
    with pytest.raises(RequestError, match="does not wait any more"):
        approval.allow()
    assert run.state is RunState.INTERRUPTED
