"""What system_info tells, and what it does not."""

from __future__ import annotations

import os
import platform
from datetime import datetime
from importlib import metadata

import psutil
import pytest

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.base import BUILT_IN, Risk, Tool, ToolContext
from rustbot_jupyter.tools.system import system_tools


@pytest.fixture
def tool() -> Tool:
    return system_tools()[0]


async def told(tool: Tool, **arguments: str) -> str:
    return (await tool.run(tool.check(arguments), ToolContext())).text


async def test_all_topics_are_told_but_the_packages(tool: Tool) -> None:
    lines = (await told(tool)).split("\n")

    assert [line.partition(":")[0] for line in lines] == ["time", "platform", "memory", "cpu", "disk", "process"]
    assert not [line for line in lines if "cannot be told" in line]
    assert f"{datetime.now():%Y-%m}" in lines[0]
    assert platform.python_version() in lines[1]
    assert f"number {os.getpid()}" in lines[5]
    assert (tool.risk, tool.source) == (Risk.READ, BUILT_IN)


@pytest.mark.parametrize("topic", ["time", "platform", "packages", "memory", "cpu", "disk", "process"])
async def test_one_topic_is_told_alone(tool: Tool, topic: str) -> None:
    text = await told(tool, topic=topic)

    assert text.startswith(f"{topic}: ")
    assert "\n" not in text


async def test_packages_are_found_by_a_word(tool: Tool) -> None:
    assert f"psutil {psutil.__version__}" in await told(tool, topic="packages", word="PSUTIL")
    assert f"Send2Trash {metadata.version('send2trash')}" in await told(tool, word="send2")
    assert await told(tool, topic="packages", word="no-such") == "packages: none has 'no-such' in its name"


async def test_an_unknown_topic_is_refused_with_those_there_are(tool: Tool) -> None:
    with pytest.raises(ToolError, match="'memory'"):
        tool.check({"topic": "environment"})


async def test_nothing_of_the_environment_is_told(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENROUTER_API_KEY", "HARMLESS", "PATH_TO_X"):
        monkeypatch.setenv(name, "zebra-4711")

    text = await told(tool) + await told(tool, topic="packages")

    assert "zebra-4711" not in text


async def test_a_part_that_cannot_be_told_leaves_the_rest(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed() -> None:
        raise PermissionError("/proc/meminfo")

    monkeypatch.setattr(psutil, "virtual_memory", closed)

    text = await told(tool)

    assert "memory: cannot be told here (PermissionError)" in text
    assert "disk: " in text
