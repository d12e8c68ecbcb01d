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
PLAYWRIGHT = (sys.executable, "-m", "playwright")
OTHERWISE = "Without a browser, `.venv/bin/python -m pytest -m 'not browser'` runs all other tests."


def main() -> None:
    os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(Path(sys.prefix, "browsers")))
    # On a bare Debian the driver's node lacks this one library.
    if not starts(*PLAYWRIGHT) and not (apt_get_install("libatomic1") and starts(*PLAYWRIGHT)):
        sys.exit(f"Playwright does not start here: a system library is missing, libatomic1 for example. {OTHERWISE}")
    if (named := os.environ.get("CHROME")) and not starts(named):
        sys.exit(f"CHROME names {named!r}, which is no browser that starts. {OTHERWISE}")
    browser = named or find() or install()
    if not browser:
        sys.exit(
            f"No Chrome or Chromium is here, and none could be had. Install one, or name it in CHROME. {OTHERWISE}"
        )
    print(browser)


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


def starts(*command: str) -> bool:
    """A file is not enough: it may be a stub for a missing snap, or lack the system's libraries."""
    try:
        return subprocess.run([*command, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> str | None:
    print("No Chrome or Chromium yet: installing one for the browser tests ...", file=sys.stderr, flush=True)
    if works(*PLAYWRIGHT, "install", "chromium") and not find() and is_root():
        works(*PLAYWRIGHT, "install-deps", "chromium")
    return find() or (find() if apt_get_install("chromium") else None)


def is_root() -> bool:
    return os.geteuid() == 0


def apt_get_install(package: str) -> bool:
    if not is_root() or not shutil.which("apt-get"):
        return False
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    quietly = ("-qq", "--yes", "--option=Dpkg::Use-Pty=0")
    return works("apt-get", "update", *quietly) and works(
        "apt-get", "install", *quietly, "--no-install-recommends", package
    )


def works(*command: str) -> bool:
    """Whether it does. What it says is shown, but not on the standard output, which is for the path."""
    return subprocess.run(command, stdout=sys.stderr).returncode == 0


if __name__ == "__main__":
    main()
