"""The offline demo model: rules instead of a network, so that everything works without a key."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from rustbot_jupyter.llm.base import (
    DEMO_MODEL,
    Answer,
    ChatRequest,
    ChatStream,
    StreamEvent,
    TextDelta,
    ToolCallStarted,
)
from rustbot_jupyter.llm.token_estimate import CHARS_PER_TOKEN, tokens_in
from rustbot_jupyter.messages import Message, ToolCallPart, ToolResultPart
from rustbot_jupyter.usage import Usage

_PIECE = re.compile(r"\s*\w{1,6}|\s*[^\w\s]{1,3}|\s+")


class DemoModel:
    """Answers by rules, free and offline, and never claims to be anything else.

    Args:
        tokens_per_s: How fast it streams, in estimated tokens; `float("inf")` does not wait at all.
    """

    def __init__(self, *, tokens_per_s: float = 60.0) -> None:
        self.host = "offline demo"
        self.is_local = True
        self.tokens_per_s = tokens_per_s

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatStream]:
        """An answer in small pieces; the same request always gives the same text."""
        # Its rules are some hundred regular expressions: kept out of `import rustbot_jupyter`.
        from rustbot_jupyter.llm.demo_rules.answers import said_to

        said = said_to(request)
        yield DemoStream(request, said.text, self.tokens_per_s, said.calls)

    async def warm_up(self) -> None:
        """Load the rules, so that the first answer starts at once."""
        import rustbot_jupyter.llm.demo_rules.answers  # noqa: F401

    async def settle(self, generation_id: str) -> Usage | None:
        """Nothing is ever left to settle: the demo is free."""
        return None

    async def aclose(self) -> None:
        """There is no connection to close."""


class DemoStream(ChatStream):
    """A prepared text, handed out at the speed of a model, and the tool calls after it."""

    def __init__(
        self, request: ChatRequest, text: str, tokens_per_s: float, calls: tuple[ToolCallPart, ...] = ()
    ) -> None:
        limit = len(text) if request.max_tokens is None else request.max_tokens * CHARS_PER_TOKEN
        self._text = text[:limit]
        self._is_cut = len(text) > limit
        self._pieces = _PIECE.finditer(self._text)
        # A real model that is cut off in its text never comes to its calls either.
        self._calls = () if self._is_cut else calls
        self._started_calls = 0
        self._input_tokens = tokens_in(sum(map(_characters, request.messages)))
        self._chars_per_s = tokens_per_s * CHARS_PER_TOKEN
        self._started: float | None = None
        self._sent = 0
        self._is_complete = False

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return self

    async def __anext__(self) -> StreamEvent:
        if self._started is None:
            self._started = monotonic()
        piece = next(self._pieces, None)
        if piece is None:
            return self._next_call()
        # Due times count from the start, so that a slow loop does not slow the answer down.
        await asyncio.sleep(max(0.0, self._started + piece.end() / self._chars_per_s - monotonic()))
        self._sent = piece.end()
        return TextDelta(piece.group())

    def _next_call(self) -> ToolCallStarted:
        index = self._started_calls
        if index == len(self._calls):
            self._is_complete = True
            raise StopAsyncIteration
        self._started_calls += 1
        return ToolCallStarted(index, self._calls[index].name)

    @property
    def answer(self) -> Answer:
        """Return what has been handed out, with estimated tokens and a true cost of nothing."""
        calls = self._calls[: self._started_calls]
        written = self._sent + sum(len(call.name) + len(call.arguments) for call in calls)
        return Answer(
            text=self._text[: self._sent],
            tool_calls=calls,
            usage=Usage(input_tokens=self._input_tokens, output_tokens=tokens_in(written), cost_usd=0.0),
            finish_reason=self._finish_reason if self._is_complete else None,
            model=DEMO_MODEL,
            provider="offline demo",
            is_complete=self._is_complete,
        )

    @property
    def _finish_reason(self) -> str:
        if self._is_cut:
            return "length"
        return "tool_calls" if self._calls else "stop"


def _characters(message: Message) -> int:
    """Return what a message brings into a request, tool calls and their results included."""
    calls = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    results = sum(len(part.content) for part in message.parts if isinstance(part, ToolResultPart))
    return len(message.text) + calls + results
