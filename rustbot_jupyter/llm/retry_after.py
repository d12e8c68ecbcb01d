"""The wait that a provider asks for, in every way that providers say it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any


def read_retry_after(headers: Mapping[str, str], error: Mapping[str, Any], status: int | None) -> float | None:
    """Seconds to wait, or None when the provider did not say, or said something unusable.

    Args:
        headers: The answer's headers, names in any case.
        error: The provider's error object.
        status: The HTTP status.
    """
    found = {name.lower(): value for name, value in headers.items()}
    asked = [_seconds_or_date(found.get("retry-after")), _scaled(found.get("retry-after-ms"), 1e-3)]
    said = [seconds for seconds in asked if seconds is not None]
    if said:
        # Azure sends 1 s and 0 ms together.
        return max(said)
    availability = error.get("availability")
    if isinstance(availability, Mapping):
        seconds = _scaled(availability.get("retry_after"), 1.0)
        if seconds is not None:
            return seconds
    return _reset(found, error) if status == 429 else None


def _reset(headers: Mapping[str, str], error: Mapping[str, Any]) -> float | None:
    metadata = error.get("metadata")
    inner = metadata.get("headers") if isinstance(metadata, Mapping) else None
    names = {str(name).lower(): value for name, value in inner.items()} if isinstance(inner, Mapping) else {}
    reset = _scaled(headers.get("x-ratelimit-reset", names.get("x-ratelimit-reset")), 1.0)
    if reset is None:
        return None
    if reset > 1e12:
        reset /= 1000
    # Small numbers are a wait, large ones a point in time (epoch).
    return max(0.0, reset - time.time()) if reset > 1e9 else reset


def _seconds_or_date(value: str | None) -> float | None:
    seconds = _scaled(value, 1.0)
    if seconds is not None or value is None:
        return seconds
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - time.time())


def _scaled(value: Any, factor: float) -> float | None:
    try:
        number = float(value) * factor
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < math.inf and not isinstance(value, bool) else None
