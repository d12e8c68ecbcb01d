"""The answer of the offline demo: the first rule that fits the last message."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rustbot_jupyter.llm.base import ChatRequest
from rustbot_jupyter.llm.demo_rules.glossary import glossary_answer
from rustbot_jupyter.llm.demo_rules.json_format import json_answer
from rustbot_jupyter.llm.demo_rules.recipes import code_answer
from rustbot_jupyter.llm.demo_rules.review import code_or_error_answer, frame_answer
from rustbot_jupyter.llm.demo_rules.show import markdown_answer, maths_answer, spoken_length_answer
from rustbot_jupyter.llm.demo_rules.talk import small_talk_answer, sum_answer
from rustbot_jupyter.llm.demo_rules.texts import FIRST_NOTE, TOPICS, WHAT_I_CAN_DO
from rustbot_jupyter.llm.demo_rules.tool_use import Said, after_results, first_step
from rustbot_jupyter.messages import Message, MessageRole


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question, as the rules look at it."""

    text: str
    earlier: tuple[Message, ...]
    """User and assistant messages before this one."""
    instructions: str
    """The system prompt; "" if there is none."""


def answer_to(request: ChatRequest) -> str:
    """The whole answer, as Markdown or, where the request asks for it, JSON; tool calls are left out."""
    return said_to(request).text


def said_to(request: ChatRequest) -> Said:
    """The whole answer, and the tool calls that come with it."""
    question = _question(request.messages)
    wanted = request.response_format or {}
    if wanted.get("type") in {"json_object", "json_schema"} or _WANTS_JSON.search(question.text):
        return Said(text=json_answer(wanted, question.text))
    exact = spoken_length_answer(question.text)
    if exact is not None:
        return Said(text=exact)
    said = after_results(request, question.text) or _first_that_fits(question, request)
    is_first = not any(message.role is MessageRole.ASSISTANT for message in question.earlier)
    if said.calls:
        return said
    text = said.text.strip()
    return Said(text=f"{text}\n{FIRST_NOTE.rstrip()}" if is_first else text)


_WANTS_JSON = re.compile(
    r"\b(?:answer|reply|respond|output|return)\b[^.\n]{0,40}\b(?:in|as|with|only)\b[^.\n]{0,20}\bJSON\b", re.I
)


def _question(messages: tuple[Message, ...]) -> Question:
    said = [message for message in messages if message.role in {MessageRole.USER, MessageRole.ASSISTANT}]
    last = max((index for index, message in enumerate(said) if message.role is MessageRole.USER), default=-1)
    return Question(
        text=said[last].text.strip() if last >= 0 else "",
        earlier=tuple(said[:last]) if last >= 0 else (),
        instructions="\n\n".join(message.text for message in messages if message.role is MessageRole.SYSTEM).strip(),
    )


def _first_that_fits(question: Question, request: ChatRequest) -> Said:
    offered = _offered_answer(question)
    if offered is not None:
        return Said(text=offered)
    step = first_step(request, question.text)
    if step is not None:
        return step
    return Said(text=next((text for rule in _RULES if (text := rule(question)) is not None), _do_not_know(question)))


# What was said before.


def _memory_answer(question: Question) -> str | None:
    if not _ASKS_MEMORY.search(question.text):
        return None
    asked = [message.text for message in question.earlier if message.role is MessageRole.USER]
    if not asked:
        return "Nothing yet: this is the first message of our conversation. Ask me something, and then ask me again."
    if re.search(r"\bfirst\b", question.text, re.IGNORECASE):
        return f"Your first message was:\n\n{_quote(asked[0])}"
    if re.search(r"\b(?:last|previous|just|before)\b", question.text, re.IGNORECASE):
        return f"Just before this you wrote:\n\n{_quote(asked[-1])}"
    lines = [f"{number}. {_one_line(text)}" for number, text in enumerate(asked[-20:], max(1, len(asked) - 19))]
    count = "one message" if len(asked) == 1 else f"{len(asked)} messages"
    return f"Before this one you wrote {count}:\n\n" + "\n".join(lines)


_ASKS_MEMORY = re.compile(
    r"\b(?:what|which) (?:did|have|was|were) (?:i|we|my)\b.{0,60}\b(?:ask|say|said|write|wrote|written|question|"
    r"message|"
    r"talk|tell|told|discuss)|\bwhat was my (?:\w+ )?(?:question|message)|\bdo you remember\b|"
    r"\bsumm?ari[sz]e (?:our|this|the) (?:conversation|chat|discussion)|\brepeat my (?:\w+ )?(?:question|message)",
    re.IGNORECASE,
)


