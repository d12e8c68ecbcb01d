"""The views' knowledge of the conversation, and the ops that keep them up to date with the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.states import AgentState
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.events import (
    AssistantEvent,
    ConversationChanged,
    CostSettled,
    FirstToken,
    ProviderWaiting,
    QueueChanged,
    ReasoningStreamed,
    RetryScheduled,
    StateChanged,
    TextStreamed,
    ToolCallRequested,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from rustbot_jupyter.messages import Message, MessageRole
from rustbot_jupyter.notebook.protocol import MessageView, QueuedView, RetryView, StateView
from rustbot_jupyter.notebook.session_outbox import Outbox
from rustbot_jupyter.notebook.views import (
    Ending,
    final_fields,
    is_shown,
    message_view,
    milliseconds,
    queue_view,
    shown_text,
    streaming_view,
    totals_view,
    usage_view,
)
from rustbot_jupyter.settings.redaction import redact


class Transcript:
    """Follows one agent. Events say when to look; what is shown is read from the engine, which may be ahead of them.

    Args:
        agent: Whose conversation it is.
        outbox: Where the ops go.
    """

    def __init__(self, agent: Agent, outbox: Outbox) -> None:
        self._agent = agent
        self._outbox = outbox
        self._known = {message.id for message in agent.conversation.messages}
        self._streaming: str | None = None
        """The message that grows in the views."""
        self._sent = {"text": 0, "reasoning": 0}
        """Code points of it that the views were told."""
        self._queue: list[QueuedView] = []
        self._retry: RetryView | None = None
        self._provider_is_waiting = False
        if agent.active is not None and _has_begun(agent.active):
            self._follow(agent.active)
        self._handlers: dict[type[AssistantEvent], Callable[[Any], None]] = {
            TurnStarted: self._on_turn_started,
            FirstToken: self._on_first_token,
            TextStreamed: lambda event: self._on_piece("text", event),
            ReasoningStreamed: lambda event: self._on_piece("reasoning", event),
            TurnFinished: self._on_turn_over,
            TurnInterrupted: self._on_turn_over,
            TurnFailed: self._on_turn_over,
            ToolCallRequested: self._on_tool_call,
            CostSettled: self._on_cost,
            ConversationChanged: self._on_conversation,
            QueueChanged: self._on_queue,
            StateChanged: self._on_state,
            RetryScheduled: self._on_retry,
            ProviderWaiting: self._on_waiting,
        }

    def on_event(self, event: AssistantEvent) -> bool:
        """Turn an event into ops; whether somebody waits for them."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
        return isinstance(event, FirstToken | TurnFinished | TurnInterrupted | TurnFailed)

    # For snapshots.

    def page(self, before_id: str | None, limit: int) -> tuple[list[MessageView], bool]:
        """The `limit` messages before one (None: the newest, the growing one included), and if there are earlier ones.

        Raises:
            RequestError: There is no such message.
        """
        messages = [message for message in self._agent.conversation.messages if is_shown(message)]
        if before_id is not None:
            index = next((index for index, message in enumerate(messages) if message.id == before_id), None)
            if index is None:
                raise RequestError("That message is no longer part of the conversation.")
            messages = messages[:index]
        views = [message_view(self._agent, message) for message in messages[-limit:]]
        turn = self._agent.active
        if before_id is None and turn is not None and self._belongs(turn) and _has_begun(turn):
            is_over = any(message.id == turn.message_id for message in messages[-2:])
            if not is_over:
                views.append(streaming_view(turn, is_begun=False))
        return views, len(messages) > limit

    def state(self) -> StateView:
        """Return what the agent does now."""
        machine = self._agent.machine
        is_retrying = machine.state is AgentState.WAITING_RETRY
        return {
            "state": machine.state.value,
            "turn_id": machine.turn_id,
            "since": milliseconds(machine.entered_at),
            "waiting_for_provider": self._provider_is_waiting and machine.state is AgentState.PROCESSING,
            "retry": self._retry if is_retrying else None,
        }

    # Turns.

    def _on_turn_started(self, event: TurnStarted) -> None:
        if self._is_current(event):
            self._show(event.message)

    def _on_first_token(self, event: FirstToken) -> None:
        if self._is_current(event):
            self._begin(event.message_id)

    def _on_piece(self, kind: Literal["text", "reasoning"], event: TextStreamed | ReasoningStreamed) -> None:
        if not self._is_current(event):
            return
        self._begin(event.message_id)
        sent = self._sent[kind]
        if event.message_id != self._streaming or event.offset + len(event.text) <= sent:
            return
        self._outbox.add_text(
            kind, event.message_id, max(sent, event.offset), event.text[max(0, sent - event.offset) :]
        )
        self._sent[kind] = event.offset + len(event.text)

    def _on_tool_call(self, event: ToolCallRequested) -> None:
        """Complete the message that made the call: its card needs its place."""
        if self._is_current(event) and event.turn_id:
            self._show_missing()

    def _begin(self, message_id: str) -> None:
        """Show the answer that begins to grow."""
        turn = self._agent.active
        if message_id in self._known or turn is None or turn.message_id != message_id:
            return
        # An answer that ended in tool calls is complete when the next one begins.
        self._show_missing()
        self._follow(turn)
        self._sent = {"text": 0, "reasoning": 0}
        self._outbox.add({"op": "message", "message": streaming_view(turn, is_begun=True)})

    def _follow(self, turn: Turn) -> None:
        self._streaming = turn.message_id
        self._known.add(turn.message_id)
        self._sent = {
            "text": len(turn.text.text) if turn.text is not None else 0,
            "reasoning": len(turn.reasoning.text) if turn.reasoning is not None else 0,
        }

    def _on_turn_over(self, event: Ending) -> None:
        if self._is_current(event):
            self._show_missing(event)
        self._outbox.add({"op": "totals", "totals": totals_view(self._agent)})

    def _show_missing(self, ending: Ending | None = None) -> None:
        """Show what stands in the conversation and not in the views; complete what has grown."""
        messages = self._agent.conversation.messages
        missing = []
        for message in reversed(messages):
            if message.id in self._known and message.id != self._streaming:
                # All before a known user message is known too.
                if message.role is MessageRole.USER:
                    break
                continue
            missing.append(message)
        for message in reversed(missing):
            if message.id == self._streaming:
                self._complete(message)
            else:
                self._show(message)
        if ending is not None and self._streaming is not None:
            # It had begun, and nothing of it was kept.
            self._outbox.add({"op": "remove", "ids": [self._streaming]})
            self._known.discard(self._streaming)
            self._streaming = None

    def _complete(self, message: Message) -> None:
        """End the growing message: only what changed, if the views have its whole text."""
        self._streaming = None
        if not is_shown(message):
            self._outbox.add({"op": "remove", "ids": [message.id]})
        elif self._has_all_of(message):
            fields = final_fields(self._agent, message)
            self._outbox.add({"op": "message_patch", "id": message.id, "fields": fields})
        else:
            self._outbox.add({"op": "message", "message": message_view(self._agent, message)})

    def _has_all_of(self, message: Message) -> bool:
        turn = self._agent.active
        if turn is None or turn.message_id != message.id or turn.text is None or turn.reasoning is None:
            return False
        text = shown_text(message)
        lengths = {"text": len(text), "reasoning": len(message.reasoning)}
        is_same = turn.text.text == text and turn.reasoning.text == message.reasoning
        return is_same and self._sent == lengths

    def _show(self, message: Message) -> None:
        if message.id in self._known or not is_shown(message):
            return
        self._known.add(message.id)
        self._outbox.add({"op": "message", "message": message_view(self._agent, message)})

    def _on_cost(self, event: CostSettled) -> None:
        for message in reversed(self._agent.conversation.messages):
            if message.turn_id == event.turn_id and message.role is MessageRole.ASSISTANT and event.turn_id:
                usage = usage_view(self._agent.usage_log.of_turn(event.turn_id))
                self._outbox.add({"op": "message_patch", "id": message.id, "fields": {"usage": usage}})
                break
        self._outbox.add({"op": "totals", "totals": totals_view(self._agent)})

    # The rest.

    def _on_conversation(self, event: ConversationChanged) -> None:
        conversation = self._agent.conversation
        if event.reason == "cut":
            kept = {message.id for message in conversation.messages} | {self._streaming}
            removed = [message_id for message_id in self._known if message_id not in kept]
            self._known.difference_update(removed)
            if removed:
                self._outbox.add({"op": "remove", "ids": removed})
            return
        self._known, self._streaming = set(), None
        self._outbox.add({"op": "reset", "conversation": {"id": conversation.id, "title": conversation.title}})
        self._show_missing()

    def _on_queue(self, event: QueueChanged) -> None:
        queue = queue_view(self._agent)
        if queue != self._queue:
            self._queue = queue
            self._outbox.add({"op": "queue", "items": queue})

    def _on_state(self, event: StateChanged) -> None:
        self._provider_is_waiting = False
        self._show_state()

    def _on_retry(self, event: RetryScheduled) -> None:
        self._retry = {
            "attempt": event.attempt,
            "attempts": event.attempts,
            "until": milliseconds(event.time) + event.wait_s * 1000,
            "reason": redact(event.reason),
        }
        self._show_state()

    def _on_waiting(self, event: ProviderWaiting) -> None:
        if not self._provider_is_waiting:
            self._provider_is_waiting = True
            self._show_state()

    def _show_state(self) -> None:
        self._outbox.add({"op": "state", "state": self.state()})

    def _belongs(self, turn: Turn) -> bool:
        return turn.history is self._agent.conversation

    def _is_current(self, event: AssistantEvent) -> bool:
        return event.conversation_id == self._agent.conversation.id


def _has_begun(turn: Turn) -> bool:
    return bool((turn.text and turn.text.text) or (turn.reasoning and turn.reasoning.text))
