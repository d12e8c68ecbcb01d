"""Usage in all the shapes that providers send it in."""

from __future__ import annotations

from typing import Any

from rustbot_jupyter.usage import Usage

_MAX_COUNT = 2**53
_MAX_COST_USD = 1e9


def read_usage(data: Any) -> Usage | None:
    """The `usage` object of an answer; None when it says nothing. Odd values (negative, words, NaN) are unknown."""
    if not isinstance(data, dict):
        return None
    sent = _dict(data.get("prompt_tokens_details") or data.get("input_tokens_details"))
    generated = _dict(data.get("completion_tokens_details") or data.get("output_tokens_details"))
    cache_read = _count(data.get("cache_read_input_tokens"))
    cache_write = _count(data.get("cache_creation_input_tokens"))
    input_tokens = _count(data.get("prompt_tokens"))
    if input_tokens is None and (input_tokens := _count(data.get("input_tokens"))) is not None:
        # Anthropic's own shape counts the cached ones apart.
        input_tokens += (cache_read or 0) + (cache_write or 0)
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=_count(data.get("completion_tokens"), data.get("output_tokens")),
        reasoning_tokens=_count(generated.get("reasoning_tokens"), data.get("reasoning_tokens")),
        cache_read_tokens=_count(
            sent.get("cached_tokens"),
            cache_read,
            sent.get("cache_read_tokens"),
            data.get("prompt_cache_hit_tokens"),
            data.get("cached_tokens"),
        ),
        cache_write_tokens=_count(sent.get("cache_write_tokens"), sent.get("cache_creation_tokens"), cache_write),
        cost_usd=_paid(data.get("cost"), _dict(data.get("cost_details")).get("upstream_inference_cost"), data),
    )
    return None if usage == Usage() else usage


def read_ollama(chunk: dict[str, Any]) -> Usage | None:
    """The counts that Ollama's own protocol puts beside the message; None when there are none."""
    usage = Usage(
        input_tokens=_count(chunk.get("prompt_eval_count")),
        output_tokens=_count(chunk.get("eval_count")),
    )
    return None if usage == Usage() else usage


def read_generation(data: dict[str, Any]) -> Usage:
    """Return what `/generation` says about an answer, with the token counts that were billed."""
    return Usage(
        input_tokens=_count(data.get("native_tokens_prompt"), data.get("tokens_prompt")),
        output_tokens=_count(data.get("native_tokens_completion"), data.get("tokens_completion")),
        reasoning_tokens=_count(data.get("native_tokens_reasoning")),
        cache_read_tokens=_count(data.get("native_tokens_cached")),
        cost_usd=_paid(data.get("total_cost"), data.get("upstream_inference_cost"), data),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(*values: Any) -> int | None:
    """The first that is a count; whole numbers may come as floats or in quotes."""
    for value in values:
        number = _number(value)
        if number is not None and number == int(number) and 0 <= number < _MAX_COUNT:
            return int(number)
    return None


def _paid(told: Any, upstream: Any, data: dict[str, Any]) -> float | None:
    """Return what an answer costs in all, or None.

    With a key of one's own for the provider (`is_byok`) the cost that is told is a fee, and what the provider bills
    stands beside it; without such a key that is a part of the cost already.
    """
    cost, provider_bill = _cost(told), _cost(upstream)
    own_key = data.get("is_byok")
    if own_key is True:
        return None if provider_bill is None else (cost or 0.0) + provider_bill
    if own_key is None and provider_bill is not None and provider_bill > (cost or 0.0):
        return (cost or 0.0) + provider_bill
    return cost


def _cost(value: Any) -> float | None:
    if isinstance(value, dict):
        # Perplexity sends the parts and their sum.
        value = value.get("total_cost")
    number = _number(value)
    return float(number) if number is not None and 0 <= number < _MAX_COST_USD else None


def _number(value: Any) -> int | float | None:
    """A finite number, as it is or in quotes; None for anything else."""
    if type(value) is str and len(value) < 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if type(value) is int:
        return value
    return value if type(value) is float and abs(value) < float("inf") else None
