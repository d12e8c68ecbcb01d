"""The agent: turns, interrupts, the waiting list, life and end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from models import HOLD, ScriptedModel, planner_for

from rustbot_jupyter.engine.agent import MAX_WAITING, Agent
from rustbot_jupyter.engine.budget import Caps
from rustbot_jupyter.engine.plan import TurnPlan, TurnRequest
from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.engine.states import AgentState
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.errors import (
    AuthenticationFailed,
    BudgetExceeded,
    ModelTimeout,
    ProviderUnavailable,
    RequestError,
    RustbotError,
    StreamBroken,
)
from rustbot_jupyter.events import AssistantEvent
from rustbot_jupyter.llm.base import ReasoningDelta
from rustbot_jupyter.llm.prices import Prices
from rustbot_jupyter.messages import MessageStatus, ToolCallPart, user_message
from rustbot_jupyter.usage import Usage

MakeAgent = Callable[..., Agent]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def make_agent(model: ScriptedModel) -> AsyncIterator[MakeAgent]:
    running: list[tuple[Agent, asyncio.Task[None]]] = []

    def make(**plan_fields: Any) -> Agent:
        agent = Agent(planner_for(model, **plan_fields))
        running.append((agent, asyncio.create_task(agent.run())))
        return agent

    yield make
    for agent, task in running:
        agent.shutdown()
        await asyncio.wait_for(task, 30)


def ask(agent: Agent, text: str = "Tell me", **fields: Any) -> Turn:
    return agent.submit(TurnRequest(message=user_message(text), source=fields.pop("source", "api"), **fields))


async def reply_of(turn: Turn) -> Reply:
    return await asyncio.wait_for(asyncio.wrap_future(turn.outcome), 30)


def kinds(agent: Agent) -> list[str]:
    return [event.kind for event in agent.log.all()]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        # What is waited for is the engine's own state, which has no event to wait on.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_an_answer_is_streamed_kept_and_counted(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream(ReasoningDelta("hm"), "Once ", "upon")

    reply = await reply_of(ask(agent))

    assert reply.text == "Once upon"
    assert reply.status is MessageStatus.COMPLETE
    assert reply.usage == Usage(input_tokens=10, output_tokens=5, cost_usd=0.001)
    assert [message.text for message in agent.conversation.messages] == ["Tell me", "Once upon"]
    assert agent.conversation.messages[1].reasoning == "hm"
    assert "".join(event.text for event in reply.events if event.kind == "text_streamed") == "Once upon"
    assert agent.machine.state is AgentState.IDLE
    assert len(agent.usage_log.records) == 1


async def test_event_numbers_have_no_gap_and_the_turn_ends_last(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("a", "b", "c")

    reply = await reply_of(ask(agent))

    assert [event.seq for event in agent.log.all()] == list(range(1, len(agent.log) + 1))
    assert reply.events[-1].kind == "turn_finished"
    order = [event.kind for event in reply.events]
    assert order.index("turn_started") < order.index("request_sent") < order.index("first_token")


async def test_an_interrupt_keeps_the_partial_answer(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("Once ", "upon ", HOLD)
    turn = ask(agent)
    await model.reached(HOLD)

    agent.interrupt()
    reply = await reply_of(turn)

    assert agent.machine.state is AgentState.IDLE
    assert (reply.text, reply.status) == ("Once upon ", MessageStatus.INTERRUPTED)
    assert agent.conversation.messages[-1].text == "Once upon "
    assert model.closed == 1


@pytest.mark.parametrize("times", [1, 2, 3, 10])
async def test_pressing_stop_often_is_like_pressing_it_once(make_agent: MakeAgent, model: ScriptedModel, times: int):
    agent = make_agent()
    model.will_stream("half", HOLD)
    model.will_stream("whole")
    turn = ask(agent)
    await model.reached(HOLD)

    for _ in range(times):
        agent.interrupt()
    stopped = await reply_of(turn)
    after = await reply_of(ask(agent, "and now?"))

    assert (stopped.status, after.text) == (MessageStatus.INTERRUPTED, "whole")
    assert kinds(agent).count("turn_interrupted") == 1


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (AgentState.PROCESSING, (HOLD, "late")),
        (AgentState.RESPONDING, ("half", HOLD)),
        (AgentState.WAITING_RETRY, (ProviderUnavailable("It is down.", retry_after_s=30),)),
    ],
)
async def test_three_quick_interrupts_lead_to_idle_from_every_working_state(
    make_agent: MakeAgent, model: ScriptedModel, state: AgentState, steps: tuple[Any, ...]
):
    """K3."""
    agent = make_agent()
    model.will_stream(*steps)
    model.will_stream("next")
    turn = ask(agent)
    await until(lambda: agent.machine.state is state)

    for _ in range(3):
        agent.interrupt()
    stopped = await reply_of(turn)
    after = await reply_of(ask(agent, "and now?"))

    assert (stopped.status, after.text) == (MessageStatus.INTERRUPTED, "next")
    assert kinds(agent).count("turn_interrupted") == 1
    assert agent.machine.state is AgentState.IDLE


async def test_interrupts_while_idle_change_nothing(make_agent: MakeAgent):
    agent = make_agent()

    for _ in range(3):
        agent.interrupt()

    assert (await reply_of(ask(agent))).text == "Hello"
    assert "turn_interrupted" not in kinds(agent)


async def test_fifty_rounds_of_asking_and_stopping_leave_no_task_behind(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("half", HOLD)
    tasks_before = len(asyncio.all_tasks())

    for number in range(50):
        turn = ask(agent)
        if number % 2:
            await model.reached(HOLD, times=number // 2 + 1)
        agent.interrupt(only_turn=turn.id)
        assert (await reply_of(turn)).status is MessageStatus.INTERRUPTED

    await until(lambda: len(asyncio.all_tasks()) <= tasks_before + 1)
    assert agent.machine.state is AgentState.IDLE


async def test_an_interrupt_before_the_first_token_keeps_no_empty_answer(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream(HOLD, "late")
    turn = ask(agent)
    await model.reached(HOLD)

    agent.interrupt()
    reply = await reply_of(turn)

    assert (reply.text, reply.status) == ("", MessageStatus.INTERRUPTED)
    assert [message.text for message in agent.conversation.messages] == ["Tell me"]


async def test_a_failed_request_is_sent_again_and_the_wait_is_shown(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream(ProviderUnavailable("It is down."))
    model.will_stream("Here I am")

    reply = await reply_of(ask(agent))

    retry = next(event for event in reply.events if event.kind == "retry_scheduled")
    assert reply.text == "Here I am"
    assert (retry.attempt, retry.attempts, retry.reason) == (2, 3, "It is down.")
    assert "waiting_retry" in [visit.state for visit in agent.machine.history()]
    assert [(record.status, record.retries) for record in agent.usage_log.records] == [("complete", 1)]


async def test_stop_ends_the_wait_for_a_retry(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream(ProviderUnavailable("It is down.", retry_after_s=30))
    turn = ask(agent)
    await until(lambda: agent.machine.state is AgentState.WAITING_RETRY)

    agent.interrupt()
    reply = await reply_of(turn)

    assert reply.status is MessageStatus.INTERRUPTED
    assert len(model.requests) == 1


async def test_a_fault_of_our_own_while_planning_fails_the_turn_and_the_next_one_works(model: ScriptedModel):
    plan, faults = planner_for(model), [ValueError("odd")]

    def planner(request: TurnRequest) -> TurnPlan:
        if faults:
            raise faults.pop()
        return plan(request)

    agent = Agent(planner)
    task = asyncio.create_task(agent.run())

    with pytest.raises(RustbotError, match="Rustbot itself failed"):
        await reply_of(ask(agent))
    reply = await reply_of(ask(agent))

    assert (reply.text, agent.machine.state) == ("Hello", AgentState.IDLE)
    agent.shutdown()
    await asyncio.wait_for(task, 30)


async def test_a_question_that_fails_for_good_raises_and_leaves_the_agent_idle(
    make_agent: MakeAgent, model: ScriptedModel
):
    agent = make_agent()
    model.will_stream(AuthenticationFailed("The key is wrong.", status=401))
    turn = ask(agent)

    with pytest.raises(AuthenticationFailed, match="key is wrong") as raised:
        await reply_of(turn)

    assert len(model.requests) == 1
    assert raised.value.reply.status is MessageStatus.ERROR
    assert agent.machine.state is AgentState.IDLE
    assert "error" in [visit.state for visit in agent.machine.history()]
    assert agent.usage_log.records[0].error == "The key is wrong."


async def test_a_stream_that_breaks_after_its_first_token_is_never_sent_again(
    make_agent: MakeAgent, model: ScriptedModel
):
    agent = make_agent()
    model.will_stream("half of ", StreamBroken("The connection was lost."))

    reply = await reply_of(ask(agent))

    assert len(model.requests) == 1
    assert (reply.text, reply.status) == ("half of ", MessageStatus.INTERRUPTED)
    assert reply.error == "The connection was lost."
    assert agent.machine.state is AgentState.IDLE


async def test_a_turn_that_takes_too_long_is_stopped_and_says_so(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("slow", HOLD)

    with pytest.raises(ModelTimeout, match=r"within 0\.05 s") as raised:
        await reply_of(ask(agent, timeout_s=0.05))

    assert raised.value.reply.text == "slow"
    assert model.closed == 1
    assert agent.machine.state is AgentState.IDLE


async def test_a_turn_that_cannot_be_planned_keeps_the_question_and_the_reason(model: ScriptedModel):
    agent = Agent(planner_for(model, error=AuthenticationFailed("There is no key.")))
    running = asyncio.create_task(agent.run())

    with pytest.raises(AuthenticationFailed):
        await reply_of(ask(agent))

    assert [message.status.value for message in agent.conversation.messages] == ["complete", "error"]
    assert kinds(agent)[-1] == "turn_failed"
    agent.shutdown()
    await asyncio.wait_for(running, 30)


async def test_questions_asked_meanwhile_wait_in_order(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("one", HOLD)
    model.will_stream("two")
    model.will_stream("three")

    turns = [ask(agent, text) for text in ("1", "2", "3")]
    await model.reached(HOLD)
    waiting = [turn.request.message.text for turn in agent.waiting]
    model.release()
    replies = [await reply_of(turn) for turn in turns]

    assert waiting == ["2", "3"]
    assert [reply.text for reply in replies] == ["one", "two", "three"]


async def test_a_waiting_question_can_be_edited_removed_and_sent_now(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("running", HOLD)
    model.will_stream("answer")
    running, second, third, fourth = (ask(agent, text) for text in ("1", "2", "3", "4"))
    await model.reached(HOLD)
    await until(lambda: len(agent.waiting) == 3)

    agent.edit_waiting(third.id, "three")
    agent.remove_waiting(second.id)
    agent.send_now(fourth.id)
    replies = [await reply_of(turn) for turn in (running, second, third, fourth)]

    assert [reply.status.value for reply in replies] == ["interrupted", "interrupted", "complete", "complete"]
    questions = [message.text for message in agent.conversation.messages if message.role == "user"]
    assert questions == ["1", "4", "three"]
    with pytest.raises(RequestError, match="not waiting any more"):
        agent.edit_waiting(third.id, "too late")


async def test_stop_holds_what_waits_in_the_chat_until_the_user_says_more(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("running", HOLD)
    model.will_stream("answer")
    first, second = ask(agent, "1", source="chat"), ask(agent, "2", source="chat")
    await model.reached(HOLD)
    await until(lambda: len(agent.waiting) == 1)

    agent.interrupt()
    await reply_of(first)
    held = [turn.id for turn in agent.waiting]
    third = ask(agent, "3", source="chat")
    replies = [await reply_of(second), await reply_of(third)]

    assert held == [second.id]
    assert [reply.text for reply in replies] == ["answer", "answer"]


async def test_a_question_without_history_stays_out_of_the_conversation(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    await reply_of(ask(agent, "first"))

    reply = await reply_of(ask(agent, "alone", use_history=False))

    assert [message.text for message in model.requests[1].messages] == ["alone"]
    assert reply.text == "Hello"
    assert [message.text for message in agent.conversation.messages] == ["first", "Hello"]


async def test_asking_again_drops_the_old_answer_and_all_after_it(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("old")
    model.will_stream("newer")
    model.will_stream("new")
    await reply_of(ask(agent, "question"))
    await reply_of(ask(agent, "more"))
    first_answer = agent.conversation.messages[1]

    reply = await reply_of(agent.ask_again(first_answer.id, "better question"))

    assert reply.text == "new"
    assert [message.text for message in agent.conversation.messages] == ["better question", "new"]


async def test_a_blank_question_is_refused_and_nothing_is_sent(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()

    for blank in ("", "  \n\t", "\u2003"):
        with pytest.raises(RequestError, match="question is empty"):
            ask(agent, blank)

    assert model.requests == []


async def test_only_so_many_questions_may_wait(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("busy", HOLD)
    ask(agent)
    await model.reached(HOLD)

    for number in range(MAX_WAITING):
        ask(agent, str(number))
    with pytest.raises(RequestError, match="messages wait already"):
        ask(agent, "one more")


async def test_a_tool_that_nobody_offered_gets_an_error_result_and_the_turn_goes_on(
    make_agent: MakeAgent, model: ScriptedModel
):
    agent = make_agent()
    call = ToolCallPart(call_id="call-1", name="rm_rf", arguments="{}")
    model.will_stream("Let me look. ", tool_calls=(call,), finish_reason="tool_calls")
    model.will_stream("I cannot.")

    reply = await reply_of(ask(agent))

    result = model.requests[1].messages[-1].parts[0]
    assert (result.call_id, result.is_error) == ("call-1", True)
    assert "no tool 'rm_rf'" in result.content
    assert reply.text == "I cannot."


async def test_a_model_that_only_calls_tools_is_stopped_after_25_rounds(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    for number in range(30):
        call = ToolCallPart(call_id=f"call-{number}", name="look", arguments=f'{{"page": {number}}}')
        model.will_stream(tool_calls=(call,), finish_reason="tool_calls")

    with pytest.raises(Exception, match="called tools 25 times"):
        await reply_of(ask(agent))

    assert len(model.requests) == 25
    assert agent.machine.state is AgentState.IDLE


async def test_a_model_that_makes_the_same_call_again_and_again_is_stopped_at_the_third(
    make_agent: MakeAgent, model: ScriptedModel
):
    agent = make_agent()
    call = ToolCallPart(call_id="call-1", name="again", arguments="{}")
    model.will_stream(tool_calls=(call,), finish_reason="tool_calls")

    with pytest.raises(Exception, match="called 'again' 3 times in the same way"):
        await reply_of(ask(agent))

    assert len(model.requests) == 3


@pytest.mark.parametrize(
    ("steps", "finish_reason", "told"),
    [
        ((), "stop", r"'test/model' gave no answer\. Ask again"),
        (("  ", "\n"), "stop", r"'test/model' gave no answer\. Ask again"),
        ((ReasoningDelta("Hm."),), "stop", r"gave no answer \(only reasoning, 5 tokens\)\. Ask again"),
        ((ReasoningDelta("Hm."),), "length", r"length limit before the first word; raise `max_tokens`"),
        ((), "content_filter", r"filter held it back"),
    ],
)
async def test_an_answer_without_a_word_is_told(
    make_agent: MakeAgent, model: ScriptedModel, steps: tuple[Any, ...], finish_reason: str, told: str
):
    model.will_stream(*steps, finish_reason=finish_reason)
    model.will_stream("Hello")
    agent = make_agent()

    reply = await reply_of(ask(agent))

    assert (reply.text, reply.status) == ("", MessageStatus.INTERRUPTED)
    assert re.search(told, reply.error)
    assert reply.message.reasoning == ("Hm." if ReasoningDelta("Hm.") in steps else "")
    assert agent.machine.state is AgentState.IDLE
    assert (await reply_of(ask(agent, "Again"))).text == "Hello"
    assert [message.role for message in model.requests[-1].messages] == ["user", "assistant", "user"]


async def test_an_unknown_cost_is_estimated_from_prices_and_marked(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent(prices=lambda name: Prices(input_usd=1e-6, output_usd=2e-6))
    model.will_stream("hi", usage=Usage(input_tokens=100, output_tokens=10))

    reply = await reply_of(ask(agent))

    assert reply.usage.cost_usd == pytest.approx(120e-6)
    assert reply.usage.cost_is_estimate


async def test_a_cost_without_any_price_stays_unknown(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("hi", usage=Usage(input_tokens=100, output_tokens=10))

    reply = await reply_of(ask(agent))

    assert reply.usage.cost_usd is None
    assert not reply.usage.cost_is_estimate


async def test_a_cap_stops_the_request_before_it_is_sent(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent(prices=lambda name: Prices(input_usd=1.0, output_usd=1.0))

    with pytest.raises(BudgetExceeded, match=r"question's cap of \$0\.01"):
        await reply_of(ask(agent, max_cost_usd=0.01))

    assert model.requests == []
    assert agent.machine.state is AgentState.IDLE


@pytest.mark.parametrize("fault", [RequestError("It is not JSON."), ValueError("odd")])
async def test_a_request_that_failed_on_our_side_takes_no_room_under_the_cap(
    make_agent: MakeAgent, model: ScriptedModel, fault: Exception
):
    agent = make_agent(caps=Caps(bot_usd=1.0), prices=lambda name: Prices(input_usd=1e-4, output_usd=1e-4))
    model.will_stream(fault)
    model.will_stream("Hello")

    with pytest.raises(RustbotError):
        await reply_of(ask(agent))
    reply = await reply_of(ask(agent))

    assert reply.text == "Hello"


async def test_a_cap_that_is_nearly_spent_is_told_once(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent(caps=Caps(conversation_usd=1.0))
    model.will_stream("a", usage=Usage(input_tokens=1, output_tokens=1, cost_usd=0.5))
    model.will_stream("b", usage=Usage(input_tokens=1, output_tokens=1, cost_usd=0.35))
    model.will_stream("c", usage=Usage(input_tokens=1, output_tokens=1, cost_usd=0.01))

    for question in ("1", "2", "3"):
        await reply_of(ask(agent, question))

    warned = [event for event in agent.log.all() if event.kind == "budget_warned"]
    assert [(event.spent_usd, event.cap_usd) for event in warned] == [(pytest.approx(0.85), 1.0)]


async def test_closing_in_the_middle_of_an_answer_leaves_nothing_behind(model: ScriptedModel):
    agent = Agent(planner_for(model))
    running = asyncio.create_task(agent.run())
    model.will_stream("half", HOLD)
    active, waiting = ask(agent, "1"), ask(agent, "2")
    await model.reached(HOLD)

    agent.shutdown()
    await asyncio.wait_for(running, 30)

    assert (await reply_of(active)).status is MessageStatus.INTERRUPTED
    assert (await reply_of(waiting)).status is MessageStatus.INTERRUPTED
    assert agent.machine.state is AgentState.CLOSED
    assert model.closed == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with pytest.raises(RequestError, match="closed"):
        ask(agent)


async def test_at_the_end_of_the_process_no_question_that_waited_begins(model: ScriptedModel):
    agent = Agent(planner_for(model))
    running = asyncio.create_task(agent.run())
    model.will_stream("half", HOLD)
    active, waiting = ask(agent, "1"), ask(agent, "2", source="chat")
    await model.reached(HOLD)
    await until(lambda: len(agent.waiting) == 1)
    before = kinds(agent).count("queue_changed")

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (await reply_of(active)).status is MessageStatus.INTERRUPTED
    assert (await reply_of(waiting)).status is MessageStatus.INTERRUPTED
    assert len(model.requests) == 1
    # The page still shows it as waiting, and so can give it back.
    assert kinds(agent).count("queue_changed") == before
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with pytest.raises(RequestError, match="closed"):
        ask(agent)


async def test_a_failing_subscriber_does_not_stop_the_turn(make_agent: MakeAgent):
    agent = make_agent()

    def fail(event: AssistantEvent) -> None:
        raise RuntimeError("broken plot")

    agent.bus.subscribe(fail)

    assert (await reply_of(ask(agent))).text == "Hello"
    errors = [event for event in agent.log.all() if event.kind == "error_occurred"]
    assert len(errors) == 1
    assert "broken plot" in errors[0].error


async def test_metrics_are_sampled_while_an_answer_runs(make_agent: MakeAgent, model: ScriptedModel):
    agent = make_agent()
    model.will_stream("slow", HOLD)
    turn = ask(agent)
    await until(lambda: "metrics_sampled" in kinds(agent))
    model.release()
    await reply_of(turn)

    sampled = next(event for event in agent.log.all() if event.kind == "metrics_sampled")
    assert sampled.values["memory_bytes"] > 1e6
    assert set(sampled.values) == {"memory_bytes", "cpu_percent", "queue_events", "dropped_events"}
