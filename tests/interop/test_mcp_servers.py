"""Real MCP servers: five over stdio, two over Streamable HTTP; those of node are skipped without it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers.mcp_bench import Bench, processes_with, until

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.base import ToolContext

BIN = Path(__file__).parent / "node_modules" / ".bin"
HTTP_SERVER = Path(__file__).parents[1] / "servers" / "mcp_over_http.py"

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not BIN.exists(), reason="needs node and `npm ci` in tests/interop/"
)
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    # Theirs is the real environment, of which they get the few variables that all get.
    bench.environ = dict(os.environ)
    bench.open()
    yield bench
    before = children()
    for desk in bench.desks:
        await desk.close()
    # What has ended may be listed until its new parent has looked.
    await until(lambda: not any(is_running(pid) for pid in before))
    assert processes_with(tmp_path) == []


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children() -> list[int]:
    return [process.pid for process in psutil.Process().children(recursive=True)]


def node(name: str, *arguments: str) -> dict[str, Any]:
    return {"command": str(BIN / f"mcp-server-{name}"), "args": list(arguments)}


def python(name: str, *arguments: str) -> dict[str, Any]:
    return {"command": sys.executable, "args": ["-m", f"mcp_server_{name}", *arguments]}


async def start(bench: Bench, **servers: dict[str, Any]) -> None:
    bench.write(servers)
    await asyncio.gather(*(bench.desk.start(name) for name in servers))


# stdio.


@needs_node
async def test_everything_echoes_shows_images_progress_and_structured_results(bench):
    await start(bench, everything=node("everything", "stdio"))

    echo = await bench.call("everything__echo", message="Grüße 👍")
    image = await bench.call("everything__get-tiny-image")
    structured = await bench.call("everything__get-structured-content", location="Chicago")
    resource = await bench.call("everything__get-resource-reference", resourceType="Text", resourceId=1)

    assert echo.text == "Echo: Grüße 👍"
    assert image.images[0].data.startswith(b"\x89PNG")
    assert structured.data["temperature"] == json.loads(structured.text)["temperature"]
    assert "Resource 1" in resource.text
    assert echo.origin == "MCP server everything"


@needs_node
async def test_everything_reports_progress(bench):
    await start(bench, everything=node("everything", "stdio"))
    tool = bench.registry.get("everything__trigger-long-running-operation")
    shown: list[str] = []

    result = await tool.run(tool.check({"duration": 1, "steps": 4}), ToolContext(progress=shown.append))

    assert shown == ["1 of 4\n", "2 of 4\n", "3 of 4\n", "4 of 4\n"]
    assert "completed" in result.text


@needs_node
async def test_everything_is_cancelled_timed_out_and_goes_on(bench):
    await start(bench, everything=node("everything", "stdio"))
    slow = asyncio.create_task(bench.call("everything__trigger-long-running-operation", duration=100, steps=2))
    await bench.call("everything__echo", message="both run")

    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await bench.call("everything__trigger-long-running-operation", duration=100, steps=2)

    assert (await bench.call("everything__echo", message="still here")).text == "Echo: still here"


@needs_node
async def test_everything_is_offered_no_sampling_and_gets_no_keys(bench):
    bench.environ["OPENROUTER_API_KEY"] = "sk-or-4711"
    await start(bench, everything=node("everything", "stdio"))

    environment = await bench.call("everything__get-env")

    assert not [name for name in bench.tools if "sampling" in name or "elicitation" in name or "roots" in name]
    assert "sk-or-4711" not in environment.text


@needs_node
async def test_everything_is_killed_and_started_again(bench):
    await start(bench, everything=node("everything", "stdio"))
    # The last one is the server; before it stands who ends it with the kernel.
    process = children()[-1]

    os.kill(process, signal.SIGKILL)
    await until(lambda: bench.status("everything").state != "running")

    assert (await bench.call("everything__echo", message="again")).text == "Echo: again"
    assert process not in children()


@needs_node
async def test_prompts_and_resources_of_everything_are_listed_and_expanded(bench):
    await start(bench, everything=node("everything", "stdio"))

    references = {reference.text: reference for reference in await bench.desk.references()}
    prompt = await bench.desk.expand("/everything:args-prompt Paris")
    resource = await bench.desk.expand("See @everything:demo://resource/dynamic/text/1.")

    assert references["/everything:args-prompt"].arguments == ("city", "state?")
    assert "@everything:demo://resource/static/document/features.md" in references
    assert "Paris" in prompt.text
    assert "Resource 1: This is a plaintext resource" in resource.text
    assert prompt.origins == ("MCP server everything",)


@needs_node
async def test_filesystem_reads_within_its_folder_only(bench):
    (bench.workspace / "notes.txt").write_text("Buy milk.")
    await start(bench, files=node("filesystem", str(bench.workspace)))

    inside = await bench.call("files__read_text_file", path=str(bench.workspace / "notes.txt"))
    outside = await bench.call("files__read_text_file", path="/etc/passwd")

    assert (inside.text, inside.is_error) == ("Buy milk.", False)
    assert "Access denied" in outside.text
    assert outside.is_error


@needs_node
async def test_memory_remembers(bench):
    entry = node("memory") | {"env": {"MEMORY_FILE_PATH": str(bench.folder / "memory.json")}}
    await start(bench, memory=entry)
    entities = [{"name": "Ann", "entityType": "person", "observations": ["likes tea"]}]

    await bench.call("memory__create_entities", entities=entities)
    await bench.desk.restart("memory")

    assert "likes tea" in (await bench.call("memory__search_nodes", query="Ann")).text


async def test_time_tells_it_and_refuses_what_is_no_zone(bench):
    await start(bench, time=python("time"))

    result = await bench.call("time__get_current_time", timezone="Asia/Tokyo")
    wrong = await bench.call("time__get_current_time", timezone="Nowhere")
    with pytest.raises(ToolError, match="timezone: is required"):
        await bench.call("time__get_current_time")

    assert json.loads(result.text)["timezone"] == "Asia/Tokyo"
    assert wrong.is_error


async def test_git_tells_what_was_committed(bench):
    def git(*words: str) -> None:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
        subprocess.run(["git", *identity, *words], cwd=bench.workspace, check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "-m", "The first one")
    await start(bench, git=python("git", "--repository", str(bench.workspace)))

    assert "The first one" in (await bench.call("git__git_log", repo_path=str(bench.workspace))).text


@needs_node
async def test_all_five_run_beside_one_another_and_one_that_fails(bench):
    await start(
        bench,
        everything=node("everything", "stdio"),
        files=node("filesystem", str(bench.workspace)),
        memory=node("memory"),
        time=python("time"),
        git=python("git"),
    )
    bench.write({"broken": {"command": sys.executable, "args": ["-c", "raise SystemExit(3)"]}})
    await bench.desk.read_files()
    with pytest.raises(ToolError, match="exit code 3"):
        await bench.desk.start("broken")

    states = {status.name: (status.state.value, status.tools) for status in bench.desk.list()}

    assert {name: state for name, (state, _) in states.items() if name != "broken"} == dict.fromkeys(
        ("everything", "files", "memory", "time", "git"), "running"
    )
    assert sum(tools for _, tools in states.values()) == len(bench.tools) >= 45
    assert all(len(tool.definition.description) < 2_200 for tool in bench.registry.all())


# Streamable HTTP.


@contextmanager
def serving(*command: str, folder: Path, **environ: str) -> Iterator[None]:
    """A server of this command, ended at the end."""
    with (folder / "server.log").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environ})
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def answers(port: int) -> None:
    def can_connect() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    await until(can_connect)


@needs_node
async def test_everything_over_http(bench, tmp_path):
    port = free_port()
    with serving(str(BIN / "mcp-server-everything"), "streamableHttp", folder=tmp_path, PORT=str(port)):
        await answers(port)
        await start(bench, far={"type": "http", "url": f"http://127.0.0.1:{port}/mcp"})

        assert (await bench.call("far__echo", message="hello")).text == "Echo: hello"
        assert (await bench.call("far__get-tiny-image")).images
        assert bench.questions[0].kind == "address"
        await bench.desk.close()


async def test_a_server_over_http_is_used_lost_and_found_again(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("rustbot_jupyter.tools.mcp.server.BACKOFF_S", 0.01)
    port = free_port()
    command = (sys.executable, str(HTTP_SERVER), str(port))
    with serving(*command, folder=tmp_path):
        await answers(port)
        await start(bench, far={"url": f"http://127.0.0.1:{port}/mcp"})
        shown: list[str] = []
        slow = bench.registry.get("far__slow")

        assert (await bench.call("far__add", a=2, b=3)).text == "5"
        assert (await bench.call("far__picture")).images[0].media_type == "image/png"
        assert (await slow.run({"steps": 3}, ToolContext(progress=shown.append))).text == "done"
        assert shown == ["1 of 3: step 1\n", "2 of 3: step 2\n", "3 of 3: step 3\n"]
        assert (await bench.call("far__fail")).is_error
        assert (await bench.desk.expand("/far:greet Ann")).text == "Greet Ann."
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await bench.call("far__hang")
        assert (await bench.call("far__add", a=1, b=1)).text == "2"

    with pytest.raises(ToolError):
        await bench.call("far__add", a=2, b=3)

    with serving(*command, folder=tmp_path):
        await answers(port)
        if bench.status("far").state == "failed":
            await bench.desk.restart("far")
        assert (await bench.call("far__add", a=20, b=30)).text == "50"
        await bench.desk.close()


@pytest.mark.parametrize("entry", [{"type": "sse"}, {}], ids=["said", "by its address"])
async def test_a_server_of_the_older_kind_is_used(bench, tmp_path, entry):
    port = free_port()
    with serving(sys.executable, str(HTTP_SERVER), str(port), "sse", folder=tmp_path):
        await answers(port)
        await start(bench, far={"url": f"http://127.0.0.1:{port}/sse", **entry})

        assert (await bench.call("far__add", a=2, b=3)).text == "5"
        assert (await bench.call("far__fail")).is_error
        assert (await bench.desk.expand("/far:greet Ann")).text == "Greet Ann."
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await bench.call("far__hang")
        assert (await bench.call("far__add", a=1, b=1)).text == "2"
        await bench.desk.close()


async def test_what_is_no_mcp_server_is_told_in_a_sentence(bench, httpserver):
    httpserver.expect_request("/mcp").respond_with_data("<html>Sign in</html>", status=401, content_type="text/html")
    bench.write({"far": {"url": httpserver.url_for("/mcp")}})

    with pytest.raises(ToolError):
        await bench.desk.start("far")

    assert bench.status("far").state == "failed"
    assert "\n" not in bench.status("far").error
