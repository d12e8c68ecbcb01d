"""`bot.tools`: the tools of a bot as its user handles them."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rustbot_jupyter.errors import RequestError, ToolError

if TYPE_CHECKING:
    from rustbot_jupyter.engine.toolbox import Toolbox
    from rustbot_jupyter.settings.layers import Settings
    from rustbot_jupyter.tools.base import Tool, ToolResult
    from rustbot_jupyter.tools.marketplace import Found
    from rustbot_jupyter.tools.registry import ToolRegistry


class Bot(Protocol):
    """The part of a bot that the shelf needs."""

    @property
    def toolbox(self) -> Toolbox:
        """The tools."""

    @property
    def settings(self) -> Settings:
        """The settings, which know what is switched off."""

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Run one, consent included, and wait for its result."""

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the core thread, and wait for it."""


class ToolShelf:
    """The tools of a bot; `bot.tools["read_file"]` is one of them. From any thread."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._registry.all())

    def __len__(self) -> int:
        return len(self._registry.all())

    def __contains__(self, name: object) -> bool:
        return any(tool.name == name for tool in self)

    def __getitem__(self, name: str) -> Tool:
        """The tool of this name; its `timeout`, in seconds, may be changed.

        Raises:
            RequestError: There is none.
        """
        try:
            return self._registry.get(name)
        except ToolError:
            raise RequestError(self._registry.missing(name)) from None

    def __repr__(self) -> str:
        return "\n".join(self._line(tool) for tool in self)

    def _line(self, tool: Tool) -> str:
        state = "" if self._registry.is_enabled(tool.name) else "off"
        return f"{tool.name:20} {tool.risk:8} {tool.source:12} {state}".rstrip()

    def list(self) -> Any:
        """One row per tool: tool, label, risk, source, enabled, timeout_s, description."""
        from rustbot_jupyter.analysis import frames

        return frames.tools_frame(
            {
                "tool": tool.name,
                "label": tool.label or tool.name,
                "risk": tool.risk.value,
                "source": tool.source,
                "enabled": self._registry.is_enabled(tool.name),
                "timeout_s": tool.timeout or self._bot.settings.values.tool_timeout_s,
                "description": tool.definition.description,
            }
            for tool in self
        )

    def add(
        self,
        function: Callable[..., Any] | Tool,
        *,
        name: str | None = None,
        description: str | None = None,
        risk: str = "execute",
        timeout: float | None = None,
    ) -> Tool:
        """Make a function or coroutine function a tool, with a schema from its signature and docstring.

        Args:
            function: What it returns is the result: text, anything that has a text, a figure, an image. A `Tool` is
                added as it is.
            name: What the model calls it by; None takes the function's name.
            description: What it does; None takes the docstring's text.
            risk: "read" for one that only looks, and so runs without asking; else "write", "execute" or "network".
            timeout: Longest duration of a call in seconds; None takes the settings'.

        Raises:
            RequestError: It cannot be a tool; says why.
        """
        from rustbot_jupyter.engine.plan import check_limit
        from rustbot_jupyter.tools.base import Risk, Tool
        from rustbot_jupyter.tools.functions import tool_of

        check_limit("timeout", timeout, "seconds above 0", least=0.001)
        if isinstance(function, Tool):
            return self._registry.add(function)
        if risk not in list(Risk):
            raise RequestError(f"A tool's risk cannot be {risk!r}: it is 'read', 'write', 'execute' or 'network'.")
        return self._registry.add(
            tool_of(function, risk=Risk(risk), name=name, description=description, timeout=timeout)
        )

    def adopt(self, found: Found) -> str:
        """Write an MCP server that `browse` found into `.mcp.json`, once you agree; it starts when tools are next
        wanted and its command is approved. Returns the name it has there.

        Raises:
            RequestError: It cannot be used, its name is taken, or you said no.
            SettingsError: The file cannot be written.
        """
        name: str = self._bot.run(self._bot.toolbox.servers.adopt(found))
        return name

    def remove(self, name: str) -> None:
        """Take a tool out.

        Raises:
            RequestError: There is none of that name.
        """
        self._registry.remove(self[name].name)

    def enable(self, name: str) -> None:
        """Offer a tool to models again.

        Raises:
            RequestError: There is none, or a pattern of the settings switches it off.
        """
        name = self[name].name
        disabled = tuple(each for each in self._bot.settings.values.disabled_tools if each != name)
        self._bot.settings.set("disabled_tools", disabled)
        if not self._registry.is_enabled(name):
            raise RequestError(
                f"{name!r} is still switched off by a pattern in `bot.settings.disabled_tools`: {disabled}."
            )

    def disable(self, name: str) -> None:
        """Offer a tool to no model.

        Raises:
            RequestError: There is none of that name.
        """
        name = self[name].name
        disabled = self._bot.settings.values.disabled_tools
        self._bot.settings.set("disabled_tools", tuple(dict.fromkeys([*disabled, name])))

    def call(self, name: str, /, **arguments: Any) -> ToolResult:
        """Run a tool as a model would, consent included, and wait for its result.

        Raises:
            ToolError: There is none of that name, the arguments do not fit, or it came to nothing.
            RequestError: An argument is nothing that a model could write.
        """
        try:
            arguments = json.loads(json.dumps(arguments))
        except (TypeError, ValueError) as error:
            raise RequestError(f"A tool's arguments are texts, numbers, lists and the like: {error}.") from error
        return self._bot.call_tool(name, arguments)

    def browse(self, words: str = "") -> Sequence[Found]:
        """Installed plugins, and MCP servers of the registry in the setting `mcp_registry`, that have all these words;
        each says what it would run. Give a server to `adopt` to have it written into `.mcp.json`.

        Raises:
            RequestError: The registry cannot be read.
            ToolError: It cannot be fetched.
        """
        return tuple(self._bot.run(self._bot.toolbox.servers.browse(words)))

    def docs(self) -> str:
        """The reference of all tools, as Markdown."""
        from rustbot_jupyter.tools.reference import reference

        return reference(self)

    @property
    def _registry(self) -> ToolRegistry:
        return self._bot.toolbox.registry
