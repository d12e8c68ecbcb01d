"""The text of one paragraph for a cell's output: formulas as JupyterLab reads them, code as typed, all else inert."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from rustbot_jupyter.markdown.finder import Finder
from rustbot_jupyter.markdown.formulas import DISPLAYED, Formula, environment_name, formula_at

SIMPLE_MARKS = frozenset(
    ["b", "br", "code", "del", "em", "i", "ins", "kbd", "mark", "s", "small", "strong", "sub", "sup", "u"]
)
"""HTML that an answer may use, without attributes, and closed in its own paragraph."""

_NEXT = re.compile(r"[\\`$<!\]~]|https?://|\[\^")
_NEXT_OR_STAR = re.compile(rf"{_NEXT.pattern}|\*")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,9})\s*/?>")
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>`]+>")
_TAG_START = re.compile(r"<[A-Za-z/!?]")
_IN_FORMULA = re.compile(r"(<)(?=[A-Za-z/!?])|(!)(?=\[)|(\])(?=[(:])")
_GOOD_ADDRESS = re.compile(r"[(:][ \t]*<?(?:https?://|mailto:|#|\.{0,2}/|[\w.%-]+[/?#)\s])")
_ADDRESS_END = re.compile(r"[\s<>()\[\]`!\\]|[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_EMPHASIS = re.compile(r"(?<![*\\])(\*{1,3})(?![\s*])([^*\n]*[^\s*])\1(?!\*)")
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_FOOTNOTE = re.compile(r"\[\^([\w-]{1,40})\](:?)")
_LINE_START = re.compile(r"(?:^|\n) {0,3}$")
_TYPESET = re.compile(r"\\(?:[\[\]()$\\]|begin\b|end\b|(?:eq)?ref\b)")
_TYPESET_NAME = re.compile(r"\\(?:begin|end|(?:eq)?ref)\b")
_DESTINATION = re.compile(r"\]\([^\s()\[\]<>`!\\]*")
_HARMFUL = re.compile(r"<[A-Za-z/!?]|!\[|`{3}|~{3}|[$|\\]")
_MARKS = {ord(mark): f"&#{ord(mark)};" for mark in "&<>\"'`~*_[]!\\$#|@:"}


def is_marked(text: str) -> bool:
    """True if there is something in it that may have to be rewritten, or that a parser could take long for."""
    if _NEXT.search(text) is not None or "[" in text or "((" in text:
        return True
    return "*" in text and _CJK.search(text) is not None


def encoded(text: str) -> str:
    """The text in HTML, each mark as an entity, so that it is text for every renderer."""
    return text.translate(_MARKS)


def apart(text: str) -> str:
    """Text that neither Markdown nor what typesets formulas afterwards may join with its neighbours."""
    return f"<span>{encoded(text)}</span>"


def code_span(code: str) -> str:
    """Code in a line, whatever is in it."""
    return f"<code>{encoded(' '.join(code.splitlines()).strip(' ') or code)}</code>"


class InertText:
    """One paragraph, or one row of a table, that is rewritten from left to right.

    Args:
        text: Without the marks of the lists and quotes that it stands in.
        most_formulas: Of more the dollars are text.
        footnotes: Labels of the footnotes of the answer.
        is_row: It is a row of a table, where a line in code or in a formula would end the cell.
    """

    def __init__(self, text: str, *, most_formulas: int, footnotes: Collection[str] = (), is_row: bool = False) -> None:
        self.formulas = 0
        self._text = text
        self._finder = Finder(text)
        self._most_formulas = most_formulas
        self._footnotes = footnotes
        self._is_row = is_row
        self._first = len(text) - len(text.lstrip())
        self._is_bracketed = text.rstrip().endswith(r"\]")
        self._tags = _paired_tags(text)
        self._strikes_once = len(re.findall(r"(?<![~\\])~(?!~)", text)) > 1
        self._stars = _stars_beside_cjk(text)
        self._opened: tuple[int, int] | None = None
        self._pieces: list[str] = []

    def written(self) -> str:
        """The text as JupyterLab may have it."""
        place = 0
        following = _NEXT_OR_STAR if self._stars else _NEXT
        while found := following.search(self._text, place):
            self._pieces.append(self._text[place : found.start()])
            place = self._step(found.start(), found[0])
        self._pieces.append(self._text[place:])
        return "".join(self._pieces)

    def _step(self, place: int, mark: str) -> int:
        """Write what begins here; the place behind it."""
        match mark:
            case "\\":
                return self._backslash(place)
            case "`":
                return self._code(place)
            case "$":
                return self._formula(place) or self._put(apart("$"), place + 1)
            case "<":
                return self._less_than(place)
            case "!":
                return self._exclamation(place)
            case "]":
                return self._bracket(place)
            case "~":
                return self._tilde(place)
            case "[^":
                return self._footnote(place)
            case "*":
                return self._star(place)
        return self._address(place)

    def _put(self, piece: str, place: int) -> int:
        self._pieces.append(piece)
        return place

    def _backslash(self, place: int) -> int:
        if formula := self._formula(place):
            return formula
        following = self._text[place + 1 : place + 2]
        # An address takes a backslash along that was to keep the tag behind it from being one.
        if following and following in "<$~!":
            return self._put(apart(following), place + 2)
        if _TYPESET_NAME.match(self._text, place):
            return self._put(apart("\\"), place + 1)
        if following == "\\":
            return self._put(apart("\\") if _TYPESET.match(self._text, place + 1) else "\\\\", place + 2)
        if following and following in "`[()":
            return self._put(f"\\{following}", place + 2)
        return self._put("\\", place + 1)

    def _code(self, place: int) -> int:
        start = place
        while start < len(self._text) and self._text[start] == "`":
            start += 1
        end = self._finder.find_ticks(start - place, start)
        if end < 0:
            return self._put(self._text[place:start], start)
        code = self._text[start:end]
        behind = end + start - place
        return self._put(code_span(code) if _HARMFUL.search(code) else self._text[place:behind], behind)

    def _formula(self, place: int) -> int:
        if self.formulas >= self._most_formulas:
            return 0
        found = formula_at(self._finder, place, is_alone=self._is_bracketed and place == self._first)
        if found is None:
            return 0
        self.formulas += 1
        return self._put(written_formula(found, is_row=self._is_row), found.end)

    def _less_than(self, place: int) -> int:
        if link := _AUTOLINK.match(self._text, place):
            return self._put(link[0], link.end())
        if place in self._tags:
            end = self._text.index(">", place) + 1
            return self._put(self._tags[place], end)
        return self._put(apart("<") if _TAG_START.match(self._text, place) else "<", place + 1)

    def _exclamation(self, place: int) -> int:
        bracket = place
        while self._text.startswith("!", bracket):
            bracket += 1
        if not self._text.startswith("[", bracket):
            return self._put(self._text[place:bracket], bracket)
        end = self._finder.find("]", bracket)
        is_picture = end > 0 and self._text[end + 1 : end + 2] in ("(", "[")
        kept = self._text[place : bracket - is_picture]
        return self._put(apart(kept) if kept else "", bracket)

    def _bracket(self, place: int) -> int:
        if self._text[place + 1 : place + 2] not in ("(", ":"):
            return self._put("]", place + 1)
        if _GOOD_ADDRESS.match(self._text, place + 1):
            destination = _DESTINATION.match(self._text, place)
            end = destination.end() if destination else place + 1
            return self._put(self._text[place:end].replace("$", "&#36;"), end)
        # Apart from each other they are no link, whose address could be a script.
        return self._put("]<span></span>", place + 1)

    def _tilde(self, place: int) -> int:
        end = place
        while end < len(self._text) and self._text[end] == "~":
            end += 1
        is_single = end == place + 1 and self._strikes_once
        return self._put(apart("~") if is_single else self._text[place:end], end)

    def _star(self, place: int) -> int:
        """Emphasis, as HTML where Markdown sees none; it counts once its end is found outside code and formulas."""
        if self._opened and place == self._opened[1]:
            piece = self._opened[0]
            count = len(self._pieces[piece])
            self._pieces[piece] = ("<em>" if count != 2 else "") + ("<strong>" if count > 1 else "")
            self._opened = None
            return self._put(("</strong>" if count > 1 else "") + ("</em>" if count != 2 else ""), place + count)
        if place not in self._stars:
            return self._put("*", place + 1)
        count, end = self._stars[place]
        self._opened = (len(self._pieces), end)
        return self._put("*" * count, place + count)

    def _footnote(self, place: int) -> int:
        found = _FOOTNOTE.match(self._text, place)
        if found is None or found[1] not in self._footnotes:
            return self._put("[", place + 1)
        # With a colon at the start of a line it is the note itself.
        is_note = found[2] and (place == self._first or _LINE_START.search(self._text[max(0, place - 4) : place]))
        return self._put(f"<sup>{encoded(found[1])}</sup>", found.end() if is_note else found.end(1) + 1)

    def _address(self, place: int) -> int:
        """A bare address, which ends before writing that uses no blanks."""
        found = _ADDRESS_END.search(self._text, place)
        end = found.start() if found else len(self._text)
        address = self._text[place:end].replace("$", "&#36;")
        is_joined = found is not None and found[0] > "\u2fff" and not found[0].isspace()
        return self._put(f"{address}<span></span>" if is_joined else address, end)


def written_formula(formula: Formula, *, is_row: bool = False) -> str:
    """A formula as JupyterLab and its MathJax read it."""
    # A blank means nothing in a formula, and keeps a renderer that takes it for text from seeing a tag in it.
    tex = _IN_FORMULA.sub(lambda found: f"{found[0]} ", formula.tex)
    if is_row or "%" not in tex:
        tex = " ".join(line.strip() for line in tex.splitlines())
    name = environment_name(tex)
    if formula.is_block and name in DISPLAYED and tex.endswith(f"\\end{{{name}}}"):
        return tex
    if formula.is_block:
        return f"$${tex}$$"
    return f"${tex}$" if "$" not in tex.replace(r"\$", "") else f"\\\\({tex}\\\\)"


def _stars_beside_cjk(text: str) -> dict[int, tuple[int, int]]:
    """Emphasis that Markdown would not see: how many stars begin it where, and where they end it.

    By its standard stars between punctuation and a letter are none, but these scripts put no blank between them.
    """
    found: dict[int, tuple[int, int]] = {}
    if "*" not in text or not _CJK.search(text):
        return found
    for one in _EMPHASIS.finditer(text):
        inner, before, after = one[2], text[one.start() - 1 : one.start()], text[one.end() : one.end() + 1]
        opens = _CJK.match(before) and _is_punctuation(inner[0])
        closes = _CJK.match(after) and _is_punctuation(inner[-1])
        if opens or closes:
            found[one.start()] = (len(one[1]), one.end() - len(one[1]))
    return found


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _paired_tags(text: str) -> dict[int, str]:
    """Simple marks that are closed where they are opened, by their place."""
    paired: dict[int, str] = {}
    opened: list[tuple[str, int]] = []
    if "<" not in text:
        return paired
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name not in SIMPLE_MARKS:
            continue
        if name == "br":
            paired[tag.start()] = "<br>"
        elif not tag[1]:
            opened.append((name, tag.start()))
        elif opened and opened[-1][0] == name:
            paired[opened.pop()[1]] = f"<{name}>"
            paired[tag.start()] = f"</{name}>"
    return paired
