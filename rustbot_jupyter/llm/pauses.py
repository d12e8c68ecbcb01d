"""An async iteration that tells before it waits, so that what comes without a wait can be handled in one go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class PauseTold(Generic[T]):
    """The items of `source`, one at a time.

    Args:
        source: What is iterated.
        on_pause: Called just before each wait of the source; what it raises ends the wait and the source.
    """

    def __init__(self, source: AsyncIterator[T], on_pause: Callable[[], None]) -> None:
        self._source = source
        self._on_pause = on_pause
        self._steps: Generator[Any, Any, T]

    def __aiter__(self) -> Self:
        return self

    # It is its own awaitable and that one's iterator: a burst has thousands of items.

    def __anext__(self) -> Self:
        self._steps = self._source.__anext__().__await__()
        return self

    def __await__(self) -> Generator[Any, Any, T]:
        return self  # type: ignore[return-value]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        waited_for = self._steps.send(None)
        try:
            self._on_pause()
        except Exception as error:
            # As if the wait had failed, so that the source cleans up.
            return self._steps.throw(error)
        return waited_for

    def throw(self, *error: Any) -> Any:
        """Pass on a cancel."""
        return self._steps.throw(*error)
