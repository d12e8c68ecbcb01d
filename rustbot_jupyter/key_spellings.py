"""The spellings in which a key can stand in a text: whoever masks it must find all of them."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote

_SHORTEST = 8
_LONGER_THAN_WORDS = 20


def spellings(key: str) -> frozenset[str]:
    """The key as it is, and as JSON, addresses, HTML, Python and base64 text hold it."""
    raw = key.encode()
    percent = quote(key, safe="")
    forms = {
        key,
        percent,
        percent.lower(),
        re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), percent),
        "".join(f"%{byte:02X}" for byte in raw),
        "".join(f"%{byte:02x}" for byte in raw),
        json.dumps(key)[1:-1],
        json.dumps(json.dumps(key)[1:-1])[1:-1],
        json.dumps(key)[1:-1].replace("/", "\\/"),
        "".join(f"\\u{ord(char):04x}" for char in key),
        html.escape(key),
        repr(key)[1:-1],
    }
    for shift in range(3):
        encoded = _base64_core(raw, shift)
        forms |= {encoded, encoded.replace("+", "-").replace("/", "_"), quote(encoded, safe="")}
    return frozenset(forms)


def is_unmistakable(key: str) -> bool:
    """True if a text that holds the key means the key; the placeholders of local servers ("lm-studio") are words."""
    has_digit, has_letter = any(char.isdigit() for char in key), any(char.isalpha() for char in key)
    return len(key) >= _LONGER_THAN_WORDS or (len(key) >= _SHORTEST and has_digit and has_letter)


def _base64_core(raw: bytes, shift: int) -> str:
    """The characters that stand for `raw` in any base64 text in which `shift` bytes (modulo 3) come before it."""
    encoded = base64.b64encode(b"\0" * shift + raw).decode()
    start = (0, 2, 3)[shift]
    end = (shift + len(raw)) * 8 // 6
    return encoded[start:end]
