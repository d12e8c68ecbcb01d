"""Keys, focus and wheel: what is done in the chat stays in the chat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_notebook import STREAMING, Chat, Notebook
from playwright.sync_api import Page, expect
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

pytestmark = pytest.mark.browser

HELD = [*opening("Once "), HOLD, *answer("upon a time")[1:]]
_CELLS = "({panel}) => panel.content.model.sharedModel.cells.map((cell) => cell.source)"
_COMPOSED = """(field, key) => {
    for (const more of [{isComposing: true, keyCode: 229}, {isComposing: false, keyCode: 229}])
        field.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more}));
}"""
_SCROLLED = "({panel}) => panel.content.node.querySelector('.jp-WindowedPanel-outer').scrollTop"


@pytest.fixture
def page_of(chat: Chat) -> Page:
    """The browser tab of the chat."""
    return chat.page


@pytest.fixture
def cells_stay(notebook: Notebook, chat: Chat) -> Iterator[None]:
    """The test leaves the cells of the notebook, and the chat in its cell, as they are."""
    before = notebook._js(_CELLS)
    yield
    assert notebook._js(_CELLS) == before
    expect(chat.root).to_be_visible()


@pytest.mark.usefixtures("cells_stay")
def test_keys_after_a_click_anywhere_in_the_chat_do_nothing_to_the_notebook(chat: Chat, page_of: Page) -> None:
    chat.ask("Hi")
    places = {
        "Chat": [".rb-answer p", ".rb-bubble", ".rb-messages", ".rb-header .rb-badge", ".rb-header", ".rb-totals"],
        "Events": [".rb-log-status", ".rb-log-header", ".rb-log-row:last-child", ".rb-log-toolbar"],
        "Settings": [".rb-settings-body", ".rb-field-label", ".rb-host", "[role=heading], h3, summary"],
    }

    for tab, selectors in places.items():
        chat.open_tab(tab)
        for selector in [*selectors, "button:disabled:visible"]:
            place = chat.root.locator(selector)
            if place.count() == 0:
                continue
            place.first.click(force=True)
            for key in [*"ddxabmz00", "Shift+Enter", "Shift+M", "Control+z", "Control+Enter", "Alt+Enter"]:
                page_of.keyboard.press(key)
            assert page_of.evaluate("!!document.activeElement.closest('.rb-root')"), (tab, selector)
            if tab == "Chat":
                chat.prompt.fill("")

    chat.open_tab("Chat")
    expect(chat.questions).not_to_have_count(0)


def test_letters_typed_after_a_click_on_an_answer_go_into_the_input_and_a_selection_stays_until_then(
    chat: Chat, page_of: Page
) -> None:
    chat.ask("Hi")
    chat.answer.locator("p").first.dblclick(position={"x": 12, "y": 10})
    assert page_of.evaluate("getSelection().toString().trim()") == "Hello"

    page_of.keyboard.type("what?")

    expect(chat.prompt).to_be_focused()
    expect(chat.prompt).to_have_value("what?")


def test_after_each_action_the_focus_is_where_one_would_type_next(
    chat: Chat, page_of: Page, server: MisbehavingServer
) -> None:
    chat.button("What can you do?").click()
    chat.expect_answer("Hello", "complete")
    expect(chat.prompt).to_be_focused()

    chat.button("Regenerate").click()
    expect(chat.prompt).to_be_focused()
    chat.expect_answer("Hello", "complete")

    chat.questions.last.hover()
    chat.button("Edit and resend").click()
    page_of.keyboard.type(" Or not?")
    chat.button("Cancel").click()
    expect(chat.prompt).to_be_focused()

    server.script(HELD)
    chat.prompt.fill("Tell")
    chat.button("Send").click()
    chat.expect_answer("Once", STREAMING)
    expect(chat.prompt).to_be_focused()
    chat.send("waiting")
    chat.queue.get_by_role("button", name="Edit").click()
    page_of.keyboard.press("Enter")
    expect(chat.prompt).to_be_focused()
    chat.queue.get_by_role("button", name="Remove").click()
    expect(chat.prompt).to_be_focused()
    chat.button("Stop").click()
    chat.expect_state("idle")
    expect(chat.prompt).to_be_focused()

    chat.root.locator(".rb-totals").click()
    expect(chat.prompt).to_be_focused()
    chat.open_tab("Settings")
    chat.button("New chat").click()
    expect(chat.prompt).to_be_focused()


@pytest.mark.usefixtures("cells_stay")
def test_what_edits_text_edits_the_field_that_has_the_focus(chat: Chat, page_of: Page) -> None:
    keys = page_of.keyboard
    page_of.evaluate("window.panels = document.querySelectorAll('.lm-TabBar-tab.lm-mod-current').length")
    chat.prompt.click()
    keys.type("one two")
    keys.press("Control+z")
    assert chat.prompt.input_value() != "one two"
    keys.press("Control+Shift+z")
    expect(chat.prompt).to_have_value("one two")
    for key in ("h", "g", "b", "i"):
        keys.press(f"Control+{key}")
    expect(chat.prompt).to_be_focused()
    assert page_of.evaluate("document.querySelectorAll('.lm-TabBar-tab.lm-mod-current').length === window.panels")

    # Sent, it is no longer there; and it can be brought back as all that was typed.
    keys.press("Enter")
    chat.expect_answer("Hello", "complete")
    expect(chat.prompt).to_have_value("")
    keys.press("Control+z")
    expect(chat.prompt).to_have_value("one two")

    search = chat.open_tab("Events").get_by_label("Search events")
    search.press_sequentially("token")
    search.press("Control+z")
    assert search.input_value() != "token"


def test_keys_of_an_input_method_do_nothing_in_either_order(
    chat: Chat, page_of: Page, server: MisbehavingServer
) -> None:
    chat.prompt.fill("日本")
    chat.prompt.evaluate(_COMPOSED, "Enter")
    expect(chat.prompt).to_have_value("日本")
    server.script(HELD)
    chat.prompt.press("Enter")
    chat.expect_answer("Once", STREAMING)
    chat.prompt.evaluate(_COMPOSED, "Escape")
    chat.send("waiting")
    chat.queue.get_by_role("button", name="Edit").click()
    field = chat.queue.get_by_label("Edit the waiting message")
    for key in ("Enter", "Escape"):
        field.evaluate(_COMPOSED, key)
    expect(field).to_be_visible()
    chat.root.locator(".rb-model-button").click()
    models = chat.root.get_by_label("Search models")
    models.fill("日本")
    for key in ("Enter", "Escape", "Tab"):
        models.evaluate(_COMPOSED, key)
    expect(models).to_have_value("日本")
    models.press("Escape")

    chat.expect_answer("Once", STREAMING)
    assert len(server.chats) == 1


def test_the_wheel_moves_the_notebook_unless_the_list_below_it_scrolls(
    notebook: Notebook, chat: Chat, page_of: Page, server: MisbehavingServer
) -> None:
    notebook._js(
        """({panel}) => {
            const model = panel.content.model.sharedModel;
            for (let i = 0; i < 12; i++)
                model.insertCell(model.cells.length, {cell_type: 'raw', source: '\\n'.repeat(20), metadata: {}});
            return true;
        }"""
    )

    def turn(selector: str) -> None:
        box = chat.root.locator(selector).bounding_box()
        assert box is not None
        page_of.mouse.move(box["x"] + box["width"] / 2, box["y"] + min(60, box["height"] / 2))
        page_of.mouse.wheel(0, 120)

    def until_moved_from(top: float) -> float:
        for _ in range(100):
            now: float = notebook._js(_SCROLLED)
            if now > top:
                return now
            page_of.wait_for_timeout(20)
        raise AssertionError("The notebook did not move.")

    top: float = notebook._js(_SCROLLED)
    turn(".rb-scroll")
    top = until_moved_from(top)
    chat.open_tab("Events")
    turn(".rb-log")
    top = until_moved_from(top)

    chat.open_tab("Chat")
    server.script(answer("word\n\n" * 60))
    chat.ask("Much")
    chat.root.locator(".rb-scroll").evaluate("(list) => list.scrollTop = 0")
    top = notebook._js(_SCROLLED)
    turn(".rb-scroll")
    page_of.wait_for_function("document.querySelector('.rb-scroll').scrollTop > 0")
    assert notebook._js(_SCROLLED) == top


def test_text_fields_have_the_menu_of_the_browser(chat: Chat, page_of: Page) -> None:
    chat.prompt.click(button="right")
    chat.root.locator(".rb-header").click(button="right")

    # JupyterLab's own, once: for what is no text.
    expect(page_of.locator(".lm-Menu")).to_have_count(1)
    page_of.keyboard.press("Escape")


def test_the_command_shows_the_chat_ready_to_type_in_and_a_reload_takes_no_focus(
    own_notebook: Notebook, bot_code: str
) -> None:
    own_notebook.run(bot_code + "rb.set_bot(bot)\n%load_ext rustbot_jupyter")
    chat = own_notebook.show("%rustbot chat")

    expect(chat.prompt).to_be_focused()
    own_notebook.page.keyboard.type("typed")
    expect(chat.prompt).to_have_value("typed")

    assert own_notebook.run("print(bot.chat().takes_focus)") == "False"
    own_notebook.reload()
    (chat,) = own_notebook.chats(1)
    chat.expect_state("idle")
    expect(chat.prompt).not_to_be_focused()


@pytest.mark.usefixtures("cells_stay")
def test_a_key_leads_from_a_cell_to_the_input_and_back(notebook: Notebook, chat: Chat, page_of: Page) -> None:
    editor = notebook.panel.locator(".jp-Cell").first.locator(".cm-content")
    editor.click()
    chat.open_tab("Settings")
    editor.click()

    page_of.keyboard.press("Alt+r")
    expect(chat.prompt).to_be_focused()
    page_of.keyboard.type("typed")
    expect(chat.prompt).to_have_value("typed")

    page_of.keyboard.press("Alt+r")
    expect(editor).to_be_focused()
