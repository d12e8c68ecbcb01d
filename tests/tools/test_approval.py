"""What waits for the user, and the user's word."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from typing import Any

import pytest

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.tools.approval import LONGEST_REASON, Answer, Approval, Approvals
from rustbot_jupyter.tools.base import Preview, Risk


def approval(**fields: Any) -> Approval:
    values: dict[str, Any] = {
        "tool": "write_file",
        "arguments": {"path": "a.txt"},
        "preview": Preview(text="+ hello"),
        "scopes": ("once", "conversation", "always"),
        "pattern": "a.txt",
    }
    return Approval(**(values | fields))


@pytest.mark.parametrize("scope", ["once", "conversation", "always"])
async def test_what_is_allowed_may_run_and_does_not_wait_any_more(scope: str):
    approvals, one = Approvals(), approval()
    asking = asyncio.create_task(approvals.ask(one))
    await asyncio.sleep(0)

    assert approvals.pending() == [one]
    one.allow(scope)

    assert approvals.pending() == []
    assert await asking == Answer(allowed=True, scope=scope)


async def test_a_no_carries_its_reason_up_to_a_limit():
    one, other = approval(), approval()

    one.deny("x" * 1_000_000)
    other.deny()

    assert await one.wait() == Answer(allowed=False, reason="x" * LONGEST_REASON)
    assert await other.wait() == Answer(allowed=False)


@pytest.mark.parametrize("first", ["allow", "deny"])
@pytest.mark.parametrize("second", ["allow", "deny"])
async def test_a_second_answer_is_refused_and_changes_nothing(first: str, second: str):
    one = approval()
    getattr(one, first)()

    with pytest.raises(RequestError, match=r"'write_file' does not wait any more: it was answered or stopped\."):
        getattr(one, second)()

    assert (await one.wait()).allowed is (first == "allow")


async def test_of_many_clicks_from_many_threads_one_counts():
    for _ in range(20):
        one = approval()
        refused: list[str] = []
        begin = threading.Barrier(8)

        def click(number: int, one: Approval = one, refused: list[str] = refused, begin: Any = begin) -> None:
            begin.wait()
            try:
                one.allow() if number % 2 else one.deny()
            except RequestError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=click, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(refused) == 7
        assert one.is_answered


@pytest.mark.parametrize("scope", ["always", "conversation", "", "ONCE", "forever", None])
def test_a_scope_that_is_not_offered_is_refused_and_the_card_waits_on(scope: Any):
    one = approval(scopes=("once",))

    with pytest.raises(RequestError, match="there is 'once'"):
        one.allow(scope)

    assert not one.is_answered


@pytest.mark.parametrize("turns_of_the_loop", range(8))
async def test_a_cancel_right_after_the_answer_is_not_forgotten(turns_of_the_loop: int):
    """Python 3.11's `wait_for` gives the answer instead, and the call would run after Stop."""
    one = approval()
    waiting = asyncio.create_task(one.wait())
    await asyncio.sleep(0)

    one.allow()
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    was_over = waiting.done()
    waiting.cancel()
    [outcome] = await asyncio.gather(waiting, return_exceptions=True)

    assert was_over or isinstance(outcome, asyncio.CancelledError)


async def test_an_answer_after_a_cancel_is_refused():
    approvals, one = Approvals(), approval()
    asking = asyncio.create_task(approvals.ask(one))
    await asyncio.sleep(0)

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    with pytest.raises(RequestError, match="does not wait any more"):
        one.allow()
    with pytest.raises(RequestError, match="does not wait any more"):
        approvals.find(one.id)
    assert approvals.pending() == []


async def test_without_a_word_in_time_it_is_a_no_and_a_late_yes_is_refused():
    approvals, one = Approvals(wait_s=0.01), approval()

    answer = await approvals.ask(one)

    assert not answer.allowed
    assert "Nobody answered" in answer.reason
    with pytest.raises(RequestError):
        one.allow()


CHANGES: dict[str, Any] = {
    "tool": "delete_file",
    "arguments": {"path": "b.txt"},
    "preview": Preview(text="- hello"),
    "source": "after reading file notes.txt",
    "label": "Harmless",
    "risk": Risk.READ,
    "pattern": "*",
    "scopes": ("once",),
}


@pytest.mark.parametrize("field", CHANGES)
def test_the_digest_is_bound_to_all_that_is_shown(field: str):
    """X7."""
    one = approval()

    assert dataclasses.replace(one, **{field: CHANGES[field]}).digest != one.digest
    assert dataclasses.replace(one).digest == one.digest


@pytest.mark.parametrize("change", [{"kind": "code"}, {"note": "in a sandbox"}, {"text": "+ hello "}])
def test_the_digest_is_bound_to_kind_and_note_of_the_preview(change: dict[str, Any]):
    one = approval()

    assert dataclasses.replace(one, preview=dataclasses.replace(one.preview, **change)).digest != one.digest


def test_text_does_not_slip_from_one_field_into_the_next_under_the_same_digest():
    one = approval(label="a\0b", preview=Preview(text="c"), source="")
    other = dataclasses.replace(one, label="a", preview=Preview(text="b\0c"))

    assert one.digest != other.digest


@pytest.mark.parametrize("text", ["\ud800", "\x00", "‮", "😀" * 10_000])
def test_any_text_has_a_digest(text: str):
    assert len(approval(arguments={"x": text}, preview=Preview(text=text)).digest) == 64


async def test_an_answer_to_something_else_than_what_waits_is_refused():
    approvals, one = Approvals(), approval()
    asking = asyncio.create_task(approvals.ask(one))
    await asyncio.sleep(0)

    with pytest.raises(RequestError, match="What was shown is not what waits"):
        approvals.find(one.id, "0" * 64)
    assert approvals.find(one.id, one.digest) is one

    one.deny()
    await asking


async def test_listeners_hear_of_each_change_and_one_that_fails_keeps_nobody_waiting():
    approvals, one = Approvals(), approval()
    seen: list[int] = []
    approvals.on_change(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    end = approvals.on_change(lambda: seen.append(len(approvals.pending())))
    asking = asyncio.create_task(approvals.ask(one))
    await asyncio.sleep(0)

    one.allow()
    await asking
    end()
    end()
    await asyncio.gather(approvals.ask(other := approval()), asyncio.to_thread(lambda: other.deny()))

    assert seen == [1, 0]
