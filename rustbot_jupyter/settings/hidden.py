"""Headers and query fields of a user's own: used for the host they were given for, and shown without their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self

from pydantic import SecretStr

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings.redaction import REDACTOR

MASK = "•••"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[ -~]{0,4096}")
_NOT_OURS_TO_GIVE = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding", "te", "upgrade"}
)
_SECRET_NAME = re.compile(r"auth|key|token|secret|passw|cookie|credential|signature|^(sig|code)$", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(?i)(bearer|basic) .+|(?=\S*\d)(?=\S*[a-z])\S{20,}")
_MOST = 50


class HiddenTable:
    """Names with values that nothing shows. `${NAME}` in a value is replaced when it is sent, from the environment."""

    __slots__ = ("_get", "host")

    def __init__(self, values: Mapping[str, str] | None = None, host: str = "") -> None:
        kept = dict(values or {})
        # A closure, because `vars` and debuggers show what an attribute holds.
        self._get: Callable[[], dict[str, str]] = lambda: dict(kept)
        self.host = host
        """Whom they are for; "" as long as that is open."""
        for name, value in kept.items():
            if "${" not in value and _is_secret(name, value):
                REDACTOR.add(SecretStr(value))

    def __repr__(self) -> str:
        return repr(self.visible())

    def __bool__(self) -> bool:
        return bool(self._get())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HiddenTable) and self._get() == other._get()

    def __hash__(self) -> int:
        return hash(frozenset(self._get().items()))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("Headers and query fields may hold keys and are not pickled.")

    def visible(self) -> dict[str, str]:
        """The names; of the values only those that name a variable."""
        return {name: value if _VARIABLE.fullmatch(value) else MASK for name, value in self._get().items()}

    def reveal(self) -> dict[str, str]:
        """Names and values as they were given, for the settings file."""
        return self._get()

    def bound(self, host: str) -> HiddenTable:
        """The same, for this host if it was for none yet."""
        return self if self.host else HiddenTable(self._get(), host)

    def filled_from(self, before: HiddenTable) -> HiddenTable:
        """The same, with the values of before where only the mask came back, as from the Settings tab."""
        values, known = self._get(), before._get()
        return HiddenTable({name: known.get(name, "") if each == MASK else each for name, each in values.items()})

    def expanded(self, variable: Callable[[str], str]) -> dict[str, SecretStr]:
        """The values as they are sent.

        Args:
            variable: Gives a variable of the environment; "" when it is not set.

        Raises:
            SettingsError: A variable is not set, or holds what cannot be sent.
        """
        return {name: _expanded(name, value, variable) for name, value in self._get().items()}


def headers_table(value: Any) -> HiddenTable:
    """Headers, checked.

    Raises:
        ValueError: One of them is none, or is set by Rustbot itself.
    """
    table = _table(value)
    for name, text in table.reveal().items():
        if not _HEADER_NAME.fullmatch(name) or not (_HEADER_VALUE.fullmatch(text) or text == MASK):
            raise ValueError(f"{name[:40]!r} is not a header with a value of plain characters")
        if name.lower() in _NOT_OURS_TO_GIVE:
            raise ValueError(f"{name!r} is set by Rustbot itself")
    return table


def query_table(value: Any) -> HiddenTable:
    """Fields of a query, checked.

    Raises:
        ValueError: They are none.
    """
    return _table(value)


def _table(value: Any) -> HiddenTable:
    if isinstance(value, HiddenTable):
        return value
    if not isinstance(value, Mapping) or len(value) > _MOST:
        raise ValueError(f"it is a table of at most {_MOST} texts")
    for name, text in value.items():
        is_text = isinstance(name, str) and isinstance(text, str) and name.isprintable() and text.isprintable()
        if not is_text or not name or len(name) > 100 or len(text) > 4096:
            raise ValueError('it is a table of texts, such as {"api-key": "${AZURE_KEY}"}')
    return HiddenTable(value)


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.fullmatch(value))


def _expanded(name: str, value: str, variable: Callable[[str], str]) -> SecretStr:
    def replaced(match: re.Match[str]) -> str:
        found = variable(match[1])
        if not found:
            raise SettingsError(f"{name!r} needs the variable {match[1]!r}, which is not set. Set it before you ask.")
        if not _HEADER_VALUE.fullmatch(found):
            raise SettingsError(f"The variable {match[1]!r} of {name!r} holds characters that cannot be sent.")
        REDACTOR.add(SecretStr(found))
        return found

    return SecretStr(_VARIABLE.sub(replaced, value))
