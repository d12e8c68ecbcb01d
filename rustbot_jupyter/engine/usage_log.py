"""The requests of this kernel's life as rows, their totals, and costs that the provider tells later."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace

from rustbot_jupyter.engine.plan import TurnPlan
from rustbot_jupyter.usage import Usage, UsageRecord

USAGE_FIELDS = tuple(field.name for field in fields(Usage))
"""What a record takes over from the usage of its request."""


@dataclass(kw_only=True, slots=True)
class PendingCost:
    """An answer whose cost is an estimate, or unknown, until the provider tells it."""

    index: int
    generation_id: str
    plan: TurnPlan
    """How the answer was asked for."""
    booked_usd: float
    """What the caps count for it until then."""
    waits_s: list[float]
    """Waits still to come; it is given up when none is left."""
    due_at: float


class UsageLog:
    """All usage records of a bot. Written on the core thread; `records` may be read anywhere."""

    def __init__(self) -> None:
        self._records: list[UsageRecord] = []
        self._of_turn: dict[str, list[int]] = defaultdict(list)
        self.pending: list[PendingCost] = []

    @property
    def records(self) -> list[UsageRecord]:
        """A snapshot, oldest first."""
        return list(self._records)

    def add(self, record: UsageRecord) -> int:
        """Keep a record; returns its index."""
        self._records.append(record)
        index = len(self._records) - 1
        self._of_turn[record.turn_id].append(index)
        return index

    def settle(self, index: int, usage: Usage) -> UsageRecord:
        """Replace the counts and the cost of a record by what the provider billed, as far as it tells."""
        told = usage_of(self._records[index]).updated(usage)
        self._records[index] = replace(
            self._records[index],
            **{name: getattr(told, name) for name in USAGE_FIELDS},
        )
        return self._records[index]

    def of_turn(self, turn_id: str) -> Usage:
        """The sum over one turn's requests."""
        return _sum(self.records_of(turn_id))

    def records_of(self, turn_id: str) -> list[UsageRecord]:
        """One turn's requests, in order."""
        return [self._records[index] for index in self._of_turn.get(turn_id, [])]

    def ttft_s(self, turn_id: str) -> float | None:
        """Seconds to the first token of the turn's first request."""
        indexes = self._of_turn.get(turn_id)
        return self._records[indexes[0]].ttft_s if indexes else None

    def total(self) -> Usage:
        """The sum over all requests."""
        return _sum(self._records)

    def __len__(self) -> int:
        return len(self._records)


def usage_of(record: UsageRecord) -> Usage:
    """The counts and the cost of a record."""
    return Usage(**{name: getattr(record, name) for name in USAGE_FIELDS})


def _sum(records: list[UsageRecord]) -> Usage:
    # A failed request without any count is not an unknown cost: nothing was answered, nothing is billed.
    counted = [usage_of(record) for record in records if record.status != "error" or record.cost_usd is not None]
    total = counted[0] if counted else Usage()
    for usage in counted[1:]:
        total = total + usage
    return total
