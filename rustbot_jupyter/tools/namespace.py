"""The user's own variables, and their sizes."""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
from collections.abc import Mapping
from typing import Any

from rustbot_jupyter.tools.short_text import outline_of_array

_OF_IPYTHON = frozenset({"In", "Out", "Err", "exit", "quit", "get_ipython", "open"})


def own_variables(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that the user made: no modules, nothing imported, none of Python's and IPython's own names."""
    # The main thread may add some meanwhile.
    return {name: value for name, value in list(namespace.items()) if is_own(name, value)}


def is_own(name: str, value: Any) -> bool:
    """True if the user made this variable."""
    if name.startswith("_") or name in _OF_IPYTHON or isinstance(value, types.ModuleType):
        return False
    if isinstance(value, type) or inspect.isroutine(value):
        return getattr(value, "__module__", None) == "__main__"
    return True


def size_of(value: Any) -> str:
    """Return how much memory it takes, as a person says it; "" when it does not tell."""
    with contextlib.suppress(Exception):
        return readable_bytes(_bytes_of(value))
    return ""


def _bytes_of(value: Any) -> int:
    if (usage := getattr(value, "memory_usage", None)) is not None and outline_of_array(value):
        used = usage()
        return int(used.sum() if hasattr(used, "sum") else used)
    for measure in ("nbytes", "estimated_size"):
        if (size := getattr(value, measure, None)) is not None:
            return int(size() if callable(size) else size)
    return sys.getsizeof(value)


def readable_bytes(size: int) -> str:
    """`1.2 kB`."""
    number = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
