"""Values that are secret because of the name they stand under: `db_password`, `"apiKey": "…"`, `TOKEN=…`.

A name is secret by its last words, so that `password_length`, `max_tokens` and `primary_key` are none. Passwords and
secrets are hidden whatever they are; a token only when it looks like one, as words of a text are tokens, too.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Any

from rustbot_jupyter.key_forms import REDACTED


class Secrecy(Enum):
    """The degree to which a name tells of a secret."""

    NONE = "none"
    PERHAPS = "perhaps"
    """The value is secret if it looks so."""
    CERTAIN = "certain"


_CERTAIN = frozenset(
    {
        *("password", "passwords", "passwd", "passphrase", "passphrases", "secret", "secrets"),
        *("credential", "credentials", "authorization", "apikey", "apikeys"),
        *("accesskey", "secretkey", "privatekey", "accountkey", "authkey"),
    }
)
_PERHAPS = frozenset({"token", "pass", "pwd"})
_KINDS_OF_KEYS = (
    *("api", "access", "secret", "private", "account", "auth", "encryption", "signing", "master", "session"),
    *("storage", "shared", "subscription", "service", "consumer", "client", "license", "deploy"),
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PATHS = ("/", "~", ".", "\\", "<", "[")
_PLACEHOLDER = re.compile(r"[*•.xX_\s-]*|[<{$%[].*|None|none|null|true|false|True|False", re.DOTALL)
_LONGEST_NAME = 200
_LONGEST_ROW_NUMBER = 2**63


@lru_cache(4_096)
def secrecy(name: str) -> Secrecy:
    """Return what a name of a variable, field, column or setting tells of its value."""
    words = [word.lower() for word in _WORDS.findall(name[-_LONGEST_NAME:])]
    if not words:
        return Secrecy.NONE
    last = words[-1]
    if last in _CERTAIN or (last in ("key", "keys") and words[-2:-1] and words[-2] in _KINDS_OF_KEYS):
        return Secrecy.CERTAIN
    # The folder that a shell is in is no password.
    return Secrecy.PERHAPS if last in _PERHAPS and name not in ("PWD", "OLDPWD") else Secrecy.NONE


def is_secret(name: object, value: Any) -> bool:
    """True if the value under this name is not for others."""
    if not isinstance(name, str) or value is None or isinstance(value, bool | type) or callable(value):
        return False
    level = secrecy(name)
    if isinstance(value, str | bytes | bytearray):
        text = value if isinstance(value, str) else bytes(value).decode("latin-1")
        return _is_secret_text(level, text)
    return level is Secrecy.CERTAIN and not _is_row_number(name, value)


def _is_row_number(name: str, value: Any) -> bool:
    """True for the `account_key` or `session_key` of a table's row. A key of cryptography is a longer number."""
    if not isinstance(value, numbers.Real) or not _WORDS.findall(name)[-1].lower().startswith("key"):
        return False
    # Of a missing one, NaN, neither is true.
    return not abs(float(value)) >= _LONGEST_ROW_NUMBER


def _is_secret_text(level: Secrecy, text: str) -> bool:
    if level is Secrecy.NONE or _PLACEHOLDER.fullmatch(text):
        return False
    return level is Secrecy.CERTAIN or _looks_secret(text)


def _looks_secret(text: str) -> bool:
    if not 8 <= len(text) <= 10_000 or text.startswith(_PATHS):
        return False
    return not re.search(r"\s", text) and bool(re.search(r"\d", text)) and bool(re.search(r"[A-Za-z]", text))


