"""Interrupts of what runs on the main thread: they reach it while it runs, and nobody else when they come too late."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

ON_ITS_WAY_S = 0.5
"""How long one that was sent is waited for, so that it cannot arrive after its time."""


def _raise() -> None:
    raise KeyboardInterrupt


class Interruptible:
    """Work of the main thread that the kernel's Stop reaches, and `interrupt` from any thread.

    Args:
        react: What an interrupt does to the work; called on the main thread, wherever that just is. Raises
            KeyboardInterrupt when left out.
        rest_s: For how long after one Stop the next ones do nothing, so that what it stopped can tidy up.
    """

    def __init__(self, react: Callable[[], None] = _raise, rest_s: float = 0.0) -> None:
        self._react = react
        self._rest_s = rest_s
        self._rests_until = 0.0
        self._lock = threading.Lock()
        self._is_allowed = False
        self._sent = 0
        self._handled = 0
        self._was_pressed = False

    def hold(self, function: Callable[[], T]) -> T:
        """The function's result; interrupts that come meanwhile do nothing but what `allow` lets them do."""
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            return function()
        finally:
            # Our own are still on their way to this thread; the handler before must not get them.
            deadline = time.monotonic() + ON_ITS_WAY_S
            while self._handled < self._sent and time.monotonic() < deadline:
                time.sleep(0.001)
            signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)

    def allow(self, function: Callable[[], T]) -> T:
        """The function's result, inside `hold`; an interrupt reacts at once, also to a Stop pressed just before."""
        try:
            try:
                self._is_allowed = True
                if self._was_pressed:
                    self._react_unless_resting()
                return function()
            finally:
                self._is_allowed = False
        # Once more: what was raised may have been raised just before that line.
        finally:
            with self._lock:
                self._is_allowed = False

    def interrupt(self) -> None:
        """Interrupt the work, if it runs; from any other thread.

        To be repeated until the work ends: one that comes just before a blocking call is noticed after it only, and
        the work may have swallowed it.
        """
        with self._lock:
            if self._is_allowed:
                self._sent += 1
                _signal_main_thread()

    def rest(self) -> None:
        """The work was stopped in another way: leave it time to tidy up."""
        self._rests_until = time.monotonic() + self._rest_s

    def hand_on(self) -> None:
        """After `hold`: give the user's Stop, which the work has had, to whom it would have reached without it."""
        if self._was_pressed:
            self._was_pressed = False
            signal.raise_signal(signal.SIGINT)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._handled < self._sent:
            # Several that were not noticed yet arrive as one.
            self._handled = self._sent
            self._rests_until = 0.0
        else:
            self._was_pressed = True
        if self._is_allowed:
            self._react_unless_resting()

    def _react_unless_resting(self) -> None:
        if time.monotonic() >= self._rests_until:
            self.rest()
            self._react()


def _signal_main_thread() -> None:
    if sys.platform == "win32":
        _thread.interrupt_main()
    else:
        # Directed at the thread, it ends a blocking call there.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
