"""A tool that ends the kernel it runs in: nothing runs by itself afterwards, and the chat works again (row T11)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from servers.misbehaving import MisbehavingServer, answer, tool_call

pytestmark = pytest.mark.kernel

ENDS = {
    "exit": "import os, pathlib; pathlib.Path('ran.txt').write_text('x'); os._exit(3)",
    "kill": "import os, pathlib; pathlib.Path('ran.txt').write_text('x'); os.kill(os.getpid(), 9)",
    "crash": "import ctypes, pathlib; pathlib.Path('ran.txt').write_text('x'); ctypes.string_at(0)",
}


@pytest.mark.parametrize("end", ENDS)
def test_after_a_tool_killed_the_kernel_nothing_runs_again_and_the_chat_works(
    own_kernel: Any, server: MisbehavingServer, chat_code: str, end: str
) -> None:
    server.script(tool_call("run_code", json.dumps({"code": ENDS[end]})), answer("Hello"))
    widget = own_kernel.show(chat_code)
    widget.open()
    widget.ask("send", text="Go")
    own_kernel.until(lambda: widget.page.approvals)
    approval = widget.page.approvals[0]

    widget.send("approve", approval_id=approval["id"], digest=approval["digest"], scope="once")
    deadline = time.monotonic() + 20
    while own_kernel.manager.is_alive():
        assert time.monotonic() < deadline, "the kernel lives"
        time.sleep(0.02)
    own_kernel.restart()
    again = own_kernel.show(chat_code)
    again.open()

    assert again.page.state["state"] == "idle"
    assert again.page.approvals == []
    assert len(server.chats) == 1
    again.ask("send", text="Hi")
    again.until_answered("Hello")
    assert (own_kernel.home / "ran.txt").exists()
