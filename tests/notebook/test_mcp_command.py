"""`%rustbot mcp`: what each word does to the desk, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.mcp_command import mcp_command
from rustbot_jupyter.tools.mcp.desk import ServerStatus
from rustbot_jupyter.tools.mcp.server import ServerState


def status(name: str, **fields: Any) -> ServerStatus:
    defaults = {"state": ServerState.RUNNING, "command": "npx -y x", "origin": "user", "tools": 3, "error": ""}
    return ServerStatus(name=name, **{**defaults, **fields})


class DeskOfTest:
    """Notes what it is told to do."""

    def __init__(self, *servers: ServerStatus, problems: tuple[str, ...] = (), log: str = "") -> None:
        self.servers, self.problems, self.text = list(servers), problems, log
        self.done: list[tuple[Any, ...]] = []

    def list(self):
        return self.servers

    def add(self, name: str, config: Mapping[str, Any]) -> ServerStatus:
        self.done.append(("add", name, config))
        return status(name, command="the exact command")

    def remove(self, name: str) -> None:
        self.done.append(("remove", name))

    def start(self, name: str) -> None:
        self.done.append(("start", name))

    def stop(self, name: str) -> None:
        self.done.append(("stop", name))

    def restart(self, name: str) -> None:
        self.done.append(("restart", name))

    def log(self, name: str) -> str:
        return self.text


def test_servers_are_listed_with_their_state_command_and_problems():
    failed = status("b|c", state=ServerState.FAILED, tools=0, error="it ended\n(exit code 1)", origin="workspace")
    desk = DeskOfTest(status("files"), failed, problems=("'.mcp.json' is no JSON.",))

    shown = mcp_command(desk)

    assert shown == mcp_command(desk, "list")
    assert "| files | running | 3 | user | `npx -y x` |  |" in shown
    assert r"| b\|c | failed | 0 | workspace | `npx -y x` | it ended (exit code 1) |" in shown
    assert shown.endswith("\n\n- '.mcp.json' is no JSON.")


def test_without_servers_it_says_how_to_add_one():
    assert "%rustbot mcp add NAME" in mcp_command(DeskOfTest())


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (("add", "files", "npx", "-y", "x", "/a b"), ("add", "files", {"command": "npx", "args": ["-y", "x", "/a b"]})),
        (("add", "far", "https://x.example/mcp"), ("add", "far", {"type": "http", "url": "https://x.example/mcp"})),
        (("remove", "files"), ("remove", "files")),
        (("restart", "files"), ("restart", "files")),
    ],
)
def test_a_command_does_what_it_says(words, done):
    desk = DeskOfTest()

    assert mcp_command(desk, *words)
    assert desk.done == [done]


def test_a_server_that_is_added_is_shown_as_it_will_run():
    assert "the exact command" in mcp_command(DeskOfTest(), "add", "files", "npx")


def test_a_log_cannot_leave_its_block():
    shown = mcp_command(DeskOfTest(log="before\n```\n# heading\n"), "log", "files")

    assert shown == "````text\nbefore\n```\n# heading\n````"
    assert "written nothing yet" in mcp_command(DeskOfTest(), "log", "files")


@pytest.mark.parametrize(
    "words",
    [
        ("add",),
        ("add", "x"),
        ("remove",),
        ("log", "a", "b"),
        ("start",),
        ("list", "x"),
        ("add", "x", "http://y", "z"),
    ],
)
def test_what_is_no_command_is_answered_with_the_usage(words):
    desk = DeskOfTest()

    with pytest.raises(RequestError, match=r"%rustbot mcp list|nothing follows"):
        mcp_command(desk, *words)

    assert desk.done == []
