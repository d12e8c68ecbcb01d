"""Events: `AssistantEvent` and its kinds, one frozen dataclass each, named in the past tense.

Everything that enters the engine and everything it does is one of these. The queue stamps `seq`; the bus hands
the event to the log, the widget and whoever else subscribed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import IntEnum
from time import monotonic
from typing import Any, ClassVar

from rustbot_jupyter.messages import Message, utc_now
from rustbot_jupyter.usage import Usage


class Priority(IntEnum):
    """The order in which events are handled; equal ones in the order they came."""

    CRITICAL = 0
    """Interrupt and shutdown."""
    HIGH = 1
    """Approvals and errors."""
    NORMAL = 2
    """Messages, streams, tools."""
    LOW = 3
    """Metrics and autosave; the only ones dropped when the queue is full."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AssistantEvent:
    """Something that happened, and when."""

    priority: ClassVar[Priority] = Priority.NORMAL
    kind: ClassVar[str] = "assistant_event"

    seq: int = 0
    """Place in the bot's history, from 1, without gaps; stamped by the queue. 0 before that."""
    time: datetime = field(default_factory=utc_now)
    monotonic: float = field(default_factory=monotonic)
    """Seconds on a clock that never jumps; only differences mean something."""
    conversation_id: str | None = None
    turn_id: str | None = None
    state: str | None = None
    """The agent's state when it happened (for what came from outside: when it was handled); stamped by the engine."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # No zero-argument super(): slots=True makes the class anew, which breaks its cell.
        super(AssistantEvent, cls).__init_subclass__(**kwargs)
        cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @property
    def duration_s(self) -> float | None:
        """Return how long the thing took, in seconds; None for events without a length."""
        return getattr(self, "took_s", None)

    @property
    def data(self) -> dict[str, Any]:
        """The fields of this kind only, as plain values; not yet redacted."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in _COMMON}

    @property
    def summary(self) -> str:
        """One line for a person; not yet redacted."""
        shown = [f"{name}={_short(value)}" for name, value in self.data.items() if value not in (None, "", {}, [])]
        return ", ".join(shown)


_COMMON = {f.name for f in fields(AssistantEvent)}


def _plain(value: Any) -> Any:
    if isinstance(value, Usage):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, Message):
        return {"id": value.id, "role": str(value.role), "status": str(value.status), "text": value.text}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _short(value: Any, limit: int = 80) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _used(usage: Usage) -> str:
    """Tokens and cost for people; "?" for what is unknown."""
    counts = [usage.input_tokens, usage.output_tokens]
    tokens = " + ".join("?" if count is None else f"{count:,}" for count in counts)
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.6f}".rstrip("0").rstrip(".")
    return f"{tokens} tokens, {'about ' if usage.cost_is_estimate else ''}{cost}"


# What the user asks of the engine.


@dataclass(frozen=True, kw_only=True, slots=True)
class UserMessageReceived(AssistantEvent):
    """A question came in; its turn starts when the turns before it are done."""

    message: Message
    source: str
    """chat, magic, api or map."""

    @property
    def summary(self) -> str:
        """From where, and how it begins."""
        return f"{self.source}: {_short(self.message.text)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class InterruptRequested(AssistantEvent):
    """Someone pressed Stop."""

    priority: ClassVar[Priority] = Priority.CRITICAL
    source: str = "api"
    only_turn: str | None = None
    """Stop this turn only, if it is the one that runs; None stops whatever runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShutdownRequested(AssistantEvent):
    """The bot is being closed."""

    priority: ClassVar[Priority] = Priority.CRITICAL


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueChanged(AssistantEvent):
    """The list of messages that wait to be said changed."""

    waiting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationChanged(AssistantEvent):
    """Another conversation is current, or messages were taken out of it."""

    reason: str
    """new, reset, cut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsChanged(AssistantEvent):
    """Settings got other values; `names` are the fields, keys are never told."""

    names: tuple[str, ...]


