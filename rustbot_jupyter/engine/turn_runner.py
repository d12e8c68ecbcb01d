"""The course of a turn: its requests, their answers, and its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any

from rustbot_jupyter.engine.accounts import Accounts, Attempt
from rustbot_jupyter.engine.budget import Budget, Reservation
from rustbot_jupyter.engine.coalesce import Coalescer
from rustbot_jupyter.engine.context import build_messages
from rustbot_jupyter.engine.plan import TurnPlan, TurnRequest
from rustbot_jupyter.engine.states import Trigger
from rustbot_jupyter.engine.toolbox import Toolbox, ToolStates
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.engine.turn_failures import failure_fields, nothing_said, own_fault
from rustbot_jupyter.engine.usage_log import UsageLog
from rustbot_jupyter.errors import ModelError, ModelTimeout, RustbotError, UnknownModel
from rustbot_jupyter.events import (
    AssistantEvent,
    BudgetWarned,
    FirstToken,
    ProviderWaiting,
    ReasoningStreamed,
    RequestAdapted,
    RequestSent,
    RetryScheduled,
    TextStreamed,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from rustbot_jupyter.llm.base import (
    Adapted,
    Answer,
    ChatRequest,
    ChatStream,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallStarted,
)
from rustbot_jupyter.llm.text_calls import calls_in_text
from rustbot_jupyter.llm.token_estimate import estimate_tokens
from rustbot_jupyter.messages import (
    CitationPart,
    Message,
    MessageRole,
    MessageStatus,
    ReasoningPart,
    TextPart,
    ToolResultPart,
    new_id,
)
from rustbot_jupyter.tools.runs import RunState

MAX_ROUNDS = 25
MAX_EQUAL_CALLS = 3
MOST_CITATIONS = 20
"""Of pages that tools read for one answer."""

Emit = Callable[[AssistantEvent], None]
Fire = Callable[[Trigger, str], None]

NOT_RUN = "It was not run: the user stopped the answer."


class TurnRunner:
    """Carries out one turn and says how it ended, as events."""

    def __init__(
        self,
        turn: Turn,
        plan: TurnPlan,
        *,
        emit: Emit,
        fire: Fire,
        budget: Budget,
        usage_log: UsageLog,
        toolbox: Toolbox,
    ) -> None:
        self._turn = turn
        self._plan = plan
        self._emit_event = emit
        self._fire_trigger = fire
        self._usage_log = usage_log
        self._accounts = Accounts(turn, plan, budget, usage_log)
        self._toolbox = toolbox
        self._tool_states = ToolStates(self._fire)
        self._started = monotonic()
        self._timeout: asyncio.Timeout | None = None
        self._time_left: float | None = None
        """Seconds the turn has after a wait for the user; None while the time runs."""
        self._answer = Answer()
        self._has_first_token = False

    async def run(self) -> None:
        """Ask, stream, answer tool calls, until there is an answer, a failure or an interrupt.

        Ends with exactly one of `TurnFinished`, `TurnInterrupted`, `TurnFailed`; raises nothing but `CancelledError`.
        """
        turn = self._turn
        self._fire(Trigger.USER_MESSAGE)
        message = replace(turn.request.message, turn_id=turn.id)
        turn.history.append(message)
        self._emit(TurnStarted, message=message, source=turn.request.source, model=self._plan.model)
        timeout = self._timeout = asyncio.timeout(turn.request.timeout_s)
        try:
            async with timeout:
                answer = await self._rounds()
            if answer.says_nothing:
                self._said_nothing(answer)
            else:
                self._finished(answer)
        except asyncio.CancelledError:
            self._interrupted(turn.stop_reason or "user", "")
            raise
        except TimeoutError as error:
            if timeout.expired():
                self._timed_out()
            else:
                self._failed(own_fault(error))
        except ModelError as error:
            if self._has_first_token:
                turn.error = error
                self._fire(Trigger.FAILURE, Trigger.RECOVERED)
                self._interrupted("stream", str(error))
            else:
                self._failed(error)
        except RustbotError as error:
            self._failed(error)
        except Exception as error:
            self._failed(own_fault(error))

    # One round: a request and its answer.

    async def _rounds(self) -> Answer:
        made: Counter[tuple[str, str]] = Counter()
        rounds = 0
        while True:
            answer = self._with_written_calls(await self._ask_with_retries())
            if not answer.tool_calls:
                return answer
            await self._answer_tool_calls(answer)
            rounds += 1
            # A set: dice thrown three times in one message are no circle.
            made.update({(call.name, call.arguments) for call in answer.tool_calls})
            (name, _), times = made.most_common(1)[0]
            if times >= MAX_EQUAL_CALLS:
                await self._ask_to_go_on(f"The model called {name!r} {times} times in the same way")
                made.clear()
            elif rounds >= MAX_ROUNDS:
                await self._ask_to_go_on(f"The model called tools {rounds} times without an answer")
                rounds = 0

    def _with_written_calls(self, answer: Answer) -> Answer:
        """The answer, with calls where its text is nothing but calls: not every server takes them apart."""
        if self._plan.tools is None or answer.tool_calls or not answer.is_complete:
            return answer
        calls = calls_in_text(answer.text, self._plan.tools.names)
        return replace(answer, text="", tool_calls=calls) if calls else answer

    async def _ask_to_go_on(self, reason: str) -> None:
        """Let the user decide about a turn that turns in circles.

        Raises:
            RustbotError: The user did not let it go on, or cannot be asked.
        """
        self._fire(Trigger.TOOL_CALLS)
        question = f"{reason}. Let it go on?"
        if not await self._toolbox.may_go_on(question, self._turn, self._plan, self._emit, self._on_wait):
            raise RustbotError(f"{reason} and was stopped. Ask again, perhaps in other words.")
        self._fire(Trigger.TOOLS_DONE)

    async def _ask_with_retries(self) -> Answer:
        number, first_sent = 1, monotonic()
        while True:
            try:
                answer = await self._ask_once(number)
            except asyncio.CancelledError:
                self._accounts.book(self._attempt, self._answer, "interrupted")
                raise
            except ModelError as error:
                wait_s = None
                if not self._has_first_token:
                    wait_s = self._plan.retry.next_wait(error, number, monotonic() - first_sent)
                if wait_s is None:
                    status = "interrupted" if self._has_first_token else "error"
                    self._accounts.book(self._attempt, self._answer, status, str(error))
                    raise
                self._accounts.release(self._attempt)
                number += 1
                await self._wait_for_retry(number, wait_s, error)
            else:
                self._accounts.book(self._attempt, answer, "complete")
                return answer

    async def _wait_for_retry(self, attempt: int, wait_s: float, error: ModelError) -> None:
        self._fire(Trigger.RETRY_NEEDED)
        self._emit(
            RetryScheduled,
            attempt=attempt,
            attempts=self._plan.retry.retries + 1,
            wait_s=wait_s,
            reason=str(error),
        )
        await asyncio.sleep(wait_s)
        self._fire(Trigger.RETRY_DUE)

    async def _ask_once(self, number: int) -> Answer:
        turn, plan = self._turn, self._plan
        tool_tokens = plan.tools.definition_tokens if plan.tools is not None else 0
        budget = None if plan.context_budget_tokens is None else plan.context_budget_tokens - tool_tokens
        messages = build_messages(plan.system_prompt, turn.history.messages, budget, takes_images=plan.takes_images)
        input_estimate = estimate_tokens(messages) + tool_tokens
        reservation = self._accounts.reserve(input_estimate)
        request = self._request(messages, reservation)
        turn.message_id = new_id("msg")
        turn.text = Coalescer(lambda text, offset: self._emit_piece(TextStreamed, text, offset))
        turn.reasoning = Coalescer(lambda text, offset: self._emit_piece(ReasoningStreamed, text, offset))
        self._answer, self._has_first_token = Answer(), False
        self._attempt = Attempt(number=number, reservation=reservation, input_estimate=input_estimate)
        self._emit(
            RequestSent,
            model=request.model,
            host=plan.chat_model.host,
            attempt=number,
            input_tokens_estimate=input_estimate,
        )
        try:
            await self._stream(request)
        except ModelError:
            raise
        except Exception:
            # Failed on our side, so nobody books it: its room under the caps must not stay taken.
            self._accounts.release(self._attempt)
            raise
        finally:
            turn.text.flush()
            turn.reasoning.flush()
        return self._answer

    async def _stream(self, request: ChatRequest) -> None:
        stream: ChatStream | None = None
        try:
            async with self._plan.chat_model.stream(request) as stream:
                await stream.each(self._take)
        finally:
            if stream is not None:
                self._answer = stream.answer

    def _request(self, messages: tuple[Message, ...], reservation: Reservation) -> ChatRequest:
        fields = dict(self._plan.request_fields)
        fields["max_tokens"] = reservation.max_tokens
        return ChatRequest(
            model=self._plan.model,
            messages=messages,
            session_id=self._turn.history.id,
            response_format=self._turn.request.response_format,
            tools=self._plan.tools.definitions if self._plan.tools is not None else (),
            extra=self._turn.request.extra,
            insists_on=_insists_on(self._turn.request),
            **fields,
        )

    # What arrives.

    def _take(self, piece: StreamEvent) -> None:
        text, reasoning = self._turn.text, self._turn.reasoning
        assert text is not None
        assert reasoning is not None
        if isinstance(piece, TextDelta):
            self._first_token()
            text.add(piece.text)
        elif isinstance(piece, ReasoningDelta):
            self._first_token()
            reasoning.add(piece.text)
        elif isinstance(piece, ToolCallStarted):
            self._first_token()
        elif isinstance(piece, Adapted):
            self._emit(RequestAdapted, model=self._plan.model, text=piece.text)
        else:
            self._still_waiting()

    def _first_token(self) -> None:
        if self._has_first_token:
            return
        self._has_first_token = True
        self._attempt.first_token = monotonic()
        self._fire(Trigger.FIRST_TOKEN)
        self._emit(FirstToken, message_id=self._turn.message_id, took_s=self._attempt.first_token - self._attempt.sent)

    def _still_waiting(self) -> None:
        now = monotonic()
        # One a second is enough to show that the line is alive.
        if not self._has_first_token and now - self._attempt.last_waiting >= 1.0:
            self._attempt.last_waiting = now
            self._emit(ProviderWaiting, waited_s=now - self._attempt.sent)

    def _emit_piece(self, kind: type[TextStreamed] | type[ReasoningStreamed], text: str, offset: int) -> None:
        self._emit(kind, message_id=self._turn.message_id, text=text, offset=offset)

    async def _answer_tool_calls(self, answer: Answer) -> None:
        turn = self._turn
        self._fire(Trigger.TOOL_CALLS)
        turn.history.append(self._assistant_message(answer.parts, MessageStatus.COMPLETE))
        # What was said is kept; what follows is another message.
        self._answer, turn.text, turn.reasoning = Answer(), None, None
        calls, results = answer.tool_calls, dict[int, ToolResultPart]()
        try:
            await self._toolbox.run_calls(calls, turn, self._plan, results, self._emit, self._on_wait)
        finally:
            # Providers refuse a conversation in which a call has no result.
            parts = tuple(
                results.get(index)
                or ToolResultPart(call_id=call.call_id, name=call.name, content=NOT_RUN, is_error=True)
                for index, call in enumerate(calls)
            )
            turn.history.append(Message(role=MessageRole.TOOL, parts=parts, turn_id=turn.id))
            turn.message_id = new_id("msg")
        self._fire(Trigger.TOOLS_DONE)

    def _on_wait(self, waiting: RunState | None) -> None:
        """The tools wait for the user or the kernel, or go on; neither's time is the turn's."""
        self._tool_states.on_wait(waiting)
        timeout, loop = self._timeout, asyncio.get_running_loop()
        if timeout is None or timeout.expired() or self._turn.stop_reason is not None:
            return
        if waiting is not None:
            if self._time_left is None and (when := timeout.when()) is not None:
                self._time_left = when - loop.time()
                timeout.reschedule(None)
        elif self._time_left is not None:
            timeout.reschedule(loop.time() + self._time_left)
            self._time_left = None

    # How it ends.

    def _finished(self, answer: Answer) -> None:
        parts = (*answer.parts, *self._tool_citations(answer))
        message = self._assistant_message(parts, MessageStatus.COMPLETE)
        self._turn.history.append(message)
        self._fire(Trigger.ANSWER_DONE)
        self._end(
            TurnFinished,
            message=message,
            usage=self._usage_log.of_turn(self._turn.id),
            model=answer.model,
            finish_reason=answer.finish_reason,
        )

    def _tool_citations(self, answer: Answer) -> list[CitationPart]:
        """The pages that tools gave the model, but for those that the answer cites itself."""
        runs = self._toolbox.runs.of_turn(self._turn.id)
        pages = {page.url: page for run in runs if run.result is not None for page in run.result.citations}
        cited = {page.url for page in answer.citations}
        return [page for url, page in pages.items() if url not in cited][:MOST_CITATIONS]

    def _said_nothing(self, answer: Answer) -> None:
        """The model ended its answer before the first word of it."""
        self._fire(Trigger.ANSWER_DONE)
        self._interrupted("empty", nothing_said(answer, self._plan.model), has_place=True)

    def _interrupted(self, reason: str, error: str, *, has_place: bool = False) -> None:
        """Keep what there is; `has_place`: the answer has its place in the conversation even if there is nothing."""
        parts = _partial_parts(self._answer, self._turn)
        message = self._assistant_message(parts, MessageStatus.INTERRUPTED) if parts or has_place else None
        if message is not None:
            self._turn.history.append(message)
        self._end(
            TurnInterrupted,
            message=message,
            usage=self._usage_log.of_turn(self._turn.id),
            reason=reason,
            error=error,
        )

    def _timed_out(self) -> None:
        error = ModelTimeout(
            f"{self._plan.model!r} did not finish within {self._turn.request.timeout_s:g} s and was stopped. "
            "Ask again with a larger `timeout`, or ask for less."
        )
        self._turn.error = error
        self._fire(Trigger.INTERRUPT)
        self._interrupted("timeout", str(error))

    def _failed(self, error: RustbotError) -> None:
        turn = self._turn
        turn.error = error
        turn.history.append(self._assistant_message((), MessageStatus.ERROR))
        self._fire(Trigger.FAILURE, Trigger.RECOVERED)
        self._end(TurnFailed, **failure_fields(self._with_near_models(error)))

    def _with_near_models(self, error: RustbotError) -> RustbotError:
        """A model that is not served may be misspelled: name those that look like it."""
        if isinstance(error, UnknownModel) and not error.metadata.get("fallback_models"):
            near = [name for name in self._plan.near_models(self._plan.model) if name != self._plan.model]
            if near:
                error.metadata["fallback_models"] = near
                error.args = (f"{error} Near names: {', '.join(map(repr, near))}.",)
        return error

    def _end(self, kind: type[TurnFinished] | type[TurnInterrupted] | type[TurnFailed], **fields: Any) -> None:
        for spent_usd, cap_usd in self._accounts.newly_near():
            self._emit(BudgetWarned, spent_usd=spent_usd, cap_usd=cap_usd)
        event = self._emit(kind, took_s=monotonic() - self._started, **fields)
        assert isinstance(event, TurnFinished | TurnInterrupted | TurnFailed)
        self._turn.ending = event

    def _assistant_message(self, parts: tuple[Any, ...], status: MessageStatus) -> Message:
        return Message(
            role=MessageRole.ASSISTANT, parts=parts, id=self._turn.message_id, status=status, turn_id=self._turn.id
        )

    # To the engine.

    def _fire(self, *triggers: Trigger) -> None:
        # An interrupt has moved the machine to idle already; what is left of this turn may not move it again.
        for trigger in triggers if self._turn.stop_reason is None else ():
            self._fire_trigger(trigger, self._turn.id)

    def _emit(self, kind: type[AssistantEvent], /, **fields: Any) -> AssistantEvent:
        event = kind(turn_id=self._turn.id, conversation_id=self._turn.history.id, **fields)
        self._emit_event(event)
        return event


def _insists_on(request: TurnRequest) -> frozenset[str]:
    """Name what this very question asks for and would be wrong without; an answer's form can be asked for in words."""
    return frozenset({"tools"} if request.tools else ())


def _partial_parts(answer: Answer, turn: Turn) -> tuple[Any, ...]:
    """Return what is kept of a stopped answer: text and reasoning. Its tool calls were not whole, so they never ran."""
    text = answer.text or (turn.text.text if turn.text else "")
    reasoning = answer.reasoning or (
        ReasoningPart(text=turn.reasoning.text) if turn.reasoning and turn.reasoning.text else None
    )
    parts: list[Any] = [reasoning] if reasoning is not None else []
    if text.strip():
        parts.append(TextPart(text=text))
    return (*parts, *answer.citations)
