"""A key that a tool prints while it runs, in a real kernel: what of it the page ever has (row X1)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from servers.misbehaving import MisbehavingServer, answer, tool_call

pytestmark = pytest.mark.kernel

KEY = "sk-or-v1-planted/+0123456789abcdef"
SETUP = """
import base64, os, time
import rustbot_jupyter as rb
from rustbot_jupyter.tools.base import Risk, ToolContext
from rustbot_jupyter.tools.functions import tool_of
os.environ['OPENROUTER_API_KEY'] = {key!r}
bot = rb.Rustbot(model='test/model', base_url={base_url!r})
def prints_slowly(context: ToolContext) -> str:
    key = os.environ['OPENROUTER_API_KEY']
    # Each piece is told by itself.
    for piece in ('with ', key[:4], key[4:20], key[20:], ' and ', base64.b64encode(key.encode()).decode(), ' all over'):
        context.progress(piece)
        time.sleep(0.15)
    return 'ok'
bot.tools.add(tool_of(prints_slowly, risk=Risk.READ, description='Print.'))
display(bot.chat())
"""


def test_a_key_that_is_printed_in_pieces_is_put_together_on_no_page(kernel: Any, server: MisbehavingServer) -> None:
    code = "import os; print(os.environ); os.environ['OPENROUTER_API_KEY']"
    server.script(
        tool_call("prints_slowly", "{}"),
        tool_call("run_code", json.dumps({"code": code}), call_id="2"),
        answer("Done."),
    )
    widget = kernel.show(SETUP.format(key=KEY, base_url=server.base_url))
    widget.open()
    widget.ask("subscribe", topic="events")
    shown: list[str] = []

    def shows(condition: Any) -> bool:
        page = widget.page
        shown.append(json.dumps([page.tool_runs, page.approvals, page.messages, page.state], default=str))
        return bool(condition())

    widget.ask("send", text="Go")
    kernel.until(lambda: shows(lambda: widget.page.approvals))
    approval = widget.page.approvals[0]
    widget.ask("approve", approval_id=approval["id"], digest=approval["digest"], scope="once")
    kernel.until(lambda: shows(lambda: widget.page.texts and widget.page.texts[-1] == ("assistant", "Done.")))
    dump = kernel.run("print(bot.chat().get_state(), bot.tool_runs().to_dict('records'), bot.toolbox.runs.all())")

    said = [message["content"] for message in kernel.messages if message["msg_type"] != "execute_input"]
    told = "\n".join([*shown, json.dumps(said, default=str), dump])
    forms = {KEY, quote(KEY, safe=""), json.dumps(KEY)[1:-1], base64.b64encode(KEY.encode()).decode()[:-4]}
    outputs = [run["output"] for run in widget.page.tool_runs.values()]
    assert [form for form in forms if form in told] == []
    assert any("all over" in output for output in outputs)
    kernel.run("bot.close(); del os.environ['OPENROUTER_API_KEY']")
