"""The decision to send a failed request again, and after which wait."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from rustbot_jupyter.errors import ModelError


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """The number and patience of repeats of a failed request. It only decides; the engine waits."""

    retries: int = 2
    """Repeats after the first try."""
    first_wait_s: float = 0.5
    """The first wait in seconds; each further one is twice as long."""
    wait_max_s: float = 8.0
    """The longest wait in seconds that we choose ourselves."""
    jitter: float = 0.25
    """The share by which a wait is made shorter or longer at random, so that clients do not come back together."""
    retry_after_max_s: float = 60.0
    """The longest wait in seconds that a provider may ask for; if it asks for more, the retries end."""
    budget_s: float = 90.0
    """Seconds since the first try after which nothing is sent again."""

    def next_wait(
        self, error: ModelError, attempt: int, elapsed_s: float, random: Callable[[], float] = random.random
    ) -> float | None:
        """Seconds to wait before the next try, or None to give up.

        Args:
            error: How the last try failed.
            attempt: Its number, from 1.
            elapsed_s: Seconds since the first try was sent.
            random: Gives a number from 0 to 1.
        """
        if not error.retryable or attempt > self.retries:
            return None
        wait_s = min(self.first_wait_s * 2 ** (attempt - 1), self.wait_max_s)
        wait_s *= 1 + self.jitter * (2 * random() - 1)
        if error.retry_after_s is not None:
            if error.retry_after_s > self.retry_after_max_s:
                return None
            wait_s = max(wait_s, error.retry_after_s)
        return wait_s if elapsed_s + wait_s <= self.budget_s else None
