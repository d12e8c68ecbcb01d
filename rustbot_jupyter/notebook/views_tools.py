"""Tool calls, approvals, tools and rules as the page shows them; pure functions, mirrors of types in `protocol.py`."""

from __future__ import annotations

import base64
import json
from typing import cast

from rustbot_jupyter.engine.servers import Servers
from rustbot_jupyter.messages import ImagePart
from rustbot_jupyter.notebook.protocol import (
    ApprovalView,
    ImageView,
    RuleView,
    ServerView,
    ToolRunView,
    ToolView,
)
from rustbot_jupyter.notebook.views import milliseconds
from rustbot_jupyter.settings.redaction import redact
from rustbot_jupyter.tools.approval import Approval
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.results import VIEW_CHARS, cut
from rustbot_jupyter.tools.rules import Rule
from rustbot_jupyter.tools.runs import ToolRun

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MOST_IMAGE_BYTES = 2_000_000
"""Of all pictures of one card; a message to the page has its limits."""


def run_view(run: ToolRun) -> ToolRunView:
    """A card."""
    result = run.result.text if run.result is not None else run.error
    return {
        "id": run.id,
        "message_id": run.message_id,
        "turn_id": run.turn_id,
        "tool": run.call.name,
        "label": run.label,
        "source": run.source,
        "risk": run.risk.value,
        "arguments": cut(redact(readable_arguments(run)), VIEW_CHARS),
        "state": run.state.value,
        "started_at": milliseconds(run.started_at) if run.started_at is not None else None,
        "duration_s": run.duration_s,
        "output": redact(run.output),
        "output_length": run.output_length,
        "result": cut(redact(result), VIEW_CHARS),
        "result_is_cut": len(result) > VIEW_CHARS,
        "images": _images(run.images),
        "figures": [redact(figure) for figure in run.figures],
        "approval": run.approval,
    }


def readable_arguments(run: ToolRun) -> str:
    """The arguments as JSON laid out for reading; as the model wrote them when they are none."""
    if run.arguments is not None:
        return json.dumps(run.arguments, ensure_ascii=False, indent=2, default=str)
    try:
        return json.dumps(json.loads(run.call.arguments), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return run.call.arguments


def _images(images: tuple[ImagePart, ...]) -> list[ImageView]:
    views: list[ImageView] = []
    room = MOST_IMAGE_BYTES
    for image in images:
        if image.media_type in IMAGE_TYPES and 0 < len(image.data) <= room:
            room -= len(image.data)
            views.append({"media_type": image.media_type, "data": base64.b64encode(image.data).decode("ascii")})
    return views


def approval_view(approval: Approval) -> ApprovalView:
    """An approval card. What will run is shown as it is: a key in it would be the user's to see before it goes."""
    return {
        "id": approval.id,
        "digest": approval.digest,
        "run_id": approval.run_id,
        "tool": approval.tool,
        "label": approval.label or approval.tool,
        "risk": approval.risk.value,
        "kind": approval.preview.kind,
        "text": approval.preview.text,
        "note": approval.preview.note,
        "arguments": json.dumps(approval.arguments, ensure_ascii=False, indent=2, default=str)
        if approval.arguments
        else "",
        "source": approval.source,
        "pattern": approval.pattern,
        "scopes": list(approval.scopes),
    }


def tool_views(registry: ToolRegistry) -> list[ToolView]:
    """The tools, for the Settings tab."""
    return [
        {
            "name": tool.name,
            "label": tool.label or tool.name,
            "description": tool.definition.description,
            "source": tool.source,
            "risk": tool.risk.value,
            "enabled": registry.is_enabled(tool.name),
        }
        for tool in registry.all()
    ]


def rule_view(rule: Rule) -> RuleView:
    """A standing answer."""
    return cast(
        RuleView,
        {
            "id": rule.id,
            "tool": rule.tool,
            "pattern": rule.pattern,
            "decision": rule.decision.value,
            "scope": "conversation" if rule.conversation_id else "always",
            "workspace": rule.workspace,
        },
    )


def server_views(servers: Servers) -> list[ServerView]:
    """The MCP servers."""
    return [
        {
            "name": each.name,
            "state": each.state.value,
            "command": redact(each.command),
            "origin": each.origin,
            "tools": each.tools,
            "error": redact(each.error),
        }
        for each in servers.list()
    ]
