"""An MCP server of the SDK over HTTP: `python mcp_over_http.py PORT [sse]`, Streamable or of the older kind."""

from __future__ import annotations

import asyncio
import sys

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.utilities.types import Image

server = MCPServer("over-http")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def picture() -> Image:
    """A picture."""
    return Image(data=b"\x89PNG\r\n\x1a\n", format="png")


@server.tool()
async def slow(steps: int, ctx: Context) -> str:
    """Takes a while."""
    for step in range(steps):
        await ctx.report_progress(step + 1, steps, f"step {step + 1}")
        await asyncio.sleep(0.01)
    return "done"


@server.tool()
async def hang() -> str:
    """Never ends."""
    await asyncio.Event().wait()
    return ""


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("no such thing")


@server.prompt()
def greet(who: str) -> str:
    """Greets."""
    return f"Greet {who}."


if __name__ == "__main__":
    kind = "sse" if "sse" in sys.argv else "streamable-http"
    server.run(transport=kind, host="127.0.0.1", port=int(sys.argv[1]))
