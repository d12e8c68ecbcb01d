"""A `ChatRequest` as the JSON body of `POST /chat/completions`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.llm.base import ChatRequest
from rustbot_jupyter.llm.call_text import is_json
from rustbot_jupyter.llm.refusals import LIMITS
from rustbot_jupyter.llm.spellings import OPENROUTER, Dialect
from rustbot_jupyter.messages import (
    AttachedPart,
    FilePart,
    ImagePart,
    Message,
    MessageRole,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_MAX_SESSION_ID_CHARS = 256
_NOT_EVERYWHERE = frozenset({"models", "provider", "session_id", "cache_control", "stream_options"})
"""Fields that only some servers take."""


def encode(request: ChatRequest) -> bytes:
    """The body as it is sent to OpenRouter.

    Raises:
        RequestError: A field cannot be written as JSON.
    """
    return encoded(body_of(request))


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as UTF-8. Lone surrogates, which UTF-8 cannot hold, go out as U+FFFD.

    Raises:
        RequestError: A field cannot be written as JSON.
    """
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"The request cannot be sent as JSON: {error}. Check the extra request fields.") from error
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode("utf-8")


def body_of(request: ChatRequest, dialect: Dialect = OPENROUTER) -> dict[str, Any]:
    """The body of a request, as this kind of server spells it."""
    optional = {
        "models": request.fallback_models,
        **_limit(request, dialect),
        **{dialect.renames.get(name, name): value for name, value in request.sampling.items()},
        **_reasoning(request, dialect),
        "provider": request.provider,
        "response_format": request.response_format,
        "tools": request.tools,
        "tool_choice": request.tool_choice,
        "cache_control": request.cache_control,
        "session_id": (request.session_id or "")[:_MAX_SESSION_ID_CHARS],
        # OpenRouter always sends the usage; others only when asked.
        "stream_options": {"include_usage": True},
    }
    unknown = _NOT_EVERYWHERE - dialect.takes
    return {
        "model": request.model,
        "messages": [entry for message in request.messages for entry in _entries(message)],
        "stream": True,
        **{
            name: value
            for name, value in optional.items()
            if value is not None and value not in ("", (), [], {}) and name not in unknown
        },
        **{name: value for name, value in request.extra.items() if name not in LIMITS},
    }


def _limit(request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
    """The longest answer: the smaller of what a cap allows and what the user gave, in the user's spelling if any."""
    given = next((name for name in LIMITS if name in request.extra), None)
    if given is None:
        return {dialect.limit: request.max_tokens}
    # What is no number of tokens (-1 means no limit to some servers) must not lift the limit of a cap.
    limits = [limit for limit in (request.max_tokens, request.extra[given]) if type(limit) is int and limit > 0]
    return {given: min(limits, default=request.extra[given])}


def _reasoning(request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
    if dialect.effort == "reasoning":
        return {"reasoning": request.reasoning}
    # What else OpenRouter's object says has no name there.
    return {dialect.effort: (request.reasoning or {}).get("effort")}


def _entries(message: Message) -> Iterator[dict[str, Any]]:
    """The wire's entries for a message: one, or one per tool result."""
    if message.role is MessageRole.TOOL:
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        for part in results:
            yield {"role": "tool", "tool_call_id": part.call_id, "content": part.content}
        yield from _images_entry(results)
    elif message.role is MessageRole.ASSISTANT:
        yield _assistant_entry(message)
    else:
        yield {"role": str(message.role), "content": _content(message)}


def _images_entry(results: list[ToolResultPart]) -> Iterator[dict[str, Any]]:
    """The pictures of tool results: a result is text on the wire, so they follow as if the user had sent them."""
    content: list[dict[str, Any]] = []
    for part in results:
        if part.images:
            content.append({"type": "text", "text": f"The pictures of the result of {part.name!r}:"})
            content += [wire for image in part.images if (wire := _content_part(image)) is not None]
    if content:
        yield {"role": "user", "content": content}


def _assistant_entry(message: Message) -> dict[str, Any]:
    calls = [
        {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": _arguments(call)}}
        for call in message.tool_calls
    ]
    entry: dict[str, Any] = {"role": "assistant", "content": message.text or (None if calls else "")}
    if calls:
        entry["tool_calls"] = calls
    details = [detail for part in message.parts if isinstance(part, ReasoningPart) for detail in part.details]
    if details:
        entry["reasoning_details"] = details
    elif calls:
        # Only the follow-up to a tool call needs the thoughts before it.
        for part in message.parts:
            if isinstance(part, ReasoningPart) and part.text and part.field:
                entry[part.field] = part.text
    return entry


def _arguments(call: ToolCallPart) -> str:
    """The arguments as JSON: many servers read those of earlier calls, and refuse a request with broken ones."""
    return call.arguments if is_json(call.arguments) else json.dumps({"unreadable": call.arguments}, ensure_ascii=False)


def _content(message: Message) -> str | list[dict[str, Any]]:
    if all(isinstance(part, TextPart) for part in message.parts):
        return message.text
    return [wire for part in message.parts if (wire := _content_part(part)) is not None]


def _content_part(part: object) -> dict[str, Any] | None:
    match part:
        case TextPart(text=text) | AttachedPart(text=text):
            return {"type": "text", "text": text}
        case ImagePart(media_type=media_type, data=data, url=url):
            return {"type": "image_url", "image_url": {"url": url or _data_url(media_type, data)}}
        case FilePart(name=name, media_type=media_type, data=data):
            return {"type": "file", "file": {"filename": name, "file_data": _data_url(media_type, data)}}
    return None


def _data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__!r} is not a JSON value")
