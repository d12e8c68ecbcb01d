"""The facade, over real HTTP: ask, ask_async, stream, interrupt, close, fork."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import misbehaving as wire
from servers.misbehaving import HOLD, MisbehavingServer

import rustbot_jupyter as rb
from rustbot_jupyter import doctor
from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.engine.states import AgentState
from rustbot_jupyter.errors import BadRequest, ConnectionFailed
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.settings.files import data_dir

KEY = "sk-or-v1-" + "planted" * 6
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15, "cost": 0.00025}

pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.fixture
def bot(server: MisbehavingServer) -> Iterator[rb.Rustbot]:
    bot = rb.Rustbot(model="test/model", base_url=server.base_url, api_key=KEY)
    bot.settings.retries = 0
    yield bot
    bot.close()


def core_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("rustbot")]


def wait_for_text(bot: rb.Rustbot, count: int = 1) -> None:
    """Return once so many pieces of text have arrived in the bot, not only left the server."""
    deadline = time.monotonic() + 10
    while sum(event.kind == "text_streamed" for event in bot.agent.log.all()) < count:
        assert time.monotonic() < deadline, "no text came"
        time.sleep(0.002)


def test_ask_gives_the_answer_with_the_usage_and_cost_the_server_sent(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("Once ", "upon", usage=USAGE))

    reply = bot.ask("Tell me")

    row = bot.usage().iloc[0]
    assert reply.text == "Once upon"
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (12, 3, 0.00025)
    assert not row["cost_is_estimate"]
    assert (row["source"], row["status"], row["model_requested"]) == ("api", "complete", "test/model")
    assert bot.events()["seq"].tolist() == list(range(1, len(bot.events()) + 1))
    assert bot.states()["state"].tolist()[:3] == ["idle", "processing", "responding"]


def test_three_turns_send_the_whole_conversation_each_time(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("one"), wire.answer("two"), wire.answer("three"))

    replies = [bot.ask(question).text for question in ("1?", "2?", "3?")]

    sent = [m["content"] for m in server.chats[2].json["messages"] if m["role"] != "system"]
    assert replies == ["one", "two", "three"]
    assert sent == ["1?", "one", "2?", "two", "3?"]
    assert len({chat.json["session_id"] for chat in server.chats}) == 1


async def test_ask_works_inside_a_running_loop_and_ask_async_does_not_block_it(
    bot: rb.Rustbot, server: MisbehavingServer
):
    server.script(wire.answer("blocking"), wire.answer("awaited", pause_s=0.05))

    blocking = bot.ask("one")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.005)

    ticking = asyncio.create_task(tick())
    awaited = await bot.ask_async("two")
    ticking.cancel()

    assert (blocking.text, awaited.text) == ("blocking", "awaited")
    assert ticks > 3


def test_threads_may_ask_at_once_and_each_gets_its_own_answer(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(*(wire.answer(f"answer {number}") for number in range(5)))
    answers: list[str] = []

    threads = [threading.Thread(target=lambda: answers.append(bot.ask("question").text)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(answers) == [f"answer {number}" for number in range(5)]


async def test_stream_yields_the_events_of_its_turn_only(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("Once ", "upon"))

    events = [event async for event in bot.stream("Tell me")]

    assert "".join(event.text for event in events if event.kind == "text_streamed") == "Once upon"
    assert events[-1].kind == "turn_finished"
    assert len({event.turn_id for event in events}) == 1


async def test_leaving_a_stream_early_stops_the_answer(bot: rb.Rustbot, server: MisbehavingServer):
    server.script([*wire.opening("Once "), HOLD])

    stream = bot.stream("Tell me")
    async for event in stream:
        if event.kind == "text_streamed":
            break
    await stream.aclose()

    assert server.chats[0].wait_closed() > 0


async def test_cancelling_ask_async_stops_the_answer(bot: rb.Rustbot, server: MisbehavingServer):
    server.script([*wire.opening("Once "), HOLD])
    asking = asyncio.create_task(bot.ask_async("Tell me"))
    await asyncio.to_thread(wait_for_text, bot)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert server.chats[0].wait_closed() > 0


@pytest.mark.parametrize("times", [1, 2, 3, 10])
def test_interrupt_closes_the_connection_within_a_second_and_the_next_question_works(
    bot: rb.Rustbot, server: MisbehavingServer, times: int
):
    server.script([*wire.opening("Once "), HOLD], wire.answer("next"))
    replies: list[rb.Reply] = []
    asking = threading.Thread(target=lambda: replies.append(bot.ask("Tell me")))
    asking.start()
    wait_for_text(bot)

    for _ in range(times):
        bot.interrupt()
    asking.join(timeout=30)

    server.chats[0].wait_closed()
    assert (replies[0].text, replies[0].status.value) == ("Once ", "interrupted")
    assert bot.state is AgentState.IDLE
    assert bot.ask("and now?").text == "next"


def test_interrupt_while_connecting_leaves_no_socket(tmp_path: Path):
    with wire.hanging_port() as port:
        bot = rb.Rustbot(model="m", base_url=f"http://127.0.0.1:{port}/v1")
        asking = threading.Thread(target=lambda: bot.ask("Tell me"))
        asking.start()
        while bot.state is not AgentState.PROCESSING:
            time.sleep(0.002)

        bot.interrupt()
        asking.join(timeout=30)

        assert not asking.is_alive()
        assert bot.state is AgentState.IDLE
        bot.close()
    assert core_threads() == []


def test_fifty_interrupts_in_a_stream_leak_no_connection(bot: rb.Rustbot, server: MisbehavingServer):
    """N28."""
    server.script(*([*wire.opening("Once "), HOLD] for _ in range(50)), wire.answer("done"))

    for number in range(50):
        asking = threading.Thread(target=lambda: bot.ask("Tell me"))
        asking.start()
        wait_for_text(bot, number + 1)
        bot.interrupt()
        asking.join(timeout=30)

    assert bot.ask("still there?").text == "done"
    for chat in server.chats[:50]:
        chat.wait_closed()


def test_the_cost_of_a_stopped_answer_is_asked_for_and_settled(bot: rb.Rustbot, server: MisbehavingServer):
    billed = {"id": "gen-1", "total_cost": 0.0042, "tokens_prompt": 7, "tokens_completion": 3}
    billed |= {"native_tokens_prompt": 7, "native_tokens_completion": 3}
    server.script([*wire.opening("Once ", X_Generation_Id="gen-1"), HOLD])
    server.on("/v1/generation", wire.error(404), wire.json_answer({"data": billed}))
    asking = threading.Thread(target=lambda: bot.ask("Tell me"))
    asking.start()
    wait_for_text(bot)

    bot.interrupt()
    asking.join(timeout=30)
    deadline = time.monotonic() + 20
    while bot.usage()["cost_usd"].iloc[0] != 0.0042:
        assert time.monotonic() < deadline, "the cost was not settled"
        time.sleep(0.05)

    row = bot.usage().iloc[0]
    assert (row["input_tokens"], row["output_tokens"], row["status"]) == (7, 3, "interrupted")
    assert bot.events()["kind"].tolist().count("cost_settled") == 1


def test_a_misspelled_model_is_answered_with_near_names(bot: rb.Rustbot, server: MisbehavingServer):
    server.on("/v1/models", wire.json_answer({"data": [{"id": "openai/gpt-4o-mini"}, {"id": "other/model"}]}))
    server.script(wire.error(400, "openai/gpt-4o-minii is not a valid model ID"))
    assert bot.refresh_models() == ""

    with pytest.raises(rb.ModelError, match="Near names: 'openai/gpt-4o-mini'"):
        bot.ask("hi", model="openai/gpt-4o-minii")

    assert bot.events().iloc[-1]["data"]["suggestions"] == ["openai/gpt-4o-mini"]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to threads")
def test_a_keyboard_interrupt_of_a_blocking_ask_keeps_the_partial_answer(bot: rb.Rustbot, server: MisbehavingServer):
    server.script([*wire.opening("Once "), HOLD])
    main = threading.get_ident()

    def press() -> None:
        wait_for_text(bot)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        bot.ask("Tell me")

    assert bot.conversation.messages[-1].text == "Once "
    assert bot.conversation.messages[-1].status.value == "interrupted"
    assert server.chats[0].wait_closed() > 0


def test_a_failure_raises_one_plain_sentence_with_what_there_is():
    with wire.refusing_port() as port:
        bot = rb.Rustbot(model="m", base_url=f"http://127.0.0.1:{port}/v1")
        bot.settings.retries = 0
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}") as raised:
            bot.ask("Tell me")
        bot.close()

    assert raised.value.reply.status.value == "error"
    assert "httpx" not in str(raised.value)


@pytest.mark.timeout(20)
def test_what_asked_before_anybody_waited_is_answered_once_somebody_does(bot: rb.Rustbot, server: MisbehavingServer):
    @bot.tool(risk="write")
    def change() -> str:
        """Change something."""
        return "changed"

    server.script(wire.tool_call("change", "{}"), wire.answer("Done."))
    turn = bot.submit(TurnRequest(message=user_message("Change it"), source="api"))
    deadline = time.monotonic() + 10
    while not bot.approvals:
        assert time.monotonic() < deadline, "nothing was asked"
        time.sleep(0.002)

    # Nobody looks at this program, so that the answer is a no.
    assert bot.wait_for(turn).text == "Done."
    assert "Nobody can be asked here" in server.chats[1].json["messages"][-1]["content"]


def test_close_leaves_no_thread_and_no_connection(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("one"))
    bot.ask("Tell me")

    bot.close()
    bot.close()

    server.wait_until_all_closed()
    assert core_threads() == []
    assert bot.state is AgentState.CLOSED
    assert len(bot.usage()) == 1
    with pytest.raises(rb.RequestError, match="closed"):
        bot.ask("again")


@pytest.mark.parametrize("has_asked", [False, True])
def test_all_that_a_closed_bot_has_can_still_be_looked_at(bot: rb.Rustbot, server: MisbehavingServer, has_asked: bool):
    if has_asked:
        server.script(wire.answer("one"))
        bot.ask("Tell me")
    bot.close()

    public = {name: getattr(bot, name) for name in dir(bot) if not name.startswith("_")}
    for name in ("usage", "events", "states", "tool_runs", "metrics", "models"):
        public[name] = public[name]()
    for value in (bot, *public.values()):
        assert repr(value)
        assert str(value) is not None
        for look in ("__len__", "__iter__", "_repr_html_", "_repr_markdown_", "_repr_mimebundle_", "list", "docs"):
            if not isinstance(value, type) and callable(found := getattr(value, look, None)):
                found()
    assert (bot.mcp.list(), list(bot.mcp.problems)) == ([], [])
    assert "closed" in repr(bot.mcp)


def test_bots_that_are_dropped_without_close_leave_no_thread_and_no_connection(server: MisbehavingServer):
    server.script(*(wire.answer("ok") for _ in range(20)))

    for _ in range(20):
        rb.Rustbot(model="m", base_url=server.base_url).ask("hi")
    gc.collect()

    server.wait_until_all_closed()
    deadline = time.monotonic() + 5
    while core_threads():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_closed_bot_that_is_dropped_leaves_the_others_their_thread(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("ok"))
    bot.ask("hi")
    other = rb.Rustbot(model="m", base_url=server.base_url)
    other.ask("hi")

    other.close()
    del other
    gc.collect()

    assert bot.ask("still there?").text == "ok"
    assert core_threads() == ["rustbot-core"]


def test_when_the_thread_dies_who_waits_is_told_and_the_frames_go_on(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("one"), [*wire.opening("half"), HOLD], wire.answer("three"))
    bot.ask("1")
    failures: list[BaseException] = []

    def ask_in_vain() -> None:
        try:
            bot.ask("2")
        except rb.RustbotError as error:
            failures.append(error)

    waiting = threading.Thread(target=ask_in_vain)
    waiting.start()
    wait_for_text(bot, 2)
    loop_ended = threading.Event()
    bot.run_on_core(lambda: asyncio.get_running_loop().call_soon(asyncio.get_running_loop().stop))
    while core_threads():
        loop_ended.wait(0.01)
    answer = bot.ask("3")
    waiting.join(timeout=30)

    assert answer.text == "three"
    assert not waiting.is_alive()
    assert len(bot.usage()) >= 2
    assert bot.events()["seq"].is_monotonic_increasing
    assert bot.events()["seq"].is_unique


def test_ipython_shows_the_users_line_and_the_sentence_instead_of_our_frames(bot: rb.Rustbot):
    try:
        bot.ask("")
    except rb.RequestError as error:
        lines = error._render_traceback_()

    assert lines[-1] == "RequestError: The question is empty. Write something to ask."
    assert 'bot.ask("")' in lines[0]
    assert not any("rustbot_jupyter/" in line for line in lines)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_asks_on_a_thread_of_its_own(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("parent"), wire.answer("child"), wire.answer("parent again"))
    bot.ask("one")

    child = os.fork()
    if child == 0:
        # Nothing of pytest may run in the child.
        try:
            os._exit(0 if bot.ask("two").text == "child" else 1)
        except BaseException:
            os._exit(2)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert bot.ask("three").text == "parent again"


def test_without_key_and_settings_the_offline_demo_answers():
    bot = rb.Rustbot()
    try:
        reply = bot.ask("count to 3")

        assert bot.model == "rustbot/demo"
        assert "3" in reply.text
        assert bot.usage()["provider"].tolist() == ["offline demo"]
    finally:
        bot.close()


def test_the_key_goes_to_its_host_and_stays_out_of_everything_that_is_shown(bot: rb.Rustbot, server: MisbehavingServer):
    """X1, X2: the provider echoes the key."""
    server.script(wire.error(400, f"bad request with key {KEY}"))

    with pytest.raises(rb.ModelError) as raised:
        bot.ask("Tell me")

    shown = "".join(
        [
            repr(bot),
            repr(bot.settings),
            str(vars(bot)),
            str(bot.settings.explain()),
            bot.events().to_csv(),
            bot.usage().to_csv(),
            str(raised.value),
            repr(raised.value.__dict__),
            str(bot.conversation.messages),
        ]
    )
    assert server.chats[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in shown
    assert "planted" not in shown


def test_the_key_is_in_no_traceback_figure_child_environment_or_copy(bot: rb.Rustbot, server: MisbehavingServer):
    """X1: what shows variables, travels to children, or is written down."""
    server.script(wire.answer("ok"), wire.error(401, "no"))
    bot.ask("Tell me")

    with pytest.raises(rb.AuthenticationFailed) as raised:
        bot.ask("Tell me")

    with_locals = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(dict(os.environ))"], capture_output=True, check=True
    )
    figures = [figure.to_json() for figure in (bot.figures.states(), bot.figures.tokens(), bot.figures.cost())]
    assert "planted" not in with_locals
    assert b"planted" not in child.stdout
    assert "planted" not in "".join(figures)
    for take in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not copied or pickled"):
            take(bot)


def test_text_comes_back_as_typed(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("ok"))
    typed = "NUL \x00, lone \ud800 surrogate, \u202eright to left\u202c, 👩‍👩‍👧 and عربى"

    bot.ask(typed)

    assert bot.conversation.messages[0].text == typed
    assert "right to left" in server.chats[0].json["messages"][-1]["content"]


def test_a_message_of_one_megabyte_is_sent_whole(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("long"))
    question = "word " * 200_000

    bot.ask(question)

    assert server.chats[0].json["messages"][-1]["content"] == question


def test_a_question_asked_on_the_core_thread_says_what_to_use_instead(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(wire.answer("ok"))

    with pytest.raises(rb.RequestError, match="ask_async"):
        bot.run_on_core(lambda: bot.ask("Tell me"))


def test_get_bot_makes_one_and_set_bot_replaces_it(bot: rb.Rustbot):
    first = rb.get_bot()
    rb.set_bot(bot)

    assert rb.get_bot() is bot
    bot.close()
    assert rb.get_bot() is not bot
    first.close()
    rb.get_bot().close()


def test_a_log_tells_each_turn_in_json_lines_with_its_ids_and_without_the_key(
    bot: rb.Rustbot, server: MisbehavingServer, tmp_path: Path
):
    server.script(wire.answer("ok"))

    with rb.log_to(tmp_path / "rustbot.log", "DEBUG"):
        bot.ask(f"my key is {KEY}")

    lines = [json.loads(line) for line in (tmp_path / "rustbot.log").read_text().splitlines()]
    turn_ids = {line["turn_id"] for line in lines if line["message"].startswith("turn_")}
    assert turn_ids == set(bot.usage()["turn_id"])
    assert any(line["message"].startswith("turn_finished") for line in lines)
    assert KEY not in (tmp_path / "rustbot.log").read_text()


def refusing_tools(received: wire.Received) -> wire.Script:
    if received.json.get("tools"):
        return wire.error(400, "library/tiny does not support tools")
    return wire.answer("Yes.")


def test_a_model_that_takes_no_tools_is_asked_without_and_that_is_told_once_and_shown(
    bot: rb.Rustbot, server: MisbehavingServer
):
    server.script(refusing_tools)
    server.on("/models", wire.json_answer({"data": [{"id": "test/model"}]}))

    replies = [bot.ask("Hello"), bot.ask("And again")]
    bot.refresh_models()

    assert [reply.text for reply in replies] == ["Yes.", "Yes."]
    assert ["tools" in chat.json for chat in server.chats] == [True, False, False]
    # The system prompt does not speak of tools that are not there.
    assert "You can call tools" not in server.chats[-1].json["messages"][0]["content"]
    adapted = bot.events().query("kind == 'request_adapted'")
    assert len(adapted) == 1
    assert "library/tiny does not support tools" in adapted.iloc[0]["summary"]
    assert bot.models().iloc[0]["asked_without"] == "no tools"
    assert "test/model refused something within the last day and is asked with no tools" in repr(doctor.examine(bot))
    (kept,) = [path for path in data_dir().iterdir() if path.name.startswith("refused-")]
    assert "Hello" not in kept.read_text()
    assert KEY not in kept.read_text()

    bot.refresh_models(try_again=True)
    bot.ask("Once more")
    assert ["tools" in chat.json for chat in server.chats[3:]] == [True, False]


def test_tools_that_a_question_asks_for_are_not_dropped(bot: rb.Rustbot, server: MisbehavingServer):
    server.script(refusing_tools)

    with pytest.raises(BadRequest, match=r"does not take tools: .*`--tools none`"):
        bot.ask("Look", tools=["list_files"])

    assert bot.ask("Look", tools=()).text == "Yes."
