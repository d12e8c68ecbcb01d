"""Addresses that a page may be fetched from: a host is read in every notation there is, and must be public."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, unquote

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.short_text import clip_quietly
from rustbot_jupyter.tools.workers import in_worker

IPAddress = IPv4Address | IPv6Address
Resolve = Callable[[str], Sequence[str]]
"""The IP addresses of a host name; may block."""

WEB_PORTS = frozenset({80, 443, 8080, 8443})
MAX_URL_CHARS = 4_000
_USUAL_PORTS = {"http": 80, "https": 443}

# https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast.
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            # Azure's metadata and health service, within public space.
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_GLOBAL_UNICAST_6 = IPv6Network("2000::/3")
# https://www.iana.org/assignments/iana-ipv6-special-registry: Teredo and its like, documentation, 6to4.
_NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class WebAddress:
    """An http(s) address as it will be asked for."""

    scheme: str
    host: str
    """A name in ASCII, or an IP address in its usual notation, without brackets."""
    port: int
    target: str
    """Path and query, percent-encoded, without `.` and `..`."""

    @property
    def ip(self) -> IPAddress | None:
        """The IP address, when the host is one."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def netloc(self) -> str:
        """The host, and the port unless it is the usual one."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _USUAL_PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: "https://example.org"."""
        return f"{self.scheme}://{self.netloc}"

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def is_public(address: IPAddress) -> bool:
    """True if an address is one of the public internet, for one receiver, and not this machine's or network's own."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if (inner := _ipv4_within(address)) is not None:
        return is_public(inner)
    is_unicast = address in _GLOBAL_UNICAST_6 and address.scope_id is None
    return is_unicast and not any(address in network for network in _NOT_PUBLIC_6)


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that the system or a NAT64 gateway makes of it; None when it stays what it is."""
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address.ipv4_mapped


def resolve_by_system(host: str) -> Sequence[str]:
    """The IP addresses of a host name, as the system knows them."""
    import socket

    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    # UnicodeError: a label that no name server could be asked for.
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The places that a fetch may connect to, and the time it may take."""

    resolve: Resolve = resolve_by_system
    is_allowed: Callable[[IPAddress], bool] = is_public
    ports: frozenset[int] = WEB_PORTS
    longest_s: float = 10.0
    """For everything: names, all redirects, the whole body."""

    def read(self, url: str) -> WebAddress:
        """The address that a text means; asks no name server.

        Raises:
            ToolError: It is no http(s) address, or one that is never fetched.
        """
        address = read_address(url)
        if address.port not in self.ports:
            ports = ", ".join(map(str, sorted(self.ports)))
            raise ToolError(
                f"{shown(url)} asks for port {address.port}. Pages are fetched from the ports {ports} only."
            )
        if address.ip is not None:
            self._check(address, address.ip)
        return address

    async def addresses_of(self, address: WebAddress) -> list[IPAddress]:
        """Return where to connect to: every IP address of the host, each of them allowed.

        Raises:
            ToolError: There is none, or one is not allowed.
        """
        texts = [address.host] if address.ip else await in_worker(lambda: self.resolve(address.host))
        found = [ip_address(text) for text in texts]
        if not found:
            raise ToolError(f"There is no host {shown(address.host)}. Check the spelling of the address.")
        for each in found:
            self._check(address, each)
        return found

    def _check(self, address: WebAddress, ip: IPAddress) -> None:
        if not self.is_allowed(ip):
            named = shown(address.host) if address.host == str(ip) else f"{shown(address.host)} ({ip})"
            raise ToolError(
                f"{named} is not on the public internet. Pages of this machine and of private networks are not fetched."
            )


def read_address(url: str) -> WebAddress:
    """The address that a text means, however it is spelled.

    Raises:
        ToolError: It is no http(s) address, or one that programs read in different ways.
    """
    url = url.strip()
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ToolError(f"{shown(url)} is not a web address. Give the whole of it, beginning with https:// or http://.")
    if len(url) > MAX_URL_CHARS:
        raise ToolError(f"{shown(url)} is longer than {MAX_URL_CHARS:,} characters. Give a shorter address.")
    if _FORBIDDEN.search(url):
        raise ToolError(f"{shown(url)} holds spaces, backslashes or control characters. Percent-encode or remove them.")
    scheme, authority, path, query = parts[1].lower(), parts[2], parts[3], parts[4] or ""
    if "@" in unquote(authority):
        raise ToolError(f"{shown(url)} holds a user name or password. Give the address without it.")
    named = _AUTHORITY.fullmatch(authority)
    if named is None or not named[1]:
        raise ToolError(f"{shown(url)} names no host that can be read. Check the part after '{scheme}://'.")
    port = int(named[2]) if named[2] else _USUAL_PORTS[scheme]
    return WebAddress(scheme=scheme, host=_read_host(named[1], url), port=port, target=_read_target(path, query))


def shown(text: str) -> str:
    """A text of others in quotes, on one line, cut when it is long."""
    return repr(clip_quietly(text, 200))


def _read_host(host: str, url: str) -> str:
    try:
        if host.startswith("["):
            return _read_ipv6(host[1:-1])
        name = _ascii(unquote(host, errors="strict")).removesuffix(".")
        if _NUMBER.fullmatch(name.rpartition(".")[2]):
            return str(_read_ipv4(name))
        if not _NAME.fullmatch(name):
            raise ValueError("no host name")
        return name
    except ValueError as error:
        raise ToolError(f"{shown(url)} names no host that can be read. Check {shown(host)}.") from error


def _ascii(name: str) -> str:
    """A name in small ASCII letters: full-width digits, other dots and other alphabets as browsers read them."""
    if name.isascii():
        return name.lower()
    import idna

    return idna.encode(name, uts46=True).decode()


def _read_ipv4(text: str) -> IPv4Address:
    """An IPv4 address of one to four numbers, each decimal, octal or hexadecimal, the last one filling the rest.

    https://url.spec.whatwg.org/#concept-ipv4-parser
    """
    numbers = [_read_number(part) for part in text.split(".")]
    *heads, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in heads) or last >= 256 ** (5 - len(numbers)):
        raise ValueError("no IPv4 address")
    return IPv4Address(sum(number << 8 * (3 - index) for index, number in enumerate(heads)) + last)


def _read_number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        raise ValueError("no number")
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if text.startswith("0") else int(text)


def _read_ipv6(text: str) -> str:
    # A zone names one of this machine's network cards.
    if "%" in text:
        raise ValueError("an address with a zone")
    return str(IPv6Address(text))


def _read_target(path: str, query: str) -> str:
    safe = "/%:@!$&'()*+,;=~-._"
    plain = re.sub("%2e", ".", quote(path, safe=safe, errors="replace"), flags=re.IGNORECASE)
    return _without_dots(plain) + quote(query, safe=f"{safe}?", errors="replace")


def _without_dots(path: str) -> str:
    """The path with `.` and `..` carried out, so that it is the same for everyone who reads it."""
    kept: list[str] = []
    segments = path.split("/")[1:] or [""]
    for segment in segments:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    is_folder = segments[-1] in (".", "..") and (not kept or kept[-1] != "")
    return "/" + "/".join([*kept, ""] if is_folder and kept else kept)
