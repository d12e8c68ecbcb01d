"""Tools in the chat: cards, approvals and switches, as a page is told of them and answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from models import ScriptedModel, planner_for
from test_session import Chat

from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.plan import ToolPlan, TurnRequest
from rustbot_jupyter.engine.planner import ModelPlanner
from rustbot_jupyter.engine.toolbox import ServerFiles, Toolbox
from rustbot_jupyter.llm.base import ToolCallStarted
from rustbot_jupyter.messages import ImagePart, MessageRole, ToolCallPart, ToolResultPart
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.redaction import redact
from rustbot_jupyter.tools.base import Risk, ToolContext, ToolResult
from rustbot_jupyter.tools.consent import ApproveMode
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules

FIGURE = '{"data":[{"type":"bar","y":[3]}],"layout":{}}'
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


class Tools:
    """The tools of these tests, and what they did."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.may_end = threading.Event()

    def look(self, word: str = "all") -> str:
        """Look at something."""
        self.ran.append(word)
        return f"There is {word}."

    def act(self, command: str) -> str:
        """Do something."""
        self.ran.append(command)
        return f"Did {command}."

    def print_slowly(self, context: ToolContext) -> str:
        """Print, and wait."""
        context.progress("one\n")
        context.progress("two\n")
        assert self.may_end.wait(30)
        return "printed"

    def draw(self) -> ToolResult:
        """Draw a picture."""
        return ToolResult(text="A picture.", images=(ImagePart(media_type="image/png", data=PNG),), figures=(FIGURE,))


def registry_of(tools: Tools, settings: Settings) -> ToolRegistry:
    registry = ToolRegistry(lambda: settings.values.disabled_tools)
    for function, risk in [
        (tools.look, Risk.READ),
        (tools.act, Risk.EXECUTE),
        (tools.print_slowly, Risk.READ),
        (tools.draw, Risk.READ),
    ]:
        registry.add(tool_of(function, risk=risk, label=function.__name__.replace("_", " ").capitalize()))
    return registry


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
async def chat(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chat]:
    monkeypatch.setenv("RUSTBOT_DATA_DIR", str(tmp_path / "data"))
    settings = Settings.load(environ={}, config_dir=tmp_path / "config", working_dir=tmp_path)
    registry = registry_of(tools, settings)
    toolbox = Toolbox(
        registry=registry,
        rules=Rules(tmp_path / "rules.json", str(tmp_path), lambda name: next(iter(registry.enabled([name])), None)),
        mode=lambda: ApproveMode.ASK,
        fill=lambda filled: None,
        files=ServerFiles(user_file=tmp_path / "mcp.json", workspace=tmp_path, pins_file=tmp_path / "pins.json"),
        kernel=lambda: None,
        redact=redact,
    )
    model = ScriptedModel()
    plain = planner_for(model)

    def planner(request: TurnRequest) -> Any:
        offered = toolbox.offered(request.tools, settings.values.disabled_tools)
        plan = ToolPlan(
            names=frozenset(tool.name for tool in offered),
            definitions=tuple(tool.definition.wire() for tool in offered),
            definition_tokens=10,
            timeout_s=5.0,
            send_values=True,
        )
        return replace(plain(request), tools=plan)

    agent = Agent(planner, toolbox=toolbox)
    chat = Chat(agent=agent, settings=settings, planner=ModelPlanner(settings), model=model)
    running = asyncio.create_task(agent.run())
    await chat.ok("sync")
    yield chat
    tools.may_end.set()
    chat.session.close()
    agent.shutdown()
    await running
    await chat.planner.aclose()


def call(name: str, arguments: str = "{}", call_id: str = "call-1") -> ToolCallPart:
    return ToolCallPart(call_id=call_id, name=name, arguments=arguments)


def will_call(chat: Chat, *calls: ToolCallPart, then: str = "Done.") -> None:
    chat.model.will_stream("I'll see. ", ToolCallStarted(0, calls[0].name), tool_calls=calls)
    chat.model.will_stream(then)


async def card_in_state(chat: Chat, state: str) -> dict[str, Any]:
    await chat.until(lambda: any(run["state"] == state for run in chat.page.tool_runs.values()))
    return next(run for run in chat.page.tool_runs.values() if run["state"] == state)


def results(chat: Chat) -> list[ToolResultPart]:
    messages = [message for message in chat.agent.conversation.messages if message.role is MessageRole.TOOL]
    return [part for message in messages for part in message.parts if isinstance(part, ToolResultPart)]


async def approval(chat: Chat) -> dict[str, Any]:
    await chat.until(lambda: chat.page.approvals)
    card: dict[str, Any] = chat.page.approvals[0]
    return card


# Cards.


