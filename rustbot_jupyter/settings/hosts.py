"""Addresses of model servers: what a base URL may look like, whom it names, and whether a key may travel to it."""

from __future__ import annotations

import re

from rustbot_jupyter.this_machine import is_this_machine

OPENROUTER_URL = "https://openrouter.ai/api/v1"
OPENROUTER_HOST = "openrouter.ai"

# Stricter than RFC 3986 on purpose: user names, backslashes and characters outside ASCII are how an address is made to
# look like another one, and HTTP libraries disagree about them.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/[!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def checked_url(text: str) -> str:
    """The base URL without a slash at its end.

    Raises:
        ValueError: It is not a plain http or https address; the text says what is wrong.
    """
    text = text.strip().rstrip("/")
    match = _URL.fullmatch(text)
    if not match or len(text) > 2000 or any(char in text for char in "?#\\"):
        raise ValueError("it is an address such as 'https://openrouter.ai/api/v1', without user name, '?' or '#'")
    if match["port"] and not 0 < int(match["port"]) < 65536:
        raise ValueError("its port is a number from 1 to 65535")
    return text


def host_of(base_url: str) -> str:
    """The host that keys are bound to, with its port unless that is the usual one; "" for something unusable."""
    match = _URL.fullmatch(base_url.strip())
    if not match:
        return ""
    host, scheme = match["host"].lower(), match["scheme"].lower()
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    return host if port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"


def is_loopback(base_url: str) -> bool:
    """True if the address can only mean this machine."""
    match = _URL.fullmatch(base_url.strip())
    return match is not None and is_this_machine(match["host"])


def insecure_http(base_url: str) -> str:
    """A warning for an unencrypted address outside this machine, else ""."""
    if base_url.strip().lower().startswith("https://") or is_loopback(base_url):
        return ""
    return f"{base_url!r} is not encrypted, so no key is sent there; use https, or a server on this machine."
