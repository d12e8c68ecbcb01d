"""Anything that a tool raises, made harmless: nothing of it ends a loop, a thread or the sentence that tells of it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

LONGEST_TEXT = 20_000


def text_of(error: BaseException) -> str:
    """Return what an exception says; "" when it fails to."""
    try:
        return str(error)[:LONGEST_TEXT]
    # The text of a user's exception is made by the user's code.
    except BaseException:
        return ""


def as_exception(error: BaseException) -> Exception:
    """An `Exception` that a future takes: it refuses StopIteration, and its owner must survive SystemExit."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    text = text_of(error)
    name = type(error).__name__
    return RuntimeError(f"{name}: {text}" if text else name).with_traceback(error.__traceback__)


async def contained(work: Awaitable[T]) -> T:
    """The result of a coroutine whose SystemExit and KeyboardInterrupt are errors like others."""
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:
        # asyncio lets these two end its loop, and with it everything else that runs there.
        raise as_exception(error) from error
