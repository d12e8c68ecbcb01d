"""Usage in all the shapes that providers send it in."""

from __future__ import annotations

from typing import Any

from rustbot_jupyter.usage import Usage

_MAX_COUNT = 2**53
_MAX_COST_USD = 1e9


def read_usage(data: Any) -> Usage | None:
    """The `usage` object of an answer; None when it says nothing. Odd values (negative, text, NaN) are unknown."""
    if not isinstance(data, dict):
        return None
    sent = _dict(data.get("prompt_tokens_details") or data.get("input_tokens_details"))
    generated = _dict(data.get("completion_tokens_details") or data.get("output_tokens_details"))
    usage = Usage(
        input_tokens=_count(data.get("prompt_tokens"), data.get("input_tokens")),
        output_tokens=_count(data.get("completion_tokens"), data.get("output_tokens")),
        reasoning_tokens=_count(generated.get("reasoning_tokens")),
        cache_read_tokens=_count(sent.get("cached_tokens"), data.get("prompt_cache_hit_tokens")),
        cache_write_tokens=_count(sent.get("cache_write_tokens")),
        cost_usd=_cost(data.get("cost")),
    )
    return None if usage == Usage() else usage


def read_generation(data: dict[str, Any]) -> Usage:
    """What `/generation` says about an answer, with the token counts that were billed."""
    return Usage(
        input_tokens=_count(data.get("native_tokens_prompt"), data.get("tokens_prompt")),
        output_tokens=_count(data.get("native_tokens_completion"), data.get("tokens_completion")),
        reasoning_tokens=_count(data.get("native_tokens_reasoning")),
        cache_read_tokens=_count(data.get("native_tokens_cached")),
        cost_usd=_cost(data.get("total_cost")),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(*values: Any) -> int | None:
    """The first that is a count."""
    return next((value for value in values if type(value) is int and 0 <= value < _MAX_COUNT), None)


def _cost(value: Any) -> float | None:
    if isinstance(value, dict):
        # Perplexity sends the parts and their sum.
        value = value.get("total_cost")
    if type(value) not in (int, float) or not 0 <= value < _MAX_COST_USD:
        return None
    return float(value)
