"""The way to a server: certificates, proxies, and errors that name what really stands in it."""

from __future__ import annotations

import base64
import os
import socket
from pathlib import Path

import httpx
import pytest
from servers.asking import ask, request
from servers.misbehaving import refusing_port
from servers.proxying import TunnelProxy, authority, secure_server

from rustbot_jupyter.errors import ConnectionFailed, ModelError, ModelTimeout
from rustbot_jupyter.llm.client import ChatClient
from rustbot_jupyter.llm.target import Target
from rustbot_jupyter.llm.transport import failure
from rustbot_jupyter.proxies import BadProxy, is_excepted, proxy_for

FAR = "https://models.example/v1"


async def ask_at(base_url: str) -> tuple[str, ModelError | None]:
    client = ChatClient(base_url, first_token_timeout_s=5.0)
    outcome = await ask(client, request())
    await client.aclose()
    return outcome.text, outcome.error


async def fail_at(base_url: str) -> ModelError:
    text, error = await ask_at(base_url)
    assert text == ""
    assert error is not None
    return error


# Certificates.


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_an_authority_of_ones_own_holds_for_this_machine_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    family = socket.AF_INET6 if host == "[::1]" else socket.AF_INET
    public, context = authority(tmp_path, "localhost", "127.0.0.1", "::1")
    place = public
    if variable == "SSL_CERT_DIR":
        place = tmp_path / "folder"
        place.mkdir()
        (place / f"{_hash_of(public)}.0").write_bytes(public.read_bytes())

    try:
        with secure_server(context, family) as port:
            refused = await fail_at(f"https://{host}:{port}/v1")
            monkeypatch.setenv(variable, os.fspath(place))
            text, error = await ask_at(f"https://{host}:{port}/v1")
    except OSError:
        pytest.skip("no IPv6 here")

    assert "is not trusted" in str(refused)
    assert (text, error) == ("Hello", None)


def _hash_of(certificate: Path) -> str:
    """The name under which OpenSSL looks for a certificate in a folder."""
    import subprocess

    command = ["openssl", "x509", "-hash", "-noout", "-in", os.fspath(certificate)]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except FileNotFoundError:
        pytest.skip("openssl is not installed")


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
async def test_certificates_that_cannot_be_read_are_told_with_their_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))

    error = await fail_at("https://localhost:1/v1")

    assert not error.retryable
    assert variable in str(error)
    assert "missing.pem" in str(error)


# Who is excepted from proxies.


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("*", "a.example"),
        ("a.example", "a.example"),
        ("a.example", "deep.a.example"),
        (".a.example", "a.example"),
        ("*.a.example", "deep.a.example"),
        ("A.Example", "a.example"),
        ("a.example:443", "a.example"),
        ("https://a.example", "a.example"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:443", "10.1.2.3"),
        ("::1/128", "::1"),
        ("[::1]", "::1"),
        ("[::1]:443", "::1"),
        ("[fd00::]/8", "fd12::1"),
        ("fe80::/10", "fe80::1"),
        ("fd00::/8", "[fd12::1]"),
        ("x, y,a.example", "a.example"),
        ("x y a.example", "a.example"),
    ],
)
def test_no_proxy_is_read_in_all_its_spellings(entry: str, host: str) -> None:
    assert is_excepted(host, 443, entry)


@pytest.mark.parametrize(
    "entry",
    ["", ",", "b.example", "xa.example", "a.example.b", "a.example:80", "10.0.0.0/8", "::1/129", "[", "]:", "://", "%"],
)
def test_what_no_proxy_does_not_name_goes_through_the_proxy(entry: str) -> None:
    assert not is_excepted("a.example", 443, entry)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_variable_that_set_the_proxy_is_known(name: str) -> None:
    proxy = proxy_for(FAR, {name: "user:secret@proxy.example:3128", "http_proxy": "http://other"})

    assert proxy is not None
    assert (proxy.variable, proxy.shown) == (name, "http://proxy.example:3128")
    assert "secret" not in repr(proxy)


@pytest.mark.parametrize("address", ["http://", "ftp://x", "http://a:99999", "http://[::1", "a b", "http://a b:1"])
def test_a_proxy_that_is_none_is_told_with_its_variable(address: str) -> None:
    with pytest.raises(BadProxy, match="HTTPS_PROXY holds no address of a proxy"):
        proxy_for(FAR, {"HTTPS_PROXY": address})


