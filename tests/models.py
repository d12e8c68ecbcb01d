"""A model that says what its script says, and plans that ask it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from rustbot_jupyter.engine.budget import Caps
from rustbot_jupyter.engine.plan import Planner, TurnPlan, TurnRequest
from rustbot_jupyter.errors import RustbotError
from rustbot_jupyter.llm.base import Answer, ChatRequest, ChatStream, ReasoningDelta, StreamEvent, TextDelta
from rustbot_jupyter.llm.retries import RetryPolicy
from rustbot_jupyter.messages import CitationPart, ReasoningPart, ToolCallPart
from rustbot_jupyter.usage import Usage


@dataclass(frozen=True)
class Signal:
    """A step of a script that is not content."""

    name: str


HOLD = Signal("hold")
"""Say nothing more until `release`, or until the stream is closed."""


@dataclass(frozen=True)
class Pause:
    """A silence."""

    seconds: float


Step = str | StreamEvent | Exception | Signal | Pause
"""Text, a stream event as it is, an error to raise, `HOLD`, or a pause."""


@dataclass(kw_only=True)
class Script:
    """One answer."""

    steps: tuple[Step, ...]
    usage: Usage = field(default_factory=lambda: Usage(input_tokens=10, output_tokens=5, cost_usd=0.001))
    finish_reason: str = "stop"
    tool_calls: tuple[ToolCallPart, ...] = ()
    citations: tuple[CitationPart, ...] = ()
    reasoning_details: tuple[dict[str, Any], ...] = ()


class ScriptedModel:
    """A `ChatModel` that answers from scripts, in order; the last one serves all that follow."""

    def __init__(self, *, host: str = "scripted", is_local: bool = False) -> None:
        self.host = host
        self.is_local = is_local
        self.requests: list[ChatRequest] = []
        self.closed = 0
        """Streams that were left, finished or not."""
        self.warmed_up = 0
        self.settled: dict[str, Usage] = {}
        """Billed usage by generation id, for `settle`."""
        self._scripts: deque[Script] = deque([Script(steps=("Hello",))])
        self._is_default = True
        self._held = 0
        self._released = asyncio.Event()
        self._progress = asyncio.Condition()

    def will_stream(self, *steps: Step, **fields: Any) -> None:
        """Add an answer."""
        if self._is_default:
            self._scripts.clear()
            self._is_default = False
        self._scripts.append(Script(steps=steps, **fields))

    def release(self) -> None:
        """Let every `HOLD` that is reached, now or later, go on."""
        self._released.set()

    async def reached(self, signal: Signal, times: int = 1) -> None:
        """Return once `HOLD` was reached so often."""
        assert signal is HOLD
        async with asyncio.timeout(30), self._progress:
            await self._progress.wait_for(lambda: self._held >= times)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatStream]:
        """The next script's answer."""
        self.requests.append(request)
        script = self._scripts.popleft() if len(self._scripts) > 1 else self._scripts[0]
        try:
            yield _ScriptedStream(self, script, request.model)
        finally:
            self.closed += 1

    async def hold(self) -> None:
        """Wait as `HOLD` does."""
        async with self._progress:
            self._held += 1
            self._progress.notify_all()
        await self._released.wait()

    async def warm_up(self) -> None:
        """Count."""
        self.warmed_up += 1

    async def settle(self, generation_id: str) -> Usage | None:
        """What the test put into `settled`."""
        return self.settled.get(generation_id)

    async def aclose(self) -> None:
        """There is nothing to close."""


class _ScriptedStream(ChatStream):
    def __init__(self, model: ScriptedModel, script: Script, name: str) -> None:
        self._model = model
        self._script = script
        self._name = name
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._is_complete = False

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        for step in self._script.steps:
            if isinstance(step, Signal):
                await self._model.hold()
                continue
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            if isinstance(step, Exception):
                raise step
            event = TextDelta(step) if isinstance(step, str) else step
            if isinstance(event, TextDelta):
                self._text.append(event.text)
            elif isinstance(event, ReasoningDelta):
                self._reasoning.append(event.text)
            yield event
            # A network read lets others run between two pieces.
            await asyncio.sleep(0)
        self._is_complete = True

    @property
    def answer(self) -> Answer:
        script, reasoning = self._script, "".join(self._reasoning)
        details = script.reasoning_details if self._is_complete else ()
        return Answer(
            text="".join(self._text),
            reasoning=ReasoningPart(text=reasoning, details=details) if reasoning or details else None,
            tool_calls=script.tool_calls if self._is_complete else (),
            citations=script.citations if self._is_complete else (),
            usage=script.usage if self._is_complete else Usage(),
            finish_reason=script.finish_reason if self._is_complete else None,
            model=self._name,
            provider="scripted",
            is_complete=self._is_complete,
        )


def planner_for(model: ScriptedModel, error: RustbotError | None = None, **fields: Any) -> Planner:
    """A planner whose turns ask `model`; `fields` are those of `TurnPlan`. With `error` no turn can be planned."""

    def plan(request: TurnRequest) -> TurnPlan:
        if error is not None:
            raise error
        values: dict[str, Any] = {
            "chat_model": model,
            "model": request.overrides.get("model", "test/model"),
            "profile": "default",
            "system_prompt": "",
            "request_fields": {},
            "context_budget_tokens": None,
            "retry": RetryPolicy(retries=2, first_wait_s=0.01),
            "caps": Caps(turn_usd=request.max_cost_usd),
            "prices": lambda name: None,
        }
        return TurnPlan(**(values | fields))

    return plan
