"""A few models and their prices for the time before the first live list; the live list always wins."""

from __future__ import annotations

from typing import Any


def _model(
    model_id: str,
    input_usd: float,
    output_usd: float,
    cache_read_usd: float | None,
    context: int,
    *long_prompt: tuple[int, tuple[float, float, float | None]],
) -> dict[str, Any]:
    """An entry as OpenRouter lists it. Prices in US dollars per million tokens; `long_prompt`: above so many
    tokens, other prices."""
    return {
        "id": model_id,
        "name": model_id,
        "context_length": context,
        "supported_parameters": ["max_tokens", "tools", "tool_choice"],
        "pricing": {
            **_pricing(input_usd, output_usd, cache_read_usd),
            "overrides": [{"min_prompt_tokens": above, **_pricing(*prices)} for above, prices in long_prompt],
        },
    }


def _pricing(input_usd: float, output_usd: float, cache_read_usd: float | None) -> dict[str, Any]:
    prices = {"prompt": input_usd, "completion": output_usd, "input_cache_read": cache_read_usd}
    return {name: repr(value / 1e6) for name, value in prices.items() if value is not None}


# OpenRouter's listing of August 2026, and newer ones as reported in October 2026.
KNOWN_MODELS: list[dict[str, Any]] = [
    _model("~anthropic/claude-sonnet-latest", 2, 10, 0.20, 1_000_000),
    _model("anthropic/claude-sonnet-5.5", 2, 10, 0.10, 1_000_000),
    _model("anthropic/claude-opus-5.5", 4, 20, 0.20, 1_000_000),
    _model("anthropic/claude-haiku-5.5", 0.10, 0.50, 0.01, 1_000_000, (100_000, (0.50, 2.50, 0.05))),
    _model("anthropic/claude-sonnet-5", 2, 10, 0.20, 1_000_000),
    _model("anthropic/claude-sonnet-4.5", 3, 15, 0.30, 1_000_000, (200_000, (6, 22.5, 0.60))),
    _model("anthropic/claude-haiku-4.5", 1, 5, 0.10, 200_000),
    _model("openai/gpt-6.1-sol", 2, 10, 0.10, 1_050_000),
    _model("openai/gpt-6-luna", 0.10, 0.50, 0.01, 1_050_000),
    _model("openai/gpt-5.6-terra", 1, 6, 0.10, 1_050_000, (272_000, (2, 9, 0.20))),
    _model("openai/gpt-4o-mini", 0.15, 0.60, 0.075, 128_000),
    _model("google/gemini-3.8-flash", 0.75, 3.75, None, 1_048_576),
    _model("x-ai/grok-4.7", 2, 6, 0.50, 500_000, (200_000, (4, 12, 1.0))),
    _model("deepseek/deepseek-v4-flash", 0.07, 0.14, 0.014, 1_048_576),
    _model("openai/gpt-oss-20b:free", 0, 0, None, 131_072),
    _model("openrouter/free", 0, 0, None, 200_000),
]
