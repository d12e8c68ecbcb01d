"""Whom a client talks to, as errors name it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from rustbot_jupyter.proxies import Proxy

if TYPE_CHECKING:
    from rustbot_jupyter.llm.key_mask import KeyMask

OPENROUTER_HOST = "openrouter.ai"
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The host, and what a sentence about its failures needs to know."""

    host: str
    """Name and port, without user or password."""
    is_local: bool
    """On this machine."""
    has_key: bool
    """A key was given."""
    sends_key: bool
    """It is sent; a key never goes over plain http to another machine."""
    redact: Callable[[str], str]
    """Masks keys in a text of the provider."""
    mask: KeyMask | None = None
    """Takes live keys out of answers; None where there are none."""
    model: str = ""
    proxy: Proxy | None = None
    """What stands before it."""

    @property
    def name(self) -> str:
        """The host without its port."""
        name, _, port = self.host.rpartition(":")
        return name if port.isdigit() else self.host

    @property
    def is_openrouter(self) -> bool:
        """True if it is OpenRouter itself."""
        return self.host == OPENROUTER_HOST


def split_url(base_url: str) -> SplitResult | None:
    """The parts of a usable http(s) address, or None."""
    try:
        parts = urlsplit(base_url.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def host_name(parts: SplitResult) -> str:
    """Name, and port unless it is the usual one: "openrouter.ai", "localhost:11434"."""
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return name if parts.port in (None, _USUAL_PORTS[parts.scheme]) else f"{name}:{parts.port}"
