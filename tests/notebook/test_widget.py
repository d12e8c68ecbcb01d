"""The chat widget in plain Python: no kernel, no page."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from pages import Page
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

import rustbot_jupyter as rb
from rustbot_jupyter.notebook.compat import kernel_facts, read_on_subshells, send_without_parent

STATIC = Path(rb.__file__).parent / "notebook" / "static"


@pytest.fixture
def bot(server: MisbehavingServer, own_folders: None) -> Iterator[rb.Rustbot]:
    bot = rb.Rustbot(model="test/model", base_url=server.base_url)
    yield bot
    bot.close()


@pytest.fixture
def shown(bot: rb.Rustbot) -> Shown:
    return Shown(bot)


class Shown:
    """A bot's chat with a page at the end of its comm."""

    def __init__(self, bot: rb.Rustbot) -> None:
        self.widget = bot.chat()
        self.page = Page()
        self.threads: set[str] = set()
        self.widget.comm.send = self._receive

    def _receive(self, data: dict[str, Any], buffers: Any = None, **more: Any) -> None:
        self.threads.add(threading.current_thread().name)
        if data["method"] == "custom":
            self.page.receive(json.loads(json.dumps(data["content"])), buffers or ())

    def say(self, name: str, **fields: Any) -> dict[str, Any]:
        """The acknowledgement of a command."""
        message = self.page.command(name, **fields)
        self.widget._handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})
        until(lambda: message["id"] in self.page.acks)
        return self.page.acks[message["id"]][0]


def until(condition: Callable[[], object]) -> None:
    """Return once something is so; fails after some seconds."""
    end = monotonic() + 5
    while not condition():
        assert monotonic() < end, "it did not happen"
        sleep(0.002)


def test_a_question_of_the_page_is_answered(shown: Shown, server: MisbehavingServer) -> None:
    server.script(answer("Hel", "lo"))
    shown.say("sync")

    ack = shown.say("send", text="Hi")
    until(lambda: shown.page.texts == [("user", "Hi"), ("assistant", "Hello")])

    assert ack["ok"]
    assert shown.threads == {"rustbot-core"}


def test_a_question_of_python_shows_in_the_page(shown: Shown, bot: rb.Rustbot, server: MisbehavingServer) -> None:
    server.script(answer("Hello"))
    shown.say("sync")

    bot.ask("Hi")
    until(lambda: shown.page.texts == [("user", "Hi"), ("assistant", "Hello")])

    assert shown.page.last["source"] == "api"


def test_a_setting_changed_in_python_shows_in_the_page(shown: Shown, bot: rb.Rustbot) -> None:
    shown.say("sync")
    shown.say("settings")

    bot.model = "test/other"
    until(lambda: shown.page.model["id"] == "test/other")
    bot.settings.temperature = 0.3

    def temperature() -> Any:
        return next(field["value"] for field in shown.page.settings["fields"] if field["name"] == "temperature")

    until(lambda: temperature() == 0.3)


def test_a_setting_saved_in_the_page_is_used_for_the_next_question(
    shown: Shown, bot: rb.Rustbot, server: MisbehavingServer
) -> None:
    shown.say("sync")

    shown.say("save_settings", values={"temperature": 0.3}, persist=False)
    bot.ask("Hi")

    assert server.chats[0].json["temperature"] == 0.3


def test_a_bot_has_one_widget_and_a_new_one_after_that_was_closed(bot: rb.Rustbot) -> None:
    first = bot.chat()

    second = bot.chat(tab="settings")
    second.close()
    third = bot.chat()

    assert first is second
    assert first.is_closed
    assert second.tab == "settings"
    assert third is not second
    assert third.tab == "chat"


def test_closing_the_bot_closes_the_widget_and_ends_all_threads(server: MisbehavingServer, bot: rb.Rustbot) -> None:
    server.script([*opening("Once "), HOLD])
    shown = Shown(bot)
    shown.say("sync")
    shown.say("send", text="Tell")
    until(lambda: shown.page.texts[-1:] == [("assistant", "Once ")])

    bot.close()
    shown.widget._on_message(shown.widget, shown.page.command("send", text="Anybody?"), [])

    assert shown.widget.is_closed
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("rustbot")] == []
    assert server.chats[0].wait_closed()
    assert len(server.chats) == 1


