"""One JupyterLab, one Chromium and one kernel for all tests here; each test has a notebook and a bot of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser_lab import Lab, Seen, find_browser, launch, running_lab
from browser_notebook import Chat, Notebook, open_lab
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright
from servers.misbehaving import MisbehavingServer

# Five seconds are short on a machine that does other things, too; what is there at once does not wait longer.
expect.set_options(timeout=30_000)

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()
"""Set on a test that failed."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of this folder last: while Playwright's loop runs here, no asynchronous test can."""
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of the page beside what a failed test says."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    page, folder = (getattr(item, "funcargs", {}).get(name) for name in ("lab_page", "pictures"))
    if report.failed and page is not None and folder is not None and not page.is_closed():
        picture = folder / f"{item.name.replace('/', ' ')}, {report.when}.png"
        page.screenshot(path=picture)
        report.sections.append(("what the page showed", str(picture)))
    return report


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The JupyterLab server of all tests."""
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of all tests."""
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chrome or Chromium is here: name one in CHROME, or run scripts/find_browser.py")
    with sync_playwright() as playwright, launch(playwright, executable) as browser:
        yield browser


@pytest.fixture(scope="session")
def everything_seen() -> Seen:
    """What was seen since the test began."""
    return Seen()


@pytest.fixture(scope="session")
def browsing(chromium: Browser, everything_seen: Seen) -> Iterator[BrowserContext]:
    """A browser that writes down what must not happen."""
    seen = everything_seen

    def on_dialog(dialog: Dialog) -> None:
        # JupyterLab asks by itself before a reload when something is not saved.
        if dialog.type != "beforeunload":
            seen.dialogs.append(dialog.message)
        dialog.accept()

    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(20_000)
    context.on("page", lambda page: page.on("dialog", on_dialog))
    context.on("request", lambda request: seen.outside.append(request.url) if _is_outside(request.url) else None)
    yield context
    context.close()


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1"


@pytest.fixture(autouse=True)
def seen(lab_page: Page, pictures: Path, everything_seen: Seen) -> Iterator[Seen]:
    """What must not happen, as far as it did; a test that wants it to happen clears the list."""
    everything_seen.clear()
    yield everything_seen
    assert everything_seen.outside == []
    assert everything_seen.dialogs == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of failed tests go."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="session")
def lab_page(browsing: BrowserContext, lab: Lab) -> Page:
    """The browser tab with JupyterLab."""
    return open_lab(browsing, lab)


@pytest.fixture(scope="session")
def shared_kernel(lab: Lab) -> str:
    """The kernel of all tests that neither restart nor block it."""
    return lab.start_kernel()


@pytest.fixture
def notebook(request: pytest.FixtureRequest, lab: Lab, lab_page: Page, shared_kernel: str) -> Iterator[Notebook]:
    """A new notebook on the shared kernel."""
    notebook = Notebook(lab, lab_page, shared_kernel)
    yield notebook
    if FAILED in request.node.stash:
        # What failed may have left a cell that waits for ever, and every later test would wait for that.
        lab.restart_kernel(shared_kernel)
    else:
        notebook.run("if 'bot' in globals(): bot.close()")
    notebook.close()


@pytest.fixture
def own_notebook(lab: Lab, lab_page: Page) -> Iterator[Notebook]:
    """A new notebook on a kernel of its own, to restart or to keep busy."""
    notebook = Notebook(lab, lab_page, lab.start_kernel())
    yield notebook
    notebook.close()
    lab.ask("DELETE", f"api/kernels/{notebook.kernel}")


@pytest.fixture
def bot_code(server: MisbehavingServer) -> str:
    """A cell that makes a bot which asks the misbehaving server."""
    return f"import rustbot_jupyter as rb\nbot = rb.Rustbot(model='test/model', base_url={server.base_url!r})\n"


@pytest.fixture
def chat(notebook: Notebook, bot_code: str) -> Chat:
    """The chat of a bot which asks the misbehaving server."""
    return notebook.show(bot_code + "bot")
