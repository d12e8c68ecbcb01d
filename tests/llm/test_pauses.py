"""Items that come without a wait are handled in one go: the reader is told before each wait, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rustbot_jupyter.llm.pauses import PauseTold


async def test_each_wait_is_told_once_and_items_that_are_ready_are_not():
    gate = asyncio.Event()
    told: list[str] = []

    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        await gate.wait()
        yield 3
        await asyncio.sleep(0)
        yield 4
        yield 5

    async def read() -> None:
        async for item in PauseTold(source(), lambda: told.append("wait")):
            told.append(str(item))
        told.append("end")

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    told.append("released")
    gate.set()
    await reading

    assert told == ["1", "2", "wait", "released", "3", "wait", "4", "5", "end"]


async def test_a_cancel_reaches_the_source_once_and_its_cleaning_up_is_awaited():
    steps: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            steps.append("cancelled")
            await asyncio.sleep(0)
            steps.append("cleaned up")
            raise

    async def read() -> None:
        async for _ in PauseTold(source(), lambda: steps.append("wait")):
            pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})

    assert reading.cancelled()
    assert steps == ["wait", "cancelled", "cleaned up"]


async def test_an_error_of_the_source_is_raised():
    async def source() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        raise ZeroDivisionError

    items = PauseTold(source(), lambda: None)

    assert await anext(items) == 1
    with pytest.raises(ZeroDivisionError):
        await anext(items)


async def test_a_source_that_is_no_generator_works_as_well():
    class Lines:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> AsyncIterator[int]:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            if self.left == 1:
                await asyncio.sleep(0.001)
            return self.left

    waits: list[None] = []
    assert [item async for item in PauseTold(Lines(), lambda: waits.append(None))] == [2, 1, 0]
    assert len(waits) == 1


async def test_what_the_pause_raises_ends_the_source_which_cleans_up_first():
    steps: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(60)
        except LookupError:
            await asyncio.sleep(0)
            steps.append("cleaned up")
            raise

    def refuse() -> None:
        if not steps:
            steps.append("refused")
            raise LookupError

    items = PauseTold(source(), refuse)

    assert await anext(items) == 1
    with pytest.raises(LookupError):
        await anext(items)
    assert steps == ["refused", "cleaned up"]
