"""Which messages are sent."""

from __future__ import annotations

from rustbot_jupyter.engine.context import build_messages
from rustbot_jupyter.messages import (
    Message,
    MessageRole,
    MessageStatus,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    user_message,
)


def answer(text: str, status: MessageStatus = MessageStatus.COMPLETE) -> Message:
    parts = (TextPart(text=text),) if text else ()
    return Message(role=MessageRole.ASSISTANT, parts=parts, status=status)


def test_the_system_prompt_comes_first_and_an_empty_one_is_left_out():
    history = [user_message("hi")]

    with_prompt = build_messages("Be brief.", history)
    without = build_messages("", history)

    assert [message.role.value for message in with_prompt] == ["system", "user"]
    assert without == tuple(history)


def test_failed_and_empty_answers_are_not_sent_again():
    history = [user_message("one"), answer("", MessageStatus.ERROR), user_message("two"), answer("fine")]

    assert [message.text for message in build_messages("", history)] == ["one", "two", "fine"]


def test_an_interrupted_answer_is_sent_with_what_it_had():
    history = [user_message("one"), answer("half", MessageStatus.INTERRUPTED), user_message("go on")]

    assert [message.text for message in build_messages("", history)] == ["one", "half", "go on"]


def test_the_oldest_turns_are_dropped_first_when_the_budget_is_small():
    history = [
        user_message("a" * 400),
        answer("b" * 400),
        user_message("c" * 400),
        answer("d" * 400),
        user_message("e"),
    ]

    sent = build_messages("", history, budget_tokens=250)

    assert [message.text[:1] for message in sent] == ["c", "d", "e"]


def test_the_last_turn_is_sent_whole_even_if_it_is_over_the_budget():
    call = ToolCallPart(call_id="1", name="look", arguments="{}")
    result = ToolResultPart(call_id="1", name="look", content="r" * 4000)
    last = [
        user_message("q" * 4000),
        Message(role=MessageRole.ASSISTANT, parts=(call,)),
        Message(role=MessageRole.TOOL, parts=(result,)),
    ]

    sent = build_messages("", [user_message("old"), answer("old"), *last], budget_tokens=256)

    assert list(sent) == last
