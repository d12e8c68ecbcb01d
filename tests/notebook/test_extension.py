"""What `%load_ext` and showing a chat load: the start of a kernel, and of a notebook's first cell, stays quick."""

from __future__ import annotations

import subprocess
import sys

SHELL = (
    "import sys\n"
    "from IPython.core.interactiveshell import InteractiveShell\n"
    "shell = InteractiveShell.instance()\n"
    "shell.run_line_magic('load_ext', 'rustbot_jupyter')\n"
)


def loaded_after(code: str, *packages: str) -> str:
    """Which of these a new Python has loaded after the code, as it prints them."""
    look = f"print(sorted(name for name in {packages!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", SHELL + code + look], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_loading_the_extension_loads_neither_the_magics_nor_what_they_need() -> None:
    loaded = loaded_after("", "rustbot_jupyter.notebook.magics", "rustbot_jupyter.rustbot", "pydantic", "ipywidgets")

    assert loaded == "[]"


def test_showing_a_chat_loads_its_widget_and_no_engine() -> None:
    code = "import rustbot_jupyter as rb\nbot = rb.Rustbot()\nbot._repr_mimebundle_()\n"

    loaded = loaded_after(
        code, "rustbot_jupyter.notebook.widget", "rustbot_jupyter.parts", "pydantic", "httpx", "pandas", "plotly", "mcp"
    )

    assert loaded == "['rustbot_jupyter.notebook.widget']"


def test_the_first_magic_loads_them_and_a_failed_cell_does() -> None:
    code = "shell.run_cell('1 / 0')\nassert shell.user_ns['Err'][1]\nshell.run_line_magic('rustbot', 'version')\n"

    assert loaded_after(code, "rustbot_jupyter.notebook.magics") == "['rustbot_jupyter.notebook.magics']"
