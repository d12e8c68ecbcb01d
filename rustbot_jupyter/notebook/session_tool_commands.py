"""Commands of the page about tools: answers to approvals, switches, rules, servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.engine.toolbox import Toolbox
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.protocol import Command
from rustbot_jupyter.notebook.views_tools import readable_arguments
from rustbot_jupyter.settings.redaction import redact
from rustbot_jupyter.tools.consent import ApproveMode

if TYPE_CHECKING:
    from rustbot_jupyter.notebook.session import Bot

_Fields = Mapping[str, Any]


class ToolCommands:
    """Carries out commands about tools; on the core thread. What takes time comes back as a coroutine.

    Args:
        bot: Whose tools they are.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.commands: dict[str, Callable[[_Fields], Any]] = {
            "approve": self._approve,
            "deny": self._deny,
            "cancel_tool": self._cancel,
            "tool_run": self._run,
            "set_approve_mode": self._set_mode,
            "enable_tool": self._enable,
            "remove_rule": lambda fields: asyncio.to_thread(self._toolbox.rules.remove, fields["rule_id"]),
            "mcp_server": self._server,
            "mcp_log": self._log,
            "references": lambda fields: self._toolbox.servers.references(),
        }

    def carry_out(self, command: Command) -> Any:
        """The result for the acknowledgement, None, or a coroutine that gives one of them.

        Raises:
            RustbotError: It cannot be carried out.
        """
        return self.commands[command["name"]](command["fields"])

    @property
    def _toolbox(self) -> Toolbox:
        return self._bot.agent.toolbox

    def _approve(self, fields: _Fields) -> None:
        self._toolbox.approvals.find(fields["approval_id"], fields["digest"]).allow(fields["scope"])

    def _deny(self, fields: _Fields) -> None:
        self._toolbox.approvals.find(fields["approval_id"], fields["digest"]).deny(fields["reason"])

    def _cancel(self, fields: _Fields) -> None:
        run = self._toolbox.runs.find(fields["run_id"])
        # Pressed when it was just over: what was wanted is so.
        if run is not None and run.cancel is not None:
            run.cancel()

    def _run(self, fields: _Fields) -> dict[str, Any]:
        run = self._toolbox.runs.find(fields["run_id"])
        if run is None:
            raise RequestError("That tool call is not kept any more.")
        result = run.result.text if run.result is not None else run.error
        return {"arguments": redact(readable_arguments(run)), "result": redact(result)}

    async def _log(self, fields: _Fields) -> dict[str, Any]:
        servers = self._toolbox.servers
        await servers.look()
        return {"text": redact(servers.desk.log(fields["server"]))}

    def _set_mode(self, fields: _Fields) -> None:
        mode = ApproveMode.named(fields["mode"])
        if mode is ApproveMode.ALLOW and not fields["confirmed"]:
            raise RequestError("To run tools without asking has to be confirmed once more.")
        self._toolbox.consent.set_mode(self._bot.agent.conversation.id, mode)

    def _enable(self, fields: _Fields) -> None:
        name, settings = fields["tool"], self._bot.settings
        others = [each for each in settings.values.disabled_tools if each != name]
        settings.set("disabled_tools", tuple(others if fields["enabled"] else [*others, name]))
        self._toolbox.changed()

    async def _server(self, fields: _Fields) -> None:
        if fields["action"] not in ("start", "stop", "restart", "remove"):
            raise RequestError(f"A server cannot be {fields['action']!r}: start, stop, restart or remove it.")
        await self._toolbox.servers.change(fields["server"], fields["action"])
