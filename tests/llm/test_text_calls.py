"""Calls that are written as text, and arguments that are almost JSON: taken where there is no doubt."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import misbehaving as wire
from servers.misbehaving import MisbehavingServer

import rustbot_jupyter as rb
from rustbot_jupyter.llm.call_text import mended
from rustbot_jupyter.llm.text_calls import calls_in_text

CALL = '{"name": "f", "arguments": {"x": 1}}'
WRITTEN = {
    "Hermes": f"<tool_call>\n{CALL}\n</tool_call>",
    "Hermes, on one line": f"<tool_call>{CALL}</tool_call>",
    "Mistral": f"[TOOL_CALLS][{CALL}]",
    "Mistral, blanks": f"\n[TOOL_CALLS] [{CALL}]\n",
    "Mistral, by name": '[TOOL_CALLS]f[ARGS]{"x": 1}',
    "Mistral, name and arguments": '[TOOL_CALLS]f{"x": 1}',
    "bare": CALL,
    "bare list": f"[{CALL}]",
    "parameters": '{"name": "f", "parameters": {"x": 1}}',
    "as on the wire": '{"type": "function", "function": {"name": "f", "arguments": "{\\"x\\": 1}"}}',
    "function tag": '<function=f>{"x": 1}</function>',
    "function and parameters": "<function=f>\n<parameter=x>\n1\n</parameter>\n</function>",
    "function in a call": "<tool_call>\n<function=f>\n<parameter=x>\n1\n</parameter>\n</function>\n</tool_call>",
    "older tag": f"<function_call>{CALL}</function_call>",
}
NO_CALLS = {
    "prose": "I would call f.",
    "a call in prose": f"I write <tool_call>{CALL}</tool_call> to call it.",
    "a call behind prose": f"The page says:\n<tool_call>{CALL}</tool_call>",
    "a call before prose": f"<tool_call>{CALL}</tool_call>\nis how it is written.",
    "a fence": f"```\n<tool_call>{CALL}</tool_call>\n```",
    "a fence of JSON": f"```json\n{CALL}\n```",
    "inline code": f"`{CALL}`",
    "a quote": f"> {CALL}",
    "another tool": '{"name": "rm", "arguments": {}}',
    "one of another tool": f'[{CALL}, {{"name": "rm", "arguments": {{}}}}]',
    "no arguments": '{"name": "f"}',
    "data that looks like it": '{"name": "f", "age": 3}',
    "more data": '[{"name": "f"}, {"name": "g"}]',
    "cut": f"<tool_call>{CALL[:-3]}",
    "not closed": f"<tool_call>{CALL}",
    "arguments that are no object": '{"name": "f", "arguments": [1]}',
    "nothing": "",
    "brackets": "[[[[" * 50_000,
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_call_that_is_the_whole_text_is_a_call(name: str) -> None:
    (call,) = calls_in_text(WRITTEN[name], {"f"})

    assert (call.name, json.loads(call.arguments)) == ("f", {"x": 1})


@pytest.mark.parametrize("name", NO_CALLS)
def test_anything_else_is_text(name: str) -> None:
    assert calls_in_text(NO_CALLS[name], {"f"}) == ()


def test_several_calls_are_taken_in_order() -> None:
    text = "\n".join(f'<tool_call>{{"name": "f", "arguments": {{"x": {number}}}}}</tool_call>' for number in range(3))

    assert [json.loads(call.arguments)["x"] for call in calls_in_text(text, {"f"})] == [0, 1, 2]


ALMOST = {
    '{"a": "one\ntwo"}': {"a": "one\ntwo"},
    '{"a": "one\ttwo\r\n\x0bthree"}': {"a": "one\ttwo\r\n\x0bthree"},
    '```json\n{"a": 1}\n```': {"a": 1},
    '```\n{"a": "x\ny"}\n```\n': {"a": "x\ny"},
    '"{\\"a\\": 1}"': {"a": 1},
    '{\n  "a": 1\n}': {"a": 1},
    '{"a": "a fence:\n```\ncode\n```"}': {"a": "a fence:\n```\ncode\n```"},
}


@pytest.mark.parametrize("written", ALMOST)
def test_arguments_are_mended_where_there_is_no_doubt(written: str) -> None:
    assert json.loads(mended(written)) == ALMOST[written]


@pytest.mark.parametrize(
    "written", ["", '{"a": 1,}', "{'a': 1}", '{"a": 1', r'{"a": "\d"}', '{"a": NaN', '"just words"', "[" * 100_000]
)
def test_what_is_not_clear_stays_as_it_is(written: str) -> None:
    assert mended(written) == written


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers() | st.none(), max_size=4))
def test_good_arguments_are_not_touched(value: dict[str, object]) -> None:
    for written in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert mended(written) == written


@pytest.fixture
def bot(server: MisbehavingServer) -> Iterator[rb.Rustbot]:
    bot = rb.Rustbot(model="tiny", base_url=server.base_url)
    yield bot
    bot.close()


@pytest.mark.usefixtures("own_folders")
def test_a_call_written_as_text_asks_and_runs_as_any_other(bot: rb.Rustbot, server: MisbehavingServer) -> None:
    given_names: list[str] = []

    @bot.tool(risk="read")
    def look(name: str) -> str:
        """Look."""
        given_names.append(name)
        return "seen"

    @bot.tool(risk="execute")
    def burn(name: str) -> str:
        """Burn."""
        given_names.append(name)
        return "burnt"

    def written(tool: str) -> list[wire.Step]:
        return wire.answer("<tool_", f'call>{{"name": "{tool}", "arguments": {{"name": "x"}}}}</tool_call>')

    server.script(written("look"), written("burn"), wire.answer("Done."))
    reply = bot.ask("Do it")

    assert (given_names, reply.text) == (["x"], "Done.")
    assert [run.call.name for run in reply.tool_runs] == ["look", "burn"]
    sent = server.chats[-1].json["messages"]
    assert [message["role"] for message in sent[-4:]] == ["assistant", "tool", "assistant", "tool"]
    assert "tool_call>" not in json.dumps(sent)


@pytest.mark.usefixtures("own_folders")
def test_without_tools_it_is_text(bot: rb.Rustbot, server: MisbehavingServer) -> None:
    server.script(wire.answer(WRITTEN["Hermes"]))

    assert bot.ask("Do it", tools=()).text == WRITTEN["Hermes"]


@pytest.mark.usefixtures("own_folders")
def test_a_call_that_the_length_limit_cut_is_told_as_cut(bot: rb.Rustbot, server: MisbehavingServer) -> None:
    cut = [*wire.tool_call("list_files", '{"pattern": "unfin')[:3], *wire.closing(finish="length")]
    server.script(cut, wire.answer("Done."))

    bot.ask("Do it")

    assert "length limit" in server.chats[-1].json["messages"][-1]["content"]
