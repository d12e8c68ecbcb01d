"""Short, safe text for any Python object: it never raises, never runs long, and says what was left out."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from rustbot_jupyter.key_forms import REDACTED
from rustbot_jupyter.masking import is_environment
from rustbot_jupyter.secret_names import is_secret

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
    if type(value) is int and value.bit_length() > _READABLE_BITS:
        return number_text(value)
    try:
        text = repr(value)
    except BaseException as error:
        return f"<{type_name(value)}; its repr fails with {type(contained(error)).__name__}>"
    return clip_quietly(text, limit)


def contained(error: BaseException) -> BaseException:
    """Return an error that a user's object raised while it was looked at: it may be anything, yet the object is named.

    Raises:
        KeyboardInterrupt: The user interrupts, which only the main thread is told.
    """
    if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
        raise error
    return error


_READABLE_BITS = 130
"""Some 40 digits. Python itself refuses to write more than 4,300."""
_EXACT_IN_FLOATS = 2**53
_FRACTION_CHARS = 14
_DIGITS = 6


def number_text(value: int | float) -> str:
    """A number that is what it says: whole ones in full, long fractions and long whole ones with a "…" where cut."""
    if isinstance(value, int):
        if value.bit_length() <= _READABLE_BITS:
            return int.__repr__(value)
        digits = int(value.bit_length() * math.log10(2)) + 1
        return f"{'-' if value < 0 else ''}{abs(value) // 10 ** (digits - _DIGITS)}… (about {digits:,} digits)"
    if not math.isfinite(value):
        return float.__repr__(value)
    if value.is_integer() and abs(value) <= _EXACT_IN_FLOATS:
        return str(int(value))
    text = float.__repr__(value)
    if len(text) <= _FRACTION_CHARS:
        return text
    mantissa, exponent_sign, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    kept = fraction[: max(2, _DIGITS - len(whole.lstrip("-0")))]
    # What is left of 0.0000123 would be nothing but zeros.
    zeros = len(fraction) - len(fraction.lstrip("0")) if not whole.strip("-0") else 0
    kept = fraction[: max(len(kept), zeros + _DIGITS)] if zeros else kept
    cut = "…" if len(kept) < len(fraction) else ""
    return f"{whole}.{kept}{cut}{exponent_sign}{exponent}"


def has_default_repr(value: Any) -> bool:
    """True if `repr` would only give the type's name and an address."""
    return getattr(type(value), "__repr__", None) is object.__dict__["__repr__"]


def pieces(value: Any, *, depth: int = 0) -> Iterator[str]:
    """The text of a value bit by bit, so that a reader with a budget can stop early.

    Containers deeper than the first level show their first items only; what is not a plain container or atom comes as
    one short line. What its class keeps out of `repr` stays out, and so does what its name says is secret.
    """
    if _is_environment(value):
        # Keys and passwords stand there: their names will do.
        yield f"<environment variables, without their values: {', '.join(map(str, value))}>"
        return
    brackets = _brackets(value)
    if brackets is None:
        yield _outline(value) or safe_repr(value)
        return
    opening, closing = brackets
    yield opening
    if depth >= MAX_DEPTH and _labelled(value)[1]:
        yield "…"
    else:
        yield from _items(value, depth)
    yield closing


def is_walked(value: Any) -> bool:
    """True if `pieces` looks into it; what has a `repr` of its own is told by that alone."""
    return _brackets(value) is not None


def _is_environment(value: Any) -> bool:
    try:
        return is_environment(value)
    # A mapping of the user's may fail at anything.
    except BaseException as error:
        contained(error)
        return False


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
    except BaseException as error:
        contained(error)
        return None
    return f"<{outline}>" if outline else None


def _brackets(value: Any) -> tuple[str, str] | None:
    kind = type(value)
    if kind in _BRACKETS:
        return _BRACKETS[kind]
    if _has_fields(kind):
        return f"{kind.__qualname__}(", ")"
    if kind.__repr__ not in _PLAIN_REPRS:
        return None
    for base, brackets in _BRACKETS.items():
        if isinstance(value, base):
            return f"{kind.__qualname__}({brackets[0]}", f"{brackets[1]})"
    return None


def _has_fields(kind: type) -> bool:
    """True for dataclasses and named tuples whose `repr` is the one that Python made for them."""
    shown: Any = kind.__repr__
    if dataclasses.is_dataclass(kind):
        made: Any = getattr(shown, "__wrapped__", None)
        return getattr(getattr(made, "__code__", None), "co_filename", "") == "<string>"
    return issubclass(kind, tuple) and hasattr(kind, "_fields") and getattr(shown, "__module__", "") == "collections"


_BRACKETS: dict[type, tuple[str, str]] = {
    dict: ("{", "}"),
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
    type({}.keys()): ("dict_keys([", "])"),
    type({}.values()): ("dict_values([", "])"),
    type({}.items()): ("dict_items([", "])"),
}
_PLAIN_REPRS = {kind.__repr__ for kind in (*_BRACKETS, OrderedDict, defaultdict, Counter)}


def _labelled(value: Any) -> tuple[Iterator[tuple[str, Any, bool]], int]:
    """The items with what stands before them, and whether their name makes them secret; and how many there are."""
    if _has_fields(type(value)):
        if isinstance(value, tuple):
            names: list[str] = list(value._fields)  # type: ignore[attr-defined]
        else:
            names = [field.name for field in dataclasses.fields(value) if field.repr]
        fields = [(name, getattr(value, name, None)) for name in names]
        return ((f"{name}=", item, is_secret(name, item)) for name, item in fields), len(fields)
    if isinstance(value, dict):
        return ((f"{safe_repr(key)}: ", item, is_secret(key, item)) for key, item in value.items()), len(value)
    return (("", item, False) for item in value), len(value)


def _items(value: Any, depth: int) -> Iterator[str]:
    shown, size = _labelled(value)
    limit = MAX_NESTED_ITEMS if depth else size
    for number, (label, item, is_hidden) in enumerate(islice(shown, limit)):
        yield f"{', ' if number else ''}{label}"
        yield from (REDACTED,) if is_hidden else pieces(item, depth=depth + 1)
    if size > limit:
        yield f", … {size - limit:,} more"
    elif size == 1 and isinstance(value, tuple) and not _has_fields(type(value)):
        yield ","
