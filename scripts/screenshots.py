"""Make the pictures of the chat in docs/images anew: `.venv/bin/python scripts/screenshots.py`.

They show the real widget in a real JupyterLab, with the offline demo, on the lab that the browser tests use. The moving
one wants Pillow (`.venv/bin/pip install pillow`).
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests")]

from browser_lab import Lab, find_browser, launch, running_lab  # noqa: E402
from browser_notebook import Notebook, open_lab  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SHOW = 'import rustbot_jupyter as rb\n\nbot = rb.Rustbot(model="rustbot/demo")\nbot'
QUESTION = "Show me a table and some code"
FRAME_S = 0.12
LAST_FRAME_S = 4.0


def main() -> None:
    """Take all pictures."""
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
        film(lab, browser, IMAGES / "chat.webp")


def take(lab: Lab, browser: Browser, theme: str, path: Path) -> None:
    """One picture: the notebook with its cell, the question and the finished answer."""
    context = browser.new_context(viewport={"width": 960, "height": 860}, device_scale_factor=1.5)
    page = open_lab(context, lab)
    set_theme(page, theme)
    notebook = Notebook(lab, page, lab.start_kernel())
    chat = notebook.show(SHOW)
    chat.ask(QUESTION)
    chat.answer.locator("table").scroll_into_view_if_needed()
    page.wait_for_function("document.fonts.status === 'loaded'")
    path.parent.mkdir(exist_ok=True)
    notebook.panel.locator(".jp-Cell:has(.rb-root)").screenshot(path=path)
    context.close()


def film(lab: Lab, browser: Browser, path: Path) -> None:
    """A moving picture: the question is typed, and its answer streams."""
    context = browser.new_context(viewport={"width": 860, "height": 860})
    page = open_lab(context, lab)
    set_theme(page, "JupyterLab Light")
    chat = Notebook(lab, page, lab.start_kernel()).show(SHOW)
    shots: list[tuple[float, bytes]] = []

    def shoot() -> None:
        shots.append((time.monotonic(), chat.root.screenshot(animations="allow")))

    shoot()
    for letter in QUESTION:
        chat.prompt.press_sequentially(letter)
        if letter == " ":
            shoot()
    shoot()
    chat.prompt.press("Enter")
    while chat.answer.count() == 0 or chat.answer.get_attribute("data-status") == "streaming":
        shoot()
        page.wait_for_timeout(1000 * max(0.0, shots[-1][0] + FRAME_S - time.monotonic()))
    shoot()
    save(shots, path)
    context.close()


def set_theme(page: Page, theme: str) -> None:
    """Change JupyterLab's theme."""
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)


def save(shots: list[tuple[float, bytes]], path: Path) -> None:
    """An animated WebP that takes as long as the answer did."""
    times = [at for at, _ in shots]
    lasts = [after - before for before, after in pairwise(times)] + [LAST_FRAME_S]
    frames = [Image.open(io.BytesIO(data)).convert("RGB") for _, data in shots]
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=[round(1000 * last) for last in lasts],
        loop=0,
        quality=70,
        method=6,
        minimize_size=True,
    )


if __name__ == "__main__":
    main()
