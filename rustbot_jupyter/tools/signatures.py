"""The parameters of a function as a pydantic model and as JSON Schema."""

from __future__ import annotations

import functools
import inspect
import json
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticSerializationError, PydanticUndefined

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.tools.base import ToolContext


@dataclass(frozen=True)
class Signature:
    """The parameters of a function."""

    model: type[BaseModel]
    """One field per parameter that a model fills in."""
    schema: dict[str, Any]
    context: str | None
    """The parameter that gets the call's context."""
    names: dict[str, str] = field(init=False)
    """Parameters by field."""
    defaults: dict[str, Any] = field(init=False)
    """By parameter; those without one, or with one that is made anew for each call, are missing."""

    def __post_init__(self) -> None:
        fields = self.model.model_fields
        object.__setattr__(self, "names", {key: info.alias or key for key, info in fields.items()})
        defaults = {info.alias: info.default for info in fields.values() if info.default is not PydanticUndefined}
        object.__setattr__(self, "defaults", defaults)


def signature_of(function: Callable[..., Any], name: str, texts: Mapping[str, str]) -> Signature:
    """Return what a function takes.

    Args:
        function: A function, method, partial or callable object.
        name: The tool's, for messages.
        texts: Descriptions by parameter.

    Raises:
        RequestError: It has a parameter that no model can fill.
    """
    fields: dict[str, Any] = {}
    context = None
    for index, parameter in enumerate(_parameters(function, name)):
        annotation = _annotation(function, parameter)
        if _takes_context(annotation):
            context = parameter.name
            continue
        # By position and with an alias: pydantic keeps names such as `_x` and `copy` for itself.
        fields[f"argument_{index}"] = (annotation, _field(parameter, texts.get(parameter.name)))
    try:
        model = _model_of(name, fields)
        return Signature(model, _schema_of(model), context)
    # What is wrong with a stranger's annotations may be anything, from a name to a pattern.
    except Exception as error:
        raise RequestError(_no_schema(name, fields)) from error


def code_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function whose annotations and docstring count: of a partial the wrapped one, of an object its `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    call: Callable[..., Any] = type(function).__call__
    return call


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"{name!r} cannot be a tool: Python does not know its parameters. Write a function around it."
        ) from error
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise RequestError(
                f"{name!r} cannot be a tool: a model gives arguments by name, and {str(parameter)!r} has none. "
                "Write the parameters out."
            )
    return parameters


def _field(parameter: inspect.Parameter, text: str | None) -> Any:
    options: dict[str, Any] = {"alias": parameter.name}
    if text:
        # Else a description of `Annotated[..., Field(description=...)]` stays.
        options["description"] = text
    if parameter.default is not parameter.empty and not isinstance(parameter.default, FieldInfo):
        options["default"] = parameter.default
    return Field(**options)


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The parameter's type; `Any` when it has none, or one that exists for type checkers only."""
    if parameter.annotation is parameter.empty:
        return Any
    code = inspect.unwrap(code_of(function))
    if inspect.isclass(code):
        code = code.__init__
    # One at a time: a name that cannot be found makes the others no less known.
    alone = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        names = getattr(code, "__globals__", {})
        hints = typing.get_type_hints(alone, names, _local_names(code, names), include_extras=True)
    except Exception:
        is_context = str(parameter.annotation).rpartition(".")[2] == ToolContext.__name__
        return ToolContext if is_context else Any
    annotation = hints[parameter.name]
    # `count: int = Field(3, ge=1)` says the same as `Annotated`.
    return Annotated[annotation, parameter.default] if isinstance(parameter.default, FieldInfo) else annotation


def _local_names(code: Any, names: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the function's own closure, and the functions around it that are still running, call by a name.

    Where annotations are kept as text, a class made in the function that makes the tool is found nowhere else.
    """
    found: dict[str, Any] = {}
    frame = sys._getframe()
    # At the outermost level the locals are the globals.
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]
        if frame.f_globals is names and frame.f_locals is not names:
            found = {**frame.f_locals, **found}
    try:
        return {**found, **inspect.getclosurevars(code).nonlocals}
    # A callable object, a class or a built-in has no closure.
    except (TypeError, ValueError):
        return found


def _takes_context(annotation: Any) -> bool:
    """True if it is `ToolContext`, or that or None."""
    return annotation is ToolContext or ToolContext in typing.get_args(annotation)


class _Schema(GenerateJsonSchema):
    """Leaves out, without a warning, the defaults that JSON cannot hold."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def encode_default(self, dft: Any) -> Any:
        value = super().encode_default(dft)
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            raise PydanticSerializationError(str(error)) from error
        return value


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, schema_generator=_Schema)
    schema.pop("title", None)
    schema.setdefault("properties", {})
    for entry in schema["properties"].values():
        entry.pop("title", None)
    return schema


def _model_of(name: str, fields: Mapping[str, Any]) -> type[BaseModel]:
    model: type[BaseModel] = create_model(f"{name} arguments", __config__=ConfigDict(extra="forbid"), **fields)
    return model


def _no_schema(name: str, fields: Mapping[str, Any]) -> str:
    guilty = next((field.alias for key, (kind, field) in fields.items() if not _is_writable(key, kind)), "?")
    return (
        f"{name!r} cannot be a tool: a model cannot write its argument {guilty!r}. Annotate it with str, int, float, "
        "bool, list, dict, Literal or a pydantic model, and look variables up by name."
    )


def _is_writable(key: str, kind: Any) -> bool:
    try:
        _schema_of(_model_of("one", {key: (kind, ...)}))
    except Exception:
        return False
    return True
