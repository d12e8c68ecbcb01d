"""The tools that one bot has: the built-in ones made with its settings, the user's own, and what they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.engine.toolbox import Limits, ServerFiles, Toolbox
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.kernel_port import kernel_port
from rustbot_jupyter.settings.files import config_dir, data_dir
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.profile import shown
from rustbot_jupyter.settings.redaction import redact_for_request
from rustbot_jupyter.tools.base import Tool
from rustbot_jupyter.tools.consent import ApproveMode
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules

if TYPE_CHECKING:
    from rustbot_jupyter.tools.web_search import SearchService

RULES_FILE = "rules.json"
SERVERS_FILE = "mcp.json"
PINS_FILE = "mcp-approvals.json"


class Toolset:
    """Builds a bot's tools. Nothing of weight is loaded before the first turn that offers them.

    Args:
        settings: The bot's.
        tools: Names or patterns of the tools that are offered, and functions to add; None offers all.
        search: Who searches the web now.

    Raises:
        RequestError: One of `tools` is neither a name nor a function that can be a tool.
    """

    def __init__(
        self, settings: Settings, tools: Iterable[Any] | None = None, *, search: Callable[[], SearchService]
    ) -> None:
        # Where the notebook is; a cell that changes the folder later does not move the fence.
        self.workspace = Path(os.path.realpath(Path.cwd()))
        self._search = search
        registry = ToolRegistry(lambda: settings.values.disabled_tools)
        folder = config_dir()
        self.toolbox = Toolbox(
            registry=registry,
            rules=Rules(None if folder is None else folder / RULES_FILE, str(self.workspace), self._find),
            mode=lambda: ApproveMode(settings.values.approve),
            fill=self._fill,
            files=ServerFiles(
                user_file=None if folder is None else folder / SERVERS_FILE,
                workspace=self.workspace,
                pins_file=None if folder is None else folder / PINS_FILE,
                mcp_registry=lambda: settings.values.mcp_registry,
            ),
            kernel=kernel_port,
            redact=_redacted,
            limits=lambda: Limits(timeout_s=settings.values.tool_timeout_s, send_values=settings.values.send_values),
        )
        if (kernel := kernel_port()) is not None:
            # A question about the last error may come before any tool was used.
            kernel.watch_failures()
        self._own_folders = [path for path in (folder, data_dir()) if path is not None]
        self.toolbox.only = None if tools is None else self.names_of(tools)

    def names_of(self, tools: Iterable[Any]) -> tuple[str, ...]:
        """The names among these, and those of the functions, which are added.

        Raises:
            RequestError: One is neither a name nor a function that can be a tool.
        """
        listed = [tools] if isinstance(tools, str) or callable(tools) else tools
        return tuple(self._name_of(tool) for tool in listed)

    def _find(self, name: str) -> Tool | None:
        return next((tool for tool in self.toolbox.registry.all() if tool.name == name), None)

    def _name_of(self, tool: Any) -> str:
        if isinstance(tool, str):
            return tool
        if isinstance(tool, Tool):
            return self.toolbox.registry.add(tool).name
        if callable(tool):
            return self.toolbox.registry.add(tool_of(tool)).name
        raise RequestError(f"{shown(tool)} is no tool: name one, such as 'read_file', or give a function.")

    def _fill(self, registry: ToolRegistry) -> None:
        from rustbot_jupyter.tools.files import file_tools
        from rustbot_jupyter.tools.notebook import notebook_tools
        from rustbot_jupyter.tools.shell import shell_tools
        from rustbot_jupyter.tools.system import system_tools
        from rustbot_jupyter.tools.web import web_tools
        from rustbot_jupyter.tools.workspace import Workspace

        workspace = Workspace(self.workspace, own_folders=self._own_folders)
        kernel = kernel_port()
        built_in = [
            *(notebook_tools(kernel) if kernel is not None else ()),
            *file_tools(workspace),
            *shell_tools(workspace),
            *web_tools(service=self._search),
            *system_tools(),
        ]
        for tool in built_in:
            registry.add(tool)


def _redacted(text: str) -> str:
    kernel = kernel_port()
    return redact_for_request(text, None if kernel is None else kernel.namespace)
