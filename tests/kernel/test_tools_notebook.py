"""`notebooks/tools.ipynb` shows what it says: tools that ran, one that was allowed, one that was refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.kernel

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "tools.ipynb"


@pytest.fixture
def after_it(own_kernel: Any) -> Any:
    """A kernel in which all cells of the notebook ran, from top to bottom and without a person."""
    # The folder of our settings is off limits to tools, so it is not the one that the notebook works in.
    own_kernel.run("import os; os.environ['RUSTBOT_CONFIG_DIR'] = os.environ['RUSTBOT_DATA_DIR'] = 'settings'")
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        if cell.cell_type == "code":
            own_kernel.run(cell.source)
    return own_kernel


def test_the_notebook_of_tools_shows_what_it_says(after_it: Any) -> None:
    runs = json.loads(after_it.run(f"print(bot.tool_runs()[{COLUMNS}].to_json(orient='values'))"))
    state = after_it.run("print(len(flats), type(figure).__name__, notes.exists())")
    said = after_it.run("print(*(message.text for message in bot.conversation.messages))")

    assert runs == RUNS
    assert state == "4 Figure False\n"
    assert [text for text in ANSWERS if text not in said] == []


COLUMNS = ["tool", "source", "status", "approval"]
RUNS = [
    ["list_variables", "built-in", "complete", "not needed"],
    ["list_variables", "built-in", "complete", "not needed"],
    ["describe_variable", "built-in", "complete", "not needed"],
    ["describe_variable", "built-in", "complete", "not needed"],
    ["evaluate", "built-in", "complete", "not needed"],
    ["run_code", "built-in", "complete", "allowed once"],
    ["run_code", "built-in", "refused", "refused"],
    ["convert", "user", "complete", "not needed"],
    ["people_of", "user", "complete", "not needed"],
    ["people_of", "user", "error", "not needed"],
    ["read_file", "built-in", "complete", "not needed"],
    ["read_file", "built-in", "error", "not needed"],
]
ANSWERS = [
    "| `flats` |",
    "This is `flats`:",
    "This is `cities`:",
    "You did not allow `run_code`",
    "I still need it.",
    "26.219 miles",
    "710000",
    "KeyError: 'Atlantis'",
    "Bern: view of the river",
    "off limits",
]