_NOUNS = ("password", "passwd", "passphrase", "secret", "credential", "authorization", "token", "pwd", "key", "pass")
_KIND_BEFORE = re.compile(rf"(?:{'|'.join(_KINDS_OF_KEYS)})[-_ ]?$", re.IGNORECASE)
# Bounded, as what is no secret is read again at the next name; the rest of what is one is taken afterwards.
_IN_QUOTES = r"(?!(?P=quote))(?:\\[^\n]|[^\n])"
_QUOTED = r"[rbfuRBFU]{0,2}(?P<quote>\\{0,3}(?:\"{3}|'{3}|[\"']))" rf"(?P<quoted>(?:{_IN_QUOTES}){{0,300}}+)"
_NO_BREAK = r"[^\s\"'`,;&<>(){}\[\]|\\]"
_BARE = (
    r"(?P<bare>(?P<scheme>(?:[Bb]asic|[Bb]earer|[Tt]oken|[Dd]igest|[Aa]pi[Kk]ey)[ ])?"
    rf"{_NO_BREAK}{{1,300}}+)(?P<next>.?)"
)
# How a value follows its name: in Python, JSON (also within JSON), YAML, TOML, headers, addresses, XML, commands.
_AFTER = re.compile(
    r"s?\d{0,3}(?:\\{0,3}[\"'])?\]?"
    r"(?:(?::[ ]{0,2}[A-Za-z_][\w.\[\], |\"']{0,40}?)?(?P<sign>[ ]{0,8}(?:=>|[!=]?==|:=|[:=])[ ]{0,8}\n?[ ]{0,8})"
    r"|(?P<tag>>)|(?P<option>[ ]+))"
    rf"(?:{_QUOTED}|{_BARE})"
)
_REST_OF_BARE = re.compile(rf"{_NO_BREAK}*+")
_REST_OF_QUOTED = {quote: re.compile(rf"(?:\\.|[^\\{quote}])*+", re.DOTALL) for quote in ("'", '"')}
_OPTION = re.compile(r"(?:^|\s)--[\w-]*$")
_LOGIN = re.compile(r"\blogin\s+\S+\s+$")
_ENVIRONMENT_LINE = re.compile(r"(?:^|\n)[ ]{0,8}(?:export |set |ENV |\$env:)?[A-Z0-9_]*$")
_BEFORE_CHARS = 80


def without_named_secrets(text: str) -> str:
    """The text with `[redacted]` in the place of values that stand under a secret name."""
    lowered = text.lower()
    # A few letters are longer when they are small.
    if len(lowered) != len(text) or not any(noun in lowered for noun in _NOUNS):
        lowered = _ascii_lowered(text)
    pieces: list[str] = []
    done = 0
    for start, end in _hits(lowered):
        if end > done and (span := _value_span(text, start, end)) is not None and span[0] >= done:
            pieces += (text[done : span[0]], REDACTED)
            done = span[1]
    return "".join([*pieces, text[done:]]) if pieces else text


def _ascii_lowered(text: str) -> str:
    return re.sub("[A-Z]+", lambda match: match[0].lower(), text)


def _hits(lowered: str) -> Iterator[tuple[int, int]]:
    """Return where a secret name may end, in order."""
    found: dict[int, int] = {}
    for noun in _NOUNS:
        place = lowered.find(noun)
        while place >= 0:
            end = place + len(noun)
            following = lowered[end : end + 1]
            if following == "s" or not (following.isalpha() or following == "_"):
                found[end] = min(place, found.get(end, place))
            place = lowered.find(noun, end)
    for end in sorted(found):
        yield found[end], end


def _value_span(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where the value of the name that ends here stands, if it is a secret one."""
    match = _AFTER.match(text, end)
    if match is None:
        return None
    before = text[max(0, start - _BEFORE_CHARS) : start]
    name = re.search(r"[\w-]*$", before)
    level = secrecy((name[0] if name else "") + text[start:end] + ("s" if text[end : end + 1] == "s" else ""))
    if level is Secrecy.NONE and _KIND_BEFORE.search(before) and text[start:end].lower() == "key":
        level = Secrecy.CERTAIN
    if match["quote"] is None:
        is_secret_here = _is_secret_bare(level, match, before, text[start:end])
        return _whole(text, match.span("bare"), _REST_OF_BARE) if is_secret_here else None
    is_value = not match["option"] or _OPTION.search(before)
    if not (is_value and _is_secret_text(level, match["quoted"])):
        return None
    return _whole(text, match.span("quoted"), _REST_OF_QUOTED[match["quote"][-1]])


def _whole(text: str, span: tuple[int, int], rest: re.Pattern[str]) -> tuple[int, int]:
    if span[1] - span[0] < 300:
        return span
    behind = rest.match(text, span[1])
    return span[0], behind.end() if behind is not None else span[1]


def _is_secret_bare(level: Secrecy, match: re.Match[str], before: str, noun: str) -> bool:
    """True if text without quotes is a value, and no piece of code or prose."""
    value = match["bare"]
    if not _is_secret_text(level, value) or match["next"] in ("(", "["):
        return False
    if match["option"]:
        return bool(_OPTION.search(before) or (_LOGIN.search(before) and noun == "password")) and value[0] != "-"
    if match["tag"]:
        return match["next"] == "<"
    if noun.isupper() and match["sign"] == "=" and _ENVIRONMENT_LINE.search(before):
        return True
    if match["scheme"]:
        return level is Secrecy.CERTAIN
    is_code = match["next"] in (",", ")") and re.fullmatch(r"[A-Za-z_][\w.]*", value) is not None
    return not is_code and len(value) >= 4 and bool(re.search(r"[\d!@#$%^*+?~]", value))
