"""Values that a file of MCP servers wants to be asked for: asked of a person, kept in memory, told where nobody is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import rustbot_jupyter as rb
from rustbot_jupyter.engine import server_shelf

SERVER = Path(__file__).parent.parent / "servers" / "mcp_misbehaving.py"

pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.fixture
def bot(tmp_path):
    config = tmp_path / "config"
    config.mkdir()
    entry = {"command": sys.executable, "args": [str(SERVER), "good"], "env": {"KEY": "${input:key}"}}
    inputs = [{"id": "key", "type": "promptString", "description": "The key", "password": True}]
    (config / "mcp.json").write_text(json.dumps({"inputs": inputs, "servers": {"s": entry}}))
    bot = rb.Rustbot(model="rustbot/demo", approve="allow")
    yield bot
    bot.close()


def approve(bot: rb.Rustbot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def yes(question: object) -> bool:
        return True

    monkeypatch.setattr(bot.toolbox.servers.desk, "_ask", yes)


def test_a_person_is_asked_and_the_value_is_nowhere_else(bot, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(server_shelf, "getpass", lambda prompt: asked.append(prompt) or "s3cret-4711")
    approve(bot, monkeypatch)

    bot.mcp.start("s")
    bot.mcp.restart("s")

    assert asked == ["The key, for the MCP server 's': "]
    assert json.loads(bot.tools.call("s__environment").text)["KEY"] == "s3cret-4711"
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert not any(b"s3cret-4711" in each.read_bytes() for each in files)
    assert "s3cret-4711" not in f"{bot.mcp!r}{bot.mcp.list()}{bot.mcp.log('s')}"


@pytest.mark.parametrize("error", [EOFError(), OSError(), RuntimeError("no stdin")])
def test_where_nobody_can_be_asked_a_sentence_says_what_to_do(bot, monkeypatch, error):
    def nobody(prompt):
        raise error

    monkeypatch.setattr(server_shelf, "getpass", nobody)

    with pytest.raises(rb.RequestError, match=r"nobody can be asked here: put the value into an environment variable"):
        bot.mcp.start("s")


def test_no_answer_starts_nothing(bot, monkeypatch):
    monkeypatch.setattr(server_shelf, "getpass", lambda prompt: " ")

    with pytest.raises(rb.RequestError, match="it needs a value for 'key'"):
        bot.mcp.start("s")
    assert bot.mcp.list()[0].state == "stopped"