def _instructions_answer(question: Question) -> str | None:
    if not _ASKS_INSTRUCTIONS.search(question.text):
        return None
    if not question.instructions:
        return "I was given no instructions. You can write some in the **Settings** tab; a real model follows them."
    return (
        f"These are the instructions I was given:\n\n{_quote(question.instructions)}\n\n"
        "A real model follows them. I can only read them to you: my answers are fixed texts and rules, so a tone of "
        "voice or a role is beyond me."
    )


_ASKS_INSTRUCTIONS = re.compile(
    r"\b(?:what|which|show|tell|repeat|print)\b.{0,30}\b(?:(?:your|my|the) (?:\w+ )?(?:instructions?|personality)|"
    r"system (?:prompt|message))",
    re.IGNORECASE,
)


# What it knows about Rustbot.


def _help_answer(question: Question) -> str | None:
    is_asked = len(question.text) < 200 and _ASKS_HELP.search(question.text)
    return WHAT_I_CAN_DO if is_asked or not question.text else None


_ASKS_HELP = re.compile(
    r"^\W*(?:help|(?:say )?hello|hi|hey|hallo|good (?:morning|day|evening|afternoon)|greetings|start|test(?:ing)?|ping)"
    r"\b\W*(?:there|rustbot|bot|everyone|world|me|again|,|!|\.|\s)*$|"
    r"\bwhat (?:can|could|do) (?:you|i|rustbot)\b.{0,20}\b(?:do|try|help|ask)\b|\bhow can you help|"
    r"\bwhat (?:is|are) (?:rustbot|this|you\b)|\btell me about (?:yourself|rustbot)|"
    r"\b(?:your|main|all) (?:features|abilities|capabilities)|\bshow me around",
    re.IGNORECASE,
)


def _offered_answer(question: Question) -> str | None:
    """The text of a question that we offered ourselves, word for word."""
    return next((topic.text for topic in TOPICS if topic.question.lower() == question.text.lower()), None)


def _topic_answer(question: Question) -> str | None:
    # Only a short text is a question about Rustbot; in a long one these words stand for something else.
    if len(question.text) > 400:
        return None
    best = max(TOPICS, key=lambda topic: topic.score(question.text))
    return best.text if best.score(question.text) else None


def _more_answer(question: Question) -> str | None:
    if len(question.text) > 60 or not _ASKS_MORE.fullmatch(question.text):
        return None
    said = "".join(message.text for message in question.earlier)
    unsaid = [topic for topic in TOPICS if topic.text.strip() not in said]
    if not unsaid:
        return "You have now read all I know. A real model goes on from here: *How do I use a real model?*"
    return unsaid[0].text


_ASKS_MORE = re.compile(
    r"\W*(?:yes|ok(?:ay)?|sure|please|more|go on|continue|next|and|tell me more)\W*(?:please)?\W*", re.IGNORECASE
)


def _do_not_know(question: Question) -> str:
    turn = sum(message.role is MessageRole.USER for message in question.earlier)
    offered = [TOPICS[(turn * 3 + step) % len(TOPICS)].question for step in range(3)]
    return (
        f"That is beyond me. I am the offline demo: I look for words I know, and in “{_one_line(question.text, 80)}” "
        "I found none. A real model would answer it here, in the same place, streaming just like this.\n\n"
        "What I can do without one: look at your variables and files with tools (*what variables do I have?*), and run "
        "code once you allow it; explain or mend Python code that you paste, with or without its traceback; write a "
        "few classics (*write a function that sorts a list of dictionaries*); show Markdown and maths; count, repeat, "
        "and write long answers for you to stop. And I know Rustbot itself:\n\n"
        + "\n".join(f"- *{text}*" for text in offered)
    )


def _quote(text: str, limit: int = 1200) -> str:
    shown = text if len(text) <= limit else text[:limit] + " …"
    return "\n".join(f"> {line}" for line in shown.splitlines())


def _one_line(text: str, limit: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


Rule = Callable[[Question], str | None]


def _on_text(answer: Callable[[str], str | None]) -> Rule:
    return lambda question: answer(question.text)


_RULES: tuple[Rule, ...] = (
    _on_text(code_or_error_answer),
    _on_text(frame_answer),
    _memory_answer,
    _instructions_answer,
    _on_text(maths_answer),
    _on_text(markdown_answer),
    _on_text(sum_answer),
    _help_answer,
    _more_answer,
    _on_text(small_talk_answer),
    _on_text(code_answer),
    _topic_answer,
    _on_text(glossary_answer),
)
