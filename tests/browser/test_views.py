"""One chat in several places, and over reloads, restarts and busy kernels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_lab import IPYKERNELS, Lab
from browser_notebook import COMPLETE, INTERRUPTED, STREAMING, Chat, Notebook, open_lab
from playwright.sync_api import BrowserContext, Page, expect
from servers.held_lock import Dripping, HeldLock
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

pytestmark = pytest.mark.browser

HELD = [*opening("Once "), HOLD, *answer("upon a time")[1:]]
# What it prints at its end is not in its source, which a traceback shows.
SLEEP = "import time; print('begun'); time.sleep(30); print('slept', 'through')"
LOOP = "import time; print('begun'); end = time.time() + 30\nwhile time.time() < end: sum(range(1000))"


@pytest.fixture
def second_tab(browsing: BrowserContext, lab: Lab) -> Iterator[Page]:
    """Another browser tab with JupyterLab."""
    page = open_lab(browsing, lab)
    yield page
    page.close()


def test_two_views_show_the_same_and_one_send_is_one_request(
    notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(HELD)
    notebook.run("bot")
    first, second = notebook.chats(2)

    second.send("Tell")
    first.expect_answer("Once", STREAMING)
    server.release()

    for view in (first, second):
        view.expect_answer("Once upon a time", COMPLETE)
        expect(view.questions).to_have_count(1)
    expect(first.prompt).to_have_value("")
    assert len(server.chats) == 1


def test_a_second_notebook_on_the_kernel_shows_the_same_and_stops_it(
    lab: Lab, lab_page: Page, notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(HELD)
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)

    other_notebook = Notebook(lab, lab_page, notebook.kernel)
    other_notebook.run("bot")
    (other,) = other_notebook.chats(1)
    other.expect_answer("Once", STREAMING)
    other.button("Stop").click()

    other.expect_answer("Once", INTERRUPTED)
    other_notebook.close()
    notebook.activate()
    chat.expect_answer("Once", INTERRUPTED)
    assert server.chats[0].wait_closed()


def test_a_second_browser_tab_shows_the_same_and_one_send_is_one_request(
    lab: Lab, second_tab: Page, notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(answer("one"), answer("two"))
    chat.ask("First?")
    notebook.save()

    (other,) = Notebook(lab, second_tab, notebook.kernel, notebook.path).chats(1)
    other.expect_answer("one", COMPLETE)
    other.send("Second?")

    for view in (other, chat):
        view.expect_answer("two", COMPLETE)
        expect(view.questions.locator(".rb-bubble")).to_have_text(["First?", "Second?"])
    assert len(server.chats) == 2


def test_a_page_reloaded_in_mid_stream_shows_everything_and_goes_on(
    notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(answer("before"), HELD)
    chat.ask("First?")
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)
    chat.prompt.fill("a draft")

    notebook.reload()
    (chat,) = notebook.chats(1)
    chat.expect_answer("Once", STREAMING)
    server.release()

    chat.expect_answer("Once upon a time", COMPLETE)
    expect(chat.questions.locator(".rb-bubble")).to_have_text(["First?", "Tell"])
    expect(chat.answers.locator(".rb-answer")).to_have_text(["before", "Once upon a time"])
    expect(chat.prompt).to_have_value("a draft")
    assert len(server.chats) == 2


@pytest.mark.parametrize("code", [SLEEP, LOOP], ids=["sleep", "CPU loop"])
def test_a_message_is_answered_and_stop_works_while_a_cell_runs(
    notebook: Notebook, chat: Chat, server: MisbehavingServer, code: str
) -> None:
    server.script(answer("at once"), HELD)
    with notebook.running(code) as cell:
        chat.ask("Hi")
        chat.send("Tell")
        chat.expect_answer("Once", STREAMING)
        pressed = time.monotonic()
        chat.button("Stop").click()

        closed = server.chats[-1].wait_closed()
        chat.expect_answer("Once", INTERRUPTED)
        expect(notebook.prompt_of(cell)).to_have_text("[*]:")
        assert closed - pressed < 1


def test_while_a_cell_holds_pythons_lock_the_chat_says_that_messages_wait_and_sends_them_once(
    own_notebook: Notebook, bot_code: str, server: MisbehavingServer, tmp_path: Path
) -> None:
    dripping = Dripping()
    server.script(dripping, answer("Two"), answer("Three"))
    chat = own_notebook.show(f"{bot_code}bot.settings.idle_timeout_s = 2\nbot")
    chat.send("First")
    expect(chat.answer.locator(".rb-answer")).to_contain_text(".")

    with HeldLock(tmp_path) as lock:
        cell = own_notebook.start(lock.code)
        expect(cell.locator(".jp-OutputArea")).to_contain_text("begun")
        chat.send("Second")
        chat.send("Third")
        expect(chat.root.locator(".rb-banners")).to_contain_text("Kernel busy, queued.")
        expect(chat.root.get_by_label("Not sent yet").locator(".rb-bubble")).to_have_text(["Second", "Third"])
        # Longer than silence may last; what was sent meanwhile lies unread.
        dripping.wait_for_more(60)
        asked_meanwhile = len(server.chats)
        dripping.end()

    expect(chat.answers).to_have_count(3)
    chat.expect_answer("Three", COMPLETE)
    expect(chat.root.locator(".rb-banners")).not_to_contain_text("Kernel busy")
    expect(chat.questions.locator(".rb-bubble")).to_have_text(["First", "Second", "Third"])
    expect(chat.answers.locator(".rb-answer")).to_have_text([dripping.text, "Two", "Three"])
    assert (asked_meanwhile, len(server.chats)) == (1, 3)


def test_an_interrupt_of_a_cell_leaves_the_chat_alone(
    notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(HELD)
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)
    cell = notebook.start(SLEEP)
    output = cell.locator(".jp-OutputArea")
    expect(output).to_contain_text("begun")

    for _ in range(3):
        notebook.interrupt_kernel()
    notebook.until_kernel_is_free()
    server.release()

    chat.expect_answer("Once upon a time", COMPLETE)
    expect(output).not_to_contain_text("slept through")


def test_after_a_kernel_restart_the_old_chat_says_so_and_keeps_what_was_typed(
    own_notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(HELD, answer("new life"))
    chat = own_notebook.show(bot_code + "bot")
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)
    chat.prompt.fill("a long thought")

    own_notebook.restart_kernel()

    expect(chat.root).to_have_attribute("data-connection", "gone")
    expect(chat.root.get_by_role("alert")).to_contain_text("Kernel restarted: run the cell again.")
    expect(chat.prompt).to_have_value("a long thought")
    expect(chat.answer.locator(".rb-answer")).to_have_text("Once")
    expect(chat.button("Send")).to_be_disabled()
    assert server.chats[0].wait_closed()
    chat = own_notebook.show(bot_code + "bot")
    expect(chat.ask("Again").locator(".rb-answer")).to_have_text("new life")


@pytest.mark.skipif(not (IPYKERNELS / "6.31").exists(), reason="ipykernel 6.31 is not there: scripts/ipykernels.py")
def test_on_ipykernel_6_the_chat_says_that_messages_wait_and_sends_them_once(
    lab: Lab, lab_page: Page, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(answer("One"), answer("Two"))
    notebook = Notebook(lab, lab_page, lab.start_kernel("ipykernel-6.31"))
    chat = notebook.show(bot_code + "bot")
    expect(chat.root.locator(".rb-banner")).to_contain_text("ipykernel 6.31")

    with notebook.running(SLEEP):
        chat.send("First")
        chat.send("Second")
        expect(chat.root.locator(".rb-banners")).to_contain_text("Kernel busy, queued.")
        expect(chat.root.get_by_label("Not sent yet")).to_have_count(2)
        asked_before = len(server.chats)

    expect(chat.answers).to_have_count(2)
    chat.expect_answer("Two", COMPLETE)
    expect(chat.questions.locator(".rb-bubble")).to_have_text(["First", "Second"])
    assert (asked_before, len(server.chats)) == (0, 2)
    notebook.close()
    lab.ask("DELETE", f"api/kernels/{notebook.kernel}")
