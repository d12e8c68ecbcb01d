"""Tools that a model calls from cells of a real kernel: who is asked, and how, and what is left in the notebook."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.misbehaving import MisbehavingServer, answer, opening
from tool_cells import LEFT, ToolNotebook, calls, eventually

pytestmark = pytest.mark.kernel

OLDEST, NEWEST = "6.31", "7.4"
SOON_S = 20.0
"""A second, and what a busy machine takes."""
NOBODY = "Nobody can be asked here."
ASKING = {
    "magic": "%%rustbot\nGo",
    "ask": "reply = bot.ask('Go')",
    "await": "reply = await bot.ask_async('Go')",
    "stream": "async for event in bot.stream('Go'): pass",
}
"""Cells that ask the model."""
ways = pytest.mark.parametrize("way", ASKING)


@pytest.fixture
def on(kernels: Callable[[str], Any], server: MisbehavingServer) -> Iterator[Callable[[str], ToolNotebook]]:
    """A notebook on a version of ipykernel."""
    opened = []

    def on(ipykernel: str) -> ToolNotebook:
        opened.append(ToolNotebook(kernels(ipykernel), server))
        return opened[-1]

    yield on
    for notebook in opened:
        notebook.close()


@pytest.fixture
def notebook(on: Callable[[str], ToolNotebook], request: pytest.FixtureRequest) -> ToolNotebook:
    return on(getattr(request, "param", NEWEST))


both = pytest.mark.parametrize("notebook", [OLDEST, NEWEST], indirect=True)
oldest = pytest.mark.parametrize("notebook", [OLDEST], indirect=True)


# Who is asked, and how.


@pytest.mark.parametrize(
    ("notebook", "way"),
    [*(("7.4", way) for way in ASKING), ("7.1", "magic"), ("7.3", "magic")],
    indirect=["notebook"],
)
def test_a_click_on_the_card_below_the_cell_lets_it_go_on(notebook: ToolNotebook, way: str) -> None:
    notebook.will_call("run_code", code="clicked = 6 * 7")
    cell = notebook.start(f"clicked = 0\n{ASKING[way]}" if way != "magic" else ASKING[way])

    card = notebook.card()
    asked = notebook.asked(card)
    notebook.allow(card)
    notebook.finish(cell)

    assert asked["tool"] == "run_code"
    assert asked["text"] == "clicked = 6 * 7"
    assert notebook.errors(cell) == []
    assert notebook.run("print(clicked, bot.state, bot.approvals)") == "42 idle []\n"
    notebook.kernel.until(lambda: card.is_closed)
    assert len(notebook.results()) == 1


def test_a_no_on_the_card_tells_the_model_why(notebook: ToolNotebook) -> None:
    notebook.will_call("run_code", code="refused = 1")
    cell = notebook.start(ASKING["magic"])

    notebook.deny(notebook.card(), "Use polars.")
    notebook.finish(cell)

    assert notebook.results() == ["'run_code' was not run: the user refused it. The user says: Use polars."]
    assert notebook.run("print('refused' in globals())") == "False\n"


@oldest
@ways
@pytest.mark.parametrize(
    ("line", "ran", "told"),
    [
        ("y", True, "The code ran"),
        ("n", False, "'run_code' was not run: the user refused it. Do not try it again."),
        ("Use polars.", False, "'run_code' was not run: the user refused it. The user says: Use polars."),
    ],
    ids=["y", "n", "reason"],
)
def test_without_subshells_the_cell_asks_in_words(
    notebook: ToolNotebook, way: str, line: str, ran: bool, told: str
) -> None:
    notebook.will_call("run_code", code="prompted = True")
    notebook.run("prompted = False")
    cell = notebook.start(ASKING[way])

    prompt = notebook.reply(line)
    notebook.finish(cell)

    assert prompt.startswith("y = yes · n = no")
    assert "prompted = True" in notebook.printed(cell)
    assert notebook.errors(cell) == []
    assert notebook.results()[0].startswith(told)
    assert notebook.run("print(prompted)") == f"{ran}\n"


@oldest
def test_a_yes_for_the_conversation_asks_no_second_time(notebook: ToolNotebook) -> None:
    notebook.run("steps = []\n@bot.tool\ndef step(number: int) -> None:\n    'Go on.'\n    steps.append(number)")
    notebook.server.script(
        calls("step", number=1),
        calls("step", number=2, call_id="call_2"),
        answer("Done."),
    )
    cell = notebook.start(ASKING["magic"])

    prompt = notebook.reply("c")
    notebook.finish(cell)

    assert "c = yes, for this conversation" in prompt
    assert notebook.run("print(steps)") == "[1, 2]\n"


@both
@ways
def test_where_nobody_is_the_call_is_refused_at_once(notebook: ToolNotebook, way: str) -> None:
    notebook.will_call("run_code", code="unasked = True")
    cell = notebook.start(ASKING[way], takes_input=False)
    notebook.finish(cell)

    first, second = notebook.server.chats
    assert second.at - first.at < 2
    assert NOBODY in notebook.results()[0]
    assert notebook.errors(cell) == []
    assert notebook.run("print('unasked' in globals())") == "False\n"


# What the line of the magic says.


@both
@pytest.mark.parametrize(
    ("flags", "ran", "told"),
    [
        ("--approve deny", False, "only reading is allowed now"),
        ("--approve allow", True, "The code ran"),
        ("--approve allow --tools run_code,evaluate", True, "The code ran"),
        ("--approve allow --tools list_variables", False, "switched off"),
        ("--approve allow --tools none", False, "'run_code'"),
    ],
)
def test_the_line_says_which_tools_there_are_and_whether_they_ask(
    notebook: ToolNotebook, flags: str, ran: bool, told: str
) -> None:
    notebook.will_call("run_code", code="flagged = True")
    notebook.run("flagged = False")

    notebook.finish(notebook.start(f"%%rustbot {flags}\nGo"))

    assert told in notebook.results()[0]
    assert notebook.run("print(flagged)") == f"{ran}\n"


@both
def test_with_schema_only_no_value_of_a_variable_leaves_through_a_tool(notebook: ToolNotebook) -> None:
    secret = "planted-value-4711"
    notebook.run(f"word = {secret!r}\ntable = {{'word': word}}\nword")
    notebook.run("try:\n    raise KeyError(word)\nexcept KeyError: pass")
    notebook.finish(notebook.start("raise ValueError(word)"))
    used = [
        # Code first: once a value was read, it could carry that away, and asks.
        ("run_code", {"code": "print(word); word"}),
        ("run_code", {"code": "raise ValueError(word)"}),
        ("run_code", {"code": "import sys; print(word, file=sys.stderr); display(word)"}),
        ("list_variables", {}),
        ("describe_variable", {"name": "table"}),
        ("evaluate", {"expression": "word + '!'"}),
        ("evaluate", {"expression": "table[word]"}),
        ("recent_cells", {"count": 20}),
        ("last_error", {}),
    ]
    notebook.server.script(
        *(calls(name, **arguments, call_id=f"call_{number}") for number, (name, arguments) in enumerate(used)),
        answer("Done."),
    )

    notebook.finish(notebook.start("%%rustbot --schema-only --approve allow\nWhat is in $table?"))

    results = notebook.results()
    assert len(results) == len(used)
    assert "ValueError" in results[-1]
    # The cells that the user wrote are their words, not values; this one holds the value as it was typed.
    sent = [result for (name, _), result in zip(used, results, strict=True) if name != "recent_cells"]
    assert [text for text in sent if secret in text] == []
    assert secret not in notebook.server.chats[0].json["messages"][-1]["content"]


# What the code does, and where what it shows goes.


@both
@pytest.mark.parametrize("where", ["cell", "chat"])
def test_code_changes_the_users_variables_and_what_it_shows_is_in_no_cell(notebook: ToolNotebook, where: str) -> None:
    notebook.run("numbers = [1]")
    before = notebook.run("5 * 5\nprint(len(In), len(Out), get_ipython().execution_count)")
    notebook.will_call(
        "run_code",
        code="import sys\nnumbers.append(2)\nprint('printed ' + 'by code')\ndisplay('shown ' + 'by code')\n"
        "print('cried ' + 'by code', file=sys.stderr)\nnumbers",
    )
    seen = len(notebook.kernel.messages)

    if where == "cell":
        cell = notebook.start("print('first')\nreply = bot.ask('Go')\nprint('last')")
        notebook.say_yes()
        notebook.finish(cell)
    else:
        chat = notebook.chat()
        chat.ask("send", text="Go")
        notebook.allow(chat)
        chat.until_answered("Done.")

    told = notebook.results()[0]
    words = [f"{word} by code" for word in ("printed", "shown", "cried")]
    assert [word for word in words if word not in told] == []
    assert "result: list" in told
    said = [m["content"] for m in notebook.kernel.messages[seen:] if m["msg_type"] in ("stream", "display_data")]
    assert [content for content in said if any(word in str(content) for word in words)] == []
    after = notebook.run("print(len(In), len(Out), get_ipython().execution_count)\nassert numbers == [1, 2]")
    cells_before, outputs, count = map(int, before.split())
    assert after == f"{cells_before + 2} {outputs} {count + 2}\n"


@both
def test_the_last_results_of_the_user_are_not_those_of_code(notebook: ToolNotebook) -> None:
    notebook.run("11")
    notebook.run("22")
    notebook.will_call("run_code", code="33")

    notebook.run("reply = %rustbot --approve allow go")

    assert "result: int = 33" in notebook.results()[0]
    assert notebook.run("print(_, __)") == "22 11\n"


@both
def test_a_picture_of_the_code_is_shown_once_below_the_answer(notebook: ToolNotebook) -> None:
    pytest.importorskip("matplotlib")
    notebook.run("import matplotlib.pyplot as plt")
    notebook.will_call("run_code", code="import matplotlib.pyplot as plt\nplt.plot([1, 2])")

    cell = notebook.start("reply = %rustbot --approve allow draw")
    notebook.finish(cell)

    pictures = [content for content in notebook.said(cell, "display_data") if "image/png" in content["data"]]
    assert len(pictures) == 1
    assert notebook.run("print(len(reply.tool_runs[0].images), plt.get_fignums())") == "1 []\n"
    assert "image_url" in str(notebook.server.chats[-1].json["messages"])


# Tools of the user's own.

TOOLS = """
lock, line = asyncio.Lock(), asyncio.Queue()
async def fill():
    while True:
        await asyncio.sleep(0.01)
        await line.put(threading.current_thread().name)
