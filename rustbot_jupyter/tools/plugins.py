"""Tools of installed packages: entry points of the group `rustbot_jupyter.plugins`, each a `register(registry)`."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rustbot_jupyter.tools.base import Tool
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.workers import in_worker

GROUP = "rustbot_jupyter.plugins"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An installed plugin, loaded or not."""

    name: str
    package: str
    """The distribution that brings it, with its version."""
    description: str
    """What its package says of itself in one line."""


@dataclass(frozen=True, kw_only=True)
class PluginProblem:
    """A plugin that is disabled, and why."""

    plugin: str
    error: str


class Registry(Protocol):
    """A place where tools are kept. May be used from any thread."""

    def add(self, tool: Tool, /) -> object:
        """Offer a tool."""

    def remove(self, name: str, /) -> object:
        """Offer it no more."""


class PluginRegistry:
    """The registry that a plugin's `register` is given: it adds tools in the plugin's name."""

    def __init__(self, name: str) -> None:
        self._source = f"plugin:{name}"
        self.tools: list[Tool] = []
        """What was added, in this order."""

    def add(self, tool: Tool | Callable[..., Any], **fields: Any) -> Tool:
        """Add a tool, or a function as a tool.

        Args:
            tool: The tool; or a function with annotations and a docstring, whose parameters are its arguments.
            fields: For a function: `risk`, `name`, `description`, `label` and further fields of `Tool`.

        Raises:
            RequestError: It cannot be a tool; says why.
        """
        made = replace(tool, source=self._source) if isinstance(tool, Tool) else self._made(tool, fields)
        self.tools.append(made)
        return made

    def _made(self, function: Callable[..., Any], fields: dict[str, Any]) -> Tool:
        return tool_of(function, **{**fields, "source": self._source})


class Plugins:
    """The installed plugins. They are loaded, once, when tools are first wanted; one that fails is disabled.

    Args:
        registry: Gets their tools.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._problems: list[PluginProblem] = []
        self._loading: asyncio.Task[None] | None = None

    @property
    def problems(self) -> Sequence[PluginProblem]:
        """The plugins that could not be loaded."""
        return tuple(self._problems)

    def installed(self) -> Sequence[Plugin]:
        """All that are installed, by name. Runs none of their code."""
        return [_plugin(point) for point in _entry_points()]

    async def ready(self, timeout: float) -> None:
        """Load the plugins, unless that was done, and wait no longer than `timeout` seconds. What takes longer goes on
        beside, and its tools come later."""
        if self._loading is None:
            # Their imports may take long, or hang: not on this thread.
            self._loading = asyncio.create_task(in_worker(self._load))
        await asyncio.wait({self._loading}, timeout=timeout)

    async def close(self) -> None:
        """Wait for no plugin any more."""
        if self._loading is not None and not self._loading.done():
            self._loading.cancel()
            await asyncio.wait({self._loading})

    def _load(self) -> None:
        for point in _entry_points():
            try:
                self._register(point)
            # Whatever its code raises: it is one plugin's, and the others are not to miss for it.
            except Exception as error:
                self._disable(point.name, error)
            except SystemExit as error:
                self._disable(point.name, error)

    def _register(self, point: importlib.metadata.EntryPoint) -> None:
        registry = PluginRegistry(point.name)
        point.load()(registry)
        added: list[Tool] = []
        try:
            for tool in registry.tools:
                self._registry.add(tool)
                added.append(tool)
        except BaseException:
            # All of its tools, or none.
            for tool in added:
                self._registry.remove(tool.name)
            raise

    def _disable(self, name: str, error: BaseException) -> None:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        sentence = f"The plugin {name!r} is disabled, it failed to load ({reason})."
        self._problems.append(PluginProblem(plugin=name, error=sentence))


def _entry_points() -> list[importlib.metadata.EntryPoint]:
    return sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name)


def _plugin(point: importlib.metadata.EntryPoint) -> Plugin:
    if point.dist is None:
        return Plugin(name=point.name, package="", description="")
    return Plugin(
        name=point.name,
        package=f"{point.dist.name} {point.dist.version}",
        description=str(point.dist.metadata.json.get("summary", "")),
    )
