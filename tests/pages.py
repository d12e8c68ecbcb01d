"""A page that is not in a browser: keeps what the kernel tells a view, by the rules of the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from time import monotonic
from typing import Any

from protocol_types import check_op

from rustbot_jupyter.notebook.protocol import PROTOCOL_VERSION

_numbers = count(1)


class Page:
    """One view. It fails where a browser would have to ask for a snapshot again, unless it is `forgiving`."""

    def __init__(self, view: str = "view-1", *, forgiving: bool = False) -> None:
        self.view = view
        self.forgiving = forgiving
        self.epoch = ""
        self.seq = 0
        self.is_live = False
        self.needs_sync = False
        self.messages: dict[str, dict[str, Any]] = {}
        self.state: dict[str, Any] = {}
        self.queue: list[dict[str, Any]] = []
        self.model: dict[str, Any] = {}
        self.totals: dict[str, Any] = {}
        self.notices: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.conversation: dict[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        self.tool_runs: dict[str, dict[str, Any]] = {}
        self.approvals: list[dict[str, Any]] = []
        self.approve_mode = ""
        self.tools: dict[str, Any] = {}
        self.acks: dict[str, list[dict[str, Any]]] = {}
        self.snapshot: dict[str, Any] = {}
        self.ops: list[dict[str, Any]] = []
        self.contents: list[dict[str, Any]] = []
        """Everything that came, as it came."""
        self.arrivals: list[float] = []
        self.libraries: dict[str, bytes] = {}

    def command(self, name: str, **fields: Any) -> dict[str, Any]:
        """A message to the kernel."""
        number = f"{self.view}-{next(_numbers)}"
        return {"rustbot": PROTOCOL_VERSION, "id": number, "view": self.view, "command": name, **fields}

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(role, text) of what the view shows."""
        return [(message["role"], message["text"]) for message in self.messages.values()]

    @property
    def last(self) -> dict[str, Any]:
        """The newest message."""
        return list(self.messages.values())[-1]

    def receive(self, content: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Take what the kernel sent."""
        assert content["rustbot"] == PROTOCOL_VERSION
        self.contents.append(dict(content))
        self.arrivals.append(monotonic())
        if "library" in content:
            self.libraries[content["id"]] = bytes(buffers[0])
            return
        if self.epoch and (content["epoch"], content["seq"]) != (self.epoch, self.seq + 1):
            self._miss(f"envelope {content['seq']} came after {self.seq}")
        self.epoch, self.seq = content["epoch"], content["seq"]
        for op in json.loads(content["escaped"]) if "escaped" in content else content["ops"]:
            check_op(op)
            self.ops.append(op)
            getattr(self, f"_on_{op['op']}")(op)

    def _miss(self, why: str) -> None:
        assert self.forgiving, why
        self.needs_sync = True

    def _on_snapshot(self, op: dict[str, Any]) -> None:
        if op["view"] != self.view:
            return
        self.is_live, self.needs_sync, self.snapshot = True, False, op
        self.messages = {message["id"]: dict(message) for message in op["messages"]}
        self.conversation, self.state, self.queue = op["conversation"], op["state"], op["queue"]
        self.model, self.totals, self.notices = op["model"], op["totals"], op["notices"]
        self.tool_runs = {run["id"]: dict(run) for run in op["tool_runs"]}
        self.approvals, self.approve_mode = op["approvals"], op["approve_mode"]

    def _on_ack(self, op: dict[str, Any]) -> None:
        self.acks.setdefault(op["id"], []).append(op)

    def _on_message(self, op: dict[str, Any]) -> None:
        self.messages[op["message"]["id"]] = dict(op["message"])

    def _on_message_patch(self, op: dict[str, Any]) -> None:
        if op["id"] in self.messages:
            self.messages[op["id"]].update(op["fields"])

    def _on_text(self, op: dict[str, Any]) -> None:
        message = self.messages.get(op["id"])
        if message is None:
            if self.is_live:
                self._miss(f"text of the unknown message {op['id']}")
            return
        kind = op["op"]
        length = message[f"{kind}_length"]
        if op["offset"] > length:
            self._miss(f"{kind} at {op['offset']} came after {length}")
            return
        piece = op["text"][length - op["offset"] :]
        message[kind] += piece
        message[f"{kind}_length"] = length + len(piece)

    _on_reasoning = _on_text

    def _on_remove(self, op: dict[str, Any]) -> None:
        for message_id in op["ids"]:
            self.messages.pop(message_id, None)

    def _on_reset(self, op: dict[str, Any]) -> None:
        self.conversation, self.messages, self.queue = op["conversation"], {}, []

    def _on_state(self, op: dict[str, Any]) -> None:
        self.state = op["state"]

    def _on_queue(self, op: dict[str, Any]) -> None:
        self.queue = op["items"]

    def _on_model(self, op: dict[str, Any]) -> None:
        self.model = op["model"]

    def _on_totals(self, op: dict[str, Any]) -> None:
        self.totals = op["totals"]

    def _on_notices(self, op: dict[str, Any]) -> None:
        self.notices = op["notices"]

    def _on_settings(self, op: dict[str, Any]) -> None:
        self.settings = op["settings"]

    def _on_tool_run(self, op: dict[str, Any]) -> None:
        self.tool_runs[op["run"]["id"]] = dict(op["run"])

    def _on_tool_output(self, op: dict[str, Any]) -> None:
        run = self.tool_runs.get(op["id"])
        if run is None:
            if self.is_live:
                self._miss(f"output of the unknown tool call {op['id']}")
            return
        if op["offset"] > run["output_length"]:
            self._miss(f"output at {op['offset']} came after {run['output_length']}")
            return
        piece = op["text"][run["output_length"] - op["offset"] :]
        run["output"] += piece
        run["output_length"] += len(piece)

    def _on_approvals(self, op: dict[str, Any]) -> None:
        self.approvals = op["items"]

    def _on_approve_mode(self, op: dict[str, Any]) -> None:
        self.approve_mode = op["mode"]

    def _on_tools(self, op: dict[str, Any]) -> None:
        self.tools = op["tools"]

    def _on_events(self, op: dict[str, Any]) -> None:
        self.rows.extend(op["rows"])
