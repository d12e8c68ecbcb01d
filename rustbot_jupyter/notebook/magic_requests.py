"""From a use of the magic to the question that the engine is asked."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.errors import RequestError, SchemaError
from rustbot_jupyter.messages import ImagePart, user_message
from rustbot_jupyter.notebook.arguments import MagicCall, Verb
from rustbot_jupyter.notebook.failures import Failures, cell_question, failure_question
from rustbot_jupyter.notebook.interpolation import Interpolated, interpolate
from rustbot_jupyter.settings.profile import FIELDS
from rustbot_jupyter.settings.redaction import redact_for_request
from rustbot_jupyter.tools.pictures import is_figure, picture_of
from rustbot_jupyter.tools.results import MAX_IMAGE_BYTES, MOST_IMAGES
from rustbot_jupyter.tools.variables import describe_variables

_FORMAT_WISHES = {
    "code": "Answer with Python code for one notebook cell, in one fenced block.",
    "json": "Answer with JSON only.",
    "html": "Answer with HTML in one fenced block; it is shown without scripts and without a network.",
    "math": "Answer with one formula in LaTeX between $$ and $$.",
}


_SET_BY_US = {
    "messages": "the messages are your question and the conversation",
    "stream": "answers always stream; --no-stream shows them when they are whole",
    "stream_options": "Rustbot asks for the usage itself",
    "session_id": "it is the conversation; --new begins another",
    "models": "use '-o fallback_models'",
    "n": "Rustbot shows one answer",
}
"""Request fields that would break the answer, its usage or a spending cap, and what to do instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notebook:
    """The notebook around a magic, as far as the magic knows it."""

    namespace: dict[str, Any]
    """The variables that the question may name."""
    failures: Failures
    cell_id: str | None = None


def turn_request(
    call: MagicCall, notebook: Notebook, *, schema_only: bool, filled: list[Interpolated] | None = None
) -> TurnRequest:
    """The request of a question, `fix` or `explain`, with variables put in.

    Args:
        call: What the user wrote.
        notebook: Where.
        schema_only: Put in names, dtypes and shapes, no values.
        filled: Gets the parts of the question into which something was put.

    Raises:
        RequestError: An expression fails, a variable or a failed cell is not there, the code of `--eval` fails, or an
            option would replace what Rustbot itself sends.
    """
    for key in call.options:
        if key in _SET_BY_US:
            raise RequestError(f"'-o {key}' cannot be used: {_SET_BY_US[key]}.")
    options = {key: value for key, value in call.options.items() if key in FIELDS}
    extra = {key: value for key, value in call.options.items() if key not in options}
    if "max_completion_tokens" in extra:
        # Spending caps know the limit by its other name.
        options.setdefault("max_tokens", extra["max_completion_tokens"])
    filled = [] if filled is None else filled
    message = user_message(_text(call, notebook, schema_only, filled))
    named = list(dict.fromkeys(name for part in filled for name in part.names))
    pictures = () if schema_only else _pictures(named, notebook.namespace)
    return TurnRequest(
        message=replace(message, parts=(*message.parts, *pictures)),
        source="magic",
        # Tools are held to it, too.
        overrides={**_overrides(call), **options, **({"send_values": False} if schema_only else {})},
        profile=call.profile,
        extra=extra,
        response_format=_response_format(call.schema),
        use_history=call.uses_history,
        timeout_s=call.timeout_s,
        max_cost_usd=call.max_cost_usd,
        cell_id=notebook.cell_id,
        origins=tuple(f"variable {name}" for name in named),
        tools=call.tools,
        approve=call.approve,
    )


LONGEST_REPEATED = 8_000
"""Characters of an answer that does not fit that are sent along when nothing else of the conversation is."""


def request_again(request: TurnRequest, reply: Reply, error: SchemaError) -> TurnRequest | None:
    """The question that tells the model what is wrong with its answer; None when the first left no room for it."""
    # What was cut at a limit would be cut there again.
    if reply.finish_reason == "length":
        return None
    max_cost_usd, timeout_s = request.max_cost_usd, request.timeout_s
    if max_cost_usd is not None:
        max_cost_usd -= reply.usage.cost_usd or 0.0
    if timeout_s is not None:
        timeout_s -= reply.duration_s
    if any(left is not None and left <= 0 for left in (max_cost_usd, timeout_s)):
        return None
    text = (
        f"Your answer does not fit the JSON schema that was asked for: {'; '.join(error.faults)}. "
        "Answer again with the whole JSON, corrected, and nothing else."
    )
    if not request.use_history:
        text = f"{request.message.text}\n\nYour answer was:\n\n{reply.text[:LONGEST_REPEATED]}\n\n{text}"
    pictures = () if request.use_history else request.message.parts[1:]
    message = user_message(text)
    return replace(
        request,
        message=replace(message, parts=(*message.parts, *pictures)),
        max_cost_usd=max_cost_usd,
        timeout_s=timeout_s,
    )


