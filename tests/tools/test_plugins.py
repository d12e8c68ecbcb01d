"""Plugins: found by their entry points, loaded when wanted, disabled when they fail."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from effort import SOON_S

from rustbot_jupyter.tools.base import Risk, ToolContext
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.plugins import Plugins
from rustbot_jupyter.tools.registry import ToolRegistry

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "rustbot-plugin-units"


@pytest.fixture(scope="module")
def installed_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example was installed, without the network."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(EXAMPLE)], check=True, timeout=100)
    return target


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(folder: Path, name: str, code: str) -> None:
    """A plugin, as an installer leaves it."""
    (folder / f"plugin_{name}.py").write_text(code, encoding="utf-8")
    info = folder / f"plugin_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: plugin-{name}\nVersion: 1.0\nSummary: Does {name}.\n")
    (info / "entry_points.txt").write_text(f"[rustbot_jupyter.plugins]\n{name} = plugin_{name}:register\n")


GOOD = "def hello():\n    'Says hello.'\n    return 'hello'\ndef register(registry):\n    registry.add(hello)\n"
TWO = GOOD.replace("registry.add(hello)", "registry.add(hello, name='free')\n    registry.add(hello, name='taken')")


async def test_the_example_is_installed_found_and_used(installed_example, monkeypatch):
    monkeypatch.syspath_prepend(installed_example)
    registry = ToolRegistry()
    plugins = Plugins(registry)

    await plugins.ready(60)

    tool = registry.get("convert_units")
    result = await tool.run(tool.check({"value": 20, "from_unit": "°C", "to_unit": "°F"}), ToolContext())
    assert result.text == "68 °F"
    assert (tool.source, tool.risk, tool.label) == ("plugin:units", Risk.READ, "Convert units")
    (plugin,) = plugins.installed()
    assert (plugin.name, plugin.package) == ("units", "rustbot-plugin-units 1.0.0")
    assert plugin.description.startswith("Converts lengths")


async def test_a_function_without_a_risk_asks(folder):
    install(folder, "good", GOOD)
    registry = ToolRegistry()

    await Plugins(registry).ready(60)

    assert registry.get("hello").risk is Risk.EXECUTE


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_4711", "ModuleNotFoundError"),
        ("x = 1", "AttributeError"),
        ("this is no Python", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def register(registry): 1 / 0", "ZeroDivisionError"),
        ("def register(registry): registry.add(7)", "A tool is made of a function"),
        ("def register(registry): registry.add(len, name='no name')", "cannot be named"),
        ("register = 7", "TypeError"),
    ],
)
async def test_a_plugin_that_fails_is_disabled_with_a_message_and_others_load(folder, code, reason):
    install(folder, "bad", code)
    install(folder, "good", GOOD)
    registry = ToolRegistry()
    plugins = Plugins(registry)

    await plugins.ready(60)

    assert [tool.name for tool in registry.all()] == ["hello"]
    (problem,) = plugins.problems
    assert problem.plugin == "bad"
    assert problem.error.startswith("The plugin 'bad' is disabled")
    assert reason in problem.error
    for name in ("plugin_bad", "plugin_good"):
        sys.modules.pop(name, None)


async def test_a_plugin_whose_name_is_taken_adds_none_of_its_tools(folder):
    install(folder, "two", TWO)
    registry = ToolRegistry()
    builtin = registry.add(tool_of(lambda: "ours", name="taken", description="Ours."))
    plugins = Plugins(registry)

    await plugins.ready(60)

    assert registry.all() == [builtin]
    assert "'taken' is the name of" in plugins.problems[0].error


async def test_plugins_are_loaded_once_and_not_before_they_are_wanted(folder):
    install(
        folder, "counted", f"import builtins\nbuiltins.loaded_4711 = getattr(builtins, 'loaded_4711', 0) + 1\n{GOOD}"
    )
    plugins = Plugins(ToolRegistry())

    assert [each.name for each in plugins.installed()] == ["counted"]
    assert "plugin_counted" not in sys.modules
    await plugins.ready(60)
    await plugins.ready(60)

    import builtins

    assert builtins.__dict__.pop("loaded_4711") == 1


async def test_a_plugin_that_hangs_keeps_nobody_waiting(folder):
    install(folder, "slow", "import time\nfor _ in range(6000): time.sleep(0.01)\n" + GOOD)
    plugins = Plugins(ToolRegistry())
    started = time.monotonic()

    await plugins.ready(0.1)
    await plugins.close()

    assert time.monotonic() - started < SOON_S
    for thread in threading.enumerate():
        if thread.name == "rustbot-tool":
            thread.join(10)
            assert not thread.is_alive()
