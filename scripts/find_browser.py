"""Prints the path of a Chrome or Chromium that starts, for the browser tests; gets one where there is none.

    CHROME=$(.venv/bin/python scripts/find_browser.py)

In this order: what CHROME names, what is installed, Playwright's own build (downloaded into `.venv`), Debian's package.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome")
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NONE_FOUND = (
    "No Chrome or Chromium was found, and none could be installed. Install one, or name its file in CHROME; "
    "without one, `.venv/bin/python -m pytest -m 'not browser'` runs all other tests."
)


def main() -> None:
    os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(Path(sys.prefix, "browsers")))
    if named := os.environ.get("CHROME"):
        print(named if starts(named) else sys.exit(f"CHROME names {named!r}, which is no browser that starts."))
        return
    browser = find() or install()
    print(browser or sys.exit(NONE_FOUND))


def find() -> str | None:
    return next((browser for browser in candidates() if starts(browser)), None)


def candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    yield from MAC
    yield playwrights_own()


def playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def starts(browser: str) -> bool:
    """A file is not enough: it may be a stub for a missing snap, or lack the system's libraries."""
    try:
        return subprocess.run([browser, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> str | None:
    print("No Chrome or Chromium yet: installing one for the browser tests ...", file=sys.stderr, flush=True)
    playwright = [sys.executable, "-m", "playwright"]
    is_root = os.geteuid() == 0
    attempt(*playwright, "install", "chromium")
    if is_root and Path(playwrights_own()).exists() and not find():
        attempt(*playwright, "install-deps", "chromium")
    if is_root and not find() and attempt("apt-get", "update", "-qq"):
        attempt("apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium")
    return find()


def attempt(*command: str) -> bool:
    """Whether it worked. What it says is shown, but not on the standard output, which is for the path."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, stdout=sys.stderr, env=environment).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
