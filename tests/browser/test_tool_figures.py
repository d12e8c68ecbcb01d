"""Figures that tools make, drawn in the page by the plotly.js of the installed Plotly."""

from __future__ import annotations

import json

import pytest
from browser_notebook import COMPLETE, Chat, Notebook
from playwright.sync_api import Locator, expect
from servers.misbehaving import MisbehavingServer, answer, tool_call

pytestmark = pytest.mark.browser

SALES = "import pandas as pd\nsales = pd.DataFrame({'city': ['Oslo', 'Rome', 'Lima'], 'units': [3, 5, 8]})\n"
PLOT_MS = 60_000
"""Milliseconds for plotly.js to be packed, sent, parsed and to draw, on a busy machine."""

AWAY = "http://away.invalid/x.png"
LINK = f"<a href='{AWAY}'>link</a>"
ENTITIES = f"&lt;a href='{AWAY}'&gt;link&lt;/a&gt;"
STYLED = f"<span style='fill:url({AWAY}#a);filter:url({AWAY}#b);cursor:url({AWAY}),auto'>styled</span>"
HOSTILE = {
    "data": [
        {"type": "bar", "x": [LINK, ENTITIES], "y": [3, 5], "name": LINK, "text": [STYLED, LINK], "hovertext": LINK},
        {"type": "scatter", "x": [LINK, ENTITIES], "y": [1, 2], "name": ENTITIES, "marker": {"color": f"url({AWAY})"}},
        {"type": "scattergeo", "lat": [59.9], "lon": [10.7]},
        {"type": "scattermap", "lat": [59.9], "lon": [10.7]},
        {"type": "image", "source": AWAY},
    ],
    "layout": {
        "title": {"text": f"Units {LINK} {ENTITIES} {STYLED}", "font": {"family": f"x, url({AWAY})"}},
        "images": [{"source": AWAY, "x": 0, "y": 1, "sizex": 1, "sizey": 1}],
        "annotations": [{"text": LINK, "x": 0, "y": 3, "hovertext": ENTITIES, "bgcolor": f"url({AWAY})"}],
        "template": {"layout": {"images": [{"source": AWAY, "visible": True}]}},
        "updatemenus": [{"buttons": [{"label": LINK, "method": "relayout", "args": [{"images": [{"source": AWAY}]}]}]}],
        "geo": {"scope": "europe"},
        "showlegend": True,
    },
    "config": {"plotlyServerURL": AWAY, "showLink": True, "linkText": "out", "displaylogo": True},
}
SHOW = "display({'application/vnd.plotly.v1+json': made}, raw=True)"


def drawn(place: Locator) -> Locator:
    """The figures that are drawn there."""
    return place.locator(".rb-figure .plot-container")


def expect_drawn(place: Locator, count: int = 1) -> None:
    expect(drawn(place)).to_have_count(count, timeout=PLOT_MS)
    expect(place.locator('.rb-figure [role="status"]')).to_have_count(0, timeout=PLOT_MS)


@pytest.fixture
def demo_chat(notebook: Notebook) -> Chat:
    """The chat of the offline demo, beside a data frame."""
    return notebook.show(f"import rustbot_jupyter as rb\n{SALES}bot = rb.Rustbot(model='rustbot/demo')\nbot")


def test_the_demos_plot_is_drawn_below_its_card(notebook: Notebook, demo_chat: Chat) -> None:
    demo_chat.send("plot units by city from sales")
    demo_chat.approvals.get_by_role("button", name="Allow once", exact=True).click()

    expect_drawn(demo_chat.root)
    figure = demo_chat.root.get_by_role("figure", name="Figure from Run code in the notebook")
    expect(figure).to_contain_text("Oslo")
    expect(figure).to_contain_text("units")
    expect(demo_chat.answer.locator(".rb-answer")).to_contain_text("the figure is shown here")
    box = figure.bounding_box()
    assert box is not None
    assert box["height"] <= 330
    assert notebook.run("print(type(figure).__name__)") == "Figure"


