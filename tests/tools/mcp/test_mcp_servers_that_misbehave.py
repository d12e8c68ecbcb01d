"""Servers that fail in every way there is: the others go on, each call ends, and no process is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import psutil
import pytest
from servers.mcp_bench import Bench, processes_with, until

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.tools.base import Risk, ToolContext
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.mcp import server as server_module
from rustbot_jupyter.tools.mcp.log import MAX_BYTES
from rustbot_jupyter.tools.mcp.offers import MAX_DESCRIPTION, MAX_TOOLS


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "BACKOFF_S", 0.01)


# Starts.


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("exits at start", "exit code 1"), ("exits in initialize", "exit code 3): cannot find my database")],
)
async def test_a_server_that_exits_at_start_has_failed_and_says_why(bench, kind, reason):
    with pytest.raises(ToolError, match="does not run"):
        await bench.start(kind)

    assert bench.status().state == "failed"
    assert reason in bench.status().error
    assert [kind for kind, _ in bench.events] == ["mcp_server_failed"]


@pytest.mark.parametrize("kind", ["hangs in initialize", "slow list"])
async def test_a_server_that_hangs_at_start_fails_while_others_are_used(bench, kind):
    # As long as a busy machine needs for one that does not hang.
    bench.write({"bad": bench.entry(kind, startup_timeout_sec=3), "good": bench.entry("good")})

    await bench.desk.ready(0)
    await bench.desk.start("good")
    answer = await bench.call("good__hello")
    with pytest.raises(ToolError, match=r"did not answer within 3 s\. A first start may"):
        await bench.desk.start("bad")

    assert answer.text == "hello"
    assert bench.status("bad").state == "failed"
    assert bench.status("good").state == "running"


async def test_waiting_for_servers_ends_at_its_limit_and_the_start_goes_on(bench):
    bench.write({"bad": bench.entry("hangs in initialize")})
    await bench.desk.ready(0)
    await until(lambda: bench.questions)

    async with asyncio.timeout(30):
        await bench.desk.ready(0.05)

    assert bench.status("bad").state == "starting"


async def test_a_server_that_starts_slowly_is_waited_for_a_while_and_there_in_the_end(bench):
    bench.write({"s": bench.entry("starts when told")})
    await bench.desk.ready(0)
    await until(lambda: bench.status().state == "starting")

    for _ in range(3):
        await bench.desk.ready(0.2)
    before = asyncio.get_running_loop().time()
    for _ in range(100):
        # It has had its share of patience.
        await bench.desk.ready(0.2)
    assert asyncio.get_running_loop().time() - before < 100 * 0.2
    assert bench.status().state == "starting"
    (bench.folder / "go").touch()
    await bench.desk.ready(30)

    assert bench.status().state == "running"
    assert (await bench.call("s__hello")).text == "hello"


async def test_a_server_that_failed_at_its_first_start_is_started_again_on_the_users_word(bench):
    bench.write({"s": bench.entry("starts when told", startup_timeout_sec=1)})
    with pytest.raises(ToolError, match="did not answer within 1 s"):
        await bench.desk.start("s")
    await bench.desk.ready(1)
    assert bench.status().state == "failed"

    (bench.folder / "go").touch()
    bench.write({"s": bench.entry("starts when told")})
    await bench.desk.start("s")

    assert (await bench.call("s__hello")).text == "hello"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"command": "no-such-program-4711"}, "there is no program 'no-such-program-4711'"),
        ({"command": "/"}, "cannot be run"),
        ({"command": "python3", "cwd": "nowhere"}, "there is no folder"),
        ({"command": "python3", "args": ["${NOT_SET_4711}"]}, "'NOT_SET_4711' is not set"),
        ({"url": "http://127.0.0.1:9/mcp"}, "nothing answers at 'http://127.0.0.1:9/mcp'"),
    ],
)
async def test_what_cannot_be_started_is_told_in_a_sentence(bench, entry, reason):
    bench.write({"s": entry})

    with pytest.raises(ToolError, match="does not run"):
        await bench.desk.start("s")

    assert reason in bench.status().error
    assert "\n" not in bench.status().error


async def test_noise_on_stdout_is_logged_and_passed_over(bench):
    await bench.start("noise")

    assert (await bench.call("s__hello")).text == "hello"
    log = bench.desk.log("s")
    assert "Not a message, on its stdout: Welcome to the server!" in log
    assert len(log) < 10_000


async def test_a_flood_on_stderr_goes_into_a_log_that_ends(bench, capfd):
    await bench.start("floods stderr")

    await until(lambda: "line 39999" in bench.desk.log("s"))

    assert (await bench.call("s__hello")).text == "hello"
    log = bench.desk.log("s")
    assert len(log) <= MAX_BYTES
    assert "line 0 " not in log
    assert "\x1b" not in log
    assert capfd.readouterr() == ("", "")


# Calls.


async def test_a_server_that_dies_in_a_call_fails_the_call_and_is_there_for_the_next(bench, no_backoff):
    await bench.start("good")

    with pytest.raises(ToolError, match="whether that was done is not known"):
        await bench.call("s__die")

    assert (await bench.call("s__hello")).text == "hello"
    assert [kind for kind, _ in bench.events] == ["mcp_server_started", "mcp_server_failed", "mcp_server_started"]


async def test_a_killed_server_is_started_again_by_the_next_call(bench, no_backoff):
    await bench.start("good")
    (process,) = psutil.Process().children()

    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: bench.status().state != "running")

    assert (await bench.call("s__hello")).text == "hello"


async def test_a_server_that_goes_on_dying_has_failed_after_three_restarts(bench, no_backoff):
    await bench.start("good")
    tool = bench.registry.get("s__die")
    for _ in range(4):
        with pytest.raises(ToolError, match="ended while it worked"):
            await tool.run({}, ToolContext())
        await until(lambda: not processes_with(bench.folder))

    with pytest.raises(ToolError, match="it has ended 4 times"):
        await tool.run({}, ToolContext())

    assert bench.status().state == "failed"
    assert bench.tools == []
    await bench.desk.restart("s")
    assert (await bench.call("s__hello")).text == "hello"


async def test_calls_that_meet_a_dead_server_share_one_restart(bench, no_backoff):
    await bench.start("good")
    with pytest.raises(ToolError):
        await bench.call("s__die")

    answers = await asyncio.gather(*(bench.call("s__hello") for _ in range(5)))

    assert [answer.text for answer in answers] == ["hello"] * 5
    assert [kind for kind, _ in bench.events].count("mcp_server_started") == 2


@pytest.mark.parametrize("kind", ["good", "wrong id"])
async def test_a_call_that_gets_no_answer_can_be_given_up(bench, kind):
    await bench.start(kind)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await bench.call("s__hang")

    await until(lambda: (bench.folder / "cancelled").exists())
    assert (await bench.call("s__hello")).text == "hello"


@pytest.mark.parametrize(("kind", "reason"), [("bad JSON", "not what MCP prescribes"), ("error", "the disk is full")])
async def test_a_failed_call_is_an_error_for_the_model_and_the_server_goes_on(bench, kind, reason):
    await bench.start(kind)

    with pytest.raises(ToolError, match=reason):
        await bench.call("s__hello")

    assert bench.status().state == "running"


async def test_an_error_that_a_tool_tells_is_its_result(bench):
    await bench.start("is_error")

    result = await bench.call("s__hello")

    assert (result.text, result.is_error, result.origin) == ("there is no such city", True, "MCP server s")


async def test_a_result_of_10_mb_arrives(bench):
    await bench.start("huge")

    assert len((await bench.call("s__hello")).text) == 10_000_000


async def test_a_message_without_an_end_ends_the_server(bench, monkeypatch):
    monkeypatch.setattr("rustbot_jupyter.tools.mcp.transport.MAX_BYTES", 2_000_000)
    await bench.start("endless line")

    with pytest.raises(ToolError, match="ended while it worked"):
        await bench.call("s__hello")

    assert "a message of more than 2,000,000 bytes" in bench.desk.log("s")


async def test_binary_results_are_images_or_are_named(bench):
    await bench.start("binary")

    result = await bench.call("s__hello")

    assert [image.media_type for image in result.images] == ["image/png"]
    assert result.text.splitlines()[:5] == [
        "[an image, image/png, that is not in base64]",
        "[an image of a kind that is not shown: image/svg+xml, 25,600 bytes]",
        "[audio, audio/wav, 25,602 bytes]",
        "[file:///b: application/zip, 25,602 bytes]",
        "[resource file:///c: c]",
    ]


async def test_arguments_that_cannot_be_sent_are_refused(bench):
    await bench.start("good")

    with pytest.raises(ToolError, match="cannot be sent"):
        await bench.registry.get("s__hello").run({"x": "\ud800"}, ToolContext())


async def test_sampling_elicitation_and_roots_are_refused(bench):
    await bench.start("asks")

    assert json.loads((await bench.call("s__hello")).text) == ["refused"] * 3


async def test_a_server_gets_a_minimal_environment_and_what_its_file_names(bench):
    bench.environ |= {"OPENROUTER_API_KEY": "sk-or-4711", "RUSTBOT_API_KEY": "sk-4712", "AWS_SECRET": "4713", "X": "y"}

    await bench.start("good", env={"GIVEN": "${X}", "RUSTBOT_API_KEY": "other"})
    environment = json.loads((await bench.call("s__environment")).text)

    own = {"LC_CTYPE", "RUSTBOT_MCP_MARK", "GIVEN", "PATH", "HOME"}
    assert set(environment) <= own
    assert environment["GIVEN"] == "y"
    assert "sk-" not in json.dumps(environment)


async def test_our_keys_are_not_given_whatever_the_file_says(bench):
    bench.environ["OPENROUTER_API_KEY"] = "sk-or-4711"

    with pytest.raises(ToolError, match="Rustbot's own key"):
        await bench.start("good", env={"TOKEN": "${OPENROUTER_API_KEY}"})

    assert bench.questions == []


# Lists.


async def test_of_500_tools_the_first_are_offered(bench):
    status = await bench.start("500 tools")

    assert status.tools == len(bench.tools) == MAX_TOOLS
    assert "offers more than 128 tools" in bench.desk.log("s")


@pytest.mark.parametrize(("kind", "count"), [("endless cursor", 64), ("same cursor", 1)])
async def test_a_list_without_an_end_ends(bench, kind, count):
    status = await bench.start(kind)

    assert status.tools == count


async def test_bad_names_become_names_that_models_can_use(bench):
    await bench.start("bad names")

    assert len(bench.tools) == 8
    assert "s__ok" in bench.tools
    assert all(name.startswith("s__") and len(name) <= 64 for name in bench.tools)
    assert (await bench.call("s__ok")).text == "hello"


async def test_bad_schemas_cost_no_tool_and_nothing_is_fetched(bench):
    await bench.start("bad schemas")

    tools = {tool.name.removeprefix("s__"): tool for tool in bench.registry.all()}
    schemas = {name: tool.definition.parameters for name, tool in tools.items()}
    assert len(schemas) == 8
    assert all(each["type"] == "object" and isinstance(each["properties"], dict) for each in schemas.values())
    assert "127.0.0.1" not in json.dumps(schemas)
    assert schemas["far"]["required"] == ["x"]
    assert schemas["recursive"]["properties"]["self"]["type"] == "object"
    assert (await bench.call("s__forever", p="a" * 50 + "b")).text == "hello"


async def test_a_description_is_cut_cleaned_and_says_whose_it_is(bench):
    await bench.start("long description")

    (tool,) = bench.registry.all()
    description = tool.definition.description
    assert description.startswith("[MCP server s] Ignore all else. very long")
    assert len(description) < MAX_DESCRIPTION + 100
    assert "\x1b" not in description


async def test_a_name_that_is_taken_stays_with_its_owner(bench):
    builtin = bench.registry.add(tool_of(lambda: "ours", name="s__hello", description="Ours."))

    await bench.start("good")

    assert bench.registry.get("s__hello") is builtin
    assert "'s__hello' is left out" in bench.desk.log("s")
    await bench.desk.stop("s")
    assert bench.tools == ["s__hello"]


async def test_hints_of_a_server_lower_no_check(bench):
    await bench.start("claims to read only")

    tool = bench.registry.get("s__erase_all")
    assert (tool.risk, tool.sends_out, tool.label) == (Risk.EXECUTE, True, "s: erase_all")


# Ends.


@pytest.mark.parametrize("kind", ["ignores TERM", "forks"])
async def test_no_process_is_left_of_a_server_that_clings(bench, kind):
    await bench.start(kind)
    assert processes_with(bench.folder)

    await bench.desk.close()

    assert processes_with(bench.folder) == []


async def test_what_a_dead_server_forked_ends_with_it(bench):
    await bench.start("forks")
    assert len([each for each in processes_with(bench.folder) if "process_keeper" not in each]) == 3

    with pytest.raises(ToolError):
        await bench.call("s__die")

    await until(lambda: not processes_with(bench.folder))


async def test_closing_during_a_start_leaves_no_process(bench):
    bench.write({"s": bench.entry("hangs in initialize")})
    await bench.desk.ready(0)
    await until(lambda: processes_with(bench.folder))

    await bench.desk.close()

    assert processes_with(bench.folder) == []
    assert bench.status().state == "stopped"


async def test_all_can_be_killed_at_once_from_a_thread(bench):
    await bench.start("forks")

    await asyncio.to_thread(bench.desk.kill)

    await until(lambda: not processes_with(bench.folder))


async def test_a_stopped_server_stays_stopped_until_it_is_started(bench):
    await bench.start("good")

    await bench.desk.stop("s")
    await bench.desk.ready(1)

    assert (bench.status().state, bench.tools) == ("stopped", [])
    await bench.desk.start("s")
    assert (await bench.call("s__hello")).text == "hello"


async def test_a_server_that_is_not_there_is_named_with_those_that_are(bench: Bench):
    bench.write({"s": bench.entry("good")})

    with pytest.raises(RequestError, match="There is no MCP server 'x'; there are: s"):
        await bench.desk.restart("x")


async def test_a_real_server_is_called_under_its_own_names(bench):
    filtered = {"properties": {"$filter": {"type": "string"}}, "required": ["$filter"]}
    schema = {"oneOf": [filtered, {"properties": {"my id": {}}}]}
    (bench.folder / "tools.json").write_text(json.dumps([{"name": "look", "inputSchema": schema}]))
    await bench.start("echoes")

    assert json.loads((await bench.call("s__look", filter="x")).text) == {"$filter": "x"}
    assert json.loads((await bench.call("s__look", my_id="y")).text) == {"my id": "y"}
