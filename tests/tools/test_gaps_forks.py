"""A forked child has tools of its own, and leaves the parent's alone (row K6)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.misbehaving import MisbehavingServer, answer, tool_call

import rustbot_jupyter as rb
from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.messages import user_message

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def bot(server: MisbehavingServer, own_folders: None) -> Iterator[rb.Rustbot]:
    bot = rb.Rustbot(model="test/model", base_url=server.base_url)
    yield bot
    bot.close()


def in_a_child(work: object) -> int:
    """The exit code of a forked child; nothing of pytest may run in it."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)  # type: ignore[operator]
        except BaseException:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def test_a_card_that_waits_is_the_parents_and_the_child_uses_tools_of_its_own(
    bot: rb.Rustbot, server: MisbehavingServer, tmp_path: Path
) -> None:
    server.script(tool_call("run_shell", '{"command": "touch ran.txt"}'), answer("Done."))
    (tmp_path / "notes.txt").write_text("needle")
    turn = bot.submit(TurnRequest(message=user_message("Go"), source="chat"))
    deadline = time.monotonic() + 10
    while not bot.approvals:
        assert time.monotonic() < deadline, "nothing waits"
        time.sleep(0.01)

    code = in_a_child(lambda: "needle" in bot.call_tool("read_file", {"path": "notes.txt"}).text)

    assert code == 0
    assert not (tmp_path / "ran.txt").exists()
    (approval,) = bot.approvals
    approval.allow()
    assert turn.outcome.result(timeout=30).text == "Done."
    assert (tmp_path / "ran.txt").exists()
