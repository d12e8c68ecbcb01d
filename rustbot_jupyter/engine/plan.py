"""What a question asks for, and how one turn is carried out: plain values, resolved before the turn starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rustbot_jupyter.engine.budget import Caps
from rustbot_jupyter.llm.base import ChatModel
from rustbot_jupyter.llm.catalog import Prices
from rustbot_jupyter.llm.retries import RetryPolicy
from rustbot_jupyter.messages import Message


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnRequest:
    """A question, and what it wants to be different from the settings."""

    message: Message
    source: str
    """chat, magic, api or map."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Profile fields for this turn only (`model`, `temperature`, `instructions`, ...)."""
    profile: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further request fields, sent as they are."""
    response_format: Mapping[str, Any] | None = None
    use_history: bool = True
    """False: the question is asked by itself, and is not part of the conversation."""
    timeout_s: float | None = None
    """Longest duration of the turn, its waiting for other turns not counted."""
    max_cost_usd: float | None = None
    cell_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnPlan:
    """Who is asked, and how: the settings, resolved for one turn."""

    chat_model: ChatModel
    model: str
    profile: str
    system_prompt: str
    request_fields: Mapping[str, Any]
    """Further fields of `ChatRequest`."""
    context_budget_tokens: int | None
    retry: RetryPolicy
    caps: Caps
    prices: Callable[[str], Prices | None]
    """Prices of a model id; None when they are unknown."""


Planner = Callable[[TurnRequest], TurnPlan]
"""Resolves a request when its turn starts; raises `RustbotError` when it cannot be carried out."""
