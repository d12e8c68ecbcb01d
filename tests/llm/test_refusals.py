"""A server that refuses what Rustbot added by itself is asked once more without it, and not again for a day."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers.asking import MODEL, ask, client_of, request
from servers.misbehaving import MisbehavingServer, Script, answer, error, events, json_answer

from rustbot_jupyter.errors import BadRequest, ModelError, UnknownModel
from rustbot_jupyter.llm.base import Adapted, ChatRequest
from rustbot_jupyter.llm.lessons import KEPT_S, Lesson, Lessons
from rustbot_jupyter.messages import (
    Message,
    MessageRole,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    user_message,
)

TOOLS = tuple(
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("look", "srv__look")
)
Refused = Callable[[dict[str, Any]], bool]


def refusing(is_refused: Refused, refusal: Script) -> Script:
    """A server that answers a request unless it refuses it."""
    return lambda received: refusal if is_refused(received.json) else answer("Yes.")


def has(field: str) -> Refused:
    return lambda sent: field in sent


def told(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, Adapted)]


def pydantic(*place: object, message: str = "Extra inputs are not permitted") -> dict[str, Any]:
    return {"detail": [{"type": "extra_forbidden", "loc": ["body", *place], "msg": message, "input": "my words"}]}


EVERYTHING: dict[str, Any] = {
    "session_id": "conv-1",
    "tools": TOOLS,
    "max_tokens": 100,
    "sampling": {"temperature": 0.2, "top_p": 0.5, "seed": 1},
    "reasoning": {"effort": "low"},
}

REFUSALS: list[tuple[str, Script]] = [
    ("tools", error(400, "registry.ollama.ai/library/tiny:latest does not support tools")),
    ("tools", error(500, "tools param requires --jinja flag")),
    ("tools", error(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')),
    ("tools", error(404, "No endpoints found that support tool use. To learn more, visit the documentation.")),
    ("tools", error(400, "`tool calling` is not supported with this model")),
    ("tools", error(501, "Function calling is not implemented.")),
    ("tools", json_answer({"error": "this model does not support tools"}, status=400)),
    ("tools", json_answer(pydantic("tools"), status=422)),
    ("tools", json_answer({"object": "error", "message": {"detail": pydantic("tools")["detail"]}}, status=422)),
    ("tools", json_answer({"error": {"message": "Provider returned error", "metadata": {
        "provider_name": "X", "raw": '{"error":{"message":"tools is not supported in this model"}}'}}}, status=400)),
    ("stream_options", error(400, "Unrecognized request argument supplied: stream_options")),
    ("stream_options", error(400, 'Invalid JSON payload received. Unknown name "stream_options": Cannot find field.')),
    ("stream_options", json_answer(pydantic("stream_options"), status=422)),
    ("stream_options", json_answer({"message": "property 'stream_options' is unsupported"}, status=400)),
    ("session_id", error(400, "Unknown parameter: 'session_id'.")),
    ("session_id", json_answer(pydantic("session_id"), status=422)),
    ("session_id", json_answer({"detail": "Unexpected keyword argument 'session_id'"}, status=400)),
    ("session_id", json_answer({"error": {"message": "Bad: unknown_parameter", "param": "session_id"}}, status=400)),
    ("reasoning_effort", error(400, "Unsupported parameter: 'reasoning_effort' is not supported with this model.")),
    ("reasoning_effort", error(422, "This model does not support reasoning_effort")),
    ("temperature", error(400, "'temperature' does not support 0.2; only the default (1) is supported")),
    ("temperature", error(400, "invalid temperature: only 1 is allowed for this model")),
    ("top_p", error(400, "`top_p` is deprecated for this model.")),
    ("seed", json_answer({"error": "Unknown field: seed"}, status=400)),
    ("session_id", events({"error": {"code": 400, "message": "Unknown parameter: 'session_id'."}})),
    ("session_id", json_answer({"error": "Unrecognized request argument: session_id"})),
]  # fmt: skip


@pytest.mark.parametrize(("field", "refusal"), REFUSALS)
async def test_what_is_refused_by_name_is_left_out_once_and_for_all(
    server: MisbehavingServer, field: str, refusal: Script
) -> None:
    server.script(refusing(has(field), refusal))
    client = client_of(server)

    first = await ask(client, request(**EVERYTHING))
    second = await ask(client, request(**EVERYTHING))
    await client.aclose()

    assert (first.text, first.error, second.text, second.error) == ("Yes.", None, "Yes.", None)
    assert len(server.chats) == 3
    asked = [chat.json for chat in server.chats]
    assert asked[1] == asked[2] == {name: value for name, value in asked[0].items() if name != field}
    (sentence,) = told(first.events)
    assert field in sentence
    assert "my words" not in sentence
    assert told(second.events) == []


@pytest.mark.parametrize(
    "said",
    [
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "Unrecognized request argument supplied: max_tokens",
        "max_tokens is deprecated",
    ],
)
async def test_a_limit_is_asked_for_in_its_other_spelling(server: MisbehavingServer, said: str) -> None:
    server.script(refusing(has("max_tokens"), error(400, said)))
    client = client_of(server)

    outcomes = [await ask(client, request(max_tokens=100)) for _ in range(2)]
    await client.aclose()

    assert [outcome.text for outcome in outcomes] == ["Yes.", "Yes."]
    assert [chat.json.get("max_completion_tokens") for chat in server.chats] == [None, 100, 100]


async def test_a_limit_is_never_left_out(server: MisbehavingServer) -> None:
    server.script(refusing(lambda sent: True, error(400, "Neither max_tokens nor max_completion_tokens is supported")))

    outcome = await ask(client_of(server), request(max_tokens=100))

    assert isinstance(outcome.error, BadRequest)
    assert [sorted(name for name in chat.json if "max" in name) for chat in server.chats] == [
        ["max_tokens"],
        ["max_completion_tokens"],
    ]


async def test_reasoning_goes_over_to_the_spelling_that_the_refusal_names(server: MisbehavingServer) -> None:
    said = "Unknown parameter: 'reasoning_effort'. Did you mean 'reasoning'?"
    server.script(refusing(has("reasoning_effort"), error(400, said)))

    outcome = await ask(client_of(server), request(reasoning={"effort": "low"}))

    assert outcome.text == "Yes."
    assert server.chats[-1].json["reasoning"] == {"effort": "low"}


async def test_several_fields_are_refused_one_after_the_other(server: MisbehavingServer) -> None:
    def script(received: Any) -> Script:
        for field in ("stream_options", "session_id", "max_tokens", "tools"):
            if field in received.json:
                return error(400, f"Unrecognized request argument supplied: {field}")
        return answer("Yes.")

    server.script(script)
    client = client_of(server)

    first = await ask(client, request(**EVERYTHING))
    second = await ask(client, request(**EVERYTHING))
    await client.aclose()

    assert first.text == second.text == "Yes."
    assert len(server.chats) == 4 + 1 + 1
    assert len(told(first.events)) == 4


SCHEMAS: list[Script] = [
    error(400, "Invalid schema for function 'srv__look': array schema missing items."),
    error(400, "tools.1.custom.input_schema: JSON schema is invalid"),
    error(400, "* GenerateContentRequest.tools[0].function_declarations[1].parameters.properties: should be non-empty"),
    json_answer(pydantic("tools", 1, "function", "parameters", message="Input should be a valid schema"), status=422),
    json_answer({"error": {"message": "schema is wrong", "param": "tools[1].function.parameters"}}, status=400),
]


@pytest.mark.parametrize("refusal", SCHEMAS)
async def test_a_tool_whose_schema_is_refused_is_left_out_and_the_others_stay(
    server: MisbehavingServer, refusal: Script
) -> None:
    server.script(refusing(lambda sent: len(sent.get("tools", ())) == 2, refusal))
    client = client_of(server)

    first = await ask(client, request(tools=TOOLS))
    second = await ask(client, request(tools=TOOLS))
    # Another definition of the same tool may be taken.
    changed = {"type": "function", "function": {"name": "srv__look", "parameters": {}}}
    await ask(client, request(tools=(TOOLS[0], changed)))
    await client.aclose()

    assert first.text == second.text == "Yes."
    assert [len(chat.json["tools"]) for chat in server.chats] == [2, 1, 1, 2, 1]
    assert "'srv__look'" in told(first.events)[0]


async def test_tools_are_tried_again_when_it_was_a_schema_and_the_tools_are_others(server: MisbehavingServer) -> None:
    server.script(refusing(lambda sent: len(sent.get("tools", ())) == 2, error(400, "tools: a schema is not valid")))
    client = client_of(server)

    await ask(client, request(tools=TOOLS))
    outcome = await ask(client, request(tools=TOOLS[:1]))
    await client.aclose()

    assert outcome.text == "Yes."
    assert ["tools" in chat.json for chat in server.chats] == [True, False, True]


async def test_thoughts_that_are_not_taken_back_are_left_out(server: MisbehavingServer) -> None:
    place = ("messages", 1, "assistant", "reasoning_details")
    server.script(
        refusing(lambda sent: "reasoning" in json.dumps(sent["messages"]), json_answer(pydantic(*place), status=422))
    )
    thought = Message(
        role=MessageRole.ASSISTANT,
        parts=(ReasoningPart(text="hm", details=({"type": "reasoning.text", "text": "hm"},)), TextPart(text="Hi")),
    )

    outcome = await ask(
        client_of(server), ChatRequest(model=MODEL, messages=(user_message("a"), thought, user_message("b")))
    )

    assert outcome.text == "Yes."
    assert server.chats[-1].json["messages"][1] == {"role": "assistant", "content": "Hi"}


async def test_a_system_prompt_without_a_role_stands_before_the_first_question(server: MisbehavingServer) -> None:
    server.script(
        refusing(lambda sent: sent["messages"][0]["role"] == "system", error(500, "System role not supported"))
    )
    system = Message(role=MessageRole.SYSTEM, parts=(TextPart(text="Be kind."),))

    outcome = await ask(client_of(server), ChatRequest(model=MODEL, messages=(system, user_message("Hi"))))

    assert outcome.text == "Yes."
    assert server.chats[-1].json["messages"] == [{"role": "user", "content": "Be kind.\n\nHi"}]


SCHEMA = {"type": "object", "properties": {"größe": {"type": "integer"}}, "required": ["größe"]}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "strict": False, "schema": SCHEMA}}
FORMS: list[tuple[Script, bool]] = [
    (error(400, "This response_format type is unavailable now"), False),
    (error(400, "Unsupported parameter: response_format"), True),
    (error(400, "This model does not support response format `json_schema`."), True),
    (error(400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."), True),
    (error(400, "'response_format.type' must be 'text' or 'json_object'"), False),
    (error(400, "Invalid schema for response_format 'answer': 'additionalProperties' is required to be false."), False),
    (error(404, "No endpoints found that support structured outputs."), True),
    (error(500, "json_schema could not be made a grammar: failed to parse"), False),
    (error(400, "Function calling with a response mime type: 'application/json' is unsupported"), True),
    (json_answer(pydantic("response_format"), status=422), True),
    (json_answer(pydantic("response_format", "type", message="Input should be 'text'"), status=422), True),
]


@pytest.mark.parametrize(("refusal", "is_any"), FORMS)
async def test_a_form_of_the_answer_that_is_not_taken_is_asked_for_in_words(
    server: MisbehavingServer, refusal: Script, is_any: bool
) -> None:
    server.script(refusing(has("response_format"), refusal))
    client = client_of(server)
    other = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "array"}}}

    first = await ask(client, request("How tall?", response_format=FORM))
    second = await ask(client, request("How tall?", response_format=FORM))
    third = await ask(client, request("How tall?", response_format=other))
    await client.aclose()

    assert [each.text for each in (first, second, third)] == ["Yes."] * 3
    # What no schema would change is remembered for all.
    assert len(server.chats) == (4 if is_any else 5)
    asked = server.chats[1].json["messages"][-1]["content"]
    assert asked.startswith("How tall?")
    assert json.dumps(SCHEMA, ensure_ascii=False) in asked
    assert "in words" in told(first.events)[0]
    assert told(second.events) == []


async def test_a_form_that_the_user_gave_as_an_option_is_not_left_out(server: MisbehavingServer) -> None:
    server.script(error(400, "response_format is not supported"))

    outcome = await ask(client_of(server), request(extra={"response_format": {"type": "json_object"}}))

    assert "Leave out 'response_format'" in str(outcome.error)
    assert len(server.chats) == 1


async def test_the_schema_of_a_tool_is_not_taken_for_that_of_the_answer(server: MisbehavingServer) -> None:
    refusal = error(400, "tools.1.custom.input_schema: JSON schema is invalid")
    server.script(refusing(lambda sent: len(sent.get("tools", ())) == 2, refusal))

    outcome = await ask(client_of(server), request(tools=TOOLS, response_format=FORM))

    assert outcome.text == "Yes."
    assert server.chats[-1].json["response_format"] == FORM
    assert len(server.chats) == 2


HISTORY = (
    user_message("What is here?"),
    Message(
        role=MessageRole.ASSISTANT,
        parts=(
            TextPart(text="I look."),
            ToolCallPart(call_id="1", name="look", arguments='{"at": "x"}'),
            ToolCallPart(call_id="2", name="list", arguments="{}"),
        ),
    ),
    Message(
        role=MessageRole.TOOL,
        parts=(
            ToolResultPart(call_id="1", name="look", content="x is 5"),
            ToolResultPart(call_id="2", name="list", content="x, y"),
        ),
    ),
    user_message("And now?"),
)
CALLS_REFUSED: list[Script] = [
    error(400, "The toolConfig field must be defined when using toolUse and toolResult content blocks."),
    error(400, "This provider expects the `tools=` param to be passed when earlier messages hold calls."),
    error(400, "Requests which include `tool_use` or `tool_result` blocks must define tools"),
    error(400, "messages.1.tool_calls: Extra inputs are not permitted"),
    error(400, "Unexpected role 'tool' after role 'assistant'"),
    error(500, "Only user and assistant roles are supported!"),
    error(500, "Conversation roles must alternate user/assistant/user/assistant/..."),
    json_answer(pydantic("messages", 2, "role", message="Input should be 'user' or 'assistant'"), status=422),
]


@pytest.mark.parametrize("refusal", CALLS_REFUSED)
async def test_earlier_calls_that_are_not_taken_without_tools_are_sent_as_texts(
    server: MisbehavingServer, refusal: Script
) -> None:
    server.script(refusing(lambda sent: "tool" in json.dumps(sent["messages"]).replace("the tool", ""), refusal))
    client = client_of(server)

    outcomes = [await ask(client, ChatRequest(model=MODEL, messages=HISTORY)) for _ in range(2)]
    await client.aclose()

    assert [outcome.text for outcome in outcomes] == ["Yes.", "Yes."]
    assert len(server.chats) == 3
    sent = server.chats[-1].json["messages"]
    assert [entry["role"] for entry in sent] == ["user", "assistant", "user"]
    words = [part for entry in sent for part in entry["content"].split("\n") if part]
    assert words == [
        "What is here?",
        "I look.",
        '(Called the tool look with {"at": "x"})',
        "(Called the tool list with {})",
        "(Not from the user, but the result of the tool look:)",
        "x is 5",
        "(Not from the user, but the result of the tool list:)",
        "x, y",
        "And now?",
    ]
    assert "texts" in told(outcomes[0].events)[0]


async def test_where_tools_are_offered_earlier_calls_stay_calls(server: MisbehavingServer) -> None:
    server.script(error(400, "messages.1: tool_use ids were found without tool_result blocks"))

    outcome = await ask(client_of(server), ChatRequest(model=MODEL, messages=HISTORY, tools=TOOLS))

    assert isinstance(outcome.error, BadRequest)
    assert len(server.chats) == 1


OTHER_FAILURES: list[tuple[Script, type[ModelError]]] = [
    (error(400, "temperature must be below 2"), BadRequest),
    (error(400, "max_tokens is too large: 100. This model supports at most 50 completion tokens."), BadRequest),
    (error(400, "messages.1: tool_use ids were found without tool_result blocks"), BadRequest),
    (json_answer(pydantic("messages", 0, "user", "name"), status=422), BadRequest),
    (error(404, "model 'tools' not found"), UnknownModel),
    (error(400, "The stop is unknown."), BadRequest),
    (json_answer({"detail": [{"loc": ["body", "x"], "msg": "Unknown", "input": "'seed'"}]}, status=422), BadRequest),
]  # fmt: skip


@pytest.mark.parametrize(("refusal", "kind"), OTHER_FAILURES)
async def test_other_failures_are_told_at_once(
    server: MisbehavingServer, refusal: Script, kind: type[ModelError]
) -> None:
    server.script(refusal)

    outcome = await ask(client_of(server), request(**EVERYTHING))

    assert type(outcome.error) is kind
    assert len(server.chats) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 413, 429, 502, 503])
async def test_a_status_that_means_something_else_is_no_refusal(server: MisbehavingServer, status: int) -> None:
    server.script(error(status, "tools are not supported"))

    outcome = await ask(client_of(server), request(tools=TOOLS))

    assert outcome.error is not None
    assert len(server.chats) == 1


async def test_tools_that_the_question_asks_for_are_not_left_out(server: MisbehavingServer) -> None:
    server.script(refusing(has("tools"), error(400, "tiny does not support tools")))
    client = client_of(server)
    wished = request(tools=TOOLS, insists_on=frozenset({"tools"}))

    await ask(client, request(tools=TOOLS))
    outcome = await ask(client, wished)
    await client.aclose()

    assert isinstance(outcome.error, BadRequest)
    assert "`--tools none`" in str(outcome.error)
    assert "tiny does not support tools" in str(outcome.error)
    assert "tools" in server.chats[-1].json


async def test_an_option_that_the_user_gave_is_not_left_out(server: MisbehavingServer) -> None:
    server.script(refusing(has("logprobs"), error(400, "Unknown parameter: 'logprobs'.")))

    outcome = await ask(client_of(server), request(extra={"logprobs": True}))

    assert "Leave out 'logprobs'" in str(outcome.error)
    assert len(server.chats) == 1


async def test_nothing_is_remembered_when_leaving_it_out_did_not_help(
    server: MisbehavingServer, tmp_path: Path
) -> None:
    server.script(error(400, "tools are not supported"))
    client = client_of(server, lessons=Lessons(tmp_path / "refused.json"))

    outcome = await ask(client, request(tools=TOOLS))
    await client.aclose()

    assert isinstance(outcome.error, BadRequest)
    assert len(server.chats) == 2
    assert os.listdir(tmp_path) == []


async def test_another_value_of_a_setting_is_tried_again(server: MisbehavingServer) -> None:
    said = "Unsupported value: 'temperature' does not support 0.2 with this model."
    server.script(refusing(lambda sent: sent.get("temperature") == 0.2, error(400, said)))
    client = client_of(server)

    for temperature in (0.2, 1.0):
        await ask(client, request(sampling={"temperature": temperature}))
    await client.aclose()

    assert [chat.json.get("temperature") for chat in server.chats] == [0.2, None, 1.0]


# The file.


async def test_another_notebook_and_another_day(server: MisbehavingServer, tmp_path: Path) -> None:
    path = tmp_path / "refused.json"
    server.script(refusing(has("tools"), error(400, "tiny does not support tools; my words")))

    async def ask_in_a_new_kernel() -> int:
        client, before = client_of(server, lessons=Lessons(path)), len(server.chats)
        assert (await ask(client, request("my words", tools=TOOLS))).text == "Yes."
        await client.aclose()
        return len(server.chats) - before

    assert await ask_in_a_new_kernel() == 2
    assert await ask_in_a_new_kernel() == 1
    assert "my words" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0

    saved = json.loads(path.read_text())
    saved["models"][MODEL][0]["learnt_at"] -= KEPT_S
    path.write_text(json.dumps(saved))
    assert await ask_in_a_new_kernel() == 2


async def test_a_setting_that_is_left_out_is_told_once_in_each_session(
    server: MisbehavingServer, tmp_path: Path
) -> None:
    server.script(refusing(has("temperature"), error(400, "'temperature' is not supported")))

    sentences = []
    for _ in range(2):
        client = client_of(server, lessons=Lessons(tmp_path / "refused.json"))
        for _ in range(2):
            sentences.append(told((await ask(client, request(sampling={"temperature": 0.2}))).events))
        await client.aclose()

    assert [len(each) for each in sentences] == [1, 0, 1, 0]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"schema_version": 99, "models": {}}',
        b'{"schema_version": 1, "models": []}',
        b'{"schema_version": 1, "models": {"test/model": [{"about": 5}]}}',
        b'{"schema_version": 1, "models": {"test/model": [{"about":"tools","spelling":"","of":"","learnt_at":NaN}]}}',
        b"[" * 100_000,
    ],
)
async def test_a_damaged_file_is_harmless_and_replaced(
    server: MisbehavingServer, tmp_path: Path, damaged: bytes
) -> None:
    path = tmp_path / "refused.json"
    path.write_bytes(damaged)
    server.script(refusing(has("tools"), error(400, "tiny does not support tools")))
    client = client_of(server, lessons=Lessons(path))

    assert (await ask(client, request(tools=TOOLS))).text == "Yes."
    await client.aclose()

    again = Lessons(path)
    await again.ready()
    assert again.of(MODEL) == (Lesson(about="tools"),)


async def test_processes_that_learn_at_the_same_time_keep_each_others_lessons(tmp_path: Path) -> None:
    one, other = (Lessons(tmp_path / "refused.json") for _ in range(2))
    await one.ready()
    await other.ready()

    one.add("a", (Lesson(about="tools"),))
    await one.written()
    other.add("b", (Lesson(about="max_tokens", spelling="max_completion_tokens"),))
    await other.written()

    read = Lessons(tmp_path / "refused.json")
    await read.ready()
    assert set(read.all()) == {"a", "b"}


async def test_forgetting_tries_everything_again(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path / "refused.json")
    lessons.add("a", (Lesson(about="tools"),))

    await lessons.forget()

    assert lessons.all() == {}
    assert os.listdir(tmp_path) == []


async def test_a_folder_that_cannot_be_written_costs_nothing(server: MisbehavingServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server.script(refusing(has("tools"), error(400, "tiny does not support tools")))
    client = client_of(server, lessons=Lessons(tmp_path / "file" / "refused.json"))

    assert [(await ask(client, request(tools=TOOLS))).text for _ in range(2)] == ["Yes.", "Yes."]
    await client.aclose()

    assert len(server.chats) == 3


def test_lessons_from_the_future_are_not_believed() -> None:
    assert not Lesson(about="tools", learnt_at=time.time() + 3600).is_fresh


# Addresses.


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, {"detail": "Not Found"}),
        (404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}),
        (404, {"error": {"message": "Invalid URL (POST /chat/completions)", "type": "invalid_request_error"}}),
        (404, {"error": {"message": "Unknown request URL: POST /chat/completions.", "code": "unknown_url"}}),
        (404, {"error": {"code": "404", "message": "Resource not found"}}),
        (404, {"message": "no Route matched with those values"}),
        (404, {}),
        (405, {"detail": "Method Not Allowed"}),
        (200, {"error": "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"}),
    ],
)
async def test_a_wrong_address_is_not_blamed_on_the_model(server: MisbehavingServer, status: int, said: Any) -> None:
    server.script(json_answer(said, status=status))

    outcome = await ask(client_of(server), request(model="tiny"))

    assert "has no chat service at this address" in str(outcome.error)
    assert "Check the base URL; it usually ends in /v1." in str(outcome.error)


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "model 'tiny' not found, try pulling it first"}},
        {"error": {"message": "The model `tiny` does not exist or you do not have access to it."}},
        {"error": {"message": "model: tiny", "type": "not_found_error"}},
        {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}},
        {"detail": "tiny is not here"},
    ],
)
async def test_a_model_that_is_not_served_stays_what_it_is(server: MisbehavingServer, said: Any) -> None:
    server.script(json_answer(said, status=404))

    outcome = await ask(client_of(server), request(model="tiny"))

    assert type(outcome.error) is UnknownModel
