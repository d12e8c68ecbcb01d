"""Tokens and cost of one request, how they add up, and the row that is kept of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

N = TypeVar("N", int, float)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens and cost of one request. Unknown is None, never 0: a free model costs 0.0, an unknown one None."""

    input_tokens: int | None = None
    """All tokens sent, cached ones included."""
    output_tokens: int | None = None
    """All tokens generated, reasoning included."""
    reasoning_tokens: int | None = None
    """The part of `output_tokens` spent on reasoning."""
    cache_read_tokens: int | None = None
    """The part of `input_tokens` read from the provider's cache."""
    cache_write_tokens: int | None = None
    """The part of `input_tokens` written to the provider's cache."""
    cost_usd: float | None = None
    """US dollars, unrounded."""
    cost_is_estimate: bool = False
    """True when we computed the cost from prices; False when the provider billed it."""

    def __add__(self, other: Usage) -> Usage:
        """The sum of two requests. A count known on one side only is kept as it is; a cost with an unknown
        share becomes an estimate."""
        cost_is_partial = (self.cost_usd is None) != (other.cost_usd is None)
        return Usage(
            input_tokens=_add(self.input_tokens, other.input_tokens),
            output_tokens=_add(self.output_tokens, other.output_tokens),
            reasoning_tokens=_add(self.reasoning_tokens, other.reasoning_tokens),
            cache_read_tokens=_add(self.cache_read_tokens, other.cache_read_tokens),
            cache_write_tokens=_add(self.cache_write_tokens, other.cache_write_tokens),
            cost_usd=_add(self.cost_usd, other.cost_usd),
            cost_is_estimate=self.cost_is_estimate or other.cost_is_estimate or cost_is_partial,
        )

    def updated(self, later: Usage) -> Usage:
        """The same request as a later word tells it; what that leaves out stays."""
        told = {
            name: value
            for field in fields(later)
            if (name := field.name) != "cost_is_estimate" and (value := getattr(later, name)) is not None
        }
        if "cost_usd" in told:
            told["cost_is_estimate"] = later.cost_is_estimate
        return replace(self, **told)


def _add(one: N | None, other: N | None) -> N | None:
    if one is None:
        return other
    return one if other is None else one + other


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageRecord:
    """One request as a row; the fields are the columns of the `usage` frame, in order."""

    started_at: datetime
    conversation_id: str
    turn_id: str
    source: str
    """chat, magic, api or map."""
    profile: str
    provider: str | None
    """Who served it, as the provider names itself; "local" for a server on this machine."""
    model_requested: str
    model: str | None
    """The model that answered, as the provider names it."""
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost_usd: float | None
    cost_is_estimate: bool
    ttft_s: float | None
    """Seconds from sending the request to the first token."""
    duration_s: float
    tokens_per_s: float | None
    """Output tokens per second from the first token to the end."""
    retries: int
    finish_reason: str | None
    status: str
    """complete, interrupted or error."""
    error: str | None
    cell_id: str | None
    """The notebook cell that asked, when it was a magic."""
