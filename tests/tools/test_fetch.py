from __future__ import annotations

import asyncio
import base64
import gzip
import os
import select
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from effort import SOON_S
from servers import proxying
from servers.misbehaving import (
    CLOSE,
    HOLD,
    RESET,
    Chunk,
    MisbehavingServer,
    Pause,
    Step,
    body,
    head,
    html,
    redirect,
    refusing_port,
)
from tools.payloads_addresses import FORBIDDEN_HOSTS, LOOPBACK_HOSTS, PRIVATE_ANSWERS, UNREADABLE_URLS

from rustbot_jupyter.errors import ToolError, ToolTimeout
from rustbot_jupyter.tools.addresses import IPAddress, Reach, is_public
from rustbot_jupyter.tools.fetch import MAX_BYTES, Page, fetch
from rustbot_jupyter.unpacking import Unpacker

HOST = "pages.example"


def is_public_or_this_machine(address: IPAddress) -> bool:
    return address == ip_address("127.0.0.1") or is_public(address)


def reach_to(server: MisbehavingServer, resolve: Callable[[str], list[str]] | None = None, **fields: float) -> Reach:
    """Allows the server, and nothing else of this machine."""
    return Reach(
        resolve=resolve or (lambda host: ["127.0.0.1"] if host.endswith(HOST) else []),
        is_allowed=is_public_or_this_machine,
        ports=frozenset({80, 443, server.port}),
        **fields,
    )


async def fetch_from(server: MisbehavingServer, path: str = "/page", **fields: float) -> Page:
    return await fetch(f"http://{HOST}:{server.port}{path}", reach_to(server, **fields))