def _overrides(call: MagicCall) -> dict[str, Any]:
    given = {"model": call.model, "base_url": call.base_url, "instructions": call.system}
    return {name: value for name, value in given.items() if value is not None}


def _response_format(schema: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    # Strict answers need every object closed, which a schema of the user's may not be.
    is_strict = schema.get("additionalProperties") is False
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": is_strict, "schema": dict(schema)}}


def _pictures(names: Iterable[str], namespace: Mapping[str, Any]) -> tuple[ImagePart, ...]:
    """The figures and images among the variables that a question names."""
    values = [namespace[name] for name in names if name in namespace and is_figure(namespace[name])]
    drawn = [picture_of(value) for value in values[:MOST_IMAGES]]
    return tuple(picture for picture in drawn if picture is not None and len(picture.data) <= MAX_IMAGE_BYTES)


def _text(call: MagicCall, notebook: Notebook, schema_only: bool, filled: list[Interpolated]) -> str:
    """Return what is asked; `filled` gets the parts into which something was put."""
    parts = [_question(call, notebook, schema_only, filled)]
    if call.variables:
        described = describe_variables(notebook.namespace, call.variables, schema_only=schema_only)
        described = redact_for_request(described, notebook.namespace)
        filled.append(Interpolated(text=described, names=call.variables, places=((0, len(described)),)))
        parts.append(f"Variables:\n\n{described}")
    # `fix` says itself what form it wants.
    if call.format in _FORMAT_WISHES and call.verb is not Verb.FIX:
        parts.append(_FORMAT_WISHES[call.format])
    return "\n\n".join(parts)


def _question(call: MagicCall, notebook: Notebook, schema_only: bool, filled: list[Interpolated]) -> str:
    if call.verb in (Verb.FIX, Verb.EXPLAIN):
        return _about_a_cell(call, notebook, schema_only, filled)
    if call.evaluate:
        return redact_for_request(_evaluated(call.question, notebook.namespace), notebook.namespace)
    return _filled(call.question, notebook, schema_only, filled)


def _filled(text: str, notebook: Notebook, schema_only: bool, filled: list[Interpolated]) -> str:
    result = interpolate(text, notebook.namespace, schema_only=schema_only)
    if result.problems:
        raise RequestError(result.problems[0])
    filled.append(result)
    return result.text


def _about_a_cell(call: MagicCall, notebook: Notebook, schema_only: bool, filled: list[Interpolated]) -> str:
    wish = _filled(call.question, notebook, schema_only, filled)
    number = call.cell_number
    if call.verb is Verb.EXPLAIN and number is not None and number not in notebook.failures.tracebacks:
        code = _code_of(number, notebook.namespace)
        if code is not None:
            return cell_question(number, code, notebook.namespace, wish=wish, schema_only=schema_only)
    failed = notebook.failures.find(number)
    return failure_question(failed, notebook.namespace, task=call.verb.value, wish=wish, schema_only=schema_only)


def _code_of(number: int, namespace: Mapping[str, Any]) -> str | None:
    """Return what the cell with this number says; None when there was none."""
    cells = namespace.get("In")
    return str(cells[number]) if isinstance(cells, list) and 0 < number < len(cells) else None


_CODE_NAME = "<rustbot --eval>"


def _evaluated(code: str, namespace: dict[str, Any]) -> str:
    """The value of the code's last line as text; the code runs in the user's namespace."""
    try:
        tree = ast.parse(code)
        last = tree.body[-1] if tree.body else None
        value: Any = None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, _CODE_NAME, "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), _CODE_NAME, "eval"), namespace)
    # It is the user's code; it may raise anything.
    except Exception as error:
        raise RequestError(f"The code of --eval fails: {type(error).__name__}: {error}. Nothing was sent.") from error
    if value is None or not str(value).strip():
        raise RequestError("The code of --eval gives no text: end it with the question, such as f'Explain {x}'.")
    return str(value)
