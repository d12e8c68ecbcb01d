"""API keys as people paste them: what is only around them, and what makes a text no key."""

from __future__ import annotations

import re
import unicodedata

_USABLE = re.compile(r"[!-~]{1,4096}")
_VARIABLE = re.compile(r"(?:export\s+|set\s+)?\$?\{?[A-Za-z_]\w*KEY\}?\s*[=:]", re.IGNORECASE)
_BEARER = re.compile(r"(?:authorization\s*:\s*)?bearer\b", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{?\w+\}?|%\w+%|\$env:\w+|\{\{.*\}\}", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"<.*>|.*\.\.\..*|.*…|.*\byour?[-_ ]?(?:\w+[-_ ])*(?:api|key|token)\b.*|.*[-_ ]key[-_ ]here|(?:sk-)?(?:\w+-)*x{6,}",
    re.IGNORECASE,
)
_CURLY = "“”„‟‘’‚‛«»"


def unquoted(text: str) -> str:
    """The text without the space around it, and without one pair of quotation marks around all of it.

    Docker's `--env-file` and others hand on the marks of a line `NAME="value"`.
    """
    text = text.strip()
    for mark in "\"'`":
        if len(text) > 1 and text[0] == text[-1] == mark and mark not in text[1:-1]:
            return text[1:-1].strip()
    return text


def fault_of(key: str) -> str:
    """Return why the text is no key, to stand behind "The API key"; "" when it may be one. Never repeats any of it."""
    invisible = next((char for char in key if unicodedata.category(char) in ("Cf", "Cc") and not char.isspace()), "")
    if not key:
        return "is empty"
    if _BEARER.match(key):
        return "begins with 'Bearer', which belongs to the request"
    if _VARIABLE.match(key):
        return "has the name of a variable in front of it"
    if invisible:
        return f"has a character in it that cannot be seen (U+{ord(invisible):04X})"
    if key[0] in _CURLY or key[-1] in _CURLY:
        return "stands in curly quotation marks"
    if _REFERENCE.fullmatch(key):
        return "is the name of a variable and not its value"
    if _PLACEHOLDER.fullmatch(key):
        return "is a placeholder from an example"
    if any(char.isspace() for char in key):
        return "has a blank or a line break in it"
    if (key[0] in "\"'") != (key[-1] in "\"'"):
        return "has a quotation mark at one end only"
    if len(key) > 4096:
        return "is too long for one"
    return "" if _USABLE.fullmatch(key) else "has other characters in it than plain letters, digits and signs"
