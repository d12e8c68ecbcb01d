"""Messages, their roles, and the typed parts they are made of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


def new_id(prefix: str) -> str:
    """A short unique id such as `"msg-3f2a9c0d51e84b7a"`."""
    return f"{prefix}-{uuid.uuid4().hex[:16]}"


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


class MessageRole(StrEnum):
    """The speaker of a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class MessageStatus(StrEnum):
    """The completeness of a message."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    """Stopped by the user, or the stream broke; the text is what had arrived."""
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class TextPart:
    """Plain text or Markdown."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasoningPart:
    """A model's thoughts before it answered."""

    text: str = ""
    """Readable reasoning; "" when the provider sent it encrypted only."""
    details: tuple[Mapping[str, Any], ...] = ()
    """OpenRouter's `reasoning_details`, assembled; sent back unchanged, in order."""
    field: str = "reasoning"
    """The wire's name that the text came under and goes back under; "" when it stood in the text, between tags."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCallPart:
    """A model's wish to run a tool."""

    call_id: str
    name: str
    arguments: str
    """JSON text as the model wrote it, mended where there is no doubt; it may be broken."""
    is_cut: bool = False
    """True if the answer reached its length limit before the call was whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagePart:
    """An image, as bytes or by address."""

    media_type: str
    data: bytes = b""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolResultPart:
    """The result of a tool call; every call gets exactly one."""

    call_id: str
    name: str
    content: str
    is_error: bool = False
    images: tuple[ImagePart, ...] = ()
    """Sent after the results, to models that take images."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePart:
    """A file attached to a message."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachedPart:
    """Text that goes to the model with a message and was not typed: a prompt or resource that the message names."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CitationPart:
    """A web page that an answer refers to."""

    url: str
    title: str = ""


Part = TextPart | ReasoningPart | ToolCallPart | ToolResultPart | ImagePart | FilePart | AttachedPart | CitationPart


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One entry of a conversation."""

    role: MessageRole
    parts: tuple[Part, ...]
    id: str = field(default_factory=lambda: new_id("msg"))
    created_at: datetime = field(default_factory=utc_now)
    status: MessageStatus = MessageStatus.COMPLETE
    turn_id: str | None = None
    """The turn this message belongs to; its usage is recorded under the same id."""

    @property
    def text(self) -> str:
        """All text parts, joined; reasoning and tool calls are left out."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def reasoning(self) -> str:
        """All readable reasoning, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, ReasoningPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tool calls, in the order the model made them."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))


def user_message(text: str, **fields: Any) -> Message:
    """A user message with one text part."""
    return Message(role=MessageRole.USER, parts=(TextPart(text=text),), **fields)


@dataclass(kw_only=True)
class ConversationHistory:
    """Ordered messages with an id and a title. Owned by the engine; changed on the core thread only."""

    id: str = field(default_factory=lambda: new_id("conv"))
    title: str = ""
    created_at: datetime = field(default_factory=utc_now)
    _messages: list[Message] = field(default_factory=list)

    @property
    def messages(self) -> tuple[Message, ...]:
        """A snapshot, oldest first; safe to keep while the conversation goes on."""
        return tuple(self._messages)

    def append(self, message: Message) -> None:
        """Add a message at the end."""
        self._messages.append(message)

    def cut_before(self, message_id: str) -> tuple[Message, ...]:
        """Drop the message with this id and all after it; returns what was dropped, () if the id is unknown."""
        for index, message in enumerate(self._messages):
            if message.id == message_id:
                dropped = tuple(self._messages[index:])
                del self._messages[index:]
                return dropped
        return ()
