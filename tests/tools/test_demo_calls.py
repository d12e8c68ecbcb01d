"""The demo model and the built-in tools fit: what it gives for a phrase is what the tool takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from rustbot_jupyter.llm.base import DEMO_MODEL, ChatRequest
from rustbot_jupyter.llm.demo_rules.answers import said_to
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.tools.base import Kernel, Tool
from rustbot_jupyter.tools.files import file_tools
from rustbot_jupyter.tools.notebook import notebook_tools
from rustbot_jupyter.tools.shell import shell_tools
from rustbot_jupyter.tools.system import system_tools
from rustbot_jupyter.tools.web import web_tools
from rustbot_jupyter.tools.workspace import Workspace


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, Tool]:
    """The built-in tools; none of them is run, so the kernel is never looked at."""
    workspace = Workspace(tmp_path)
    kernel = cast(Kernel, None)
    made = [
        *notebook_tools(kernel),
        *file_tools(workspace),
        *shell_tools(workspace),
        *web_tools(),
        *system_tools(),
    ]
    return {tool.name: tool for tool in made}


PHRASES: dict[str, tuple[str, dict[str, Any]]] = {
    "what variables do I have?": ("list_variables", {}),
    "describe df": ("describe_variable", {"name": "df"}),
    "evaluate len(df)": ("evaluate", {"expression": "len(df)"}),
    "run print(1)": ("run_code", {"code": "print(1)"}),
    "show me the last 3 cells": ("recent_cells", {"count": 3}),
    "what was the last error": ("last_error", {}),
    "read notes.txt": ("read_file", {"path": "notes.txt"}),
    "write hello to notes.txt": ("write_file", {"path": "notes.txt", "text": "hello"}),
    "replace milk with tea in notes.txt": ("edit_file", {"path": "notes.txt", "old": "milk", "new": "tea"}),
    "list the files in data": ("list_files", {"path": "data"}),
    "find *.csv": ("find_files", {"pattern": "*.csv"}),
    "search for TODO in files": ("search_files", {"query": "TODO"}),
    "search for TODO in notes.txt": ("search_files", {"query": "TODO", "path": "notes.txt"}),
    "delete notes.txt": ("delete_file", {"path": "notes.txt"}),
    "run the command ls -la": ("run_shell", {"command": "ls -la"}),
    "search the web for news": ("web_search", {"query": "news"}),
    "fetch https://example.org": ("fetch_page", {"url": "https://example.org"}),
    "system info": ("system_info", {}),
    "how much memory do I have?": ("system_info", {"topic": "memory"}),
    "How much disk space is left?": ("system_info", {"topic": "disk"}),
    "how many cores does this machine have?": ("system_info", {"topic": "cpu"}),
    "which python version is this?": ("system_info", {"topic": "platform"}),
    "what packages are installed?": ("system_info", {"topic": "packages"}),
    "is pandas installed?": ("system_info", {"topic": "packages", "word": "pandas"}),
    "what time is it?": ("system_info", {"topic": "time"}),
}


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_arguments_of_the_demo_are_those_of_the_tool(phrase: str, tools: dict[str, Tool]) -> None:
    definitions = tuple(tool.definition.wire() for tool in tools.values())

    said = said_to(ChatRequest(model=DEMO_MODEL, messages=(user_message(phrase),), tools=definitions))

    (call,) = said.calls
    assert (call.name, json.loads(call.arguments)) == PHRASES[phrase]
    tools[call.name].check(json.loads(call.arguments))


def test_there_is_a_phrase_for_every_built_in_tool(tools: dict[str, Tool]) -> None:
    assert {name for name, _ in PHRASES.values()} == set(tools)
