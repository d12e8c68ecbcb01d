"""The engine's values as the page shows them; pure functions, mirrors of the types in `protocol.py`."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, cast

from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.events import AssistantEvent, TurnFailed, TurnFinished, TurnInterrupted
from rustbot_jupyter.llm.base import DEMO_MODEL
from rustbot_jupyter.llm.catalog import ModelInfo
from rustbot_jupyter.messages import CitationPart, ImagePart, Message, MessageRole, MessageStatus, utc_now
from rustbot_jupyter.notebook.protocol import (
    CitationView,
    ErrorView,
    EventRow,
    MessageView,
    QueuedView,
    TotalsView,
    UsageView,
)
from rustbot_jupyter.settings.redaction import redact
from rustbot_jupyter.usage import Usage, UsageRecord

MOST_IMAGE_BYTES = 2_200_000
"""The page draws no larger one: 3,000,000 characters in base64."""

Ending = TurnFinished | TurnInterrupted | TurnFailed

# An interrupted turn says why in one word; the page knows errors by their class.
_ERROR_OF_REASON = {"stream": "StreamBroken", "timeout": "ModelTimeout", "empty": "InvalidAnswer"}

_FINAL_FIELDS = frozenset(
    {"status", "model", "model_is_demo", "usage", "ttft_s", "duration_s", "finish_reason", "citations", "error"}
)


def milliseconds(time: datetime) -> float:
    """The time as the page counts it."""
    return time.timestamp() * 1000


def usage_view(usage: Usage) -> UsageView:
    """Tokens and cost."""
    return cast(UsageView, asdict(usage))


def totals_view(agent: Agent) -> TotalsView:
    """All requests of this kernel's life."""
    return {"requests": len(agent.usage_log), "usage": usage_view(agent.usage_log.total())}


def queue_view(agent: Agent) -> list[QueuedView]:
    """The messages that wait to be said."""
    return [{"id": turn.id, "text": turn.request.message.text, "source": turn.request.source} for turn in agent.waiting]


def is_shown(message: Message) -> bool:
    """True if a message has a place of its own; the results of tools stand in the cards below the call."""
    return message.role in (MessageRole.USER, MessageRole.ASSISTANT)


def shown_text(message: Message) -> str:
    """Return what a bubble says: the text, and the images of an answer as Markdown."""
    if message.role is not MessageRole.ASSISTANT:
        return message.text
    images = [part for part in message.parts if isinstance(part, ImagePart)]
    return "\n\n".join([*filter(None, [message.text]), *map(_image_markdown, images)])


def _image_markdown(image: ImagePart) -> str:
    if len(image.data) > MOST_IMAGE_BYTES:
        return f"*An image of {len(image.data) / 1e6:.1f} MB, too large for the chat; the message's parts hold it.*"
    data = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
    return f"![Image]({image.url or data})"


def message_view(agent: Agent, message: Message) -> MessageView:
    """A message of the conversation; the usage and the ending of its turn stand at the answer."""
    requests = agent.usage_log.records_of(message.turn_id) if message.turn_id else []
    text = shown_text(message)
    view: MessageView = {
        "id": message.id,
        "role": cast(Literal["user", "assistant"], message.role.value),
        "status": message.status.value,
        "text": text,
        "text_length": len(text),
        "reasoning": message.reasoning,
        "reasoning_length": len(message.reasoning),
        "created_at": milliseconds(message.created_at),
        "turn_id": message.turn_id,
        "source": _source(agent, message, requests),
        "model": None,
        "model_is_demo": False,
        "usage": None,
        "ttft_s": None,
        "duration_s": None,
        "finish_reason": None,
        "citations": [_citation(part) for part in message.parts if isinstance(part, CitationPart)],
        "error": None,
    }
    if message.role is MessageRole.ASSISTANT and not message.tool_calls:
        view.update(_turn_fields(agent, message, requests))  # type: ignore[typeddict-item]
    return view


