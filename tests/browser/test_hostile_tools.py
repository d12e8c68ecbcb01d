"""What tools, servers and models write is data in every card, and an approval hides nothing of what will run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_lab import Seen
from browser_notebook import COMPLETE, Chat, Notebook
from harm import HARM_IN_CELL, HARM_WITH_IDS, click_everything_at_once
from hostile_texts import HOSTILE, HOSTILE_LINE, OUTSIDE, PAYLOADS
from playwright.sync_api import expect
from servers.misbehaving import Chunk, MisbehavingServer, answer, closing, delta, event, head, tool_call

pytestmark = pytest.mark.browser

# Turned around, parted by nothing, joined, filled, and written in letters that are only there for machines.
HIDDEN = (
    "\u202egnp.exe\u202c \u2066a\u2069 \u200eb\u200f c\u200bd\u200ce\u200df\u2060g\ufeffh\u00adi\u034fj\u061ck "
    "\u3164\u115f\uffa0\u2800 \u0085\u2028\u2029 \U000e0001\U000e0072\U000e006d\U000e007f \ufe0f \ue000 \x1b[2Jz"
)
SNEAKY = f"{HOSTILE}\n{HIDDEN}\nthe end"
KINDS = ("arguments", "code", "command", "diff", "address", "question")
TOOLS = f"""
from rustbot_jupyter.tools.base import Patterns, Preview, Risk
from rustbot_jupyter.tools.functions import tool_of
ran = []
WORDS, LINE = {SNEAKY!r}, {HOSTILE_LINE + HIDDEN!r}

def act(text: str, context: rb.ToolContext) -> rb.ToolResult:
    ran.append(text)
    context.progress(text)
    return rb.ToolResult(text=text, origin=text)

def add(kind: str) -> None:
    bot.tools.add(tool_of(
        act,
        name=f"act_{{kind}}",
        description=WORDS,
        label=LINE,
        source=f"mcp:{{LINE}}",
        risk=Risk.EXECUTE,
        preview=lambda arguments: Preview(kind=kind, text=arguments["text"], note=WORDS),
        patterns=Patterns(suggest=lambda arguments: LINE[-2000:], matches=lambda pattern, arguments: False),
    ))

for kind in {KINDS}:
    add(kind)
