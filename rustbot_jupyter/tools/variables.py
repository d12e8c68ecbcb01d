"""The user's variables as text for a model: the one place where a value becomes text.

`describe` keeps to a budget of characters and, with `schema_only`, to names, dtypes and shapes: no cell value, no
category, no row label, no text, number, key, default or message. It takes plain objects and knows no kernel; the
objects' own code (`__repr__`, properties) may fail without harm.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
import re
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.key_forms import REDACTED
from rustbot_jupyter.masking import is_environment, masked
from rustbot_jupyter.secret_names import is_secret
from rustbot_jupyter.tools import tables
from rustbot_jupyter.tools.evaluate_names import library_of
from rustbot_jupyter.tools.known_objects import figure_text, is_model, is_plot, model_text
from rustbot_jupyter.tools.short_text import (
    clip,
    contained,
    has_default_repr,
    is_walked,
    number_text,
    outline_of_array,
    pieces,
    safe_repr,
    type_name,
)

DEFAULT_BUDGET_CHARS = 6_000
"""About 1,500 tokens, at four characters a token."""
INLINE_TEXT_CHARS = 100_000
"""A string put into a question is the question's own text, so it gets more room than a description."""
MIN_BUDGET_CHARS = 80


def describe(
    name: str,
    value: Any,
    *,
    schema_only: bool = False,
    budget_chars: int = DEFAULT_BUDGET_CHARS,
    inline: bool = False,
) -> str:
    """Return what a model should know about a variable; never a secret, see `masking`.

    Args:
        name: What the user calls it; heads the text. When its last word is one for secrets, the value is left out.
        value: Anything.
        schema_only: Names, dtypes and shapes only.
        budget_chars: The text is not longer than this (at least `MIN_BUDGET_CHARS`); a cut is noted in it.
        inline: For the middle of a sentence: text, numbers and containers come bare, without the heading.
    """
    budget = max(MIN_BUDGET_CHARS, budget_chars)
    try:
        if _is_secret(name, value):
            return REDACTED if inline else f"{_schema(name, value, budget)} (left out, as its name says it is secret)"
        if schema_only:
            return clip(_schema(name, value, budget), budget)
        if inline:
            room = max(budget, INLINE_TEXT_CHARS) if isinstance(value, str) else budget
            return clip(masked(_inline(name, value, budget)), room)
        return clip(masked(_block(name, value, budget)), budget)
    # Whatever the user's object raises while it is looked at, the question must still go out.
    except BaseException as error:
        return f"{name}: {type_name(value)} (cannot be shown: {type(contained(error)).__name__})"


def _is_secret(name: str, value: Any) -> bool:
    # Of `settings.password` and `login["password"]` the last part is the value's name.
    words = re.findall(r"[\w-]+", name[-200:])
    return bool(words) and is_secret(words[-1], value)


