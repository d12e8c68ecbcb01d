"""Imports go one way. An upward one is named here, wherever it stands in a file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "rustbot_jupyter"
ROOT = Path(__file__).parent.parent / PACKAGE

LAYERS = (
    {
        "certificates",
        "control_characters",
        "errors",
        "fences",
        "hidden_characters",
        "inert_markdown",
        "key_forms",
        "key_spellings",
        "markdown",
        "masking",
        "messages",
        "proxies",
        "secret_names",
        "this_machine",
        "unpacking",
        "usage",
        "whole_files",
    },
    {"events"},
    {"settings", "llm", "tools", "store", "analysis"},
    {"engine"},
    {
        "notebook.core",
        "notebook.mainloop",
        "notebook.compat",
        "notebook.protocol",
        "notebook.cell_approvals",
        "notebook.cell_output",
        "notebook.code_cells",
        "notebook.code_figures",
        "notebook.interrupts",
        "notebook.nested_loop",
        "notebook.session_tool_commands",
        "notebook.session_tools",
        "notebook.views_tools",
        "notebook.failures",
        "notebook.kernel_port",
        "notebook.traceback_text",
        "notebook.session",
        "notebook.session_answers",
        "notebook.session_commands",
        "notebook.session_library",
        "notebook.session_notices",
        "notebook.session_outbox",
        "notebook.session_transcript",
        "notebook.views",
        "notebook.views_settings",
        "notebook.widget",
    },
    {"toolset"},
    {"parts"},
    {"rustbot"},
    {"current"},
    {"notebook.magics"},
    {"cli"},
)
STRANGERS = LAYERS[2]
"""They stand side by side and do not know one another."""

HOMES = {
    "IPython": ("notebook",),
    "anywidget": ("notebook",),
    "comm": ("notebook",),
    "httpcore": ("tools.fetch", "tools.tunnels"),
    "httpx2": ("tools.mcp",),
    "httpx": ("llm", "tools.web_search"),
    "ipykernel": ("notebook",),
    "ipywidgets": ("notebook",),
    "mcp": ("tools.mcp",),
    "nest_asyncio2": ("notebook.nested_loop",),
    "pandas": ("analysis", "tools.variables"),
    "plotly": ("analysis",),
    "traitlets": ("notebook",),
    "truststore": ("certificates",),
}
"""The only places that may import an outside library; for the names of types alone, anyone may."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported module, and where it is imported."""

    path: Path
    line: int
    name: str
    is_for_types: bool

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT.parent)}:{self.line} imports {self.name}"


def imports_of(path: Path) -> list[Import]:
    """All imports of a file, those inside functions included."""
    return list(_walk(path, ast.parse(path.read_text(encoding="utf-8")), is_for_types=False))


