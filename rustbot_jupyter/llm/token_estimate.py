"""About how many tokens something is, before a provider has counted: characters / 4."""

from __future__ import annotations

from collections.abc import Iterable

from rustbot_jupyter.messages import (
    AttachedPart,
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

CHARS_PER_TOKEN = 4
IMAGE_TOKENS = 1_000


def tokens_in(characters: int) -> int:
    """About how many tokens so many characters are, rounded up."""
    return -(-characters // CHARS_PER_TOKEN)


def estimate_tokens(messages: Iterable[Message]) -> int:
    """About how many tokens these messages are."""
    return sum(_part_tokens(part) for message in messages for part in message.parts)


def _part_tokens(part: object) -> int:
    match part:
        case TextPart(text=text) | AttachedPart(text=text):
            return tokens_in(len(text))
        case ReasoningPart(text=text, details=details):
            return tokens_in(len(text) or len(str(details)))
        case ToolCallPart(name=name, arguments=arguments):
            return tokens_in(len(name) + len(arguments))
        case ToolResultPart(content=content, images=images):
            return tokens_in(len(content)) + IMAGE_TOKENS * len(images)
        case FilePart(data=data):
            return tokens_in(len(data))
        case ImagePart():
            return IMAGE_TOKENS
    return 0