filling = asyncio.create_task(fill())
async def fetch() -> str:
    "Fetch."
    async with lock:
        return await line.get()
tool = bot.tools.add(fetch, risk="read")
"""


@both
@pytest.mark.parametrize("way", [*ASKING, "chat"])
def test_a_users_coroutine_uses_what_lives_on_the_kernels_loop(notebook: ToolNotebook, way: str) -> None:
    notebook.run(TOOLS)
    notebook.will_call("fetch")

    if way == "chat":
        chat = notebook.chat()
        chat.ask("send", text="Go")
        chat.until_answered("Done.")
    else:
        cell = notebook.start(ASKING[way])
        notebook.finish(cell)
        assert notebook.errors(cell) == []

    assert notebook.results() == ["MainThread"]
    # The kernel's loop is as it was: cells await on it, and its tasks go on.
    assert notebook.run("print(lock.locked(), await line.get(), filling.cancel())") == "False MainThread True\n"


# The notebook's Stop.

RUNNING: dict[str, tuple[str, dict[str, Any]]] = {
    "waiting for the user": ("run_code", {"code": "1"}),
    "a function": ("blocks", {}),
    "a coroutine": ("awaits", {}),
    "code": ("run_code", {"code": "touch()\nwhile True: time.sleep(0.01)"}),
    "code that sleeps": ("run_code", {"code": "touch()\ntime.sleep(600)"}),
    "code that awaits": ("run_code", {"code": "touch()\nawait asyncio.sleep(600)"}),
    "a command": ("run_shell", {"command": "touch begun; sleep 600"}),
}
STOPPABLE = """
def touch():
    pathlib.Path("begun").touch()
