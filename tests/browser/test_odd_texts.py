"""Right-to-left, emoji, hidden and half characters: shown as they are, where they are, and nothing else is moved."""

from __future__ import annotations

from typing import Any

import pytest
from browser_notebook import ERROR, STREAMING, Chat
from playwright.sync_api import expect
from servers.misbehaving import HOLD, Chunk, MisbehavingServer, answer, closing, delta, error, event, head, opening

pytestmark = pytest.mark.browser

RIGHT_TO_LEFT = "שלום עולם"
# Never closed: it reaches to the end of whatever does not keep it in.
OVERRIDE = "\u202eno end in sight"
FAMILY = "👩‍👩‍👧‍👦"
LONE = "half \ud83d of a character"
ODD_LINE = f"{RIGHT_TO_LEFT} {FAMILY} e\u0301 zero\u200bwidth {OVERRIDE}"

# The ASCII texts that are shown from right to left; odd ones are left out, for they may be.
REVERSED = r"""(root) => {
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode;
        if (!/^[ -~]+$/.test(text.data)) continue;
        const place = (at) => {
            const range = document.createRange();
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            return range.getBoundingClientRect();
        };
        const start = text.data.search(/[a-z]{2}/i);
        if (start < 0) continue;
        const first = place(start), second = place(start + 1);
        if (second.width > 0 && second.top === first.top && second.left < first.left) found.push(text.data);
    }
    return found;
}"""


def says(text: str, **fields: Any) -> list[Any]:
    """An answer in one chunk with further fields."""
    return [head(), Chunk(event({**delta(content=text, **fields), "model": f"m{OVERRIDE}"})), *closing()]


def test_odd_characters_of_an_answer_move_nothing_around_them(chat: Chat, server: MisbehavingServer) -> None:
    citation = {"type": "url_citation", "url_citation": {"url": "https://a.test/", "title": ODD_LINE}}
    table = f"| plain head | {OVERRIDE} |\n|---|---|\n| plain cell | other cell |"
    text = f"{ODD_LINE}\n\nplain words\n\n- {OVERRIDE}\n- plain item\n\n{table}\n\n{LONE}"
    server.script(says(text, reasoning=f"{ODD_LINE}\n\nplain thought", annotations=[citation]), answer("next"))

    reply = chat.ask(f"{ODD_LINE}\n{LONE}")
    reply.locator("summary").click()
    expect(reply).to_contain_text("plain thought")
    expect(reply.locator("td")).to_have_text(["plain cell", "other cell"])

    shown = reply.locator(".rb-answer").evaluate("(element) => JSON.stringify(element.textContent)")
    assert chat.root.evaluate(REVERSED) == []
    assert r"half \ud83d of a character" in shown
    assert all(part in shown for part in (RIGHT_TO_LEFT, FAMILY, "e\u0301", "zero\u200bwidth", OVERRIDE))
    expect(chat.ask("And now?").locator(".rb-answer")).to_have_text("next")


def test_hidden_characters_are_made_visible_in_code(chat: Chat, server: MisbehavingServer) -> None:
    code = f'safe = True \u202e# {FAMILY}\nname = "a\u200bb"\nlast\u2066 = "\U000e0041"'
    server.script(answer(f"Run `rm\u202e -rf` or\n\n```python\n{code}\n```\n\nplain words"))

    reply = chat.ask("Hi")
    block = reply.locator(".rb-code")
    # Colouring makes the block's nodes anew.
    expect(block.locator(".hljs-comment")).to_be_visible()

    expect(block.locator(".rb-hidden-char")).to_have_text(["U+202E", "U+200B", "U+2066", "U+E0041"])
    expect(block).to_contain_text("contains hidden characters")
    expect(reply.locator("p code .rb-hidden-char")).to_have_text(["U+202E"])
    assert chat.root.evaluate(REVERSED) == []


def test_the_halves_of_a_character_that_come_apart_are_put_together(chat: Chat, server: MisbehavingServer) -> None:
    server.script([*opening("so \ud83d"), HOLD, *answer("\ude00 good")[1:]])

    chat.send("Hi")
    chat.expect_answer("so", STREAMING)
    server.release()

    chat.expect_answer("so 😀 good", "complete")


def test_odd_characters_in_errors_waiting_messages_and_events_move_nothing(
    chat: Chat, server: MisbehavingServer
) -> None:
    server.script(error(400, ODD_LINE, metadata={"raw": f"{ODD_LINE} {LONE}", "provider_name": OVERRIDE}))
    chat.send(ODD_LINE)
    expect(chat.answer).to_have_attribute("data-status", ERROR)
    chat.answer.locator("summary").click()
    server.script([*opening(ODD_LINE), HOLD, *closing()])
    chat.send(f"{ODD_LINE} {LONE}")
    expect(chat.answer).to_have_attribute("data-status", STREAMING)
    chat.send(ODD_LINE)
    expect(chat.queue.get_by_role("listitem")).to_have_count(1)

    in_chat = chat.root.evaluate(REVERSED)
    panel = chat.open_tab("Events")
    panel.get_by_role("option").filter(has_text=RIGHT_TO_LEFT).first.click()
    expect(panel.locator(".rb-log-details")).to_be_visible()
    in_events = chat.root.evaluate(REVERSED)

    assert (in_chat, in_events) == ([], [])