# One turn.


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnStarted(AssistantEvent):
    """The engine began to work on a question."""

    message: Message
    """The user's message, as it went into the conversation."""
    source: str
    model: str

    @property
    def summary(self) -> str:
        """Return who is asked, and how the question begins."""
        return f"{self.model or 'no model'}: {_short(self.message.text)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSent(AssistantEvent):
    """A request left for the provider."""

    model: str
    host: str
    attempt: int
    """1 for the first try."""
    input_tokens_estimate: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestAdapted(AssistantEvent):
    """A part of the request that the server refused was left out or spelled in its way."""

    model: str
    text: str
    """A sentence or two: what is not taken by whom, and what was done instead."""

    @property
    def summary(self) -> str:
        """Return what changed."""
        return _short(self.text, 200)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderWaiting(AssistantEvent):
    """The provider keeps the line open but has not answered yet."""

    priority: ClassVar[Priority] = Priority.LOW
    waited_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstToken(AssistantEvent):
    """The answer began."""

    message_id: str
    took_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TextStreamed(AssistantEvent):
    """Text of the answer, coalesced: one event per flush, not one per token."""

    message_id: str
    text: str
    offset: int
    """Characters of this message's text before this piece."""

    @property
    def summary(self) -> str:
        """Return how much text came."""
        return f"{len(self.text)} characters"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasoningStreamed(AssistantEvent):
    """Reasoning of the answer, coalesced like text."""

    message_id: str
    text: str
    offset: int

    @property
    def summary(self) -> str:
        """Return how much reasoning came."""
        return f"{len(self.text)} characters"


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCallRequested(AssistantEvent):
    """The model wants a tool to run."""

    call_id: str
    tool: str
    arguments: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalAsked(AssistantEvent):
    """A tool call waits for the user's word."""

    priority: ClassVar[Priority] = Priority.HIGH
    approval_id: str
    run_id: str
    tool: str
    source: str
    """Where the wish may have come from: "after reading file notes.txt"; "" when nothing was read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalGiven(AssistantEvent):
    """A tool call may run."""

    priority: ClassVar[Priority] = Priority.HIGH
    approval_id: str
    run_id: str
    tool: str
    scope: str
    """once, conversation or always."""
    took_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRefused(AssistantEvent):
    """A tool call may not run."""

    priority: ClassVar[Priority] = Priority.HIGH
    approval_id: str
    run_id: str
    tool: str
    reason: str
    """What the user said to the model, or why nobody was asked any more."""
    took_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolStarted(AssistantEvent):
    """A tool runs."""

    run_id: str
    call_id: str
    tool: str
    source: str
    """built-in, user, plugin:NAME or mcp:NAME."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolProgressed(AssistantEvent):
    """A running tool gave output, coalesced like streamed text."""

    run_id: str
    tool: str
    text: str

    @property
    def summary(self) -> str:
        """Return how much came."""
        return f"{self.tool}: {len(self.text)} characters"


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolFinished(AssistantEvent):
    """A tool gave its result."""

    run_id: str
    call_id: str
    tool: str
    result_bytes: int
    took_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolFailed(AssistantEvent):
    """A tool call came to nothing: refused, stopped, timed out or failed."""

    run_id: str
    call_id: str
    tool: str
    status: str
    """error, refused, timeout or interrupted."""
    error: str
    took_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class McpServerStarted(AssistantEvent):
    """An MCP server answers, and its tools are known."""

    server: str
    tools: int
    took_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class McpServerFailed(AssistantEvent):
    """An MCP server could not be started, or died."""

    priority: ClassVar[Priority] = Priority.HIGH
    server: str
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryScheduled(AssistantEvent):
    """A request failed before its first token and will be sent again."""

    attempt: int
    """The try that comes next."""
    attempts: int
    wait_s: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnFinished(AssistantEvent):
    """The answer is complete."""

    message: Message
    usage: Usage
    model: str | None
    finish_reason: str | None
    took_s: float

    @property
    def summary(self) -> str:
        """Return what it used, and how the answer begins."""
        return f"{_used(self.usage)}: {_short(self.message.text)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnInterrupted(AssistantEvent):
    """The answer was stopped; what had arrived is kept."""

    message: Message | None
    """None when nothing had arrived."""
    usage: Usage
    reason: str
    """user, shutdown, timeout, stream (it broke after the first token) or empty (the model said nothing)."""
    took_s: float
    error: str = ""

    @property
    def summary(self) -> str:
        """Return why, and how much of the answer was there."""
        kept = len(self.message.text) if self.message is not None else 0
        return f"{self.error or f'stopped ({self.reason})'}; {kept:,} characters kept"


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnFailed(AssistantEvent):
    """There is no answer."""

    # Not HIGH: it would overtake the events of its own turn, and the log would tell the end before the story.
    error_type: str
    """The class's name in `rustbot_jupyter.errors`."""
    error: str
    detail: str = ""
    status: int | None = None
    retryable: bool = False
    suggestions: tuple[str, ...] = ()
    """Other models the provider offers instead."""
    took_s: float = 0.0

    @property
    def summary(self) -> str:
        """Return what went wrong."""
        return f"{self.error_type}: {_short(self.error, 200)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class CostSettled(AssistantEvent):
    """The provider told the cost of a stream that was stopped."""

    usage: Usage

    @property
    def summary(self) -> str:
        """Return what it used."""
        return _used(self.usage)


# The engine itself.


@dataclass(frozen=True, kw_only=True, slots=True)
class StateChanged(AssistantEvent):
    """The state machine moved."""

    old: str
    new: str
    trigger: str
    took_s: float
    """Seconds spent in the old state."""

    @property
    def summary(self) -> str:
        """From where to where."""
        return f"{self.old} → {self.new} ({self.trigger})"


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetWarned(AssistantEvent):
    """Four fifths of a cap are spent."""

    priority: ClassVar[Priority] = Priority.HIGH
    spent_usd: float
    cap_usd: float


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsSampled(AssistantEvent):
    """The process's resources, while the agent was active."""

    priority: ClassVar[Priority] = Priority.LOW
    values: Mapping[str, float]
    """By name; the unit is the name's last word (memory_bytes, cpu_percent, queue_events)."""

    @property
    def summary(self) -> str:
        """The values, one after the other."""
        return ", ".join(f"{name} {value:,.0f}" for name, value in self.values.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorOccurred(AssistantEvent):
    """Something failed beside a turn: a subscriber, a periodic task."""

    priority: ClassVar[Priority] = Priority.HIGH
    error: str
    where: str
