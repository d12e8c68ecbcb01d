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
from playwright.sync_api import Browser, Locator, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests")]

from browser_lab import Lab, find_browser, launch, running_lab  # noqa: E402
from browser_notebook import Chat, Notebook, open_lab  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DATA = """import pandas as pd
import rustbot_jupyter as rb

sales = pd.DataFrame({"city": ["Oslo", "Rome", "Lima", "Kyoto"], "units": [3, 5, 8, 4]})"""
SHOW = 'bot = rb.Rustbot(model="rustbot/demo")\nbot'
FIRST, QUESTION = "What variables do I have?", "Plot units by city from sales"
FRAME_S = 0.12
LOOK_S = 2.5
"""How long the moving picture stands still for something that is read."""
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
    """One picture: the cell with the chat, and code that waits for its user."""
    chat = open_chat(lab, browser, theme, {"width": 960, "height": 860}, scale=1.5)
    ask(chat, FIRST)
    chat.send(QUESTION)
    wait_for_approval(chat)
    chat.page.wait_for_function("document.fonts.status === 'loaded'")
    path.parent.mkdir(exist_ok=True)
    chat.page.locator(".jp-Cell:has(.rb-root)").screenshot(path=path)
    chat.page.context.close()


def film(lab: Lab, browser: Browser, path: Path) -> None:
    """A moving picture: the question is typed, its code is allowed, and the answer streams."""
    chat = open_chat(lab, browser, "JupyterLab Light", {"width": 860, "height": 860}, scale=1.0)
    figure = chat.root.locator(".rb-figure .main-svg").first
    shots: list[tuple[float, bytes]] = []

    def shoot() -> None:
        chat.page.wait_for_timeout(1000 * max(0.0, (shots[-1][0] if shots else 0.0) + FRAME_S - time.monotonic()))
        shots.append((time.monotonic(), chat.root.screenshot(animations="allow")))

    def stand(seconds: float) -> None:
        shoot()
        chat.page.wait_for_timeout(1000 * seconds)

    shoot()
    for letter in QUESTION:
        chat.prompt.press_sequentially(letter)
        if letter == " ":
            shoot()
    shoot()
    chat.prompt.press("Enter")
    while not chat.approvals.is_visible():
        shoot()
    allow = wait_for_approval(chat)
    stand(LOOK_S)
    allow.hover()
    stand(0.5)
    allow.click()
    while chat.root.get_attribute("data-state") != "idle" or not figure.is_visible():
        shoot()
    shoot()
    save(shots, path)
    chat.page.context.close()


def open_chat(lab: Lab, browser: Browser, theme: str, size: ViewportSize, scale: float) -> Chat:
    """A new chat beside some data, in a window of its own."""
    page = open_lab(browser.new_context(viewport=size, device_scale_factor=scale), lab)
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    notebook = Notebook(lab, page, lab.start_kernel())
    notebook.run(DATA)
    return notebook.show(SHOW)


def ask(chat: Chat, question: str) -> None:
    """Ask, and wait until all of the answer is there."""
    chat.send(question)
    expect(chat.calls.first).to_have_attribute("data-state", "complete")
    chat.expect_state("idle")


def wait_for_approval(chat: Chat) -> Locator:
    """The button that allows what waits, once it can be pressed."""
    allow = chat.approvals.get_by_role("button", name="Allow once")
    expect(allow).to_be_enabled()
    return allow


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
