"""A model that obeys every order it reads gets nothing done without the user."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from servers.obeying import Call, ObeyingModel
from tools.payloads_injections import CANARY, INJECTIONS, WORKSPACE_FILES, Injection

import rustbot_jupyter as rb
from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.tools.addresses import Reach
from rustbot_jupyter.tools.base import Risk, Tool, ToolResult
from rustbot_jupyter.tools.functions import fingerprint, tool_of
from rustbot_jupyter.tools.web import web_tools

SOURCE = "source.txt"
ORDERS = {f"order-{number}:": Call(name=each.name, arguments=each.arguments) for number, each in enumerate(INJECTIONS)}
"""What the model looks for: a text may be cut or cleaned on its way to it, and it is to obey all the same."""
NAMED = {"file": f"file {SOURCE}", "frame": "df", "page": "page ", "result": "the helper's words", "mcp": ""}
"""What an approval says was read before, by the place of the order."""


class Pages:
    """A web server on this machine that serves one text."""

    def __init__(self) -> None:
        self.text = ""
        pages = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(pages.text.encode("utf-8", "surrogatepass"))

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/page"


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    pages = Pages()
    yield pages
    pages.server.shutdown()
    pages.server.server_close()


@pytest.fixture(scope="module")
def model() -> Iterator[ObeyingModel]:
    with ObeyingModel(ORDERS) as model:
        yield model


@pytest.fixture
def bot(model: ObeyingModel, own_folders: None, tmp_path: Path, pages: Pages) -> Iterator[rb.Rustbot]:
    for name, text in WORKSPACE_FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    InteractiveShell.instance()
    bot = rb.Rustbot(model="obeying", base_url=model.base_url)
    # The pages of these tests are on this machine, where the tool goes for nobody else.
    ports = frozenset({443, pages.server.server_port})
    fetch_page, _ = web_tools(reach=Reach(is_allowed=lambda address: address.is_loopback, ports=ports))
    bot.toolbox.registry.add(fetch_page)
    yield bot
    bot.close()


def lay_out(injection: Injection, bot: rb.Rustbot, folder: Path, pages: Pages) -> Call | None:
    """Put the text where a model reads it; the call with which it does."""
    text = f"order-{INJECTIONS.index(injection)}: {injection.text}"
    match injection.place:
        case "file":
            (folder / SOURCE).write_text(text, encoding="utf-8", errors="surrogatepass")
            return Call(name="read_file", arguments={"path": SOURCE})
        case "frame":
            InteractiveShell.instance().user_ns["df"] = pd.DataFrame({"comment": [text]})
            return Call(name="describe_variable", arguments={"name": "df"})
        case "page":
            pages.text = text
            return Call(name="fetch_page", arguments={"url": pages.url})
        case "result":
            bot.tools.add(helper(text))
            return Call(name="helper", arguments={})
        case "mcp":
            bot.tools.add(server_tool(text))
            return None


def helper(text: str) -> Tool:
    def run() -> ToolResult:
        return ToolResult(text=text, origin="the helper's words")

    return tool_of(run, name="helper", risk=Risk.READ, description="Help.")


def server_tool(text: str) -> Tool:
    tool = tool_of(lambda: "ok", name="evil__tool", risk=Risk.EXECUTE, source="mcp:evil", description=text)
    tool.fingerprint = fingerprint(tool.definition)
    return tool


def ask(bot: rb.Rustbot, **options: Any) -> Turn:
    return bot.submit(TurnRequest(message=user_message("Have a look."), source="chat", **options))


def until_asked_or_over(bot: rb.Rustbot, turn: Turn) -> list[Any]:
    """What waits for the user, once something does or the turn is over."""
    changed = threading.Event()
    end = bot.toolbox.approvals.on_change(changed.set)
    turn.outcome.add_done_callback(lambda outcome: changed.set())
    try:
        while not (bot.approvals or turn.outcome.done()):
            assert changed.wait(30), "neither a question nor an answer"
            changed.clear()
    finally:
        end()
    return bot.approvals


def files_in(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in WORKSPACE_FILES}


def nothing_was_done(bot: rb.Rustbot, folder: Path) -> None:
    assert not (folder / CANARY).exists()
    assert files_in(folder) == WORKSPACE_FILES
    assert list(bot.rules) == []
    assert bot.approve == "ask"


def ids(injection: Injection) -> str:
    return f"{injection.place}-{injection.name}-{INJECTIONS.index(injection)}"


@pytest.mark.parametrize("injection", INJECTIONS, ids=ids)
def test_an_order_that_was_read_waits_for_the_user_and_says_where_it_stood(
    injection: Injection, bot: rb.Rustbot, model: ObeyingModel, pages: Pages, tmp_path: Path
) -> None:
    model.first = lay_out(injection, bot, tmp_path, pages)
    model.obeyed.clear()
    turn = ask(bot)
    if injection.place == "page":
        (own,) = until_asked_or_over(bot, turn)
        # Reading the page asks, too.
        own.allow()

    asked = [approval for approval in until_asked_or_over(bot, turn) if approval.tool == injection.name]
    nothing_was_done(bot, tmp_path)
    for approval in asked:
        assert NAMED[injection.place] in approval.source
        approval.deny("I did not ask for that.")
    reply = turn.outcome.result(timeout=30)

    assert injection.name in model.obeyed, "the order was not read"
    nothing_was_done(bot, tmp_path)
    run = [run for run in reply.tool_runs if run.call.name == injection.name][-1]
    assert run.state.value == ("refused" if asked else "error")


@pytest.mark.parametrize("injection", INJECTIONS, ids=ids)
def test_where_only_reading_is_allowed_nobody_is_even_asked(
    injection: Injection, bot: rb.Rustbot, model: ObeyingModel, pages: Pages, tmp_path: Path
) -> None:
    model.first = lay_out(injection, bot, tmp_path, pages)

    turn = ask(bot, approve="read-only")

    assert until_asked_or_over(bot, turn) == []
    assert turn.outcome.result(timeout=30).text == "Done."
    nothing_was_done(bot, tmp_path)


def test_the_order_would_be_carried_out_if_it_were_allowed(
    bot: rb.Rustbot, model: ObeyingModel, pages: Pages, tmp_path: Path
) -> None:
    """So that the tests above can fail."""
    injection = next(each for each in INJECTIONS if each.name == "write_file" and each.place == "file")
    model.first = lay_out(injection, bot, tmp_path, pages)
    turn = ask(bot)
    (approval,) = until_asked_or_over(bot, turn)

    approval.allow()
    turn.outcome.result(timeout=30)

    assert (tmp_path / injection.arguments["path"]).exists()


def test_even_where_everything_is_allowed_what_was_read_cannot_be_carried_out_of_the_machine(
    bot: rb.Rustbot, model: ObeyingModel, pages: Pages, tmp_path: Path
) -> None:
    injection = next(each for each in INJECTIONS if each.name == "fetch_page" and each.place == "file")
    model.first = lay_out(injection, bot, tmp_path, pages)

    turn = ask(bot, approve="allow")

    (approval,) = until_asked_or_over(bot, turn)
    assert (approval.tool, NAMED["file"] in approval.source) == ("fetch_page", True)
    approval.deny()
    turn.outcome.result(timeout=30)
