"""Characters that nobody sees: those that hide words from a reader's eye, and halves that no UTF-8 can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_JOINING = r"\u200c\u200d\ufe00-\ufe0f"
# Tag characters, zero width, marks of direction, fillers: a model reads what they spell. Joiners and variation
# selectors stay where writing needs them, one or two beside letters beyond ASCII; a row of them can spell a text, too.
_HIDDEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0]"
    r"|[\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    rf"|(?:^|(?<=[\x00-\x7f]))[{_JOINING}]+|[{_JOINING}]{{3,}}|[\u200c\u200d](?=[\x00-\x7f]|$)"
)
_HALF = re.compile(r"[\ud800-\udfff]")


def without_hidden(text: str) -> str:
    """The text without characters that show nothing and could carry words of their own."""
    return text if text.isascii() else _HIDDEN.sub("", text)


def without_halves(text: str) -> str:
    """The text with pairs of halves joined and lone ones as U+FFFD, so that it can be written as UTF-8."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def data_without_halves(data: Any, depth: int = 20) -> Any:
    """A copy of JSON-like data without halves of characters."""
    if isinstance(data, str):
        return without_halves(data)
    if depth and isinstance(data, Mapping):
        items = data.items()
        return {data_without_halves(key, 0): data_without_halves(value, depth - 1) for key, value in items}
    if depth and isinstance(data, list | tuple):
        return [data_without_halves(item, depth - 1) for item in data]
    return data


_EXACT = frozenset({"enum", "const", "default", "pattern", "$ref", "required"})


def schema_without_hidden(schema: Any, depth: int = 50) -> Any:
    """A JSON Schema whose words, but no value that a call must repeat, are without hidden characters."""
    if isinstance(schema, str):
        return without_hidden(schema)
    if depth and isinstance(schema, Mapping):
        return {
            key: value if key in _EXACT else schema_without_hidden(value, depth - 1) for key, value in schema.items()
        }
    if depth and isinstance(schema, list | tuple):
        return [schema_without_hidden(item, depth - 1) for item in schema]
    return schema
