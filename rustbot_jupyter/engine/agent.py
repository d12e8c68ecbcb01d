"""The agent: takes events from the queue, routes them to handlers, runs one turn at a time, tells the bus."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import monotonic
from typing import Any, cast

from rustbot_jupyter.engine.budget import Budget
from rustbot_jupyter.engine.bus import EventBus
from rustbot_jupyter.engine.log import EventLog
from rustbot_jupyter.engine.machine import StateMachine
from rustbot_jupyter.engine.metrics import ProcessSampler
from rustbot_jupyter.engine.periodic import PeriodicRunner, PeriodicTask
from rustbot_jupyter.engine.plan import Planner, TurnRequest, check_question
from rustbot_jupyter.engine.queue import EventQueue
from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.engine.states import AgentState, Trigger
from rustbot_jupyter.engine.toolbox import Toolbox, empty_toolbox
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.engine.turn_failures import failure_fields, own_fault
from rustbot_jupyter.engine.turn_runner import TurnRunner
from rustbot_jupyter.engine.usage_log import PendingCost, UsageLog
from rustbot_jupyter.errors import RequestError, RustbotError
from rustbot_jupyter.events import (
    AssistantEvent,
    ConversationChanged,
    CostSettled,
    ErrorOccurred,
    InterruptRequested,
    MetricsSampled,
    Priority,
    QueueChanged,
    ReasoningStreamed,
    ShutdownRequested,
    StateChanged,
    TextStreamed,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
    UserMessageReceived,
)
from rustbot_jupyter.logs import log_context
from rustbot_jupyter.messages import (
    ConversationHistory,
    Message,
    MessageRole,
    MessageStatus,
    TextPart,
    user_message,
)
from rustbot_jupyter.tools.base import ToolResult
from rustbot_jupyter.usage import Usage

logger = logging.getLogger("rustbot_jupyter.agent")

MAX_WAITING = 100
"""Messages that may wait to be said."""


async def _nothing(request: TurnRequest) -> None:
    """Nothing has to be known before a turn is planned."""


class Agent:
    """One bot's engine. `submit` and `interrupt` may be called from any thread; all else on the core thread.

    Args:
        planner: Resolves a request when its turn starts.
        conversation: What was said before; grows with each turn.
        prepare: Awaited before the planner is asked: what it needs to know from elsewhere first.
        toolbox: The tools that models may call; None for one without any.
        before: The agent whose place this one takes, when that one's loop died or is another process's: what was said,
            used and spent goes on.
    """

    def __init__(
        self,
        planner: Planner,
        conversation: ConversationHistory | None = None,
        prepare: Callable[[TurnRequest], Awaitable[None]] = _nothing,
        before: Agent | None = None,
        toolbox: Toolbox | None = None,
    ) -> None:
        self.conversation: ConversationHistory = (
            before.conversation if before else conversation or ConversationHistory()
        )
        self.queue: EventQueue = EventQueue(last_seq=before.queue.last_seq if before else 0)
        self.bus = EventBus(self._on_side_failure)
        self.log: EventLog = before.log if before else EventLog()
        self.usage_log: UsageLog = before.usage_log if before else UsageLog()
        self.budget: Budget = before.budget if before else Budget()
        self.machine = StateMachine(self._on_state_changed)
        self.periodic = PeriodicRunner(self._on_side_failure)
        self.endings: dict[str, TurnFinished | TurnInterrupted | TurnFailed] = before.endings if before else {}
        """How each turn of this kernel's life ended."""
        self.toolbox: Toolbox = toolbox or (before.toolbox if before else empty_toolbox())
        self.toolbox.tell = self._emit_in_conversation
        self._planner = planner
        self._prepare = prepare
        self._incoming: dict[str, Turn] = {}
        self._waiting: deque[Turn] = deque()
        self._active: Turn | None = None
        self._sampler = ProcessSampler()
        self._is_closing = False
        self.stopped = asyncio.Event()
        """Set when `run` has ended and nothing is left."""
        self._handlers: dict[type[AssistantEvent], Callable[[Any], None]] = {
            UserMessageReceived: self._on_user_message,
            InterruptRequested: self._on_interrupt,
            ShutdownRequested: self._on_shutdown,
            TurnFinished: self._on_turn_over,
            TurnInterrupted: self._on_turn_over,
            TurnFailed: self._on_turn_over,
        }
        self.periodic.add(
            PeriodicTask(name="metrics", interval_s=1.0, run=self._sample_metrics, wanted=lambda: self.is_active)
        )
        self.periodic.add(
            PeriodicTask(
                name="costs", interval_s=1.0, run=self._settle_costs, wanted=lambda: bool(self.usage_log.pending)
            )
        )

    # Asking, from any thread.

    def submit(self, request: TurnRequest) -> Turn:
        """Queue a question; its turn starts when those before it are over.

        Raises:
            RequestError: The question is blank, a limit is no number, too many wait already, or the bot is closed.
        """
        request.check()
        if len(self._waiting) + len(self._incoming) >= MAX_WAITING:
            raise RequestError(f"{MAX_WAITING} messages wait already. Stop what runs, or remove some.")
        if self.machine.state is AgentState.CLOSED or self._is_closing:
            raise RequestError("This bot is closed. Make a new one with `rb.Rustbot()`.")
        turn = Turn(request=request, history=self.conversation if request.use_history else ConversationHistory())
        self._incoming[turn.id] = turn
        self.queue.put(
            UserMessageReceived(
                message=request.message, source=request.source, turn_id=turn.id, conversation_id=turn.history.id
            )
        )
        return turn

    def interrupt(self, source: str = "api", only_turn: str | None = None) -> None:
        """Stop the running turn (or only the one named, if it runs or waits); overtakes everything queued."""
        self.queue.put(InterruptRequested(source=source, only_turn=only_turn))

    @property
    def is_active(self) -> bool:
        """True if a turn runs or is being stopped."""
        return self._active is not None

    @property
    def active(self) -> Turn | None:
        """The turn that runs."""
        return self._active

    @property
    def waiting(self) -> list[Turn]:
        """The questions that wait, in order. A snapshot."""
        return list(self._waiting)

    # The waiting list, on the core thread.

    def edit_waiting(self, turn_id: str, text: str) -> None:
        """Change the text of a question that waits.

        Raises:
            RequestError: It does not wait any more, or the text is blank.
        """
        check_question(text)
        if not text.strip():
            raise RequestError("The message is empty. Write something, or remove it.")
        turn = self._find_waiting(turn_id)
        message = replace(turn.request.message, parts=(TextPart(text=text),))
        turn.request = replace(turn.request, message=message)
        self._waiting_changed()

    def remove_waiting(self, turn_id: str) -> None:
        """Take a question out of the waiting list; whoever asked gets an interrupted, empty reply."""
        turn = self._find_waiting(turn_id)
        self._waiting.remove(turn)
        self._resolve_unasked(turn)
        self._waiting_changed()

    def send_now(self, turn_id: str) -> None:
        """Ask this question next, and stop what runs."""
        turn = self._find_waiting(turn_id)
        self._waiting.remove(turn)
        self._waiting.appendleft(turn)
        turn.is_held = False
        self._waiting_changed()
        if self._active is not None:
            self._stop_active("user")
        else:
            self._start_next()

    # Tools.

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Run a tool for the user, consent included.

        Raises:
            ToolError: It came to nothing; says why.
        """
        return await self.toolbox.call(name, arguments, self.conversation.id, self._emit_in_conversation)

    def _emit_in_conversation(self, kind: type[AssistantEvent], /, **fields: Any) -> None:
        self._emit(kind(conversation_id=self.conversation.id, **fields))

    # The conversation, on the core thread.

    def new_conversation(self, reason: str = "new", title: str = "") -> ConversationHistory:
        """Start an empty conversation; what runs is stopped."""
        self._stop_active("user")
        self.toolbox.consent.end_conversation(self.conversation.id)
        self.conversation = ConversationHistory(title=title)
        self._emit(ConversationChanged(reason=reason, conversation_id=self.conversation.id))
        return self.conversation

    def ask_again(self, message_id: str, text: str | None = None, source: str = "chat") -> Turn:
        """Ask the question that led to a message anew (with another text): it and all after it are dropped.

        Raises:
            RequestError: The message is not in the conversation, or a turn is running.
        """
        if self._active is not None:
            raise RequestError("An answer is being written. Stop it first.")
        question = self._question_of(message_id)
        new_text = question.text if text is None else text
        if not new_text.strip():
            raise RequestError("The message is empty. Write something to ask.")
        self.conversation.cut_before(question.id)
        self._emit(ConversationChanged(reason="cut", conversation_id=self.conversation.id))
        return self.submit(TurnRequest(message=user_message(new_text), source=source))

    def _question_of(self, message_id: str) -> Message:
        question: Message | None = None
        for message in self.conversation.messages:
            if message.role is MessageRole.USER:
                question = message
            if message.id == message_id and question is not None:
                return question
        raise RequestError("That message is no longer part of the conversation. Ask the question anew.")

    # Life.

    async def run(self) -> None:
        """Handle events until the bot is closed; leaves no task behind."""
        periodic = asyncio.create_task(self.periodic.run(), name="rustbot-periodic")
        try:
            await self.queue.serve(self._dispatch, lambda: self.machine.state is AgentState.CLOSED, self.bus.settle)
        finally:
            periodic.cancel()
            await asyncio.gather(periodic, return_exceptions=True)
            await self._drain()
            await self.toolbox.aclose()
            self.stopped.set()

    async def _drain(self) -> None:
        """Stop what runs and answer everybody who still waits for a reply."""
        # At the end of the process nobody asked for a shutdown, and still no question may begin.
        self._is_closing = True
        if self._active is not None and self._active.task is not None:
            self._active.stop("shutdown")
            await asyncio.gather(self._active.task, return_exceptions=True)
        while (event := self.queue.get_nowait()) is not None:
            self._dispatch(event)
        self.bus.settle()
        for turn in [*self._waiting, *self._incoming.values()]:
            self._resolve_unasked(turn)
        self._waiting.clear()
        self._incoming.clear()

    def abandon(self) -> None:
        """Tell everybody who waits for a reply that none will come: the loop is gone. From any thread."""
        turns = [*([self._active] if self._active else []), *self._waiting, *self._incoming.values()]
        for turn in turns:
            if not turn.outcome.done():
                turn.outcome.set_exception(RustbotError("Rustbot's own thread ended while you waited. Ask again."))

    def _dispatch(self, event: AssistantEvent) -> None:
        if event.state is None:
            object.__setattr__(event, "state", self.machine.state.value)
        self.log.append(event)
        _write_to_log(event)
        handler = self._handlers.get(type(event))
        if handler is not None:
            try:
                handler(event)
            except Exception:
                logger.exception("Handling %s failed.", event.kind)
        self.bus.publish(event)
        if isinstance(event, TurnFinished | TurnInterrupted | TurnFailed):
            self._after_turn(event)

    # Handlers.

    def _on_user_message(self, event: UserMessageReceived) -> None:
        turn = self._incoming.pop(cast(str, event.turn_id), None)
        if turn is None:
            return
        if turn.request.source == "chat" and not turn.is_held:
            for waiting in self._waiting:
                waiting.is_held = False
        self._waiting.append(turn)
        self._start_next()
        if self._waiting:
            self._waiting_changed()

    def _on_interrupt(self, event: InterruptRequested) -> None:
        active = self._active
        if event.only_turn is not None and (active is None or active.id != event.only_turn):
            waiting = next((t for t in [*self._waiting, *self._incoming.values()] if t.id == event.only_turn), None)
            if waiting is not None:
                self._forget(waiting)
            return
        if event.only_turn is None:
            # Stop means stop: what was typed meanwhile stays in view and is not sent by itself. The interrupt overtook
            # what was sent just before it, from a busy kernel's backlog for example.
            overtaken = [t for t in list(self._incoming.values()) if t.request.message.created_at <= event.time]
            for turn in [*self._waiting, *overtaken]:
                turn.is_held = turn.request.source == "chat"
        self._stop_active("user")

    def _on_shutdown(self, event: ShutdownRequested) -> None:
        self._is_closing = True
        if self._active is not None:
            self._active.stop("shutdown")
        self.machine.fire(Trigger.SHUTDOWN)

    def _on_turn_over(self, event: TurnFinished | TurnInterrupted | TurnFailed) -> None:
        self.endings[cast(str, event.turn_id)] = event

    def _after_turn(self, event: TurnFinished | TurnInterrupted | TurnFailed) -> None:
        """Answer who asked, after everybody was told; then the next question."""
        turn = self._active
        if turn is None or turn.id != event.turn_id:
            return
        self._active = None
        self._resolve(turn, event)
        if not turn.request.use_history:
            # A conversation of one question ends with it.
            self.toolbox.consent.end_conversation(turn.history.id)
        self.periodic.wake()
        if not self._is_closing:
            self._start_next()

    # Turns.

    def _start_next(self) -> None:
        if self._active is not None or self._is_closing:
            return
        turn = next((turn for turn in self._waiting if not turn.is_held), None)
        if turn is None:
            return
        self._waiting.remove(turn)
        if turn.request.use_history:
            # The conversation may have changed while the question waited.
            turn.history = self.conversation
        self._active = turn
        turn.task = asyncio.get_running_loop().create_task(self._run_turn(turn), name=f"rustbot-{turn.id}")
        turn.task.add_done_callback(lambda task: self._on_task_done(turn, task))
        if self._waiting or turn.request.source == "chat":
            self._waiting_changed()
        self.periodic.wake()

    async def _run_turn(self, turn: Turn) -> None:
        with log_context(turn_id=turn.id, conversation_id=turn.history.id):
            try:
                await self._plan_and_run(turn)
            finally:
                self.budget.end_turn(turn.id)

    async def _plan_and_run(self, turn: Turn) -> None:
        try:
            await self._prepare(turn.request)
            self._begin_consent(turn)
            message = await self.toolbox.expanded(turn.request.message, turn.history.id)
            turn.request = replace(turn.request, message=message)
            turn.plan = self._planner(turn.request)
        except RustbotError as error:
            self._refuse(turn, error)
            return
        except Exception as error:
            self._refuse(turn, own_fault(error))
            return
        runner = TurnRunner(
            turn,
            turn.plan,
            emit=self._emit,
            fire=self._fire,
            budget=self.budget,
            usage_log=self.usage_log,
            toolbox=self.toolbox,
        )
        await runner.run()

    def _begin_consent(self, turn: Turn) -> None:
        """Count as read what the question quotes; an aside is asked in the mode of the conversation beside it."""
        consent = self.toolbox.consent
        for origin in turn.request.origins:
            consent.note(turn.history.id, origin, is_private=True)
        chosen = consent.chosen_mode(self.conversation.id)
        if not turn.request.use_history and chosen is not None:
            consent.set_mode(turn.history.id, chosen)

    def _refuse(self, turn: Turn, error: RustbotError) -> None:
        """End a turn that cannot even start; the question and the failure stay part of the conversation."""
        message = replace(turn.request.message, turn_id=turn.id)
        turn.history.append(message)
        model = str(turn.request.overrides.get("model") or "")
        common: dict[str, Any] = {"turn_id": turn.id, "conversation_id": turn.history.id}
        self._emit(TurnStarted(message=message, source=turn.request.source, model=model, **common))
        turn.error = error
        turn.ending = TurnFailed(**failure_fields(error), **common)
        turn.history.append(_empty_answer(turn, turn.ending))
        self._emit(turn.ending)

    def _on_task_done(self, turn: Turn, task: asyncio.Task[None]) -> None:
        """Make sure that each turn has an ending: one cancelled before its first step has said none itself."""
        error = None if task.cancelled() else task.exception()
        if turn.ending is not None:
            return
        if self.machine.state not in (AgentState.IDLE, AgentState.CLOSED):
            self.machine.fire(Trigger.INTERRUPT, turn.id)
        if error is not None:
            self._refuse(turn, own_fault(error))
            return
        turn.ending = TurnInterrupted(
            message=None,
            usage=self.usage_log.of_turn(turn.id),
            reason=turn.stop_reason or "user",
            took_s=0.0,
            turn_id=turn.id,
            conversation_id=turn.history.id,
        )
        self._emit(turn.ending)

    def _stop_active(self, reason: str) -> None:
        turn = self._active
        if turn is None:
            return
        if turn.stop(reason) and self.machine.state is not AgentState.IDLE:
            self.machine.fire(Trigger.INTERRUPT, turn.id)
        # At once, and not when the cancel has arrived: a click in between is late.
        self.toolbox.approvals.withdraw(turn.id)

    def _resolve(self, turn: Turn, event: TurnFinished | TurnInterrupted | TurnFailed) -> None:
        if turn.outcome.done():
            return
        message = event.message if not isinstance(event, TurnFailed) else None
        reply = Reply(
            message=message or _empty_answer(turn, event),
            usage=self.usage_log.of_turn(turn.id),
            model=event.model if isinstance(event, TurnFinished) else None,
            finish_reason=event.finish_reason if isinstance(event, TurnFinished) else None,
            duration_s=event.took_s,
            error="" if isinstance(event, TurnFinished) else event.error,
            events=self.log.of_turn(turn.id),
            earlier=_earlier_messages(turn, message),
            tool_runs=tuple(self.toolbox.runs.of_turn(turn.id)),
        )
        raises = isinstance(event, TurnFailed) or (isinstance(event, TurnInterrupted) and event.reason == "timeout")
        if raises and turn.error is not None:
            turn.error.reply = reply
            turn.outcome.set_exception(turn.error)
        else:
            turn.outcome.set_result(reply)

    def _resolve_unasked(self, turn: Turn) -> None:
        if not turn.outcome.done():
            message = Message(role=MessageRole.ASSISTANT, parts=(), status=MessageStatus.INTERRUPTED, turn_id=turn.id)
            note = "It was taken back before it was asked."
            turn.outcome.set_result(
                Reply(
                    message=message,
                    usage=self.usage_log.of_turn(turn.id),
                    model=None,
                    finish_reason=None,
                    duration_s=0.0,
                    error=note,
                )
            )

    def _forget(self, turn: Turn) -> None:
        self._incoming.pop(turn.id, None)
        if turn in self._waiting:
            self._waiting.remove(turn)
            self._waiting_changed()
        self._resolve_unasked(turn)

    def _find_waiting(self, turn_id: str) -> Turn:
        for turn in self._waiting:
            if turn.id == turn_id:
                return turn
        raise RequestError("That message is not waiting any more: it was sent or removed.")

    def _waiting_changed(self) -> None:
        self._emit(QueueChanged(waiting=len(self._waiting), conversation_id=self.conversation.id))

    # Events of the engine's own.

    def _emit(self, event: AssistantEvent) -> None:
        # The state in which it happened, not the one in which it is handled.
        object.__setattr__(event, "state", self.machine.state.value)
        self.queue.put(event)

    def _fire(self, trigger: Trigger, turn_id: str) -> None:
        self.machine.fire(trigger, turn_id)

    def _on_state_changed(
        self, old: AgentState, new: AgentState, trigger: Trigger, took_s: float, turn_id: str | None
    ) -> None:
        self._emit(
            StateChanged(
                old=old.value,
                new=new.value,
                trigger=trigger.value,
                took_s=took_s,
                turn_id=turn_id,
                conversation_id=self.conversation.id,
            )
        )

    def _on_side_failure(self, error: Exception, where: str) -> None:
        self._emit(ErrorOccurred(error=repr(error), where=where, conversation_id=self.conversation.id))

    def _sample_metrics(self) -> None:
        values = self._sampler.sample() | {
            "queue_events": float(len(self.queue)),
            "dropped_events": float(self.queue.dropped),
        }
        self._emit(MetricsSampled(values=values, conversation_id=self.conversation.id))

    async def _settle_costs(self) -> None:
        """Ask the provider for the cost of stopped answers whose time has come."""
        now = monotonic()
        for pending in [pending for pending in self.usage_log.pending if pending.due_at <= now]:
            usage = await pending.plan.chat_model.settle(pending.generation_id)
            if usage is None and pending.waits_s:
                pending.due_at = now + pending.waits_s.pop(0)
                continue
            self.usage_log.pending.remove(pending)
            if usage is not None:
                self._book(pending, usage)

    def _book(self, pending: PendingCost, usage: Usage) -> None:
        record = self.usage_log.settle(pending.index, usage)
        if usage.cost_usd is not None:
            self.budget.correct(record.conversation_id, usage.cost_usd - pending.booked_usd)
            if usage.cost_usd > 0:
                pending.plan.on_charged()
        self._emit(CostSettled(usage=usage, turn_id=record.turn_id, conversation_id=record.conversation_id))

    def shutdown(self) -> None:
        """Stop everything; `run` ends when no task is left. From any thread."""
        self.queue.put(ShutdownRequested())


def _write_to_log(event: AssistantEvent) -> None:
    """One line per event; what comes many times a second is for DEBUG."""
    is_frequent = event.priority is Priority.LOW or isinstance(event, TextStreamed | ReasoningStreamed)
    level = logging.DEBUG if is_frequent else logging.INFO
    if logger.isEnabledFor(level):
        with log_context(turn_id=event.turn_id, conversation_id=event.conversation_id):
            logger.log(level, "%s: %s", event.kind, event.summary, extra={"seq": event.seq, "state": event.state})


def _earlier_messages(turn: Turn, last: Message | None) -> tuple[Message, ...]:
    said = (message for message in turn.history.messages if message.turn_id == turn.id)
    return tuple(message for message in said if message.role is MessageRole.ASSISTANT and message is not last)


def _empty_answer(turn: Turn, event: TurnFinished | TurnInterrupted | TurnFailed) -> Message:
    status = MessageStatus.ERROR if isinstance(event, TurnFailed) else MessageStatus.INTERRUPTED
    return Message(role=MessageRole.ASSISTANT, parts=(), id=turn.message_id, status=status, turn_id=turn.id)
