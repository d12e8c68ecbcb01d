"""Waiting on the kernel's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

LOOK_EVERY_S = 0.1
"""How often the loop looks whether its cell was interrupted."""


@contextmanager
def open_to_interrupts() -> Iterator[None]:
    """Have the running loop turn now and then: ipykernel cancels a cell on its loop without waking that up."""
    loop = asyncio.get_running_loop()
    next_turn: asyncio.TimerHandle

    def turn() -> None:
        nonlocal next_turn
        next_turn = loop.call_later(LOOK_EVERY_S, turn)

    next_turn = loop.call_later(LOOK_EVERY_S, turn)
    try:
        yield
    finally:
        next_turn.cancel()
