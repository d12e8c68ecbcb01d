"""What was typed outlives its view and its kernel; a chat whose kernel is gone says so."""

from __future__ import annotations

import pytest
from browser_lab import Lab
from browser_notebook import STREAMING, Chat, Notebook
from playwright.sync_api import expect
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

pytestmark = pytest.mark.browser

HELD = [*opening("Once "), HOLD, *answer("upon a time")[1:]]
_MOVE = """({panel}) => {
    const model = panel.content.model.sharedModel;
    model.insertCell(0, {cell_type: 'raw', source: '', metadata: {}});
    panel.content.activeCellIndex = model.cells.length - 1;
    return jupyterapp.commands.execute('notebook:move-cell-up').then(() => true);
}"""
_RUN_CHAT_AGAIN = """({panel}) => {
    panel.content.activeCellIndex = panel.content.widgets.findIndex((cell) => cell.node.querySelector('.rb-root'));
    return jupyterapp.commands.execute('notebook:run-cell').then(() => true);
}"""


def test_what_was_typed_is_there_after_a_move_a_reload_and_a_restart(own_notebook: Notebook, bot_code: str) -> None:
    notebook = own_notebook
    chat = notebook.show(bot_code + "bot")
    chat.ask("First question")
    chat.prompt.fill("half a thou")
    chat.questions.last.hover()
    chat.button("Edit and resend").click()
    chat.page.keyboard.type(" made better")
    chat.page.keyboard.press("Escape")
    expect(chat.questions.last).to_contain_text("edited, not sent")
    chat.prompt.press("End")

    notebook._js(_MOVE)
    (chat,) = notebook.chats(1)
    editor = chat.root.get_by_label("Edit your message")
    expect(editor).to_have_value("First question made better")
    expect(chat.prompt).to_have_value("half a thou")

    notebook.reload()
    (chat,) = notebook.chats(1)
    expect(chat.root.get_by_label("Edit your message")).to_have_value("First question made better")
    expect(chat.prompt).to_have_value("half a thou")
    chat.button("Cancel").click()

    notebook.restart_kernel()
    expect(chat.root).to_have_attribute("data-connection", "gone")
    expect(chat.button("Regenerate")).to_be_disabled()
    notebook._js(_RUN_CHAT_AGAIN)
    (chat,) = notebook.chats(1)
    chat.expect_state("idle")
    expect(chat.prompt).to_have_value("half a thou")


@pytest.mark.parametrize("way", ["shut down", "another kernel", "restarted"])
def test_a_chat_whose_kernel_ends_says_so_and_keeps_what_was_typed(
    lab: Lab, own_notebook: Notebook, bot_code: str, server: MisbehavingServer, way: str
) -> None:
    server.script(HELD)
    chat = own_notebook.show(bot_code + "bot")
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)
    chat.send("And then?")
    expect(chat.queue).to_contain_text("And then?")
    chat.prompt.fill("half a thou")

    if way == "restarted":
        own_notebook.restart_kernel()
    elif way == "shut down":
        own_notebook.kernel = lab.start_kernel()
        own_notebook._js("({panel}) => panel.sessionContext.shutdown().then(() => true)")
    else:
        own_notebook.kernel = lab.start_kernel()
        change = "({panel}, id) => panel.sessionContext.changeKernel({id}).then(() => true)"
        own_notebook._js(change, own_notebook.kernel)

    expect(chat.root).to_have_attribute("data-connection", "gone")
    expect(chat.root.locator(".rb-header .rb-badge")).to_have_text("Disconnected")
    expect(chat.root.locator(".rb-banners")).to_contain_text("run the cell again")
    expect(chat.answer).to_have_attribute("data-status", "interrupted")
    expect(chat.button("Continue")).to_be_disabled()
    expect(chat.prompt).to_have_value("And then?\nhalf a thou")


def test_without_a_connection_the_chat_says_so_and_not_that_the_kernel_is_busy(
    notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    cut = "({panel}) => { panel.sessionContext.session.kernel._updateConnectionStatus('connecting'); return true; }"
    mend = "({panel}) => panel.sessionContext.session.kernel.reconnect().then(() => true)"

    notebook._js(cut)
    chat.send("Are you there?")

    expect(chat.root.locator(".rb-banners")).to_contain_text("Not connected")
    expect(chat.root).to_have_attribute("data-connection", "offline")
    expect(chat.root.locator(".rb-on-the-way")).to_contain_text("waiting for the connection")
    expect(chat.root.locator(".rb-banners")).not_to_contain_text("busy")
    notebook._js(mend)
    chat.expect_answer("Hello", "complete")
    chat.expect_state("idle")


def test_up_brings_back_what_was_asked(chat: Chat) -> None:
    chat.ask("one")
    chat.ask("two\nlines")
    keys = chat.page.keyboard
    chat.prompt.click()

    keys.press("ArrowUp")
    expect(chat.prompt).to_have_value("two\nlines")
    keys.press("ArrowUp")
    expect(chat.prompt).to_have_value("two\nlines")
    keys.press("ArrowUp")
    expect(chat.prompt).to_have_value("one")
    keys.press("ArrowDown")
    expect(chat.prompt).to_have_value("two\nlines")
    keys.press("ArrowDown")
    expect(chat.prompt).to_have_value("")
    keys.type("mine")
    keys.press("ArrowUp")
    expect(chat.prompt).to_have_value("mine")
