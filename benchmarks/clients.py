"""Who streams: the bare loop, Rustbot's client, and other libraries. Each is imported only where it is measured."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rustbot_jupyter import Rustbot

OnText = Callable[[str], Any]
Stream = Callable[[OnText], Awaitable[None]]
"""Sends one question, hands over each piece of the answer, returns at its end."""

MODEL = "benchmark/fast"
QUESTION = "Say it all."
KEY = "none"


def httpx_json(base_url: str) -> Stream:
    """The reference: bytes split at blank lines, `json.loads`, the content of the first choice. Nothing else."""
    import httpx

    client = httpx.AsyncClient(timeout=None)
    body = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], "stream": True}

    async def stream(on_text: OnText) -> None:
        buffer = b""
        async with client.stream("POST", base_url + "/chat/completions", json=body) as response:
            async for data in response.aiter_bytes():
                *events, buffer = (buffer + data).split(b"\n\n")
                for event in events:
                    if event != b"data: [DONE]":
                        text = json.loads(event[6:])["choices"][0]["delta"].get("content")
                        if text:
                            on_text(text)

    return stream


def rustbot(base_url: str) -> Stream:
    """Rustbot's client: typed events, usage, tool calls, limits."""
    from rustbot_jupyter.llm.base import ChatRequest, StreamEvent, TextDelta
    from rustbot_jupyter.llm.client import ChatClient
    from rustbot_jupyter.messages import user_message

    client = ChatClient(base_url)
    request = ChatRequest(model=MODEL, messages=(user_message(QUESTION),))

    async def stream(on_text: OnText) -> None:
        def take(piece: StreamEvent) -> None:
            if isinstance(piece, TextDelta):
                on_text(piece.text)

        async with client.stream(request) as pieces:
            await pieces.each(take)
            assert pieces.answer.is_complete
            assert pieces.answer.usage.output_tokens is not None

    return stream


class Bots:
    """`bot.stream`, all of it: the engine on its thread, events, usage, budget; a bot for each answer at once."""

    def __init__(self, base_url: str) -> None:
        from rustbot_jupyter import Rustbot
        from rustbot_jupyter.events import TextStreamed

        self._new = partial(Rustbot, model=MODEL, base_url=base_url)
        self._text_type = TextStreamed
        self._free: list[Rustbot] = []

    async def __call__(self, on_text: OnText) -> None:
        """Stream one answer."""
        bot = self._free.pop() if self._free else self._new()
        async for event in bot.stream(QUESTION):
            if isinstance(event, self._text_type):
                on_text(event.text)
        assert bot.conversation.messages[-1].status == "complete"
        self._free.append(bot)

    def renew(self) -> None:
        """Begin a new conversation with each, so that every question is as long as those of others."""
        for bot in self._free:
            bot.new_conversation()


def openai(base_url: str) -> Stream:
    """The `openai` package."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=base_url, api_key=KEY)

    async def stream(on_text: OnText) -> None:
        answer: Any = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        async for chunk in answer:
            if chunk.choices and chunk.choices[0].delta.content:
                on_text(chunk.choices[0].delta.content)

    return stream


def chatlas(base_url: str) -> Stream:
    """The `chatlas` package, over chat completions."""
    from chatlas import ChatOpenAICompletions

    chat = ChatOpenAICompletions(model=MODEL, base_url=base_url, api_key=KEY)

    async def stream(on_text: OnText) -> None:
        chat.set_turns([])
        async for text in await chat.stream_async(QUESTION):
            on_text(text)

    return stream


def llm(base_url: str) -> Stream:
    """The `llm` package."""
    from llm.default_plugins.openai_models import AsyncChat

    async def stream(on_text: OnText) -> None:
        model = AsyncChat(MODEL, key=KEY, api_base=base_url)
        async for text in model.prompt(QUESTION, stream=True, key=KEY):
            on_text(text)

    return stream


def litellm(base_url: str) -> Stream:
    """The `litellm` package."""
    from litellm import acompletion

    async def stream(on_text: OnText) -> None:
        answer = await acompletion(
            model=f"openai/{MODEL}",
            api_base=base_url,
            api_key=KEY,
            messages=[{"role": "user", "content": QUESTION}],
            stream=True,
        )
        async for chunk in answer:
            if chunk.choices and chunk.choices[0].delta.content:
                on_text(chunk.choices[0].delta.content)

    return stream


def pydantic_ai(base_url: str) -> Stream:
    """The `pydantic-ai` package."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = Agent(OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=base_url, api_key=KEY)))

    async def stream(on_text: OnText) -> None:
        async with agent.run_stream(QUESTION) as answer:
            async for text in answer.stream_text(delta=True, debounce_by=None):
                on_text(text)

    return stream


REFERENCE, OURS, BOTS = "httpx+json", "rustbot", "bot.stream"
PEERS: dict[str, Callable[[str], Stream]] = {
    "openai": openai,
    "chatlas": chatlas,
    "llm": llm,
    "litellm": litellm,
    "pydantic-ai": pydantic_ai,
}
CLIENTS: dict[str, Callable[[str], Stream]] = {REFERENCE: httpx_json, OURS: rustbot, BOTS: Bots, **PEERS}
