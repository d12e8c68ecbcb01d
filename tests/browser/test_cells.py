"""`%%rustbot` cells, and what a saved notebook holds of a chat."""

from __future__ import annotations

import time

import pytest
from browser_lab import Lab
from browser_notebook import STREAMING, Chat, Notebook
from playwright.sync_api import Page, expect
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

pytestmark = pytest.mark.browser

HELD = [*opening("Once "), HOLD, *answer("upon a time")[1:]]
SECRET = "a word that is said in this chat only"


def test_an_interrupt_of_a_cell_closes_the_connection_and_keeps_the_text(
    notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(HELD, answer("next"))
    notebook.run(f"{bot_code}%reload_ext rustbot_jupyter\nrb.set_bot(bot)")
    cell = notebook.start("%%rustbot\nTell")
    output = cell.locator(".jp-OutputArea")
    expect(output).to_contain_text("Once")

    pressed = time.monotonic()
    notebook.interrupt_kernel()

    assert server.chats[0].wait_closed() - pressed < 1
    notebook.finish(cell)
    expect(output).to_contain_text("Once")
    expect(output).to_contain_text("Interrupted.")
    following = notebook.start("%%rustbot\nAnd now?")
    notebook.finish(following)
    expect(following.locator(".jp-OutputArea")).to_contain_text("next")


def test_a_question_of_a_cell_is_seen_in_the_chat_while_it_streams(
    notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(HELD)
    chat = notebook.show(f"{bot_code}%reload_ext rustbot_jupyter\nrb.set_bot(bot)\nbot")

    cell = notebook.start("%%rustbot -c\nTell")
    chat.expect_answer("Once", STREAMING)
    chat.button("Stop").click()

    chat.expect_answer("Once", "interrupted")
    notebook.finish(cell)
    expect(cell.locator(".jp-OutputArea")).to_contain_text("Interrupted.")


def test_a_saved_notebook_says_no_word_of_the_chat_and_is_harmless_in_another_kernel(
    lab: Lab, lab_page: Page, notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(answer(SECRET))
    chat.ask(SECRET)

    saved = notebook.save()
    (lab.notebooks / "copy.ipynb").write_text(saved, encoding="utf-8")
    copy = Notebook(lab, lab_page, lab.start_kernel(), "copy.ipynb")

    expect(copy.panel.locator(".jp-OutputArea-output")).to_contain_text("model not found")
    expect(copy.panel.locator(".rb-root")).to_have_count(0)
    assert SECRET not in saved
    assert "_esm" not in saved
    assert "run this cell again" in saved
    copy.close()
    lab.ask("DELETE", f"api/kernels/{copy.kernel}")
