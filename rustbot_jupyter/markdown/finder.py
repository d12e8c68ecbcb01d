"""A text that is searched from left to right for the ends of what begins in it, in linear time."""

from __future__ import annotations

import re
from collections import defaultdict

_TICKS = re.compile("`+")


class Finder:
    """Places of marks in `text`. The places that are asked for one mark never go back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._next: dict[str, int] = {}
        self._ticks: dict[int, list[int]] | None = None

    def find(self, mark: str, start: int) -> int:
        """The first place of the mark from `start` on, or -1. Each stretch is searched once."""
        place = self._next.get(mark, -2)
        if place == -1 or place >= start:
            return place
        place = self.text.find(mark, start)
        self._next[mark] = place
        return place

    def find_ticks(self, count: int, start: int) -> int:
        """The first run of exactly so many backticks from `start` on, or -1."""
        if self._ticks is None:
            self._ticks = defaultdict(list)
            for run in _TICKS.finditer(self.text):
                self._ticks[len(run[0])].append(run.start())
            for places in self._ticks.values():
                places.reverse()
        places = self._ticks.get(count, [])
        while places and places[-1] < start:
            places.pop()
        return places[-1] if places else -1
