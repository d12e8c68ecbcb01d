"""A shell of IPython as a notebook without a page, whose tools are called as the engine calls them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from rustbot_jupyter.notebook.core import Core, attach_core, detach_core
from rustbot_jupyter.notebook.kernel_port import KernelPort
from rustbot_jupyter.notebook.mainloop import MainThread
from rustbot_jupyter.tools.base import ToolContext, ToolResult
from rustbot_jupyter.tools.notebook import notebook_tools


class ToolShell:
    """Cells run on this thread; tools on the core thread, while this one waits for them."""

    def __init__(self, shell: InteractiveShell, core: Core) -> None:
        self.shell = shell
        self.core = core
        self.main = MainThread()
        self.port = KernelPort(shell, self.main)
        self.port.watch_failures()
        self.tools = {tool.name: tool for tool in notebook_tools(self.port)}
        self.progress: list[str] = []
        self.waits: list[str] = []

    @property
    def context(self) -> ToolContext:
        """What the engine would give a call."""
        return ToolContext(
            progress=self.progress.append,
            kernel=self.port,
            kernel_needed=lambda: self.waits.append("needed"),
            kernel_ready=lambda: self.waits.append("ready"),
        )

    def run(self, cell: str) -> None:
        """Run a cell of the user's, whatever comes of it."""
        self.shell.run_cell(cell, store_history=True)

    def call(self, tool_name: str, /, send_values: bool = True, **arguments: Any) -> ToolResult:
        """A tool's result, its arguments checked as the runner does."""
        tool = self.tools[tool_name]
        context = dataclasses.replace(self.context, send_values=send_values)
        return self.main.serve_until(self.core.start(_run(tool, tool.check(arguments), context)))


async def _run(tool: Any, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
    result: ToolResult = await tool.run(arguments, context)
    return result


@contextmanager
def tool_shell() -> Iterator[ToolShell]:
    """A shell of its own with its tools."""
    InteractiveShell.clear_instance()
    # Its history would be written to a folder that is gone by then.
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))
    shell.display_pub = CapturingDisplayPublisher()
    core = attach_core()
    try:
        yield ToolShell(shell, core)
    finally:
        detach_core(core)
        InteractiveShell.clear_instance()
