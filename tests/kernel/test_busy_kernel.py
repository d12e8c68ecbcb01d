"""A chat beside a running cell, on each supported ipykernel."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers.held_lock import Dripping, HeldLock
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

pytestmark = pytest.mark.kernel

WITH_SUBSHELLS = ["7.1", "7.3", "7.4"]
SLEEP = "import time; print('begun'); time.sleep(30)"
LOOP = "import time; print('begun'); end = time.time() + 30\nwhile time.time() < end: sum(range(1000))"


@pytest.fixture
def begin(request: pytest.FixtureRequest) -> Callable[[Any, str], str]:
    """Start a cell and wait until it runs; it is interrupted at the end of the test."""

    def begin(kernel: Any, code: str) -> str:
        parent: str = kernel.start(code)
        kernel.until(lambda: any(_says(message, parent, "begun") for message in kernel.messages))
        request.addfinalizer(lambda: _stop(kernel, parent))
        return parent

    return begin


@pytest.mark.parametrize("code", [SLEEP, LOOP], ids=["sleep", "CPU loop"])
@pytest.mark.parametrize("ipykernel", WITH_SUBSHELLS)
def test_a_question_is_answered_and_stop_works_while_a_cell_runs(
    kernels: Any, begin: Any, server: MisbehavingServer, chat_code: str, ipykernel: str, code: str
) -> None:
    server.script(answer("Yes"), answer("Hel", "lo"), [*opening("Once "), HOLD])
    kernel = kernels(ipykernel)
    # A question in a cell starts the core thread there, so that what it sends counts as the main shell's.
    widget = kernel.show(f"{chat_code}bot.ask('Are you there?')")
    widget.open()
    cell = begin(kernel, code)

    asked = time.monotonic()
    widget.ask("send", text="Hi")
    answered = widget.until_answered("Hello")
    widget.ask("send", text="Tell")
    widget.until_answered("Once ", "streaming")
    stopped = time.monotonic()
    widget.ask("stop")
    ended = widget.until_answered("Once ", "interrupted")

    assert not kernel.is_done(cell)
    assert answered - asked < 3
    assert ended - stopped < 1
    assert server.chats[-1].wait_closed() - stopped < 1
    assert widget.page.snapshot["has_subshells"]
    assert widget.page.notices == []


def test_ipykernel_6_says_that_messages_wait_and_sends_them_once_afterwards(
    kernels: Any, begin: Any, server: MisbehavingServer, chat_code: str
) -> None:
    server.script(answer("One"), answer("Two"))
    kernel = kernels("6.31")
    widget = kernel.show(chat_code)
    widget.open()
    (notice,) = widget.page.notices
    cell = begin(
        kernel, "import time; print('begun'); time.sleep(1.5); print(bot.state, len(bot.conversation.messages))"
    )

    widget.send("send", text="First")
    widget.send("send", text="Second")
    kernel.until(lambda: kernel.is_done(cell))
    widget.until_answered("Two")

    assert any(_says(message, cell, "idle 0") for message in kernel.messages)
    assert not widget.page.snapshot["has_subshells"]
    assert "ipykernel 6.31" in notice["text"]
    assert [text for _, text in widget.page.texts] == ["First", "One", "Second", "Two"]
    assert len(server.chats) == 2


@pytest.mark.parametrize("ipykernel", ["6.31", *WITH_SUBSHELLS])
def test_a_streaming_answer_reaches_the_page_while_a_cell_runs(
    kernels: Any, begin: Any, server: MisbehavingServer, chat_code: str, ipykernel: str
) -> None:
    server.script([*opening("Once "), HOLD, *answer("upon a time")[1:]])
    kernel = kernels(ipykernel)
    widget = kernel.show(chat_code)
    widget.open()
    widget.ask("send", text="Tell")
    widget.until_answered("Once ", "streaming")
    cell = begin(kernel, "import time; print('begun'); time.sleep(30)")

    server.release()
    widget.until_answered("Once upon a time")

    assert not kernel.is_done(cell)


@pytest.mark.parametrize("ipykernel", ["6.31", *WITH_SUBSHELLS])
def test_a_cell_that_holds_pythons_lock_delays_messages_and_breaks_no_stream(
    kernels: Any, begin: Any, server: MisbehavingServer, chat_code: str, tmp_path: Path, ipykernel: str
) -> None:
    dripping = Dripping()
    server.script(dripping, answer("Two"), answer("Three"))
    kernel = kernels(ipykernel)
    widget = kernel.show(f"{chat_code}bot.settings.idle_timeout_s = 2")
    widget.open()
    widget.ask("send", text="First")
    kernel.until(lambda: ("assistant", ".") in [(role, text[:1]) for role, text in widget.page.texts])

    with HeldLock(tmp_path) as lock:
        begin(kernel, lock.code)
        widget.send("send", text="Second")
        widget.send("send", text="Third")
        # Longer than silence may last; what was sent meanwhile lies unread.
        dripping.wait_for_more(60)
        asked_meanwhile = len(server.chats)
        dripping.end()

    widget.until_answered("Three")
    assert asked_meanwhile == 1
    assert [text for _, text in widget.page.texts] == ["First", dripping.text, "Second", "Two", "Third", "Three"]
    assert {message["status"] for message in widget.page.messages.values()} == {"complete"}
    assert len(server.chats) == 3


def test_an_interrupt_of_a_cell_leaves_the_chat_alone(
    kernel: Any, begin: Any, server: MisbehavingServer, chat_code: str
) -> None:
    server.script([*opening("Once "), HOLD, *answer("upon a time")[1:]])
    widget = kernel.show(chat_code)
    widget.open()
    widget.ask("send", text="Tell")
    widget.until_answered("Once ", "streaming")
    cell = begin(kernel, SLEEP)

    for _ in range(3):
        kernel.interrupt()
    kernel.until(lambda: kernel.is_done(cell))
    server.release()

    widget.until_answered("Once upon a time")


def _says(message: dict[str, Any], parent: str, word: str) -> bool:
    is_ours = message["msg_type"] == "stream" and message["parent_header"].get("msg_id") == parent
    return is_ours and word in message["content"]["text"]


def _stop(kernel: Any, parent: str) -> None:
    if not kernel.is_done(parent):
        kernel.interrupt()
    kernel.until_ended(parent)
