"""The answers of cells in JupyterLab: each letter that the model wrote is there, in its place."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from browser_notebook import Notebook
from effort import examples
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from servers.misbehaving import MisbehavingServer, answer

pytestmark = pytest.mark.browser

INLINES = {
    "alpha": "alpha",
    "a_b_c": "a_b_c",
    "2*x*4": "2x4",
    "**bold**": "bold",
    "*it*": "it",
    "`code<int>`": "code<int>",
    "`$HOME` and `$PATH`": "$HOME and $PATH",
    "``a`b``": "a`b",
    "x<y": "x<y",
    "Vec<T>": "Vec<T>",
    "<div>block</div>": "<div>block</div>",
    "H<sub>two</sub>O": "HtwoO",
    "$5 or $6": "$5 or $6",
    "${NAME}": "${NAME}",
    "~~gone~~": "gone",
    "~/home": "~/home",
    "[link](https://a.test/b_c)": "link",
    "![picture](https://a.test/p.png)": "picture",
    "https://a.test/x_y_z": "https://a.test/x_y_z",
    "C:\\new\\table": "C:\\new\\table",
    "这是**“重点”**吗": "这是“重点”吗",
    "日本語の**「強調」**です": "日本語の「強調」です",
    "שלום": "שלום",
    "said[^n]": "saidn",
    "&": "&",
}
"""What a model writes in a line, and what is to be read of it."""
CODE = (
    "x = 1",
    "# **note** _it_",
    "",
    "> quote",
    "- item",
    "| a | b |",
    "echo $A $B",
    "vector<int> v;",
    "    deep",
    "~~~",
)
NOTE = "\n\n[^n]: the note"
# What stands in the output, without the footer and the marks that JupyterLab puts behind headings.
SHOWN = """(output) => {
    const copy = output.cloneNode(true);
    for (const extra of copy.querySelectorAll('small, .jp-InternalAnchorLink')) extra.remove();
    return copy.textContent;
}"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A piece of an answer."""

    lines: tuple[str, ...]
    read: str
    """Its text as it is to be read."""


def line_of(words: list[str]) -> Written:
    """A line of such words."""
    return Written(lines=(" ".join(words),), read=" ".join(INLINES[word] for word in words))


def inside(mark: str, parts: list[Written]) -> Written:
    """The parts in a quote or as items of a list; `1.` counts on."""
    lines: list[str] = []
    for number, part in enumerate(parts, 1):
        first = f"{number}. " if mark == "1. " else mark
        further = "> " if mark == "> " else " " * len(first)
        lines += [f"{further if at else first}{line}".rstrip() for at, line in enumerate(part.lines)]
        lines += [">"] if mark == "> " else []
    return Written(lines=tuple(lines), read=" ".join(part.read for part in parts))


def table_of(rows: list[Written]) -> Written:
    """A table of one row for each."""
    lines = [f"| {row.lines[0]} | end |" for row in rows]
    return Written(lines=("| head | other |", "|---|--:|", *lines), read=" ".join(f"{row.read} end" for row in rows))


LINES = st.lists(st.sampled_from(sorted(INLINES)), min_size=1, max_size=5).map(line_of)
PARAGRAPHS = st.lists(LINES, min_size=1, max_size=3).map(
    lambda parts: Written(
        lines=tuple(line for part in parts for line in part.lines), read=" ".join(part.read for part in parts)
    )
)
FENCES = st.builds(
    lambda language, code: Written(lines=(f"```{language}", *code, "```"), read="\n".join(code)),
    st.sampled_from(["", "python", "cpp", "markdown", "mermaid"]),
    st.lists(st.sampled_from(CODE), max_size=5),
)
HEADINGS = st.builds(
    lambda level, line: Written(lines=(f"{'#' * level} {line.lines[0]}",), read=line.read), st.integers(1, 6), LINES
)
TABLES = (
    st.lists(LINES, min_size=1, max_size=3)
    .map(table_of)
    .map(lambda table: Written(lines=table.lines, read=f"head other {table.read}"))
)
BLOCKS = st.recursive(
    PARAGRAPHS | FENCES,
    lambda parts: st.builds(
        inside, st.sampled_from(["- ", "1. ", "> ", "* "]), st.lists(parts, min_size=1, max_size=3)
    ),
    max_leaves=5,
)
DOCUMENTS = st.lists(BLOCKS | HEADINGS | TABLES, min_size=4, max_size=12)


def letters(text: str) -> str:
    """The letters and digits of a text."""
    return "".join(filter(str.isalnum, text))


def test_each_letter_of_an_answer_is_there_in_its_order(
    notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    notebook.run(f"{bot_code}%reload_ext rustbot_jupyter\nrb.set_bot(bot)")

    @settings(
        max_examples=examples(6),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # To shrink would take minutes of a browser.
        phases=[Phase.explicit, Phase.generate],
    )
    @given(DOCUMENTS)
    def check(parts: list[Written]) -> None:
        server.script(answer("\n\n".join("\n".join(part.lines) for part in parts) + NOTE))

        cell = notebook.start("%%rustbot\nWrite")
        notebook.finish(cell)

        output = cell.locator(".jp-RenderedMarkdown").last
        expect(output.locator("small")).to_be_visible()
        assert letters(output.evaluate(SHOWN)) == letters("\n".join(part.read for part in parts) + "n the note")

    check()