def describe_variables(
    namespace: Mapping[str, Any],
    names: Iterable[str],
    *,
    schema_only: bool = False,
    budget_chars: int = DEFAULT_BUDGET_CHARS,
) -> str:
    """Several variables below each other; each gets `budget_chars`, all together at most three times that.

    Raises:
        RequestError: A name is not in the namespace.
    """
    wanted = list(dict.fromkeys(names))
    each = min(budget_chars, 3 * budget_chars // max(1, len(wanted)))
    blocks = [describe(name, _look_up(namespace, name), schema_only=schema_only, budget_chars=each) for name in wanted]
    return "\n\n".join(blocks)


def _look_up(namespace: Mapping[str, Any], name: str) -> Any:
    try:
        return namespace[name]
    except KeyError:
        near = difflib.get_close_matches(name, [known for known in list(namespace) if known[:1] != "_"], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "run the cell that makes it, or leave it out."
        raise RequestError(f"There is no variable {name!r} in this notebook; {hint}") from None


def _inline(name: str, value: Any, budget: int) -> str:
    if is_environment(value):
        return _environment_text(value, budget)
    if isinstance(value, str):
        # A little more than there is room for: what is cut is seen to be.
        return str(value)[: max(budget, INLINE_TEXT_CHARS) + 1]
    if is_walked(value):
        return _container_text(value, budget)
    if isinstance(value, Iterator):
        return _iterator_text(value)
    if type(value) is int:
        return safe_repr(value)
    if tables.as_table(value) is None and outline_of_array(value) is None and not _is_code(value):
        return f"module {value.__name__}" if isinstance(value, types.ModuleType) else clip(str(value), budget)
    return clip(_block(name, value, budget), budget)


def _is_code(value: Any) -> bool:
    return isinstance(value, type) or inspect.isroutine(value)


def _block(name: str, value: Any, budget: int) -> str:
    table = tables.as_table(value)
    if table is not None:
        head = f"{name}: {tables.heading(table)}"
        return f"{head}\n{tables.full_text(table, budget - len(head) - 1)}"
    for matches, text in _KINDS:
        if matches(value):
            return f"{name}: {text(value, budget - len(name) - 2)}"
    return f"{name}: {_object_text(value, budget)}"


def _string_text(value: str, budget: int) -> str:
    head = f"{type_name(value)}, {len(value):,} characters\n"
    return head + clip(str(value), budget - len(head))


def _bytes_text(value: Any, budget: int) -> str:
    return f"{type_name(value)}, {len(value):,} bytes: {safe_repr(bytes(value[:100]))}{'…' if len(value) > 100 else ''}"


def _sized_text(value: Any, budget: int) -> str:
    if not isinstance(value, Collection):
        return f"{type_name(value)} = {_container_text(value, budget - 40)}"
    head = f"{type_name(value)}, {_count(value)}\n"
    return head + _container_text(value, budget - len(head))


def _container_text(value: Any, budget: int) -> str:
    text = ""
    for piece in pieces(value):
        text += piece
        if len(text) > budget:
            note = f" … (cut; {_count(value)} in total)" if isinstance(value, Collection) else " … (cut)"
            return text[: max(0, budget - len(note))] + note
    return text


def _count(value: Any) -> str:
    noun = "entries" if isinstance(value, dict) else "items"
    return f"{len(value):,} {noun if len(value) != 1 else noun.replace('ies', 'y').removesuffix('s')}"


def _code_text(value: Any, budget: int) -> str:
    try:
        return f"{_code_kind(value)}\n{inspect.getsource(value)}"
    # Built-in and C functions have no source; what was typed into a plain shell has none either.
    except (OSError, TypeError):
        return f"{_signature(value, str)}\n{inspect.getdoc(value) or ''}".rstrip()


def _exception_text(value: BaseException, budget: int) -> str:
    chain: list[str] = []
    error: BaseException | None = value
    while error is not None and len(chain) < 5:
        chain.append(f"{type(error).__qualname__}: {error}")
        error = error.__cause__ or error.__context__
    return "exception " + "\ncaused by ".join(chain)


def _array_text(value: Any, budget: int) -> str:
    numpy = sys.modules["numpy"]
    lines = [_array_heading(value)]
    if value.dtype.kind in "iuf" and value.size:
        lines.append(_array_statistics(value))
    lines.append(numpy.array2string(value, threshold=60, edgeitems=3, precision=4))
    return "\n".join(lines)


def _array_heading(value: Any) -> str:
    return f"{type_name(value)} of {tables.dtype_name(value.dtype)}, shape {value.shape}"


def _array_statistics(value: Any) -> str:
    # Every n-th along each axis is a view, so even an array on disk is not read as a whole.
    per_axis = max(1, math.floor(100_000 ** (1 / max(1, value.ndim))))
    part = value[tuple(slice(None, None, max(1, -(-size // per_axis))) for size in value.shape)]
    known = part.compressed() if hasattr(part, "compressed") else part
    numbers = known[known == known]
    note = "" if part.size == value.size else f" (from a sample of {part.size:,})"
    missing = f", {1 - known.size / part.size:.0%} masked" if known.size < part.size else ""
    if numbers.size < known.size:
        missing += f", {1 - numbers.size / known.size:.0%} NaN"
    if not numbers.size:
        return f"all {'NaN' if known.size else 'masked'}{note}"
    mean = float(numbers.mean(dtype=float))
    return f"min {_item(numbers.min())}, mean {_item(mean)}, max {_item(numbers.max())}{missing}{note}"


def _item(value: Any) -> str:
    return number_text(value.item() if hasattr(value, "item") else value)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _object_text(value: Any, budget: int) -> str:
    if has_default_repr(value) and hasattr(value, "__dict__"):
        attributes = ", ".join(
            f"{key}={REDACTED if is_secret(key, item) else _attribute_text(item)}"
            for key, item in islice(list(vars(value).items()), 30)
            if key[:1] != "_"
        )
        return f"{type_name(value)} object with {attributes or 'no public attributes'}"
    return f"{type_name(value)} = {safe_repr(value, budget)}"


def _iterator_text(value: Any, budget: int = 0) -> str:
    return f"{type_name(value)}; its items are not looked at, as that would use them up"


def _attribute_text(value: Any) -> str:
    return _container_text(value, 80) if is_walked(value) else safe_repr(value, 80)


def _environment_text(value: Any, budget: int) -> str:
    # Keys and passwords stand there: their names will do.
    return clip(
        f"environment variables, {len(value):,} of them, without their values: {', '.join(sorted(value))}", budget
    )


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any, int], str]], ...] = (
    (is_environment, _environment_text),
    (lambda value: isinstance(value, str), _string_text),
    (lambda value: isinstance(value, bytes | bytearray), _bytes_text),
    (_is_array, _array_text),
    (lambda value: isinstance(value, Iterator), _iterator_text),
    (is_walked, _sized_text),
    (lambda value: isinstance(value, types.ModuleType), lambda value, budget: f"module {value.__name__}"),
    (_is_code, _code_text),
    (lambda value: isinstance(value, BaseException), _exception_text),
    (is_plot, figure_text),
    (is_model, model_text),
)


# Without values. Nothing below may call repr, str or format on a value or on a part of one.


def _schema(name: str, value: Any, budget: int) -> str:
    table = tables.as_table(value)
    if table is not None:
        head = f"{name}: {tables.heading(table)}"
        return f"{head}\n{tables.schema_text(table, budget - len(head) - 1)}"
    return f"{name}: {_shape(value)}"


def kind_and_shape(value: Any) -> str:
    """Type and shape of a value that was computed: even the names of its columns can be values then."""
    if library_of(type(value)) not in ("", "__main__"):
        return outline_of_array(value) or type_name(value)
    return "value of a class of the user's"


def _shape(value: Any) -> str:
    if isinstance(value, str):
        return f"{type_name(value)}, {len(value):,} characters"
    if isinstance(value, bytes | bytearray):
        return f"{type_name(value)}, {len(value):,} bytes"
    if _is_array(value):
        return _array_heading(value)
    if isinstance(value, dict):
        return f"{type_name(value)}, {_count(value)}{_types(value.keys(), ' of ')}{_types(value.values(), ' to ')}"
    if _is_code(value):
        return _signature(value, lambda parameter: parameter.name)
    if isinstance(value, Collection) and is_walked(value):
        return f"{type_name(value)}, {_count(value)}{_types(value, ' of ')}"
    if dataclasses.is_dataclass(value):
        fields = ", ".join(f"{f.name}: {type_name(getattr(value, f.name, None))}" for f in dataclasses.fields(value))
        return f"{type_name(value)} with {fields}"
    return outline_of_array(value) or type_name(value)


def _types(values: Collection[Any], joint: str) -> str:
    names = sorted({type_name(value) for value in islice(values, 1_000)})
    return joint + ", ".join(names[:5]) + (", …" if len(names) > 5 else "") if names else ""


def _code_kind(value: Any) -> str:
    return f"{'class' if isinstance(value, type) else 'function'} {value.__name__}"


def _signature(value: Any, show: Callable[[inspect.Parameter], str]) -> str:
    try:
        parameters = inspect.signature(value).parameters.values()
    # Some built-ins tell no signature.
    except (ValueError, TypeError):
        return _code_kind(value)
    return f"{_code_kind(value)}({', '.join(show(parameter) for parameter in parameters)})"
