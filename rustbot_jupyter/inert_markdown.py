"""An answer's Markdown for a cell's output: nothing in it loads anything before a click.

JupyterLab and nbconvert drop scripts from Markdown, but draw images, and drawing one tells its server what the address
says: an answer that a web page has talked into it could send the user's data away. So images become links, and HTML
becomes text. Code stays as it is where it is surely code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE_ANYWHERE = re.compile(r"^[^\n`~]*?[ \t>*+.)\d-]+(?:`{3,}|~{3,})", re.MULTILINE)
_OPENING = re.compile(r"(`{3,}(?=[^`\n]*$)|~{3,})")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)([^\n|$\\]*?[^\n|$\\`])\1(?!`)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://[^\s<>`]+>)")
_TAG_WITH_ATTRIBUTES = re.compile(r"<(?=[A-Za-z][\w:-]*[\s/])")
_IMAGE = re.compile(r"!(?=\[)")
_INFO = re.compile(r"(`{3,}|~{3,})(.*)")
_DRAWN = re.compile("mermaid", re.IGNORECASE)


def inert_markdown(text: str) -> str:
    """The text with images as links and HTML tags as text; both outside of code only, unless code is in doubt."""
    if _FENCE_ANYWHERE.search(text):
        # Fences inside lists and quotes: where they end is the renderer's opinion, so their code is in doubt.
        return "".join(_in_doubt(line) for line in text.splitlines(keepends=True))
    return "".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    fence = ""
    for line in re.split(r"(?<=\n)", text):
        if fence:
            yield line
            # As liberal as any renderer is about the end: code that we take for text stays harmless.
            if line.startswith(fence) and not line.strip().strip("`~"):
                fence = ""
        elif opening := _OPENING.match(line.rstrip("\n")):
            fence = opening[1]
            yield _quiet_info(_TAG.sub("< ", line))
        else:
            yield _outside(line)


def _outside(line: str) -> str:
    pieces: list[str] = []
    place = 0
    for span in _CODE_SPAN.finditer(line):
        pieces += [_without_html(line[place : span.start()]), _TAG_WITH_ATTRIBUTES.sub("< ", span[0])]
        place = span.end()
    return "".join([*pieces, _without_html(line[place:])])


def _in_doubt(line: str) -> str:
    return _IMAGE.sub("", _quiet_info(_TAG_WITH_ATTRIBUTES.sub("< ", line)))


def _quiet_info(line: str) -> str:
    # JupyterLab 4.6 writes what stands behind a fence into `class="language-..."` as it is, so that a quotation mark
    # there ends the attribute and begins others: onclick, style, data-commandlinker-command. And it draws Mermaid
    # diagrams together with the pictures that they name.
    return _INFO.sub(lambda info: info[1] + _DRAWN.sub(r"\g<0>-source", info[2].replace('"', "'")), line)


def _without_html(text: str) -> str:
    # A blank behind "<" makes it text for every renderer, in formulas too, where an entity would show as such.
    return _IMAGE.sub("", _TAG.sub("< ", text))
