"""Costs of a turn's requests: reserved before, booked after, settled later."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

from rustbot_jupyter.engine.budget import Budget, Reservation
from rustbot_jupyter.engine.plan import TurnPlan
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.engine.usage_log import USAGE_FIELDS, PendingCost, UsageLog
from rustbot_jupyter.llm.base import Answer
from rustbot_jupyter.llm.token_estimate import tokens_in
from rustbot_jupyter.messages import utc_now
from rustbot_jupyter.usage import Usage, UsageRecord

SETTLE_WAITS_S = (2.0, 4.0, 8.0, 16.0)
"""Waits before each question after the cost of a stopped answer; the provider needs some seconds to know it."""


@dataclass(kw_only=True, slots=True)
class Attempt:
    """One request on its way, and when what happened to it."""

    number: int
    """1 for the first try."""
    reservation: Reservation
    input_estimate: int
    """Tokens."""
    started_at: datetime = field(default_factory=utc_now)
    sent: float = field(default_factory=monotonic)
    first_token: float | None = None
    last_waiting: float = float("-inf")
    """When the last life sign was told; on the monotonic clock, as the two above."""

    @property
    def ttft_s(self) -> float | None:
        """Seconds to the first token; None while there is none."""
        return None if self.first_token is None else self.first_token - self.sent

    def tokens_per_s(self, output_tokens: int | None, end: float) -> float | None:
        """Output tokens per second from the first token to `end`; None when there is nothing to tell it from."""
        if output_tokens is None or self.first_token is None or end <= self.first_token:
            return None
        return output_tokens / (end - self.first_token)


class Accounts:
    """The accounts of one turn. On the core thread only."""

    def __init__(self, turn: Turn, plan: TurnPlan, budget: Budget, usage_log: UsageLog) -> None:
        self._turn = turn
        self._plan = plan
        self._budget = budget
        self._usage_log = usage_log

    def reserve(self, input_tokens: int) -> Reservation:
        """Room for a request with about this many input tokens.

        Raises:
            BudgetExceeded: Not even a short answer fits under a cap.
        """
        plan = self._plan
        prices = plan.prices(plan.model)
        return self._budget.reserve(
            conversation_id=self._turn.history.id,
            caps=plan.caps,
            input_tokens=input_tokens,
            max_tokens=plan.request_fields.get("max_tokens"),
            input_usd=prices.input_usd if prices else None,
            output_usd=prices.output_usd if prices else None,
            turn_id=self._turn.id,
        )

    def release(self, attempt: Attempt) -> None:
        """Give back the room of a request that cost nothing."""
        self._budget.settle(attempt.reservation, 0.0)

    def newly_near(self) -> list[tuple[float, float]]:
        """(spent, cap) of each cap that this turn brought near."""
        return self._budget.newly_near(self._turn.history.id, self._plan.caps)

    def book(self, attempt: Attempt, answer: Answer, status: str, error: str | None = None) -> None:
        """Book what a request used that is over; one stopped before its cost was told is settled later.

        Args:
            attempt: The request.
            answer: As far as it came.
            status: complete, interrupted or error.
            error: Why it is not complete; None when nothing went wrong.
        """
        plan, now = self._plan, monotonic()
        if answer.usage.cost_usd:
            plan.on_charged()
        usage = self._priced(attempt, answer, status)
        # A request that failed before it began is not billed, unless it says so itself.
        cost_usd = usage.cost_usd or 0.0 if status == "error" else usage.cost_usd
        booked_usd = self._budget.settle(attempt.reservation, cost_usd)
        index = self._usage_log.add(
            UsageRecord(
                started_at=attempt.started_at,
                conversation_id=self._turn.history.id,
                turn_id=self._turn.id,
                source=self._turn.request.source,
                profile=plan.profile,
                provider=answer.provider or ("local" if plan.chat_model.is_local else None),
                model_requested=plan.model,
                model=answer.model,
                **{name: getattr(usage, name) for name in USAGE_FIELDS},
                ttft_s=attempt.ttft_s,
                duration_s=now - attempt.sent,
                tokens_per_s=attempt.tokens_per_s(usage.output_tokens, now),
                retries=attempt.number - 1,
                finish_reason=answer.finish_reason,
                status=status,
                error=error,
                cell_id=self._turn.request.cell_id,
            )
        )
        if status != "error" and answer.generation_id and answer.usage.cost_usd is None:
            self._settle_later(index, answer.generation_id, booked_usd)

    def _settle_later(self, index: int, generation_id: str, booked_usd: float) -> None:
        first, *others = SETTLE_WAITS_S
        self._usage_log.pending.append(
            PendingCost(
                index=index,
                generation_id=generation_id,
                plan=self._plan,
                booked_usd=booked_usd,
                waits_s=others,
                due_at=monotonic() + first,
            )
        )

    def _priced(self, attempt: Attempt, answer: Answer, status: str) -> Usage:
        """The usage with its cost: billed, or from prices and marked, or unknown."""
        usage = answer.usage
        if usage.cost_usd is not None or status == "error":
            return usage
        prices = (self._plan.prices(answer.model) if answer.model else None) or self._plan.prices(self._plan.model)
        if prices is None:
            return usage
        counted = usage
        if usage.output_tokens is None:
            # The stream was stopped before its usage came; for the estimate only, the counts stay unknown.
            written = len(answer.text) + len(answer.reasoning.text if answer.reasoning else "")
            counted = Usage(input_tokens=attempt.input_estimate, output_tokens=tokens_in(written))
        cost = prices.cost(counted)
        return replace(usage, cost_usd=cost, cost_is_estimate=cost is not None and not prices.is_free)
