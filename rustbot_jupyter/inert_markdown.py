"""An answer's Markdown for a cell's output: shown as the model meant it, and nothing in it runs or loads by itself.

JupyterLab trusts what a cell that was just run puts out: it executes scripts in Markdown and draws images, and drawing
one tells its server what the address says. So images become links, and HTML becomes text, wherever they stand. Which
text is code is the renderer's opinion (a footnote or a formula can swallow a fence), so code keeps its Markdown form
only if it would do no harm as text; else it is written as HTML of our own, in which each mark is an entity. That HTML
is one line, so that it stands well in any list or quote.
"""

from __future__ import annotations

import copy
import re
from itertools import pairwise

from rustbot_jupyter.fences import language_of
from rustbot_jupyter.markdown.containers import (
    QUOTE,
    continued,
    indent_of,
    inside,
    is_rule,
    opened,
    without_indent,
)
from rustbot_jupyter.markdown.finder import Finder
from rustbot_jupyter.markdown.formulas import MOST_TEX, environment_name, formula_at
from rustbot_jupyter.markdown.inline import InertText, encoded, is_marked, written_formula
from rustbot_jupyter.markdown.limits import (
    MOST_COLUMNS,
    MOST_FENCES,
    MOST_FORMULAS,
    MOST_MARKERS,
    MOST_TARGETS,
    is_too_wild,
)

MOST_COLOURED = 20_000
"""Longer code stays plain: colouring it would block the page."""
_SHORT = 500

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_TABLE_RULE = re.compile(r" {0,3}(?=[^-]*-)[|:-][ \t|:-]*$")
_TARGET = re.compile(r" {0,3}\[(?!\^)[^\]\n]{1,200}\]:")
_FOOTNOTE = re.compile(r"^[ >]{0,20}\[\^([\w-]{1,40})\]:", re.MULTILINE)
_FOLD = re.compile(r"(?:</?details>|<details open>|<summary>(?P<title>[^<]*)</summary>)[ \t]*$")
_BOX = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*$", re.IGNORECASE)
_NUMBER = re.compile(r"(?<=\n)(\d{1,9})([.)])(?=[ \t])")
_HARMFUL = re.compile(r"<[A-Za-z/!?]|!\[|`{3}|~{3}|\\(?:begin|end)\b|\\\\[\[\]()]|@@\d")


def inert_markdown(text: str) -> str:
    """The text with images as links, HTML as text, and formulas and code so that JupyterLab shows them as they are."""
    return GrowingMarkdown().update(text)


