"""The web pages that an answer refers to, each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rustbot_jupyter.messages import CitationPart


class Citations:
    """Collects annotations, and the citations that Perplexity repeats in every chunk."""

    def __init__(self) -> None:
        self._annotations: list[Mapping[str, Any]] = []
        self._titles: dict[str, str] = {}

    @property
    def annotations(self) -> tuple[Mapping[str, Any], ...]:
        """All annotations as sent, without repeats of a page."""
        return tuple(self._annotations)

    def parts(self) -> tuple[CitationPart, ...]:
        """The pages, in the order they came."""
        return tuple(CitationPart(url=url, title=title) for url, title in self._titles.items())

    def add_annotations(self, annotations: Any) -> None:
        """Take the `annotations` of a message or a piece of one."""
        for annotation in _list(annotations):
            if not isinstance(annotation, dict):
                continue
            cited = annotation.get("url_citation")
            if isinstance(cited, dict):
                if cited.get("url") in self._titles:
                    continue
                self._add(cited)
            self._annotations.append(annotation)

    def add_search(self, chunk: Mapping[str, Any]) -> None:
        """Take the `search_results` and `citations` of a chunk."""
        for result in _list(chunk.get("search_results")):
            if isinstance(result, dict):
                self._add(result)
        for url in _list(chunk.get("citations")):
            self._add({"url": url})

    def _add(self, page: Mapping[str, Any]) -> None:
        url, title = page.get("url"), page.get("title")
        if isinstance(url, str) and url:
            self._titles[url] = self._titles.get(url) or (title if isinstance(title, str) else "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
