"""What a saved notebook shows to others: exported, untrusted, in Notebook 7, without its kernel. Nothing runs in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from browser_lab import TOKEN, Lab, Seen
from browser_notebook import Notebook
from hostile_texts import HOSTILE, OUTSIDE
from playwright.sync_api import BrowserContext, Locator, Page, expect
from servers.misbehaving import MisbehavingServer, answer, body
from test_hostile_answers import HARM_IN_CELL

pytestmark = pytest.mark.browser

FORMATS = ["md", "text", "math", "html"]
SAID = "a word that is said in this chat only"
ANSWERS = '.jp-OutputArea-output:is(:has-text("__xss"), :has(iframe))'
TRUSTED = "display({'text/html': '<script>window.trusted = true</script>'}, raw=True)"


@pytest.fixture
def saved(notebook: Notebook, bot_code: str, server: MisbehavingServer) -> Notebook:
    """A saved notebook with a chat and a hostile answer in each form."""
    server.script(answer(SAID), answer(HOSTILE))
    notebook.show(f"{bot_code}%reload_ext rustbot_jupyter\nrb.set_bot(bot)\nbot").ask(SAID)
    notebook.run(TRUSTED)
    for name in FORMATS:
        notebook.run(f"%%rustbot -f {name} --no-history\nHi")
    notebook.save()
    return notebook


@pytest.fixture
def other_page(browsing: BrowserContext) -> Iterator[Page]:
    """Another browser tab."""
    page = browsing.new_page()
    yield page
    page.close()


TOUCH = """(part) => {
    for (const element of part.querySelectorAll('code, p, li, td, span')) {
        if (element.closest('a')) continue;
        for (const kind of ['mouseover', 'click']) element.dispatchEvent(new MouseEvent(kind, {bubbles: true}));
    }
}"""
"""What a reader may do by accident; where links lead is looked at elsewhere."""


def harm(notebook: Locator, *, count: int = len(FORMATS)) -> list[str]:
    """What is wrong in so many answers; our own frame, which may do nothing, is not."""
    answers = notebook.locator(ANSWERS)
    expect(answers).to_have_count(count, timeout=60_000)
    answers.evaluate_all(f"(answers) => answers.forEach({TOUCH})")
    found: list[str] = answers.evaluate_all(f"(answers) => answers.flatMap({HARM_IN_CELL})")
    # Jupyter makes links of addresses in plain text, too; no browser opens such a one.
    return [each for each in found if 'sandbox=""' not in each and not each.startswith('<a href="data:')]


def test_a_notebook_exported_to_html_says_what_stood_there_and_runs_nothing(
    saved: Notebook, other_page: Page, server: MisbehavingServer, seen: Seen
) -> None:
    from nbconvert import HTMLExporter

    page_source, _ = HTMLExporter().from_filename(str(saved.file))
    server.on("/export.html", body(page_source.encode(), content_type="text/html; charset=utf-8"))
    other_page.goto(f"http://127.0.0.1:{server.port}/export.html")

    expect(other_page.get_by_text("run this cell again to chat")).to_be_visible()
    assert other_page.evaluate("window.trusted")
    assert harm(other_page.locator("body")) == []
    assert SAID not in page_source
    # The template itself fetches MathJax and other scripts.
    assert [url for url in seen.outside if OUTSIDE in url] == []
    seen.clear()


def test_a_saved_answer_runs_nothing_in_notebook_7(saved: Notebook, lab: Lab, other_page: Page) -> None:
    other_page.goto(f"{lab.url}/notebooks/{saved.path}?token={TOKEN}")

    # What a trusted notebook shows may run scripts.
    other_page.wait_for_function("window.trusted")
    assert harm(other_page.locator("body")) == []


def test_an_untrusted_notebook_shows_its_answers_and_runs_nothing(saved: Notebook, lab: Lab, lab_page: Page) -> None:
    content = json.loads(saved.file.read_text(encoding="utf-8"))
    content["cells"].append({"cell_type": "markdown", "id": "changed", "metadata": {}, "source": "changed elsewhere"})
    (lab.notebooks / "untrusted.ipynb").write_text(json.dumps(content), encoding="utf-8")
    lab_page.evaluate("delete window.trusted")

    untrusted = Notebook(lab, lab_page, saved.kernel, "untrusted.ipynb")

    # The frame is left out.
    assert harm(untrusted.panel, count=len(FORMATS) - 1) == []
    assert lab_page.evaluate("window.trusted") is None
    untrusted.close()
