"""A page of HTML as text that a model reads: title, headings, paragraphs, lists, links as [text](address)."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

from rustbot_jupyter.tools.short_text import clip_quietly

MAX_TITLE_CHARS = 200
_LONGEST_FOR_TRAFILATURA = 600_000
"""Characters. It takes seconds for more."""
_SHORTEST_ARTICLE = 1_000
"""Characters. Of less, trafilatura gives a heap of words without lines and links."""
_LONGEST_READ = 1_000_000
_ENOUGH_CHARS = 100_000
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)

# Each alternative takes all that it looked at, so that no page is looked at twice.
_TOKEN = re.compile(
    r"""
    (?P<text>[^<]+)
    | <!--.*?(?:-->|\Z)
    | <(?P<end>/?)(?P<name>[a-z][a-z0-9:-]{0,40})(?P<rest>(?:[^>"']++|"[^"]*"|'[^']*')*+)>
    | <[a-z!?/][^>]*>?
    | (?P<stray><)
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)

_OTHER_LINK = re.compile(r"\[([^\[\]\n]*)\]\((?!https?://)(?:[^()\n]|\([^()\n]*\))*+\)")
"""A link in Markdown that leads to no page: a script, a file, data."""

_LEFT_OUT = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "math",
    "title",
    "iframe",
    "object",
    "select",
    "textarea",
}
_LINES = {
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "form", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}


def title_of(page: str) -> str:
    """The page's title on one line; "" when it has none."""
    found = _TITLE.search(page[:200_000])
    return clip_quietly(html.unescape(found[1]), MAX_TITLE_CHARS).strip() if found else ""


def text_of(page: str, url: str) -> str:
    """The readable text of a page.

    trafilatura finds the article in a long page, where it is installed; of any other page all text is given.

    Args:
        page: HTML, however broken.
        url: Where it was found; relative links begin there.
    """
    return _article(page, url) or _all_text(page, url)


def _article(page: str, url: str) -> str | None:
    if len(page) > _LONGEST_FOR_TRAFILATURA:
        return None
    try:
        import trafilatura

        article = trafilatura.extract(
            page, url=url, output_format="markdown", include_links=True, include_comments=False, fast=True
        )
    # It is not installed, or it stumbles over a page: the plain reading of it stumbles over none.
    except Exception:
        return None
    return _OTHER_LINK.sub(r"\1", article) if article and len(article) >= _SHORTEST_ARTICLE else None


def _all_text(page: str, url: str) -> str:
    reader = _Reader(url)
    reader.read(page[:_LONGEST_READ])
    return reader.text()


class _Reader:
    """Collects the text between tags. Python's own parser takes minutes for a page that is made for it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pieces: list[str] = []
        self._length = 0
        self._link: tuple[int, str] | None = None
        self._is_code = False

    def read(self, page: str) -> None:
        """Take in a page, until that is text enough."""
        position = 0
        while self._length < _ENOUGH_CHARS and (token := _TOKEN.match(page, position)):
            position = token.end()
            if text := token["text"] or token["stray"]:
                self._add_text(html.unescape(text))
            elif token["name"]:
                position = self._take_tag(page, token)

    def _take_tag(self, page: str, token: re.Match[str]) -> int:
        """Take in a tag; returns where to read on."""
        tag = token["name"].lower()
        if token["end"]:
            self._end(tag)
        elif tag in _LEFT_OUT and not token["rest"].endswith("/"):
            closing = re.compile(f"</{tag}", re.IGNORECASE).search(page, token.end())
            return closing.start() if closing else len(page)
        elif tag == "a":
            self._begin_link(token["rest"])
        else:
            self._is_code = self._is_code or tag == "pre"
            self._add(_opening(tag))
        return token.end()

    def _end(self, tag: str) -> None:
        if tag == "a":
            self._end_link()
        else:
            self._is_code = self._is_code and tag != "pre"
            self._add(_closing(tag))

    def _add_text(self, text: str) -> None:
        if not self._is_code:
            text = re.sub(r"\s+", " ", text)
            text = text.lstrip() if not self._pieces or self._pieces[-1].endswith((" ", "\n")) else text
        self._add(text)

    def text(self) -> str:
        """All that was read, without runs of empty lines."""
        return re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", "".join(self._pieces))).strip()

    def _add(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._length += len(text)

    def _begin_link(self, attributes: str) -> None:
        self._end_link()
        href = _HREF.search(attributes)
        self._link = (len(self._pieces), html.unescape(href[1] or href[2] or href[3] or "") if href else "")

    def _end_link(self) -> None:
        if self._link is None:
            return
        (start, href), self._link = self._link, None
        words = " ".join("".join(self._pieces[start:]).split())
        target = _absolute(self._url, href)
        if words and target:
            self._pieces[start:] = []
            self._add(f"[{words}]({target})")


def _opening(tag: str) -> str:
    if tag in _HEADINGS:
        return f"\n\n{_HEADINGS[tag]} "
    if tag in ("td", "th"):
        return " | "
    return {"li": "\n- ", "p": "\n\n", "pre": "\n\n```\n"}.get(tag, "\n" if tag in _LINES else "")


def _closing(tag: str) -> str:
    if tag in _HEADINGS or tag == "p":
        return "\n\n"
    return {"pre": "\n```\n\n", "li": ""}.get(tag, "\n" if tag in _LINES else "")


def _absolute(url: str, href: str) -> str:
    """Return where a link leads, when it leads to another page."""
    if href.strip().startswith("#"):
        return ""
    try:
        target = urljoin(url, href.strip())
    except ValueError:
        return ""
    return target if target.startswith(("http://", "https://")) and not re.search(r"[\s()<>]", target) else ""
