"""Prices of a model, and the cost of a request with known usage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rustbot_jupyter.usage import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceOverride:
    """Other prices that hold under a condition. None: no such condition, or the base price stays."""

    min_prompt_tokens: int | None = None
    """Holds for prompts of more tokens than this."""
    utc_start: int | None = None
    """Holds from this time of day (HHMM, UTC) on."""
    utc_end: int | None = None
    """Holds until this time of day (HHMM, UTC), which may be on the next day."""
    input_usd: float | None = None
    output_usd: float | None = None
    cache_read_usd: float | None = None
    cache_write_usd: float | None = None

    def holds(self, prompt_tokens: int, at: datetime) -> bool:
        """True if all conditions are met."""
        if self.min_prompt_tokens is not None and prompt_tokens <= self.min_prompt_tokens:
            return False
        if self.utc_start is None or self.utc_end is None:
            return True
        now = at.hour * 100 + at.minute
        if self.utc_start <= self.utc_end:
            return self.utc_start <= now < self.utc_end
        return now >= self.utc_start or now < self.utc_end


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """US dollars per token."""

    input_usd: float
    output_usd: float
    cache_read_usd: float | None = None
    """Per token read from the cache; None: as any other input token."""
    cache_write_usd: float | None = None
    """Per token written to the cache; None: as any other input token."""
    request_usd: float = 0.0
    """Per request, on top."""
    overrides: tuple[PriceOverride, ...] = ()

    @property
    def is_free(self) -> bool:
        """True if nothing costs anything, however much it is."""
        usd = (self.input_usd, self.output_usd, self.cache_read_usd, self.cache_write_usd, self.request_usd)
        return not any(usd) and not self.overrides

    def cost(self, usage: Usage, at: datetime | None = None) -> float | None:
        """US dollars for this usage at this time (now by default); None when its token counts are unknown.

        What is free costs nothing, counted or not.
        """
        if self.is_free:
            return 0.0
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        prices = self.for_prompt(usage.input_tokens, at)
        cached = min(usage.cache_read_tokens or 0, usage.input_tokens)
        written = min(usage.cache_write_tokens or 0, usage.input_tokens - cached)
        plain = usage.input_tokens - cached - written
        cache_read_usd = prices.input_usd if prices.cache_read_usd is None else prices.cache_read_usd
        cache_write_usd = prices.input_usd if prices.cache_write_usd is None else prices.cache_write_usd
        return (
            prices.request_usd
            + plain * prices.input_usd
            + cached * cache_read_usd
            + written * cache_write_usd
            + usage.output_tokens * prices.output_usd
        )

    def for_prompt(self, tokens: int, at: datetime | None = None) -> Prices:
        """The prices that hold for a prompt of this length at this time (now by default)."""
        if not self.overrides:
            return self
        now = (at or datetime.now(UTC)).astimezone(UTC)
        fitting = [override for override in self.overrides if override.holds(tokens, now)]
        if not fitting:
            return self
        # With several thresholds the highest one that is passed counts.
        best = max(fitting, key=lambda override: override.min_prompt_tokens or 0)
        names = ("input_usd", "output_usd", "cache_read_usd", "cache_write_usd")
        changed = {name: value for name in names if (value := getattr(best, name)) is not None}
        return replace(self, **changed)


FREE = Prices(input_usd=0.0, output_usd=0.0)
"""What a server on this machine takes, as long as nothing speaks against it."""

_WIRE_NAMES = {
    "input_usd": "prompt",
    "output_usd": "completion",
    "cache_read_usd": "input_cache_read",
    "cache_write_usd": "input_cache_write",
    "request_usd": "request",
}


def read_prices(pricing: Any) -> Prices | None:
    """The `pricing` of a listing (strings, US dollars per token); None when a price is unknown ("-1") or odd."""
    if not isinstance(pricing, Mapping):
        return None
    values = _read(pricing)
    if values is None or not {"input_usd", "output_usd"} <= values.keys():
        return None
    overrides = pricing.get("overrides")
    fitting = [_read_override(item) for item in (overrides if isinstance(overrides, list) else ())]
    return Prices(**values, overrides=tuple(item for item in fitting if item is not None))


def write_prices(prices: Prices) -> dict[str, Any]:
    """The same shape again, for the cache file."""
    written = _write(prices)
    if prices.overrides:
        written["overrides"] = [_write_override(override) for override in prices.overrides]
    return written


def _read(pricing: Mapping[str, Any]) -> dict[str, float] | None:
    values = {}
    for name, wire_name in _WIRE_NAMES.items():
        if pricing.get(wire_name) is None:
            continue
        try:
            value = float(pricing[wire_name])
        except (TypeError, ValueError):
            return None
        if not 0 <= value < math.inf:
            return None
        values[name] = value
    return values


def _read_override(item: Any) -> PriceOverride | None:
    if not isinstance(item, Mapping):
        return None
    values = _read(item)
    if not values:
        return None
    values.pop("request_usd", None)
    return PriceOverride(
        min_prompt_tokens=_whole(item.get("min_prompt_tokens")),
        utc_start=_whole(item.get("utc_start")),
        utc_end=_whole(item.get("utc_end")),
        **values,
    )


def _whole(value: Any) -> int | None:
    try:
        return None if value is None or isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _write(prices: Prices | PriceOverride) -> dict[str, Any]:
    values = {wire_name: getattr(prices, name, None) for name, wire_name in _WIRE_NAMES.items()}
    return {wire_name: repr(value) for wire_name, value in values.items() if value is not None}


def _write_override(override: PriceOverride) -> dict[str, Any]:
    conditions = {name: getattr(override, name) for name in ("min_prompt_tokens", "utc_start", "utc_end")}
    return _write(override) | {name: value for name, value in conditions.items() if value is not None}
