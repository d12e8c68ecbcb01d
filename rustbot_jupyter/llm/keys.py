"""The API key inside a client: used for its own host, shown nowhere, and blotted out of what comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NoReturn, Protocol

from rustbot_jupyter.key_forms import MASK
from rustbot_jupyter.key_spellings import is_unmistakable, spellings

_USABLE = re.compile(r"[!-~]+")
_SHORTEST_MASKED = 6


class Secret(Protocol):
    """A hidden string, such as pydantic's `SecretStr`."""

    def get_secret_value(self) -> str:
        """The string."""


class ApiKey:
    """Holds a key where neither `repr`, `vars`, pickling nor a traceback finds it."""

    __slots__ = ("_find_forms", "_get")

    def __init__(self, key: str | Secret | None) -> None:
        value = (key if isinstance(key, str) or key is None else key.get_secret_value()) or ""
        value = value.strip()
        # A closure, because `vars`, `repr` and `pickle` show what an attribute holds.
        self._get: Callable[[], str] = lambda: value
        self._find_forms = cache(lambda: spellings(value) if is_unmistakable(value) else frozenset[str]())

    def __bool__(self) -> bool:
        return bool(self._get())

    def __repr__(self) -> str:
        return "ApiKey(set)" if self else "ApiKey(none)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A client with its key is not pickled; make a new one.")

    def __copy__(self) -> ApiKey:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ApiKey:
        return self

    @property
    def is_usable(self) -> bool:
        """True if it can stand in a header: printable ASCII without spaces."""
        return bool(_USABLE.fullmatch(self._get()))

    def headers(self) -> dict[str, str]:
        """The header that carries the key; empty without one."""
        return {"Authorization": f"Bearer {self._get()}"} if self else {}

    @property
    def forms(self) -> frozenset[str]:
        """The spellings to be masked in answers; none of a key that might be a word."""
        return self._find_forms()

    def redact(self, text: str) -> str:
        """The text with this key masked, however it is spelled."""
        for form in _forms(self._get()):
            text = text.replace(form, MASK)
        return text


class HiddenPairs:
    """Names and hidden values, kept as a key is."""

    __slots__ = ("reveal",)

    def __init__(self, pairs: Mapping[str, str | Secret] | None) -> None:
        known = {
            name: value if isinstance(value, str) else value.get_secret_value() for name, value in (pairs or {}).items()
        }
        # A closure, because `vars`, `repr` and `pickle` show what an attribute holds.
        self.reveal: Callable[[], dict[str, str]] = lambda: dict(known)

    def __repr__(self) -> str:
        return f"HiddenPairs({', '.join(self.reveal())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A client with its key is not pickled; make a new one.")


def _forms(key: str) -> list[str]:
    # Masking a very short "key" (local servers take any) would blot out ordinary words.
    return sorted(spellings(key), key=len, reverse=True) if len(key) >= _SHORTEST_MASKED else []


def redact_all(value: Any, redact: Any, depth: int = 8) -> Any:
    """A JSON value with every string in it redacted; what is nested deeper is left out."""
    if isinstance(value, str):
        return redact(value)
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {redact(str(key)): redact_all(item, redact, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [redact_all(item, redact, depth - 1) for item in value]
    return value
