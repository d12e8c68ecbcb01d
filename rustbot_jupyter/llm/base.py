"""The engine's view of a language model: a request goes in, stream events and one `Answer` come out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rustbot_jupyter.messages import CitationPart, ImagePart, Message, Part, ReasoningPart, TextPart, ToolCallPart
from rustbot_jupyter.usage import Usage

DEMO_MODEL = "rustbot/demo"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """One request to a model. None and empty mean: leave the field out, the provider decides."""

    model: str
    messages: tuple[Message, ...]
    """System prompt first, then the conversation; tool results included."""
    fallback_models: tuple[str, ...] = ()
    max_tokens: int | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """temperature, top_p, top_k, seed, stop, ...: only what the user set."""
    reasoning: Mapping[str, Any] | None = None
    """OpenRouter's `reasoning` object: effort, max_tokens, exclude, enabled."""
    provider: Mapping[str, Any] | None = None
    """OpenRouter's provider routing object."""
    response_format: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    """Tool definitions in the OpenAI shape."""
    tool_choice: str | Mapping[str, Any] | None = None
    cache_control: Mapping[str, Any] | None = None
    session_id: str | None = None
    """The conversation's id; keeps it on one provider, so that its prompt cache is hit."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further body fields, as the user gave them (`-o KEY VALUE`)."""
    insists_on: frozenset[str] = frozenset()
    """Body fields that the user asked for with this question: not left out, even where the server refuses them."""


# Stream events: pieces of a streaming answer. Adjacent pieces of one network read come as one.


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More readable reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """The model began to write a tool call; its arguments are not whole before the stream ends."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A life sign without content (a comment line)."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """A part of the request that the server refused was left out or spelled in its way."""

    text: str
    """A sentence or two for the user."""


StreamEvent = TextDelta | ReasoningDelta | ToolCallStarted | Waiting | Adapted


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A model's answer, as far as it has arrived."""

    text: str = ""
    reasoning: ReasoningPart | None = None
    tool_calls: tuple[ToolCallPart, ...] = ()
    """Whole only when `is_complete`; the arguments may still be broken JSON (cut by the token limit)."""
    refusal: str = ""
    images: tuple[ImagePart, ...] = ()
    citations: tuple[CitationPart, ...] = ()
    annotations: tuple[Mapping[str, Any], ...] = ()
    """Annotations as sent (file parses, citations); sent back unchanged with the message."""
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None
    """stop, length, tool_calls, content_filter or error; None when the provider said none."""
    native_finish_reason: str | None = None
    model: str | None = None
    """The model that answered, as the provider names it."""
    provider: str | None = None
    generation_id: str | None = None
    """What `/generation` knows this answer by."""
    is_complete: bool = False
    """True once a finish reason or `[DONE]` was seen."""
    skipped_events: int = 0
    """Events that did not parse and were left out; where one may have held a piece, the answer is not complete."""

    @property
    def says_nothing(self) -> bool:
        """True if there is nothing in it for the user: no word, no picture, no tool call."""
        return not (self.text.strip() or self.refusal.strip() or self.images or self.tool_calls)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The message parts: reasoning, text (or the refusal), images, tool calls, citations."""
        parts: list[Part] = []
        if self.reasoning is not None:
            parts.append(self.reasoning)
        if self.text or self.refusal:
            parts.append(TextPart(text=self.text or self.refusal))
        return (*parts, *self.images, *self.tool_calls, *self.citations)


class ChatStream(Protocol):
    """A running answer: iterate it, or have `each` piece handed over."""

    @property
    def answer(self) -> Answer:
        """Return what has arrived so far; the whole answer once the iteration has ended."""

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        """The pieces, as they come.

        Raises:
            ModelError: The request failed. After the first text or reasoning it is `StreamBroken` (or another
                one with `retryable` False) and `answer` keeps what had come.
        """

    async def each(self, take: Callable[[StreamEvent], None]) -> None:
        """Hand each piece to `take` as it comes; returns at the end. For takers that are done with a piece at once.

        An error of `take` ends it and is raised.

        Raises:
            ModelError: As when iterated.
        """
        async for piece in self:
            take(piece)


class ChatModel(Protocol):
    """Something that answers: the HTTP client, or the offline demo."""

    host: str
    """Who is asked, for people: "openrouter.ai", "localhost:11434", "offline demo"."""
    is_local: bool
    """True if it runs on this machine, where most servers cost nothing."""

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[ChatStream]:
        """Send the request once, without retries; leaving the context closes the connection, whatever happened."""

    async def warm_up(self) -> None:
        """Prepare the first request while idle (connection pool, TLS context); never raises, sends nothing billable."""

    async def settle(self, generation_id: str) -> Usage | None:
        """The billed usage of a stopped answer, or None if the provider does not know it (yet)."""

    async def aclose(self) -> None:
        """Close all connections."""
