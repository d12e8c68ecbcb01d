"""The kernel's side of a chat: what a page is told, and what it may ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from models import HOLD, Pause, ScriptedModel, planner_for
from pages import Page
from servers import misbehaving

from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.engine.planner import ModelPlanner
from rustbot_jupyter.engine.usage_log import PendingCost
from rustbot_jupyter.errors import AuthenticationFailed, ConnectionFailed, ContextTooLong, StreamBroken
from rustbot_jupyter.events import BudgetWarned, RequestAdapted
from rustbot_jupyter.llm.base import ReasoningDelta, ToolCallStarted
from rustbot_jupyter.messages import CitationPart, ToolCallPart, user_message
from rustbot_jupyter.notebook import session as session_module
from rustbot_jupyter.notebook.session import ViewSession
from rustbot_jupyter.notebook.session_outbox import Pace
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.usage import Usage


@dataclass
class Chat:
    """A session with an agent that asks a scripted model, and a page."""

    agent: Agent
    settings: Settings
    planner: ModelPlanner
    model: ScriptedModel
    page: Page = field(default_factory=Page)
    others: list[Page] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = ViewSession(self, self._send)

    def _send(self, content: dict[str, Any], buffers: Any) -> None:
        # The wire is JSON in UTF-8.
        wire = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        for page in (self.page, *self.others):
            page.receive(json.loads(wire), buffers)

    async def say(self, name: str, page: Page | None = None, **fields: Any) -> dict[str, Any]:
        """The acknowledgement of a command."""
        page = page or self.page
        message = page.command(name, **fields)
        self.session.receive(message)
        await self.until(lambda: message["id"] in page.acks)
        return page.acks[message["id"]][0]

    async def ok(self, name: str, page: Page | None = None, **fields: Any) -> dict[str, Any]:
        """The result of a command that must succeed."""
        ack = await self.say(name, page, **fields)
        assert ack["ok"], ack
        return ack.get("result", {})

    async def until(self, condition: Callable[[], object]) -> None:
        """Return once something is so; fails after some seconds."""
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - pages have no events of their own
                await asyncio.sleep(0.002)

    async def until_idle(self) -> None:
        """Return once the page shows that nothing runs."""
        await self.until(lambda: not self.agent.is_active and not self.agent.queue and self._page_is_idle())

    def _page_is_idle(self) -> bool:
        return self.page.state.get("state") == "idle" and all(
            message["status"] != "streaming" for message in self.page.messages.values()
        )

    async def answer(self, question: str) -> dict[str, Any]:
        """Ask in the page; the answer as it shows it."""
        known = set(self.page.messages)
        await self.ok("send", text=question)
        await self.until(
            lambda: any(
                message["role"] == "assistant" and message["status"] != "streaming" and message["id"] not in known
                for message in self.page.messages.values()
            )
        )
        await self.until_idle()
        return self.page.last


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def make_chat(model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Chat]:
    monkeypatch.setenv("RUSTBOT_DATA_DIR", str(tmp_path / "data"))

    def make(**plan: Any) -> Chat:
        settings = Settings.load(environ={}, config_dir=tmp_path / "config", working_dir=tmp_path)
        return Chat(
            agent=Agent(planner_for(model, **plan)), settings=settings, planner=ModelPlanner(settings), model=model
        )

    return make


@pytest.fixture
async def start(make_chat: Callable[..., Chat]) -> AsyncIterator[Callable[..., Any]]:
    running: list[tuple[Chat, asyncio.Task[None]]] = []

    async def start(*, is_synced: bool = True, **plan: Any) -> Chat:
        chat = make_chat(**plan)
        running.append((chat, asyncio.create_task(chat.agent.run())))
        if is_synced:
            await chat.ok("sync")
        return chat

    yield start
    for chat, task in running:
        chat.session.close()
        chat.agent.shutdown()
        await task
        await chat.planner.aclose()


@pytest.fixture
async def chat(start: Callable[..., Any]) -> Chat:
    started: Chat = await start()
    return started


# Snapshots.


async def test_sync_is_answered_by_a_snapshot(chat: Chat) -> None:
    snapshot = chat.page.snapshot

    assert snapshot["messages"] == []
    assert snapshot["state"]["state"] == "idle"
    assert snapshot["model"] == {"id": "rustbot/demo", "host": "offline demo", "is_demo": True, "is_local": True}
    assert snapshot["notices"] == []
    assert snapshot["totals"]["requests"] == 0


async def test_a_snapshot_in_mid_stream_shows_what_has_come_and_the_rest_follows(chat: Chat) -> None:
    chat.model.will_stream("Once ", HOLD, "upon a time")
    await chat.ok("send", text="Tell")
    await chat.model.reached(HOLD)
    await chat.until(lambda: chat.page.texts[-1:] == [("assistant", "Once ")])
    second = Page("view-2")
    chat.others.append(second)

    await chat.ok("sync", second)

    assert second.texts == [("user", "Tell"), ("assistant", "Once ")]
    assert second.last["status"] == "streaming"
    chat.model.release()
    await chat.until_idle()
    assert second.texts == chat.page.texts == [("user", "Tell"), ("assistant", "Once upon a time")]
    assert second.last == chat.page.last | {"created_at": second.last["created_at"]}


async def test_a_first_view_in_mid_stream_shows_everything(start: Callable[..., Any]) -> None:
    chat = await start(is_synced=False)
    chat.model.will_stream("Once ", HOLD, "upon a time")
    chat.agent.submit(TurnRequest(message=user_message("Tell"), source="magic"))
    await chat.model.reached(HOLD)

    await chat.ok("sync")
    chat.model.release()
    await chat.until_idle()

    assert chat.page.texts == [("user", "Tell"), ("assistant", "Once upon a time")]
    assert chat.page.last["source"] == "magic"


async def test_two_views_at_any_moment_show_the_same(chat: Chat) -> None:
    chat.model.will_stream(*("word " for _ in range(300)))
    await chat.ok("send", text="Go")

    for number in range(2, 8):
        other = Page(f"view-{number}")
        chat.others.append(other)
        await chat.ok("sync", other)
    await chat.until_idle()

    assert all(other.texts == chat.page.texts for other in chat.others)
    assert chat.page.last["text"] == "word " * 300


async def test_the_last_page_comes_first_and_earlier_ones_on_demand(start: Callable[..., Any]) -> None:
    chat = await start(is_synced=False)
    for number in range(130):
        chat.agent.conversation.append(user_message(f"Question {number}"))
    await chat.ok("sync")
    shown = list(chat.page.messages)

    earlier = await chat.ok("earlier_messages", before_id=shown[0])

    assert [text for _, text in chat.page.texts] == [f"Question {number}" for number in range(30, 130)]
    assert chat.page.snapshot["has_earlier"]
    assert [message["text"] for message in earlier["messages"]] == [f"Question {number}" for number in range(30)]
    assert not earlier["has_earlier"]
    assert not (await chat.say("earlier_messages", before_id="msg-unknown"))["ok"]


# An answer.


async def test_an_answer_streams_and_ends_with_its_usage(chat: Chat) -> None:
    usage = Usage(input_tokens=7, output_tokens=3, cost_usd=0.5)
    chat.model.will_stream("Hel", "lo", usage=usage, citations=(CitationPart(url="https://a.test", title="A"),))

    last = await chat.answer("Hi")

    assert chat.page.texts == [("user", "Hi"), ("assistant", "Hello")]
    assert last["status"] == "complete"
    assert last["usage"]["cost_usd"] == 0.5
    assert (last["model"], last["finish_reason"], last["source"]) == ("test/model", "stop", "chat")
    assert last["ttft_s"] is not None
    assert last["duration_s"] is not None
    assert last["citations"] == [{"url": "https://a.test", "title": "A"}]
    assert chat.page.totals == {"requests": 1, "usage": last["usage"]}


async def test_text_is_sent_once_and_not_again_at_the_end(chat: Chat) -> None:
    chat.model.will_stream(*(f"piece {number}. " for number in range(500)))

    last = await chat.answer("Go")

    sent = sum(len(json.dumps(content)) for content in chat.page.contents)
    streamed = "".join(op["text"] for op in chat.page.ops if op["op"] == "text")
    assert streamed == last["text"]
    assert sent <= 1.2 * len(last["text"]) + 600 * len(chat.page.contents) + 6_000


async def test_reasoning_streams_beside_the_text(chat: Chat) -> None:
    chat.model.will_stream(ReasoningDelta("I "), ReasoningDelta("think"), "So ", "it is")

    last = await chat.answer("Why?")

    assert (last["reasoning"], last["text"]) == ("I think", "So it is")
    assert (last["reasoning_length"], last["text_length"]) == (7, 8)


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "lone \ud83d surrogate",
        "halves \ud83d",
        "\u202eright to left",
        "👩‍👩‍👧‍👦 family",
        "x" * 1_000_000,
        "  spaces  ",
    ],
    ids=["NUL", "lone surrogate", "half at the end", "bidi", "emoji", "1 MB", "spaces"],
)
async def test_text_comes_back_as_typed(chat: Chat, text: str) -> None:
    chat.model.will_stream("a", text, text, "z")

    last = await chat.answer(f"{text}?")

    assert chat.page.texts[0] == ("user", f"{text}?")
    assert last["text"] == f"a{text}{text}z"
    assert last["text_length"] == len(last["text"])


async def test_a_stopped_answer_keeps_its_text_and_is_marked(chat: Chat) -> None:
    chat.model.will_stream("Once ", HOLD)
    await chat.ok("send", text="Tell")
    await chat.model.reached(HOLD)

    acks = [await chat.say("stop") for _ in range(10)]
    await chat.until_idle()

    assert all(ack["ok"] for ack in acks)
    assert chat.page.texts == [("user", "Tell"), ("assistant", "Once ")]
    assert chat.page.last["status"] == "interrupted"
    assert chat.page.last["error"] is None
    assert chat.model.closed == 1


async def test_stop_right_after_send_keeps_the_question_in_view_and_asks_nobody(chat: Chat) -> None:
    # A kernel that was busy reads both in one go.
    chat.session.receive(chat.page.command("send", text="Oh no"))
    chat.session.receive(chat.page.command("stop"))
    await chat.until(lambda: chat.page.queue)

    assert [item["text"] for item in chat.page.queue] == ["Oh no"]
    assert chat.model.requests == []
    await chat.ok("queue_send_now", item_id=chat.page.queue[0]["id"])
    await chat.until(lambda: chat.page.texts == [("user", "Oh no"), ("assistant", "Hello")])


async def test_send_right_after_stop_is_asked(chat: Chat) -> None:
    chat.session.receive(chat.page.command("stop"))
    chat.session.receive(chat.page.command("send", text="Go on"))

    await chat.until(lambda: chat.page.texts == [("user", "Go on"), ("assistant", "Hello")])


async def test_a_broken_stream_keeps_its_text_and_says_why(chat: Chat) -> None:
    chat.model.will_stream("Once ", StreamBroken("The connection broke. Press Continue."))

    last = await chat.answer("Tell")

    assert (last["text"], last["status"]) == ("Once ", "interrupted")
    assert last["error"]["type"] == "StreamBroken"
    assert last["error"]["text"] == "The connection broke. Press Continue."


async def test_a_failure_shows_the_question_and_one_sentence(start: Callable[..., Any]) -> None:
    error = AuthenticationFailed("The key is not accepted. Type it anew.", status=401, detail="User not found.")
    chat = await start(error=error)

    last = await chat.answer("Hi")

    assert chat.page.texts == [("user", "Hi"), ("assistant", "")]
    assert last["status"] == "error"
    assert last["error"]["type"] == "AuthenticationFailed"
    assert last["error"]["text"] == "The key is not accepted. Type it anew."
    assert (last["error"]["status"], last["error"]["detail"]) == (401, "User not found.")


async def test_a_retry_counts_down_and_the_answer_is_one_message(chat: Chat) -> None:
    chat.model.will_stream(ConnectionFailed("No connection."))
    chat.model.will_stream("Hello")

    last = await chat.answer("Hi")

    retries = [op["state"]["retry"] for op in chat.page.ops if op["op"] == "state" and op["state"]["retry"]]
    assert chat.page.texts == [("user", "Hi"), ("assistant", "Hello")]
    assert last["status"] == "complete"
    assert all(retry["attempt"] == 2 and retry["attempts"] == 3 for retry in retries)


async def test_an_answer_of_nothing_but_a_tool_call_is_the_place_of_its_card(chat: Chat) -> None:
    call = ToolCallPart(call_id="1", name="list_variables", arguments="{}")
    chat.model.will_stream(ToolCallStarted(0, "list_variables"), tool_calls=(call,))
    chat.model.will_stream("There is no such tool.")

    await chat.answer("Which variables?")

    assert chat.page.texts == [("user", "Which variables?"), ("assistant", ""), ("assistant", "There is no such tool.")]
    (card,) = chat.page.tool_runs.values()
    assert (card["message_id"], card["tool"]) == (list(chat.page.messages)[1], "list_variables")
    assert (card["state"], "There is no tool 'list_variables'" in card["result"]) == ("error", True)


async def test_a_cost_told_later_reaches_the_message_and_the_totals(chat: Chat) -> None:
    chat.model.will_stream("Once ", HOLD)
    chat.model.settled["gen-1"] = Usage(input_tokens=7, output_tokens=3, cost_usd=0.25)
    await chat.ok("send", text="Tell")
    await chat.model.reached(HOLD)
    await chat.ok("stop")
    await chat.until_idle()

    plan = planner_for(chat.model)(TurnRequest(message=user_message("Tell"), source="chat"))
    pending = PendingCost(index=0, generation_id="gen-1", plan=plan, booked_usd=0.0, waits_s=[], due_at=0.0)
    chat.agent.usage_log.pending.append(pending)
    chat.agent.periodic.wake()
    await chat.until(lambda: chat.page.totals["usage"]["cost_usd"] == 0.25)

    assert chat.page.last["usage"]["cost_usd"] == 0.25
    assert chat.page.last["text"] == "Once "


async def test_a_question_outside_the_conversation_is_not_shown(chat: Chat) -> None:
    request = TurnRequest(message=user_message("Aside"), source="magic", use_history=False)
    turn = chat.agent.submit(request)

    await asyncio.wrap_future(turn.outcome)
    await chat.until(lambda: chat.page.totals["requests"] == 1)

    assert chat.page.texts == []


# How often.


async def test_a_flood_of_letters_becomes_few_messages(chat: Chat) -> None:
    letters = "".join(chr(97 + number % 26) for number in range(20_000))
    pieces = [step for at in range(0, 20_000, 200) for step in (*letters[at : at + 200], Pause(0.01))]
    chat.model.will_stream(*pieces)

    last = await chat.answer("Go")

    assert last["text"] == letters
    assert busiest_second(chat.page.arrivals) <= 30


async def test_ten_sessions_at_once_stay_below_200_messages_a_second(start: Callable[..., Any]) -> None:
    chats = [await start() for _ in range(10)]
    chats[0].model.will_stream(*(step for _ in range(120) for step in ("word ", Pause(0.01))))

    await asyncio.gather(*(chat.answer("Go") for chat in chats))

    assert busiest_second([at for chat in chats for at in chat.page.arrivals]) <= 200
    assert all(chat.page.last["text"] == "word " * 120 for chat in chats)


async def test_the_first_word_does_not_wait_for_the_interval(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "INTERVAL_S", 3_600.0)
    chat.model.will_stream("First", HOLD)

    await chat.ok("send", text="Hi")

    await chat.until(lambda: chat.page.texts[-1:] == [("assistant", "First")])


async def test_hurried_flushes_are_limited(chat: Chat) -> None:
    for _ in range(200):
        chat.session.receive(chat.page.command("stop"))
        await asyncio.sleep(0.001)
    await chat.until(lambda: len(chat.page.acks) == 201)

    seconds = chat.page.arrivals[-1] - chat.page.arrivals[0]
    assert len(chat.page.contents) <= 30 * seconds + 10


# Commands.


async def test_a_command_that_comes_twice_is_carried_out_once_and_acknowledged_twice(chat: Chat) -> None:
    message = chat.page.command("send", text="Hi")

    for _ in range(3):
        chat.session.receive(message)
    await chat.until(lambda: len(chat.page.acks.get(message["id"], [])) == 3)
    await chat.until_idle()

    assert len(chat.model.requests) == 1
    assert chat.page.texts == [("user", "Hi"), ("assistant", "Hello")]


async def test_a_slow_command_that_comes_twice_is_carried_out_once(chat: Chat) -> None:
    message = chat.page.command("check_connection")

    chat.session.receive(message)
    chat.session.receive(message)
    await chat.until(lambda: len(chat.page.acks.get(message["id"], [])) == 2)

    assert chat.page.acks[message["id"]][0] == chat.page.acks[message["id"]][1]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"command": "dance"}, "There is no command 'dance'"),
        ({"command": "send"}, "Command 'send' needs 'text' as str."),
        ({"command": "send", "text": 7}, "Command 'send' needs 'text' as str."),
        ({"command": "event", "seq": True}, "Command 'event' needs 'seq' as int."),
        ({"command": "send", "text": " \n"}, "The question is empty. Write something to ask."),
        ({"command": "edit", "message_id": "x", "text": "y"}, "no longer part of the conversation"),
        ({"command": "continue", "message_id": "x"}, "no longer part of the conversation"),
        ({"command": "queue_edit", "item_id": "x", "text": "y"}, "not waiting any more"),
        ({"command": "queue_remove", "item_id": "x"}, "not waiting any more"),
        ({"command": "queue_send_now", "item_id": "x"}, "not waiting any more"),
        ({"command": "use_profile", "profile": "x"}, "There is no profile 'x'"),
        ({"command": "set_model", "model": "a\nb"}, "'model' cannot be"),
        ({"command": "save_settings", "values": {"temperature": 9}, "persist": False}, "'temperature' cannot be 9"),
        ({"command": "save_settings", "values": {"nonsense": 9}, "persist": True}, "There is no setting 'nonsense'"),
        ({"command": "set_key", "key": "secret key", "remember": "memory"}, "The API key cannot be used"),
        ({"command": "set_key", "key": "secret", "remember": "notebook"}, "'memory', 'keyring' or 'file'"),
        ({"command": "subscribe", "topic": "keys"}, "nothing to follow but 'events'"),
        ({"command": "event", "seq": 10**9}, "is not kept any more"),
        ({"command": "library", "name": "../widget"}, "There is no library"),
        ({"command": "dance", "rustbot": 99}, "Not a message of Rustbot's protocol 1: reload the page."),
    ],
)
async def test_what_cannot_be_carried_out_is_refused_with_a_sentence(
    chat: Chat, message: dict[str, Any], expected: str
) -> None:
    chat.session.receive({"rustbot": 1, "id": "c-1", "view": chat.page.view, **message})
    await chat.until(lambda: "c-1" in chat.page.acks)

    ack = chat.page.acks["c-1"][0]
    assert not ack["ok"]
    assert expected in ack["error"]
    assert "secret" not in str(chat.page.contents)


@pytest.mark.parametrize(
    "content", [None, 7, "send", [], {}, {"rustbot": 1}, {"rustbot": 1, "command": "sync", "id": 3}]
)
async def test_what_nobody_asked_is_dropped(chat: Chat, content: object) -> None:
    before = len(chat.page.contents)

    chat.session.receive(content)
    await chat.ok("stop")

    assert len(chat.page.contents) == before + 1


async def test_a_waiting_question_is_shown_edited_removed_and_sent_now(chat: Chat) -> None:
    chat.model.will_stream("One", HOLD)
    chat.model.will_stream("Two")
    await chat.ok("send", text="First")
    await chat.model.reached(HOLD)
    for text in ("Second", "Third", "Fourth"):
        await chat.ok("send", text=text)
    await chat.until(lambda: [item["text"] for item in chat.page.queue] == ["Second", "Third", "Fourth"])
    second, third, _ = (item["id"] for item in chat.page.queue)

    await chat.ok("queue_edit", item_id=third, text="Better third")
    await chat.ok("queue_remove", item_id=second)
    await chat.ok("queue_send_now", item_id=third)
    await chat.until(lambda: len(chat.page.messages) == 6)
    await chat.until_idle()

    assert [text for role, text in chat.page.texts if role == "user"] == ["First", "Better third", "Fourth"]
    assert [message["status"] for message in chat.page.messages.values()][1] == "interrupted"
    assert chat.page.queue == []


async def test_regenerating_drops_the_answer_and_asks_again(chat: Chat) -> None:
    chat.model.will_stream("Bad")
    chat.model.will_stream("Good")
    bad = await chat.answer("Hi")

    await chat.ok("regenerate", message_id=bad["id"])
    await chat.until(lambda: chat.page.texts[-1:] == [("assistant", "Good")])
    await chat.until_idle()

    assert chat.page.texts == [("user", "Hi"), ("assistant", "Good")]


async def test_a_conversation_that_does_not_fit_is_asked_again_without_its_older_half(chat: Chat) -> None:
    """N18."""
    chat.model.will_stream("Fine")
    chat.model.will_stream(ContextTooLong("It does not fit."))
    chat.model.will_stream("Now it fits")
    await chat.answer("long " * 4_000)
    failed = await chat.answer("And now?")

    await chat.ok("shorten", message_id=failed["id"])
    await chat.until(lambda: chat.page.texts[-1:] == [("assistant", "Now it fits")])

    budget = chat.settings.values.context_budget_tokens
    assert budget is not None
    assert 2_000 < budget < 3_000


async def test_editing_a_question_drops_all_after_it(chat: Chat) -> None:
    await chat.answer("One")
    await chat.answer("Two")
    first = next(iter(chat.page.messages))

    await chat.ok("edit", message_id=first, text="Other")
    await chat.until(lambda: chat.page.texts == [("user", "Other"), ("assistant", "Hello")])

    assert [message.text for message in chat.agent.conversation.messages] == ["Other", "Hello"]


async def test_continue_asks_to_go_on(chat: Chat) -> None:
    chat.model.will_stream("Once ", StreamBroken("Broken."))
    chat.model.will_stream("upon")
    broken = await chat.answer("Tell")

    await chat.ok("continue", message_id=broken["id"])
    await chat.until(lambda: chat.page.texts[-1:] == [("assistant", "upon")])

    assert chat.page.texts[2] == ("user", "Continue exactly where you stopped.")


async def test_a_new_conversation_empties_the_views_and_stops_what_runs(chat: Chat) -> None:
    chat.model.will_stream("Once ", HOLD)
    chat.model.will_stream("Hello")
    await chat.ok("send", text="Tell")
    await chat.model.reached(HOLD)

    await chat.ok("new_conversation")
    await chat.until_idle()
    await chat.until(lambda: chat.page.conversation["id"] == chat.agent.conversation.id)

    assert chat.page.texts == []
    assert chat.model.closed == 1
    await chat.answer("Hi")
    assert len(chat.page.messages) == 2


# Settings, models, keys.


async def test_the_settings_are_shown_with_where_they_come_from(chat: Chat) -> None:
    chat.settings.set("temperature", 0.5)

    await chat.ok("settings")

    fields = {field["name"]: field for field in chat.page.settings["fields"]}
    temperature = fields["temperature"]
    assert (temperature["value"], temperature["layer"], temperature["type"]) == (0.5, "session", "number")
    assert (temperature["minimum"], temperature["maximum"]) == (0, 2)
    assert fields["instructions"]["type"] == "text"
    assert fields["instructions"]["group"] == "System prompt"
    assert fields["reasoning_effort"]["choices"]
    assert chat.page.settings["key"]["host"] == "openrouter.ai"
    assert not chat.page.settings["key"]["present"]


async def test_settings_are_saved_for_the_session_or_into_the_file(chat: Chat, tmp_path: Path) -> None:
    await chat.ok("settings")

    await chat.ok("save_settings", values={"temperature": 0.1}, persist=False)
    await chat.ok("save_settings", values={"top_p": 0.9}, persist=True)
    await chat.until(lambda: _setting(chat.page, "top_p")["layer"] == "file")

    assert chat.settings.values.temperature == 0.1
    assert _setting(chat.page, "temperature")["layer"] == "session"
    text = (tmp_path / "config" / "settings.toml").read_text()
    assert "top_p = 0.9" in text
    assert "temperature" not in text


async def test_a_profile_is_used_and_left_again(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    path = tmp_path / "config" / "settings.toml"
    path.write_text("schema_version = 1\n[profiles.calm]\ntemperature = 0.0\n")
    chat = await start()
    await chat.ok("settings")

    await chat.ok("use_profile", profile="calm")
    await chat.until(lambda: chat.page.settings["profile"] == "calm")
    calm = _setting(chat.page, "temperature")
    await chat.ok("use_profile", profile="")
    await chat.until(lambda: chat.page.settings["profile"] == "")

    assert (calm["value"], calm["layer"]) == (0.0, "profile")
    assert _setting(chat.page, "temperature")["layer"] == "default"
    assert chat.page.settings["profiles"] == ["", "calm"]


async def test_a_file_that_was_edited_meanwhile_is_seen(chat: Chat, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text("schema_version = 1\ntemperature = 0.25\n")

    await chat.ok("settings")

    assert _setting(chat.page, "temperature")["value"] == 0.25


async def test_the_model_list_is_fetched_once_for_all_who_ask(
    chat: Chat, server: misbehaving.MisbehavingServer
) -> None:
    await chat.ok("save_settings", values={"base_url": server.base_url}, persist=False)
    server.on("/models", misbehaving.json_answer({"data": [{"id": "local/one"}, {"id": "local/two"}]}))

    both = await chat.ok("models", words="")
    one = await chat.ok("models", words="two")

    assert [model["id"] for model in both["models"]] == ["local/one", "local/two"]
    assert [model["id"] for model in one["models"]] == ["local/two"]
    assert [request.method for request in server.requests].count("GET") == 1


async def test_who_asks_while_the_model_list_is_fetched_gets_the_new_one(
    chat: Chat, server: misbehaving.MisbehavingServer
) -> None:
    await chat.ok("save_settings", values={"base_url": server.base_url}, persist=False)
    server.on("/models", [misbehaving.HOLD, *misbehaving.json_answer({"data": [{"id": "local/one"}]})])

    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(chat.ok("models", words="")) for _ in range(2)]
        await asyncio.to_thread(server.wait_until_held)
        server.release()

    assert [[model["id"] for model in task.result()["models"]] for task in asking] == [["local/one"], ["local/one"]]
    assert [request.method for request in server.requests].count("GET") == 1


async def test_another_model_answers_from_now_on(chat: Chat) -> None:
    await chat.ok("save_settings", values={"base_url": "http://127.0.0.1:9/v1"}, persist=False)

    await chat.ok("set_model", model="test/other")
    await chat.until(lambda: chat.page.model["id"] == "test/other")

    assert chat.page.model == {"id": "test/other", "host": "127.0.0.1:9", "is_demo": False, "is_local": True}


async def test_the_key_is_kept_and_never_told(chat: Chat, tmp_path: Path) -> None:
    await chat.ok("settings")
    secret = "sk-or-v1-planted-0123456789abcdef"

    await chat.ok("set_key", key=secret, remember="file")
    await chat.until(lambda: chat.page.settings["key"]["present"])
    rows = await chat.ok("subscribe", topic="events")
    await chat.ok("save_settings", values={"instructions": f"My key is {secret}"}, persist=False)
    await chat.until(lambda: "My key is" in _setting(chat.page, "instructions")["value"])

    found = chat.settings.find_key()
    assert found is not None
    assert found.value.get_secret_value() == secret
    assert chat.page.settings["key"]["source"] == "settings tab"
    assert secret not in json.dumps(chat.page.contents)
    assert secret not in json.dumps(rows)
    await chat.ok("forget_key")
    await chat.until(lambda: not chat.page.settings["key"]["present"])
    assert chat.settings.find_key() is None


async def test_models_are_found_by_words_with_prices_per_million(chat: Chat) -> None:
    result = await chat.ok("models", words="claude")

    assert result["models"]
    assert all("claude" in f"{model['id']} {model['name']}".lower() for model in result["models"])
    assert all(0 < model["input_usd"] < 1_000 for model in result["models"] if model["input_usd"])


async def test_checking_the_connection_without_a_key_says_so(chat: Chat) -> None:
    result = await chat.ok("check_connection")

    assert result == {
        "ok": False,
        "text": "There is no key for openrouter.ai; until there is one, the offline demo answers.",
    }


async def test_checking_a_server_tells_how_many_models_it_lists(
    chat: Chat, server: misbehaving.MisbehavingServer
) -> None:
    await chat.ok("save_settings", values={"base_url": server.base_url}, persist=False)
    server.on("/models", misbehaving.json_answer({"data": [{"id": "a"}, {"id": "b"}]}))

    result = await chat.ok("check_connection")

    assert result == {"ok": True, "text": f"127.0.0.1:{server.port} answers and lists 2 models."}


async def test_checking_a_dead_server_says_what_is_wrong(chat: Chat) -> None:
    await chat.ok("save_settings", values={"base_url": "http://127.0.0.1:9/v1"}, persist=False)

    result = await chat.ok("check_connection")

    assert not result["ok"]
    assert "127.0.0.1:9" in result["text"]


async def test_closing_cancels_what_is_slow(chat: Chat, server: misbehaving.MisbehavingServer) -> None:
    await chat.ok("save_settings", values={"base_url": server.base_url}, persist=False)
    server.on("/models", misbehaving.HOLD)
    chat.session.receive(chat.page.command("check_connection"))
    await asyncio.to_thread(server.wait_for_requests, 1)

    chat.session.close()

    await chat.until(lambda: not [t for t in asyncio.all_tasks() if t.get_name() == "rustbot-session"])


# Notices.


async def test_problems_of_the_settings_are_banners_until_dismissed(make_chat: Any, start: Any, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('schema_version = 1\ntemperature = "hot"\n')
    chat = await start()
    (notice,) = chat.page.notices

    await chat.ok("dismiss_notice", notice_id=notice["id"])
    await chat.until(lambda: chat.page.notices == [])

    assert "'temperature' cannot be 'hot'" in notice["text"]
    other = Page("view-2")
    chat.others.append(other)
    await chat.ok("sync", other)
    assert other.notices == []


async def test_a_budget_that_runs_out_is_a_banner(chat: Chat) -> None:
    chat.agent.queue.put(BudgetWarned(spent_usd=0.8, cap_usd=1.0))

    await chat.until(lambda: chat.page.notices)

    assert chat.page.notices[0]["text"] == "$0.80 of the cap of $1 are spent."


async def test_what_a_server_refused_is_a_banner(chat: Chat) -> None:
    chat.agent.queue.put(
        RequestAdapted(model="tiny", text="'tiny' does not take tools. The request was sent without them.")
    )

    await chat.until(lambda: chat.page.notices)

    assert [(notice["level"], notice["text"]) for notice in chat.page.notices] == [
        ("info", "'tiny' does not take tools. The request was sent without them.")
    ]


# Events.


async def test_event_rows_come_while_a_view_is_subscribed(chat: Chat) -> None:
    await chat.answer("One")
    first = await chat.ok("subscribe", topic="events")
    await chat.answer("Two")
    await chat.ok("unsubscribe", topic="events")
    last_seq = chat.agent.log.all()[-1].seq
    await chat.until(lambda: chat.page.rows and chat.page.rows[-1]["kind"] == "turn_finished")

    await chat.answer("Three")

    seqs = [row["seq"] for row in first["rows"] + chat.page.rows]
    assert seqs == list(range(1, last_seq + 1))
    assert not first["has_earlier"]


async def test_earlier_events_and_the_details_of_one_are_asked_for(chat: Chat) -> None:
    for _ in range(3):
        await chat.answer("Hi")
    newest = chat.agent.log.all()[-1].seq

    result = await chat.ok("events_before", seq=newest, limit=5)
    details = await chat.ok("event", seq=newest)

    assert [row["seq"] for row in result["rows"]] == list(range(newest - 5, newest))
    assert result["has_earlier"]
    assert details["data"]["message"]["text"] == "Hello"


# What goes wrong.


async def test_a_failing_send_stops_nothing(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    chat.page.forgiving = True
    lost: list[Any] = []

    def fail(content: Any, buffers: Any) -> None:
        lost.append(content)
        raise OSError("no comm")

    monkeypatch.setattr(chat.session, "_send", fail)
    chat.session.receive(chat.page.command("send", text="Hi"))
    await chat.until(lambda: any(op["op"] == "message_patch" for content in lost for op in content["ops"]))
    monkeypatch.undo()

    await chat.ok("sync")

    assert chat.page.texts == [("user", "Hi"), ("assistant", "Hello")]


async def test_a_new_agent_is_a_new_life(chat: Chat, model: ScriptedModel) -> None:
    await chat.answer("One")
    old_epoch, old = chat.page.epoch, chat.agent
    chat.page.forgiving = True
    chat.agent = Agent(planner_for(model), old.conversation)
    running = asyncio.create_task(chat.agent.run())

    await chat.ok("sync")
    await chat.answer("Two")

    assert chat.page.epoch != old_epoch
    assert [text for _, text in chat.page.texts] == ["One", "Hello", "Two", "Hello"]
    chat.agent.shutdown()
    await running
    chat.agent = old


async def test_the_model_is_warmed_up_after_the_first_view(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "WARM_UP_AFTER_S", 0.0)
    warmed: list[bool] = []
    monkeypatch.setattr(chat.planner, "chat_model", lambda: _Warm(warmed))
    chat.session.close()
    chat.session = ViewSession(chat, chat._send)
    chat.page = Page()

    await chat.ok("sync")
    await chat.ok("sync")
    await chat.until(lambda: warmed)

    assert warmed == [True]


def busiest_second(arrivals: list[float]) -> int:
    """The most messages within any second."""
    return max(sum(start <= at < start + 1 for at in arrivals) for start in arrivals)


class _Warm:
    def __init__(self, warmed: list[bool]) -> None:
        self._warmed = warmed

    async def warm_up(self) -> None:
        self._warmed.append(True)


def _setting(page: Page, name: str) -> dict[str, Any]:
    field: dict[str, Any] = next(field for field in page.settings["fields"] if field["name"] == name)
    return field
