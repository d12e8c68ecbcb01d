"""A notebook whose bot asks a model that calls tools: its cells, their cards and prompts, what the model was told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any

import psutil
from servers.misbehaving import Chunk, MisbehavingServer, Script, answer, closing, delta, event, head, tool_call

SETUP = """
import asyncio, json, os, pathlib, threading, time
import rustbot_jupyter as rb
%reload_ext rustbot_jupyter
bot = rb.Rustbot(model='test/model', base_url={base_url!r})
rb.set_bot(bot)
bot.settings.retries = 0
"""
LEFT = """
import psutil as _psutil
from rustbot_jupyter.notebook.mainloop import main_thread as _main
async def _left():
    names = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("rustbot-run")]
    processes = _psutil.Process().children(recursive=True)
    return [*names, *(process.name() for process in processes), *map(str, _main.tasks)]
_end = time.monotonic() + 3
while True:
    _now = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_left(), bot._parts.core.loop))
    if (bot.state == "idle" and not _now) or time.monotonic() > _end: break
    await asyncio.sleep(0.01)
print(bot.state, _now)
"""
"""Prints the bot's state, and what still runs of its tools after a moment: tasks and processes."""
PATIENCE_S = 20.0


def eventually(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What a condition gives, once that is true; for what no message tells of."""
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
    return found


def calls(name: str, /, *, call_id: str = "call_1", **arguments: Any) -> Script:
    """An answer that calls a tool."""
    return tool_call(name, json.dumps(arguments), call_id=call_id)


def all_calls(*wanted: tuple[str, dict[str, Any]]) -> Script:
    """An answer that calls several tools at once."""
    pieces = [
        {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": text}}
        for index, (name, text) in enumerate((name, json.dumps(arguments)) for name, arguments in wanted)
    ]
    return [head(), Chunk(event(delta(content=None, tool_calls=pieces))), *closing(finish="tool_calls")]


class ToolNotebook:
    """A kernel with a bot of its own, and the provider that it asks."""

    def __init__(self, kernel: Any, server: MisbehavingServer) -> None:
        self.kernel = kernel
        self.server = server
        self.run = kernel.run
        self._known = set(kernel.widgets)
        self._cells: list[str] = []
        self.has_cards = kernel.subshells
        # Of a test before, whose cell was stopped.
        with suppress(Empty):
            while True:
                kernel.client.get_stdin_msg(timeout=0)
        kernel.run(SETUP.format(base_url=server.base_url))

    def will_call(self, name: str, /, **arguments: Any) -> None:
        """Have the model call a tool once, and then say "Done."."""
        self.server.script(calls(name, **arguments), answer("Done."))

    def start(self, code: str, *, takes_input: bool = True) -> str:
        """Run a cell without waiting; `takes_input` says whether a person is there."""
        parent: str = self.kernel.client.execute(code, allow_stdin=takes_input)
        self._cells.append(parent)
        return parent

    def finish(self, parent: str) -> None:
        """Wait until a cell has ended."""
        self.kernel.until(lambda: self.kernel.is_done(parent))

    def said(self, parent: str, *kinds: str) -> list[dict[str, Any]]:
        """The contents of a cell's messages of these kinds."""
        return [
            message["content"]
            for message in list(self.kernel.messages)
            if message["parent_header"].get("msg_id") == parent and message["msg_type"] in kinds
        ]

    def printed(self, parent: str) -> str:
        """What a cell printed, up to now."""
        return "".join(content["text"] for content in self.said(parent, "stream"))

    def shown(self, parent: str) -> str:
        """The newest Markdown that a cell shows."""
        bundles = [content["data"] for content in self.said(parent, "display_data", "update_display_data")]
        return [bundle["text/markdown"] for bundle in bundles if "text/markdown" in bundle][-1]

    def errors(self, parent: str) -> list[str]:
        """How a cell failed."""
        return [content["ename"] for content in self.said(parent, "error")]

    def card(self) -> Any:
        """The card that a cell shows, as soon as it has what waits for the user."""
        self.kernel.until(lambda: set(self.kernel.widgets) - self._known)
        (comm_id,) = set(self.kernel.widgets) - self._known
        self._known.add(comm_id)
        return self._opened(self.kernel.widgets[comm_id])

    def chat(self) -> Any:
        """The bot's chat, shown and open."""
        widget = self.kernel.show("display(bot.chat())")
        self._known.add(widget.comm_id)
        widget.open()
        return widget

    def _opened(self, widget: Any) -> Any:
        # A cell runs, so that the kernel cannot be asked on the main shell whether it has subshells.
        widget.subshell = self.kernel.create_subshell()
        widget.ask("sync")
        self.asked(widget)
        return widget

    def asked(self, widget: Any) -> dict[str, Any]:
        """What a page shows of the first approval that waits."""
        self.kernel.until(lambda: widget.page.approvals)
        shown: dict[str, Any] = widget.page.approvals[0]
        return shown

    def allow(self, widget: Any, scope: str = "once") -> None:
        """Click on Allow."""
        shown = self.asked(widget)
        widget.ask("approve", approval_id=shown["id"], digest=shown["digest"], scope=scope)

    def say_yes(self) -> None:
        """Allow what the running cell asks, on its card or at its prompt."""
        if self.has_cards:
            self.allow(self.card())
        else:
            self.reply("y")

    def deny(self, widget: Any, reason: str = "") -> None:
        """Click on Deny."""
        shown = self.asked(widget)
        widget.ask("deny", approval_id=shown["id"], digest=shown["digest"], reason=reason)

    def prompt(self) -> str:
        """The text of the prompt that waits for a line."""
        text: str = self.kernel.client.get_stdin_msg(timeout=PATIENCE_S)["content"]["prompt"]
        return text

    def reply(self, line: str) -> str:
        """Type a line at the prompt, as soon as there is one; its text."""
        text = self.prompt()
        self.kernel.client.input(line)
        return text

    def close(self) -> None:
        """Close the bot; a cell that still runs, as the test has failed, is stopped before."""
        while not all(map(self.kernel.is_done, self._cells)):
            self.stop()
            time.sleep(0.2)
        # Code may have removed all variables.
        self.run("import rustbot_jupyter; rustbot_jupyter.get_bot().close()")

    def idle(self) -> None:
        """Wait, between cells, until the bot has nothing to do."""
        self.run("while bot.state != 'idle': await asyncio.sleep(0.01)")

    def results(self) -> list[str]:
        """The results of tools in the newest request that the model got, checked to answer each call once."""
        messages = self.server.chats[-1].json["messages"]
        check_calls(messages)
        return [message["content"] for message in messages if message["role"] == "tool"]

    def file(self, name: str) -> Any:
        """A file in the kernel's folder."""
        return self.kernel.home / name

    def stop(self, presses: int = 1) -> float:
        """Press the notebook's Stop; when that was."""
        pressed = time.monotonic()
        for _ in range(presses):
            self.kernel.interrupt()
        return pressed


def check_calls(messages: list[dict[str, Any]]) -> None:
    """Check that each call has one result, right after the message that made it."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting, f"no result for {waiting}"
            waiting = [call["id"] for call in message.get("tool_calls") or []]
    assert not waiting, f"no result for {waiting}"


def processes_with(mark: str) -> list[int]:
    """The processes that have this among their arguments."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if mark in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found
