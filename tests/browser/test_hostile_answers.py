"""Model output is data: nothing in it runs, fetches, covers the page or hangs the tab."""

from __future__ import annotations

from typing import Any

import pytest
from browser_lab import Seen
from browser_notebook import COMPLETE, ERROR, Chat, Notebook
from effort import pace
from harm import HARM, HARM_IN_CELL, HARM_WITH_IDS, click_everything
from hostile_texts import HOSTILE, HOSTILE_LINE, OUTSIDE, bombs
from page_work import PageWork
from playwright.sync_api import expect
from servers.misbehaving import (
    Chunk,
    MisbehavingServer,
    answer,
    closing,
    delta,
    error,
    event,
    head,
    json_answer,
    opening,
)

pytestmark = pytest.mark.browser


def everywhere() -> list[Any]:
    """An answer that is hostile in its text, reasoning, citations and the name of its model."""
    citation = {"type": "url_citation", "url_citation": {"url": f"{OUTSIDE}/?{HOSTILE_LINE}", "title": HOSTILE_LINE}}
    bad_link = {"type": "url_citation", "url_citation": {"url": "javascript:__xss=1", "title": "x"}}
    pieces = [
        delta(content=None, reasoning=HOSTILE),
        delta(content=HOSTILE, annotations=[citation, bad_link]),
    ]
    chunks = [Chunk(event({**piece, "model": HOSTILE_LINE, "provider": HOSTILE_LINE})) for piece in pieces]
    return [head(), *chunks, *closing()]


def test_a_hostile_answer_is_inert_also_after_clicking_everything(
    chat: Chat, server: MisbehavingServer, seen: Seen
) -> None:
    server.script(everywhere())
    title = chat.page.title()
    pages = len(chat.page.context.pages)

    reply = chat.ask(HOSTILE)
    expect(reply.locator(".rb-answer")).to_contain_text("window.__xss = 'script'")
    before = chat.root.locator(".rb-messages").evaluate(HARM)
    click_everything(chat.root.locator(".rb-messages"))
    after = chat.root.locator(".rb-messages").evaluate(HARM)

    assert (before, after) == ([], [])
    assert chat.page.title() == title
    assert len(chat.page.context.pages) == pages
    assert seen.outside == []


def test_the_words_of_a_hostile_error_are_inert(chat: Chat, server: MisbehavingServer) -> None:
    server.script(error(400, HOSTILE, metadata={"raw": HOSTILE, "provider_name": HOSTILE_LINE}))

    chat.send("Hi")
    expect(chat.answer).to_have_attribute("data-status", ERROR)
    click_everything(chat.answer)

    assert chat.root.locator(".rb-messages").evaluate(HARM) == []


def test_hostile_texts_in_the_event_log_are_inert(chat: Chat, server: MisbehavingServer) -> None:
    server.script(everywhere(), error(400, HOSTILE))
    chat.ask(HOSTILE_LINE)
    chat.send(HOSTILE)
    expect(chat.answer).to_have_attribute("data-status", ERROR)

    panel = chat.open_tab("Events")
    rows = panel.get_by_role("option")
    expect(rows.filter(has_text="__xss").first).to_be_visible()
    for row in rows.filter(has_text="__xss").all():
        row.click()
        expect(panel.locator(".rb-log-details")).to_be_visible()
        assert panel.locator(".rb-log-details").evaluate(HARM_WITH_IDS) == []


def test_hostile_names_of_models_are_inert(notebook: Notebook, bot_code: str, server: MisbehavingServer) -> None:
    names = ["<img/src=x/onerror=__xss=1>", '<img src=x onerror="__xss=1">', "<script>__xss=1</script>"]
    models = [{"id": name, "name": name, "context_length": 1, "pricing": {}} for name in names]
    # Before the chat is shown: it fetches the list by itself, once.
    server.on("/models", json_answer({"data": models}))
    chat = notebook.show(bot_code + "bot")

    chat.button("Model: test/model").click()
    choices = chat.root.get_by_role("dialog", name="Choose a model")
    options = choices.get_by_role("option").filter(has_text="__xss")
    expect(options).to_have_count(len(names))
    before = choices.evaluate(HARM_WITH_IDS)
    options.filter(has_text=names[0]).click()

    expect(chat.button(f"Model: {names[0]}")).to_be_visible()
    assert before == []
    assert chat.root.locator(".rb-composer").evaluate("() => window.__xss") is None


def test_a_link_shows_its_whole_address_before_it_is_opened(chat: Chat, server: MisbehavingServer, seen: Seen) -> None:
    address = f"{OUTSIDE}/path?stolen=secret#end"
    server.script(answer(f"[https://jupyter.org]({address})"))
    link = chat.ask("Hi").get_by_role("link")

    link.click()
    question = chat.root.get_by_role("dialog", name="Open this link?")
    expect(question).to_contain_text(address)
    assert seen.outside == []
    with chat.page.context.expect_page() as opened:
        question.get_by_role("button", name="Open", exact=True).click()

    opened.value.close()
    assert seen.outside == [address.split("#")[0]] or seen.outside == [address]
    seen.clear()


def test_a_picture_is_fetched_only_after_a_click_and_names_its_address_before(
    chat: Chat, server: MisbehavingServer, seen: Seen
) -> None:
    address = f"{OUTSIDE}/pixel.png?stolen=secret"
    server.script(answer(f"![A plot]({address})"))
    picture = chat.ask("Hi").get_by_role("button", name="Load image")
    expect(picture).to_contain_text(address)
    assert seen.outside == []

    with chat.page.expect_request(address):
        picture.click()

    seen.clear()


@pytest.mark.parametrize("where", ["answer", "error"])
def test_a_hostile_answer_in_a_cell_is_inert(
    notebook: Notebook, server: MisbehavingServer, bot_code: str, where: str
) -> None:
    server.script(everywhere() if where == "answer" else error(400, HOSTILE))
    notebook.run(f"{bot_code}%load_ext rustbot_jupyter\nrb.set_bot(bot)")

    cell = notebook.start("%%rustbot --on-error show\nHi")
    notebook.finish(cell)
    output = cell.locator(".jp-OutputArea")
    expect(output).to_contain_text("window.__xss = 'script'")
    for part in output.locator("code, p, li").all():
        for kind in ("mouseover", "click"):
            part.dispatch_event(kind)

    assert output.evaluate(HARM_IN_CELL) == []


@pytest.mark.parametrize("name", bombs(1))
def test_a_markdown_bomb_leaves_the_tab_alive(chat: Chat, server: MisbehavingServer, name: str) -> None:
    bomb = bombs()[name]
    half = len(bomb) // 2
    server.script([*opening(bomb[:half], bomb[half:]), *closing()])

    with PageWork(chat.page) as work:
        chat.send("Hi")
        expect(chat.answer).to_have_attribute("data-status", COMPLETE, timeout=60_000)
        expect(chat.answer.locator(".rb-answer")).not_to_be_empty()
        chat.prompt.press("y")
        expect(chat.prompt).to_have_value("y")
        busy_s = work.busy_s()

    assert busy_s < 2 * pace()
