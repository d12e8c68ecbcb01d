"""An expression's value, computed so that it can change nothing: step by step, with allow-lists and limits.

Python's own `eval` is never used. Each kind of syntax, each name, each attribute and each call is allowed one by one;
what is not known to only read is refused, and the model is told to use `run_code`, which asks.
"""

from __future__ import annotations

import ast
import inspect
import operator
import re
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools import evaluate_limits as limits
from rustbot_jupyter.tools.evaluate_functions import BUILTINS, PureFunction, items_of
from rustbot_jupyter.tools.evaluate_limits import refuse
from rustbot_jupyter.tools.evaluate_names import (
    AGGREGATES,
    CONSTANTS,
    FUNCTIONS,
    KEYWORDS,
    MAPPINGS,
    PATTERN_METHODS,
    POSITIONS,
    REPETITION,
    TAKE_ANY_NUMBER,
    is_known,
    library_of,
    names_of,
)
from rustbot_jupyter.tools.short_text import clip_quietly, type_name

MOST_EXPRESSION_CHARS = 4_000
MOST_STEPS = 1_000_000
DURATION_S = 20.0


def evaluate(expression: str, namespace: Mapping[str, Any]) -> Any:
    """The value of a Python expression over the user's variables.

    Raises:
        ToolError: It may do more than read, takes too long, or fails.
    """
    tree = _parsed(expression)
    try:
        return _Evaluation(namespace).value(tree.body)
    except ToolError:
        raise
    except RecursionError as error:
        raise refuse("it is nested too deeply") from error
    # What the expression itself does wrong: a missing key, a division by zero.
    except Exception as error:
        raise EvaluationFailed(error) from error


class EvaluationFailed(ToolError):
    """The expression raised."""

    # Messages of exceptions quote values.
    origin = "the notebook's variables"

    def __init__(self, error: Exception) -> None:
        self.kind = type(error).__name__
        """The exception's class: all that may be told where values are not sent."""
        super().__init__(f"The expression failed: {self.kind}: {clip_quietly(str(error), 300)}")


