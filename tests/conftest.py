"""What every test gets: no network but this machine, no settings of its developer; a provider that can misbehave."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from servers.misbehaving import MisbehavingServer

# On a busy machine any example may take long; pytest's own limit holds for all of them together.
hypothesis.settings.register_profile("calm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("calm")

_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _is_this_machine(host: Any) -> bool:
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _check(address: Any) -> None:
    if isinstance(address, tuple) and not _is_this_machine(address[0]):
        raise PermissionError(f"A test may connect to this machine only, not to {address[0]!r}.")


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    def connect(self: socket.socket, address: Any) -> None:
        _check(address)
        _connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _check(address)
        return _connect_ex(self, address)

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        if not _is_this_machine(host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return _getaddrinfo(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _use_folder(patch, tmp_path_factory.mktemp("rustbot"))
        yield


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, data and working folder of this test alone, and no key."""
    _use_folder(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)


def _use_folder(patch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in ("OPENROUTER_API_KEY", "RUSTBOT_API_KEY"):
        patch.delenv(name, raising=False)
    patch.setenv("RUSTBOT_CONFIG_DIR", str(folder / "config"))
    patch.setenv("RUSTBOT_DATA_DIR", str(folder / "data"))


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    """A provider on this machine that does what its script says."""
    with MisbehavingServer() as running:
        yield running
