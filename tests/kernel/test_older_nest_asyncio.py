"""Notebooks that begin with `nest_asyncio.apply()` of the older package: what tools await on the kernel's loop ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from servers.misbehaving import MisbehavingServer, answer
from tool_cells import ToolNotebook, calls

pytestmark = pytest.mark.kernel

APPLY = "import nest_asyncio; nest_asyncio.apply()"
TOOL = """
@bot.tool(risk="read")
async def waits(how: str) -> str:
    "Wait a little."
    if how == "thread":
        await asyncio.to_thread(int)
    elif how == "group":
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.01))
    elif how == "process":
        process = await asyncio.create_subprocess_exec("true")
        await process.wait()
    elif how == "run":
        asyncio.run(asyncio.sleep(0.01))
    else:
        await asyncio.sleep(float(how))
    return f"waited {how}"
"""
WAYS = ["0", "0.01", "0.1", "0.25", "thread", "group", "process", "run"]


def begun_with(kernel: Any, server: MisbehavingServer, moment: str) -> ToolNotebook:
    """A notebook in which the older package was applied at this moment."""
    if moment == "before":
        kernel.run(APPLY)
    notebook = ToolNotebook(kernel, server)
    kernel.run(TOOL)
    if moment == "between":
        kernel.run(APPLY)
    if moment == "after":
        server.script(calls("waits", how="0.01"), answer("Done."))
        kernel.run("bot.ask('Go')")
        kernel.run(APPLY)
    return notebook


# It cannot be taken back: each moment has a kernel of its own.
MOMENTS = {"7.4": "before", "6.31": "before", "7.3": "between", "7.1": "after"}


@pytest.fixture(params=MOMENTS)
def notebook(
    kernels: Callable[[str], Any], server: MisbehavingServer, request: pytest.FixtureRequest
) -> Iterator[ToolNotebook]:
    notebook = begun_with(kernels(request.param), server, MOMENTS[request.param])
    yield notebook
    notebook.close()


def test_whatever_tools_and_code_await_ends_and_the_next_cells_run(notebook: ToolNotebook) -> None:
    for how in WAYS:
        notebook.will_call("waits", how=how)
        assert notebook.run("print(bot.ask('Go').text)") == "Done.\n"
        assert notebook.results()[-1] == f"waited {how}"

    notebook.will_call("waits", how="0.1")
    notebook.run("%%rustbot\nGo")
    assert notebook.results()[-1] == "waited 0.1"

    notebook.will_call("run_code", code="import asyncio\nawait asyncio.sleep(0.1)\n6 * 7")
    # What a tool of the user's gave counts as a stranger's words, after which code would ask.
    notebook.run("%%rustbot --new --approve allow\nGo")
    assert "int = 42" in notebook.results()[-1]

    assert notebook.run("print(bot.tools.call('waits', how='0.1').text)") == "waited 0.1\n"
    notebook.will_call("waits", how="0.1")
    assert notebook.run("print((await bot.ask_async('Go')).text)") == "Done.\n"

    # A cell that is sent while another one turns the loop waits for its turn, and is not lost.
    notebook.will_call("waits", how="0.1")
    first, second = notebook.start("print(bot.ask('Go').text)"), notebook.start("print('second')")
    notebook.finish(second)
    assert notebook.printed(first) + notebook.printed(second) == "Done.\nsecond\n"


def test_the_stop_reaches_what_a_tool_awaits(notebook: ToolNotebook) -> None:
    notebook.will_call("waits", how="600")
    cell = notebook.start("%%rustbot\nGo")
    notebook.kernel.until(lambda: any("Running" in str(said) for said in notebook.said(cell, "update_display_data")))

    notebook.stop()
    notebook.finish(cell)

    notebook.idle()
    assert notebook.run("print(bot.state, 6 * 7)") == "idle 42\n"