def blocks() -> str:
    "Block."
    touch()
    while True: time.sleep(0.01)
async def awaits() -> str:
    "Wait."
    # Told once it waits: a Stop in the midst of a step is another matter.
    asyncio.get_running_loop().call_soon(touch)
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(0.01)
        tidied.append(1)
tidied = []
for tool in (blocks, awaits): bot.tools.add(tool, risk="read")
pathlib.Path("begun").unlink(missing_ok=True)
"""


def begin(notebook: ToolNotebook, state: str, cell: str = "reply = %rustbot go") -> str:
    """A cell whose question has a tool call in this state."""
    notebook.run(STOPPABLE)
    name, arguments = RUNNING[state]
    notebook.will_call(name, **arguments)
    if state == "waiting for the user":
        parent = notebook.start(cell)
        if notebook.has_cards:
            notebook.card()
        else:
            notebook.prompt()
    else:
        notebook.run("bot.approve = 'allow'")
        parent = notebook.start(cell)
        eventually(lambda: notebook.file("begun").exists())
    return parent


def is_usable(notebook: ToolNotebook) -> bool:
    """Whether the next question is answered, the stopped call having one result in it."""
    notebook.server.script(answer("Next."))
    text = notebook.run("reply = bot.ask('And now?')\nprint(reply.text)")
    return text == "Next.\n" and len(notebook.results()) == 1


@both
@pytest.mark.parametrize("presses", [1, 3, 10])
@pytest.mark.parametrize("state", RUNNING)
def test_stop_ends_a_tool_in_every_state_however_often_it_is_pressed(
    notebook: ToolNotebook, state: str, presses: int
) -> None:
    cell = begin(notebook, state)

    pressed = notebook.stop(presses)
    notebook.finish(cell)
    took_s = time.monotonic() - pressed

    assert notebook.errors(cell) == []
    assert notebook.run(LEFT) == "idle []\n"
    assert took_s < SOON_S
    assert is_usable(notebook)
    assert notebook.run("print(tidied)") == ("[1]\n" if state == "a coroutine" else "[]\n")


@both
@pytest.mark.parametrize("way", ["ask", "await", "stream"])
@pytest.mark.parametrize("state", ["waiting for the user", "a coroutine", "code"])
def test_stop_ends_a_tool_of_a_question_from_python(notebook: ToolNotebook, state: str, way: str) -> None:
    cell = begin(notebook, state, ASKING[way])

    pressed = notebook.stop()
    notebook.finish(cell)
    took_s = time.monotonic() - pressed

    assert notebook.errors(cell)[0] in ("KeyboardInterrupt", "CancelledError")
    notebook.idle()
    assert notebook.run(LEFT) == "idle []\n"
    assert took_s < SOON_S
    assert is_usable(notebook)


@both
def test_what_was_said_before_a_tool_is_kept_when_it_is_stopped(notebook: ToolNotebook) -> None:
    notebook.run(STOPPABLE)
    steps = list(calls("run_code", code="touch()\nwhile True: time.sleep(0.01)"))
    notebook.server.script([*opening("I will look. "), *steps[1:]], answer("Next."))
    cell = notebook.start("%%rustbot --approve allow\nGo")
    eventually(lambda: notebook.file("begun").exists())

    notebook.stop()
    notebook.finish(cell)

    assert "I will look." in notebook.shown(cell)
    assert is_usable(notebook)
    assert "I will look. " in [message["content"] for message in notebook.server.chats[-1].json["messages"]]


# A cell that has the main thread.

BUSY = (
    "print('busy')\nend = time.time() + 60\n"
    "while not pathlib.Path('go').exists() and time.time() < end: time.sleep(0.01)"
)


class Busy:
    """A chat whose model wants code run, allowed, while a cell has the main thread until there is a file `go`."""

    def __init__(self, notebook: ToolNotebook) -> None:
        self.notebook = notebook
        notebook.file("go").unlink(missing_ok=True)
        notebook.run("ran = []")
        self.chat = notebook.chat()
        notebook.will_call("run_code", code="ran.append(1)")
        self.cell = notebook.start(BUSY)
        notebook.kernel.until(lambda: notebook.printed(self.cell) == "busy\n")
        self.chat.ask("send", text="Go")
        notebook.allow(self.chat)
        self.until_call_is("waiting_kernel")
        self.until_bot_is("waiting_kernel")

    def until_call_is(self, state: str) -> None:
        """Wait until the page shows the call in this state."""
        self.notebook.kernel.until(lambda: [run["state"] for run in self.chat.page.tool_runs.values()] == [state])

    def until_bot_is(self, state: str) -> None:
        """Wait until the page shows the bot in this state."""
        self.notebook.kernel.until(lambda: self.chat.page.state["state"] == state)

    def let_go(self) -> None:
        """Let the cell end."""
        self.notebook.file("go").touch()
        self.notebook.finish(self.cell)


@pytest.fixture
def busy(notebook: ToolNotebook) -> Iterator[Busy]:
    busy = Busy(notebook)
    yield busy
    busy.let_go()


def test_code_waits_for_a_busy_cell_and_runs_after_it(busy: Busy, notebook: ToolNotebook) -> None:
    busy.let_go()
    busy.chat.until_answered("Done.")

    assert notebook.run("print(ran)") == "[1]\n"
    assert notebook.errors(busy.cell) == []


@pytest.mark.parametrize("command", ["stop", "cancel_tool"])
def test_code_that_waits_for_a_busy_cell_can_be_stopped_and_the_cell_goes_on(
    busy: Busy, notebook: ToolNotebook, command: str
) -> None:
    (run,) = busy.chat.page.tool_runs
    fields = {"run_id": run} if command == "cancel_tool" else {}
    busy.chat.ask(command, **fields)
    busy.until_call_is("interrupted")
    busy.until_bot_is("idle")

    assert not notebook.kernel.is_done(busy.cell)
    busy.let_go()
    assert notebook.errors(busy.cell) == []
    assert notebook.run("print(ran)") == "[]\n"


def test_the_notebooks_stop_ends_the_busy_cell_and_not_what_waits_for_it(busy: Busy, notebook: ToolNotebook) -> None:
    notebook.stop()
    notebook.finish(busy.cell)
    busy.chat.until_answered("Done.")

    assert notebook.errors(busy.cell) == ["KeyboardInterrupt"]
    assert notebook.run("print(ran)") == "[1]\n"


# What else asks.


@both
@pytest.mark.parametrize("is_there", [True, False], ids=["yes", "nobody"])
def test_a_tool_that_the_user_calls_asks_in_the_cell(notebook: ToolNotebook, is_there: bool) -> None:
    notebook.run("called = False")
    cell = notebook.start("bot.tools.call('run_code', code='called = True').text", takes_input=is_there)
    if is_there:
        notebook.say_yes()
    notebook.finish(cell)

    failures = [content["evalue"] for content in notebook.said(cell, "error")]
    assert [NOBODY in text for text in failures] == ([] if is_there else [True])
    assert notebook.run("print(called)") == f"{is_there}\n"


@both
@pytest.mark.parametrize("is_there", [True, False], ids=["yes", "nobody"])
def test_a_server_that_is_not_approved_asks_in_the_cell_that_starts_it(notebook: ToolNotebook, is_there: bool) -> None:
    script = Path(__file__).parents[1] / "servers" / "mcp_misbehaving.py"
    entry = {"command": sys.executable, "args": [str(script), "honest", str(is_there)]}
    notebook.file(".mcp.json").write_text(json.dumps({"mcpServers": {"honest": entry}}))
    cell = notebook.start("bot.mcp.start('honest')", takes_input=is_there)
    if is_there:
        notebook.say_yes()
    notebook.finish(cell)
    notebook.file(".mcp.json").unlink()

    assert notebook.errors(cell) == ([] if is_there else ["RequestError"])
    states = notebook.run("print(*(each.state for each in bot.mcp.list()))")
    assert states == ("running\n" if is_there else "unapproved\n")


@pytest.mark.parametrize("is_loaded", [False, True], ids=["without %load_ext", "with %load_ext"])
def test_the_last_error_is_known_from_before_the_first_tool(notebook: ToolNotebook, is_loaded: bool) -> None:
    notebook.run("bot.close()\n%unload_ext rustbot_jupyter")
    notebook.run(f"bot = rb.Rustbot(model='test/model', base_url={notebook.server.base_url!r})\nrb.set_bot(bot)")
    notebook.finish(notebook.start("missing_before_any_tool"))
    notebook.run("1 + 1")
    notebook.run("%load_ext rustbot_jupyter" if is_loaded else "2 + 2")
    notebook.will_call("last_error")

    notebook.run("reply = bot.ask('Why?')")

    assert "missing_before_any_tool" in notebook.results()[0]


# Code that changes more than variables.

WORLD = """
import asyncio, builtins, os, signal, sys, threading, time
home, environ = os.getcwd(), dict(os.environ)
handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
kept = [(owner, dict(vars(owner))) for owner in (sys, builtins, time, threading)]
policy, loop, limit = asyncio.get_event_loop_policy(), asyncio.get_event_loop(), sys.getrecursionlimit()
def restore():
    os.chdir(home)
    os.environ.clear()
    os.environ.update(environ)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for owner, names in kept:
        vars(owner).update(names)
    vars(sys.stdout).pop("write", None)
    sys.setrecursionlimit(limit)
    asyncio.set_event_loop_policy(policy)
    asyncio.set_event_loop(loop)
