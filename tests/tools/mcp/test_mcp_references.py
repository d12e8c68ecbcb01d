"""`/server:prompt words` and `@server:uri` in a message."""

from __future__ import annotations

import pytest

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.tools.mcp.references import MAX_CHARS, MAX_REFERENCES


async def test_prompts_and_resources_are_listed_as_they_are_typed(bench):
    await bench.start("good")

    prompt, resource = await bench.desk.references()

    assert (prompt.text, prompt.arguments) == ("/s:greet", ("who", "how?"))
    assert (resource.text, resource.description) == ("@s:file:///note", "A note.")


@pytest.mark.parametrize(
    ("words", "arguments"),
    [("Ann", '{"who": "Ann"}'), ("Ann with a deep bow", '{"who": "Ann", "how": "with a deep bow"}')],
)
async def test_the_words_after_a_prompt_are_its_arguments(bench, words, arguments):
    await bench.start("good")

    expanded = await bench.desk.expand(f"/s:greet {words}")

    # What a server's prompt says names no resources.
    assert expanded.text == f"Greet {arguments} @s:file:///note"
    assert expanded.origins == ("MCP server s",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/s:greet", "needs 'who'. Write it as: greet WHO \\[HOW\\]"),
        ("/s:other x", "has no prompt 'other'; it has: greet"),
    ],
)
async def test_a_prompt_that_lacks_something_says_what(bench, text, reason):
    await bench.start("good")

    with pytest.raises(RequestError, match=reason):
        await bench.desk.expand(text)


async def test_a_resource_is_attached_and_cut(bench):
    await bench.start("good")

    expanded = await bench.desk.expand("Read @s:file:///note, please.")

    assert expanded.text.startswith(
        "Read @s:file:///note, please.\n\n[Resource file:///note of the MCP server s]\nBuy milk."
    )
    assert len(expanded.text) < MAX_CHARS + 200


async def test_a_message_attaches_so_many_resources_and_no_more(bench):
    await bench.start("good")

    expanded = await bench.desk.expand(" ".join(f"@s:file:///{number}" for number in range(20)))

    assert expanded.text.count("[Resource ") == MAX_REFERENCES


@pytest.mark.parametrize(
    "text", ["/x:greet Ann", "ann@s:file", "a /s:greet Ann", "@x:file:///note", "5/s:greet", "", "/"]
)
async def test_what_names_no_running_server_stays_as_typed(bench, text):
    await bench.start("good")

    expanded = await bench.desk.expand(text)

    assert (expanded.text, expanded.origins) == (text, ())
