"""A Python function as a tool: its schema from signature, annotations and docstring, its call where it belongs."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.tools.base import BUILT_IN, EVERY_CALL, USER, Risk, Tool, ToolContext, ToolDefinition, ToolResult
from rustbot_jupyter.tools.docstrings import describe_function
from rustbot_jupyter.tools.failures import contained
from rustbot_jupyter.tools.parameters import Parameters, parameters_for_model
from rustbot_jupyter.tools.results import result_of
from rustbot_jupyter.tools.signatures import Signature, code_of, signature_of
from rustbot_jupyter.tools.workers import in_worker

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_PROBLEMS = 5


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
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise RequestError(f"{name!r} cannot be a tool: it yields its results one by one. Return them all, as a list.")
    text, parameter_texts = describe_function(code_of(function))
    signature = signature_of(function, name, parameter_texts)
    parameters = parameters_for_model(signature.schema)
    definition = ToolDefinition(name=name, description=description or text or name, parameters=parameters.schema)
    if source == USER:
        fields.setdefault("patterns", EVERY_CALL)
    if source != BUILT_IN:
        fields.setdefault("fingerprint", fingerprint(definition))
    return Tool(
        definition=definition,
        run=_Run(function, signature, source),
        check=_Check(name, signature, parameters),
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


class _Check:
    """Validates arguments against a function's parameters; what comes out is JSON again, as it is shown and kept."""

    def __init__(self, name: str, signature: Signature, parameters: Parameters) -> None:
        self._name = name
        self._signature = signature
        self._parameters = parameters

    def __call__(self, arguments: Mapping[str, Any], /) -> dict[str, Any]:
        arguments = self._parameters.restored(arguments)
        try:
            values = self._signature.model.model_validate(dict(arguments))
        except ValidationError as error:
            raise ToolError(f"{self._name!r} was not run: {self._reasons(error)}") from error
        known = {**self._signature.defaults, **self._as_json(values, arguments)}
        return {name: known[name] for name in self._signature.names.values() if name in known}

    def _as_json(self, values: BaseModel, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return values.model_dump(mode="json", by_alias=True, exclude_unset=True, round_trip=True)
        # A parameter's own type may not know how to become JSON again; the model's words are JSON.
        except ValueError:
            return dict(arguments)

    def _reasons(self, error: ValidationError) -> str:
        problems = [
            f"{self._place(problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False, include_context=False)[:_MOST_PROBLEMS]
        ]
        names = ", ".join(self._parameters.schema["properties"]) or "none"
        return f"{'; '.join(problems)}. Its parameters are: {names}. Correct the arguments and call again."

    def _place(self, steps: tuple[int | str, ...]) -> str:
        shown = self._parameters.shown
        return ".".join(shown.get(str(step), str(step)) for step in steps)[:100] or "the arguments"


class _Run:
    """Calls a function with checked arguments."""

    def __init__(self, function: Callable[..., Any], signature: Signature, source: str) -> None:
        self._function = function
        self._signature = signature
        self._source = source

    async def __call__(self, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
        call = functools.partial(self._function, **self._values(arguments, context))
        if _is_coroutine_function(self._function):
            return await self._awaited(call, context)
        value = await in_worker(lambda: self._unless_awaitable(call(), context))
        if isinstance(value, ToolResult):
            return value
        # A decorator made a coroutine function look like a plain one.
        return await self._awaited(lambda: value, context)

    def _values(self, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        """Return what the function is called with: objects where a parameter wants them."""
        signature, defaults = self._signature, self._signature.defaults
        # A default need not be what JSON could hold; it goes in as it is.
        given = {
            name: value for name, value in arguments.items() if name not in defaults or value is not defaults[name]
        }
        values = signature.model.model_validate(given)
        ready = {name: getattr(values, key) for key, name in signature.names.items()}
        return {**ready, signature.context: context} if signature.context else ready

    async def _awaited(self, call: Callable[[], Awaitable[Any]], context: ToolContext) -> ToolResult:
        if self._source == BUILT_IN or context.kernel is None:
            value = await call()
        else:
            # A user's coroutine may hold on to what lives on the kernel's loop: a client, a lock, a queue.
            context.kernel_needed()
            value = await context.kernel.run_coroutine(lambda: contained(call()), on_start=context.kernel_ready)
        if isinstance(value, str | ToolResult | None):
            return self._result(value, context)
        # Drawing or describing it may take its time.
        return await in_worker(lambda: self._result(value, context))

    def _unless_awaitable(self, value: Any, context: ToolContext) -> Any:
        return value if inspect.isawaitable(value) else self._result(value, context)

    def _result(self, value: Any, context: ToolContext) -> ToolResult:
        # What a user's own function looks up is the user's own.
        return result_of(value, context, is_private=self._source == USER)


def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(code_of(function))


def fingerprint(definition: ToolDefinition) -> str:
    """A hash that changes with the name, the description and the schema."""
    text = json.dumps(definition.wire(), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
