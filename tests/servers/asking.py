"""Short ways to decode bytes and to ask a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from servers.misbehaving import MisbehavingServer

from rustbot_jupyter.errors import ModelError
from rustbot_jupyter.llm.base import Answer, ChatRequest, ReasoningDelta, StreamEvent, TextDelta
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.llm.sse import SSEDecoder
from rustbot_jupyter.llm.stream import AnswerBuilder
from rustbot_jupyter.messages import user_message

MODEL = "test/model"
KEY = "sk-or-v1-0123456789abcdef"


@dataclass
class Outcome:
    """How a question ended."""

    events: list[StreamEvent]
    answer: Answer
    error: ModelError | None

    @property
    def text(self) -> str:
        """The text as it was streamed."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def reasoning(self) -> str:
        """The reasoning as it was streamed."""
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))


def understand(*pieces: bytes) -> tuple[list[StreamEvent], AnswerBuilder]:
    """The events and the builder after a stream that came in these pieces."""
    decoder, builder, events = SSEDecoder(), AnswerBuilder(), []
    for piece in pieces:
        builder.feed(decoder.feed(piece))
        events += builder.take(final=False)
    builder.feed(decoder.flush())
    return events + builder.take(), builder


def answer_to(*chunks: dict[str, Any], done: bool = True) -> Answer:
    """The answer that these chunks make."""
    data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return understand((data + ("data: [DONE]\n\n" if done else "")).encode())[1].answer()


def client_of(server: MisbehavingServer, **options: Any) -> ChatClient:
    """A client with a key and short limits."""
    short = {"connect_timeout_s": 2.0, "first_token_timeout_s": 5.0, "idle_timeout_s": 5.0}
    return ChatClient(server.base_url, options.pop("api_key", KEY), **{**short, **options})


def request(text: str = "Hi", **fields: Any) -> ChatRequest:
    """A question to the test model."""
    return ChatRequest(model=fields.pop("model", MODEL), messages=(user_message(text),), **fields)


async def ask(
    client: ChatClient, question: ChatRequest | None = None, on_event: Callable[[StreamEvent], None] | None = None
) -> Outcome:
    """Ask once and keep whatever comes, as the engine does; `on_event` is told of each piece."""
    events: list[StreamEvent] = []
    error = None

    def take(event: StreamEvent) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    async with client.stream(question or request()) as stream:
        try:
            await stream.each(take)
        except ModelError as raised:
            error = raised
        return Outcome(events, stream.answer, error)


async def ask_once(server: MisbehavingServer, question: ChatRequest | None = None, **options: Any) -> Outcome:
    """Ask with a client of its own."""
    client = client_of(server, **options)
    try:
        return await ask(client, question)
    finally:
        await client.aclose()