@contextmanager
def canary(address: str, port: int = 0) -> Iterator[socket.socket]:
    """A listening socket; `was_reached` tells whether anybody knocked."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        yield listener


def was_reached(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], 0)[0])


async def test_a_page_is_fetched_with_its_address_and_type(server: MisbehavingServer) -> None:
    server.on("/page", html(200, "<h1>Hello</h1>"))

    page = await fetch_from(server, "/page?q=1#part")

    assert page.text == "<h1>Hello</h1>"
    assert page.url == f"http://{HOST}:{server.port}/page?q=1"
    assert page.is_html
    assert page.note == ""
    assert server.requests[0].headers["host"] == f"{HOST}:{server.port}"


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
async def test_nothing_on_this_machine_is_reached(host: str) -> None:
    with canary("127.0.0.1") as listener:
        port = listener.getsockname()[1]

        with pytest.raises(ToolError):
            await fetch(f"http://{host}:{port}/", Reach(ports=frozenset({port})))

        assert not was_reached(listener)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "ⓛocalhost"])
async def test_this_machine_is_not_reached_by_name(host: str) -> None:
    with canary("127.0.0.1") as listener:
        port = listener.getsockname()[1]

        with pytest.raises(ToolError, match="public internet"):
            await fetch(f"http://{host}:{port}/", Reach(ports=frozenset({port})))

        assert not was_reached(listener)


async def test_the_canary_would_be_reached_if_it_were_allowed() -> None:
    with canary("127.0.0.1") as listener:
        port = listener.getsockname()[1]
        reach = Reach(ports=frozenset({port}), is_allowed=lambda address: True, longest_s=0.2)

        with pytest.raises(ToolTimeout):
            await fetch(f"http://0x7f.1:{port}/", reach)

        assert was_reached(listener)


def allow_once(address: IPAddress, *, seen: list[IPAddress]) -> bool:
    """The first address whatever it is, then only public ones."""
    seen.append(address)
    return len(seen) == 1 or is_public(address)


def reach_once(server: MisbehavingServer) -> Reach:
    """Lets a fetch in to the server by its name, and then knows no exception."""
    seen: list[IPAddress] = []
    ports = frozenset({80, 443, server.port})
    return Reach(
        resolve=lambda host: ["127.0.0.1"], is_allowed=lambda address: allow_once(address, seen=seen), ports=ports
    )


@pytest.fixture(scope="module")
def page_server() -> Iterator[MisbehavingServer]:
    """One for many tests; each asks for a page of its own."""
    with MisbehavingServer() as running:
        yield running


def asked_for(server: MisbehavingServer, path: str) -> list[str]:
    """What was asked for since the page at this path, that one included."""
    paths = [request.path for request in server.requests]
    return paths[paths.index(path) :]


@pytest.mark.parametrize("number", range(len(FORBIDDEN_HOSTS)), ids=FORBIDDEN_HOSTS)
async def test_no_redirect_leads_inside(page_server: MisbehavingServer, number: int) -> None:
    path = f"/in-{number}"
    location = f"http://{FORBIDDEN_HOSTS[number]}:{page_server.port}/canary"
    page_server.on(path, redirect(location.encode().decode("latin-1")))

    with pytest.raises(ToolError, match=r"public internet|can be read|cannot be read|control characters"):
        await fetch(f"http://{HOST}:{page_server.port}{path}", reach_once(page_server))

    assert asked_for(page_server, path) == [path]


CLEAR_URLS = [url for url in UNREADABLE_URLS if ":" in url and url.isascii() and url.isprintable()]


@pytest.mark.parametrize("number", range(len(CLEAR_URLS)))
async def test_no_redirect_leads_to_what_is_no_clear_address(page_server: MisbehavingServer, number: int) -> None:
    path = f"/un-{number}"
    page_server.on(path, redirect(CLEAR_URLS[number]))

    with pytest.raises(ToolError):
        await fetch(f"http://{HOST}:{page_server.port}{path}", reach_once(page_server))

    assert asked_for(page_server, path)[0] == path
    assert all("canary" not in request.path for request in page_server.requests)


@pytest.mark.parametrize("answers", PRIVATE_ANSWERS, ids=",".join)
async def test_a_name_that_changes_its_mind_leads_nowhere(server: MisbehavingServer, answers: tuple[str, ...]) -> None:
    server.on("/page", redirect("/next"))
    server.on("/next", html(200, "inside"))
    given = iter([["127.0.0.1"], list(answers)])
    seen: list[IPAddress] = []
    reach = Reach(
        resolve=lambda host: next(given),
        is_allowed=lambda address: allow_once(address, seen=seen),
        ports=frozenset({server.port}),
    )

    with pytest.raises(ToolError, match="public internet"):
        await fetch(f"http://{HOST}:{server.port}/page", reach)

    assert [request.path for request in server.requests] == ["/page"]


async def test_the_connection_goes_to_the_address_that_was_checked(server: MisbehavingServer) -> None:
    server.on("/page", html(200, "outside"))
    asked: list[str] = []

    def rebind(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with canary("127.0.0.2", server.port) as listener:
        page = await fetch(f"http://{HOST}:{server.port}/page", reach_to(server, rebind))

        assert page.text == "outside"
        assert asked == [HOST]
        assert not was_reached(listener)


async def test_the_next_address_is_tried_when_one_refuses(server: MisbehavingServer) -> None:
    server.on("/page", html(200, "at last"))
    reach = Reach(
        resolve=lambda host: ["127.0.0.3", "127.0.0.1"], is_allowed=lambda address: True, ports=frozenset({server.port})
    )

    page = await fetch(f"http://{HOST}:{server.port}/page", reach)

    assert page.text == "at last"


async def test_redirects_within_a_site_are_followed(server: MisbehavingServer) -> None:
    server.on("/page", redirect("/a", 301))
    server.on("/a", redirect("b?x=1", 302))
    server.on("/b", redirect(f"//www.{HOST}:{server.port}/c", 303))
    server.on("/c", redirect(f"http://{HOST}:{server.port}/d", 308))
    server.on("/d", redirect("?last", 307), html(200, "found"))

    page = await fetch_from(server)

    assert page.text == "found"
    assert page.url.endswith("/d?last")
    assert [request.method for request in server.requests] == ["GET"] * 6


async def test_a_sixth_redirect_is_one_too_many(server: MisbehavingServer) -> None:
    server.on("/page", lambda request: redirect(f"/page?{len(server.requests)}"))

    with pytest.raises(ToolError, match="more than 5 redirects"):
        await fetch_from(server)

    assert len(server.requests) == 6


async def test_another_site_is_named_and_not_visited(server: MisbehavingServer) -> None:
    server.on("/page", redirect(f"http://other.{HOST}:{server.port}/take?secret=1"))

    with pytest.raises(ToolError, match=rf"leads to another site: 'http://other\.{HOST}:{server.port}/take\?secret=1'"):
        await fetch_from(server)

    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["", "   "])
async def test_a_redirect_to_nowhere_is_an_error(server: MisbehavingServer, location: str) -> None:
    server.on("/page", redirect(location))

    with pytest.raises(ToolError, match="answered 307"):
        await fetch_from(server)


async def test_nothing_of_the_user_is_sent(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.on("/page", body(b"", 302, Location="/next", Set_Cookie="session=1"))
    server.on("/next", html(200, "fine"))
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login user password secret\ndefault login user password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with refusing_port() as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        page = await fetch_from(server)

    assert page.text == "fine"
    for request in server.requests:
        assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert request.body == b""


@pytest.mark.parametrize("status", [204, 304, 401, 403, 404, 418, 429, 500, 503, 599])
async def test_an_error_is_told_by_its_status(server: MisbehavingServer, status: int) -> None:
    server.on("/page", [head(status, chunked=False, Content_Length="0"), CLOSE])

    if status == 204:
        assert (await fetch_from(server)).text == ""
    else:
        with pytest.raises(ToolError, match=f"answered {status}"):
            await fetch_from(server)


async def test_a_silent_page_ends_at_the_limit(server: MisbehavingServer) -> None:
    server.on("/page", HOLD)
    begin = time.monotonic()

    with pytest.raises(ToolTimeout, match=r"did not answer within 0\.3 s"):
        await fetch_from(server, longest_s=0.3)

    assert time.monotonic() - begin < SOON_S
    server.requests[0].wait_closed()


async def test_a_dripping_page_is_kept_as_far_as_it_came(server: MisbehavingServer) -> None:
    def drip() -> Iterator[Step]:
        yield head(content_type="text/plain")
        while True:
            yield Chunk(b"drop ")
            yield Pause(0.02)

    server.on("/page", lambda request: drip())
    begin = time.monotonic()

    page = await fetch_from(server, longest_s=0.5)

    assert page.text.startswith("drop drop")
    assert page.note == "only what came within 0.5 s"
    assert time.monotonic() - begin < SOON_S
    server.requests[0].wait_closed()


async def test_dripping_redirects_share_one_limit(server: MisbehavingServer) -> None:
    server.on("/page", lambda request: [Pause(0.2), *redirect(f"/page?{len(server.requests)}")])

    with pytest.raises(ToolTimeout):
        await fetch_from(server, longest_s=0.5)

    assert len(server.requests) < 5


async def test_a_name_server_that_hangs_ends_at_the_limit(server: MisbehavingServer) -> None:
    is_over = threading.Event()

    def hang(host: str) -> list[str]:
        is_over.wait(20)
        return ["127.0.0.1"]

    with pytest.raises(ToolTimeout):
        await fetch(f"http://{HOST}:{server.port}/page", reach_to(server, hang, longest_s=0.2))
    is_over.set()

    assert server.requests == []


async def test_a_cancel_closes_the_connection(server: MisbehavingServer) -> None:
    server.on("/page", [head(content_type="text/html"), Chunk(b"begin"), HOLD])
    task = asyncio.ensure_future(fetch_from(server))
    await asyncio.to_thread(server.wait_until_held)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.requests[0].wait_closed)


async def test_an_endless_page_is_cut(server: MisbehavingServer) -> None:
    def flood() -> Iterator[Step]:
        yield head(content_type="text/plain")
        while True:
            yield Chunk(b"x" * 100_000)

    server.on("/page", lambda request: flood())

    page = await fetch_from(server)

    assert len(page.text) == MAX_BYTES
    assert page.note == "only the first 5,000,000 bytes"
    await asyncio.to_thread(server.requests[0].wait_closed)


async def test_a_page_that_just_fits_is_whole(server: MisbehavingServer) -> None:
    server.on("/page", body(b"x" * MAX_BYTES, content_type="text/plain"))

    page = await fetch_from(server)

    assert len(page.text) == MAX_BYTES
    assert page.note == ""


def bomb(wbits: int, size: int = 200_000_000) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    piece = b"\0" * 1_000_000
    return b"".join(packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()


BOMBS = {
    "gzip": ("gzip", bomb(31)),
    "zlib": ("deflate", bomb(15)),
    "raw deflate": ("deflate", bomb(-15)),
    "many members": ("gzip", gzip.compress(b"a" * 1_000_000) * 200),
    "empty members": ("gzip", gzip.compress(b"") * 50_000),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_unpacks_to_no_more_than_the_limit(server: MisbehavingServer, name: str) -> None:
    encoding, data = BOMBS[name]
    server.on("/page", body(data, content_type="text/plain; charset=utf-8", Content_Encoding=encoding))

    tracemalloc.start()
    try:
        page = await fetch_from(server)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(page.text) <= MAX_BYTES
    assert most < 8 * MAX_BYTES


@pytest.mark.parametrize("name", BOMBS)
def test_unpacking_never_gives_more_than_there_is_room_for(name: str) -> None:
    encoding, data = BOMBS[name]

    assert len(Unpacker(encoding).feed(data, 1_000)) <= 1_000


@pytest.mark.parametrize("wbits", [31, 15, -15])
def test_a_packed_page_comes_out_whole_however_it_is_cut(wbits: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    text = b"".join(b"line %d\n" % number for number in range(2_000))
    data = packer.compress(text) + packer.flush()

    for size in (1, 7, 1_000, len(data)):
        unpacker = Unpacker("gzip" if wbits == 31 else "deflate")
        pieces = [unpacker.feed(data[start : start + size], 1_000_000) for start in range(0, len(data), size)]
        assert b"".join(pieces) == text


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "x" * 1_000])
async def test_an_encoding_that_was_not_asked_for_is_refused(server: MisbehavingServer, encoding: str) -> None:
    server.on("/page", body(b"\x1b\x00\x00", content_type="text/html", Content_Encoding=encoding))

    with pytest.raises(ToolError, match="cannot be unpacked"):
        await fetch_from(server)


async def test_broken_compression_is_an_error(server: MisbehavingServer) -> None:
    server.on("/page", body(b"this is no gzip at all", content_type="text/html", Content_Encoding="gzip"))

    with pytest.raises(ToolError, match="broken compression"):
        await fetch_from(server)


BROKEN_ANSWERS: dict[str, list[Step]] = {
    "no answer": [CLOSE],
    "reset": [RESET],
    "not HTTP": [b"SSH-2.0-OpenSSH_9.9\r\n", CLOSE],
    "half a head": [b"HTTP/1.1 200 OK\r\nContent-", CLOSE],
    "huge header": [b"HTTP/1.1 200 OK\r\nX-Big: ", *([b"x" * 10_000] * 100), b"\r\n\r\n"],
    "endless headers": [b"HTTP/1.1 200 OK\r\n", *([b"X-Header: value\r\n" * 1_000] * 100)],
    "bad status": [b"HTTP/1.1 9999 Odd\r\n\r\n", CLOSE],
    "two lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello", CLOSE],
    "negative length": [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", CLOSE],
    "bad chunk size": [head(content_type="text/html"), b"zz\r\nhello\r\n", CLOSE],
    "huge chunk size": [head(content_type="text/html"), b"f" * 40 + b"\r\nhello\r\n", CLOSE],
    "no first chunk": [head(content_type="text/html"), CLOSE],
}


@pytest.mark.parametrize("name", BROKEN_ANSWERS)
async def test_a_broken_answer_is_one_sentence(server: MisbehavingServer, name: str) -> None:
    server.on("/page", BROKEN_ANSWERS[name])

    with pytest.raises(ToolError, match="gave no page") as caught:
        await fetch_from(server, longest_s=5)

    assert "\n" not in str(caught.value)


async def test_nobody_at_home_is_one_sentence() -> None:
    with refusing_port() as port:
        reach = Reach(is_allowed=lambda address: True, ports=frozenset({port}))

        with pytest.raises(ToolError, match="gave no page"):
            await fetch(f"http://127.0.0.1:{port}/", reach)


CUT_ANSWERS: dict[str, list[Step]] = {
    "shorter than it said": [head(content_type="text/html", chunked=False, Content_Length="500"), b"half", CLOSE],
    "bad second chunk": [head(content_type="text/html"), Chunk(b"half"), b"zz\r\n", CLOSE],
    "no last chunk": [head(content_type="text/html"), Chunk(b"half"), CLOSE],
    "reset within": [head(content_type="text/html"), Chunk(b"half"), Pause(0.2), RESET],
}


@pytest.mark.parametrize("name", CUT_ANSWERS)
async def test_what_came_before_a_break_is_kept_and_said(server: MisbehavingServer, name: str) -> None:
    server.on("/page", CUT_ANSWERS[name])

    page = await fetch_from(server)

    assert page.text == "half"
    assert page.note.startswith("the connection broke")


async def test_more_than_was_announced_is_left_alone(server: MisbehavingServer) -> None:
    server.on("/page", [head(content_type="text/plain", chunked=False, Content_Length="4"), b"half and more", CLOSE])

    assert (await fetch_from(server)).text == "half"


@pytest.mark.parametrize(
    ("content_type", "data", "expected"),
    [
        ("text/plain; charset=utf-8", "é€".encode(), "é€"),
        ("text/plain", "é€".encode(), "é€"),
        ("text/plain", "é".encode("latin-1"), "é"),
        ("text/plain; charset=ISO-8859-1", "€".encode("cp1252"), "€"),
        ('text/plain; charset="windows-1251"', "жук".encode("cp1251"), "жук"),
        ("text/plain; charset=shift_jis", "日本".encode("shift_jis"), "日本"),
        ("text/plain; charset=utf-16", "é".encode("utf-16"), "é"),
        ("text/plain; charset=latin-1", b"\xef\xbb\xbf\xc3\xa9", "é"),
        ("text/html", b'<meta charset="koi8-r">' + "жук".encode("koi8-r"), '<meta charset="koi8-r">жук'),
        ("text/plain; charset=no-such-thing", b"plain \xc3\xa9", "plain é"),
        ("text/plain; charset=punycode", b"abc-def", "abc-def"),
        ("text/plain; charset=unicode_escape", rb"\x41", r"\x41"),
        ("text/plain; charset=zip", b"plain", "plain"),
        ("text/plain; charset=" + "x" * 5_000, b"plain", "plain"),
        ("text/plain; charset=utf-8", b"bad \xff byte", "bad \ufffd byte"),
        ("", b"<!DOCTYPE html><p>x", "<!DOCTYPE html><p>x"),
        ("application/json", b'{"a": 1}', '{"a": 1}'),
        ("application/vnd.api+json", b"[]", "[]"),
        ("application/rss+xml", b"<rss/>", "<rss/>"),
        ("text/csv", b"a,b\n1,2", "a,b\n1,2"),
    ],
)
async def test_text_is_read_in_its_alphabet(
    server: MisbehavingServer, content_type: str, data: bytes, expected: str
) -> None:
    server.on("/page", body(data, content_type=content_type))

    page = await fetch_from(server)

    assert page.text == expected
    assert page.is_text


@pytest.mark.parametrize(
    "content_type",
    ["application/pdf", "image/png", "application/octet-stream", "video/mp4", "application/zip", "font/woff2", "x"],
)
async def test_what_is_no_text_is_described_and_not_read(server: MisbehavingServer, content_type: str) -> None:
    server.on("/page", [head(content_type=content_type, chunked=False, Content_Length="12345"), b"%PDF", HOLD])

    page = await fetch_from(server)

    assert (page.is_text, page.text, page.size, page.media_type) == (False, "", 12345, content_type)


async def test_bytes_that_claim_to_be_text_are_not_shown(server: MisbehavingServer) -> None:
    server.on("/page", body(b"\x7fELF\0\0\0\1", content_type="text/plain"))

    assert not (await fetch_from(server)).is_text


def authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for the host, signed by itself, and a context that serves it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


@contextmanager
def https_server(context: ssl.SSLContext) -> Iterator[tuple[int, list[str | None]]]:
    """Serves one page over TLS; gives its port and the names that clients asked for."""
    names: list[str | None] = []
    context.sni_callback = lambda connection, name, context: names.append(name)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65_536)
                    secured.sendall(head(content_type="text/plain", chunked=False, Content_Length="6") + b"secure")
            except ssl.SSLError:
                continue
            except OSError:
                return

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1], names
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


async def fetch_secure(port: int, host: str) -> Page:
    reach = Reach(resolve=lambda name: ["127.0.0.1"], is_allowed=lambda address: True, ports=frozenset({port}))
    return await fetch(f"https://{host}:{port}/", reach)


async def test_the_certificate_is_checked_against_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public, context = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(public))

    with https_server(context) as (port, names):
        page = await fetch_secure(port, HOST)

        assert page.text == "secure"
        assert names == [HOST]
        for wrong in ("other.example", "127.0.0.1"):
            with pytest.raises(ToolError, match=r"(?i)certificate"):
                await fetch_secure(port, wrong)


async def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path) -> None:
    _, context = authority(tmp_path)

    with https_server(context) as (port, _), pytest.raises(ToolError, match=r"(?i)certificate"):
        await fetch_secure(port, HOST)


async def test_https_is_not_given_up_by_a_redirect(tmp_path: Path) -> None:
    from rustbot_jupyter.tools.addresses import read_address
    from rustbot_jupyter.tools.fetch import is_same_site

    secure, plain = read_address(f"https://{HOST}/"), read_address(f"http://{HOST}/")

    assert is_same_site(plain, secure)
    assert not is_same_site(secure, plain)


# Proxies.

FAR_REACH = Reach(resolve=lambda name: ["203.0.113.7"], is_allowed=lambda address: True)


async def test_a_page_comes_through_the_proxy_from_the_checked_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, context = proxying.authority(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(public))

    with proxying.secure_server(context, content_type="text/plain", body=b"far away") as port:
        proxy = proxying.TunnelProxy(port, wants_login=base64.b64encode(b"me:secret").decode())
        with proxy.running() as proxy_port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{proxy_port}")
            page = await fetch(f"https://{HOST}/page", FAR_REACH)

    assert page.text == "far away"
    # Never the name: the proxy may know another address by it.
    assert [head.partition(" HTTP")[0] for head in proxy.heads] == ["CONNECT 203.0.113.7:443"]


@pytest.mark.parametrize("resolved", ["10.0.0.5", "169.254.169.254", "127.0.0.1"])
async def test_a_proxy_opens_no_way_into_private_networks(monkeypatch: pytest.MonkeyPatch, resolved: str) -> None:
    proxy = proxying.TunnelProxy()
    with proxy.running() as port:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        for url in (f"http://{HOST}/", f"https://{resolved}/"):
            with pytest.raises(ToolError, match="not on the public internet"):
                await fetch(url, Reach(resolve=lambda name: [resolved]))

    assert proxy.heads == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("403 Forbidden", r"\(ALL_PROXY\) did not lead to the page: 403 Forbidden\."),
        ("407 Proxy Authentication Required", r"\(ALL_PROXY\) wants a login"),
    ],
)
async def test_a_proxy_that_refuses_a_page_is_named(monkeypatch: pytest.MonkeyPatch, status: str, said: str) -> None:
    with proxying.TunnelProxy(status=status).running() as port:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(ToolError, match=said):
            await fetch(f"http://{HOST}/", FAR_REACH)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:{port}", "could not be reached"),
        ("socks5://127.0.0.1:1", "must be http"),
        ("http://", "holds no address of a proxy"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, address: str, said: str) -> None:
    with refusing_port() as port:
        monkeypatch.setenv("HTTP_PROXY", address.format(port=port))
        with pytest.raises(ToolError, match=f"HTTP_PROXY.*{said}"):
            await fetch(f"http://{HOST}/", FAR_REACH)