def final_fields(agent: Agent, message: Message) -> dict[str, Any]:
    """Return what changes when a streamed message ends; its text was sent already."""
    view = message_view(agent, message)
    return {name: value for name, value in view.items() if name in _FINAL_FIELDS}


def streaming_view(turn: Turn, *, is_begun: bool) -> MessageView:
    """The answer that a turn writes now: without text when it has just begun, else with what has come."""
    text = turn.text.text if turn.text is not None and not is_begun else ""
    reasoning = turn.reasoning.text if turn.reasoning is not None and not is_begun else ""
    model = turn.plan.model if turn.plan is not None else None
    return {
        "id": turn.message_id,
        "role": "assistant",
        "status": "streaming",
        "text": text,
        "text_length": len(text),
        "reasoning": reasoning,
        "reasoning_length": len(reasoning),
        "created_at": milliseconds(utc_now()),
        "turn_id": turn.id,
        "source": turn.request.source,
        "model": model,
        "model_is_demo": model == DEMO_MODEL,
        "usage": None,
        "ttft_s": None,
        "duration_s": None,
        "finish_reason": None,
        "citations": [],
        "error": None,
    }


def error_view(ending: Ending | None) -> ErrorView | None:
    """Return why a turn has no whole answer; None when it has, or when the user stopped it."""
    if isinstance(ending, TurnFailed):
        return {
            "type": ending.error_type,
            "text": redact(ending.error),
            "detail": redact(ending.detail),
            "status": ending.status,
            "retryable": ending.retryable,
            "suggestions": list(ending.suggestions),
        }
    if isinstance(ending, TurnInterrupted) and ending.error:
        return {
            "type": _ERROR_OF_REASON.get(ending.reason, "RustbotError"),
            "text": redact(ending.error),
            "detail": "",
            "status": None,
            "retryable": False,
            "suggestions": [],
        }
    return None


def event_row(event: AssistantEvent) -> EventRow:
    """A line of the Events tab."""
    return {
        "seq": event.seq,
        "time": milliseconds(event.time),
        "kind": event.kind,
        "priority": cast(Literal["CRITICAL", "HIGH", "NORMAL", "LOW"], event.priority.name),
        "state": event.state,
        "turn_id": event.turn_id,
        "duration_s": event.duration_s,
        "summary": redact(event.summary),
    }


def model_choice(model: ModelInfo) -> dict[str, Any]:
    """A model to pick, its prices in US dollars per million tokens."""
    prices = model.prices
    return {
        "id": model.id,
        "name": model.name,
        "context_length": model.context_length,
        "input_usd": None if prices is None else prices.input_usd * 1e6,
        "output_usd": None if prices is None else prices.output_usd * 1e6,
    }


def _turn_fields(agent: Agent, message: Message, requests: list[UsageRecord]) -> dict[str, Any]:
    ending = agent.endings.get(message.turn_id or "")
    last = requests[-1] if requests else None
    model = (last.model or last.model_requested) if last else None
    is_demo = last is not None and DEMO_MODEL in (last.model, last.model_requested)
    return {
        "model": model,
        "model_is_demo": is_demo,
        "usage": usage_view(agent.usage_log.of_turn(message.turn_id)) if message.turn_id and last else None,
        "ttft_s": agent.usage_log.ttft_s(message.turn_id) if message.turn_id else None,
        "duration_s": ending.took_s if ending is not None else None,
        "finish_reason": last.finish_reason if last else None,
        "error": error_view(ending) if message.status is not MessageStatus.COMPLETE else None,
    }


def _source(agent: Agent, message: Message, requests: list[UsageRecord]) -> str:
    if requests:
        return requests[0].source
    active = agent.active
    return active.request.source if active is not None and active.id == message.turn_id else "chat"


def _citation(part: CitationPart) -> CitationView:
    return {"url": part.url, "title": part.title}
