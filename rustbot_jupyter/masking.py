"""Secrets taken out of what Rustbot itself puts into a request: descriptions, tracebacks, results of tools.

Known by their form, by the name they stand under, as the password of an address, or because the environment of this
process holds them under such a name. What the user types is never masked. Live keys are the redactor's.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from rustbot_jupyter.key_forms import REDACTED, without_keys
from rustbot_jupyter.secret_names import is_secret, without_named_secrets

SHORTEST_VALUE = 8
"""Shorter values would be found in ordinary words."""

# `scheme://user:password@host`, and a token alone before the host. Templates hold no password.
_ADDRESS = re.compile(
    r"(?P<kept>://(?:[^\s:/@\"'<>]{0,100}:(?=[^\s/\"'<>]{1,300}@)(?![{$<*\[])|(?=[A-Za-z0-9_-]{20,200}@)))"
    r"[^\s/\"'<>]{1,300}(?=@)"
)


def masked(text: str, namespace: Mapping[str, Any] | None = None) -> str:
    """The text without secrets, as it may go into a request.

    Args:
        text: Anything.
        namespace: The user's variables; what stands under a secret name there is taken out wherever it turns up.
    """
    for value in _named_secrets(os.environ, namespace or {}):
        if value in text:
            text = text.replace(value, REDACTED)
    text = without_keys(text)
    if "://" in text and "@" in text:
        text = _ADDRESS.sub(lambda match: match["kept"] + REDACTED, text)
    return without_named_secrets(text)


def _named_secrets(*places: Mapping[str, Any]) -> list[str]:
    """Texts under secret names, as they are and as literals hold them, long ones first."""
    secrets = [
        value
        for place in places
        for name, value in list(place.items())
        if isinstance(value, str) and len(value) >= SHORTEST_VALUE and is_secret(name, value)
    ]
    forms = {form for value in secrets for form in (value, repr(value)[1:-1], json.dumps(value)[1:-1])}
    return sorted(forms, key=len, reverse=True)


def is_environment(value: Any) -> bool:
    """True if a mapping is the environment, a copy or a part of it, or the content of an `.env` file."""
    if value is os.environ:
        return True
    if not isinstance(value, Mapping) or not value or len(value) > 10_000:
        return False
    items = list(value.items())
    if not all(isinstance(name, str) and isinstance(each, str | None) for name, each in items):
        return False
    shared = sum(1 for name, each in items if each is not None and os.environ.get(name) == each)
    if shared * 2 >= len(items):
        return True
    are_constants = all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name, _ in items)
    return are_constants and any(is_secret(name, each) for name, each in items)
