"""Things that could be added: installed plugins, and servers of an MCP registry; each with what it would run.

Nothing is installed or started here. Adding one writes a line into `.mcp.json`, once the user has said yes to it; its
start asks again, with the command that will then run.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.tools.mcp.admission import Ask, StartQuestion
from rustbot_jupyter.tools.mcp.config import add_server, read_servers
from rustbot_jupyter.tools.plugins import Plugin
from rustbot_jupyter.tools.results import cleaned, cut
from rustbot_jupyter.tools.server_json import Unusable, entry_of
from rustbot_jupyter.tools.workers import in_worker
from rustbot_jupyter.whole_files import read_start

MAX_BYTES = 5_000_000
MAX_PAGES = 5
MAX_FOUND = 50

Get = Callable[[str], Awaitable[bytes]]
"""Fetches an address, safely and bounded."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that could be used."""

    name: str
    kind: Literal["plugin", "server"]
    description: str
    version: str
    runs: str
    """The exact command or address; of a plugin, its package. "" when it cannot be used here."""
    problem: str = ""
    """Why it cannot be used here."""
    entry: Mapping[str, Any] = field(default_factory=dict)
    """What would be written into `.mcp.json`."""


class Marketplace:
    """Searches what is there, and adds servers to a workspace.

    Args:
        plugins: The installed plugins.
        registry: An MCP registry: a file of `server.json` entries, or an http(s) address; "" for none.
        get: Fetches the registry's pages.
        ask: Asks the user before anything is written.
        mcp_file: The workspace's `.mcp.json`.
    """

    def __init__(
        self,
        plugins: Callable[[], Sequence[Plugin]],
        registry: Callable[[], str],
        get: Get,
        ask: Ask,
        mcp_file: Path,
    ) -> None:
        self._plugins = plugins
        self._registry = registry
        self._get = get
        self._ask = ask
        self._mcp_file = mcp_file

    async def browse(self, words: str = "") -> Sequence[Found]:
        """Return what has all these words in its name or description; plugins first.

        Raises:
            RequestError: The registry cannot be read.
            ToolError: It cannot be fetched.
        """
        plugins = [
            Found(name=each.name, kind="plugin", description=each.description, version="", runs=each.package)
            for each in self._plugins()
        ]
        servers = [_found(server) for server in await self._servers(words)]
        return [each for each in (*plugins, *servers) if _has_words(each, words)][:MAX_FOUND]

    async def add(self, found: Found, name: str = "") -> str:
        """Write a server into the workspace's `.mcp.json`, once the user agrees; returns the name it has there.

        Raises:
            RequestError: It cannot be used, its name is taken, or the user said no.
            SettingsError: The file cannot be written.
        """
        if found.kind == "plugin":
            raise RequestError(f"The plugin {found.name!r} is installed already; its tools are there.")
        if found.problem:
            raise RequestError(f"{found.name!r} cannot be added: {found.problem}.")
        name = name or found.name.rpartition("/")[2]
        there = await in_worker(lambda: read_servers(self._mcp_file, "workspace"))
        if any(server.name == name for server in there.servers):
            raise RequestError(f"There is an MCP server {name!r} already; remove it, or give this one another name.")
        if not await self._ask(self._question(found, name)):
            raise RequestError(f"{found.name!r} was not added: you said no.")
        await in_worker(lambda: add_server(self._mcp_file, name, found.entry, "workspace"))
        return name

    def _question(self, found: Found, name: str) -> StartQuestion:
        given = found.entry.get("env") or found.entry.get("headers") or {}
        lines = [found.runs, *(f"with {key}={value}" for key, value in given.items())]
        lines.append(f"is written into {self._mcp_file} as {name!r}; nothing is started now")
        text = "\n".join(lines)
        kind: Literal["command", "address"] = "address" if "url" in found.entry else "command"
        digest = json.dumps([name, text, found.entry], sort_keys=True)
        return StartQuestion(
            server=name,
            title=f"Add the MCP server {found.name!r} to this project?",
            kind=kind,
            text=text,
            digest=digest,
        )

    async def _servers(self, words: str) -> list[Mapping[str, Any]]:
        registry = self._registry()
        if registry.startswith(("http://", "https://")):
            return await self._fetched(registry, words)
        content = await in_worker(lambda: _read_file(registry)) if registry else b"[]"
        return _listed(_parsed(content, registry))[0]

    async def _fetched(self, address: str, words: str) -> list[Mapping[str, Any]]:
        base = address.rstrip("/")
        if not base.endswith("/servers"):
            base = f"{base}/v0.1/servers"
        servers: list[Mapping[str, Any]] = []
        query = {"search": words, "version": "latest", "limit": "100"}
        for _ in range(MAX_PAGES):
            page, cursor = _listed(_parsed(await self._get(f"{base}?{urlencode(query)}"), address))
            servers += page
            if not cursor or cursor == query.get("cursor") or len(servers) >= MAX_FOUND:
                break
            query["cursor"] = cursor
        return servers


def _read_file(name: str) -> bytes:
    try:
        content = read_start(Path(name).expanduser(), MAX_BYTES)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise RequestError(f"The MCP registry {name!r} cannot be read: {why}.") from error
    if content is None:
        raise RequestError(f"The MCP registry {name!r} cannot be read: there is no such file.")
    return content


def _parsed(data: bytes, registry: str) -> Any:
    if len(data) > MAX_BYTES:
        raise RequestError(f"The MCP registry {registry!r} is larger than {MAX_BYTES:,} bytes.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The MCP registry {registry!r} holds no JSON.") from error


def _listed(content: Any) -> tuple[list[Mapping[str, Any]], str]:
    """The servers in a registry's answer, in a file of several, or in one `server.json`; and where to go on."""
    cursor = ""
    if isinstance(content, dict) and "servers" in content:
        metadata = content.get("metadata")
        if isinstance(metadata, dict):
            cursor = str(metadata.get("nextCursor") or metadata.get("next_cursor") or "")
        content = content["servers"]
    entries = content if isinstance(content, list) else [content]
    # A registry wraps each server, to say more of it.
    servers = [each.get("server", each) for each in entries if isinstance(each, dict)]
    return [each for each in servers if isinstance(each, dict) and isinstance(each.get("name"), str)], cursor


def _found(server: Mapping[str, Any]) -> Found:
    entry: Mapping[str, Any] = {}
    problem = ""
    try:
        entry = entry_of(server)
    except Unusable as error:
        problem = str(error)
    runs = entry.get("url") or shlex.join([entry["command"], *entry["args"]]) if entry else ""
    return Found(
        name=_line(server["name"], 200),
        kind="server",
        description=_line(server.get("description"), 300),
        version=_line(server.get("version"), 100),
        runs=runs,
        problem=problem,
        entry=entry,
    )


def _line(value: Any, limit: int) -> str:
    return cut(" ".join(cleaned(value).split()), limit) if isinstance(value, str) else ""


def _has_words(found: Found, words: str) -> bool:
    text = f"{found.name} {found.description}".casefold()
    return all(word in text for word in words.casefold().split())
