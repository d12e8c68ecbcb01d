"""Answers that are not quite as MCP prescribes: read as far as they can be, and else the call ends at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import jsonrpc_message_adapter
from mcp_types.methods import validate_server_result
from werkzeug import Request, Response

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.mcp.answers import Asked, messages_in
from rustbot_jupyter.tools.mcp.shapes import mended_result

HELLO = '{"content": [{"type": "text", "text": "hello"}]}'


def asked(method: str = "tools/call", number: int | str = 7) -> Asked:
    questions = Asked()
    questions.note({"jsonrpc": "2.0", "id": number, "method": method})
    return questions


def answered(line: str | bytes, method: str = "tools/call") -> dict[str, Any]:
    """The one message that a line is; also as the SDK sees it."""
    (message,) = messages_in(line.encode() if isinstance(line, str) else line, asked(method))
    jsonrpc_message_adapter.validate_python(message, by_name=False)
    return message


@pytest.mark.parametrize("number", ["7", '"7"', "7.0", "7e0"], ids=["as it was", "a text", "a fraction", "an exponent"])
@pytest.mark.parametrize("head", ['"jsonrpc": "2.0", ', '"jsonrpc": 2.0, ', ""], ids=["2.0", "a number", "none"])
def test_the_id_is_found_however_it_is_written(number, head):
    message = answered(f'{{{head}"id": {number}, "result": {HELLO}}}')

    assert message["id"] == 7
    assert message["result"]["content"] == [{"type": "text", "text": "hello"}]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\udc00 first", "\ufffd first"),
        (r"\uD83D\uDE00 whole", "\U0001f600 whole"),
        (r"two \ud83d\ud83d", "two \ufffd\ufffd"),
        (r"\\ud83d typed", r"\ud83d typed"),
    ],
)
def test_halves_of_characters_are_replaced(text, read):
    message = answered(f'{{"jsonrpc": "2.0", "id": 7, "result": {HELLO.replace("hello", text)}}}')

    assert message["result"]["content"][0]["text"] == read


@pytest.mark.parametrize("data", [b"caf\xe9", b"\xed\xa0\xbd half", b"\xff\xfe"])
def test_bytes_that_are_no_utf8_are_replaced(data):
    line = b'{"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": "' + data + b'"}]}}'

    assert "\ufffd" in answered(line)["result"]["content"][0]["text"]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": -32602, "message": "no such city"}, -32602, "no such city"),
        ({"code": "E_DENIED", "message": "not allowed"}, -32603, "not allowed (E_DENIED)"),
        ({"code": "404", "message": "gone"}, 404, "gone"),
        ({"code": 4.0, "message": "gone"}, 4, "gone"),
        ({"code": None, "message": "gone"}, -32603, "gone"),
        ({"code": True, "message": "gone"}, 1, "gone"),
        ({"code": 1}, 1, "it gave no reason"),
        ({"code": 1, "message": None, "data": "the disk is full"}, 1, "the disk is full"),
        ({"code": 1, "message": {"why": "full"}}, 1, '{"why": "full"}'),
        ({}, -32603, "it gave no reason"),
        ("the disk is full", -32603, "the disk is full"),
        (["a", "b"], -32603, '["a", "b"]'),
        (7, -32603, "7"),
    ],
)
def test_errors_of_any_form_are_told(error, code, message):
    line = json.dumps({"jsonrpc": "2.0", "id": 7, "result": None, "error": error})

    assert answered(line)["error"]["code"] == code
    assert answered(line)["error"]["message"] == message


def test_an_error_that_is_null_beside_a_result_is_none():
    assert "result" in answered(f'{{"jsonrpc": "2.0", "id": 7, "result": {HELLO}, "error": null}}')


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc": "2.0", "id": 7, "result": {"content": [}}',
        '{"jsonrpc": "2.0", "result": {"content": [}, "id": 7}',
        '{"jsonrpc": "2.0", "id": "7", "result": {"content": "cut in the mid',
        '{"jsonrpc": "2.0", "id": 7, "result": ' + "[" * 100_000,
        '{"jsonrpc": "2.0", "id": 7, "result": ' + "9" * 10_000 + "}",
        '{"jsonrpc": "2.0", "id": 7}',
    ],
)
def test_an_answer_that_cannot_be_read_ends_its_call(line):
    message = answered(line, "prompts/get")

    assert message["id"] == 7
    assert "not what MCP prescribes" in message["error"]["message"]


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[1, 2]",
        '{"level": "info", "id": 7}',
        '{"level": "info", "id": 7, "message": "cut',
        '{"jsonrpc": "2.0", "id": 8, "result": {"x": [}}',
        "null",
        "",
    ],
)
def test_what_answers_nothing_is_no_message_and_ends_nothing(line):
    assert messages_in(line.encode(), asked()) == []


def test_several_messages_in_one_line_are_all_read():
    questions = asked()
    questions.note({"id": 8, "method": "ping"})
    line = f'[{{"jsonrpc": "2.0", "id": 8, "result": null}}, {{"jsonrpc": "2.0", "id": 7, "result": {HELLO}}}]'

    assert [message["id"] for message in messages_in(line.encode(), questions)] == [8, 7]


def test_what_was_given_up_is_answered_to_nobody():
    questions = asked()
    questions.note({"method": "notifications/cancelled", "params": {"requestId": 7}})

    assert questions.known(7) is None


RESULTS: dict[str, tuple[str, Any, Callable[[dict[str, Any]], Any], Any]] = {
    "no content": ("tools/call", {}, lambda r: r["content"], []),
    "content is null": ("tools/call", {"content": None, "isError": None, "_meta": None}, lambda r: r["content"], []),
    "content is a text": ("tools/call", {"content": "hi"}, lambda r: r["content"][0]["text"], "hi"),
    "content is one piece": ("tools/call", {"content": {"type": "text", "text": "hi"}}, lambda r: len(r["content"]), 1),
    "a bare text": ("tools/call", "hi", lambda r: r["content"][0]["text"], "hi"),
    "a bare number": ("tools/call", 5, lambda r: r["content"][0]["text"], "5"),
    "texts alone": ("tools/call", ["a", "b"], lambda r: [c["text"] for c in r["content"]], ["a", "b"]),
    "an older form": ("tools/call", {"toolResult": {"a": 1}}, lambda r: r["content"][0]["text"], '{"a": 1}'),
    "a text that is null": (
        "tools/call",
        {"content": [{"type": "text", "text": None}]},
        lambda r: r["content"][0]["text"],
        "",
    ),
    "a text that is an object": (
        "tools/call",
        {"content": [{"type": "text", "text": {"a": 1}}]},
        lambda r: r["content"][0]["text"],
        '{"a": 1}',
    ),
    "no type": ("tools/call", {"content": [{"text": "hi"}]}, lambda r: r["content"][0]["type"], "text"),
    "notes that are null": (
        "tools/call",
        {"content": [{"type": "text", "text": "hi", "annotations": None, "_meta": None}]},
        lambda r: r["content"],
        [{"type": "text", "text": "hi"}],
    ),
    "an image without a kind": (
        "tools/call",
        {"content": [{"type": "image", "data": "AAAA"}]},
        lambda r: r["content"][0]["mimeType"],
        "image/png",
    ),
    "an image without data": (
        "tools/call",
        {"content": [{"type": "image"}]},
        lambda r: "not as MCP prescribes" in r["content"][0]["text"],
        True,
    ),
    "an unknown kind": (
        "tools/call",
        {"content": [{"type": "hologram", "data": 7}]},
        lambda r: "hologram" in r["content"][0]["text"],
        True,
    ),
    "a resource without an address": (
        "tools/call",
        {"content": [{"type": "resource", "resource": {"text": "t"}}]},
        lambda r: r["content"][0]["resource"],
        {"uri": "", "text": "t"},
    ),
    "an error as a text": ("tools/call", {"content": "no", "isError": "true"}, lambda r: r["isError"], True),
    "a structured list": (
        "tools/call",
        {"content": [], "structuredContent": [1, 2]},
        lambda r: r["structuredContent"],
        {"result": [1, 2]},
    ),
    "tools are null": ("tools/list", {"tools": None}, lambda r: r["tools"], []),
    "tools alone": ("tools/list", [{"name": "a"}], lambda r: r["tools"][0]["inputSchema"], {"type": "object"}),
    "a tool without a name": (
        "tools/list",
        {"tools": [{"name": ""}, None, 7, {"name": "a"}]},
        lambda r: len(r["tools"]),
        1,
    ),
    "a cursor that is null": ("tools/list", {"tools": [], "nextCursor": None}, lambda r: r, {"tools": []}),
    "a schema of another name": (
        "tools/list",
        {"tools": [{"name": "a", "input_schema": {"properties": {"x": {"type": "string"}}}}]},
        lambda r: r["tools"][0]["inputSchema"]["properties"],
        {"x": {"type": "string"}},
    ),
    "required as it was before": (
        "tools/list",
        {"tools": [{"name": "a", "inputSchema": {"properties": {"x": {"type": "string", "required": True}}}}]},
        lambda r: r["tools"][0]["inputSchema"]["required"],
        ["x"],
    ),
    "prompts with nulls": (
        "prompts/list",
        {"prompts": [{"name": "p", "description": None, "arguments": None}, {"name": None}]},
        lambda r: r["prompts"],
        [{"name": "p", "arguments": []}],
    ),
    "an argument without `required`": (
        "prompts/list",
        {"prompts": [{"name": "p", "arguments": [{"name": "x", "required": None}, {}]}]},
        lambda r: r["prompts"][0]["arguments"],
        [{"name": "x", "required": False}],
    ),
    "a prompt of texts": (
        "prompts/get",
        {"messages": ["hi", {"role": "system", "content": "there"}]},
        lambda r: [(m["role"], m["content"]["text"]) for m in r["messages"]],
        [("user", "hi"), ("user", "there")],
    ),
    "a prompt with a list of content": (
        "prompts/get",
        {"description": None, "messages": [{"role": "assistant", "content": [{"type": "text", "text": "a"}, "b"]}]},
        lambda r: [m["content"]["text"] for m in r["messages"]],
        ["a", "b"],
    ),
    "a resource without a name": (
        "resources/list",
        {"resources": [{"uri": "x:y", "mimeType": None, "size": None}, {"name": "no address"}]},
        lambda r: r["resources"],
        [{"name": "x:y", "uri": "x:y"}],
    ),
    "contents of one": (
        "resources/read",
        {"contents": {"uri": "x:y", "text": None}},
        lambda r: r["contents"][0]["text"],
        "",
    ),
    "a server without a name": (
        "initialize",
        {"protocolVersion": None, "capabilities": {"tools": True, "prompts": None, "logging": False}},
        lambda r: (r["capabilities"], r["serverInfo"]),
        ({"tools": {}}, {"name": "", "version": ""}),
    ),
}


@pytest.mark.parametrize("case", RESULTS)
def test_nulls_gaps_and_older_shapes_cost_the_rest_nothing(case):
    method, result, look, expected = RESULTS[case]

    mended = mended_result(method, result)

    assert mended is not None
    assert look(mended) == expected
    validate_server_result(method, "2025-11-25", mended)


@pytest.mark.parametrize("result", [None, 5, "x", True])
def test_what_nothing_can_be_made_of_is_told(result):
    assert mended_result("prompts/get", result) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "content",
                    "type",
                    "text",
                    "tools",
                    "name",
                    "messages",
                    "role",
                    "contents",
                    "uri",
                    "arguments",
                    "isError",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.sampled_from(["tools/call", "prompts/list", "prompts/get", "resources/list", "resources/read"]), JSON)
def test_whatever_is_answered_is_taken_or_told(method, result):
    mended = mended_result(method, result)

    if mended is not None:
        validate_server_result(method, "2025-11-25", mended)


# With real servers.

ANSWERS = {
    "half of an emoji": (
        r'{"jsonrpc": "2.0", "id": ID, "result": {"content": [{"type": "text", "text": "cut \ud83d"}]}}',
        "cut \ufffd",
    ),
    "an id as a text": (f'{{"jsonrpc": "2.0", "id": "ID", "result": {HELLO}}}', "hello"),
    "an unknown kind of content": (
        '{"jsonrpc": "2.0", "id": ID, "result": {"content": [{"type": "hologram"}, {"type": "text", "text": "seen"}]}}',
        "seen",
    ),
}
FAILURES = {
    "a code that is a text": (
        '{"jsonrpc": "2.0", "id": ID, "error": {"code": "E_DENIED", "message": "no"}}',
        "E_DENIED",
    ),
    "no message": ('{"jsonrpc": "2.0", "id": ID, "error": {"code": 5}}', "it gave no reason"),
    "no JSON": ('{"jsonrpc": "2.0", "id": ID, "result": {"content": [}}', "not what MCP prescribes"),
}


@pytest.mark.timeout(20)
async def test_odd_answers_over_pipes_come_or_fail_at_once(bench):
    await bench.start("as written")

    for line, text in ANSWERS.values():
        (bench.folder / "answer.txt").write_text(line)
        assert text in (await bench.call("s__hello")).text
    for line, reason in FAILURES.values():
        (bench.folder / "answer.txt").write_text(line)
        with pytest.raises(ToolError, match=reason):
            await bench.call("s__hello")
    assert bench.status().state == "running"


def served(answer: Callable[[], str], *, as_events: bool) -> Callable[[Request], Response]:
    """A server over HTTP whose tool answers as it is told."""

    def handle(request: Request) -> Response:
        if request.method != "POST":
            return Response(status=405)
        message = request.get_json()
        if "id" not in message:
            return Response(status=202)
        number, method = json.dumps(message["id"]), message["method"]
        tools = {"tools": [{"name": "hello", "inputSchema": None}]}
        results: dict[str, Any] = {
            "initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": None},
            "tools/list": tools,
        }
        if method == "tools/call":
            body = answer().replace("ID", number)
        elif method in results:
            body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": results[method]})
        else:
            body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}})
        if as_events:
            return Response(f"event: message\r\ndata: {body}\r\n\r\n", content_type="text/event-stream")
        return Response(body, content_type="application/json")

    return handle


@pytest.mark.timeout(20)
@pytest.mark.parametrize("as_events", [False, True])
async def test_odd_answers_over_http_come_or_fail_at_once(bench, httpserver, as_events, monkeypatch):
    monkeypatch.setattr("rustbot_jupyter.tools.mcp.http.MAX_BYTES", 100_000)
    said: list[str] = []
    httpserver.expect_request("/mcp").respond_with_handler(served(said.pop, as_events=as_events))
    bench.write({"s": {"url": httpserver.url_for("/mcp")}})
    await bench.desk.start("s")

    for line, text in ANSWERS.values():
        said.append(line)
        assert text in (await bench.call("s__hello")).text
    for line, reason in FAILURES.values():
        said.append(line)
        with pytest.raises(ToolError, match=reason):
            await bench.call("s__hello")
    said.append('{"jsonrpc": "2.0", "id": ID, "result": {"content": "' + "x" * 100_000 + '"}}')
    with pytest.raises(ToolError, match="it sent a message of more than"):
        await bench.call("s__hello")
    said.append(ANSWERS["an id as a text"][0])
    assert (await bench.call("s__hello")).text == "hello"