def _walk(path: Path, node: ast.AST, *, is_for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            for name in _imported_names(child):
                yield Import(path=path, line=child.lineno, name=name, is_for_types=is_for_types)
        is_guard = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _walk(path, child, is_for_types=is_for_types or is_guard)


def _imported_names(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    # What is imported may be a module; the version is the one name of the package's own that all may have.
    return [f"{node.module}.{alias.name}" for alias in node.names if alias.name != "__version__"]


def module_name(path: Path) -> str:
    """`llm.base` for rustbot_jupyter/llm/base.py, and nothing for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in ROOT.rglob("*.py")}
IMPORTS = [each for path in FILES.values() for each in imports_of(path)]


def unit_of(module: str) -> str:
    """The part of the package that has a place in the layers: a folder, or a file of `notebook/` or the top."""
    parts = module.split(".")
    return ".".join(parts[:2] if parts[0] == "notebook" else parts[:1])


def own_unit(name: str) -> str | None:
    """The unit that an imported name belongs to; None for what is not ours."""
    if name != PACKAGE and not name.startswith(f"{PACKAGE}."):
        return None
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in FILES:
        parts.pop()
    return unit_of(".".join(parts))


def known_units() -> dict[str, set[str]]:
    """Each unit with the units that it imports."""
    units: dict[str, set[str]] = {unit_of(module): set() for module in FILES}
    for each in IMPORTS:
        imported = own_unit(each.name)
        if imported is not None:
            units[unit_of(module_name(each.path))].add(imported)
    return units


UNITS = known_units()


def height(unit: str, above: frozenset[str] = frozenset()) -> float:
    """How high a unit stands. One that the layers do not name stands just above all that it imports."""
    for rank, layer in enumerate(LAYERS):
        if unit in layer:
            return rank
    if unit == "":
        return len(LAYERS)
    below = UNITS[unit] - above - {unit, "notebook"}
    return max((height(other, above | {unit}) for other in below), default=-1.0) + 0.5


def is_upward(importing: str, imported: str) -> bool:
    if importing in ("", imported) or imported == "notebook":
        return False
    is_stranger = importing in STRANGERS and imported in STRANGERS
    return is_stranger or height(imported) > height(importing)


def test_a_module_imports_from_lower_layers_only() -> None:
    upward = [
        str(each)
        for each in IMPORTS
        if (imported := own_unit(each.name)) is not None and is_upward(unit_of(module_name(each.path)), imported)
    ]

    assert upward == [], "these imports go up, or to a stranger"


def test_an_outside_library_is_imported_in_its_home_only() -> None:
    astray = [
        str(each)
        for each in IMPORTS
        if not each.is_for_types
        and (homes := HOMES.get(each.name.split(".")[0]))
        and not any(f"{module_name(each.path)}.".startswith(f"{home}.") for home in homes)
    ]

    assert astray == [], "these libraries have a home elsewhere"


@pytest.mark.parametrize(
    ("importing", "imported", "expected"),
    [
        ("engine", "llm", False),
        ("messages", "errors", False),
        ("notebook.widget", "notebook.protocol", False),
        ("", "cli", False),
        ("llm", "engine", True),
        ("llm", "settings", True),
        ("events", "", True),
        ("notebook.widget", "rustbot", True),
        ("rustbot", "notebook.magics", True),
    ],
)
def test_up_is_told_from_down(importing: str, imported: str, *, expected: bool) -> None:
    assert is_upward(importing, imported) is expected


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import json as j\n"
        "if TYPE_CHECKING:\n"
        "    import pandas\n"
        "def function():\n"
        "    try:\n"
        "        from rustbot_jupyter.llm import base\n"
        "    except ImportError:\n"
        "        pass\n"
    )

    found = [(each.line, each.name, each.is_for_types) for each in imports_of(path)]

    assert found == [(1, "json", False), (3, "pandas", True), (6, "rustbot_jupyter.llm.base", False)]


def run_python(code: str) -> str:
    """What a new Python prints; it fails at the first use of the network."""
    watch = (
        "import sys\n"
        "def watch(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto'):\n"
        "        raise SystemExit(f'network: {event} {arguments}')\n"
        "sys.addaudithook(watch)\n"
    )
    done = subprocess.run([sys.executable, "-c", watch + code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = "print(sorted({'pandas', 'plotly', 'mcp', 'openai'} & set(sys.modules)))"


def test_importing_the_package_loads_nothing_heavy_and_touches_no_network() -> None:
    assert run_python(f"import rustbot_jupyter\n{HEAVY}") == "[]"


def test_importing_the_package_leaves_ipython_and_logging_as_they_are() -> None:
    changed = run_python(
        "import asyncio, logging, signal, threading\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "def state():\n"
        "    magics = {kind: sorted(names) for kind, names in shell.magics_manager.magics.items()}\n"
        "    hooks = {event: len(callbacks) for event, callbacks in shell.events.callbacks.items()}\n"
        "    handlers = [len(logging.getLogger(name).handlers) for name in (None, 'rustbot_jupyter')]\n"
        "    loop = (asyncio.run, asyncio.get_event_loop_policy(), signal.getsignal(signal.SIGINT))\n"
        "    return magics, hooks, handlers, loop, threading.active_count(), sys.excepthook, shell.custom_exceptions\n"
        "before = state()\n"
        "import rustbot_jupyter\n"
        "print([a for a, b in zip(before, state()) if a != b])\n"
    )

    assert changed == "[]"
