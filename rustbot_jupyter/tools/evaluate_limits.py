"""Limits to the size of things while an expression is evaluated; asked before they are made."""

from __future__ import annotations

import ast
import math
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.evaluate_names import CONTAINERS, MAPPINGS, VIEWS, is_known, library_of
from rustbot_jupyter.tools.short_text import type_name

MOST_CHARS = 1_000_000
MOST_ITEMS = 1_000_000
MOST_BITS = 10_000
MOST_CELLS = 50_000_000
MOST_DEPTH = 40


class Unassured(ToolError):
    """The expression may do more than read, or grow beyond measure."""


def refuse(what: str) -> Unassured:
    """The error for what cannot be assured to be read-only."""
    return Unassured(f"This cannot be evaluated, as {what}. Use `run_code`, which asks the user first.")


def check_plain(value: Any) -> Any:
    """The value, if all in it is of kinds whose operators only read, and there is not too much of it."""
    weight(value)
    return value


def weight(value: Any, per_char: float = 1 / 64, depth: int = 0, known: dict[int, int] | None = None) -> int:
    """Return how much work it is to go through all of a value; what is in it twice counts twice."""
    kind = type(value)
    if kind is str or kind is bytes:
        return 1 + int(len(value) * per_char)
    if kind not in CONTAINERS and kind not in MAPPINGS and kind not in VIEWS:
        if not is_known(value):
            raise refuse(f"it works with a {type_name(value)!r}, which may do anything")
        _check_objects(value)
        return 1
    if depth > MOST_DEPTH:
        raise refuse("it works with something that is nested too deeply")
    known = {} if known is None else known
    if id(value) not in known:
        # Within itself it is endless.
        known[id(value)] = MOST_ITEMS + 1
        known[id(value)] = sum_of(weight(item, per_char, depth + 1, known) for item in _parts(value))
    return known[id(value)]


def _check_objects(value: Any) -> None:
    """True if a column of Python objects holds plain ones: its operators are those of its cells."""
    for cells in _columns_of_objects(value):
        for cell in {type(cell): cell for cell in cells}.values():
            if type(cell) not in CONTAINERS and not is_known(cell):
                raise refuse(f"it works with a {type_name(cell)!r} in a cell, which may do anything")


def _columns_of_objects(value: Any) -> Iterator[Iterable[Any]]:
    library = library_of(type(value))
    if library == "pandas" and hasattr(value, "dtypes") and getattr(value, "ndim", 1) == 2:
        places = [place for place, dtype in enumerate(value.dtypes) if str(dtype) == "object"]
        yield from (value.iloc[:, place].to_numpy() for place in places)
    elif library in ("numpy", "pandas") and str(getattr(value, "dtype", "")) == "object":
        yield value.ravel() if library == "numpy" and hasattr(value, "ravel") else value.to_numpy()


def sum_of(weights: Iterable[int]) -> int:
    """Their sum, refused once it is too much."""
    total = 1
    for each in weights:
        total += each
        if total > MOST_ITEMS:
            raise refuse(f"it works with more than {MOST_ITEMS:,} items")
    return total


def _parts(value: Any) -> Iterable[Any]:
    if type(value) in MAPPINGS:
        return (part for pair in value.items() for part in pair)
    return list(value) if isinstance(value, deque) else value


def check_text(value: Any) -> None:
    """True if the value's text is of a reasonable length."""
    weight(value, per_char=1)


def check_operator(operator: ast.operator, left: Any, right: Any) -> None:
    """True if the result of `left operator right` has a reasonable size."""
    if isinstance(operator, ast.MatMult):
        raise refuse("'@' can make a huge array of two small ones")
    if isinstance(operator, ast.Mod) and isinstance(left, str | bytes):
        raise refuse("'%' on a text can make it any length")
    if _is_integer(left) and _is_integer(right):
        _check_integers(operator, int(left), int(right))
    elif isinstance(operator, ast.Pow):
        _check_power(left, right)
    for sequence, number in ((left, right), (right, left)):
        if isinstance(operator, ast.Mult) and isinstance(sequence, str | bytes | list | tuple | deque):
            _check_repeated(sequence, number)
    if isinstance(operator, ast.Add) and isinstance(left, str | bytes) and isinstance(right, str | bytes):
        _check_length(len(left) + len(right))
    _check_arrays(left, right)


def check_value(value: Any) -> None:
    """True if what an operator or a display made is of a reasonable size."""
    if type(value) in CONTAINERS or type(value) in MAPPINGS:
        weight(value)


def _is_integer(value: Any) -> bool:
    return type(value) is int or type(value) is bool


def _check_integers(operator: ast.operator, left: int, right: int) -> None:
    bits = 0
    if isinstance(operator, ast.Pow):
        bits = left.bit_length() * max(0, right)
    elif isinstance(operator, ast.LShift):
        bits = left.bit_length() + max(0, right)
    elif isinstance(operator, ast.Mult):
        bits = left.bit_length() + right.bit_length()
    if bits > MOST_BITS:
        raise refuse("its number would have thousands of digits")


