"""The README and the docs say what is true: links, tables, names and examples."""

from __future__ import annotations

import inspect
import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import rustbot_jupyter as rb
from rustbot_jupyter.analysis import frames
from rustbot_jupyter.notebook.interpolation import interpolate

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])
RUN = ("chat", "consent", "magics", "mcp", "plugins", "python", "settings")
USER_PAGES = [ROOT / "README.md", *(DOCS / f"{name}.md" for name in RUN)]
ENGINE_ONLY = {"agent", "call_tool", "planner", "post", "run", "run_on_core", "submit", "toolbox", "wait_for"}
"""Public names of `Rustbot` for its own parts, not for users."""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: str) -> set[str]:
    """The names GitHub gives to headings."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


def without_code(page: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]+`", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_links_lead_somewhere(path: Path) -> None:
    page = read(path)
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(page)) + re.findall(r'(?:src|srcset|href)="([^"]+)"', page)

    for link in links:
        place, _, anchor = link.partition("#")
        if place.startswith("https://"):
            continue
        target = (path.parent / place).resolve() if place else path

        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(read(target)), f"{link}: there is no such heading"


def test_the_readme_fits_a_reader() -> None:
    assert 80 <= len(read(ROOT / "README.md").splitlines()) <= 150


@pytest.mark.parametrize("name", ["magics.md", "settings.md"])
def test_tables_that_repeat_the_code_are_up_to_date(name: str) -> None:
    page = read(DOCS / name)

    expected = runpy.run_path(str(ROOT / "scripts" / "doc_tables.py"))["with_tables"](page)

    assert page == expected, "Run .venv/bin/python scripts/doc_tables.py"


TYPES = {
    frames.TIME: "time",
    frames.TEXT: "text",
    frames.WHOLE: "whole number",
    frames.NUMBER: "number",
    frames.FLAG: "yes or no",
    frames.PRIORITY: "ordered",
    frames.MAPPING: "dict",
}


def test_the_page_of_all_tools_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "doc_tables.py"))["tools_page"]()

    assert read(DOCS / "tools.md") == made, "Run .venv/bin/python scripts/doc_tables.py"


@pytest.mark.parametrize("frame", ["usage", "events", "states", "tool_runs", "tools", "metrics", "models"])
def test_frames_have_the_documented_columns(frame: str) -> None:
    frame_of = {"tools": "tools.list"}.get(frame, frame)
    _, _, behind = read(DOCS / "python.md").partition(f"`bot.{frame_of}()`: one row per")
    table = behind.split("\n\n")[1]

    told = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", table, re.MULTILINE)

    assert told == [(name, TYPES[kind]) for name, kind in getattr(frames, f"{frame.upper()}_COLUMNS").items()]


def test_every_public_name_is_documented() -> None:
    page = read(DOCS / "python.md")
    methods = [name for name, _ in inspect.getmembers(rb.Rustbot) if not name.startswith("_")]

    missing = [name for name in methods if name not in ENGINE_ONLY and not re.search(rf"[.`]{name}\b", page)]

    assert missing == []
    assert [name for name in inspect.signature(rb.Rustbot).parameters if f"`{name}`" not in page] == []


def test_each_promise_names_tests_that_exist() -> None:
    page = read(DOCS / "reliability.md")
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", page)
    in_js = re.findall(r"`([\w/]+\.test\.tsx?): ([^`]+)`", page)

    missing = [f"{file}::{name}" for file, name in named if not has_test(ROOT / "tests" / file, f"def {name}(")]
    missing += [f"{file}: {title}" for file, title in in_js if not has_test(ROOT / "js" / "tests" / file, title)]

    assert len(named) > 50
    assert missing == []


def has_test(file: Path, text: str) -> bool:
    return file.is_file() and text in read(file)


def cells(page: str) -> Iterator[str]:
    """The examples of a page, in order."""
    yield from re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@pytest.mark.kernel
@pytest.mark.parametrize("path", [*USER_PAGES, DOCS / "troubleshooting.md"], ids=ids)
def test_examples_run_with_the_demo_model(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_at_home(monkeypatch, tmp_path)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.rstrip("\n")) for cell in cells(read(path))]
    )

    NotebookClient(notebook, kernel_name="python3", timeout=60, resources={"metadata": {"path": tmp_path}}).execute()

    assert [output for cell in notebook.cells for output in cell.outputs if output.output_type == "error"] == []


def run_at_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Let kernels keep everything in `home`, and see neither the user's key nor settings."""
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith("RUSTBOT_")]:
        monkeypatch.delenv(name)
    folders = ["IPYTHONDIR", *(f"JUPYTER_{each}_DIR" for each in ("CONFIG", "DATA", "RUNTIME"))]
    for name in (*folders, "RUSTBOT_CONFIG_DIR", "RUSTBOT_DATA_DIR"):
        monkeypatch.setenv(name, str(home / name.lower()))


def test_the_example_of_interpolation_says_what_is_sent() -> None:
    page = read(DOCS / "magics.md")
    (cell,) = (cell for cell in cells(page) if "{limit[units]}" in cell)
    (told,) = re.findall(r"^sends \*(.+)\*$", page, re.MULTILINE)

    sent = interpolate(cell.split("\n", 1)[1].rstrip("\n"), {"limit": {"units": 50}}).text

    assert sent == told


def test_the_changelog_has_this_version() -> None:
    page = read(ROOT / "CHANGELOG.md")

    assert "## [Unreleased]" in page
    assert rb.__version__ in page
