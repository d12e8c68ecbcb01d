"""The redactor: takes every key that is alive in this process, and whatever looks like one, out of text and data."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import SecretStr

from rustbot_jupyter.key_forms import REDACTED, without_keys
from rustbot_jupyter.key_spellings import is_unmistakable, spellings
from rustbot_jupyter.masking import masked

SHORTEST_KEY = 8
"""Shorter keys ("none", "ollama") are placeholders of local servers; taking them out would tear ordinary words."""

_DEEPEST = 100


class Redactor:
    """Knows the live keys and removes them, as they are and in the spellings they travel in."""

    __slots__ = ("_forms", "_lock", "_pattern", "_unmistakable")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: frozenset[str] = frozenset()
        self._unmistakable: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: SecretStr) -> None:
        """Know one more key, from now on and for good: texts that hold it outlive the key's use."""
        if len(secret) < SHORTEST_KEY or secret.get_secret_value() in self._forms:
            return
        with self._lock:
            forms = self._forms | spellings(secret.get_secret_value())
            if forms != self._forms:
                longest_first = sorted(forms, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
                self._forms = forms
                if is_unmistakable(secret.get_secret_value()):
                    self._unmistakable |= spellings(secret.get_secret_value())

    @property
    def unmistakable(self) -> frozenset[str]:
        """The spellings of the keys that no ordinary text holds: what is masked in answers, too."""
        return self._unmistakable

    def redact(self, text: str) -> str:
        """The text without keys."""
        pattern = self._pattern
        if pattern is not None and any(form in text for form in self._forms):
            text = pattern.sub(REDACTED, text)
        return without_keys(text)

    def redact_data(self, data: Any) -> Any:
        """A copy of nested mappings, lists and texts without keys; other values as they are."""
        return self._redact_data(data, 0)

    def _redact_data(self, data: Any, depth: int) -> Any:
        if isinstance(data, str):
            return self.redact(data)
        if isinstance(data, bytes | bytearray):
            return self.redact(bytes(data).decode("latin-1")).encode("latin-1")
        if isinstance(data, SecretStr):
            return REDACTED
        if not isinstance(data, Mapping | list | tuple | set | frozenset):
            return data
        if depth >= _DEEPEST:
            return "…"
        if isinstance(data, Mapping):
            return {self._redact_data(k, depth + 1): self._redact_data(v, depth + 1) for k, v in data.items()}
        items = [self._redact_data(item, depth + 1) for item in data]
        return tuple(items) if isinstance(data, tuple) else items

    def __reduce__(self) -> NoReturn:
        raise TypeError("The redactor holds keys and is not pickled.")


REDACTOR = Redactor()
"""The one of this process; every `Key` makes itself known to it."""


def redact(text: str) -> str:
    """The text without any key this process knows, and without anything that looks like one."""
    return REDACTOR.redact(text)


def redact_for_request(text: str, namespace: Mapping[str, Any] | None = None) -> str:
    """The text as Rustbot itself may put it into a request: also without what its name says is secret, see `masking`.

    Args:
        text: What is no word of the user's own: values, tracebacks, results of tools.
        namespace: The user's variables; what stands under a secret name there is taken out as well.
    """
    return masked(REDACTOR.redact(text), namespace)


def redact_data(data: Any) -> Any:
    """A copy of JSON-like data without keys."""
    return REDACTOR.redact_data(data)
