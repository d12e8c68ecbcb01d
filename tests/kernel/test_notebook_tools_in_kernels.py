"""Code and coroutines that tools run on a real kernel's main thread, on the oldest and the newest ipykernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.kernel

IPYKERNELS = ["6.31", "7.4"]
SETUP = """
import asyncio, threading, time
from rustbot_jupyter.notebook.core import attach_core
from rustbot_jupyter.notebook.kernel_port import kernel_port
from rustbot_jupyter.notebook.mainloop import main_thread
if "_core" not in globals():
    _core = attach_core()
_port, _said, _begun = kernel_port(), [], threading.Event()
def _run(code):
    _begun.clear()
    return _core.start(_port.run_code(code, on_start=_begun.set, on_output=_said.append))
def _await(make):
    _begun.clear()
    return _core.start(_port.run_coroutine(make, on_start=_begun.set))
def _cancel_when(event, future):
    def cancel():
        event.wait(20)
        future.cancel()
    threading.Thread(target=cancel, daemon=True).start()
"""


@pytest.fixture(params=IPYKERNELS)
def notebook(kernels: Callable[[str | None], Any], request: pytest.FixtureRequest) -> Any:
    kernel = kernels(request.param)
    kernel.run(SETUP)
    return kernel


def says(kernel: Any, word: str) -> None:
    """Wait until a cell has printed this."""
    kernel.until(lambda: any(word in _printed(message) for message in kernel.messages))


def _printed(message: dict[str, Any]) -> str:
    text: str = message["content"]["text"] if message["msg_type"] == "stream" else ""
    return text


def result_of(kernel: Any, name: str = "_future") -> str:
    """The text of a run that needs no cell any more."""
    kernel.run(f"while not {name}.done(): await asyncio.sleep(0.01)")
    printed: str = kernel.run(f"print({name}.result().text, end='')")
    return printed


def test_code_runs_inside_a_cell_that_waits_for_it(notebook: Any) -> None:
    printed = notebook.run("n = 20\nprint(main_thread.serve_until(_run('m = n * 2\\nprint(m)\\nm + 2')).text, end='')")

    assert printed == "40\nresult: int = 42\n"
    assert notebook.run("print(m)") == "40\n"


def test_code_runs_between_cells_and_its_output_is_nobodys(notebook: Any) -> None:
    seen = len(notebook.messages)
    notebook.run("_future = _run('print(1)\\ndisplay(2)\\n1 / 0')")

    text = result_of(notebook)

    assert text.startswith("1\n2\nTraceback")
    said = [m for m in notebook.messages[seen:] if m["msg_type"] in ("display_data", "execute_result", "error")]
    assert said == []
    assert notebook.run("print(sorted(Out), _port.last_error(schema_only=False) == '')") in ("[] True\n", "[] False\n")


def test_code_waits_for_a_running_cell_and_then_runs(notebook: Any) -> None:
    notebook.run("_future, _order = None, []")
    cell = notebook.start("_future = _run('_order.append(2)')\nwaited = not _begun.wait(1)\n_order.append(1)")
    notebook.until(lambda: notebook.is_done(cell))
    result_of(notebook)

    assert notebook.run("print(waited, _order)") == "True [1, 2]\n"


def test_a_cancel_while_it_waits_drops_it_and_the_cell_is_left_alone(notebook: Any) -> None:
    notebook.run(
        "_ran = []\n_future = _run('_ran.append(1)')\ntime.sleep(0.2)\n"
        "_future.cancel()\ntime.sleep(0.5)\nprint('whole')"
    )

    assert notebook.run("await asyncio.sleep(0.2)\nprint(_ran, _future.cancelled())") == "[] True\n"


def test_a_cancel_while_it_runs_between_cells_interrupts_it_and_no_cell(notebook: Any) -> None:
    notebook.run("_future = _run('import time\\ntime.sleep(60)')\n_cancel_when(_begun, _future)")

    for _ in range(20):
        notebook.run("sum(range(100_000))")

    assert notebook.run("print(_future.cancelled())") == "True\n"


def test_a_cancel_while_it_runs_inside_a_cell_leaves_the_cell_going(notebook: Any) -> None:
    printed = notebook.run(
        "from concurrent.futures import CancelledError\n"
        "_future = _run('import time\\ntime.sleep(60)')\n_cancel_when(_begun, _future)\n"
        "try:\n    main_thread.serve_until(_future)\nexcept CancelledError:\n    print('cancelled')\n"
        "print(main_thread.serve_until(_run('7')).text, end='')"
    )

    assert printed == "cancelled\nresult: int = 7\n"


def test_the_stop_interrupts_the_code_and_the_cell_that_waits(notebook: Any) -> None:
    cell = notebook.start(
        "_future = _run('print(\"begun\")\\nimport time\\ntime.sleep(60)')\n"
        "threading.Thread(target=lambda: (_begun.wait(20), print('running'))).start()\n"
        "main_thread.serve_until(_future)"
    )
    says(notebook, "running")
    notebook.interrupt()
    notebook.until(lambda: notebook.is_done(cell))

    errors = [m["content"]["ename"] for m in notebook.messages if m["msg_type"] == "error"]
    assert errors[-1] == "KeyboardInterrupt"
    assert notebook.run("print(_future.result(30).error)") == "KeyboardInterrupt\n"
    assert notebook.run("print(main_thread.serve_until(_run('8')).text, end='')") == "result: int = 8\n"


def test_the_stop_interrupts_code_between_cells_and_the_kernel_lives(notebook: Any) -> None:
    # What runs between cells says nothing to the page; a cell's thread says it instead.
    notebook.run(
        "_future = _run('import time\\ntime.sleep(60)')\n"
        "def _tell():\n    _begun.wait(20)\n    print('it runs')\n"
        "threading.Thread(target=_tell).start()"
    )
    says(notebook, "it runs")
    notebook.interrupt()

    assert "KeyboardInterrupt" in result_of(notebook)


def test_a_users_coroutine_runs_on_the_kernels_loop_between_cells_and_inside_a_blocking_one(notebook: Any) -> None:
    notebook.run(
        "_lock = asyncio.Lock()\n"
        "async def _tool():\n"
        "    async with _lock:\n"
        "        await asyncio.sleep(0.05)\n"
        "    return threading.current_thread().name, id(asyncio.get_running_loop())\n"
        "_loop = id(asyncio.get_running_loop())\n_future = _await(_tool)"
    )
    notebook.run("while not _future.done(): await asyncio.sleep(0.01)")

    assert notebook.run("print(_future.result() == ('MainThread', _loop))") == "True\n"
    assert notebook.run("print(main_thread.serve_until(_await(_tool)) == ('MainThread', _loop))") == "True\n"
    # It is the kernel's loop still, and cells that await work on it.
    assert notebook.run("await asyncio.sleep(0.01)\nprint(id(asyncio.get_running_loop()) == _loop)") == "True\n"


def test_the_stop_cancels_and_drains_a_users_coroutine_in_a_blocking_cell(notebook: Any) -> None:
    notebook.run(
        "_log = []\n"
        "async def _tool():\n"
        "    try:\n        _log.append('begun'); await asyncio.sleep(60)\n"
        "    finally:\n        await asyncio.sleep(0.01); _log.append('tidied')"
    )
    cell = notebook.start(
        "_future = _await(_tool)\nthreading.Thread(target=lambda: (_begun.wait(20), print('in it'))).start()\n"
        "main_thread.serve_until(_future)"
    )
    says(notebook, "in it")
    notebook.interrupt()
    notebook.until(lambda: notebook.is_done(cell))

    assert notebook.run("print(_log, main_thread.tasks)") == "['begun', 'tidied'] []\n"
    assert notebook.run("print('alive')") == "alive\n"


def test_a_cell_that_waits_helps_code_that_awaits_and_began_before_it(notebook: Any) -> None:
    notebook.run("_future = _run('import asyncio\\nawait asyncio.sleep(0.5)\\nprint(\"awaited\")')")

    assert notebook.run("print(main_thread.serve_until(_future).text, end='')") == "awaited\n"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("raise SystemExit(3)", "SystemExit"),
        ("exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def deeper(): deeper()\ndeeper()", "RecursionError"),
        ("input('name')", "EOFError"),
        ("import asyncio; await asyncio.sleep(0); raise SystemExit(3)", "SystemExit"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", "KeyboardInterrupt"),
    ],
)
def test_whatever_code_raises_between_cells_the_kernel_lives(notebook: Any, code: str, name: str) -> None:
    notebook.run(f"_future = _run({code!r})")

    assert name in result_of(notebook)
    assert notebook.run("print(_future.result().error.split(':')[0])") == f"{name}\n"


def test_a_coroutine_that_raises_system_exit_ends_nothing(notebook: Any) -> None:
    notebook.run("async def _leave():\n    raise SystemExit(3)\n_future = _await(_leave)")
    notebook.run("while not _future.done(): await asyncio.sleep(0.01)")

    assert notebook.run("print(_future.exception())") == "SystemExit: 3\n"


def test_a_flood_of_output_is_bounded_and_reaches_no_cell(notebook: Any) -> None:
    seen = len(notebook.messages)
    notebook.run("_said.clear()\n_future = _run('for _ in range(200_000): print(\"y\" * 100)')")

    text = result_of(notebook)

    assert 50_000 < len(text) < 70_000
    assert int(notebook.run("print(sum(map(len, _said)))")) < 110_000
    assert sum(len(_printed(message)) for message in notebook.messages[seen:]) < 80_000


def test_pictures_of_the_code_and_of_the_cell_do_not_mix(notebook: Any) -> None:
    pytest.importorskip("matplotlib")
    notebook.run("import matplotlib.pyplot as plt")
    seen = len(notebook.messages)

    printed = notebook.run(
        "plt.figure(); plt.plot([1, 2])\n"
        "_result = main_thread.serve_until(_run('import matplotlib.pyplot as plt\\nplt.plot([3, 4])'))\n"
        "print(len(_result.images), len(plt.get_fignums()))"
    )

    assert printed == "1 1\n"
    shown = [m["content"]["data"] for m in notebook.messages[seen:] if m["msg_type"] == "display_data"]
    assert len(shown) == 1
    assert "image/png" in shown[0]


def test_in_and_out_keep_their_numbers(notebook: Any) -> None:
    numbers = "print(len(In), get_ipython().execution_count)"
    before = [int(text) for text in notebook.run(numbers).split()]
    notebook.run("_outs = dict(Out)\n_future = _run('1 + 1')")
    result_of(notebook)
    after = [int(text) for text in notebook.run(numbers).split()]

    # The cells of this test alone: two that look, one that starts it, and one that asks for the numbers again.
    assert after == [number + 4 for number in before]
    assert notebook.run("print(dict(Out) == _outs)") == "True\n"
