"""The wishes of a question, and the plan of one turn: plain values, resolved before the turn starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from rustbot_jupyter.engine.budget import Caps
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.llm.base import ChatModel
from rustbot_jupyter.llm.prices import Prices
from rustbot_jupyter.llm.retries import RetryPolicy
from rustbot_jupyter.messages import Message, TextPart
from rustbot_jupyter.settings.profile import shown


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
    origins: tuple[str, ...] = ()
    """What the question quotes that may be somebody else's words: "data frame df"."""
    tools: tuple[str, ...] | None = None
    """Names or patterns of the tools that are offered; None offers all that are switched on, () none."""
    approve: str | None = None
    """ask, read-only or allow, for this turn; None takes the conversation's mode."""

    def check(self) -> None:
        """Refuse what cannot be asked, before anything is done for it.

        Raises:
            RequestError: The question is blank or no text, or a limit is no usable number.
        """
        for part in self.message.parts:
            if isinstance(part, TextPart):
                check_question(part.text)
        if not self.message.text.strip():
            raise RequestError("The question is empty. Write something to ask.")
        check_limit("timeout", self.timeout_s, "seconds above 0", least=math.ulp(0.0))
        check_limit("max_cost_usd", self.max_cost_usd, "US dollars from 0 on")


def check_question(text: object) -> None:
    """Refuse anything but text.

    Raises:
        RequestError: It is something else.
    """
    if not isinstance(text, str):
        raise RequestError(f'The question is text, and {shown(text)} is none. Put it into one, as in f"{{value}}".')


def check_limit(name: str, value: Any, what: str, *, least: float = 0.0) -> None:
    """Refuse a limit that would not be one, such as NaN; None is no limit.

    Raises:
        RequestError: It is no finite number, or too small.
    """
    if value is None:
        return
    try:
        is_usable = isinstance(value, Real) and not isinstance(value, bool) and least <= float(value) < math.inf
    except OverflowError:
        is_usable = False
    if not is_usable:
        raise RequestError(f"{name!r} cannot be {shown(value)}: it is a number of {what}, or None for no limit.")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolPlan:
    """The tools of one turn."""

    names: frozenset[str]
    definitions: tuple[Mapping[str, Any], ...]
    """As the model is told, in the OpenAI shape."""
    definition_tokens: int
    """About how many tokens they are."""
    timeout_s: float
    """For tools without a limit of their own."""
    send_values: bool
    approve: str | None = None
    """What its profile says of calls that no rule speaks of: ask or read-only; None leaves it to the bot."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnPlan:
    """The model to ask and the way to ask it: the settings, resolved for one turn."""

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
    on_charged: Callable[[], None] = lambda: None
    """To be called when an answer cost something."""
    near_models: Callable[[str], Sequence[str]] = lambda name: ()
    """Ids of the server's models that look like a name, best first."""
    tools: ToolPlan | None = None
    """None offers no tools."""
    takes_images: bool = True
    """True if the model looks at pictures; True when it is not known."""


Planner = Callable[[TurnRequest], TurnPlan]
"""Resolves a request when its turn starts; raises `RustbotError` when it cannot be carried out."""