class GrowingMarkdown:
    """The same for a text that grows: what is finished is written once."""

    def __init__(self) -> None:
        self._read = ""
        self._writer = _Writer(frozenset())

    def update(self, text: str) -> str:
        """All of it; `text` is what there is so far."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        notes = frozenset(_FOOTNOTE.findall(text)) if "[^" in text else frozenset()
        if notes != self._writer.footnotes or not text.startswith(self._read):
            self._read, self._writer = "", _Writer(notes)
        lines = text[len(self._read) :].split("\n")
        for line in lines[:-1]:
            self._writer.read(line)
        self._read = text[: len(text) - len(lines[-1])]
        rest = self._writer.fork()
        if lines[-1] or not self._read:
            rest.read(lines[-1])
            return "\n".join([*self._writer.done, *rest.finish()])
        return "\n".join([*self._writer.done, *rest.finish(), ""])


class _Writer:
    """Reads line by line, and writes each paragraph, table or block of code when it is over."""

    def __init__(self, footnotes: frozenset[str]) -> None:
        self.done: list[str] = []
        self.footnotes = footnotes
        self._stack: tuple[int, ...] = ()
        self._kind = ""
        self._prefix = ""
        self._lines: list[str] = []
        self._fence = ""
        self._info = ""
        self._math_chars = 0
        self._formulas = 0
        self._fences = 0
        self._targets = 0
        self._folds = 0

    def fork(self) -> _Writer:
        """One that goes on from here and writes elsewhere."""
        fork = copy.copy(self)
        fork.done = []
        fork._lines = list(self._lines)
        return fork

    def finish(self) -> list[str]:
        """End all that is open, so that what is put below is not part of it."""
        self._end()
        if self._folds:
            self.done += ["", *["</details>"] * self._folds]
        return self.done

    def read(self, line: str) -> None:
        """One more line, without its end."""
        if self._kind == "fence" and self._read_code(line):
            return
        if self._kind == "math" and self._read_math(line):
            return
        depth, rest = inside(line, self._stack)
        if not rest.strip(" \t"):
            self._read_blank(depth)
            return
        if depth < len(self._stack):
            if self._kind == "paragraph" and not self._begins_block(rest):
                # Lazy: a paragraph in a quote or list goes on without their marks.
                self._lines.append(rest.lstrip(" \t"))
                return
            self._end()
            self._stack = self._stack[:depth]
        prefix = continued(self._stack)
        new = opened(rest, most=MOST_MARKERS - len(self._stack), interrupts=self._kind == "paragraph")
        if new.stack:
            self._end()
            prefix, rest = prefix + new.prefix, new.rest
            self._stack += new.stack
            if not rest.strip(" \t"):
                self.done.append(prefix.rstrip())
                return
        self._read_text(rest, prefix)

    def _begins_block(self, rest: str) -> bool:
        return bool(
            _FENCE.match(rest)
            or _HEADING.match(rest)
            or is_rule(rest)
            # What ends a container interrupts no paragraph: "2." behind "1." is the next item.
            or opened(rest, most=1, interrupts=False).stack
            or _FOLD.match(rest)
        )

    def _read_blank(self, depth: int) -> None:
        self._end()
        self._stack = self._stack[:depth]
        self.done.append(continued(self._stack).rstrip() if QUOTE in self._stack else "")

    def _read_text(self, rest: str, prefix: str) -> None:
        fence = _FENCE.match(rest)
        box = _BOX.match(rest) if self._stack and self._stack[-1] == QUOTE and not self._kind else None
        if self._kind == "indented" and indent_of(rest) < 4:
            self._end()
        if fence:
            self._begin("fence", prefix)
            self._fence, self._info = fence[1], fence[2]
        elif indent_of(rest) >= 4 and self._kind != "paragraph":
            if self._kind != "indented":
                self._begin("indented", prefix)
            self._lines.append(without_indent(rest, 4))
        elif self._begins_math(rest):
            self._begin("math", prefix)
            self._math_chars = len(rest)
            self._lines.append(rest)
        elif _HEADING.match(rest):
            self._write_single(prefix, self._inert(rest))
        elif is_rule(rest):
            # Below a paragraph it makes a heading of it.
            self._write_single(prefix, rest)
        elif fold := _FOLD.match(rest):
            self._write_fold(prefix, rest.strip(), fold["title"])
        elif box:
            self._write_single(prefix, f"**{box[1].capitalize()}**  ")
        else:
            if self._kind != "paragraph":
                self._begin("paragraph", prefix)
            self._lines.append(rest)

    def _begin(self, kind: str, prefix: str) -> None:
        self._end()
        self._kind, self._prefix = kind, prefix

    def _end(self) -> None:
        """Write what is open."""
        kind, lines, prefix = self._kind, self._lines, self._prefix
        self._kind, self._lines = "", []
        if kind == "fence":
            self._write_code(lines, prefix)
        elif kind == "indented":
            self._write_indented(lines, prefix)
        elif kind == "math":
            self._write_unclosed_math(lines, prefix)
        elif kind == "paragraph":
            self._write_paragraph(lines, prefix)

    def _put(self, prefix: str, lines: list[str]) -> None:
        """Lines in the containers of now, the first behind the marks that began them."""
        further = continued(self._stack)
        self.done += [f"{prefix if number == 0 else further}{line}" for number, line in enumerate(lines)]

    def _write_single(self, prefix: str, line: str) -> None:
        self._end()
        self._put(prefix, [line])

    def _write_fold(self, prefix: str, tag: str, title: str | None) -> None:
        self._end()
        if title is not None:
            tag = f"<summary>{encoded(title)}</summary>"
        elif tag == "</details>":
            if not self._folds:
                self._put(prefix, [self._inert(tag)])
                return
            self._folds -= 1
        else:
            self._folds += 1
        # What follows is Markdown again only behind a blank line.
        self._put(prefix, [tag, ""])

    # Code

    def _read_code(self, line: str) -> bool:
        """Take a line of code; False when its quote ended, and the code with it."""
        rest = line
        for width in self._stack:
            if width != QUOTE:
                # A line that is not indented as its list demands is code all the same, until the fence is closed.
                rest = without_indent(rest, width)
                continue
            depth, rest = inside(rest, (QUOTE,))
            if depth == 0:
                self._end()
                return False
        mark = rest.strip(" \t")
        if len(mark) >= len(self._fence) and set(mark) == {self._fence[0]} and indent_of(rest) < 4:
            self._end()
        else:
            self._lines.append(rest)
        return True

    def _write_code(self, lines: list[str], prefix: str) -> None:
        self._fences += 1
        code = "\n".join(lines)
        # JupyterLab takes dollars for a formula in code that stands in a list.
        is_harmful = _HARMFUL.search(code) or ("$" in code and prefix)
        if is_harmful or self._fences > MOST_FENCES:
            self._put(prefix, [_pre(f"{code}\n" if code else "")])
            return
        # What stands behind a fence gets into `class="language-..."` as it is. And JupyterLab draws Mermaid diagrams
        # together with the pictures that they name.
        language = "" if len(code) > MOST_COLOURED else language_of(self._info)
        if "mermaid" in language:
            language = "mermaid-source"
        self._put(prefix, [f"{self._fence}{language}", *lines, self._fence])

    def _write_indented(self, lines: list[str], prefix: str) -> None:
        code = "\n".join(lines)
        if _HARMFUL.search(code) or "$" in code:
            self._put(prefix, [_pre(f"{code}\n")])
        else:
            self._put(prefix, [f"    {line}" for line in lines])

    # Formulas of several lines

    def _begins_math(self, rest: str) -> bool:
        text = rest.strip()
        if self._formulas >= MOST_FORMULAS:
            return False
        if text in ("$$", r"\["):
            return True
        name = environment_name(text)
        return bool(name) and f"\\end{{{name}}}" not in text

    def _read_math(self, line: str) -> bool:
        """Take a line of a formula; False when it cannot be one."""
        depth, rest = inside(line, self._stack)
        self._math_chars += len(rest)
        is_over = depth < len(self._stack) or self._math_chars > MOST_TEX or _FENCE.match(rest)
        if is_over:
            self._end()
            return False
        self._lines.append(rest)
        opening = self._lines[0].strip()
        name = environment_name(opening)
        closing = {"$$": "$$", r"\[": r"\]"}.get(opening, f"\\end{{{name}}}")
        if rest.rstrip().endswith(closing):
            self._write_math()
        return True

    def _write_math(self) -> None:
        text = "\n".join(self._lines).strip()
        found = formula_at(Finder(text), 0, is_alone=True)
        if found is None or found.end < len(text):
            self._end()
            return
        lines, prefix = written_formula(found, is_row=QUOTE in self._stack).split("\n"), self._prefix
        self._kind, self._lines = "", []
        self._formulas += 1
        self._put(prefix, lines)

    def _write_unclosed_math(self, lines: list[str], prefix: str) -> None:
        """A formula that was none: paragraphs."""
        paragraph: list[str] = []
        for line in [*lines, ""]:
            if line.strip():
                paragraph.append(line)
                continue
            if paragraph:
                self._write_paragraph(paragraph, prefix)
                prefix, paragraph = continued(self._stack), []
                self.done.append("")
        self.done.pop()

    # Paragraphs

    def _write_paragraph(self, lines: list[str], prefix: str) -> None:
        if len(lines) > 1 and "|" in lines[0] and _TABLE_RULE.match(lines[1]):
            self._write_table(lines, prefix)
            return
        text = "\n".join(lines)
        if len(self._stack) >= MOST_MARKERS:
            self._put(prefix, [_pre(text)])
            return
        self._targets += sum(_TARGET.match(line) is not None for line in lines)
        if self._targets > MOST_TARGETS and "]:" in text:
            self._put(prefix, [_pre(text)])
            return
        if self._stack and not any(mark in text for mark in "`$\\"):
            # JupyterLab would begin a list with it, though it stands within the text of an item.
            text = _NUMBER.sub(r"\1\\\2", text)
        self._put(prefix, _broken(self._inert(text)))

    def _write_table(self, lines: list[str], prefix: str) -> None:
        if lines[1].count("|") > MOST_COLUMNS:
            self._put(prefix, [_pre("\n".join(lines))])
            return
        rows = [line if number == 1 else self._inert(line, is_row=True) for number, line in enumerate(lines)]
        self._put(prefix, rows)

    def _inert(self, text: str, *, is_row: bool = False) -> str:
        # Most lines of a long list are short and plain.
        if len(text) < _SHORT and not is_marked(text):
            return text
        if is_too_wild(text):
            return f"<code>{_entities(text)}</code>" if is_row or _HEADING.match(text) else _pre(text)
        most = MOST_FORMULAS - self._formulas
        inert = InertText(text, most_formulas=most, footnotes=self.footnotes, is_row=is_row)
        written = inert.written()
        self._formulas += inert.formulas
        return written


def _pre(code: str) -> str:
    return f"<pre><code>{_entities(code)}</code></pre>"


def _entities(code: str) -> str:
    return encoded(code).replace("\n", "&#10;")


def _broken(text: str) -> list[str]:
    """The lines of a paragraph, ending as they end: Markdown takes two blanks for that."""
    lines = text.split("\n")
    for number, (line, following) in enumerate(pairwise(lines)):
        ends = line.endswith(("  ", "\\", "$$")) or _UNDERLINE.match(following) or _TARGET.match(line)
        if not ends and not following.startswith("$$"):
            lines[number] = f"{line.rstrip()}  "
    return lines
