"""Python's own functions as an expression may call them: none changes anything, all are bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools import evaluate_limits as limits
from rustbot_jupyter.tools.evaluate_limits import MOST_ITEMS, refuse
from rustbot_jupyter.tools.evaluate_names import CONTAINERS, MAPPINGS, VIEWS, is_known, library_of
from rustbot_jupyter.tools.short_text import type_name


class PureFunction:
    """A function that an expression may call, and hand to `sorted`, `min`, `max` and `map`.

    Args:
        name: As in Python.
        function: Checks what it gets and computes the result.
        kind: The class that it stands for in `isinstance`, if it is one.
    """

    def __init__(self, name: str, function: Callable[..., Any], kind: type | None = None) -> None:
        self.name = name
        self.kind = kind
        self._function = function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._function(*arguments, **named)

    def __repr__(self) -> str:
        return f"<built-in function {self.name}>"


def items_of(value: Any) -> list[Any]:
    """All items of something that can be gone through again and again; an iterator would be used up by it."""
    kind = type(value)
    is_library = library_of(kind) in ("numpy", "pandas", "polars") and is_known(value) and hasattr(kind, "__len__")
    if not is_library and kind not in _REPEATABLE:
        raise refuse(f"going through a {type_name(value)!r} may change it")
    items = list(islice(value, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise refuse(f"it goes through more than {MOST_ITEMS:,} items")
    return items


_REPEATABLE = CONTAINERS | MAPPINGS | VIEWS | {str, bytes, range}


def _plain_items(value: Any) -> list[Any]:
    items = items_of(value)
    limits.check_plain(items)
    return items


def _sum(values: Any, start: Any = 0) -> Any:
    items = _plain_items(values)
    # Lists and texts in a sum grow with each step.
    for item in (*items[:1], start):
        if not isinstance(item, int | float | complex) and not hasattr(item, "dtype") and type(item) not in _NUMBERS:
            raise refuse(f"a sum of {type_name(item)!r} can grow without measure")
    total = start
    for item in items:
        if type(total) in CONTAINERS or type(item) in CONTAINERS or isinstance(item, str):
            raise refuse(f"a sum of {type_name(item)!r} can grow without measure")
        total = total + item
    return total


def _numbers() -> frozenset[type]:
    import datetime
    import decimal
    import fractions

    return frozenset({datetime.timedelta, decimal.Decimal, fractions.Fraction})


_NUMBERS = _numbers()


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(*values: Any, key: Any = None, **named: Any) -> Any:
        items = _plain_items(values[0]) if len(values) == 1 else limits.check_plain(list(values))
        _check_named(named, {"default"})
        return pick(items, key=_key(key), **named)

    return extreme


def _sorted(values: Any, *, key: Any = None, reverse: Any = False) -> list[Any]:
    return sorted(_plain_items(values), key=_key(key), reverse=bool(reverse))


def _key(key: Any) -> Any:
    if key is None or isinstance(key, PureFunction):
        return key
    raise refuse("a key may be one of Python's own functions only")


def _check_named(named: Mapping[str, Any], allowed: set[str]) -> None:
    if set(named) - allowed:
        raise ToolError(f"The expression failed: unexpected argument {sorted(set(named) - allowed)[0]!r}.")


def _round(number: Any, digits: Any = None) -> Any:
    if digits is not None and (type(digits) is not int or abs(digits) > 400):
        raise refuse("it rounds to a number of digits that is not a small one")
    return _numeric(round)(number) if digits is None else _numeric(round)(number, digits)


def _numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    def compute(*values: Any) -> Any:
        for value in limits.check_plain(list(values)):
            # A Decimal of 1e999999 has a million digits as an int.
            if getattr(value, "adjusted", None) is not None and abs(value.adjusted()) > 1_000:
                raise refuse("it works with a number of thousands of digits")
        return function(*values)

    return compute


def _int(value: Any = 0, base: Any = None) -> int:
    if isinstance(value, str | bytes) and len(value) > 4_000:
        raise refuse("it works with a number of thousands of digits")
    return int(value, base) if base is not None else int(_numeric(lambda number: number)(value))


def _text(function: Callable[[Any], str]) -> Callable[..., str]:
    def write(value: Any = "") -> str:
        limits.check_text(value)
        return function(value)

    return write


def _made(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: kind(*(_plain_items(value) for value in values[:1]))


def _dict(values: Any = ()) -> dict[Any, Any]:
    pairs = values.items() if type(values) in MAPPINGS else [tuple(items_of(pair)) for pair in items_of(values)]
    return dict(limits.check_plain(list(pairs)))


def _map(function: Any, *iterables: Any) -> list[Any]:
    if not isinstance(function, PureFunction):
        raise refuse("'map' may apply Python's own functions only")
    return [function(*values) for values in zip(*map(items_of, iterables), strict=False)]


def _range(*numbers: Any) -> range:
    return range(*numbers)


def _zip(*iterables: Any) -> list[tuple[Any, ...]]:
    return list(zip(*map(items_of, iterables), strict=False))


def _enumerate(values: Any, start: int = 0) -> list[tuple[int, Any]]:
    return list(enumerate(items_of(values), start))


def _len(value: Any) -> int:
    if not is_known(value):
        raise refuse(f"the length of a {type_name(value)!r} may do anything")
    return len(value)


def _isinstance(value: Any, kind: Any) -> bool:
    if not isinstance(kind, PureFunction) or kind.kind is None:
        raise refuse("'isinstance' may ask for one of Python's own types only")
    return issubclass(type(value), kind.kind)


def _any_or_all(function: Callable[[Iterable[Any]], bool]) -> Callable[[Any], bool]:
    return lambda values: function(_plain_items(values))


_FUNCTIONS: dict[str, tuple[Callable[..., Any], type | None]] = {
    "len": (_len, None),
    "sum": (_sum, None),
    "min": (_extreme(min), None),
    "max": (_extreme(max), None),
    "sorted": (_sorted, None),
    "round": (_round, None),
    "abs": (_numeric(abs), None),
    "divmod": (_numeric(divmod), None),
    "any": (_any_or_all(any), None),
    "all": (_any_or_all(all), None),
    "int": (_int, int),
    "float": (_numeric(float), float),
    "bool": (_numeric(bool), bool),
    "complex": (_numeric(complex), complex),
    "str": (_text(str), str),
    "repr": (_text(repr), None),
    "list": (_made(list), list),
    "tuple": (_made(tuple), tuple),
    "set": (_made(set), set),
    "frozenset": (_made(frozenset), frozenset),
    "dict": (_dict, dict),
    "map": (_map, None),
    "range": (_range, range),
    "zip": (_zip, None),
    "enumerate": (_enumerate, None),
    "reversed": (lambda values: items_of(values)[::-1], None),
    "type": (lambda value: type(value), None),
    "isinstance": (_isinstance, None),
    "ord": (_numeric(ord), None),
    "chr": (_numeric(chr), None),
    "hex": (_numeric(hex), None),
    "bin": (_numeric(bin), None),
    "oct": (_numeric(oct), None),
}
BUILTINS: Mapping[str, PureFunction] = {
    name: PureFunction(name, function, kind) for name, (function, kind) in _FUNCTIONS.items()
}
