"""Every function that reads a model's or a stranger's text takes time in proportion to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product

import pytest

from rustbot_jupyter.control_characters import harmless
from rustbot_jupyter.errors import RustbotError
from rustbot_jupyter.fences import code_blocks
from rustbot_jupyter.inert_markdown import inert_markdown
from rustbot_jupyter.llm.demo_rules.tracebacks import failure_in
from rustbot_jupyter.llm.refusals import lesson_from, read_refusal
from rustbot_jupyter.llm.stream import AnswerBuilder
from rustbot_jupyter.notebook import answer_formats
from rustbot_jupyter.notebook.interpolation import interpolate
from rustbot_jupyter.settings.redaction import redact
from rustbot_jupyter.tools.command_lines import simple_words
from rustbot_jupyter.tools.page_text import title_of
from rustbot_jupyter.tools.results import cleaned

SIZE = 24_000
"""What the pattern that once froze a kernel took ten seconds for."""
MOST_CPU_S = 2.0
"""A hundred times what any of them needs here."""
SINGLE = [*"`~$\\<>[](){}*_#-+.|:!&'\"@/%^=,1a \t\n\r\x1b\u2028é中"]
LONGER = [
    *("```", "\n```", "~~~\n", "$$", "\\(", "\\)", "\\[", "\\]", "\\begin{align}", "\\end{align}", "](", "]:", "!["),
    *("[^", "<!--", "<b>", "</b>", "<think>", "</think>", "http://", "\n\n", "\n- ", "\n> ", "1. ", "a@", "&#", "{{"),
    *("}}", "\n    ", "x \n", "sk-", "key=", "%%", '"""', "\x1b[", "\x1b]", "$`", "a.b", "`a`", "$x$ ", "[a](b)", "|a"),
    *("support", "accept", "system ", "tools", "role ", "response_format", "must be "),
]
PAIRED = [*"`$\\<>[](){}*-|!~1 \n"]
ENDS = ("", "x", "`", "$", "\\)", "]", "}", ">", "```")


def quietly(function: Callable[[str], object]) -> Callable[[str], object]:
    """The function where it may also say that the text is not what it takes."""

    def call(text: str) -> object:
        try:
            return function(text)
        except (RustbotError, ValueError, LookupError):
            return None

    return call


ASKED = {
    "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
    "tools": [{"type": "function", "function": {"name": "look_up"}}],
    "seed": 1,
}


CALLED = {
    "messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "look", "arguments": "{}"}}]}],
    "response_format": {"type": "json_object"},
}


def lesson(text: str, body: dict[str, object] = ASKED) -> object:
    refusal = read_refusal(400, text)
    return refusal and lesson_from(refusal, body)


def streamed(deltas: list[dict[str, object]], key: str = "delta") -> AnswerBuilder:
    builder = AnswerBuilder()
    for delta in deltas:
        builder.add_chunk({"choices": [{key: delta}]})
    builder.take()
    return builder


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "inert_markdown": inert_markdown,
    "code_blocks": code_blocks,
    "code_for_cell": answer_formats.code_for_cell,
    "json_value": answer_formats.json_value,
    "latex_source": answer_formats.latex_source,
    "html_source": answer_formats.html_source,
    "html_frame": answer_formats.html_frame,
    "harmless": harmless,
    "cleaned": cleaned,
    "redact": redact,
    "title_of": title_of,
    "interpolate": lambda text: interpolate(text, {}),
    "failure_in": failure_in,
    "simple_words": simple_words,
    "lesson": lesson,
    "lesson without tools": lambda text: lesson(text, CALLED),
}


def cpu_s(function: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    function(text)
    return time.thread_time() - begun


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_text_takes_longer_than_its_length_suggests(name: str) -> None:
    function = quietly(FUNCTIONS[name])
    repeated = [*SINGLE, *LONGER]
    texts = [mark * (SIZE // len(mark)) for mark in repeated]
    texts += [f"{mark * (SIZE // len(mark))}{end}" for mark, end in product(PAIRED, ENDS)]

    slow = [text[:8] + text[-4:] for text in texts if cpu_s(function, text) > MOST_CPU_S]

    assert slow == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_pair_of_marks_does_either(name: str) -> None:
    function = quietly(FUNCTIONS[name])
    texts = [(one + other) * 2000 for one, other in product([*PAIRED, "\\(", "\\[", "```", "a"], repeat=2)]
    texts += [one * 4000 + other * 4000 for one, other in product(PAIRED, repeat=2)]

    slow = [text[:4] + text[-4:] for text in texts if cpu_s(function, text) > MOST_CPU_S / 4]

    assert slow == []


def call(index: int, call_id: str, arguments: str) -> dict[str, object]:
    function = {"name": "look_up", "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": call_id, "function": function}]}


STREAMS: dict[str, tuple[Callable[[int], dict[str, object]], str]] = {
    "white space": (lambda number: {"content": " " * 40}, "delta"),
    "white space behind a thought": (lambda number: {"content": " " * 40 if number else "<think>a</think>"}, "delta"),
    "messages in place of deltas": (lambda number: {"content": f"{number} words of a text"}, "message"),
    "calls": (lambda number: call(number, f"c{number}", "{}"), "delta"),
    "calls under one id": (lambda number: call(number, "c", "{}"), "delta"),
    "a new id for each piece": (lambda number: call(0, f"c{number}", "words of" if number else '{"a": "'), "delta"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_no_stream_takes_longer_than_its_length_suggests(name: str) -> None:
    make, key = STREAMS[name]
    deltas = [make(number) for number in range(12_000)]
    begun = time.thread_time()

    streamed(deltas, key)

    assert time.thread_time() - begun < MOST_CPU_S


def test_white_space_without_end_is_not_held_back_for_a_tag_that_never_comes() -> None:
    builder = streamed([{"content": " " * 40} for _ in range(1_000)])

    assert builder.answer().text == " " * 40_000
    assert builder.has_begun
