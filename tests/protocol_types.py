"""Whether a value is what a wire type of the protocol says."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from rustbot_jupyter.notebook import protocol

_OPS = {kind: op for op in get_args(protocol.Op) for kind in get_args(get_type_hints(op)["op"])}
OP_KINDS = frozenset(_OPS)


def check_op(op: Any) -> None:
    """Fail unless this is an op."""
    assert op["op"] in _OPS, f"{op['op']!r} is no op"
    check(op, _OPS[op["op"]], op["op"])
    if op["op"] == "message_patch":
        hints = get_type_hints(protocol.MessageView)
        for name, value in op["fields"].items():
            assert name in hints, f"a message has no {name!r}"
            check(value, hints[name], name)


def check(value: Any, kind: Any, where: str) -> None:
    """Fail unless the value is of this kind; fields that the type does not name are not allowed either."""
    origin = get_origin(kind)
    if kind is Any:
        return
    if is_typeddict(kind):
        _check_fields(value, kind, where)
    elif origin is Literal:
        assert value in get_args(kind), f"{where} is {value!r}"
    elif origin in (Union, UnionType):
        _check_union(value, get_args(kind), where)
    elif origin is list:
        assert isinstance(value, list), f"{where} is {value!r}"
        for index, item in enumerate(value):
            check(item, get_args(kind)[0], f"{where}[{index}]")
    elif origin is dict:
        assert isinstance(value, dict), f"{where} is {value!r}"
    elif kind is float:
        assert type(value) in (int, float), f"{where} is {value!r}"
    else:
        assert type(value) is kind, f"{where} is {value!r}"


def _check_fields(value: Any, kind: Any, where: str) -> None:
    assert isinstance(value, dict), f"{where} is {value!r}"
    hints = get_type_hints(kind, include_extras=True)
    required = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
    assert required <= set(value) <= set(hints), f"{where} has {sorted(set(value) ^ set(hints))}"
    for name, item in value.items():
        hint = hints[name]
        check(item, get_args(hint)[0] if get_origin(hint) is NotRequired else hint, f"{where}.{name}")


def _check_union(value: Any, kinds: tuple[Any, ...], where: str) -> None:
    if value is None:
        assert NoneType in kinds, f"{where} is None"
        return
    (kind,) = (kind for kind in kinds if kind is not NoneType)
    check(value, kind, where)
