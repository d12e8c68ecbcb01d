from __future__ import annotations

import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.payloads_addresses import (
    FORBIDDEN_HOSTS,
    LOOPBACK_HOSTS,
    OTHER_PORTS,
    PRIVATE_ANSWERS,
    PUBLIC_HOSTS,
    UNREADABLE_URLS,
)

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.addresses import Reach, is_public, read_address, resolve_by_system


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
@pytest.mark.parametrize("url", ["http://{}/", "HTTPS://{}:8443/a?b#c"])
def test_no_notation_of_an_inner_address_is_let_through(host: str, url: str) -> None:
    with pytest.raises(ToolError):
        Reach().read(url.format(host))


def test_the_payloads_are_as_many_as_promised_and_different() -> None:
    assert len(set(FORBIDDEN_HOSTS)) == len(FORBIDDEN_HOSTS) >= 60
    assert len(set(UNREADABLE_URLS)) == len(UNREADABLE_URLS) >= 60


@pytest.mark.parametrize("host", [host for host in LOOPBACK_HOSTS if not host.startswith("[")])
def test_every_ipv4_notation_is_understood_and_not_only_refused_as_unreadable(host: str) -> None:
    assert ip_address(read_address(f"http://{host}/").host).is_loopback


@pytest.mark.parametrize("url", UNREADABLE_URLS)
def test_what_is_no_clear_web_address_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(ToolError) as caught:
        Reach().read(url)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("url", [url for url in UNREADABLE_URLS if "@" in url and "\\" not in url])
def test_a_user_name_in_an_address_is_called_by_its_name(url: str) -> None:
    with pytest.raises(ToolError, match="user name or password"):
        Reach().read(url)


@pytest.mark.parametrize("host", PUBLIC_HOSTS)
def test_public_addresses_are_let_through(host: str) -> None:
    address = Reach().read(f"https://{host}/")

    assert address.ip is not None
    assert is_public(address.ip)


@pytest.mark.parametrize("port", OTHER_PORTS)
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(ToolError, match="port"):
        Reach().read(f"http://example.org:{port}/")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org", "https://example.org/"),
        ("  HTTPS://Example.ORG:443/  ", "https://example.org/"),
        ("http://example.org:/", "http://example.org/"),
        ("http://example.org:8080", "http://example.org:8080/"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://example.org?q=1#part", "https://example.org/?q=1"),
        ("https://bücher.example/ä?ö=ü", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("https://例え。jp/", "https://xn--r8jz45g.jp/"),
        ("https://exa\u00admple.org/", "https://example.org/"),
        ("https://my_host.example.org/", "https://my_host.example.org/"),
        ("https://example.org/a/../b/./c/..", "https://example.org/b/"),
        ("https://example.org/a/%2e%2E/b/%2e", "https://example.org/b/"),
        ("https://example.org/../../..", "https://example.org/"),
        ("https://example.org/a/b/", "https://example.org/a/b/"),
        ("https://example.org/%41?x=%20&y=../z", "https://example.org/%41?x=%20&y=../z"),
        ('https://example.org/"<>', "https://example.org/%22%3C%3E"),
        ("https://[2606:4700:4700:0::1111]:8443/", "https://[2606:4700:4700::1111]:8443/"),
        ("http://134744072/", "http://8.8.8.8/"),
    ],
)
def test_an_address_is_shown_as_it_will_be_asked_for(url: str, expected: str) -> None:
    assert str(Reach().read(url)) == expected


def test_a_very_long_address_is_refused() -> None:
    with pytest.raises(ToolError, match="longer"):
        Reach().read(f"https://example.org/{'a' * 5_000}")


@pytest.mark.parametrize("answers", PRIVATE_ANSWERS, ids=",".join)
async def test_a_public_name_that_means_an_inner_address_is_refused(answers: Sequence[str]) -> None:
    reach = Reach(resolve=lambda host: answers)

    with pytest.raises(ToolError, match=r"'pages\.example'"):
        await reach.addresses_of(reach.read("https://pages.example/"))


async def test_all_addresses_of_a_public_name_are_given() -> None:
    reach = Reach(resolve=lambda host: ["1.1.1.1", "2606:4700::1111"])

    found = await reach.addresses_of(reach.read("https://pages.example/"))

    assert [str(address) for address in found] == ["1.1.1.1", "2606:4700::1111"]


async def test_a_name_that_nobody_knows_is_said_to_be_none() -> None:
    reach = Reach(resolve=lambda host: [])

    with pytest.raises(ToolError, match=r"no host 'nowhere\.example'"):
        await reach.addresses_of(reach.read("https://nowhere.example/"))


async def test_a_literal_address_is_not_looked_up() -> None:
    asked: list[str] = []
    reach = Reach(resolve=lambda host: asked.append(host) or [])

    await reach.addresses_of(reach.read("https://1.1.1.1/"))

    assert asked == []


async def test_names_are_looked_up_away_from_the_loop() -> None:
    threads: list[threading.Thread] = []
    reach = Reach(resolve=lambda host: threads.append(threading.current_thread()) or ["1.1.1.1"])

    await reach.addresses_of(reach.read("https://pages.example/"))

    assert threads[0] is not threading.main_thread()


def test_the_system_says_what_localhost_is() -> None:
    found = [ip_address(text) for text in resolve_by_system("localhost")]

    assert found
    assert not any(is_public(address) for address in found)


def test_the_system_says_nothing_of_a_name_that_cannot_be() -> None:
    assert resolve_by_system("nowhere.invalid") == ()
    assert resolve_by_system("a" * 300) == ()


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(network="2000::/3")))
def test_nothing_is_public_that_python_knows_as_special(address: IPv4Address | IPv6Address) -> None:
    is_special = address.is_private or address.is_multicast or address.is_reserved or address.is_link_local

    assert not (is_public(address) and is_special)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.org/{text}"):
        try:
            address = read_address(url)
        except ToolError:
            continue
        assert read_address(str(address)) == address
        assert str(address).isascii()
