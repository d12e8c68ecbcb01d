"""Which messages are sent."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.engine.context import NO_ANSWER, PICTURE_ONLY, build_messages
from rustbot_jupyter.messages import (
    ImagePart,
    Message,
    MessageRole,
    MessageStatus,
    ReasoningPart,
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

    assert [message.text for message in build_messages("", history)] == ["one", NO_ANSWER, "two", "fine"]


STATES = list(MessageStatus)
CALL = ToolCallPart(call_id="1", name="look", arguments="{}")
ROUND = (
    Message(role=MessageRole.ASSISTANT, parts=(CALL,)),
    Message(role=MessageRole.TOOL, parts=(ToolResultPart(call_id="1", name="look", content="seen"),)),
)
ENDINGS = {
    "nothing": (),
    **{f"empty, {status}": (answer("", status),) for status in STATES},
    **{f"blank, {status}": (answer(" \n", status),) for status in STATES},
    "thoughts only": (Message(role=MessageRole.ASSISTANT, parts=(ReasoningPart(text="hm"),)),),
    "a picture": (Message(role=MessageRole.ASSISTANT, parts=(ImagePart(media_type="image/png", data=b"x"),)),),
    "half": (answer("half", MessageStatus.INTERRUPTED),),
    "tools": ROUND,
    "tools, then nothing": (*ROUND, answer("", MessageStatus.ERROR)),
    "tools, then words": (*ROUND, *ROUND, answer("done")),
}


@given(st.lists(st.sampled_from(list(ENDINGS)), max_size=6), st.booleans(), st.none() | st.integers(0, 60))
def test_however_earlier_turns_ended_the_next_request_is_valid(
    endings: list[str], takes_images: bool, budget: int | None
) -> None:
    turns = [(user_message(f"question {number}"), *ENDINGS[ending]) for number, ending in enumerate(endings)]
    history = [message for turn in turns for message in turn]

    sent = build_messages("Be brief.", [*history, user_message("last")], budget, takes_images=takes_images)

    pairs = list(pairwise(message.role for message in sent))
    assert (MessageRole.USER, MessageRole.USER) not in pairs
    assert (MessageRole.TOOL, MessageRole.USER) not in pairs
    assert (MessageRole.ASSISTANT, MessageRole.ASSISTANT) not in pairs
    assert all(message.text.strip() or message.tool_calls or message.role is MessageRole.TOOL for message in sent)
    assert sum(len(message.tool_calls) for message in sent) == sum(message.role is MessageRole.TOOL for message in sent)


def test_an_answer_that_was_a_picture_is_not_called_none():
    history = [user_message("Draw"), *ENDINGS["a picture"], user_message("Again")]

    assert [message.text for message in build_messages("", history)] == ["Draw", PICTURE_ONLY, "Again"]


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