async def test_a_call_is_a_card_below_the_message_that_made_it(chat: Chat, tools: Tools) -> None:
    will_call(chat, call("look", '{"word": "snow"}'))

    answer = await chat.answer("What is there?")
    await chat.until(lambda: chat.page.last["text"] == "Done.")

    (card,) = chat.page.tool_runs.values()
    maker = chat.page.messages[card["message_id"]]
    assert (maker["text"], answer["role"]) == ("I'll see. ", "assistant")
    assert (card["tool"], card["label"], card["risk"], card["source"]) == ("look", "Look", "read", "user")
    assert (card["state"], card["result"], card["approval"]) == ("complete", "There is snow.", "not needed")
    assert card["arguments"] == '{\n  "word": "snow"\n}'
    assert card["duration_s"] >= 0
    assert tools.ran == ["snow"]


async def test_a_page_that_comes_later_gets_the_cards_with_the_messages(chat: Chat) -> None:
    will_call(chat, call("look"))
    await chat.answer("What is there?")
    await chat.until(lambda: chat.page.last["text"] == "Done.")
    known = dict(chat.page.tool_runs)

    await chat.ok("sync")

    assert chat.page.tool_runs == known


async def test_output_is_told_while_the_tool_runs(chat: Chat, tools: Tools) -> None:
    will_call(chat, call("print_slowly"))
    await chat.ok("send", text="Print")
    card = await card_in_state(chat, "running")

    await chat.until(lambda: chat.page.tool_runs[card["id"]]["output"] == "one\ntwo\n")
    tools.may_end.set()
    done = await card_in_state(chat, "complete")

    assert (done["output"], done["output_length"], done["result"]) == ("one\ntwo\n", 8, "printed")


async def test_pictures_and_figures_of_a_result_are_shown(chat: Chat) -> None:
    will_call(chat, call("draw"))
    await chat.ok("send", text="Draw")

    card = await card_in_state(chat, "complete")

    assert [image["media_type"] for image in card["images"]] == ["image/png"]
    assert card["figures"] == [FIGURE]


async def test_a_long_result_is_cut_for_the_eye_and_whole_on_request(chat: Chat, tools: Tools) -> None:
    will_call(chat, call("look", f'{{"word": "{"x" * 15_000}"}}'))
    await chat.ok("send", text="Look")

    card = await card_in_state(chat, "complete")
    whole = await chat.ok("tool_run", run_id=card["id"])

    assert card["result_is_cut"]
    assert len(card["result"]) < 10_001
    assert whole["result"] == f"There is {'x' * 15_000}."


async def test_one_call_is_cancelled_and_the_turn_goes_on(chat: Chat) -> None:
    will_call(chat, call("print_slowly"), then="Then not.")
    await chat.ok("send", text="Print")
    card = await card_in_state(chat, "running")

    await chat.ok("cancel_tool", run_id=card["id"])
    await chat.until(lambda: chat.page.last["text"] == "Then not.")

    assert chat.page.tool_runs[card["id"]]["state"] == "interrupted"
    assert "cancelled" in results(chat)[0].content


async def test_stop_ends_a_running_tool_and_its_call_has_a_result(chat: Chat) -> None:
    will_call(chat, call("print_slowly"))
    await chat.ok("send", text="Print")
    await card_in_state(chat, "running")

    await chat.ok("stop")
    await chat.until_idle()

    card = await card_in_state(chat, "interrupted")
    assert [result.call_id for result in results(chat)] == ["call-1"]
    assert "stopped" in results(chat)[0].content
    assert card["duration_s"] is not None


# Approvals.


async def test_a_tool_that_acts_waits_for_the_user(chat: Chat, tools: Tools) -> None:
    will_call(chat, call("act", '{"command": "sweep"}'))
    await chat.ok("send", text="Sweep")

    card = await approval(chat)

    assert chat.page.state["state"] == "waiting_approval"
    assert (card["tool"], card["text"], card["scopes"]) == (
        "act",
        '{\n  "command": "sweep"\n}',
        ["once", "conversation", "always"],
    )
    assert tools.ran == []
    await chat.ok("approve", approval_id=card["id"], digest=card["digest"], scope="once")
    await chat.until(lambda: chat.page.last["text"] == "Done.")
    assert tools.ran == ["sweep"]
    assert chat.page.approvals == []
    assert next(iter(chat.page.tool_runs.values()))["approval"] == "allowed once"


async def test_the_reason_of_a_refusal_goes_to_the_model(chat: Chat, tools: Tools) -> None:
    will_call(chat, call("act", '{"command": "sweep"}'), then="As you like.")
    await chat.ok("send", text="Sweep")
    card = await approval(chat)

    await chat.ok("deny", approval_id=card["id"], digest=card["digest"], reason="only on Mondays")
    await chat.until(lambda: chat.page.last["text"] == "As you like.")

    assert tools.ran == []
    assert "only on Mondays" in results(chat)[0].content
    assert next(iter(chat.page.tool_runs.values()))["state"] == "refused"


