"""Writing to a model in the chat: send, stream, stop, queue."""

from __future__ import annotations

import time

import pytest
from browser_notebook import COMPLETE, INTERRUPTED, STREAMING, Chat, Notebook
from playwright.sync_api import expect
from servers.misbehaving import HOLD, Chunk, MisbehavingServer, answer, closing, delta, event, opening

pytestmark = pytest.mark.browser

HELD = [*opening("Once "), HOLD, *answer("upon a time")[1:]]


def asked(server: MisbehavingServer) -> list[str]:
    """The newest question of each request."""
    return [chat.json["messages"][-1]["content"] for chat in server.chats]


def test_enter_sends_and_shift_enter_breaks_the_line(chat: Chat, server: MisbehavingServer) -> None:
    chat.prompt.press_sequentially("one")
    chat.prompt.press("Shift+Enter")
    chat.prompt.press_sequentially("two")
    chat.prompt.press("Enter")

    chat.expect_answer("Hello", COMPLETE)
    expect(chat.questions.locator(".rb-bubble")).to_have_text(["one\ntwo"])
    expect(chat.prompt).to_have_value("")
    assert asked(server) == ["one\ntwo"]


def test_a_blank_message_is_not_sent(chat: Chat, server: MisbehavingServer) -> None:
    for blank in ("", " ", "\n\t\u00a0 "):
        chat.send(blank)
        expect(chat.button("Send")).to_be_disabled()

    chat.ask("Hi")

    assert asked(server) == ["Hi"]


def test_text_appears_before_the_answer_is_complete(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD)

    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)
    server.release()

    chat.expect_answer("Once upon a time", COMPLETE)


def test_a_spinner_is_shown_until_the_first_word(chat: Chat, server: MisbehavingServer) -> None:
    server.script([HOLD, *answer("Hello")])

    chat.send("Hi")
    expect(chat.root.locator(".rb-activity")).to_be_visible()
    server.release()

    chat.expect_answer("Hello", COMPLETE)
    expect(chat.root.locator(".rb-activity")).to_have_count(0)


def test_stop_closes_the_connection_within_a_second_and_keeps_the_text(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD, answer("next"))
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)

    pressed = time.monotonic()
    chat.button("Stop").click()

    assert server.chats[0].wait_closed() - pressed < 1
    chat.expect_answer("Once", INTERRUPTED)
    expect(chat.answer.locator(".rb-ending")).to_contain_text("Stopped")
    expect(chat.ask("And now?").locator(".rb-answer")).to_have_text("next")


def test_escape_stops_like_the_button(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD)
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)

    chat.prompt.press("Escape")

    chat.expect_answer("Once", INTERRUPTED)


def test_a_double_click_on_send_sends_once_and_stops_nothing(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD)
    chat.prompt.fill("Tell")

    chat.button("Send").dblclick()
    chat.expect_answer("Once", STREAMING)
    server.release()

    chat.expect_answer("Once upon a time", COMPLETE)
    assert asked(server) == ["Tell"]


def test_a_storm_of_enters_sends_once(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD)
    chat.prompt.fill("Tell")

    # The second `down` on is what a key that is held down sends.
    for _ in range(20):
        chat.page.keyboard.down("Enter")
    chat.page.keyboard.up("Enter")
    for _ in range(10):
        chat.prompt.press("Enter")
    chat.expect_answer("Once", STREAMING)
    server.release()

    chat.expect_answer("Once upon a time", COMPLETE)
    expect(chat.questions).to_have_count(1)
    assert asked(server) == ["Tell"]


def test_stop_pressed_ten_times_stops_once_and_the_next_question_works(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD, answer("next"))
    chat.send("Tell")
    chat.expect_answer("Once", STREAMING)

    chat.button("Stop").evaluate("(stop) => { for (let i = 0; i < 10; i += 1) stop.click(); }")

    chat.expect_answer("Once", INTERRUPTED)
    expect(chat.ask("And now?").locator(".rb-answer")).to_have_text("next")
    assert asked(server) == ["Tell", "And now?"]


