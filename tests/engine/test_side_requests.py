"""Requests beside a turn: what they may cost, who sees them, and that they are booked with the turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from models import HOLD, ScriptedModel, planner_for

from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.budget import Caps
from rustbot_jupyter.engine.plan import TurnPlan, TurnRequest
from rustbot_jupyter.engine.side_requests import SEARCH_TOKENS, openrouter_search
from rustbot_jupyter.errors import BudgetExceeded, StreamBroken, ToolError
from rustbot_jupyter.llm.prices import FREE, Prices
from rustbot_jupyter.messages import CitationPart, user_message
from rustbot_jupyter.tools.web_search import Found

BEFORE = Caps(bot_usd=1.0)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent(planner_for(ScriptedModel()))
    running = asyncio.create_task(agent.run())
    yield agent
    agent.shutdown()
    await asyncio.wait_for(running, 30)


def plan_of(model: ScriptedModel, **fields: Any) -> TurnPlan:
    return planner_for(model, **fields)(TurnRequest(message=user_message("-"), source="api"))


def reserved(agent: Agent) -> float:
    return sum(agent.budget._reserved.values())


async def search(agent: Agent, plan: TurnPlan) -> list[Found]:
    return await openrouter_search(agent, plan).ask("zebras", 3)


async def test_a_search_gives_the_pages_it_found_and_is_booked(agent: Agent) -> None:
    model = ScriptedModel()
    model.will_stream("Striped.", citations=(CitationPart(url="https://example.org/zebra", title="Zebra"),))

    found = await search(agent, plan_of(model))

    assert [(page.title, page.url, page.snippet) for page in found] == [
        ("Zebra", "https://example.org/zebra", "Striped.")
    ]
    assert [(record.status, record.cost_usd) for record in agent.usage_log.records] == [("complete", 0.001)]
    assert model.requests[0].tools == ({"type": "openrouter:web_search"},)
    assert model.requests[0].max_tokens == SEARCH_TOKENS


async def test_who_may_see_questions_may_see_searches_and_nobody_else(agent: Agent) -> None:
    model = ScriptedModel()
    routing = {"data_collection": "deny"}

    await search(agent, plan_of(model, request_fields={"provider": routing, "max_tokens": 9_000}))

    assert model.requests[0].provider == routing
    assert model.requests[0].max_tokens == SEARCH_TOKENS


async def test_a_search_is_no_longer_than_the_cap_pays_for(agent: Agent) -> None:
    model = ScriptedModel()
    prices = Prices(input_usd=0.0, output_usd=0.001)

    await search(agent, plan_of(model, caps=Caps(bot_usd=0.5), prices=lambda name: prices))

    assert model.requests[0].max_tokens == 500


async def test_the_cap_of_a_question_holds_for_its_searches() -> None:
    model, beside = ScriptedModel(host="localhost", is_local=True), ScriptedModel(host="openrouter.ai")
    model.will_stream(HOLD)
    agent = Agent(planner_for(model, prices=lambda name: FREE))
    running = asyncio.create_task(agent.run())
    turn = agent.submit(TurnRequest(message=user_message("Do it"), source="api", max_cost_usd=0.000_001))
    await model.reached(HOLD)

    with pytest.raises(BudgetExceeded):
        await search(agent, plan_of(beside))

    assert beside.requests == []
    agent.interrupt()
    agent.shutdown()
    await asyncio.wait_for(running, 30)
    assert turn.outcome.done()


async def test_the_model_of_the_turn_searches_where_it_is_on_the_same_server() -> None:
    model = ScriptedModel()
    model.will_stream(HOLD)
    model.will_stream("Found.")
    agent = Agent(planner_for(model))
    running = asyncio.create_task(agent.run())
    agent.submit(TurnRequest(message=user_message("Do it"), source="api", overrides={"model": "test/other"}))
    await model.reached(HOLD)

    await search(agent, plan_of(model))

    assert model.requests[-1].model == "test/other"
    agent.interrupt()
    agent.shutdown()
    await asyncio.wait_for(running, 30)


async def test_a_search_that_breaks_off_is_booked_as_begun(agent: Agent) -> None:
    model = ScriptedModel()
    model.will_stream("Half", StreamBroken("The connection broke."))
    prices = Prices(input_usd=0.001, output_usd=0.001)

    with pytest.raises(ToolError, match="broke"):
        await search(agent, plan_of(model, caps=BEFORE, prices=lambda name: prices))

    (record,) = agent.usage_log.records
    assert (record.status, record.cost_is_estimate) == ("interrupted", True)
    assert agent.budget.spent() > 0


async def test_a_fault_of_our_own_leaves_no_room_taken(agent: Agent) -> None:
    model = ScriptedModel()
    model.will_stream(ValueError("ours"))

    with pytest.raises(ValueError, match="ours"):
        await search(agent, plan_of(model, caps=BEFORE))

    assert reserved(agent) == 0.0
    assert agent.budget.spent() == 0.0
