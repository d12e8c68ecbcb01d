"""The messages that are sent: the conversation, valid for every provider, within a token budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rustbot_jupyter.llm.token_estimate import estimate_tokens, tokens_in
from rustbot_jupyter.messages import (
    ImagePart,
    Message,
    MessageRole,
    MessageStatus,
    Part,
    TextPart,
    ToolResultPart,
)


def build_messages(
    system_prompt: str, history: Sequence[Message], budget_tokens: int | None = None, *, takes_images: bool = True
) -> tuple[Message, ...]:
    """The system prompt and the newest turns that fit; the last turn is always sent, whole.

    Left out: answers without content (failed or stopped before the first word), in place of which a note stands, as
    many templates take user and assistant in turn only; and pictures for a model that takes none, which is told so.
    """
    sendable = _in_turn([message for message in history if _has_content(message)])
    if not takes_images:
        sendable = [_without_pictures(message) for message in sendable]
    if budget_tokens is not None:
        sendable = _newest_turns(sendable, budget_tokens - tokens_in(len(system_prompt)))
    if not system_prompt:
        return tuple(sendable)
    return (Message(role=MessageRole.SYSTEM, parts=(TextPart(text=system_prompt),)), *sendable)


def _has_content(message: Message) -> bool:
    if message.role is not MessageRole.ASSISTANT:
        return True
    said = message.text.strip() or message.tool_calls or _is_picture(message)
    return bool(said) and message.status is not MessageStatus.ERROR


def _is_picture(message: Message) -> bool:
    return not message.text.strip() and any(isinstance(part, ImagePart) for part in message.parts)


def _in_turn(messages: list[Message]) -> list[Message]:
    """With a note of the assistant wherever a question follows one that has no answer."""
    before: Message | None = None
    kept = []
    for message in messages:
        if message.role is MessageRole.USER and before is not None and before.role is not MessageRole.ASSISTANT:
            kept.append(Message(role=MessageRole.ASSISTANT, parts=(TextPart(text=NO_ANSWER),)))
        if message.role is MessageRole.ASSISTANT and _is_picture(message):
            # Pictures of its own are not sent to a model, and an empty message is refused.
            message = replace(message, parts=(*message.parts, TextPart(text=PICTURE_ONLY)))
        kept.append(message)
        before = message
    return kept


NO_ANSWER = "[No answer was given.]"
PICTURE_ONLY = "[The answer was a picture.]"
NO_PICTURES = "[A picture was left out: this model takes none.]"


def _without_pictures(message: Message) -> Message:
    if not any(isinstance(part, ImagePart) or getattr(part, "images", ()) for part in message.parts):
        return message
    return replace(message, parts=tuple(_without_picture(part) for part in message.parts))


def _without_picture(part: Part) -> Part:
    if isinstance(part, ImagePart):
        return TextPart(text=NO_PICTURES)
    if isinstance(part, ToolResultPart) and part.images:
        return replace(part, images=(), content=f"{part.content}\n{NO_PICTURES}")
    return part


def _newest_turns(messages: list[Message], budget_tokens: int) -> list[Message]:
    """Cut at user messages only, so that a tool result never stands without its call."""
    starts = [index for index, message in enumerate(messages) if message.role is MessageRole.USER]
    kept_from = starts[-1] if starts else 0
    used = estimate_tokens(messages[kept_from:])
    for start in reversed(starts[:-1]):
        used += estimate_tokens(messages[start:kept_from])
        if used > budget_tokens:
            break
        kept_from = start
    else:
        kept_from = 0 if not starts else kept_from
    return messages[kept_from:]
