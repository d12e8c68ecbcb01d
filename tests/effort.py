"""How long tests look, and how long they let things take: on whatever machine, and whatever runs beside them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SOON_S = 20.0
"""Far longer than what ends by itself takes on a slow machine, and far shorter than what would go on for ever."""

_TIMES = int(os.environ.get("RUSTBOT_TEST_EFFORT", "1"))
_ORDINARY_PACE_S = 0.012
"""What `_work` costs on the machine that the limits of the tests were written for."""


def examples(few: int) -> int:
    """`few` generated inputs, and many times as many in `make soak`."""
    return few * _TIMES


@contextmanager
def cpu_at_most(seconds: float, clock: Callable[[], float] = time.process_time) -> Iterator[None]:
    """Refuse that what is done here costs more processor time than `seconds` of an ordinary machine."""
    start = clock()
    yield
    took = clock() - start
    assert took <= seconds or took <= seconds * pace(), f"it took {took:.3f} s of the processor"


def pace() -> float:
    """How many times slower than an ordinary machine this one is now; 1 if it is quicker."""
    costs = []
    for _ in range(5):
        start = time.thread_time()
        _work()
        costs.append(time.thread_time() - start)
    # The slowest: what was measured had no better luck.
    return max(1.0, max(costs) / _ORDINARY_PACE_S)


def _work() -> int:
    table: dict[int, str] = {}
    for number in range(30_000):
        table[number % 997] = f"{number}"
    return len("".join(table.values()))
