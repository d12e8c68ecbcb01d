"""Fetches a page: from a checked address, without a trace of the user. Imported with the first fetch only: httpx is
slow to load."""

from __future__ import annotations

import asyncio
import codecs
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

import httpcore

from rustbot_jupyter import __version__
from rustbot_jupyter.certificates import BadCertificates, trusted
from rustbot_jupyter.errors import ToolError, ToolTimeout
from rustbot_jupyter.proxies import Proxy
from rustbot_jupyter.tools.addresses import IPAddress, Reach, WebAddress, shown
from rustbot_jupyter.tools.short_text import clip_quietly
from rustbot_jupyter.tools.tunnels import proxy_before, tunnel
from rustbot_jupyter.tools.workers import in_worker
from rustbot_jupyter.unpacking import ACCEPTED, Unpacker

MAX_HOPS = 5
MAX_BYTES = 5_000_000
"""Of a body, unpacked. A longer one is cut."""
_MOST_ADDRESSES = 3
_CONNECT_S = 3.0
"""Longest wait for one address of a host, so that a broken one leaves time for the next."""
_REDIRECTS = (301, 302, 303, 307, 308)
_TEXT = re.compile(
    r"text/.+|application/(?:.+\+)?(?:json|xml|yaml|x-yaml|toml|javascript|ecmascript|x-ndjson|sql|x-sh|x-tex)|"
    r"image/svg\+xml"
)
_HTML = ("text/html", "application/xhtml+xml")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-z0-9_.:-]{1,40})", re.IGNORECASE)
# Python knows more, among them some that take minutes for a page.
_CODECS = re.compile(
    r"utf-8|utf-16(?:-[lb]e)?|ascii|iso8859-\d+|cp\d+|koi8-[rtu]|gb\w+|big5\w*|euc_\w+|iso2022_\w+|shift_jis\w*|mac-\w+"
)
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError)


@dataclass(kw_only=True)
class Page:
    """The content of an address, as far as it came."""

    url: str
    """Where it was found, after redirects."""
    media_type: str
    text: str = ""
    """"" for what is no text."""
    is_text: bool = True
    size: int | None = None
    """Bytes as the server says, for what was not read; None when it does not say."""
    note: str = ""
    """Why a part is missing; "" for a whole page."""

    @property
    def is_html(self) -> bool:
        """True if the text is HTML."""
        return self.media_type in _HTML


async def fetch(url: str, reach: Reach) -> Page:
    """The page at an address. Redirects within its site are followed.

    No cookie, key or referrer is sent. A proxy of the environment is asked for the checked address only.

    Raises:
        ToolTimeout: Nothing came in time. What did come is kept, with a note.
        ToolError: The address is not allowed, or there is no page.
    """
    arriving = _Arriving()
    address = reach.read(url)
    try:
        async with asyncio.timeout(reach.longest_s):
            await _follow(address, reach, arriving)
    except TimeoutError:
        if not arriving.data:
            raise ToolTimeout(f"{shown(url)} did not answer within {reach.longest_s:g} s. Try another page.") from None
        arriving.note = f"only what came within {reach.longest_s:g} s"
    return await in_worker(arriving.page)


async def _follow(address: WebAddress, reach: Reach, arriving: _Arriving) -> None:
    for _ in range(MAX_HOPS + 1):
        async with _response(address, reach) as response:
            headers = _Headers(response.headers)
            location = headers.get("location")
            if response.status not in _REDIRECTS or not location:
                await _receive(address, response, headers, arriving)
                return
        address = _next_hop(address, location, reach)
    raise ToolError(f"{shown(str(address))} was reached after more than {MAX_HOPS} redirects. Try another page.")


def _next_hop(address: WebAddress, location: str, reach: Reach) -> WebAddress:
    try:
        following = reach.read(urljoin(str(address), location))
    except ValueError:
        raise ToolError(f"{shown(str(address))} leads to no address: {shown(location)}. Try another page.") from None
    # Who allowed an address has allowed its site, and not all that its redirects may reach with data in the address.
    if not is_same_site(address, following):
        raise ToolError(
            f"{shown(str(address))} leads to another site: {clip_quietly(str(following), 2_000)!r}. "
            "If that is what you want, fetch that address."
        )
    return following


def is_same_site(one: WebAddress, other: WebAddress) -> bool:
    """True if two addresses have one owner, as far as names tell, and the second is no less protected."""
    is_downgrade = one.scheme == "https" and other.scheme == "http"
    is_same_port = one.port == other.port or {one.port, other.port} == {80, 443}
    return one.host.removeprefix("www.") == other.host.removeprefix("www.") and is_same_port and not is_downgrade


@asynccontextmanager
async def _response(address: WebAddress, reach: Reach) -> AsyncIterator[httpcore.Response]:
    addresses = await reach.addresses_of(address)
    backend = _PinnedBackend(addresses, proxy_before(address, addresses))
    certificates = await _certificates() if address.scheme == "https" else None
    # Not of text: nobody else may read the address once more, and differently.
    url = httpcore.URL(
        scheme=address.scheme.encode(), host=address.host.encode(), port=address.port, target=address.target.encode()
    )
    pool = httpcore.AsyncConnectionPool(ssl_context=certificates, network_backend=backend)
    try:
        async with pool, pool.stream("GET", url, headers=_request_headers(address)) as response:
            yield response
    except _BROKEN as error:
        raise ToolError(
            f"{shown(address.origin)} gave no page: {_reason(error)}. Try later, or another page."
        ) from error