def test_this_machine_is_asked_directly() -> None:
    environ = {"HTTP_PROXY": "http://proxy.example", "ALL_PROXY": "http://proxy.example"}

    for host in ("localhost", "127.0.0.1", "[::1]", "127.5.5.5"):
        assert proxy_for(f"http://{host}:8000/v1", environ) is None


# Through a proxy.


@pytest.mark.parametrize("no_proxy", ["", "localhost,127.0.0.1,::1/128", "localhost,[::1]", "fe80::/10,.corp.example"])
async def test_an_answer_comes_through_the_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    public, context = authority(tmp_path, "models.example")
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(public))
    monkeypatch.setenv("NO_PROXY", no_proxy)
    login = base64.b64encode(b"me:p@ss").decode()

    with secure_server(context) as port:
        proxy = TunnelProxy(port, wants_login=login)
        with proxy.running() as proxy_port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:p%40ss@127.0.0.1:{proxy_port}")
            text, error = await ask_at(FAR)

    assert (text, error) == ("Hello", None)
    assert proxy.heads[0].startswith("CONNECT models.example:443 ")


async def test_a_proxy_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{port}")
        error = await fail_at(FAR)

    assert f"The proxy http://127.0.0.1:{port} (HTTPS_PROXY) could not be reached" in str(error)
    assert "secret" not in str(error)
    assert error.retryable


async def test_a_proxy_that_is_unknown_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "proxy.invalid:3128")

    error = await fail_at(FAR)

    assert "The proxy http://proxy.invalid:3128 (all_proxy) was not found" in str(error)
    assert "models.example in NO_PROXY" in str(error)
    assert not error.retryable


@pytest.mark.parametrize("base_url", [FAR, "http://models.example/v1"])
@pytest.mark.parametrize(("login", "said"), [("", "wants a login"), ("me:old@", "did not accept the login")])
async def test_a_proxy_that_wants_a_login_is_named(
    monkeypatch: pytest.MonkeyPatch, base_url: str, login: str, said: str
) -> None:
    with TunnelProxy(wants_login="other").running() as port:
        monkeypatch.setenv("ALL_PROXY", f"http://{login}127.0.0.1:{port}")
        error = await fail_at(base_url)

    assert type(error) is ConnectionFailed
    assert f"The proxy http://127.0.0.1:{port} (ALL_PROXY) {said}" in str(error)
    assert not error.retryable


async def test_a_proxy_that_refuses_the_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with TunnelProxy(status="403 Forbidden").running() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        error = await fail_at(FAR)

    assert "(HTTPS_PROXY) did not connect to models.example: 403 Forbidden" in str(error)


async def test_a_proxy_that_needs_another_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")

    error = await fail_at(FAR)

    assert "socks5://127.0.0.1:1 (ALL_PROXY) needs the package socksio" in str(error)


# What an exception means.

TARGET = Target(host="models.example", is_local=False, has_key=False, sends_key=False, redact=str)


@pytest.mark.parametrize(
    "error",
    [
        httpx.InvalidURL("Invalid port: ':1]'"),
        httpx.UnsupportedProtocol("Request URL has an unsupported protocol 'ftp://'."),
        httpx.LocalProtocolError("Illegal header value b'\\xff'"),
        httpx.TooManyRedirects("too many"),
    ],
)
def test_what_never_left_this_machine_is_not_blamed_on_the_server(error: Exception) -> None:
    found = failure(error, TARGET, has_begun=False, has_head=False)

    assert "closed the connection" not in str(found)
    assert "could not be asked" in str(found)
    assert not found.retryable


@pytest.mark.parametrize("error", [httpx.ReadTimeout("late"), httpx.PoolTimeout("late")])
def test_a_late_answer_is_called_late(error: Exception) -> None:
    assert type(failure(error, TARGET, has_begun=False, has_head=False)) is ModelTimeout


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), ConnectionResetError("reset")])
def test_a_closed_connection_is_called_closed(error: Exception) -> None:
    assert "closed the connection" in str(failure(error, TARGET, has_begun=False, has_head=False))
