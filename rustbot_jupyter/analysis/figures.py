"""Frames as Plotly figures. They work on any frame of the right columns: a bot's, a store's, a part of either."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def states(frame: pd.DataFrame) -> go.Figure:
    """A timeline of what the assistant did, from a `states` frame."""
    from rustbot_jupyter.analysis.state_figure import state_figure

    return state_figure(frame)


def tokens(frame: pd.DataFrame) -> go.Figure:
    """Tokens of each turn, from a `usage` frame: input, cached input, output, reasoning."""
    from rustbot_jupyter.analysis.token_figure import token_figure

    return token_figure(frame)


def cost(frame: pd.DataFrame) -> go.Figure:
    """Cost over time and per model, from a `usage` frame; estimates are marked."""
    from rustbot_jupyter.analysis.cost_figure import cost_figure

    return cost_figure(frame)


def tools(frame: pd.DataFrame) -> go.Figure:
    """Calls of each tool and how they ended, with the time they took, from a `tool_runs` frame."""
    from rustbot_jupyter.analysis.tool_figure import tool_figure

    return tool_figure(frame)


class BotFigures:
    """The figures of one bot, each drawn from its frames as they are now."""

    def __init__(
        self,
        *,
        states: Callable[[], pd.DataFrame],
        usage: Callable[[], pd.DataFrame],
        tool_runs: Callable[[], pd.DataFrame],
    ) -> None:
        self._states = states
        self._usage = usage
        self._tool_runs = tool_runs

    def states(self) -> go.Figure:
        """Return what the bot did when: a timeline of its states."""
        return states(self._states())

    def tokens(self) -> go.Figure:
        """Tokens of each turn, by kind."""
        return tokens(self._usage())

    def cost(self) -> go.Figure:
        """Cost over time, by model."""
        return cost(self._usage())

    def tools(self) -> go.Figure:
        """Calls of each tool, how they ended, and how long they took."""
        return tools(self._tool_runs())
