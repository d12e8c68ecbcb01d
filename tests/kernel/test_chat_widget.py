"""The chat widget in a real kernel: what travels to the page, and what is left behind."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from pages import Page
from servers.misbehaving import HOLD, MisbehavingServer, answer, error, flood, opening

pytestmark = pytest.mark.kernel

KEY = "sk-or-v1-planted/+0123456789abcdef"


def test_a_flood_of_letters_becomes_few_messages_and_loses_none(
    kernel: Any, server: MisbehavingServer, chat_code: str
) -> None:
    server.script(flood(20_000, rate=10_000))
    widget = kernel.show(chat_code)
    widget.open()

    widget.ask("send", text="Go")
    widget.until_answered("x" * 20_000)

    page = widget.page
    busiest = max(sum(start <= at < start + 1 for at in page.arrivals) for start in page.arrivals)
    size = sum(len(json.dumps(content)) for content in page.contents)
    assert busiest <= 35
    assert size <= 1.2 * 20_000 + 600 * len(page.contents) + 6_000


def test_two_views_and_a_reloaded_page_show_the_same(kernel: Any, server: MisbehavingServer, chat_code: str) -> None:
    server.script([*opening("Once "), HOLD, *answer("upon a time")[1:]])
    widget = kernel.show(chat_code)
    widget.open()
    widget.pages.append(Page("view-2"))
    widget.ask("sync", widget.pages[1])
    widget.ask("send", widget.pages[1], text="Tell")
    widget.until_answered("Once ", "streaming")

    reloaded = Page("view-3")
    widget.pages.append(reloaded)
    widget.ask("sync", reloaded)
    server.release()
    widget.until_answered("Once upon a time")

    assert [page.texts for page in widget.pages] == [[("user", "Tell"), ("assistant", "Once upon a time")]] * 3
    assert len(server.chats) == 1


def test_showing_the_chat_loads_nothing_heavy(own_kernel: Any) -> None:
    heavy = "sorted({'pandas', 'plotly', 'mcp', 'openai', 'watchfiles'} & set(sys.modules))"

    widget = own_kernel.show("import sys, rustbot_jupyter as rb\nbot = rb.Rustbot()\ndisplay(bot.chat())")
    widget.open()

    assert own_kernel.run(f"print({heavy})").strip() == "[]"


def test_no_copy_of_the_key_leaves_the_kernel(kernel: Any, server: MisbehavingServer) -> None:
    server.script(error(401, f"Bad key {KEY}"), answer(f"You said {KEY[:6]}"))
    widget = kernel.show(
        "import rustbot_jupyter as rb\n"
        f"bot = rb.Rustbot(model='test/model', base_url={server.base_url!r}, api_key={KEY!r})\n"
        "display(bot.chat())\n"
    )
    widget.open()
    widget.ask("subscribe", topic="events")
    widget.ask("send", text="Hi")
    widget.kernel.until(lambda: widget.page.messages and widget.page.last["status"] == "error")
    widget.ask("set_key", key=KEY, remember="memory")
    widget.ask("settings")
    widget.ask("check_connection")
    rows = widget.ask("subscribe", topic="events")["rows"]
    details = [widget.ask("event", seq=row["seq"]) for row in rows]
    dump = widget.kernel.run(
        "w = bot.chat()\n"
        "print(w.get_state(), w._repr_mimebundle_(), repr(w), repr(bot), vars(w), bot.events().to_csv())"
    )

    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    said = [message["content"] for message in widget.kernel.messages if message["msg_type"] != "execute_input"]
    told = json.dumps(said, default=str) + json.dumps(details) + dump
    forms = {KEY, quote(KEY, safe=""), json.dumps(KEY)[1:-1], base64.b64encode(KEY.encode()).decode().rstrip("=")[:-1]}
    assert [form for form in forms if form in told] == []


STATES = {
    "idle": answer("Hello"),
    "processing": [HOLD],
    "responding": [*opening("Once "), HOLD],
    "waiting_retry": error(503, "Busy", **{"Retry-After": "30"}),
}


def test_closing_the_bot_in_any_state_leaves_nothing(
    own_kernel: Any, server: MisbehavingServer, chat_code: str
) -> None:
    for state, script in STATES.items():
        widget = bring_into(state, script, own_kernel, server, chat_code)

        own_kernel.run("bot.close()")

        assert server.chats[-1].wait_closed()
        own_kernel.until(lambda shown=widget: shown.is_closed)
        threads = own_kernel.run("import threading; print([t.name for t in threading.enumerate()])")
        assert "rustbot" not in threads
    assert len(server.chats) == len(STATES)


def test_a_restart_in_any_state_leaves_nothing_and_the_cell_can_be_run_again(
    own_kernel: Any, server: MisbehavingServer, chat_code: str
) -> None:
    for number, (state, script) in enumerate(STATES.items(), start=1):
        bring_into(state, script, own_kernel, server, chat_code)

        own_kernel.restart()

        assert server.chats[-1].wait_closed()
        assert len(server.chats) == number
    bring_into("idle", answer("Hello"), own_kernel, server, chat_code)


def bring_into(state: str, script: Any, kernel: Any, server: MisbehavingServer, chat_code: str) -> Any:
    """A new chat that is in this state after a question."""
    server.script(script)
    widget = kernel.show(chat_code)
    widget.open()
    widget.ask("send", text="Hi")
    kernel.until(lambda: widget.page.state["state"] == state and widget.page.totals["requests"] == (state == "idle"))
    return widget


def test_a_cell_that_is_run_again_leaves_no_chat_of_its_earlier_runs_behind(own_kernel: Any, chat_code: str) -> None:
    def run(code: str, cell: str) -> None:
        request = own_kernel.client.session.msg("execute_request", {"code": code, "silent": False})
        request["metadata"]["cellId"] = cell
        own_kernel.client.shell_channel.send(request)
        own_kernel.until_ended(request["header"]["msg_id"])

    count = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"
    run(f"{chat_code}\ndisplay(bot, rb.Rustbot())", "one")
    assert own_kernel.run(count) == "4\n"

    for _ in range(3):
        run(f"{chat_code}\ndisplay(bot, rb.Rustbot())", "one")
    assert own_kernel.run(count) == "4\n"

    # Shown by another cell, too, it stays there.
    run("bot", "two")
    run("other = rb.Rustbot()\ndisplay(other)", "one")
    assert own_kernel.run(count) == "4\n"
    assert own_kernel.run("print(bot.chat().is_closed, bot.chat().place, other.chat().place)") == "False one one\n"
