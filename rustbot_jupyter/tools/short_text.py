"""Short, safe text for any Python object: it never raises, never runs long, and says what was left out."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

MAX_DEPTH = 4
MAX_NESTED_ITEMS = 20
MAX_ATOM_CHARS = 200


def clip(text: str, limit: int) -> str:
    """The text, or its beginning with a note of how much is missing; at most `limit` characters."""
    if len(text) <= limit:
        return text
    note = f" … (cut; {len(text):,} characters in total)"
    return text[: max(0, limit - len(note))] + note[-limit:] if limit > 0 else ""


def clip_quietly(text: str, limit: int) -> str:
    """The text on one line, ending in "…" when it is longer than `limit`."""
    line = " ".join(text[: limit * 4].split())
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1] + "…"


def type_name(value: Any) -> str:
    """The type as a person says it: `int`, `pandas DataFrame`, `Robot` (the user's own)."""
    kind = value if isinstance(value, type) else type(value)
    package = str(getattr(kind, "__module__", "")).partition(".")[0]
    return kind.__qualname__ if package in ("builtins", "__main__", "") else f"{package} {kind.__qualname__}"


def safe_repr(value: Any, limit: int = MAX_ATOM_CHARS) -> str:
    """`repr(value)` on one line, cut to `limit`; the type's name when `repr` fails."""
    if isinstance(value, str | bytes | bytearray) and len(value) > limit:
        return f"{value[: limit // 2]!r}… ({len(value):,} in total)"
    try:
        text = repr(value)
    # A user's __repr__ may raise anything; the variable must still be named.
    except Exception as error:
        return f"<{type_name(value)}; its repr fails with {type(error).__name__}>"
    return clip_quietly(text, limit)


def has_default_repr(value: Any) -> bool:
    """Whether `repr` would only give the type's name and an address."""
    return getattr(type(value), "__repr__", None) is object.__dict__["__repr__"]


def pieces(value: Any, *, depth: int = 0) -> Iterator[str]:
    """The text of a value bit by bit, so that a reader with a budget can stop early.

    Containers deeper than the first level show their first items only; what is not a plain container or atom
    comes as one short line.
    """
    brackets = _brackets(value)
    if brackets is None:
        yield _outline(value) or safe_repr(value)
        return
    opening, closing = brackets
    yield opening
    if value and depth >= MAX_DEPTH:
        yield "…"
    else:
        yield from _items(value, depth)
    yield closing


def outline_of_array(value: Any) -> str | None:
    """`"pandas DataFrame 3 × 2"` for what has a shape, else None; never its contents."""
    shape = getattr(value, "shape", None) if not isinstance(value, type) else None
    if not isinstance(shape, tuple) or not all(isinstance(size, int) for size in shape) or shape == ():
        return None
    return f"{type_name(value)} {' × '.join(f'{size:,}' for size in shape)}"


def _outline(value: Any) -> str | None:
    try:
        outline = outline_of_array(value)
    # `shape` can be a property of the user's that raises.
    except Exception:
        return None
    return f"<{outline}>" if outline else None


def _brackets(value: Any) -> tuple[str, str] | None:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__qualname__}(", ")"
    for kind, brackets in _BRACKETS.items():
        if type(value) is kind:
            return brackets
    for kind, brackets in _BRACKETS.items():
        if isinstance(value, kind):
            return f"{type(value).__qualname__}({brackets[0]}", f"{brackets[1]})"
    return None


_BRACKETS: dict[type, tuple[str, str]] = {
    dict: ("{", "}"),
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}


def _items(value: Any, depth: int) -> Iterator[str]:
    if dataclasses.is_dataclass(value):
        shown: Iterator[tuple[str, Any]] = (
            (f"{field.name}=", getattr(value, field.name, None)) for field in dataclasses.fields(value)
        )
        size = len(dataclasses.fields(value))
    elif isinstance(value, dict):
        shown = ((f"{safe_repr(key)}: ", item) for key, item in value.items())
        size = len(value)
    else:
        shown = (("", item) for item in value)
        size = len(value)
    limit = MAX_NESTED_ITEMS if depth else size
    for number, (label, item) in enumerate(islice(shown, limit)):
        yield f"{', ' if number else ''}{label}"
        yield from pieces(item, depth=depth + 1)
    if size > limit:
        yield f", … {size - limit:,} more"
    elif isinstance(value, tuple) and size == 1:
        yield ","
