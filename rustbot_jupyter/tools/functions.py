"""A Python function as a tool: its schema from signature, annotations and docstring, its call where it belongs."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation
from pydantic.json_schema import PydanticInvalidForJsonSchema

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.tools.base import BUILT_IN, USER, Risk, Tool, ToolContext, ToolDefinition, ToolResult
from rustbot_jupyter.tools.docstrings import describe_function
from rustbot_jupyter.tools.results import result_of
from rustbot_jupyter.tools.workers import in_worker

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def tool_of(
    function: Callable[..., Any],
    *,
    risk: Risk = Risk.EXECUTE,
    source: str = USER,
    name: str | None = None,
    description: str | None = None,
    **fields: Any,
) -> Tool:
    """A tool that calls a function or coroutine function.

    A parameter annotated `ToolContext` gets the call's context and is not shown to the model. A plain function runs on
    a thread of its own; a built-in's coroutine on the core thread's loop, anybody else's on the kernel's loop where
    there is one.

    Args:
        function: Its parameters are the tool's arguments; what it returns is the result: text, anything that has a
            text, an image, or a `ToolResult`.
        risk: The worst it can do; all but READ asks the user before each call.
        source: built-in, user, plugin:NAME or mcp:NAME.
        name: What the model calls it by; None takes the function's name.
        description: What it does; None takes the docstring's text.
        fields: Further fields of `Tool`.

    Raises:
        RequestError: It has no usable name, a parameter that no model can fill, or no function was given.
    """
    if not callable(function):
        raise RequestError(f"A tool is made of a function, and {type(function).__name__!r} is none.")
    name = checked_name(name or getattr(function, "__name__", ""))
    text, parameter_texts = describe_function(function)
    arguments, context_name = _arguments_model(function, name, parameter_texts)
    definition = ToolDefinition(
        name=name, description=description or text or name, parameters=_schema_of(arguments, name)
    )

    async def run(values: dict[str, Any], context: ToolContext) -> ToolResult:
        given = {**values, context_name: context} if context_name else values
        return result_of(await _call(function, given, context, source), context)

    return Tool(
        definition=definition,
        run=run,
        check=_Check(name, arguments),
        risk=risk,
        source=source,
        **fields,
    )


def checked_name(name: object) -> str:
    """The name, if a model can call a tool by it.

    Raises:
        RequestError: It cannot.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise RequestError(
        f"A tool cannot be named {name!r}: a name has up to 64 letters, digits, '_' and '-'. "
        'Give it one: `bot.tools.add(function, name="...")`.'
    )


async def _call(function: Callable[..., Any], values: dict[str, Any], context: ToolContext, source: str) -> Any:
    if not _is_coroutine_function(function):
        return await in_worker(lambda: function(**values))
    if source == BUILT_IN or context.kernel is None:
        return await function(**values)
    # A user's coroutine may hold on to what lives on the kernel's loop: a client, a lock, a queue.
    context.kernel_needed()
    return await context.kernel.run_coroutine(lambda: function(**values), on_start=context.kernel_ready)


def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


class _Check:
    """Validates arguments against a function's parameters."""

    def __init__(self, name: str, model: type[BaseModel]) -> None:
        self._name = name
        self._model = model

    def __call__(self, arguments: Mapping[str, Any], /) -> dict[str, Any]:
        try:
            values = self._model.model_validate(dict(arguments))
        except ValidationError as error:
            raise ToolError(f"{self._name!r} was not run: {_reasons(error, self._model)}") from error
        return {field.alias or key: getattr(values, key) for key, field in self._model.model_fields.items()}


def _reasons(error: ValidationError, model: type[BaseModel]) -> str:
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or 'the arguments'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)[:5]
    ]
    names = ", ".join(field.alias or key for key, field in model.model_fields.items()) or "none"
    return f"{'; '.join(problems)}. Its parameters are: {names}. Correct the arguments and call again."


def _arguments_model(
    function: Callable[..., Any], name: str, texts: Mapping[str, str]
) -> tuple[type[BaseModel], str | None]:
    """The model of the arguments, and the name of the parameter that takes the context."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    # A name that exists for type checkers only.
    except Exception:
        hints = {}
    fields: dict[str, Any] = {}
    context_name = None
    for index, parameter in enumerate(inspect.signature(function).parameters.values()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise RequestError(
                f"{name!r} cannot be a tool: a model gives arguments by name, and {str(parameter)!r} has none. "
                "Write the parameters out."
            )
        annotation = hints.get(parameter.name, Any)
        if annotation is ToolContext:
            context_name = parameter.name
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        # By position and with an alias: pydantic keeps names such as `_x` and `copy` for itself.
        fields[f"argument_{index}"] = (
            annotation,
            Field(default, alias=parameter.name, description=texts.get(parameter.name)),
        )
    try:
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
        return create_model(f"{name} arguments", __config__=config, **fields), context_name
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, TypeError) as error:
        raise RequestError(_no_schema(name, error)) from error


def _schema_of(model: type[BaseModel], name: str) -> dict[str, Any]:
    try:
        schema = model.model_json_schema(by_alias=True)
    except PydanticInvalidForJsonSchema as error:
        raise RequestError(_no_schema(name, error)) from error
    schema.pop("title", None)
    schema.setdefault("properties", {})
    for entry in schema["properties"].values():
        entry.pop("title", None)
    return schema


def _no_schema(name: str, error: Exception) -> str:
    first = str(error).splitlines()[0]
    return (
        f"{name!r} cannot be a tool: a model cannot write one of its arguments ({first}). Annotate its parameters with "
        "str, int, float, bool, list, dict, Literal or a pydantic model, and look variables up by name."
    )


def fingerprint(definition: ToolDefinition) -> str:
    """A hash that changes with the name, the description and the schema."""
    text = json.dumps(definition.wire(), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