@pytest.mark.parametrize("change", [{"digest": "another"}, {"approval_id": "approval-0"}, {"scope": "forever"}])
async def test_an_answer_to_something_else_than_what_waits_is_refused(
    chat: Chat, tools: Tools, change: dict[str, str]
) -> None:
    will_call(chat, call("act", '{"command": "sweep"}'))
    await chat.ok("send", text="Sweep")
    card = await approval(chat)

    answer = {"approval_id": card["id"], "digest": card["digest"], "scope": "once"} | change
    ack = await chat.say("approve", **answer)

    assert not ack["ok"]
    assert ack["error"].endswith(".")
    assert tools.ran == []
    assert chat.page.approvals == [card]


async def test_a_late_or_second_answer_is_refused(chat: Chat, tools: Tools) -> None:
    will_call(chat, call("act", '{"command": "sweep"}'))
    await chat.ok("send", text="Sweep")
    card = await approval(chat)
    answer = {"approval_id": card["id"], "digest": card["digest"]}

    await chat.ok("stop")
    late = await chat.say("approve", **answer, scope="once")

    assert "does not wait any more" in late["error"]
    await chat.until_idle()
    assert tools.ran == []
    assert chat.page.approvals == []


async def test_always_is_a_rule_that_can_be_revoked(chat: Chat, tools: Tools) -> None:
    await chat.ok("tools")
    will_call(chat, call("act", '{"command": "one"}'))
    will_call(chat, call("act", '{"command": "two"}', "call-2"), then="Both done.")
    await chat.ok("send", text="Act")
    card = await approval(chat)
    await chat.ok("approve", approval_id=card["id"], digest=card["digest"], scope="always")
    await chat.until(lambda: chat.page.last["text"] == "Done.")

    await chat.ok("send", text="Again")
    await chat.until(lambda: chat.page.last["text"] == "Both done.")
    await chat.until(lambda: chat.page.tools.get("rules"))
    (rule,) = chat.page.tools["rules"]
    await chat.ok("remove_rule", rule_id=rule["id"])
    await chat.until(lambda: chat.page.tools["rules"] == [])

    assert tools.ran == ["one", "two"]
    assert (rule["tool"], rule["pattern"], rule["decision"], rule["scope"]) == ("act", "*", "allow", "always")


async def test_to_run_everything_has_to_be_confirmed_and_ends_with_the_conversation(chat: Chat, tools: Tools) -> None:
    unconfirmed = await chat.say("set_approve_mode", mode="allow", confirmed=False)
    await chat.ok("set_approve_mode", mode="allow", confirmed=True)
    will_call(chat, call("act", '{"command": "sweep"}'))
    await chat.ok("send", text="Sweep")
    await chat.until(lambda: chat.page.last["text"] == "Done.")

    assert "confirmed" in unconfirmed["error"]
    assert (chat.page.approve_mode, tools.ran) == ("allow", ["sweep"])
    await chat.ok("new_conversation")
    await chat.until(lambda: chat.page.approve_mode == "ask")


# Settings.


async def test_the_settings_show_tools_and_switch_them(chat: Chat) -> None:
    await chat.ok("tools")
    await chat.until(lambda: chat.page.tools)
    names = {tool["name"]: tool["enabled"] for tool in chat.page.tools["tools"]}
    assert names == {"look": True, "act": True, "print_slowly": True, "draw": True}

    await chat.ok("enable_tool", tool="act", enabled=False)
    await chat.until(lambda: not next(tool for tool in chat.page.tools["tools"] if tool["name"] == "act")["enabled"])
    will_call(chat, call("act", '{"command": "sweep"}'))
    await chat.ok("send", text="Sweep")
    await chat.until(lambda: chat.page.last["text"] == "Done.")

    assert "There is no tool" in results(chat)[0].content or "switched off" in results(chat)[0].content


@pytest.mark.parametrize(
    ("command", "fields", "word"),
    [
        ("mcp_server", {"server": "nobody", "action": "start"}, "'nobody'"),
        ("mcp_server", {"server": "nobody", "action": "explode"}, "'explode'"),
        ("mcp_log", {"server": "nobody"}, "'nobody'"),
        ("remove_rule", {"rule_id": "rule-0"}, "'rule-0'"),
        ("tool_run", {"run_id": "run-0"}, "not kept"),
        ("set_approve_mode", {"mode": "yolo", "confirmed": True}, "'yolo'"),
    ],
)
async def test_what_is_not_there_gets_one_sentence(chat: Chat, command: str, fields: dict[str, Any], word: str) -> None:
    ack = await chat.say(command, **fields)

    assert not ack["ok"]
    assert word in ack["error"]
    assert ack["error"].endswith(".")


async def test_without_servers_there_are_no_references(chat: Chat) -> None:
    assert await chat.ok("references") == {"prompts": [], "resources": []}
