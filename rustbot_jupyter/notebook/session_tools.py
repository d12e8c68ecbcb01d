"""The views' knowledge of tool calls and approvals, and the ops that keep them up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from rustbot_jupyter.engine.agent import Agent
from rustbot_jupyter.notebook.protocol import ApprovalView, MessageView, Op, ToolRunView
from rustbot_jupyter.notebook.session_outbox import Outbox
from rustbot_jupyter.notebook.views_tools import approval_view, rule_view, run_view, server_views, tool_views
from rustbot_jupyter.settings.redaction import redact
from rustbot_jupyter.tools.runs import ToolRun


class ToolViews:
    """Follows the tools of one agent. On the core thread.

    Args:
        agent: Whose tools they are.
        outbox: Where the ops go.
        flush: Has the ops sent soon.
        turn_id: A turn whose calls are shown whatever conversation it belongs to; None for none.
    """

    def __init__(self, agent: Agent, outbox: Outbox, flush: Callable[[], None], turn_id: str | None = None) -> None:
        self._agent = agent
        self._outbox = outbox
        self._flush = flush
        self._turn_id = turn_id
        self._loop = asyncio.get_running_loop()
        self._sent: dict[str, int] = {}
        """Code points of each running call's output that the views were told."""
        self._mode = self.mode()
        self._tools_are_shown = False
        self._is_closed = False
        toolbox = agent.toolbox
        self._ends = [
            toolbox.runner.on_change(self._on_run),
            toolbox.approvals.on_change(self._on_approvals),
            toolbox.consent.on_change(self._on_mode),
            toolbox.on_change(self._on_tools_from_anywhere),
        ]

    def close(self) -> None:
        """Follow no more."""
        self._is_closed = True
        for end in self._ends:
            end()

    # For snapshots.

    def runs_of(self, messages: list[MessageView]) -> list[ToolRunView]:
        """The calls that these messages made."""
        ids = {message["id"] for message in messages}
        runs = [run for run in self._agent.toolbox.runs.all() if run.message_id in ids or run.turn_id == self._turn_id]
        for run in runs:
            self._sent[run.id] = run.output_length
        return [run_view(run) for run in runs]

    def approvals(self) -> list[ApprovalView]:
        """Return what waits for the user."""
        return [approval_view(approval) for approval in self._agent.toolbox.approvals.pending()]

    def mode(self) -> str:
        """Return what happens with calls that no rule speaks of."""
        return self._agent.toolbox.consent.mode(self._agent.conversation.id).value

    async def show_tools(self) -> None:
        """Tell of tools, servers and rules, now and whenever they change."""
        self._tools_are_shown = True
        await self._tell_tools()

    # From the tools.

    def on_progress(self, run_id: str) -> None:
        """A running tool gave output."""
        run = self._agent.toolbox.runs.find(run_id)
        if run is None or not self._is_current(run):
            return
        new = run.output_length - self._sent.get(run_id, 0)
        if new <= 0:
            return
        if new > len(run.output):
            self._show(run)
            return
        before, text = run.output[:-new], run.output[-new:]
        if redact(run.output) != redact(before) + redact(text):
            # A key that came in pieces: with the whole card the page forgets the first one.
            self._show(run)
            return
        offset = self._sent.get(run_id, 0)
        self._sent[run_id] = run.output_length
        self._add({"op": "tool_output", "id": run_id, "offset": offset, "text": redact(text)})

    def _on_run(self, run: ToolRun) -> None:
        if self._is_current(run):
            self._show(run)

    def _show(self, run: ToolRun) -> None:
        if run.is_over:
            self._sent.pop(run.id, None)
        else:
            self._sent[run.id] = run.output_length
        self._add({"op": "tool_run", "run": run_view(run)})

    def _on_approvals(self) -> None:
        self._add({"op": "approvals", "items": self.approvals()})

    def _on_mode(self) -> None:
        mode = self.mode()
        if mode != self._mode:
            self._mode = mode
            self._add({"op": "approve_mode", "mode": mode})

    def _on_tools_from_anywhere(self) -> None:
        if self._tools_are_shown and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell_tools_soon)

    def _tell_tools_soon(self) -> None:
        if not self._is_closed:
            self._telling = asyncio.ensure_future(self._tell_tools())

    async def _tell_tools(self) -> None:
        toolbox = self._agent.toolbox
        # Beside the loop: rules stand in a file, and the first look makes the tools' schemas.
        tools = await asyncio.to_thread(lambda: tool_views(toolbox.registry))
        rules = await asyncio.to_thread(lambda: [rule_view(rule) for rule in toolbox.rules])
        await toolbox.servers.look()
        view = {
            "tools": tools,
            "servers": server_views(toolbox.servers),
            "rules": rules,
            "problems": [*filter(None, [toolbox.rules.problem]), *toolbox.servers.problems()],
        }
        self._add({"op": "tools", "tools": view})

    def _add(self, op: dict[str, Any]) -> None:
        if not self._is_closed:
            self._outbox.add(cast(Op, op))
            self._flush()

    def _is_current(self, run: ToolRun) -> bool:
        return run.conversation_id == self._agent.conversation.id or run.turn_id == self._turn_id
