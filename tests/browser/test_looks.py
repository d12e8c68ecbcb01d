"""The chat in light, dark and high contrast, and in a narrow place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browser_notebook import ERROR, Chat, Notebook
from playwright.sync_api import Page, expect
from servers.misbehaving import HOLD, MisbehavingServer, answer, error, opening, tool_call

pytestmark = pytest.mark.browser

THEMES = ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"]
RICH = """# A heading

Text with **bold**, *italics*, `code`, a [link](https://example.com/) and

> a quotation

1. one
2. two

| name | value | unit | a rather long column title | another one | and the last |
|---|--:|---|---|---|---|
| speed | 3 | m/s | something | something | something |

```python
def area(radius: float) -> float:
    # A comment that is long enough to be wider than a narrow window would ever be, whatever the font.
    return 3.14159 * radius**2  # "pi"
```

https://example.com/a/very/long/address/without/any/space/that/could/be/broken/into/lines/anywhere
Averyveryverylongwordwithoutanyspaceinitthatiswiderthananarrowwindowandhasnoplacetobreak
"""
# (width, height) of everything that is wider than the place it has, unless it scrolls by itself.
TOO_WIDE = """(root) => {
    const right = root.getBoundingClientRect().right + 1;
    const scrolls = (element) => {
        for (let at = element.parentElement; at && at !== root; at = at.parentElement) {
            if (getComputedStyle(at).overflowX !== 'visible') return true;
        }
        return false;
    };
    const wide = [root, ...root.querySelectorAll('*')].filter((element) => {
        const box = element.getBoundingClientRect();
        const hasPlace = element === root || scrolls(element) || box.right <= right;
        const isCut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
            && element.matches('.rb-root, .rb-panel, .rb-scroll, .rb-messages, .rb-header, .rb-dock, .rb-totals');
        return box.width > 0 && (!hasPlace || isCut);
    });
    return wide.map((element) => `${element.tagName}.${element.className} ${element.scrollWidth}`);
}"""
# The texts and icons of less contrast than `least` to what is behind them; disabled controls are exempt, as in WCAG.
PALE = """(root, least) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const read = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], back) => [r, g, b].map((part, at) => part * a + back[at] * (1 - a));
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        if (!element) return [255, 255, 255];
        const color = read(getComputedStyle(element).backgroundColor);
        return color[3] === 1 ? color.slice(0, 3) : over(color, behind(element.parentElement));
    };
    const opacity = (element) => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
    const pale = new Set();
    for (const element of root.querySelectorAll('*')) {
        const words = Array.from(element.childNodes, (node) => node.nodeType === 3 ? node.data : '').join('').trim();
        const text = element.matches('.rb-icon') ? 'icon' : words;
        const isDrawn = opacity(element) > 0 && element.checkVisibility() && element.getBoundingClientRect().width > 1;
        if (!text || !isDrawn || element.closest(':disabled, .rb-sr-only')) continue;
        const back = behind(element);
        const color = read(getComputedStyle(element).color);
        color[3] *= opacity(element);
        const [dark, light] = [luminance(back), luminance(over(color, back))].sort((a, b) => a - b);
        const contrast = (light + 0.05) / (dark + 0.05);
        if (contrast < least) pale.add(`${element.getAttribute('class')}: ${contrast.toFixed(2)} ${text}`);
    }
    return Array.from(pale);
}"""


def fill(chat: Chat, server: MisbehavingServer) -> None:
    """Have one of everything in the chat: a rich answer, an error, a running answer, a waiting message."""
    server.script(answer(RICH), error(401, "No auth credentials found"), [*opening("Once "), HOLD])
    chat.ask("Show me everything, and " + "at length " * 20)
    chat.send("And fail")
    expect(chat.answer).to_have_attribute("data-status", ERROR)
    chat.send("And stream")
    expect(chat.answer).to_have_text("Once")
    chat.send("And wait")
    expect(chat.queue).to_be_visible()


CUT_OFF = """(root) => {
    const boxes = [root, ...root.querySelectorAll('.rb-scroll, .rb-scroll-frame, .rb-chat')];
    const isCut = (box) => box.scrollHeight > box.clientHeight + 2 || getComputedStyle(box).overflowY !== 'visible';
    return boxes.filter(isCut).map((box) => box.className);
}"""
"""What scrolls, or holds more than it shows."""


@pytest.fixture
def full_chat(notebook: Notebook, server: MisbehavingServer, bot_code: str) -> Chat:
    """A chat with one of everything in it."""
    chat = notebook.show(f"{bot_code}bot.model = 'vendor/a-model-with-a-rather-long-name:free'\nbot")
    fill(chat, server)
    return chat


@pytest.fixture
def set_theme(lab_page: Page) -> Iterator[Any]:
    """Change JupyterLab's theme; back to light at the end."""

    def set_theme(name: str) -> None:
        lab_page.evaluate("(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        expect(lab_page.locator("body")).to_have_attribute("data-jp-theme-name", name)

    yield set_theme
    set_theme(THEMES[0])


def test_text_is_readable_in_each_theme(full_chat: Chat, set_theme: Any) -> None:
    surfaces = set()
    pale = []

    for theme in THEMES:
        set_theme(theme)
        for tab in ("Settings", "Events", "Chat"):
            full_chat.open_tab(tab)
            pale += [f"{theme}, {tab}: {found}" for found in full_chat.root.evaluate(PALE, 4.5)]
        surfaces.add(full_chat.root.evaluate("(root) => getComputedStyle(root).backgroundColor"))

    assert pale == []
    assert len(surfaces) >= 2


def test_forced_colours_keep_text_readable_and_controls_visible(full_chat: Chat) -> None:
    full_chat.page.emulate_media(forced_colors="active")

    pale = []
    for tab in ("Settings", "Events", "Chat"):
        full_chat.open_tab(tab)
        pale += [f"{tab}: {found}" for found in full_chat.root.evaluate(PALE, 4.5)]
    border = full_chat.root.locator(".rb-composer").evaluate("(form) => getComputedStyle(form).borderTopStyle")
    full_chat.page.emulate_media(forced_colors="none")

    assert pale == []
    assert border == "solid"


def test_a_narrow_chat_needs_no_horizontal_scrolling(full_chat: Chat) -> None:
    found = {}

    for width in (320, 480, 760):
        full_chat.root.evaluate("(root, width) => { root.parentElement.style.width = `${width}px`; }", width)
        for tab in ("Settings", "Events", "Chat"):
            full_chat.open_tab(tab)
            found[width, tab] = full_chat.root.evaluate(TOO_WIDE)
        assert full_chat.root.evaluate("(root) => root.getBoundingClientRect().width") <= width

    assert {place: wide for place, wide in found.items() if wide} == {}


WRITTEN = f"""- [x] done
  - [ ] nested

> [!NOTE]
> שלום

- מלה
- עולם

Text[^1]
{"and more words " * 30}

<details>
<summary>More</summary>

inside

</details>

```python
{"wide = 1; " * 40}
```

[^1]: A note.
"""


@pytest.fixture
def written_chat(chat: Chat, server: MisbehavingServer) -> Chat:
    """A chat with an answer of many kinds of Markdown."""
    server.script(answer(WRITTEN))
    chat.ask("Write")
    return chat


def test_lists_and_boxes_stand_where_their_text_begins(written_chat: Chat) -> None:
    answer = written_chat.answer

    directions = answer.locator("ul, blockquote").evaluate_all(
        "(all) => all.map((it) => getComputedStyle(it).direction)"
    )
    texts = answer.locator(".rb-task").evaluate_all(
        "(all) => all.map((it) => { const range = document.createRange(); range.selectNodeContents(it);"
        " return range.getClientRects()[0].left; })"
    )
    lines = answer.locator("p", has_text="and more words").evaluate(
        "(it) => { const range = document.createRange(); range.selectNodeContents(it);"
        " const tops = [...range.getClientRects()].filter((box) => box.height > 14).map((box) => box.top);"
        " return [...new Set(tops)].sort((a, b) => a - b); }"
    )

    assert directions == ["ltr", "ltr", "rtl", "rtl"]
    assert texts[1] - texts[0] == pytest.approx(24, abs=1)
    # The mark of a note makes its line no higher than the others.
    assert lines[1] - lines[0] == pytest.approx(lines[2] - lines[1], abs=1)


def test_on_paper_all_is_there_and_nothing_to_press(written_chat: Chat) -> None:
    written_chat.page.emulate_media(media="print")

    wide = written_chat.root.evaluate(TOO_WIDE)
    code = written_chat.answer.locator("pre").evaluate("(it) => it.scrollWidth - it.clientWidth")
    cut_off = written_chat.root.evaluate(CUT_OFF)
    shown = [button for button in written_chat.root.get_by_role("button").all() if button.is_visible()]
    fold = written_chat.answer.get_by_text("inside").evaluate("(it) => it.checkVisibility()")
    written_chat.page.emulate_media(media="screen")

    assert (wide, code, cut_off, shown, fold) == ([], 0, [], [], True)


@pytest.fixture
def asked_chat(notebook: Notebook, server: MisbehavingServer, bot_code: str) -> Chat:
    """A chat with calls in several states, and an approval that waits; all that can be unfolded is."""
    notebook.run(f"{bot_code}@bot.tool(risk='read')\ndef look(at: str) -> str:\n    return f'{{at}} ' * 300")
    chat = notebook.show("bot")
    code = "# A comment that is wider than a narrow place\nfor number in range(10):\n    print('number', number)"
    server.script(
        tool_call("look", '{"at": "' + "a/long/path/" * 20 + '"}'),
        tool_call("nothing_of_this_name", "{}"),
        tool_call("run_code", json.dumps({"code": code})),
    )
    chat.send("Look")
    expect(chat.approvals).to_be_visible()
    for summary in chat.root.locator(".rb-messages summary").all():
        summary.click()
    for summary in chat.calls.locator("summary").all():
        summary.click()
    chat.button("Tools: Ask").click()
    return chat


def test_tools_are_readable_in_each_theme_and_in_forced_colours(asked_chat: Chat, set_theme: Any) -> None:
    pale = []

    for theme in THEMES:
        set_theme(theme)
        pale += [f"{theme}: {found}" for found in asked_chat.root.evaluate(PALE, 4.5)]
    asked_chat.page.emulate_media(forced_colors="active")
    pale += [f"forced colours: {found}" for found in asked_chat.root.evaluate(PALE, 4.5)]
    asked_chat.page.emulate_media(forced_colors="none")

    assert pale == []


def test_tools_need_no_horizontal_scrolling_in_a_narrow_place(asked_chat: Chat) -> None:
    found = {}

    for width in (320, 480, 760):
        asked_chat.root.evaluate("(root, width) => { root.parentElement.style.width = `${width}px`; }", width)
        found[width] = asked_chat.root.evaluate(TOO_WIDE)

    assert {width: wide for width, wide in found.items() if wide} == {}


def test_a_link_in_an_answer_looks_like_one(chat: Chat, server: MisbehavingServer) -> None:
    server.script(answer("See [the page](https://example.com)."))

    link = chat.ask("Hi").get_by_role("link", name="the page")

    expect(link).to_have_css("text-decoration-line", "underline")
    assert link.evaluate("(link) => getComputedStyle(link).color !== getComputedStyle(link.parentElement).color")


def test_all_can_be_reached_and_done_by_keyboard(chat: Chat) -> None:
    chat.prompt.focus()
    chat.page.keyboard.type("Hi")
    chat.page.keyboard.press("Enter")
    expect(chat.answer.locator(".rb-answer")).to_have_text("Hello")
    chat.root.get_by_role("tab", name="Chat").focus()

    chat.page.keyboard.press("ArrowRight")
    expect(chat.root.get_by_role("tab", name="Events")).to_be_focused()
    expect(chat.root.get_by_role("tabpanel", name="Events")).to_be_visible()
    chat.page.keyboard.press("End")
    expect(chat.root.get_by_role("tab", name="Settings")).to_be_focused()
    nameless = chat.root.evaluate(
        """(root) => Array.from(root.querySelectorAll('button, input, select, textarea'))
            .filter((it) => !(it.getAttribute('aria-label') || it.textContent.trim() || it.labels?.length
                || it.getAttribute('aria-labelledby')))
            .map((it) => it.outerHTML.slice(0, 100))"""
    )

    assert nameless == []


def test_letters_typed_in_the_chat_do_nothing_to_the_notebook(chat: Chat, notebook: Notebook) -> None:
    cells = notebook.panel.locator(".jp-Cell")
    before = cells.count()

    chat.root.get_by_role("tab", name="Events").focus()
    for key in "ddabxz00ii":
        chat.page.keyboard.press(key)

    expect(cells).to_have_count(before)
    expect(chat.root).to_be_visible()
