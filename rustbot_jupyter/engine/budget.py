"""The spending cap: the worst case of a request is reserved before it is sent, and settled after."""

from __future__ import annotations

from dataclasses import dataclass

from rustbot_jupyter.errors import BudgetExceeded

# A model without a known price is reckoned at these US dollars per token while a cap is set: dearer than most, so
# that the cap holds. Recorded costs never use them.
ASSUMED_INPUT_USD = 10e-6
ASSUMED_OUTPUT_USD = 50e-6
# Below this some providers refuse the request, and nothing useful fits.
SMALLEST_ANSWER_TOKENS = 16
NEAR_CAP = 0.8
"""The share of a cap from which its user is warned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """Limits in US dollars; None is no limit."""

    request_usd: float | None = None
    turn_usd: float | None = None
    """For all requests of one question."""
    conversation_usd: float | None = None
    bot_usd: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """Room kept for one request."""

    conversation_id: str
    turn_id: str = ""
    worst_case_usd: float
    max_tokens: int | None
    """The longest answer that fits under the caps; what to send as `max_tokens`."""


class Budget:
    """Money spent and reserved. On the core thread only, so that two requests never share the same room."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._reserved: dict[str, float] = {}
        self._used_in_turn: dict[str, float] = {}
        """Spent and reserved."""
        self._told: set[tuple[str, float]] = set()

    def spent(self, conversation_id: str | None = None) -> float:
        """US dollars spent, in one conversation or in all."""
        return self._spent.get(conversation_id, 0.0) if conversation_id is not None else sum(self._spent.values())

    def reserve(
        self,
        *,
        conversation_id: str,
        caps: Caps,
        input_tokens: int,
        max_tokens: int | None,
        input_usd: float | None,
        output_usd: float | None,
        turn_id: str = "",
    ) -> Reservation:
        """Room for a request with this many input tokens, at these prices per token (None: unknown).

        Raises:
            BudgetExceeded: Not even a short answer fits under a cap.
        """
        room = self._room(conversation_id, caps, self._used_in_turn.get(turn_id, 0.0))
        if room is None:
            return Reservation(
                conversation_id=conversation_id, turn_id=turn_id, worst_case_usd=0.0, max_tokens=max_tokens
            )
        left_usd, cap_name, cap_usd = room
        input_price = ASSUMED_INPUT_USD if input_usd is None else input_usd
        output_price = ASSUMED_OUTPUT_USD if output_usd is None else output_usd
        for_output = left_usd - input_tokens * input_price
        if for_output < SMALLEST_ANSWER_TOKENS * output_price or left_usd < 0:
            raise BudgetExceeded(
                f"The {cap_name} cap of ${cap_usd:g} leaves ${max(0.0, left_usd):.4f}, too little for this question "
                f"(about {input_tokens:,} tokens). Raise the cap, shorten the question, or pick a cheaper model."
            )
        if output_price > 0:
            affordable = int(for_output / output_price)
            max_tokens = affordable if max_tokens is None else min(max_tokens, affordable)
        worst_case = input_tokens * input_price + (max_tokens or 0) * output_price
        self._reserved[conversation_id] = self._reserved.get(conversation_id, 0.0) + worst_case
        self._used_in_turn[turn_id] = self._used_in_turn.get(turn_id, 0.0) + worst_case
        return Reservation(
            conversation_id=conversation_id, turn_id=turn_id, worst_case_usd=worst_case, max_tokens=max_tokens
        )

    def settle(self, reservation: Reservation, cost_usd: float | None) -> float:
        """Give the room back and book what the request cost; an unknown cost is booked as the worst case.

        Returns the US dollars that were booked.
        """
        name, turn, worst_case = reservation.conversation_id, reservation.turn_id, reservation.worst_case_usd
        booked = worst_case if cost_usd is None else cost_usd
        if turn in self._used_in_turn:
            self._used_in_turn[turn] = max(0.0, self._used_in_turn[turn] - worst_case) + booked
        self._reserved[name] = max(0.0, self._reserved.get(name, 0.0) - worst_case)
        self.correct(name, booked)
        return booked

    def end_turn(self, turn_id: str) -> None:
        """Forget what a turn used, as it asks for no more room."""
        self._used_in_turn.pop(turn_id, None)

    def correct(self, conversation_id: str, difference_usd: float) -> None:
        """Book a further amount (negative: less than was booked)."""
        self._spent[conversation_id] = max(0.0, self._spent.get(conversation_id, 0.0) + difference_usd)

    def newly_near(self, conversation_id: str, caps: Caps) -> list[tuple[float, float]]:
        """(spent, cap) in US dollars of each cap of which four fifths are gone now; each cap is told once."""
        limits = [
            (conversation_id, caps.conversation_usd, self.spent(conversation_id)),
            ("", caps.bot_usd, self.spent()),
        ]
        near = [(name, spent, cap) for name, cap, spent in limits if cap and spent >= NEAR_CAP * cap]
        new = [(name, spent, cap) for name, spent, cap in near if (name, cap) not in self._told]
        self._told.update((name, cap) for name, _, cap in new)
        return [(spent, cap) for _, spent, cap in new]

    def _room(self, conversation_id: str, caps: Caps, used_in_turn_usd: float) -> tuple[float, str, float] | None:
        """The tightest cap: (US dollars left, its name, its size), or None without caps."""
        in_conversation = self._spent.get(conversation_id, 0.0) + self._reserved.get(conversation_id, 0.0)
        in_all = sum(self._spent.values()) + sum(self._reserved.values())
        limits = [
            ("request", caps.request_usd, 0.0),
            ("question's", caps.turn_usd, used_in_turn_usd),
            ("conversation", caps.conversation_usd, in_conversation),
            ("bot's", caps.bot_usd, in_all),
        ]
        rooms = [(cap - used, name, cap) for name, cap, used in limits if cap is not None]
        return min(rooms) if rooms else None