"""
"""A module of the kernel that puts back what the code of a test changes."""
CHANGES = [
    "import os, tempfile; os.chdir(tempfile.mkdtemp())",
    "import os, tempfile; path = tempfile.mkdtemp(); os.chdir(path); os.rmdir(path)",
    "import os; os.environ.clear()",
    "import os; os.environ['PATH'] = ''",
    "import os; os.environ['HOME'] = os.environ['RUSTBOT_CONFIG_DIR'] = '/nowhere'",
    "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)",
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "import asyncio; asyncio.set_event_loop(asyncio.new_event_loop())",
    "import asyncio; asyncio.set_event_loop(None)",
    "import asyncio; asyncio.get_event_loop().close()",
    "import asyncio; await asyncio.sleep(0); asyncio.get_running_loop().close()",
    "import asyncio; asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())",
    "import io, sys; sys.stdout = io.StringIO()",
    "import sys; sys.stdout.close()",
    "import sys; sys.stdout.write = None",
    "import sys; sys.stdout = sys.stderr = None",
    "import sys; sys.__stdout__.close(); sys.__stderr__.close()",
    "import sys; sys.stdin = None; del sys.displayhook",
    "import os; os.close(0)",
    "import builtins; builtins.print = lambda *_: None",
    "import builtins; builtins.input = None",
    "import sys; sys.excepthook = None",
    "import threading; threading.excepthook = lambda about: None",
    "import time; time.sleep = lambda s: None",
    "import time; time.monotonic = lambda: 0.0",
    "import gc; gc.disable()",
    "import warnings; warnings.simplefilter('error')",
    "import logging; logging.disable(logging.CRITICAL); logging.shutdown()",
    "import sys; sys.settrace(lambda *_: None); sys.setswitchinterval(1)",
    "import socket; socket.setdefaulttimeout(0.001)",
    "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
    "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "%reset -f",
]


@pytest.mark.parametrize("code", CHANGES)
def test_whatever_code_changes_the_agent_goes_on(notebook: ToolNotebook, code: str) -> None:
    notebook.file("kept_world.py").write_text(WORLD)
    notebook.run("import kept_world")
    notebook.server.script(
        calls("run_code", code=code),
        calls("run_code", code="answer = 6 * 7; answer", call_id="call_2"),
        calls("list_variables", call_id="call_3"),
        calls("run_code", code="import asyncio; await asyncio.sleep(0); 'awaited'", call_id="call_4"),
        answer("Done."),
    )

    cell = notebook.start("%%rustbot --approve allow\nGo")
    notebook.finish(cell)
    try:
        _, second, third, fourth = notebook.results()
        assert notebook.errors(cell) == []
        assert "result: int = 42" in second
        assert "answer: int" in third
        assert "awaited" in fourth
    finally:
        notebook.run("import kept_world; kept_world.restore()")
    assert notebook.run("import asyncio; await asyncio.sleep(0); print(6 * 7)") == "42\n"
