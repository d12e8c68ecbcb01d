"""Tools of MCP servers: which there are, how they are started, what they offer. `mcp` is imported when one starts."""
