"""Make the pictures of the chat in docs/images anew: `.venv/bin/python scripts/screenshots.py`.

They show the real widget in a real JupyterLab, with the offline demo, on the lab that the browser tests use.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests")]

from browser_lab import Lab, find_browser, launch, running_lab  # noqa: E402
from browser_notebook import Notebook, open_lab  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SHOW = 'import rustbot_jupyter as rb\n\nbot = rb.Rustbot(model="rustbot/demo")\nbot'
QUESTION = "Show me a table and some code"


def main() -> None:
    """Take both pictures."""
    executable = find_browser()
    if executable is None:
        raise SystemExit("No Chrome or Chromium is here. Name one in CHROME, or run scripts/find_browser.py.")
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home) / "lab") as lab,
        sync_playwright() as playwright,
        launch(playwright, executable) as browser,
    ):
        for name, theme in (("light", "JupyterLab Light"), ("dark", "JupyterLab Dark")):
            take(lab, browser, theme, IMAGES / f"chat-{name}.png")


def take(lab: Lab, browser: Browser, theme: str, path: Path) -> None:
    """One picture: the notebook with its cell, the question and the finished answer."""
    context = browser.new_context(viewport={"width": 960, "height": 860}, device_scale_factor=1.5)
    page = open_lab(context, lab)
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    notebook = Notebook(lab, page, lab.start_kernel())
    chat = notebook.show(SHOW)
    chat.ask(QUESTION)
    chat.answer.locator("table").scroll_into_view_if_needed()
    page.wait_for_function("document.fonts.status === 'loaded'")
    path.parent.mkdir(exist_ok=True)
    notebook.panel.locator(".jp-Cell:has(.rb-root)").screenshot(path=path)
    context.close()


if __name__ == "__main__":
    main()
