"""Reading back: what is in sight moves by what the reader scrolls, and by nothing else."""

from __future__ import annotations

import pytest
from browser_notebook import Chat, Notebook
from playwright.sync_api import Page
from servers.misbehaving import MisbehavingServer, answer

pytestmark = pytest.mark.browser

_SCROLL_UP = """async (step) => {
    const scroller = document.querySelector('.rb-scroll');
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const jumps = [];
    while (scroller.scrollTop > step) {
        const box = scroller.getBoundingClientRect();
        const parts = [...scroller.querySelectorAll('p, pre, li, tr, h1, .rb-bubble')];
        const read = parts.find((part) => part.getBoundingClientRect().bottom > box.top + box.height / 2);
        const before = read.getBoundingClientRect().top;
        scroller.scrollTop -= step;
        await frame();
        await frame();
        const moved = read.getBoundingClientRect().top - before;
        if (Math.abs(moved - step) > 2) jumps.push(`${read.textContent.slice(0, 30)}: ${moved}`);
    }
    return jumps;
}"""
_SKIPPABLE = "document.querySelectorAll('.rb-scroll .rb-skippable').length"


def _paragraphs(turn: int, count: int) -> str:
    return "\n\n".join(f"Answer {turn}, paragraph {i}: " + "words " * (10 + 7 * (i % 5)) for i in range(count))


ANSWERS = [
    _paragraphs(0, 60),
    "short",
    "\n".join(f"- point {i}" for i in range(40)),
    "```python\n" + "print(1)\n" * 60 + "```",
    "| a | b |\n| - | - |\n" + "| one | two |\n" * 150,
    _paragraphs(1, 3),
    "# Title\n\n> quoted\n\n" + _paragraphs(2, 30),
]


def _jumps(page: Page) -> list[str]:
    page.wait_for_function(f"{_SKIPPABLE} >= {len(ANSWERS)}")
    found: list[str] = page.evaluate(_SCROLL_UP, 97)
    return found


def test_what_is_read_stays_in_place_after_a_reload_and_in_another_width(
    notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    for number, text in enumerate(ANSWERS):
        server.script(answer(text))
        chat.ask(f"Question {number}")
    notebook.reload()
    (chat,) = notebook.chats(1)
    page = chat.page

    assert _jumps(page) == []

    try:
        page.set_viewport_size({"width": 800, "height": 1000})
        chat.button("Jump to latest").click()
        assert _jumps(page) == []
    finally:
        page.set_viewport_size({"width": 1280, "height": 1000})
