"""The arguments of a tool call: from a model's text, however odd, to a plain JSON object."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.messages import ToolCallPart

DEEPEST = 50
"""Lists and objects inside each other."""


def parsed(call: ToolCallPart) -> dict[str, Any]:
    """The arguments as the model wrote them.

    Raises:
        ToolError: They are no JSON object, or one that could be read in two ways.
    """
    if call.is_cut:
        raise ToolError(
            f"{call.name!r} was not run: the answer reached its length limit before the call was whole. Write it "
            "again, shorter or in parts."
        )
    try:
        arguments = strict_json(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise ToolError(
            f"{call.name!r} was not run: its arguments are not JSON ({reason}). Write them again, whole and valid."
        ) from error
    if not isinstance(arguments, dict):
        raise ToolError(f"{call.name!r} was not run: its arguments are no JSON object. Write them again as one.")
    return arguments


def strict_json(text: str) -> Any:
    """The JSON value that a text is.

    Raises:
        ValueError: It is none, one that could be read in two ways, or one that cannot be stored.
        RecursionError: It is nested too deep.
    """
    value = json.loads(
        text, object_pairs_hook=_without_doubles, parse_constant=_refused_constant, parse_float=_finite_number
    )
    if _is_deep(value):
        raise RecursionError
    if not text.isascii() or "\\u" in text:
        # Half of a character is nothing that can be stored or sent.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{double!r} is there twice")
    return found


def _refused_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _is_deep(value: Any) -> bool:
    layer = [value]
    for _ in range(DEEPEST):
        layer = [
            item
            for each in layer
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not layer:
            return False
    return True
