"""A server's tools as tools of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rustbot_jupyter.tools.base import Risk, Tool, ToolContext, ToolDefinition, ToolResult
from rustbot_jupyter.tools.mcp.offers import CheckAgainstSchema, description_for_model, tool_name
from rustbot_jupyter.tools.mcp.pins import Offer
from rustbot_jupyter.tools.mcp.results import result_of_call
from rustbot_jupyter.tools.mcp.server import McpServer
from rustbot_jupyter.tools.parameters import parameters_of_stranger


def tools_of(server: McpServer, prefix: str, offers: Iterable[Offer]) -> list[Tool]:
    """The tools, under names of their own. Whatever a server says of them, each call can do anything and asks."""
    taken: set[str] = set()
    tools = []
    # A name that fits is kept; of those made to fit, the order may not depend on the server's mood.
    for offer in sorted(
        offers, key=lambda offer: (tool_name(prefix, offer.name) != f"{prefix}__{offer.name}", offer.name)
    ):
        name = tool_name(prefix, offer.name, taken)
        taken.add(name)
        tools.append(_tool(server, name, offer))
    return tools


def _tool(server: McpServer, name: str, offer: Offer) -> Tool:
    parameters = parameters_of_stranger(offer.parameters)

    async def run(arguments: dict[str, Any], context: ToolContext) -> ToolResult:
        answer = await server.call(offer, arguments, context.progress)
        return result_of_call(answer, server.name)

    return Tool(
        definition=ToolDefinition(
            name=name,
            description=description_for_model(offer.description, server.name) + parameters.note,
            parameters=parameters.schema,
        ),
        run=run,
        check=CheckAgainstSchema(name, parameters),
        risk=Risk.EXECUTE,
        source=f"mcp:{server.name}",
        label=f"{server.name}: {offer.name}",
        sends_out=True,
        fingerprint=offer.fingerprint,
    )
