"""Tools in the page: what their user sees of a call, and every way to answer, watch and stop it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_notebook import COMPLETE, Chat, Notebook
from playwright.sync_api import Locator, expect
from servers.mcp_bench import SERVER, processes_with
from servers.misbehaving import MisbehavingServer, answer, tool_call

pytestmark = pytest.mark.browser

GREET = '''
ran = []

@bot.tool
def greet(name: str) -> str:
    """Greet somebody."""
    ran.append(name)
    return f"Hello {name}!"
'''
WORK = '''
import threading
go = threading.Event()

@bot.tool(risk="read")
def work(context: rb.ToolContext) -> str:
    """Work for a while."""
    context.progress("one of two\\n")
    while not go.wait(0.02):
        pass
    context.progress("two of two\\n")
    return "All of it."
'''
DOT = '''
import struct, zlib
from rustbot_jupyter.messages import ImagePart

def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

HEAD = struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)
ROWS = zlib.compress(b"".join(b"\\0" + b"\\xff\\x00\\x00" * 3 for _ in range(2)))
PNG = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", HEAD) + chunk(b"IDAT", ROWS) + chunk(b"IEND", b"")

@bot.tool(risk="read")
def draw() -> rb.ToolResult:
    """Draw a red picture, 3 by 2."""
    return rb.ToolResult(text="A red picture.", images=(ImagePart(media_type="image/png", data=PNG),))
'''


def greeting(name: str) -> list[Any]:
    """A model that wants to greet somebody."""
    return tool_call("greet", json.dumps({"name": name}))


def running(code: str) -> list[Any]:
    """A model that wants to run code."""
    return tool_call("run_code", json.dumps({"code": code}))


def told(server: MisbehavingServer) -> str:
    """The newest tool result that the model got."""
    results = [message for message in server.chats[-1].json["messages"] if message["role"] == "tool"]
    content: str = results[-1]["content"]
    return content


def offered(server: MisbehavingServer) -> list[str]:
    """The names of the tools that the model was offered last."""
    return [tool["function"]["name"] for tool in server.chats[-1].json.get("tools", [])]


def allow(card: Locator, name: str = "Allow once") -> None:
    """Press a button of an approval, once it can be pressed."""
    card.get_by_role("button", name=name, exact=True).click()


def busy_until(file: Path) -> str:
    """A cell that runs until the file is there."""
    return f"import os, time\nprint('begun')\nwhile not os.path.exists({str(file)!r}):\n    time.sleep(0.02)"


@pytest.fixture
def greeter(notebook: Notebook, bot_code: str) -> Chat:
    """The chat of a bot that can greet, when it is allowed to."""
    return notebook.show(f"{bot_code}{GREET}bot")


@pytest.fixture
def worker(notebook: Notebook, bot_code: str) -> Iterator[Chat]:
    """The chat of a bot whose tool works until `go` is set."""
    yield notebook.show(f"{bot_code}{WORK}bot")
    notebook.run("go.set()")


@pytest.fixture
def workspace(notebook: Notebook, tmp_path: Path) -> Iterator[Path]:
    """A folder of this test alone, where bots that are made from now on work and keep all they keep."""
    notebook.run(
        "import os; before = os.getcwd(), dict(os.environ)\n"
        f"os.chdir({str(tmp_path)!r})\n"
        f"os.environ |= dict(RUSTBOT_CONFIG_DIR={str(tmp_path / 'config')!r}, "
        f"RUSTBOT_DATA_DIR={str(tmp_path / 'data')!r})"
    )
    yield tmp_path
    notebook.run("os.chdir(before[0]); os.environ |= before[1]")


# Answers to an approval.


def test_an_allowed_call_runs_and_its_result_reaches_the_model(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("I did."))

    greeter.send("Greet Ada")
    expect(greeter.approvals).to_contain_text('"name": "Ada"')
    expect(greeter.calls).to_have_attribute("data-state", "waiting_approval")
    assert notebook.run("print(ran)") == "[]"
    allow(greeter.approvals)

    greeter.expect_answer("I did.", COMPLETE)
    expect(greeter.approvals).to_have_count(0)
    expect(greeter.calls).to_have_attribute("data-state", "complete")
    expect(greeter.calls).to_contain_text("allowed once")
    expect(greeter.answer.get_by_title("This answer was made with tools")).to_be_visible()
    assert told(server) == "Hello Ada!"
    assert notebook.run("print(ran)") == "['Ada']"


def test_a_refusal_with_a_reason_tells_the_model_why(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("I see."))

    greeter.send("Greet Ada")
    allow(greeter.approvals, "Deny with a reason…")
    greeter.approvals.get_by_label("Reason, told to the model").fill("She sleeps <b>now</b>.")
    allow(greeter.approvals, "Deny and say why")

    greeter.expect_answer("I see.", COMPLETE)
    expect(greeter.calls).to_have_attribute("data-state", "refused")
    assert told(server).endswith("The user says: She sleeps <b>now</b>.")
    assert notebook.run("print(ran)") == "[]"


def test_a_stop_takes_the_card_away_and_the_conversation_goes_on(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("Yes?"))

    greeter.send("Greet Ada")
    expect(greeter.approvals).to_be_visible()
    greeter.button("Stop").click()

    expect(greeter.approvals).to_have_count(0)
    expect(greeter.calls).to_have_attribute("data-state", "interrupted")
    greeter.send("Hello?")
    greeter.expect_answer("Yes?", COMPLETE)
    assert told(server) == "It was not run: the answer was stopped before."
    assert notebook.run("print(ran)") == "[]"


def test_an_answer_that_comes_after_the_stop_is_told_so_and_runs_nothing(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("Yes?"))

    greeter.send("Greet Ada")
    expect(greeter.approvals.get_by_role("button", name="Allow once")).to_be_enabled()
    # Both before the kernel could take the card away.
    greeter.root.evaluate(
        """(root) => {
            for (const name of ['Stop', 'Allow once']) root.querySelector(`button[aria-label="${name}"]`).click();
        }"""
    )

    expect(greeter.approvals).to_have_count(0)
    expect(greeter.root.get_by_role("alert")).to_contain_text("does not wait any more")
    expect(greeter.calls).to_have_attribute("data-state", "interrupted")
    assert notebook.run("print(ran)") == "[]"


def test_allow_for_this_conversation_asks_again_in_the_next_one(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("One."), greeting("Bob"), answer("Two."), greeting("Eve"), answer("Three."))
    greeter.send("Greet Ada")
    allow(greeter.approvals, "Allow for this conversation")
    greeter.expect_answer("One.", COMPLETE)

    greeter.send("Greet Bob")
    greeter.expect_answer("Two.", COMPLETE)
    ran = notebook.run("print(ran)")
    greeter.button("New chat").click()
    expect(greeter.questions).to_have_count(0)
    greeter.send("Greet Eve")

    expect(greeter.approvals).to_contain_text("Eve")
    assert ran == "['Ada', 'Bob']"
    assert notebook.run("print(ran)") == ran
    greeter.button("Stop").click()
    greeter.expect_state("idle")


def test_always_holds_for_a_new_conversation_until_it_is_revoked(
    notebook: Notebook, workspace: Path, bot_code: str, server: MisbehavingServer
) -> None:
    chat = notebook.show(f"{bot_code}{GREET}bot")
    server.script(greeting("Ada"), answer("One."), greeting("Bob"), answer("Two."), greeting("Eve"), answer("Three."))
    chat.send("Greet Ada")
    allow(chat.approvals, "Always allow * here")
    chat.expect_answer("One.", COMPLETE)
    chat.button("New chat").click()
    expect(chat.questions).to_have_count(0)
    chat.send("Greet Bob")
    chat.expect_answer("Two.", COMPLETE)

    settings = chat.open_tab("Settings")
    expect(settings.locator("[data-rule]")).to_contain_text(f"Allowedgreet*always, in {workspace}")
    settings.get_by_role("button", name="Revoke greet *").click()
    expect(settings.locator("[data-rule]")).to_have_count(0)
    chat.open_tab("Chat")
    chat.send("Greet Eve")

    expect(chat.approvals).to_contain_text("Eve")
    assert notebook.run("print(ran)") == "['Ada', 'Bob']"
    chat.button("Stop").click()
    chat.expect_state("idle")


def test_keys_answer_the_card_that_has_the_focus_and_no_other_place(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), greeting("Bob"), answer("Good."))
    cells = notebook.panel.locator(".jp-Cell").count()
    keyboard = greeter.page.keyboard
    greeter.send("Greet both")
    expect(greeter.approvals.get_by_role("button", name="Allow once")).to_be_enabled()

    greeter.prompt.focus()
    keyboard.type("acwdr")
    expect(greeter.prompt).to_have_value("acwdr")
    expect(greeter.approvals).to_contain_text("Ada")
    greeter.button("Go to the question").click()
    expect(greeter.approvals).to_be_focused()
    keyboard.type("rNo, a cat")
    expect(greeter.approvals.get_by_label("Reason, told to the model")).to_have_value("No, a cat")
    keyboard.press("Enter")
    expect(greeter.approvals).to_contain_text("Bob")
    reason = told(server)
    expect(greeter.approvals.get_by_role("button", name="Allow once")).to_be_enabled()
    greeter.approvals.focus()
    keyboard.press("a")

    greeter.expect_answer("Good.", COMPLETE)
    expect(greeter.prompt).to_be_focused()
    assert reason.endswith("No, a cat")
    assert notebook.run("print(ran)") == "['Bob']"
    assert notebook.panel.locator(".jp-Cell").count() == cells + 1


def test_a_double_click_on_allow_runs_it_once(notebook: Notebook, greeter: Chat, server: MisbehavingServer) -> None:
    server.script(greeting("Ada"), answer("Once."))

    greeter.send("Greet Ada")
    greeter.approvals.get_by_role("button", name="Allow once").dblclick()

    greeter.expect_answer("Once.", COMPLETE)
    expect(greeter.root.get_by_role("alert")).to_have_count(0)
    assert notebook.run("print(ran)") == "['Ada']"


def test_an_answer_in_one_view_takes_the_card_out_of_the_other(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("Once."))
    notebook.run("bot")
    first, second = notebook.chats(2)

    first.send("Greet Ada")
    for view in (first, second):
        expect(view.approvals).to_contain_text("Ada")
    allow(second.approvals)

    for view in (first, second):
        view.expect_answer("Once.", COMPLETE)
        expect(view.approvals).to_have_count(0)
        expect(view.calls).to_have_attribute("data-state", "complete")
    assert notebook.run("print(ran)") == "['Ada']"


def test_a_page_reloaded_in_mid_approval_shows_the_card_and_takes_the_answer(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("Once."))
    greeter.send("Greet Ada")
    expect(greeter.approvals).to_be_visible()

    notebook.reload()
    (chat,) = notebook.chats(1)
    expect(chat.approvals).to_contain_text('"name": "Ada"')
    allow(chat.approvals)

    chat.expect_answer("Once.", COMPLETE)
    assert told(server) == "Hello Ada!"
    assert notebook.run("print(ran)") == "['Ada']"


def test_after_a_kernel_restart_no_old_card_can_be_answered_and_a_new_chat_asks_anew(
    own_notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), greeting("Bob"), answer("I did."))
    old = own_notebook.show(f"{bot_code}{GREET}bot")
    old.send("Greet Ada")
    expect(old.approvals.get_by_role("button", name="Allow once")).to_be_enabled()

    own_notebook.restart_kernel()
    expect(old.root.get_by_role("alert")).to_contain_text("Kernel restarted: run the cell again.")
    expect(old.approvals.locator("button[aria-keyshortcuts]:enabled")).to_have_count(0)
    expect(old.calls.get_by_role("button", name="Cancel")).to_have_count(0)
    chat = own_notebook.show(f"{bot_code}{GREET}bot")
    chat.send("Greet Bob")
    allow(chat.approvals)

    chat.expect_answer("I did.", COMPLETE)
    assert own_notebook.run("print(ran)") == "['Bob']"


# The card of a call.


def test_a_running_tool_shows_what_it_prints_and_then_its_result(
    notebook: Notebook, worker: Chat, server: MisbehavingServer
) -> None:
    server.script(tool_call("work", "{}"), answer("It worked."))

    worker.send("Work")
    expect(worker.calls).to_have_attribute("data-state", "running")
    output = worker.calls.get_by_role("log", name="Output")
    expect(output).to_have_text("one of two")
    notebook.run("go.set()")

    worker.expect_answer("It worked.", COMPLETE)
    expect(output).to_have_count(0)
    worker.calls.locator("summary").click()
    expect(output).to_have_text("one of two\ntwo of two")
    expect(worker.calls.get_by_role("group", name="Result")).to_have_text("All of it.")
    expect(worker.calls.get_by_role("button", name="Cancel")).to_have_count(0)


def test_cancel_ends_one_call_and_the_answer_goes_on(worker: Chat, server: MisbehavingServer) -> None:
    server.script(tool_call("work", "{}"), answer("Never mind."))
    worker.send("Work")
    expect(worker.calls.get_by_role("log")).to_have_text("one of two")

    worker.calls.get_by_role("button", name="Cancel").click()

    worker.expect_answer("Never mind.", COMPLETE)
    expect(worker.calls).to_have_attribute("data-state", "interrupted")
    assert told(server) == "The user cancelled it. Do not try it again."


def test_a_page_reloaded_while_a_tool_runs_shows_its_output_and_goes_on(
    notebook: Notebook, worker: Chat, server: MisbehavingServer
) -> None:
    server.script(tool_call("work", "{}"), answer("It worked."))
    worker.send("Work")
    expect(worker.calls.get_by_role("log")).to_have_text("one of two")

    notebook.reload()
    (chat,) = notebook.chats(1)
    expect(chat.calls).to_have_attribute("data-state", "running")
    expect(chat.calls.get_by_role("log")).to_have_text("one of two")
    notebook.run("go.set()")

    chat.expect_answer("It worked.", COMPLETE)
    expect(chat.calls).to_have_attribute("data-state", "complete")


def test_a_picture_that_a_tool_returns_is_shown(notebook: Notebook, bot_code: str, server: MisbehavingServer) -> None:
    chat = notebook.show(f"{bot_code}{DOT}bot")
    server.script(tool_call("draw", "{}"), answer("There."))

    chat.send("Draw")

    chat.expect_answer("There.", COMPLETE)
    picture = chat.root.get_by_role("img", name="Picture from draw")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [3, 2]


def test_the_demo_looks_at_variables_by_itself_and_asks_before_it_runs_code(notebook: Notebook) -> None:
    chat = notebook.show("import rustbot_jupyter as rb\nsome_number = 3\nbot = rb.Rustbot('rustbot/demo')\nbot")

    chat.send("what variables do I have?")
    # The kernel is shared: the demo writes a row for every variable that other tests left there.
    expect(chat.answer).to_contain_text("some_number", timeout=40_000)
    chat.expect_state("idle", timeout_s=40)
    expect(chat.calls).to_have_attribute("data-state", "complete")
    expect(chat.approvals).to_have_count(0)
    chat.send("run some_number = some_number * 14; print(some_number)")
    expect(chat.approvals.locator(".rb-exact-code")).to_contain_text("some_number * 14")
    before = notebook.run("print(some_number)")
    allow(chat.approvals)
    chat.expect_state("idle")

    expect(chat.calls.last).to_have_attribute("data-state", "complete")
    assert (before, notebook.run("print(some_number)")) == ("3", "42")


# While a cell runs.


def test_code_waits_in_sight_for_a_cell_that_runs_and_then_runs(
    notebook: Notebook, tmp_path: Path, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(running("print('from the tool')"), answer("It ran."))
    with notebook.running(busy_until(tmp_path / "go")) as cell:
        chat.send("Run it")
        allow(chat.approvals)
        expect(chat.calls).to_have_attribute("data-state", "waiting_kernel")
        expect(chat.calls).to_contain_text("Waiting for the kernel")
        expect(notebook.prompt_of(cell)).to_have_text("[*]:")
        (tmp_path / "go").touch()

        chat.expect_answer("It ran.", COMPLETE)
        expect(chat.calls).to_have_attribute("data-state", "complete")
        assert "from the tool" in told(server)


def test_code_that_waits_for_a_cell_can_be_cancelled(
    notebook: Notebook, tmp_path: Path, chat: Chat, server: MisbehavingServer
) -> None:
    server.script(running("has_run = True"), answer("Never mind."))
    notebook.run("has_run = False")
    with notebook.running(busy_until(tmp_path / "go")) as cell:
        chat.send("Run it")
        allow(chat.approvals)
        expect(chat.calls).to_have_attribute("data-state", "waiting_kernel")
        chat.calls.get_by_role("button", name="Cancel").click()

        chat.expect_answer("Never mind.", COMPLETE)
        expect(chat.calls).to_have_attribute("data-state", "interrupted")
        expect(notebook.prompt_of(cell)).to_have_text("[*]:")
        (tmp_path / "go").touch()
        notebook.finish(cell)

    assert notebook.run("print(has_run)") == "False"


# In a cell.


def test_a_call_of_a_cell_is_allowed_below_it_and_stands_in_its_output(
    notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("I did."))
    notebook.run(f"{bot_code}{GREET}%reload_ext rustbot_jupyter\nrb.set_bot(bot)")

    cell = notebook.start("%%rustbot\nGreet Ada")
    below = Chat(cell.locator(".rb-cell"))
    expect(below.approvals).to_contain_text('"name": "Ada"')
    expect(below.calls).to_have_attribute("data-state", "waiting_approval")
    expect(notebook.prompt_of(cell)).to_have_text("[*]:")
    allow(below.approvals)
    notebook.finish(cell)

    expect(below.root).to_have_count(0)
    output = cell.locator(".jp-OutputArea")
    expect(output).to_contain_text("✓ greet · allowed once")
    expect(output).to_contain_text("I did.")
    assert told(server) == "Hello Ada!"
    assert notebook.run("print(ran)") == "['Ada']"


def test_a_card_whose_first_words_were_sent_to_the_waiting_cell_is_shown_all_the_same(
    own_notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("I did."))
    own_notebook.run(f"{bot_code}{GREET}%load_ext rustbot_jupyter\nrb.set_bot(bot)")
    # On a slow machine the kernel's first widget speaks before JupyterLab knows of the subshell it asked for.
    own_notebook.hold_subshells()

    cell = own_notebook.start("%%rustbot\nGreet Ada")
    expect(cell.locator(".rb-cell")).to_be_attached()
    own_notebook.until_held_words()
    own_notebook.release_subshells()
    allow(Chat(cell.locator(".rb-cell")).approvals)
    own_notebook.finish(cell)

    assert own_notebook.run("print(ran)") == "['Ada']"


def test_an_interrupt_of_a_cell_that_waits_for_an_answer_takes_the_card_away(
    notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("Too late."))
    notebook.run(f"{bot_code}{GREET}%reload_ext rustbot_jupyter\nrb.set_bot(bot)")
    cell = notebook.start("%%rustbot\nGreet Ada")
    below = Chat(cell.locator(".rb-cell"))
    expect(below.approvals).to_be_visible()

    notebook.interrupt_kernel()
    notebook.finish(cell)

    expect(below.root).to_have_count(0)
    expect(cell.locator(".jp-OutputArea")).to_contain_text("Interrupted.")
    assert notebook.run("print(ran)") == "[]"
    assert len(server.chats) == 1


# What may run without asking.


def test_running_without_asking_is_confirmed_once_more_marked_and_ends_with_the_conversation(
    notebook: Notebook, greeter: Chat, server: MisbehavingServer
) -> None:
    server.script(greeting("Ada"), answer("One."), greeting("Bob"), answer("Two."))
    mark = greeter.root.get_by_role("status").filter(has_text="Runs tools without asking")
    modes = greeter.root.get_by_role("dialog", name="What tools may do without being asked")

    greeter.button("Tools: Ask").click()
    modes.get_by_role("radio", name="Allow").click()
    modes.get_by_role("button", name="Keep asking").click()
    expect(greeter.button("Tools: Ask")).to_be_visible()
    expect(mark).to_have_count(0)
    greeter.button("Tools: Ask").click()
    modes.get_by_role("radio", name="Allow").click()
    modes.get_by_role("button", name="Run without asking").click()
    expect(mark).to_be_visible()
    greeter.send("Greet Ada")
    greeter.expect_answer("One.", COMPLETE)
    expect(greeter.calls).to_contain_text("allowed by mode")
    red, _, blue = mark.evaluate("(mark) => getComputedStyle(mark).color.match(/[0-9.]+/g).slice(0, 3).map(Number)")
    greeter.button("New chat").click()

    expect(mark).to_have_count(0)
    expect(greeter.button("Tools: Ask")).to_be_visible()
    greeter.send("Greet Bob")
    expect(greeter.approvals).to_contain_text("Bob")
    assert red > 2 * blue
    assert notebook.run("print(ran)") == "['Ada']"
    greeter.button("Stop").click()
    greeter.expect_state("idle")


# Settings.


def test_a_tool_that_is_switched_off_is_not_offered_to_the_model(chat: Chat, server: MisbehavingServer) -> None:
    settings = chat.open_tab("Settings")
    switch = settings.get_by_label("Use run_shell", exact=True)

    switch.click()
    expect(switch).not_to_be_checked()
    chat.open_tab("Chat")
    chat.ask("Hi")
    without = offered(server)
    chat.open_tab("Settings")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    chat.open_tab("Chat")
    chat.ask("Hi again")

    assert "run_shell" not in without
    assert "run_code" in without
    assert "run_shell" in offered(server)


def test_a_server_of_the_project_starts_only_after_its_exact_command_was_allowed(
    notebook: Notebook, workspace: Path, bot_code: str, server: MisbehavingServer
) -> None:
    pytest.importorskip("mcp")
    arguments = [str(SERVER), "fine", str(workspace)]
    servers = {"hello": {"command": sys.executable, "args": arguments}}
    (workspace / ".mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    chat = notebook.show(bot_code + "bot")

    chat.send("Hi")
    command = chat.approvals.locator(".rb-exact-command")
    for word in (sys.executable, *arguments):
        expect(command).to_contain_text(word)
    chat.expect_answer("Hello", COMPLETE)
    assert processes_with(workspace) == []
    assert offered(server) == [name for name in offered(server) if "hello" not in name]
    allow(chat.approvals)
    settings = chat.open_tab("Settings")
    expect(settings.locator('[data-server="hello"]')).to_have_attribute("data-state", "running", timeout=40_000)
    chat.open_tab("Chat")
    chat.ask("And now?")

    assert "hello__hello" in offered(server)
    assert processes_with(workspace) != []


def test_a_server_of_the_project_that_is_refused_does_not_start(
    notebook: Notebook, workspace: Path, bot_code: str, server: MisbehavingServer
) -> None:
    pytest.importorskip("mcp")
    servers = {"hello": {"command": sys.executable, "args": [str(SERVER), "fine", str(workspace)]}}
    (workspace / ".mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    chat = notebook.show(bot_code + "bot")

    chat.send("Hi")
    allow(chat.approvals, "Deny")

    chat.expect_answer("Hello", COMPLETE)
    settings = chat.open_tab("Settings")
    expect(settings.locator('[data-server="hello"]')).to_have_attribute("data-state", "unapproved")
    assert "hello__hello" not in offered(server)
    assert processes_with(workspace) == []
