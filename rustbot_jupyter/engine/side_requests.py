"""A request beside the running turn, booked with it: what a tool asks of the model's own provider."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rustbot_jupyter.engine.accounts import Accounts, Attempt
from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.plan import TurnPlan, TurnRequest
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.errors import ModelError, ToolError
from rustbot_jupyter.llm.base import Answer, ChatRequest
from rustbot_jupyter.llm.token_estimate import estimate_tokens
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.tools.web_search import Found, SearchService

OPENROUTER_SEARCH: Mapping[str, Any] = {"type": "openrouter:web_search"}
"""OpenRouter searches by itself, with every model, and sends the sources as citations."""
SEARCH_TOKENS = 1_500
"""The longest answer of a search."""
SNIPPET_CHARS = 2_000


async def side_answer(
    agent: Agent, plan: TurnPlan, question: str, *, tools: Sequence[Mapping[str, Any]] = (), max_tokens: int
) -> Answer:
    """The answer to a question that is no part of a conversation; its cost counts with the turn that runs.

    Raises:
        ToolError: There is no answer.
        BudgetExceeded: A cap leaves no room for it.
    """
    message = user_message(question)
    turn = agent.active or Turn(
        request=TurnRequest(message=message, source="api", use_history=False), history=agent.conversation
    )
    plan = _beside(turn.plan, plan, max_tokens)
    accounts = Accounts(turn, plan, agent.budget, agent.usage_log)
    tokens = estimate_tokens([message])
    attempt = Attempt(number=1, reservation=accounts.reserve(tokens), input_estimate=tokens)
    request = ChatRequest(
        model=plan.model,
        messages=(message,),
        tools=tuple(tools),
        max_tokens=attempt.reservation.max_tokens,
        # It says who may see what is sent.
        provider=plan.request_fields.get("provider"),
    )
    answer = Answer()
    try:
        async with plan.chat_model.stream(request) as stream:
            try:
                async for _ in stream:
                    pass
            finally:
                answer = stream.answer
    except asyncio.CancelledError:
        accounts.book(attempt, answer, "interrupted")
        raise
    except ModelError as error:
        # What broke after its first words was begun, and is billed.
        status = "interrupted" if answer.text or answer.reasoning else "error"
        accounts.book(attempt, answer, status, str(error))
        raise ToolError(str(error)) from error
    except Exception:
        # Failed on our side, so nobody books it: its room under the caps must not stay taken.
        accounts.release(attempt)
        raise
    accounts.book(attempt, answer, "complete")
    return answer


def _beside(running: TurnPlan | None, plan: TurnPlan, max_tokens: int) -> TurnPlan:
    """The plan of the turn that runs, where it asks the same server, else this one; the turn's caps hold in both."""
    if running is not None:
        plan = running if running.chat_model.host == plan.chat_model.host else replace(plan, caps=running.caps)
    return replace(plan, request_fields={**plan.request_fields, "max_tokens": max_tokens})


def openrouter_search(agent: Agent, plan: TurnPlan) -> SearchService:
    """The search of OpenRouter, through the model that answers."""

    async def ask(query: str, count: int) -> list[Found]:
        answer = await side_answer(
            agent,
            plan,
            f"Search the web for the following and list at most {count} pages with what each says about it: {query}",
            tools=(OPENROUTER_SEARCH,),
            max_tokens=SEARCH_TOKENS,
        )
        # The answer speaks of all pages at once; it goes with the first.
        snippets = [answer.text[:SNIPPET_CHARS], *[""] * count]
        return [
            Found(title=page.title or page.url, url=page.url, snippet=snippet)
            for page, snippet in zip(answer.citations[:count], snippets, strict=False)
        ]

    return SearchService(name="OpenRouter", ask=ask)