def test_messages_sent_meanwhile_wait_and_can_be_edited_and_removed(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD, answer("second answer"))
    chat.send("first")
    chat.expect_answer("Once", STREAMING)

    chat.send("secnd")
    chat.send("third")
    waiting = chat.queue.get_by_role("listitem")
    expect(waiting).to_have_count(2)
    waiting.nth(0).get_by_role("button", name="Edit").click()
    chat.queue.get_by_label("Edit the waiting message").fill("second")
    chat.queue.get_by_role("button", name="Save").click()
    waiting.nth(1).get_by_role("button", name="Remove").click()
    expect(waiting).to_have_count(1)
    expect(waiting).to_contain_text("second")
    server.release()

    chat.expect_answer("second answer", COMPLETE)
    expect(chat.queue).to_have_count(0)
    assert asked(server) == ["first", "second"]


def test_send_now_stops_what_runs_and_asks_the_waiting_message(chat: Chat, server: MisbehavingServer) -> None:
    server.script(HELD, answer("at once"), answer("later"))
    chat.send("first")
    chat.expect_answer("Once", STREAMING)
    chat.send("second")
    chat.send("third")

    chat.queue.get_by_role("listitem").nth(1).get_by_role("button", name="Send now").click()

    expect(chat.answers).to_have_count(3)
    chat.expect_answer("later", COMPLETE)
    expect(chat.answers.first).to_have_attribute("data-status", INTERRUPTED)
    assert asked(server) == ["first", "third", "second"]


def test_an_edited_question_replaces_what_came_after_it(chat: Chat, server: MisbehavingServer) -> None:
    server.script(answer("one"), answer("two"))
    chat.ask("Frist")

    chat.questions.first.hover()
    chat.questions.first.get_by_role("button", name="Edit and resend").click()
    editor = chat.root.get_by_label("Edit your message")
    editor.fill("First")
    editor.press("Enter")

    chat.expect_answer("two", COMPLETE)
    expect(chat.questions).to_have_count(1)
    said = [message["content"] for message in server.chats[1].json["messages"] if message["role"] != "system"]
    assert said == ["First"]


def test_an_image_of_an_answer_is_drawn(chat: Chat, server: MisbehavingServer) -> None:
    red = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{red}"}}
    server.script([*opening("Here: "), Chunk(event(delta(content="", images=[image]))), *closing()])

    picture = chat.ask("Draw").get_by_role("img", name="Image")

    expect(picture).to_have_js_property("naturalWidth", 1)


ODD = [
    "שלום, מה שלומך? مرحبا",
    "👩‍👩‍👧‍👦 🇺🇳 e\u0301 \u200b|\u202eright to left\u202c|",
    "lone \ud83d high, \ude00 low, NUL \0 end",
]


@pytest.mark.parametrize("text", ODD, ids=["right to left", "emoji and invisible", "lone surrogates and NUL"])
def test_odd_text_comes_back_as_typed(chat: Chat, notebook: Notebook, server: MisbehavingServer, text: str) -> None:
    units = [int.from_bytes(pair, "little") for pair in _pairs(text.encode("utf-16-le", "surrogatepass"))]

    # Neither a keyboard nor a pipe can say half a character.
    chat.prompt.evaluate(
        """(field, units) => {
            const value = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value');
            value.set.call(field, String.fromCharCode(...units));
            field.dispatchEvent(new InputEvent('input', {bubbles: true}));
        }""",
        units,
    )
    chat.prompt.press("Enter")
    chat.expect_answer("Hello", COMPLETE)

    shown = chat.questions.first.locator(".rb-plain").evaluate(
        "(bubble) => Array.from({length: bubble.textContent.length}, (_, at) => bubble.textContent.charCodeAt(at))"
    )
    assert shown == units
    assert notebook.run("print(ascii(bot.conversation.messages[0].text))") == ascii(text)


def _pairs(data: bytes) -> list[bytes]:
    return [data[at : at + 2] for at in range(0, len(data), 2)]


def test_a_message_of_a_megabyte_is_sent_whole(chat: Chat, server: MisbehavingServer) -> None:
    text = "a megabyte of words " * 50_000

    chat.prompt.fill(text)
    chat.prompt.press("Enter")

    chat.expect_answer("Hello", COMPLETE)
    assert asked(server) == [text]
