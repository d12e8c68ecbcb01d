"""Whatever stands in the place of a file that Rustbot opens by itself keeps nobody waiting: a pipe, a socket, a device,
a folder, or a file of a network that is gone."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from servers import misbehaving as wire

import rustbot_jupyter as rb
from rustbot_jupyter.llm.catalog import Catalog
from rustbot_jupyter.llm.lessons import Lessons
from rustbot_jupyter.logs import log_to
from rustbot_jupyter.settings import environment, keyfile
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.tools.marketplace import Marketplace
from rustbot_jupyter.tools.mcp.config import add_server, read_servers, remove_server
from rustbot_jupyter.tools.mcp.desk import McpDesk
from rustbot_jupyter.tools.mcp.pins import Pins
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules
from rustbot_jupyter.whole_files import read_start

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here"),
    pytest.mark.usefixtures("own_folders"),
]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    # Its name may have a hundred characters only.
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{here}/{path.name}" if os.path.exists("/proc/self/fd") else str(path))
    finally:
        os.close(here)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def pipe_behind_a_link(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


KINDS = [pipe, unix_socket, device, folder, pipe_behind_a_link]


def settings_of(path: Path) -> None:
    settings = Settings(environ={}, config_dir=path.parent, working_dir=path.parent)
    assert settings.problems
    with pytest.raises(rb.SettingsError):
        settings.save()


def dotenv(path: Path) -> None:
    values, problem = environment.read_dotenv(path.parent)

    assert values == {}
    assert "cannot be read" in problem


def keys(path: Path) -> None:
    assert keyfile.read(path.parent) == {}
    with pytest.raises(rb.SettingsError):
        keyfile.write(path.parent, "x.example", SecretStr("k"))


def rules(path: Path) -> None:
    kept = Rules(path, "")
    assert kept.all() == []
    assert "cannot be read" in kept.problem
    with pytest.raises(rb.RequestError):
        kept.add("run_code", "*", "deny")


def servers(path: Path) -> None:
    (problem,) = read_servers(path, "workspace").problems
    assert "cannot be read: it is " in problem
    with pytest.raises(rb.SettingsError):
        add_server(path, "s", {"command": "x"}, "user")
    with pytest.raises(rb.SettingsError):
        remove_server(path, "s")


def pins(path: Path) -> None:
    assert not Pins(path).is_approved("x")


def models(path: Path) -> None:
    assert Catalog(path).models


def refused(path: Path) -> None:
    lessons = Lessons(path)

    asyncio.run(lessons.ready())

    assert lessons.all() == {}


def log(path: Path) -> None:
    if path.is_char_device():
        # Such as /dev/null: whoever names it means it, and it takes what is written at once.
        log_to(path).close()
        return
    with pytest.raises(rb.SettingsError, match="cannot be written"):
        log_to(path)


def registry(path: Path) -> None:
    async def get(address: str) -> bytes:
        return b""

    async def ask(question: object) -> bool:
        return False

    async def browse() -> None:
        await Marketplace(lambda: (), lambda: str(path), get, ask, path.with_name("mcp.json")).browse("")

    with pytest.raises(rb.RequestError, match="cannot be read: it is "):
        asyncio.run(browse())


READERS: dict[str, Callable[[Path], None]] = {
    "settings.toml": settings_of,
    ".env": dotenv,
    keyfile.KEY_FILE: keys,
    "rules.json": rules,
    "mcp.json": servers,
    "pins.json": pins,
    "models.json": models,
    "refused-HOST.json": refused,
    "rustbot.jsonl": log,
    "registry.json": registry,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_regular_file_is_told_and_keeps_nobody_waiting(name, kind, tmp_path):
    kind(tmp_path / name)

    READERS[name](tmp_path / name)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", [pipe, device])
def test_a_bot_in_a_folder_where_no_file_can_be_read_answers(kind, tmp_path, monkeypatch, server):
    config, data, work = tmp_path / "c", tmp_path / "d", tmp_path / "w"
    vscode = work / ".vscode"
    for each in (config, data, work, vscode):
        each.mkdir()
    monkeypatch.setenv("RUSTBOT_CONFIG_DIR", str(config))
    monkeypatch.setenv("RUSTBOT_DATA_DIR", str(data))
    monkeypatch.chdir(work)
    for name in ("settings.toml", "keys.json", "rules.json", "mcp.json"):
        kind_at(kind, config / name)
    for path in (work / ".env", work / ".mcp.json", vscode / "mcp.json"):
        kind_at(kind, path)

    server.script(wire.answer("Hello."))
    bot = rb.Rustbot(model="m", base_url=server.base_url)
    try:
        assert bot.ask("Say hello").text == "Hello."
        told = " ".join(bot.mcp.problems)
        assert bot.mcp.list() == []
    finally:
        bot.close()
    assert "'.mcp.json' cannot be read" in told
    assert told.count("'mcp.json' cannot be read") == 2


def kind_at(kind: Callable[[Path], None], path: Path) -> None:
    """In a folder of its own, with a link to it: a kind may need further names."""
    place = path.with_name(f"{path.name}.place")
    place.mkdir()
    kind(place / path.name)
    path.symlink_to(place / path.name)


@dataclass
class DeadFolder:
    """A folder whose files hang in the system, as those of a network that is gone."""

    path: Path
    comes_back: threading.Event


@pytest.fixture
def dead_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeadFolder]:
    folder, real = DeadFolder(tmp_path / "dead", threading.Event()), os.stat
    folder.path.mkdir()

    def stat(path, *rest, **more):
        if isinstance(path, str | Path) and str(path).startswith(str(folder.path)):
            folder.comes_back.wait()
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "stat", stat)
    yield folder
    folder.comes_back.set()


def test_a_file_of_a_network_that_is_gone_is_given_up(dead_folder):
    with pytest.raises(OSError, match=r"it did not come within 0\.05 s"):
        read_start(dead_folder.path / "x", 10, within=0.05)


@pytest.mark.timeout(20)
async def test_the_loop_goes_on_while_files_that_name_servers_do_not_come(dead_folder, tmp_path):
    async def nobody(question: object) -> bool:
        return False

    desk = McpDesk(
        ToolRegistry(),
        nobody,
        lambda *kind, **fields: None,
        user_file=tmp_path / "mcp.json",
        workspace=dead_folder.path,
        pins_file=None,
    )
    (tmp_path / "mcp.json").write_text('{"mcpServers": {"mine": {"command": "x"}}}')

    looking = asyncio.ensure_future(desk.look())
    await asyncio.sleep(0.05)
    assert not looking.done()
    dead_folder.comes_back.set()
    await looking

    assert [each.name for each in desk.list()] == ["mine"]


@pytest.mark.parametrize(("size", "limit"), [(0, 5), (5, 5), (6, 5), (50, 5)])
def test_no_more_than_wanted_is_read(tmp_path, size, limit):
    (tmp_path / "f").write_bytes(b"x" * size)

    assert read_start(tmp_path / "f", limit) == b"x" * min(size, limit + 1)


@pytest.mark.parametrize("name", ["none", "f/none", "none/none"])
def test_a_file_that_is_not_there_is_none(tmp_path, name):
    (tmp_path / "f").write_bytes(b"x")

    assert read_start(tmp_path / name, 10) is None


def test_a_name_that_cannot_be_used_is_an_error(tmp_path):
    with pytest.raises(OSError, match="its name cannot be used"):
        read_start(tmp_path / "a\0b", 10)
