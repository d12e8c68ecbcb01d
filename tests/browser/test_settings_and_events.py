"""The tabs beside the chat, and the cards that lead to them: settings, key, errors, retries, events."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from browser_notebook import COMPLETE, ERROR, INTERRUPTED, Chat, Notebook
from playwright.sync_api import Page, WebSocket, expect
from servers.misbehaving import HOLD, RESET, MisbehavingServer, answer, error, opening

pytestmark = pytest.mark.browser

KEY = "sk-or-v1-planted/+0123456789abcdef"


@pytest.fixture
def settings_folder(notebook: Notebook, tmp_path: Path) -> Iterator[Path]:
    """Where bots that are made from now on keep their settings."""
    notebook.run(
        "import os; before = os.environ['RUSTBOT_CONFIG_DIR']\n"
        f"os.environ['RUSTBOT_CONFIG_DIR'] = {str(tmp_path / 'config')!r}"
    )
    yield tmp_path / "config"
    notebook.run("os.environ['RUSTBOT_CONFIG_DIR'] = before")


@pytest.fixture
def frames(lab_page: Page) -> Iterator[list[bytes]]:
    """What travels over websockets that are opened from now on; notebooks opened later have such ones."""
    heard: list[bytes] = []

    def take(data: str | bytes) -> None:
        heard.append(data.encode() if isinstance(data, str) else data)

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", take)
        socket.on("framereceived", take)

    lab_page.on("websocket", listen)
    yield heard
    lab_page.remove_listener("websocket", listen)


def test_settings_changed_in_the_tab_are_used_by_the_next_request_and_saved_to_the_file(
    notebook: Notebook, settings_folder: Path, bot_code: str, server: MisbehavingServer
) -> None:
    chat = notebook.show(bot_code + "bot")
    panel = chat.open_tab("Settings")

    panel.get_by_label("Temperature", exact=True).fill("0.25")
    panel.get_by_label("Instructions", exact=True).fill("Answer like a pirate.")
    panel.get_by_role("button", name="Use now").click()
    expect(panel.locator('[data-field="temperature"]')).to_have_attribute("data-unsaved", "false")
    chat.open_tab("Chat")
    chat.ask("Hi")
    used = server.chats[0].json
    saved_before = (settings_folder / "settings.toml").exists()
    chat.open_tab("Settings")
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel.locator(".rb-savebar")).to_contain_text("Saved")

    assert used["temperature"] == 0.25
    assert "Answer like a pirate." in used["messages"][0]["content"]
    assert not saved_before
    saved = (settings_folder / "settings.toml").read_text(encoding="utf-8")
    assert "temperature = 0.25" in saved
    assert "Answer like a pirate." in saved


def test_a_value_that_cannot_be_used_is_told_beside_its_field(chat: Chat, server: MisbehavingServer) -> None:
    panel = chat.open_tab("Settings")

    panel.get_by_label("Temperature", exact=True).fill("hot")
    expect(panel.locator('[data-field="temperature"]').get_by_role("alert")).to_be_visible()
    panel.get_by_role("button", name="Use now").click()
    expect(panel.get_by_label("Temperature", exact=True)).to_be_focused()
    chat.open_tab("Chat")
    chat.ask("Hi")

    assert "temperature" not in server.chats[0].json


def test_a_key_typed_once_is_used_and_is_nowhere_afterwards(
    frames: list[bytes], notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(answer("Hello"), error(401, f"Bad key {KEY}"))
    chat = notebook.show(bot_code + "bot")
    panel = chat.open_tab("Settings")

    panel.get_by_label("API key").fill(KEY)
    panel.get_by_role("button", name="Use key").click()
    expect(panel.get_by_text("In use until this kernel ends.")).to_be_visible()
    chat.open_tab("Chat")
    chat.ask("Hi")
    chat.send("Again")
    expect(chat.answer).to_have_attribute("data-status", ERROR)
    chat.open_tab("Events")
    expect(chat.root.get_by_role("option").last).to_be_visible()
    values = chat.page.evaluate("Array.from(document.querySelectorAll('input, textarea'), (it) => it.value).join()")
    seen = chat.page.content() + values + notebook.save()

    assert [request.headers["authorization"] for request in server.chats] == [f"Bearer {KEY}"] * 2
    forms = [KEY, quote(KEY, safe=""), KEY.replace("/", "\\/"), base64.b64encode(KEY.encode()).decode()[:-4]]
    assert [form for form in forms if form in seen] == []
    carrying = [frame for frame in frames if any(form.encode() in frame for form in forms)]
    assert len(carrying) == 1
    assert b'"set_key"' in carrying[0]


def test_an_unauthorized_answer_leads_to_the_key_setting(chat: Chat, server: MisbehavingServer) -> None:
    server.script(error(401, "No auth credentials found"))
    chat.send("Hi")
    expect(chat.answer).to_have_attribute("data-status", ERROR)
    expect(chat.root).to_have_attribute("data-state", re.compile("idle|error"))

    chat.answer.get_by_role("button", name="Open settings").click()

    expect(chat.root.get_by_role("tabpanel", name="Settings")).to_be_visible()
    expect(chat.root.get_by_label("API key")).to_be_focused()
    assert len(server.chats) == 1


def test_a_retry_is_counted_down_and_can_be_cancelled(chat: Chat, server: MisbehavingServer) -> None:
    server.script(error(429, "Slow down", Retry_After="30"), answer("next"))
    chat.send("Hi")
    chat.expect_state("waiting_retry")
    countdown = chat.root.locator(".rb-activity")

    expect(countdown).to_contain_text(re.compile(r"Trying again in \d+ s \(try 2 of \d\)"))
    left = int(re.findall(r"Trying again in (\d+) s", countdown.inner_text())[0])
    expect(countdown).not_to_contain_text(f"Trying again in {left} s")
    chat.button("Stop").click()

    chat.expect_state("idle", timeout_s=5)
    assert 25 < left <= 31
    assert len(server.chats) == 1
    expect(chat.ask("And now?").locator(".rb-answer")).to_have_text("next")


def test_a_retry_that_was_waited_for_brings_the_answer(chat: Chat, server: MisbehavingServer) -> None:
    server.script(error(429, "Slow down", Retry_After="1"), answer("at last"))

    chat.send("Hi")

    chat.expect_answer("at last", COMPLETE)
    assert len(server.chats) == 2


def test_a_broken_answer_is_kept_and_can_be_continued(chat: Chat, server: MisbehavingServer) -> None:
    server.script([*opening("Once "), RESET], answer("upon a time"))
    chat.send("Tell")
    chat.expect_answer("Once", INTERRUPTED)

    chat.button("Continue").click()

    chat.expect_answer("upon a time", COMPLETE)
    expect(chat.answers.first.locator(".rb-answer")).to_have_text("Once")
    assert len(server.chats) == 2


def test_events_are_listed_as_they_happen_and_can_be_filtered(
    notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    server.script([*opening("Once "), HOLD, *answer("upon a time")[1:]])
    notebook.run("bot")
    first, second = notebook.chats(2)
    panel = first.open_tab("Events")
    rows = panel.get_by_role("listbox", name="Events").get_by_role("option")
    kinds = rows.locator(".rb-log-kind")

    second.send("Tell")
    second.expect_answer("Once", "streaming")
    expect(kinds.filter(has_text=re.compile("first token", re.IGNORECASE))).to_be_visible()
    expect(kinds.filter(has_text=re.compile("turn finished", re.IGNORECASE))).to_have_count(0)
    server.release()
    expect(kinds.filter(has_text=re.compile("turn finished", re.IGNORECASE))).to_be_visible()

    panel.get_by_label("Search events").fill("first token")
    expect(panel.get_by_text(re.compile(r"^\d of \d+ events$"))).to_be_visible()
    assert all(re.search("first.token", row, re.IGNORECASE) for row in rows.all_inner_texts())
    panel.get_by_role("button", name="Clear filters").click()
    panel.get_by_role("button", name="Filter by kind").click()
    panel.get_by_role("checkbox", name=re.compile("turn started", re.IGNORECASE)).check()
    expect(kinds).to_have_count(1)
    rows.click()
    expect(panel.locator(".rb-log-details")).to_contain_text('"text": "Tell"')
