"""A kernel that ends, or a bot that is closed, while tools run: no process, thread or task is left, and in time."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.misbehaving import MisbehavingServer, Received, Script, answer
from tool_cells import SETUP, ToolNotebook, all_calls, eventually, processes_with

pytestmark = pytest.mark.kernel

SERVERS = Path(__file__).parents[1] / "servers"
GONE_S = 12.0
"""What a kernel and all it started have to end: the keeper of a command asks before it kills."""
ENDS: dict[str, Callable[[Any], None]] = {
    "restart": lambda kernel: kernel.restart(),
    "shutdown": lambda kernel: kernel.manager.shutdown_kernel(now=False),
    "SIGTERM": lambda kernel: kernel.manager.signal_kernel(signal.SIGTERM),
    "SIGKILL": lambda kernel: kernel.manager.signal_kernel(signal.SIGKILL),
}
STUBBORN = (
    "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "name = 'child' if os.fork() == 0 else 'parent'; name == 'child' and os.setsid(); "
    "open(sys.argv[1] + name, 'w').close(); time.sleep(600)"
)
"""A program that forks; both processes ignore TERM, and the child leaves the session."""
BOTS = """
before = set(threading.enumerate())
def blocks() -> str:
    "Block."
    pathlib.Path("blocks").touch()
    while True: time.sleep(0.01)
async def awaits() -> str:
    "Wait."
    pathlib.Path("awaits").touch()
    await asyncio.sleep(600)
bot.close()
bots = [rb.Rustbot(model=name, base_url={base_url!r}, approve=name) for name in ("ask", "allow")]
for each in bots:
    for tool in (blocks, awaits): each.tools.add(tool, risk="read")
for kind in ("forks", "ignores"):
    bots[0].mcp.add(kind, {{"command": {python!r}, "args": [{script!r}, {kinds!r}[kind], {mark!r}]}})
def close_them():
    while not pathlib.Path("close").exists(): time.sleep(0.01)
    for each in bots: each.close()
closing = threading.Thread(target=close_them, daemon=True)
closing.start()
first = bots[0].submit(bots[0]._request("Go", None, None, None, None))
while not pathlib.Path("awaits").exists(): await asyncio.sleep(0.01)
# Its code takes the main thread, on which that coroutine had to begin.
second = bots[1].submit(bots[1]._request("Go", None, None, None, None))
"""


class Working:
    """A kernel with two bots whose tools are in every state."""

    def __init__(self, kernel: Any, server: MisbehavingServer) -> None:
        self.kernel = kernel
        self.mark = str(kernel.home / "mark")
        server.script(self._next)
        kernel.run(SETUP.format(base_url=server.base_url))
        kernel.run(
            BOTS.format(
                base_url=server.base_url,
                python=sys.executable,
                script=str(SERVERS / "mcp_misbehaving.py"),
                kinds={"forks": "forks", "ignores": "ignores TERM"},
                mark=self.mark,
            )
        )
        marks = {"blocks", "code", "markchild", "markparent"}
        eventually(lambda: marks <= set(os.listdir(kernel.home)))

    def _next(self, request: Received) -> Script:
        command = f"{sys.executable} -c {STUBBORN!r} {self.mark}"
        if any(message["role"] == "tool" for message in request.json["messages"]):
            return answer("Done.")
        if request.json["model"] == "ask":
            return all_calls(("run_code", {"code": "1"}), ("blocks", {}), ("awaits", {}))
        code = "open('code', 'w').close()\nimport time\nwhile True: time.sleep(0.01)"
        return all_calls(
            ("run_shell", {"command": command}),
            ("forks__hang", {}),
            ("ignores__hang", {}),
            ("run_code", {"code": code}),
        )

    @property
    def processes(self) -> list[int]:
        """What tools and servers started, and is alive."""
        return processes_with(self.mark)


@pytest.fixture
def working(own_kernel: Any, server: MisbehavingServer) -> Iterator[Working]:
    working = Working(own_kernel, server)
    yield working
    for pid in working.processes:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_outlives_a_kernel_that_ends_while_tools_run(working: Working, end: str) -> None:
    before = working.processes

    ENDS[end](working.kernel)
    eventually(lambda: not working.processes, GONE_S)

    assert len(before) >= 6


def test_nothing_is_left_of_bots_that_are_closed_while_tools_run(working: Working) -> None:
    kernel = working.kernel

    (kernel.home / "close").touch()
    eventually(lambda: not working.processes, GONE_S)

    kernel.run("while closing.is_alive(): await asyncio.sleep(0.01)")
    kernel.run(
        "end = time.monotonic() + 5\n"
        "while set(threading.enumerate()) - before and time.monotonic() < end: time.sleep(0.01)"
    )
    assert kernel.run("print([thread.name for thread in threading.enumerate() if thread not in before])") == "[]\n"
    tasks = "[task for task in asyncio.all_tasks() if 'mainloop' in str(task)]"
    assert kernel.run(f"print({tasks}, *(each.state for each in bots))") == "[] closed closed\n"
    assert kernel.run("print([turn.outcome.done() for turn in (first, second)])") == "[True, True]\n"


FORKED = """
import json, multiprocessing, os
def in_child(path):
    said = {}
    try:
        said["text"] = bot.ask("In the child?", tools=["blocks"]).text
        said["value"] = bot.tools.call("evaluate", expression="6 * 7").text
    except rb.RustbotError as error:
        said["text"] = str(error)
    path.write_text(json.dumps(said))
"""


@pytest.mark.parametrize("way", ["os.fork", "multiprocessing"])
def test_a_fork_has_no_server_of_its_parents_and_works(own_kernel: Any, server: MisbehavingServer, way: str) -> None:
    notebook = ToolNotebook(own_kernel, server)
    script, mark = str(SERVERS / "mcp_misbehaving.py"), str(own_kernel.home / "mark")
    notebook.run("def blocks() -> str:\n    'Block.'\ntool = bot.tools.add(blocks, risk='read')")
    notebook.run(
        f"status = bot.mcp.add('honest', {{'command': {sys.executable!r}, 'args': [{script!r}, 'x', {mark!r}]}})"
    )
    notebook.will_call("run_code", code="1")
    notebook.run("%rustbot --approve allow go")
    before = processes_with(mark)
    server.script(answer("Here."))
    notebook.run(FORKED)

    if way == "os.fork":
        notebook.run(
            "path = pathlib.Path('said')\nchild = os.fork()\n"
            "if child == 0:\n    try:\n        in_child(path)\n    finally:\n        os._exit(0)\n"
            "while os.waitpid(child, os.WNOHANG) == (0, 0): await asyncio.sleep(0.01)"
        )
    else:
        notebook.run(
            "path = pathlib.Path('said')\n"
            "child = multiprocessing.get_context('fork').Process(target=in_child, args=(path,))\nchild.start()\n"
            "while child.is_alive(): await asyncio.sleep(0.01)"
        )

    said = json.loads(notebook.file("said").read_text())
    assert (said["text"], said["value"]) == ("Here.", "result: int = 42")
    # The parent has its server still, and no other is left.
    eventually(lambda: processes_with(mark) == before)
    assert (
        notebook.run("print(*(each.state for each in bot.mcp.list()))\nprint(bot.ask('And here?').text)")
        == "running\nHere.\n"
    )
    notebook.close()
    eventually(lambda: not processes_with(mark))