async def _certificates() -> ssl.SSLContext:
    try:
        return await in_worker(trusted)
    except BadCertificates as error:
        raise ToolError(f"The certificates of {error} cannot be read. Correct or unset that variable.") from error


def _request_headers(address: WebAddress) -> list[tuple[str, str]]:
    return [
        ("Host", address.netloc),
        ("User-Agent", f"rustbot-jupyter/{__version__}"),
        ("Accept", "text/html, text/plain;q=0.9, */*;q=0.5"),
        ("Accept-Encoding", ACCEPTED),
        ("Connection", "close"),
    ]


def _reason(error: Exception) -> str:
    said = clip_quietly(str(error), 150)
    return f"{said} ({type(error).__name__})" if said else type(error).__name__


class _PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever the name means by now."""

    def __init__(self, addresses: Iterable[IPAddress], proxy: Proxy | None) -> None:
        self._hosts = [str(address) for address in addresses][:_MOST_ADDRESSES]
        self._proxy = proxy
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes one; through the proxy, if there is one, to the first of all."""
        if self._proxy is not None:
            return await tunnel(self._inner, self._proxy, self._hosts[0], port)
        *firsts, last = self._hosts
        for each in firsts:
            try:
                return await self._inner.connect_tcp(each, port, timeout=_CONNECT_S)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(last, port, timeout=timeout)


class _Headers:
    """The headers of a response: the first of each name."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            self._values.setdefault(name.decode("latin-1").lower(), _header_text(value))

    def get(self, name: str) -> str:
        """Its value; "" when there is none."""
        return self._values.get(name, "")


def _header_text(value: bytes) -> str:
    try:
        return value.decode().strip()
    except UnicodeDecodeError:
        return value.decode("latin-1").strip()


async def _receive(address: WebAddress, response: httpcore.Response, headers: _Headers, arriving: _Arriving) -> None:
    if response.status // 100 != 2:
        raise ToolError(f"{shown(str(address))} answered {_status_text(response.status)}. Try another page.")
    arriving.begin(str(address), headers)
    if not arriving.is_text:
        return
    try:
        unpacker = Unpacker(headers.get("content-encoding"))
        async for piece in response.aiter_stream():
            if not arriving.take(unpacker, piece):
                return
    except ValueError as error:
        raise ToolError(f"{shown(str(address))} cannot be unpacked ({error}). Try another page.") from error
    except _BROKEN as error:
        if not arriving.data:
            raise
        arriving.note = f"the connection broke: {_reason(error)}"


def _status_text(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


@dataclass(kw_only=True)
class _Arriving:
    """A page while it comes in."""

    url: str = ""
    media_type: str = ""
    charset: str = ""
    size: int | None = None
    data: bytearray = field(default_factory=bytearray)
    note: str = ""

    def begin(self, url: str, headers: _Headers) -> None:
        """Take the head of the answer."""
        content_type, length = headers.get("content-type"), headers.get("content-length")
        self.url = url
        self.media_type = clip_quietly(content_type.partition(";")[0].strip().lower(), 80)
        named = _CHARSET.search(content_type)
        self.charset = named[1] if named else ""
        self.size = int(length) if re.fullmatch("[0-9]{1,15}", length) else None

    @property
    def is_text(self) -> bool:
        """True if it says that it is text. Without a word about it, its bytes decide."""
        return not self.media_type or _TEXT.fullmatch(self.media_type) is not None

    def take(self, unpacker: Unpacker, piece: bytes) -> bool:
        """Take the next piece of the body; False when that is enough."""
        # One byte more tells a page that just fits from a longer one.
        self.data += unpacker.feed(piece, MAX_BYTES + 1 - len(self.data))
        if len(self.data) <= MAX_BYTES:
            return True
        del self.data[MAX_BYTES:]
        self.note = f"only the first {MAX_BYTES:,} bytes"
        return False

    def page(self) -> Page:
        """Return what came, as text where it is text."""
        data = bytes(self.data)
        codec = _bom_codec(data)
        if not self.is_text or (codec is None and b"\0" in data[:4_096] and not self.charset.lower().startswith("utf")):
            return Page(url=self.url, media_type=self.media_type, is_text=False, size=self.size)
        media_type = self.media_type or ("text/html" if _looks_like_html(data) else "text/plain")
        if codec is None and not self.charset and media_type in _HTML:
            named = _CHARSET.search(data[:2_048].decode("latin-1"))
            self.charset = named[1] if named else ""
        text = _decoded(data, codec or _codec(self.charset))
        return Page(url=self.url, media_type=media_type, text=text, note=self.note)


def _looks_like_html(data: bytes) -> bool:
    return re.match(rb"\s*<(?:!doctype html|html|head|body)\b", data[:512], re.IGNORECASE) is not None


def _bom_codec(data: bytes) -> str | None:
    return next((codec for bom, codec in _BOMS.items() if data.startswith(bom)), None)


def _codec(charset: str) -> str | None:
    """Python's name of a character set; None for one that pages are not written in."""
    try:
        name = codecs.lookup(charset).name if charset else ""
    except (LookupError, ValueError):
        return None
    # What says Latin-1 is read as its larger sibling: https://encoding.spec.whatwg.org/#names-and-labels
    name = "cp1252" if name in ("iso8859-1", "ascii") else name
    return name if _CODECS.fullmatch(name) else None


def _decoded(data: bytes, codec: str | None) -> str:
    if codec is not None:
        return data.decode(codec, errors="replace").removeprefix("\ufeff")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        # A page that was cut may end within a character.
        is_only_cut = error.start > len(data) - 4 and error.start > 0
        return data.decode("utf-8" if is_only_cut else "cp1252", errors="replace")
