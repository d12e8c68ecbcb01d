"""The tools that there are: names → tools, and which of them are switched off."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.tools.base import BUILT_IN, Tool
from rustbot_jupyter.tools.functions import checked_name
from rustbot_jupyter.tools.listeners import Listeners

_LONGEST_NAME = 64


class ToolRegistry:
    """The tools of one bot. May be used from any thread.

    Args:
        disabled: Names, or patterns such as "filesystem__*", of the tools that are switched off now.
    """

    def __init__(self, disabled: Callable[[], Collection[str]] = tuple) -> None:
        self._disabled = disabled
        self._lock = threading.Lock()
        self._tools: dict[str, Tool] = {}
        self._seen: set[str] = set()
        self._listeners = Listeners[[]]()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change; on whatever thread changes; the result ends that."""
        return self._listeners.add(listener)

    def add(self, tool: Tool) -> Tool:
        """Add a tool, or put it in the place of an older one of the same source.

        Raises:
            RequestError: The name cannot be used, or belongs to a tool of another source.
        """
        checked_name(tool.name)
        with self._lock:
            there = self._tools.get(tool.name)
            if there is not None and there.source != tool.source:
                kind = "a built-in tool" if there.source == BUILT_IN else f"a tool of {there.source!r}"
                raise RequestError(f"{tool.name!r} is the name of {kind} already. Pick another name.")
            self._tools[tool.name] = tool
            self._seen.add(tool.name)
        self._listeners.tell()
        return tool

    def remove(self, name: str) -> None:
        """Take a tool out; one that is not there is no error."""
        with self._lock:
            self._tools.pop(name, None)
        self._listeners.tell()

    def get(self, name: str) -> Tool:
        """The tool of this name.

        Raises:
            ToolError: There is none; names the nearest.
        """
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(self.missing(name, "Use one of the tools that were offered."))
        return tool

    def has_seen(self, name: str) -> bool:
        """True if there is a tool of this name, or was one that has been taken out."""
        return name in self._seen

    def missing(self, name: str, otherwise: str = "`bot.tools` lists them.") -> str:
        """The sentence for a name that no tool has: with the nearest one, or what to do `otherwise`."""
        # What a model writes as a name may be a whole page.
        name = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
        near = difflib.get_close_matches(name, list(self._tools), n=1)
        return f"There is no tool {name!r}. " + (f"Did you mean {near[0]!r}?" if near else otherwise)

    def all(self) -> list[Tool]:
        """Every tool: built-in ones first, then by source and name."""
        with self._lock:
            tools = list(self._tools.values())
        return sorted(tools, key=lambda tool: (tool.source != BUILT_IN, tool.source, tool.name))

    def is_enabled(self, name: str) -> bool:
        """True if a tool of this name is offered to models."""
        return name in self._tools and not _is_among(name, self._disabled())

    def enabled(self, only: Iterable[str] | None = None) -> list[Tool]:
        """The tools that are offered; with `only`, those of them that it names or matches."""
        disabled, wanted = self._disabled(), None if only is None else tuple(only)
        return [
            tool
            for tool in self.all()
            if not _is_among(tool.name, disabled) and (wanted is None or _is_among(tool.name, wanted))
        ]


def _is_among(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