def _parsed(expression: str) -> ast.Expression:
    if len(expression) > MOST_EXPRESSION_CHARS:
        raise refuse(f"it has more than {MOST_EXPRESSION_CHARS:,} characters")
    try:
        return ast.parse(expression.strip(), "<expression>", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(
            f"{clip_quietly(expression, 80)!r} is no Python expression ({clip_quietly(str(error), 80)}). "
            "Statements, such as assignments and imports, need `run_code`."
        ) from error


class _Evaluation:
    """One expression on its way to a value."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._locals: dict[str, Any] = {}
        """The names of comprehensions."""
        self._queries: list[Any] = []
        """Expressions of polars that were made here. Others may call a function of the user's when they are used."""
        self._steps = 0
        self._deadline = time.monotonic() + DURATION_S

    def value(self, node: ast.AST) -> Any:
        """Return what a piece of the expression stands for."""
        self._count()
        handle = _SYNTAX.get(type(node))
        if handle is None:
            raise refuse(f"it has {_name_of_syntax(node)}")
        value = handle(self, node)
        if isinstance(node, ast.Call | ast.BinOp | ast.UnaryOp | ast.Compare) and _is_query(value):
            self._queries.append(value)
        return value

    def _plain(self, node: ast.AST) -> Any:
        """A value whose operators may be used, with all that is in it."""
        value = limits.check_plain(self.value(node))
        self._check_queries(value)
        return value

    def _check_queries(self, value: Any) -> None:
        if isinstance(value, list | tuple | set):
            for each in value:
                self._check_queries(each)
        elif _is_query(value) and not any(value is own for own in self._queries):
            raise refuse("it uses a polars expression made elsewhere, which may do anything")

    def _count(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise refuse(f"it takes more than {MOST_STEPS:,} steps")
        if time.monotonic() > self._deadline:
            raise refuse(f"it takes longer than {DURATION_S:g} s")

    # Names and literals.

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id in self._locals:
            return self._locals[node.id]
        if node.id.startswith("_"):
            raise refuse(f"names that begin with '_', such as {node.id!r}, are Python's and IPython's own")
        if node.id in self._namespace:
            return self._namespace[node.id]
        if node.id in BUILTINS:
            return BUILTINS[node.id]
        raise ToolError(
            f"There is no variable {node.id!r}, or it may not be used here. `list_variables` shows what is."
        )

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Any:
        values = [self.value(each) for each in node.elts]
        made = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
        return limits.check_plain(made(limits.check_plain(values)))

    def _dictionary(self, node: ast.Dict) -> Any:
        if None in node.keys:
            raise refuse("it has '**'")
        return {self._plain(key): self._plain(value) for key, value in zip(node.keys, node.values, strict=True) if key}

    def _slice(self, node: ast.Slice) -> slice:
        return slice(*(None if part is None else self._plain(part) for part in (node.lower, node.upper, node.step)))

    def _text(self, node: ast.JoinedStr) -> str:
        return "".join(str(self.value(part)) for part in node.values)

    def _formatted(self, node: ast.FormattedValue) -> str:
        value = self._plain(node.value)
        limits.check_text(value)
        form = "" if node.format_spec is None else str(self.value(node.format_spec))
        if not _FORMAT.fullmatch(form):
            raise refuse(f"the format {form!r} is not a short one")
        text = {-1: lambda: format(value, form), 115: lambda: str(value), 114: lambda: repr(value)}.get(node.conversion)
        return format(text(), form) if text and node.conversion != -1 else format(value, form)

    # Operators.

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = self._plain(node.left), self._plain(node.right)
        limits.check_operator(node.op, left, right)
        result = _BINARY[type(node.op)](left, right)
        limits.check_value(result)
        return result

    def _unary(self, node: ast.UnaryOp) -> Any:
        return _UNARY[type(node.op)](self._plain(node.operand))

    def _boolean(self, node: ast.BoolOp) -> Any:
        is_and = isinstance(node.op, ast.And)
        value: Any = is_and
        for each in node.values:
            value = self._plain(each)
            if bool(value) is not is_and:
                break
        return value

    def _comparison(self, node: ast.Compare) -> Any:
        left = self._plain(node.left)
        result: Any = True
        for sign, other in zip(node.ops, node.comparators, strict=True):
            right = self._plain(other)
            limits.check_operator(ast.BitAnd(), left, right)
            result = _COMPARISONS[type(sign)](left, right)
            if len(node.ops) > 1 and not result:
                return result
            left = right
        return result

    def _condition(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self._plain(node.test) else node.orelse)

    # Looking into values.

    def _attribute(self, node: ast.Attribute) -> Any:
        value, name = self.value(node.value), _public(node.attr)
        if isinstance(value, types.ModuleType):
            return _of_module(value, name)
        if not is_known(value):
            return _of_object(value, name)
        if name in names_of(value):
            limits.check_table(value, name)
            found = getattr(value, name)
            if not inspect.isroutine(found):
                return found
            raise refuse(f"{name!r} is a method that is not called")
        # `df.price` is a column unless the class has something of that name.
        columns = getattr(value, "columns", None)
        if columns is not None and not hasattr(type(value), name) and name in columns:
            return value[name]
        raise refuse(f"{name!r} of a {type_name(value)!r} is not known to only read")

    def _subscript(self, node: ast.Subscript) -> Any:
        value, key = self.value(node.value), self._plain(node.slice)
        if not is_known(value):
            raise refuse(f"it looks into a {type_name(value)!r}, which may do anything")
        limits.check_subscript(value, key)
        return value[key]

    # Calls.

    def _call(self, node: ast.Call) -> Any:
        arguments = [self._argument(each) for each in node.args]
        named = {_keyword(each): self._argument(each.value) for each in node.keywords}
        if isinstance(node.func, ast.Attribute):
            owner, name = self.value(node.func.value), _public(node.func.attr)
            if is_known(owner):
                self._check_queries(limits.check_plain(owner))
            return _call_method(owner, name, arguments, named)
        function = self.value(node.func)
        if not isinstance(function, PureFunction):
            raise refuse(f"it calls a {type_name(function)!r}, which may do anything")
        return function(*arguments, **named)

    def _argument(self, node: ast.expr) -> Any:
        value = self.value(node)
        if isinstance(value, PureFunction):
            return value
        self._check_queries(limits.check_plain(value))
        return value

    # Comprehensions.

    def _list(self, node: ast.ListComp | ast.GeneratorExp) -> list[Any]:
        return limits.check_plain([self.value(node.elt) for _ in self._rounds(node.generators)])  # type: ignore[no-any-return]

    def _set(self, node: ast.SetComp) -> set[Any]:
        return {self._plain(node.elt) for _ in self._rounds(node.generators)}

    def _dict(self, node: ast.DictComp) -> dict[Any, Any]:
        return {self._plain(node.key): self._plain(node.value) for _ in self._rounds(node.generators)}

    def _rounds(self, generators: list[ast.comprehension]) -> Iterator[None]:
        outer = dict(self._locals)
        try:
            yield from self._rounds_of(generators)
        finally:
            self._locals = outer

    def _rounds_of(self, generators: list[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield
            return
        first = generators[0]
        if first.is_async:
            raise refuse("it has 'async'")
        for item in items_of(self.value(first.iter)):
            self._count()
            self._bind(first.target, item)
            if all(self._plain(test) for test in first.ifs):
                yield from self._rounds_of(generators[1:])

    def _bind(self, target: ast.expr, item: Any) -> None:
        if isinstance(target, ast.Name):
            self._locals[_public(target.id) if target.id != "_" else "_"] = item
        elif isinstance(target, ast.Tuple | ast.List):
            parts = items_of(item)
            if len(parts) != len(target.elts):
                raise ToolError(f"The expression failed: {len(parts)} values do not fit {len(target.elts)} names.")
            for each, part in zip(target.elts, parts, strict=True):
                self._bind(each, part)
        else:
            raise refuse("a comprehension would assign to something that exists")


def _public(name: str) -> str:
    if name.startswith("_"):
        raise refuse(f"{name!r} begins with '_'")
    return name


def _keyword(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise refuse("it has '**'")
    if keyword.arg not in KEYWORDS:
        raise refuse(f"the argument {keyword.arg!r} is not known to only read")
    return keyword.arg


def _of_module(module: types.ModuleType, name: str) -> Any:
    full = module.__name__
    if sys.modules.get(full) is module:
        if name in CONSTANTS.get(full, ()):
            return getattr(module, name)
        if f"{full}.{name}" in FUNCTIONS and f"{full}.{name}" in sys.modules:
            return sys.modules[f"{full}.{name}"]
    raise refuse(f"'{full}.{name}' is not known to only read")


def _of_object(value: Any, name: str) -> Any:
    """An attribute that is just there; nothing of the object's own is run for it."""
    found = inspect.getattr_static(value, name, _MISSING)
    if isinstance(found, types.MemberDescriptorType):
        return found.__get__(value)
    if found is _MISSING or isinstance(value, type) or hasattr(type(found), "__get__"):
        raise refuse(f"{name!r} of a {type_name(value)!r} may do anything")
    return found


_MISSING = object()


def _is_query(value: Any) -> bool:
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(value, polars.Expr)


def _call_method(owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    if isinstance(owner, types.ModuleType):
        return _call_function(owner, name, arguments, named)
    if not is_known(owner) or name not in names_of(owner):
        raise refuse(f"{name!r} of a {type_name(owner)!r} is not known to only read")
    _check_call(owner, name, arguments, named)
    # Of the class: an object may have been given a method of its own.
    method = getattr(type(owner), name)
    if not callable(method):
        raise ToolError(f"The expression failed: {name!r} of a {type_name(owner)!r} is not a method.")
    return method(owner, *arguments, **named)


def _call_function(module: types.ModuleType, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    most = FUNCTIONS.get(module.__name__, {}).get(name)
    if most is None or sys.modules.get(module.__name__) is not module:
        raise refuse(f"'{module.__name__}.{name}' is not known to only read")
    if len(arguments) > most:
        raise refuse(f"'{module.__name__}.{name}' gets more than {most} arguments by position")
    _check_arguments(name, arguments, named)
    if len(arguments) > 1:
        limits.check_operator(ast.BitAnd(), arguments[0], arguments[1])
    return getattr(module, name)(*arguments, **named)


def _check_call(owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> None:
    most = POSITIONS.get(_numpy_kind(owner))
    if most is not None and len(arguments) > most:
        raise refuse(f"{name!r} of an array gets more than {most} arguments by position")
    if isinstance(owner, str):
        _check_text_method(owner, name, arguments)
    elif name in ("agg", "aggregate"):
        _check_aggregates(owner, arguments, named)
    elif name in PATTERN_METHODS and library_of(type(owner)) == "pandas":
        _check_pattern(arguments, named)
    _check_arguments(name, arguments, named)
    limits.check_table(owner, name)
    if arguments and type(owner) not in MAPPINGS:
        limits.check_operator(ast.BitAnd(), owner, arguments[0])


def _numpy_kind(owner: Any) -> str:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return ""
    return "ndarray" if isinstance(owner, numpy.ndarray) else "generic" if isinstance(owner, numpy.generic) else ""


def _check_arguments(name: str, arguments: list[Any], named: dict[str, Any]) -> None:
    if any(isinstance(value, PureFunction) for value in (*arguments, *named.values())):
        raise refuse(f"{name!r} would call a function for each of its values")
    if "key" in named:
        raise refuse("the argument 'key' is a function")
    if name not in TAKE_ANY_NUMBER:
        limits.check_numbers(name, arguments, named)


def _check_text_method(text: str, name: str, arguments: list[Any]) -> None:
    if name == "join" and arguments:
        limits.check_join(text, items_of(arguments[0]))
    elif name == "replace" and len(arguments) >= 2 and all(isinstance(each, str) for each in arguments[:2]):
        limits.check_replace(text, arguments[0], arguments[1])


def _check_aggregates(owner: Any, arguments: list[Any], named: dict[str, Any]) -> None:
    # A name given to `agg` is looked up as a method, whatever it does.
    if library_of(type(owner)) == "polars":
        return
    for wish in (*arguments, *named.values()):
        if not all(isinstance(each, str) and each in AGGREGATES for each in _wished(wish)):
            raise refuse("'agg' gets something else than the names of plain statistics")


def _wished(wish: Any) -> list[Any]:
    if isinstance(wish, dict):
        return [each for part in wish.values() for each in _wished(part)]
    if isinstance(wish, tuple):
        return list(wish[1:])
    return list(wish) if isinstance(wish, list) else [wish]


def _check_pattern(arguments: list[Any], named: dict[str, Any]) -> None:
    patterns = [*arguments[:1], named.get("pat"), named.get("regex")]
    if named.get("regex") is not False and any(isinstance(each, str) and REPETITION.search(each) for each in patterns):
        raise refuse("a pattern with repetition can run for ever; give `regex=False`")


_FORMAT = re.compile(r"[<>^]?[+ ]?0?\d{0,2}[,_]?(\.\d{1,2})?[bcdeEfgGnosxX%]?|%[YmdHMSjaAbB:/. %-]{1,30}")

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda value, container: value in container,
    ast.NotIn: lambda value, container: value not in container,
}
_SYNTAX: dict[type[ast.AST], Callable[[_Evaluation, Any], Any]] = {
    ast.Constant: _Evaluation._constant,
    ast.Name: _Evaluation._name,
    ast.List: _Evaluation._sequence,
    ast.Tuple: _Evaluation._sequence,
    ast.Set: _Evaluation._sequence,
    ast.Dict: _Evaluation._dictionary,
    ast.Slice: _Evaluation._slice,
    ast.JoinedStr: _Evaluation._text,
    ast.FormattedValue: _Evaluation._formatted,
    ast.BinOp: _Evaluation._binary,
    ast.UnaryOp: _Evaluation._unary,
    ast.BoolOp: _Evaluation._boolean,
    ast.Compare: _Evaluation._comparison,
    ast.IfExp: _Evaluation._condition,
    ast.Attribute: _Evaluation._attribute,
    ast.Subscript: _Evaluation._subscript,
    ast.Call: _Evaluation._call,
    ast.ListComp: _Evaluation._list,
    ast.GeneratorExp: _Evaluation._list,
    ast.SetComp: _Evaluation._set,
    ast.DictComp: _Evaluation._dict,
}
_SYNTAX_NAMES = {
    ast.Lambda: "a lambda",
    ast.NamedExpr: "an assignment (':=')",
    ast.Await: "an 'await'",
    ast.Yield: "a 'yield'",
    ast.YieldFrom: "a 'yield'",
    ast.Starred: "a '*'",
}


def _name_of_syntax(node: ast.AST) -> str:
    return _SYNTAX_NAMES.get(type(node), f"syntax that is not known here ({type(node).__name__})")
