"""The event bus: whoever subscribed is told, and one that fails stops nobody else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rustbot_jupyter.events import AssistantEvent

logger = logging.getLogger("rustbot_jupyter.bus")

Subscriber = Callable[[AssistantEvent], None]


class EventBus:
    """Publish on the core thread; subscribe from anywhere.

    Args:
        on_failure: Told the error and the subscriber's name when one fails for the first time.
    """

    def __init__(self, on_failure: Callable[[Exception, str], None] | None = None) -> None:
        self._on_failure = on_failure
        self._failed: set[int] = set()
        self._lock = threading.Lock()
        # Replaced as a whole, so that publishing needs no lock and may run while someone subscribes.
        self._subscribers: tuple[tuple[Subscriber, frozenset[type[AssistantEvent]] | None], ...] = ()
        self._settlers: tuple[Callable[[], None], ...] = ()

    def subscribe(
        self,
        callback: Subscriber,
        kinds: tuple[type[AssistantEvent], ...] | None = None,
        settled: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Call `callback` on the core thread for each event (of these kinds); returns what ends it.

        A callback must be quick and not block; it may not ask the bot and wait. `settled` is called after the events
        of one moment, and may not raise.
        """
        entry = (callback, frozenset(kinds) if kinds is not None else None)
        with self._lock:
            self._subscribers = (*self._subscribers, entry)
            self._settlers += () if settled is None else (settled,)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(item for item in self._subscribers if item is not entry)
                self._settlers = tuple(item for item in self._settlers if item is not settled)

        return unsubscribe

    def settle(self) -> None:
        """Say that the events of one moment were told."""
        for settled in self._settlers:
            settled()

    def publish(self, event: AssistantEvent) -> None:
        """Tell all subscribers, in the order they subscribed; a failing one is logged."""
        for callback, kinds in self._subscribers:
            if kinds is not None and type(event) not in kinds:
                continue
            try:
                callback(event)
            except Exception as error:
                logger.exception("A subscriber failed on %s: %r", event.kind, callback)
                self._tell_once(error, callback)

    def _tell_once(self, error: Exception, callback: Subscriber) -> None:
        # Once for each: what fails on every event would fail on the news of its failure too.
        if self._on_failure is not None and id(callback) not in self._failed:
            self._failed.add(id(callback))
            self._on_failure(error, getattr(callback, "__qualname__", repr(callback)))
