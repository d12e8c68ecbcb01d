"""The proxy before an address, by the environment's variables, and the variable that says so."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from rustbot_jupyter.this_machine import is_this_machine

_SCHEMES = ("http", "https", "socks5", "socks5h")
_OF_SYSTEM = "the system's settings"


class BadProxy(Exception):
    """A proxy's address cannot be used; `str` is a sentence that names its variable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """A proxy, and where it is set."""

    url: str = field(repr=False)
    """With the login, if there is one."""
    variable: str
    """HTTPS_PROXY, all_proxy, ...; or "the system's settings"."""

    @property
    def shown(self) -> str:
        """The address without a login."""
        parts = self.parts
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def parts(self) -> SplitResult:
        """The parts of its address."""
        return urlsplit(self.url)

    @property
    def is_secure(self) -> bool:
        """True if the way to the proxy itself is encrypted."""
        return self.parts.scheme == "https"

    @property
    def has_login(self) -> bool:
        """True if the variable holds a user name."""
        return bool(self.parts.username)

    @property
    def login(self) -> tuple[str, str] | None:
        """User name and password, decoded."""
        parts = self.parts
        return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> Proxy | None:
    """The proxy for an address; None when it is asked directly, as this machine always is.

    Raises:
        BadProxy: A variable holds no address of a proxy.
    """
    parts = urlsplit(url)
    host, scheme = parts.hostname or "", parts.scheme.lower()
    if not host or is_this_machine(host):
        return None
    # Small letters win, as everywhere.
    names = [spelled for name in (f"{scheme}_proxy", "all_proxy") for spelled in (name, name.upper())]
    name = next((name for name in names if environ.get(name, "").strip()), None)
    if name is None:
        return _system_proxy(scheme, host) if environ is os.environ else None
    no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if is_excepted(host, parts.port or {"http": 80, "https": 443}.get(scheme), no_proxy):
        return None
    return _proxy(environ[name].strip(), name)


def is_excepted(host: str, port: int | None, no_proxy: str) -> bool:
    """True if NO_PROXY names the host: by name, end of a name, address, network, each with or without a port.

    Entries that cannot be read name nothing.
    """
    host = host.lower().strip("[]").removesuffix(".")
    return any(_names(entry, host, port) for entry in re.split(r"[,\s]+", no_proxy.lower()) if entry)


def _names(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    network = _network(entry)
    if network is None and (match := re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d{1,5})", entry)):
        if int(match[2]) != port:
            return False
        entry = match[1]
        network = _network(entry)
    if network is not None:
        try:
            return ip_address(host) in network
        except ValueError:
            return False
    name = entry.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    address, slash, length = entry.partition("/")
    try:
        return ip_network(f"{address.strip('[]').partition('%')[0]}{slash}{length.strip('[]')}", strict=False)
    except ValueError:
        return None


def _proxy(address: str, variable: str) -> Proxy:
    if "://" not in address:
        address = f"http://{address}"
    try:
        parts = urlsplit(address)
        _ = parts.port
        is_usable = parts.scheme.lower() in _SCHEMES and bool(parts.hostname) and not re.search(r"\s", address)
    except ValueError:
        is_usable = False
    if not is_usable:
        raise BadProxy(f"{variable} holds no address of a proxy such as 'http://proxy.example:3128'.")
    return Proxy(url=address, variable=variable)


def _system_proxy(scheme: str, host: str) -> Proxy | None:
    if sys.platform not in ("darwin", "win32"):
        return None
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get(scheme)
    return None if not address or proxy_bypass(host) else _proxy(address, _OF_SYSTEM)
