"""A tool wish: which tool a question wants used, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.llm.demo_rules.plots import Plot
from rustbot_jupyter.llm.demo_rules.tool_arguments import Schema, in_order

MOST_CALLS = 4
"""Calls in one round."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolWish:
    """A question's wish for a tool."""

    tool: str
    said: str
    """What the demo says before it calls."""
    values: tuple[tuple[Any, ...], ...] = ((),)
    """Of each call, for the tool's first parameters in their order."""
    arguments: Mapping[str, Any] | None = None
    """By name, instead of `values`."""
    then: str = ""
    """A tool that is called with what the first one found."""
    plot: Plot | None = None
    is_certain: bool = True
    """False: without the tool, another rule has an answer as good."""

    def calls(self, schema: Schema) -> list[dict[str, Any]]:
        """The arguments of each call."""
        if self.arguments is not None:
            return [dict(self.arguments)]
        return [in_order(values, schema) for values in self.values[:MOST_CALLS]]


def code_wish(code: str) -> ToolWish:
    """Run this Python."""
    return ToolWish(tool="run_code", said="I'll run it.", values=((code,),))


def command_wish(command: str) -> ToolWish:
    """Run this command in a shell."""
    said = f"I'll run `{command}`." if "`" not in command and "\n" not in command else "I'll run the command."
    return ToolWish(tool="run_shell", said=said, values=((command,),))