def _check_power(left: Any, right: Any) -> None:
    for value in (left, right):
        if not isinstance(value, int | float | complex) and library_of(type(value)) not in (
            "numpy",
            "pandas",
            "polars",
        ):
            raise refuse(f"a power of a {type_name(value)!r} can have any number of digits")
        dtypes = getattr(value, "dtypes", getattr(value, "dtype", ""))
        if "object" in str(dtypes):
            raise refuse("a power of Python objects can have any number of digits")


def _check_repeated(sequence: Any, number: Any) -> None:
    if isinstance(sequence, str | bytes):
        if _is_integer(number):
            _check_length(len(sequence) * int(number))
    elif _is_integer(number) and weight(sequence) * int(number) > MOST_ITEMS:
        raise refuse(f"it would make more than {MOST_ITEMS:,} items")
    if not _is_integer(number):
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(number, numpy.integer):
            _check_repeated(sequence, int(number))


def _check_length(chars: int) -> None:
    if chars > MOST_CHARS:
        raise refuse(f"it would make a text of more than {MOST_CHARS:,} characters")


def _check_arrays(left: Any, right: Any) -> None:
    shapes = [value.shape for value in (left, right) if isinstance(getattr(value, "shape", None), tuple)]
    if len(shapes) < 2:
        return
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(left, _pandas_kinds()) and isinstance(right, _pandas_kinds()):
        _check_labels(left, right)
        return
    longest = max(len(shape) for shape in shapes)
    padded = [(1,) * (longest - len(shape)) + tuple(shape) for shape in shapes]
    if math.prod(max(sizes) for sizes in zip(*padded, strict=True)) > MOST_CELLS:
        raise refuse(f"it would make an array of more than {MOST_CELLS:,} cells")


def _pandas_kinds() -> tuple[type, ...]:
    pandas = sys.modules["pandas"]
    return (pandas.DataFrame, pandas.Series)


def _check_labels(left: Any, right: Any) -> None:
    # Rows with the same label are paired each with each.
    if not (left.index.equals(right.index) or (left.index.is_unique and right.index.is_unique)):
        raise refuse("rows whose labels repeat would be paired each with each")


def check_subscript(value: Any, key: Any) -> None:
    """True if `value[key]` is of a reasonable size, and changes nothing."""
    if getattr(value, "default_factory", None) is not None and key not in value:
        raise refuse("a key that is missing would be added to the 'defaultdict'")
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        keys = key if isinstance(key, tuple) else (key,)
        picked = math.prod(max(1, numpy.size(each)) for each in keys if isinstance(each, list | numpy.ndarray))
        row = value.size // max(1, value.shape[0] if value.ndim else 1)
        if picked * max(1, row) > MOST_CELLS:
            raise refuse(f"it would make an array of more than {MOST_CELLS:,} cells")
    elif isinstance(key, list) and len(key) * _cells_of_one(value) > MOST_CELLS:
        raise refuse(f"it would pick more than {MOST_CELLS:,} cells")


def _cells_of_one(value: Any) -> int:
    """Return how many cells a row or a column has, whichever is longer."""
    shape = getattr(value, "shape", None)
    return max(shape, default=1) if isinstance(shape, tuple) else 1


def check_table(value: Any, name: str) -> None:
    """True if a method of a frame gives something of a reasonable size."""
    shape = getattr(value, "shape", ())
    if not isinstance(shape, tuple) or not shape:
        return
    cells = math.prod(shape)
    if name in _ONE_OBJECT_A_CELL and cells > MOST_ITEMS:
        raise refuse(f"{name!r} would make more than {MOST_ITEMS:,} Python objects; take the `head` first")
    if name in _SQUARE and len(shape) > 1 and shape[1] > 1_000:
        raise refuse(f"{name!r} of {shape[1]:,} columns is too large")
    if name in _TURNED and len(shape) > 1 and shape[0] > 10_000 and library_of(type(value)) != "numpy":
        raise refuse(f"{name!r} of {shape[0]:,} rows is too large")


_ONE_OBJECT_A_CELL = frozenset({"tolist", "to_list", "to_dict", "to_dicts", "rows", "melt"})
_SQUARE = frozenset({"corr", "cov"})
_TURNED = frozenset({"T", "transpose"})


def check_join(separator: str, parts: Iterable[str]) -> None:
    """True if `separator.join(parts)` is of a reasonable length."""
    _check_length(sum(len(part) + len(separator) for part in parts if isinstance(part, str)))


def check_replace(text: str, old: str, new: str) -> None:
    """True if `text.replace(old, new)` is of a reasonable length."""
    _check_length(len(text) + (len(text) + 1 if not old else text.count(old)) * len(new))


def check_numbers(name: str, values: Iterable[Any], named: Mapping[str, Any]) -> None:
    """True if numbers that may be sizes are reasonable ones."""
    if any(_is_integer(value) and abs(value) > MOST_ITEMS for value in (*values, *named.values())):
        raise refuse(f"{name!r} is given a number beyond {MOST_ITEMS:,}")