def test_closing_the_widget_leaves_the_bot_running(shown: Shown, bot: rb.Rustbot, server: MisbehavingServer) -> None:
    server.script(answer("Hello"))
    shown.say("sync")

    shown.widget.close()

    assert bot.ask("Hi").text == "Hello"


def test_the_synced_state_holds_the_front_end_and_the_tab_only(shown: Shown, bot: rb.Rustbot) -> None:
    shown.say("sync")
    bot.ask("Do not tell")

    state = shown.widget.get_state()

    own = {name: value for name, value in state.items() if not name.startswith("_")}
    assert set(own) == {"tab", "place", "takes_focus", "layout", "tabbable", "tooltip", "turn"}
    assert state["_esm"] == (STATIC / "widget.js").read_text(encoding="utf-8")
    assert state["_css"] == (STATIC / "widget.css").read_text(encoding="utf-8")
    assert "Do not tell" not in str(state)


def test_without_a_kernel_a_saved_notebook_says_what_stood_there(bot: rb.Rustbot) -> None:
    bot.ask("Do not tell")

    data, _ = bot._repr_mimebundle_()

    assert set(data) == {"text/plain", "text/markdown", "application/vnd.jupyter.widget-view+json"}
    assert "run this cell again" in data["text/markdown"]
    assert "Do not tell" not in str(data)


def test_making_a_chat_starts_no_thread_and_watches_no_file(bot: rb.Rustbot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYWIDGET_HMR", "1")
    before = set(threading.enumerate())

    bot.chat()

    assert set(threading.enumerate()) == before


def test_messages_are_taken_from_any_thread(shown: Shown, server: MisbehavingServer) -> None:
    server.script(answer("Hello"))
    shown.say("sync")
    messages = [shown.page.command("send", text=f"Question {number}") for number in range(20)]

    threads = [
        threading.Thread(target=shown.widget._on_message, args=(shown.widget, message, [])) for message in messages
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(server.chats) == 20 and all(message["id"] in shown.page.acks for message in messages))

    assert all(shown.page.acks[message["id"]][0]["ok"] for message in messages)


def test_no_kernel_is_no_kernel() -> None:
    facts = kernel_facts()

    assert (facts.ipykernel, facts.has_subshells) == ("", False)


def test_a_comm_is_read_where_the_page_sent_it() -> None:
    class New:
        def _reply_subshell_for(self, data: object, default: object) -> object:
            return "where it last sent"

    class Old:
        pass

    new, old = New(), Old()

    read_on_subshells(new)
    read_on_subshells(old)

    assert new._reply_subshell_for({}, "where the page sent it") == "where the page sent it"
    assert vars(old) == {}


def test_a_streamed_piece_names_no_message_as_its_cause_and_a_trait_change_does() -> None:
    class Session:
        def __init__(self) -> None:
            self.sent: list[tuple[Any, ...]] = []

        def send(self, *message: Any, **more: Any) -> None:
            self.sent.append((*message, more))

    class Kernel:
        session, iopub_socket = Session(), "iopub"

    class Comm:
        kernel, comm_id, topic = Kernel(), "comm-1", b"comm-comm-1"

        def __init__(self) -> None:
            self.published: list[Any] = []

        def publish_msg(self, msg_type: str, **more: Any) -> None:
            self.published.append(more["data"])

    comm = Comm()
    piece, change = {"method": "custom", "content": {"a": 1}}, {"method": "update", "state": {"tab": "events"}}

    send_without_parent(comm)
    comm.publish_msg("comm_msg", data=piece, buffers=[b"x"])
    comm.publish_msg("comm_msg", data=change)

    content = {"data": piece, "comm_id": "comm-1"}
    assert Kernel.session.sent == [("iopub", "comm_msg", content, {"ident": b"comm-comm-1", "buffers": [b"x"]})]
    assert comm.published == [change]