def test_a_figure_follows_theme_and_width(notebook: Notebook, demo_chat: Chat) -> None:
    demo_chat.send("plot units by city from sales")
    demo_chat.approvals.get_by_role("button", name="Allow once", exact=True).click()
    expect_drawn(demo_chat.root)
    page, words = notebook.page, demo_chat.root.locator(".rb-figure .xtick text").first
    light = words.evaluate("(it) => getComputedStyle(it).fill")

    try:
        page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
        page.wait_for_function(
            "([it, before]) => getComputedStyle(document.querySelector(it)).fill !== before",
            arg=[".rb-figure .xtick text", light],
        )
        page.set_viewport_size({"width": 900, "height": 1000})
        page.wait_for_function(
            """() => {
                const plot = document.querySelector('.rb-figure-plot');
                return Math.abs(plot.clientWidth - plot.querySelector('.main-svg').getBoundingClientRect().width) < 2;
            }"""
        )
        expect_drawn(demo_chat.root)
    finally:
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")


def test_the_figure_of_a_cell_that_asks_stays_below_its_answer(notebook: Notebook) -> None:
    notebook.run(f"import rustbot_jupyter as rb\n{SALES}bot = rb.Rustbot(model='rustbot/demo')\nrb.set_bot(bot)")
    notebook.run("%load_ext rustbot_jupyter")

    cell = notebook.start("%%rustbot\nplot units by city from sales")
    cell.get_by_role("button", name="Allow once", exact=True).click()

    notebook.finish(cell)
    # With the card goes its figure; what stays is an output.
    expect(cell.locator(".rb-figure")).to_have_count(0, timeout=PLOT_MS)
    expect(cell.locator(".js-plotly-plot .xtick").first).to_be_visible(timeout=PLOT_MS)
    expect(cell.get_by_title("Share chart")).to_have_count(0)
    assert "application/vnd.plotly.v1+json" in notebook.save()


def test_a_hostile_figure_is_drawn_without_link_and_request(
    notebook: Notebook, chat: Chat, server: MisbehavingServer
) -> None:
    notebook.run(f"made = {HOSTILE!r}")
    server.script(tool_call("run_code", json.dumps({"code": SHOW})), answer("Drawn."))

    chat.send("Draw it")
    chat.approvals.get_by_role("button", name="Allow once", exact=True).click()

    chat.expect_answer("Drawn.", COMPLETE)
    expect_drawn(chat.root)
    figure = chat.root.locator(".rb-figure")
    expect(figure.locator(".annotation-text")).to_have_text("link")
    for bar in figure.locator(".barlayer .point path").all():
        bar.hover(force=True)
        expect(figure.locator(".hoverlayer .hovertext").first).to_be_attached()
        expect(figure.locator("a:not(.modebar-btn)")).to_have_count(0)
    assert figure.evaluate("(it) => it.querySelectorAll('image, iframe, script, img, foreignObject').length") == 0
    assert "away.invalid" not in figure.evaluate(
        "(it) => [...it.querySelectorAll('*')].flatMap((each) => [...each.attributes])"
        ".filter(({name}) => !['data-unformatted', 'aria-label'].includes(name)).map(({value}) => value).join(' ')"
    ).replace("url\u2060", "")
    told = [message for message in server.chats[-1].json["messages"] if message["role"] == "tool"][-1]["content"]
    assert "[figure 1: the user sees it, without its maps and controls; it is not sent as a picture]" in told
    # What went outside is looked at by the fixture `seen`.


def test_without_plotly_there_is_a_sentence(own_notebook: Notebook, bot_code: str, server: MisbehavingServer) -> None:
    server.script(tool_call("run_code", json.dumps({"code": SHOW})), answer("Drawn."))
    own_notebook.page.evaluate("globalThis[Symbol.for('rustbot.libs')]?.clear()")
    chat = own_notebook.show(
        "import importlib.util, rustbot_jupyter.notebook.session_library as library\n"
        "library.find_spec = lambda name: None\nmade = {'data': [{'type': 'bar', 'y': [1]}]}\n"
        f"{bot_code}bot"
    )

    chat.send("Draw it")
    chat.approvals.get_by_role("button", name="Allow once", exact=True).click()

    chat.expect_answer("Drawn.", COMPLETE)
    expect(chat.root.locator(".rb-figure")).to_contain_text("could not be drawn: ", timeout=PLOT_MS)
    expect(chat.root.locator(".rb-figure")).to_contain_text("%pip install plotly")
