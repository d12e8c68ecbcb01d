"""Live keys taken out of answers where they enter, in whole texts and in texts that come in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from rustbot_jupyter.key_forms import MASK

_NOTICED = 4
"""Characters by which the beginning of a key is noticed; fewer would hold back ordinary words all the time."""
_MOST_LEFT = 12
"""Of a key that ends in the middle of it, no more characters than this are shown."""
_DEEPEST = 60


class KeyMask:
    """Knows the spellings of some keys."""

    __slots__ = ("_forms", "_pattern", "_starts")

    def __init__(self, forms: Iterable[str]) -> None:
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))
        self._starts = re.compile("|".join(sorted({re.escape(form[:_NOTICED]) for form in self._forms})))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A mask holds keys and is not pickled.")

    def is_of(self, forms: frozenset[str]) -> bool:
        """True if these are the spellings that it knows."""
        return frozenset(self._forms) == forms

    def mask(self, text: str) -> str:
        """The text without the keys."""
        return text if self._starts.search(text) is None else self._pattern.sub(MASK, text)

    def mask_data(self, value: Any, depth: int = _DEEPEST) -> Any:
        """A JSON value with every text in it masked; what is nested deeper is left out."""
        if isinstance(value, str):
            return self.mask(value)
        if not isinstance(value, dict | list | tuple):
            return value
        if depth == 0:
            return None
        if isinstance(value, dict):
            return {self.mask(str(name)): self.mask_data(item, depth - 1) for name, item in value.items()}
        return type(value)(self.mask_data(item, depth - 1) for item in value)

    def opened(self) -> MaskedStream:
        """A text that comes in pieces."""
        return MaskedStream(self._starts, self._pattern, self._forms)


class MaskedStream:
    """Masks keys in a text that comes in pieces, wherever it is cut. What may become a key is held back."""

    __slots__ = ("_forms", "_pattern", "_search", "_tail", "_told")

    def __init__(self, starts: re.Pattern[str], pattern: re.Pattern[str], forms: list[str]) -> None:
        self._search = starts.search
        self._pattern = pattern
        self._forms = forms
        self._tail = ""
        """The end of what came: a few characters that were given already, and what is held back."""
        self._told = 0
        """How many characters of the tail were given."""

    def feed(self, piece: str) -> str:
        """The text that may be given now."""
        text = self._tail + piece
        if self._search(text) is None:
            self._tail = text[1 - _NOTICED :]
            self._told = len(self._tail)
            return piece
        return self._split(text)

    @property
    def held(self) -> str:
        """Return what is held back, as it would be given if no more came."""
        held = self._tail[self._told :]
        return MASK if len(held) > _MOST_LEFT else held

    def end(self) -> str:
        """Return what was held back, as no more comes."""
        held = self.held
        self._tail, self._told = "", 0
        return held

    def _split(self, text: str) -> str:
        given, place, told = [], 0, self._told
        end = kept_from = len(text)
        masked_to = 0
        while (start := self._search(text, place)) is not None:
            place = start.start()
            if (key := self._pattern.match(text, place)) is not None:
                given += [text[told:place], MASK]
                place = told = masked_to = key.end()
            elif self._begins_a_key(text, place):
                end, kept_from = max(told, place), place
                break
            else:
                place += 1
        else:
            # A key may begin in what is given now.
            kept_from = max(masked_to, len(text) - _NOTICED + 1)
        given.append(text[told:end])
        self._tail, self._told = text[kept_from:], end - kept_from
        return "".join(given)

    def _begins_a_key(self, text: str, place: int) -> bool:
        rest = len(text) - place
        return any(rest < len(form) and text.startswith(form[:rest], place) for form in self._forms)
