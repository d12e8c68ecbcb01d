"""Which tools there are, and which are on."""

from __future__ import annotations

import threading

import pytest
from effort import cpu_at_most

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.tools.base import BUILT_IN, USER, Risk, Tool, ToolDefinition
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.registry import ToolRegistry


def make_tool(name: str, source: str = USER) -> Tool:
    return tool_of(lambda: None, name=name, source=source, risk=Risk.READ)


def test_built_in_tools_come_first_then_those_of_each_source_by_name():
    registry = ToolRegistry()
    for name, source in [("b", USER), ("z", BUILT_IN), ("s__a", "mcp:s"), ("a", USER), ("y", BUILT_IN)]:
        registry.add(make_tool(name, source))

    assert [tool.name for tool in registry.all()] == ["y", "z", "s__a", "a", "b"]


def test_a_tool_takes_the_place_of_an_older_one_of_its_own_source_only():
    registry = ToolRegistry()
    registry.add(make_tool("read_file", BUILT_IN))
    registry.add(make_tool("mine"))

    newer = registry.add(make_tool("mine"))

    assert registry.get("mine") is newer
    with pytest.raises(RequestError, match="'read_file' is the name of a built-in tool already"):
        registry.add(make_tool("read_file"))
    with pytest.raises(RequestError, match="a tool of 'user' already"):
        registry.add(make_tool("mine", "mcp:server"))
    assert registry.get("mine") is newer


@pytest.mark.parametrize("name", ["", " ", "a b", "a.b", "a" * 65, "é", "a\n", "__class__ ", "a/b", "\ud800"])
def test_a_name_that_no_model_can_call_is_refused(name: str):
    tool = make_tool("fine")
    tool.definition = ToolDefinition(name=name, description="", parameters={})

    with pytest.raises(RequestError, match="cannot be named"):
        ToolRegistry().add(tool)


@pytest.mark.parametrize("name", ["a", "A-1_b", "server__tool", "1", "-", "a" * 64, "__class__"])
def test_a_name_that_a_model_can_call_is_taken(name: str):
    assert ToolRegistry().add(make_tool(name)).name == name


def test_an_unknown_name_gets_the_nearest_one():
    registry = ToolRegistry()
    registry.add(make_tool("read_file"))

    with pytest.raises(ToolError, match=r"There is no tool 'readfile'\. Did you mean 'read_file'\?"):
        registry.get("readfile")
    with pytest.raises(ToolError, match="Use one of the tools that were offered"):
        registry.get("zzz")


def test_a_page_as_a_name_is_answered_at_once_and_in_short():
    registry = ToolRegistry()
    for number in range(500):
        registry.add(make_tool(f"server__tool_with_a_long_name_{number}"))

    with cpu_at_most(1), pytest.raises(ToolError) as error:
        registry.get("server__tool_" * 100_000)

    assert len(str(error.value)) < 300


def test_switched_off_tools_are_not_offered():
    disabled = ["mine", "s__*"]
    registry = ToolRegistry(lambda: disabled)
    for name in ("mine", "s__a", "s__b", "other"):
        registry.add(make_tool(name))

    assert [tool.name for tool in registry.enabled()] == ["other"]
    assert not registry.is_enabled("s__a")
    disabled.clear()
    assert len(registry.enabled()) == 4
    assert not registry.is_enabled("nothing")


@pytest.mark.parametrize(
    ("only", "names"),
    [(None, ["a", "b", "s__a"]), ([], []), (["a"], ["a"]), (["s__*", "b"], ["b", "s__a"]), (["A"], []), (["x"], [])],
)
def test_a_question_may_want_some_of_them(only: list[str] | None, names: list[str]):
    registry = ToolRegistry()
    for name in ("a", "b", "s__a"):
        registry.add(make_tool(name))

    assert [tool.name for tool in registry.enabled(only)] == names
    assert [tool.name for tool in registry.enabled(None if only is None else iter(only))] == names


def test_listeners_hear_of_changes_until_they_go():
    registry = ToolRegistry()
    told: list[int] = []
    registry.on_change(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    end = registry.on_change(lambda: told.append(len(registry.all())))

    registry.add(make_tool("a"))
    registry.remove("a")
    registry.remove("a")
    end()
    end()
    registry.add(make_tool("b"))

    assert told == [1, 0, 0]


def test_threads_may_add_remove_and_list_at_once():
    registry = ToolRegistry()
    failed: list[BaseException] = []
    is_over = threading.Event()

    def change(number: int) -> None:
        for each in range(300):
            registry.add(make_tool(f"t{number}_{each % 7}"))
            registry.remove(f"t{number}_{(each + 3) % 7}")

    def look() -> None:
        try:
            while not is_over.is_set():
                registry.enabled(["t*"])
        except BaseException as error:
            failed.append(error)

    looker = threading.Thread(target=look)
    looker.start()
    changers = [threading.Thread(target=change, args=(number,)) for number in range(3)]
    for thread in changers:
        thread.start()
    for thread in changers:
        thread.join()
    is_over.set()
    looker.join()

    assert failed == []
