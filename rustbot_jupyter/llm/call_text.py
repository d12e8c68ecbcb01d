"""The arguments of a tool call, mended where there is no doubt what was meant."""

from __future__ import annotations

import json
from typing import Any, NoReturn

_FENCE = "```"


def mended(arguments: str) -> str:
    """The arguments as strict JSON; as they are where there is more wrong with them.

    Mended are control characters in texts, a fence around the whole, and an object that is written as a text.
    """
    if is_json(arguments):
        return _unwrapped(arguments)
    try:
        value = json.loads(
            _without_fence(arguments), strict=False, object_pairs_hook=_without_doubles, parse_constant=_refused
        )
        return _unwrapped(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (ValueError, RecursionError):
        return arguments


def is_json(text: str) -> bool:
    """True if it is one JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _unwrapped(text: str) -> str:
    """The object that a JSON text holds as a text; any other JSON as it is."""
    if not text.lstrip().startswith('"'):
        return text
    inner = json.loads(text)
    return inner if is_json(inner) and isinstance(json.loads(inner), dict) else text


def _without_fence(text: str) -> str:
    first, _, rest = text.strip().partition("\n")
    is_fenced = first.strip() in (_FENCE, f"{_FENCE}json") and rest.endswith(_FENCE)
    return rest.removesuffix(_FENCE) if is_fenced else text


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Which of the two is meant is for the model to say.
        raise ValueError
    return found


def _refused(name: str) -> NoReturn:
    raise ValueError(name)
