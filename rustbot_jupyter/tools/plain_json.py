"""Results of functions as JSON values: numbers of numpy, times, decimals, sets, small tables among them."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from rustbot_jupyter.tools.short_text import outline_of_array

DEEPEST = 50
MOST_CELLS = 1_000
"""Of a table or array inside of other data; a larger one is told by its shape."""


def as_json(value: Any) -> str | None:
    """The value as JSON; None for what JSON has no words for."""
    if outline_of_array(value) is not None:
        return None
    try:
        if isinstance(value, dict | list | tuple | int | float) and not hasattr(value, "_fields"):
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return json.dumps(_plain(value, DEEPEST), ensure_ascii=False, allow_nan=False)
    # Attributes and iterators are the user's code; a description will do.
    except Exception:
        return None


def _plain(value: Any, depth: int) -> Any:
    if depth <= 0:
        raise ValueError("nested too deep")
    if value is None or isinstance(value, str | bool):
        return value if value is None or isinstance(value, bool) else str.__str__(value)
    if isinstance(value, Enum):
        return _plain(value.value, depth - 1)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _number(float(value))
    return _container(value, depth) if isinstance(value, _CONTAINERS) else _other(value, depth)


_CONTAINERS = (Mapping, list, tuple, set, frozenset)


def _number(value: float) -> float | str | None:
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def _container(value: Any, depth: int) -> Any:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {_key(key, depth): _plain(each, depth - 1) for key, each in value.items()}
    items = [_plain(each, depth - 1) for each in value]
    return sorted(items, key=json.dumps) if isinstance(value, set | frozenset) else items


def _key(key: Any, depth: int) -> str:
    plain = _plain(key, depth - 1)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _other(value: Any, depth: int) -> Any:
    if _is_missing(value):
        return None
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta | uuid.UUID | PurePath):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = (field.name for field in dataclasses.fields(value) if field.repr)
        return {name: _plain(getattr(value, name, None), depth - 1) for name in shown}
    library = type(value).__module__.partition(".")[0]
    if library == "numpy" and getattr(value, "shape", None) == ():
        return _numpy_scalar(value, depth)
    if outline_of_array(value) is not None:
        return _table(value, depth)
    if library == "pandas":
        return str(value)
    if callable(dump := getattr(type(value), "model_dump", None)):
        # What a model keeps out of `repr` stays out here, too.
        hidden = {name for name, field in type(value).model_fields.items() if not field.repr}
        return _plain(dump(value, mode="json", exclude=hidden), depth - 1)
    raise TypeError(type(value).__name__)


def _is_missing(value: Any) -> bool:
    return type(value).__name__ in ("NaTType", "NAType") and type(value).__module__.startswith("pandas")


def _decimal(value: Decimal) -> Any:
    if not value.is_finite():
        return None if value.is_nan() else str(value)
    # As a number where that says the same.
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


def _numpy_scalar(value: Any, depth: int) -> Any:
    if value.dtype.kind in "mM":
        text = str(value)
        return None if text == "NaT" else text
    return _plain(value.item(), depth - 1)


def _table(value: Any, depth: int) -> Any:
    size = math.prod(value.shape)
    if size > MOST_CELLS:
        return f"<{outline_of_array(value)}>"
    if callable(records := getattr(value, "to_dict", None)) and len(value.shape) == 2:
        # pandas wants to be told; polars has lists of columns, which say the same.
        rows = records("records") if type(value).__module__.startswith("pandas") else records(as_series=False)
        return _plain(rows, depth - 1)
    if callable(records):
        return _plain(records(), depth - 1)
    listed = getattr(value, "to_list", None) or value.tolist
    return _plain(listed(), depth - 1)
