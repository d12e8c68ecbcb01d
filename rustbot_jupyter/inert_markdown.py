"""An answer's Markdown for a cell's output: nothing in it runs, and nothing loads before a click.

JupyterLab trusts what a cell that was just run puts out: it executes scripts in Markdown and draws images, and drawing
one tells its server what the address says. So images become links, and HTML becomes text, wherever they stand. Which
text is code is the renderer's opinion (a footnote or a formula can swallow a fence), so code keeps its Markdown form
only if it would do no harm as text; else it is written as HTML of our own, in which each mark is an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE_ANYWHERE = re.compile(r"^[^\n`~]*?[ \t>*+.)\d-]+(?:`{3,}|~{3,})", re.MULTILINE)
_OPENING = re.compile(r"(`{3,}(?=[^`\n]*$)|~{3,})")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)([^\n|$\\]*?[^\n|$\\`])\1(?!`)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://[^\s<>`]+>)")
_IMAGE = re.compile(r"!+(?=\[)")
_STRANGE_ADDRESS = re.compile(r"\](?=[(:])(?![(:][ \t]*<?(?:https?://|mailto:|#|\.{0,2}/|[\w.%-]+[/?#)\s]))")
_INFO = re.compile(r"(`{3,}|~{3,})(.*)")
_DRAWN = re.compile("mermaid", re.IGNORECASE)
_HARMFUL = re.compile(r"<[A-Za-z/!?]|!\[|`{3}|~{3}")
_MARKS = frozenset("&<>\"'`~*_[]!\\$#|@")


def inert_markdown(text: str) -> str:
    """The text with images as links and HTML tags as text or code."""
    if _FENCE_ANYWHERE.search(text):
        # Fences inside lists and quotes: where they end depends on the renderer, so all of it counts as text.
        return "".join(_without_html(_quiet_info(line)) for line in text.splitlines(keepends=True))
    return "".join(_parts(re.split(r"(?<=\n)", text)))


def _parts(lines: list[str]) -> Iterator[str]:
    rest = iter(lines)
    for line in rest:
        opening = _OPENING.match(line.rstrip("\n"))
        yield _fenced(opening[1], line, rest) if opening else _outside(line)


def _fenced(fence: str, opening: str, rest: Iterator[str]) -> str:
    code: list[str] = []
    closing = ""
    for line in rest:
        # As liberal as any renderer is about the end: code that we take for text stays harmless.
        if line.startswith(fence) and not line.strip().strip("`~"):
            closing = line
            break
        code.append(line)
    body = "".join(code)
    if _HARMFUL.search(body):
        return f"<pre><code>{_encoded(body)}</code></pre>\n"
    return _quiet_info(_without_html(opening)) + body + closing


def _outside(line: str) -> str:
    pieces: list[str] = []
    place = 0
    for span in _CODE_SPAN.finditer(line):
        pieces += [_without_html(line[place : span.start()]), _code_span(span[0], span[2])]
        place = span.end()
    return "".join([*pieces, _without_html(line[place:])])


def _code_span(span: str, code: str) -> str:
    return f"<code>{_encoded(code.strip())}</code>" if _HARMFUL.search(code) else span


def _encoded(code: str) -> str:
    return "".join(f"&#{ord(char)};" if char in _MARKS else char for char in code)


def _quiet_info(line: str) -> str:
    # JupyterLab 4.6 writes what stands behind a fence into `class="language-..."` as it is, so that a quotation mark
    # there ends the attribute and begins others: onclick, style, data-commandlinker-command. And it draws Mermaid
    # diagrams together with the pictures that they name.
    return _INFO.sub(lambda info: info[1] + _DRAWN.sub(r"\g<0>-source", info[2].replace('"', "'")), line)


def _without_html(text: str) -> str:
    # A blank behind "<" makes it text for every renderer, in formulas too, where an entity would show as such; one
    # behind "]" ends a link, whose address could be a script.
    return _IMAGE.sub("", _STRANGE_ADDRESS.sub("] ", _TAG.sub("< ", text)))