"""
# The text of an approval with each labelled character in the place of its label.
SHOWN = """(box) => {
    const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    let text = '';
    while (walker.nextNode()) {
        const {data, parentElement} = walker.currentNode;
        const isLabel = parentElement.classList.contains('rb-hidden-char');
        text += isLabel ? String.fromCodePoint(parseInt(data.slice(2), 16)) : data;
    }
    return text;
}"""
# Characters that draw nothing, or draw others elsewhere, outside of labels.
UNSEEN = r"""(root) => {
    const unseen = /[\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u001b]/gu;
    return (root.innerText.match(unseen) ?? []).map((character) => character.codePointAt(0).toString(16));
}"""


def acting(kind: str, text: str) -> list[Any]:
    """A model that wants to act."""
    steps: list[Any] = tool_call(f"act_{kind}", json.dumps({"text": text}))
    return steps


def calls(*pairs: tuple[str, str]) -> list[Any]:
    """An answer that calls tools by these names with these arguments, as they are."""
    wire = [
        {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for index, (name, arguments) in enumerate(pairs)
    ]
    return [head(), Chunk(event(delta(content=None, tool_calls=wire))), *closing(finish="tool_calls")]


@pytest.fixture
def actor(notebook: Notebook, tmp_path: Path, bot_code: str) -> Iterator[Chat]:
    """The chat of a bot whose tools are hostile all over; what is allowed for good is forgotten with the test."""
    notebook.run(f"import os; before = dict(os.environ); os.environ['RUSTBOT_DATA_DIR'] = {str(tmp_path / 'data')!r}")
    notebook.run(f"os.environ['RUSTBOT_CONFIG_DIR'] = {str(tmp_path / 'config')!r}")
    yield notebook.show(f"{bot_code}{TOOLS}bot")
    notebook.run("os.environ |= before")


def test_an_approval_shows_every_character_of_what_runs_and_nothing_of_it_acts(
    notebook: Notebook, actor: Chat, server: MisbehavingServer, seen: Seen
) -> None:
    server.script(*(step for kind in KINDS for step in (acting(kind, SNEAKY), answer(f"Did {kind}."))))
    card = actor.approvals
    pages = len(actor.page.context.pages)

    for kind in KINDS:
        actor.send("Act")
        expect(card.locator(f".rb-exact-{kind}").first).to_contain_text("the end")
        expect(card).to_contain_text("It contains hidden characters, shown by their numbers.")
        click_everything_at_once(card)
        assert card.locator(".rb-exact-text").first.evaluate(SHOWN) == SNEAKY
        assert card.evaluate(UNSEEN) == []
        assert card.evaluate(HARM_WITH_IDS) == []
        card.get_by_role("button", name="Always allow").click()
        actor.expect_answer(f"Did {kind}.", COMPLETE)
    click_everything_at_once(actor.root.locator(".rb-messages"))

    assert actor.root.locator(".rb-messages").evaluate(HARM_WITH_IDS) == []
    assert actor.root.locator(".rb-messages").evaluate(UNSEEN) == []
    assert notebook.run(f"print(ran == [{SNEAKY!r}] * {len(KINDS)})") == "True"
    assert len(actor.page.context.pages) == pages
    assert seen.outside == []


def test_hostile_tools_and_rules_are_inert_in_settings(
    notebook: Notebook, actor: Chat, server: MisbehavingServer, seen: Seen
) -> None:
    server.script(acting("code", "x"), answer("Did it."))
    actor.send("Act")
    actor.approvals.get_by_role("button", name="Always allow").click()
    actor.expect_answer("Did it.", COMPLETE)

    panel = actor.open_tab("Settings")
    expect(panel.locator("[data-rule]")).to_contain_text("act_code")
    for summary in panel.locator("summary").all():
        summary.click()
    expect(panel.locator('[data-tool="act_code"]')).to_contain_text("window.__xss")

    for row in (panel.locator('[data-tool="act_code"]'), panel.locator("[data-rule]")):
        assert row.evaluate(HARM_WITH_IDS) == []
        assert row.evaluate(UNSEEN) == []
    assert seen.outside == []
    panel.get_by_role("button", name="Revoke act_code").click()
    expect(panel.locator("[data-rule]")).to_have_count(0)


def test_hostile_names_arguments_and_errors_of_calls_are_inert(
    notebook: Notebook, chat: Chat, server: MisbehavingServer, seen: Seen
) -> None:
    notebook.run(
        "@bot.tool(risk='read')\ndef fail(text: str) -> str:\n    raise rb.ToolError(text)\n"
        "@bot.tool(risk='read')\ndef crash(text: str) -> str:\n    raise type(text, (Exception,), {})(text)\n"
    )
    names = [(payload, payload) for payload in [*PAYLOADS, HIDDEN, "__proto__", "constructor"]]
    texts = [("fail", payload) for payload in PAYLOADS] + [("crash", "<img src=x onerror='__xss=1'>"), ("fail", HIDDEN)]
    known = [(name, json.dumps({"text": text})) for name, text in texts]
    broken = [("fail", '{"text": "\\ud800"}'), ("fail", '{"__proto__": {"x": 1}, "text": 1}'), ("fail", "[1]")]
    server.script(calls(*names, *known, *broken), answer("I tried."))

    chat.send("Try")
    chat.expect_answer("I tried.", COMPLETE)
    click_everything_at_once(chat.root.locator(".rb-messages"))
    expect(chat.calls.locator("details[open]")).to_have_count(len(names) + len(known) + len(broken))

    assert chat.root.locator(".rb-messages").evaluate(HARM_WITH_IDS) == []
    assert chat.root.locator(".rb-messages").evaluate(UNSEEN) == []
    assert {card.get_attribute("data-state") for card in chat.calls.all()} == {"error"}
    panel = chat.open_tab("Events")
    row = panel.get_by_role("option").filter(has_text="__xss").last
    row.click()
    expect(panel.locator(".rb-log-details")).to_contain_text("__xss")
    assert panel.locator(".rb-log-details").evaluate(HARM_WITH_IDS) == []
    assert panel.get_by_role("listbox").evaluate(HARM_WITH_IDS) == []
    assert seen.outside == []


def test_hostile_live_output_is_inert(notebook: Notebook, chat: Chat, server: MisbehavingServer, seen: Seen) -> None:
    notebook.run(
        f"import threading\ngo = threading.Event()\nTEXT = {SNEAKY!r}\n"
        "@bot.tool(risk='read')\ndef work(context: rb.ToolContext) -> str:\n"
        "    context.progress(TEXT)\n    while not go.wait(0.02):\n        pass\n    return TEXT\n"
    )
    server.script(tool_call("work", "{}"), answer("It worked."))

    chat.send("Work")
    expect(chat.calls.get_by_role("log")).to_contain_text("the end")
    while_it_runs = chat.root.locator(".rb-messages").evaluate(HARM_WITH_IDS)
    unseen = chat.calls.evaluate(UNSEEN)
    notebook.run("go.set()")
    chat.expect_answer("It worked.", COMPLETE)
    click_everything_at_once(chat.root.locator(".rb-messages"))

    assert (while_it_runs, unseen) == ([], [])
    assert chat.root.locator(".rb-messages").evaluate(HARM_WITH_IDS) == []
    assert seen.outside == []


def test_hostile_tools_are_inert_below_a_cell_and_in_its_output(
    notebook: Notebook, actor: Chat, server: MisbehavingServer, seen: Seen
) -> None:
    server.script(acting("code", SNEAKY), answer("Did it."))
    notebook.run("%reload_ext rustbot_jupyter\nrb.set_bot(bot)")

    cell = notebook.start("%%rustbot\nAct")
    below = Chat(cell.locator(".rb-cell"))
    expect(below.approvals).to_contain_text("the end")
    click_everything_at_once(below.approvals)
    shown = below.approvals.locator(".rb-exact-text").first.evaluate(SHOWN)
    harm = below.root.evaluate(HARM_WITH_IDS)
    below.approvals.get_by_role("button", name="Allow once").click()
    notebook.finish(cell)
    output = cell.locator(".jp-OutputArea")
    expect(output).to_contain_text("allowed once")

    assert shown == SNEAKY
    assert harm == []
    assert output.evaluate(HARM_IN_CELL) == []
    assert notebook.run(f"print(ran == [{SNEAKY!r}])") == "True"
    assert seen.outside == []


def test_the_hostile_command_of_a_server_is_shown_whole_and_inert(
    notebook: Notebook, tmp_path: Path, bot_code: str, server: MisbehavingServer, seen: Seen
) -> None:
    pytest.importorskip("mcp")
    # A dollar would name a variable; NUL is refused before anybody is asked.
    arguments = [HOSTILE_LINE.replace("$", "").replace("\0", ""), HIDDEN, f"{OUTSIDE}/x"]
    servers = {"<img src=x onerror=__xss=1>": {"command": "no-such-command", "args": arguments}}
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    notebook.run(f"import os; before = os.getcwd(); os.chdir({str(tmp_path)!r})")
    chat = notebook.show(bot_code + "bot")

    chat.send("Hi")
    command = chat.approvals.locator(".rb-exact-command")
    expect(command).to_contain_text("no-such-command")
    click_everything_at_once(chat.approvals)
    shown = command.evaluate(SHOWN)
    harm, unseen = chat.approvals.evaluate(HARM_WITH_IDS), chat.approvals.evaluate(UNSEEN)
    chat.approvals.get_by_role("button", name="Deny", exact=True).click()
    expect(chat.approvals).to_have_count(0)
    panel = chat.open_tab("Settings")
    expect(panel.locator("[data-server]")).to_contain_text("no-such-command")
    notebook.run("os.chdir(before)")

    assert shlex.split(shown[: shown.index("\nin the folder ")]) == ["no-such-command", *arguments]
    assert (harm, unseen) == ([], [])
    assert panel.locator("[data-server]").evaluate(HARM_WITH_IDS) == []
    assert panel.locator("[data-server]").evaluate(UNSEEN) == []
    assert seen.outside == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("code", "echo " + "x" * 9_985 + " | rm -rf"),
        ("command", "echo " + "x" * 99_985 + " | rm -rf"),
        ("command", "echo 'a'; # comment\n" * 5_000 + "rm -rf"),
        ("command", "echo " + "\u200b\u202ea " * 5_000 + "rm -rf"),
    ],
    ids=["10,000 characters", "100,000 characters", "5,000 lines", "10,000 hidden characters"],
)
def test_a_long_command_stays_usable_and_is_read_to_its_end_before_it_can_be_allowed(
    notebook: Notebook, actor: Chat, server: MisbehavingServer, kind: str, text: str
) -> None:
    server.script(acting(kind, text), answer("Did it."))
    card = actor.approvals
    allow = card.get_by_role("button", name="Allow once")

    actor.send("Act")
    expect(card).to_contain_text(f"{len(text):,} characters")
    expect(card.get_by_role("button", name="Deny", exact=True)).to_be_enabled()
    expect(allow).to_be_disabled()
    actor.prompt.press("y")
    expect(actor.prompt).to_have_value("y")
    shown = card.locator(".rb-exact-text").first.evaluate(SHOWN)
    box = card.locator(".rb-exact-text").first
    box.focus()
    actor.page.keyboard.press("End")
    expect(allow).to_be_enabled()
    allow.click()

    actor.expect_answer("Did it.", COMPLETE)
    assert shown == text
    assert notebook.run(f"print(len(ran[0]), hash(ran[0]) == hash({text!r}))") == f"{len(text)} True"
