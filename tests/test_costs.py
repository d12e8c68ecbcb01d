"""Caps and costs over real HTTP: a server on this machine is free only while nothing speaks against it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from servers import misbehaving as wire
from servers.misbehaving import MisbehavingServer

import rustbot_jupyter as rb
from rustbot_jupyter.engine import accounts
from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.errors import BudgetExceeded
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.notebook.answer_display import footer
from rustbot_jupyter.notebook.dry_run import dry_run

pytestmark = pytest.mark.usefixtures("own_folders")

COUNTS = {"prompt_tokens": 12, "completion_tokens": 5}
PRICED = {"id": "priced", "pricing": {"prompt": "0.001", "completion": "0.002"}}
MakeBot = Callable[..., rb.Rustbot]


@pytest.fixture
def make_bot(server: MisbehavingServer) -> Iterator[MakeBot]:
    bots: list[rb.Rustbot] = []

    def make(model: str = "tiny", **options: Any) -> rb.Rustbot:
        bots.append(rb.Rustbot(model=model, base_url=server.base_url, tools=(), **options))
        return bots[-1]

    yield make
    for bot in bots:
        bot.close()


def lists(server: MisbehavingServer, *models: dict[str, Any]) -> None:
    server.on("/models", wire.json_answer({"data": [{"id": "tiny"}, *models]}))


def dry(bot: rb.Rustbot) -> str:
    request = TurnRequest(message=user_message("Hello?"), source="magic")
    return dry_run(request, bot.planner(request), ()).cost


def test_a_server_of_this_machine_is_free_while_nothing_is_known(server: MisbehavingServer, make_bot: MakeBot) -> None:
    lists(server)
    server.script(wire.answer("Hi", usage=COUNTS))
    bot = make_bot(max_cost_usd=0.0)

    reply = bot.ask("Hello?")

    assert (reply.usage.cost_usd, reply.usage.cost_is_estimate) == (0.0, False)
    assert dry(bot) == "none, it runs on this machine"


def test_the_prices_that_it_lists_hold_before_the_first_question(server: MisbehavingServer, make_bot: MakeBot) -> None:
    lists(server, PRICED)

    for model in ("priced", "tiny"):
        with pytest.raises(BudgetExceeded):
            make_bot(model, max_cost_usd=0.000_001).ask("Hello?")

    assert server.chats == []


def test_what_a_listed_price_makes_of_an_answer_is_an_estimate(server: MisbehavingServer, make_bot: MakeBot) -> None:
    lists(server, PRICED)
    server.script(wire.answer("Hi", usage=COUNTS))
    bot = make_bot("priced", max_cost_usd=100.0)

    usage = bot.ask("Hello?").usage

    assert (usage.cost_usd, usage.cost_is_estimate) == (pytest.approx(0.022), True)
    assert dry(bot).endswith("(estimates)")


def test_without_a_price_the_model_of_a_server_that_lists_some_costs_nobody_knows_what(
    server: MisbehavingServer, make_bot: MakeBot
) -> None:
    lists(server, PRICED)
    server.script(wire.answer("Hi", usage=COUNTS))
    bot = make_bot(max_cost_usd=100.0)

    reply = bot.ask("Hello?")

    assert reply.usage.cost_usd is None
    assert bot.usage().cost_usd.isna().all()
    assert bot.agent.budget.spent() > 0
    assert dry(bot) == "unknown, as the model's prices are"
    assert footer(reply) == "test/model-1 · 17 tokens"


def test_a_cost_that_was_reported_once_ends_the_belief(server: MisbehavingServer, make_bot: MakeBot) -> None:
    lists(server)
    server.script(wire.answer("Hi", usage={**COUNTS, "cost": 5}), wire.answer("Hi", usage=COUNTS))
    bot = make_bot()

    assert bot.ask("Hello?").usage.cost_usd == 5
    assert bot.ask("Hello?").usage.cost_usd is None
    with pytest.raises(BudgetExceeded):
        bot.ask("Hello?", max_cost_usd=0.000_001)

    assert list(bot.usage().cost_usd) == [5.0, pd.NA]
    assert len(server.chats) == 2


def test_a_reported_cost_is_remembered_by_the_next_bot(server: MisbehavingServer, make_bot: MakeBot) -> None:
    lists(server)
    server.script(wire.answer("Hi", usage={**COUNTS, "cost": 5}))
    bot = make_bot()
    bot.ask("Hello?")
    bot.close()

    with pytest.raises(BudgetExceeded):
        make_bot(max_cost_usd=0.000_001).ask("Hello?")


def test_unknown_costs_of_one_question_fill_its_cap(server: MisbehavingServer, make_bot: MakeBot) -> None:
    lists(server, PRICED)
    call = [*wire.tool_call("look", "{}")[:3], *wire.closing(finish="tool_calls", usage=COUNTS)]
    server.script(call, call, call, wire.answer("Done"))
    bot = make_bot()

    @bot.tool(risk="read")
    def look() -> str:
        """Look."""
        return "nothing"

    with pytest.raises(BudgetExceeded):
        bot.ask("Hello?", max_cost_usd=0.3, tools=("look",))


@pytest.mark.parametrize("cap", [{}, {"max_cost_usd": 0.5}])
@pytest.mark.parametrize("priced", [False, True])
def test_a_cost_told_later_replaces_what_was_believed(
    server: MisbehavingServer,
    make_bot: MakeBot,
    monkeypatch: pytest.MonkeyPatch,
    cap: dict[str, float],
    priced: bool,
) -> None:
    monkeypatch.setattr(accounts, "SETTLE_WAITS_S", (0.0,))
    lists(server, *([PRICED] if priced else []))
    server.script(wire.answer("Hi", usage=COUNTS))
    server.on("/generation", wire.json_answer({"data": {"total_cost": 0.25, "native_tokens_prompt": 13}}))
    bot = make_bot(**cap)
    bot.ask("Hello?")

    deadline = time.monotonic() + 10
    while not any(event.kind == "cost_settled" for event in bot.agent.log.all()):
        assert time.monotonic() < deadline, "the cost was not asked for"
        time.sleep(0.01)

    (record,) = bot.agent.usage_log.records
    assert (record.input_tokens, record.output_tokens, record.cost_usd) == (13, 5, 0.25)
    assert bot.agent.budget.spent() == pytest.approx(0.25)
    with pytest.raises(BudgetExceeded):
        bot.ask("Hello?", max_cost_usd=0.000_001)
