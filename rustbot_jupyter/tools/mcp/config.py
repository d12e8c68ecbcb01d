"""Files that name MCP servers: `.mcp.json`, VS Code's `.vscode/mcp.json`, and the user's own `mcp.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.tools.mcp.expansion import unknown_variable
from rustbot_jupyter.tools.mcp.lenient_json import read_lenient
from rustbot_jupyter.whole_files import read_start, write_atomically

MAX_BYTES = 1_000_000
MAX_SERVERS = 64
MAX_START_S = 3600.0
START_S = 120.0
"""From the start of a server until its tools are known: the first start of many fetches them."""

Origin = Literal["user", "workspace", "code"]

_KEYS = ("mcpServers", "servers")
"""The second is VS Code's."""
_HTTP_TYPES = frozenset({"http", "streamable-http", "streamableHttp", "streamable_http", "sse"})


@dataclass(frozen=True, kw_only=True)
class Input:
    """A value that `${input:ID}` stands for, which a person is asked for; it is kept in memory only."""

    id: str
    description: str = ""
    default: str | None = None
    options: tuple[str, ...] = ()
    """What can be chosen; () for any text."""


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """The way to reach one server, with `${VARIABLES}` as they were written."""

    name: str
    origin: Origin
    """user, workspace or code: which file named it."""
    command: tuple[str, ...] = ()
    """Program and arguments; () for a server with an address."""
    env: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""
    """A file with more variables; "" for none."""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    """What the file wants to be asked for, by id."""
    cwd: str = ""
    """Where the program runs; "" takes the workspace."""
    start_timeout: float = START_S
    """Seconds until it has failed; a question waits for less."""
    url: str = ""
    is_sse: bool = False
    """True for the older kind of server over HTTP, with an address for events and one for messages."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers that a file names."""

    servers: tuple[ServerConfig, ...] = ()
    problems: tuple[str, ...] = ()
    """One sentence for each part that could not be used."""


def read_servers(path: Path, origin: Origin) -> Servers:
    """The servers that a file names. What is good is used; a file that is not there names none."""
    try:
        content = _read(path)
    except SettingsError as error:
        return Servers(problems=(str(error),))
    servers: list[ServerConfig] = []
    problems: list[str] = []
    inputs = _inputs(content.get("inputs"))
    for name, entry in _entries(content, path, problems):
        try:
            server = replace(server_of(name, entry, origin), inputs=inputs)
        except SettingsError as error:
            problems.append(f"{path.name!r}: {error}")
        else:
            servers.append(server)
    if len(servers) > MAX_SERVERS:
        problems.append(
            f"{path.name!r} names {len(servers)} servers; those after the first {MAX_SERVERS} are left out."
        )
    return Servers(servers=tuple(servers[:MAX_SERVERS]), problems=tuple(problems))


def _entries(content: Mapping[str, Any], path: Path, problems: list[str]) -> Iterator[tuple[str, Any]]:
    for key in _KEYS:
        entries = content.get(key) or {}
        if not isinstance(entries, dict):
            problems.append(f"{path.name!r}: {key!r} is no object of names and servers; it was left out.")
            continue
        for name, entry in entries.items():
            is_off = isinstance(entry, dict) and (entry.get("disabled") is True or entry.get("enabled") is False)
            if not is_off:
                yield name, entry


def server_of(name: str, entry: Any, origin: Origin) -> ServerConfig:
    """One entry of such a file.

    Raises:
        SettingsError: It names no command and no address that could be used.
    """
    _check_name(name)
    if not isinstance(entry, Mapping):
        raise SettingsError(f"The server {name!r} is no object; give it a 'command' or a 'url'.")
    if "serverUrl" in entry and "url" not in entry:
        # As Windsurf spells it.
        entry = {**entry, "url": entry["serverUrl"]}
    kind = entry.get("type") or _kind(entry)
    if kind == "stdio":
        server = ServerConfig(
            name=name,
            origin=origin,
            command=(_text(name, entry, "command", needed=True), *_texts(name, entry, "args")),
            env=_pairs(name, entry, "env"),
            env_file=_text(name, entry, "envFile"),
            cwd=_text(name, entry, "cwd"),
            start_timeout=_start_timeout(name, entry),
        )
    elif isinstance(kind, str) and kind in _HTTP_TYPES:
        server = ServerConfig(
            name=name,
            origin=origin,
            url=_address(name, entry),
            is_sse=kind == "sse",
            start_timeout=_start_timeout(name, entry),
            headers=_pairs(name, entry, "headers"),
        )
    else:
        raise SettingsError(f"The server {name!r} has the type {kind!r}; 'stdio', 'http' and 'sse' can be used.")
    _check_variables(server)
    return server


def _kind(entry: Mapping[str, Any]) -> str:
    """The type that an entry without one has."""
    if not entry.get("url") or entry.get("command"):
        return "stdio"
    return "sse" if urlsplit(str(entry["url"]).rstrip("/")).path.endswith("/sse") else "http"


def _inputs(value: Any) -> dict[str, Input]:
    """VS Code's `inputs`; what is none is left out."""
    found = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    return {
        each["id"]: Input(
            id=each["id"],
            description=each["description"] if isinstance(each.get("description"), str) else "",
            default=each["default"] if isinstance(each.get("default"), str) else None,
            options=tuple(_option(option) for option in each.get("options") or ()),
        )
        for each in found
        if isinstance(each.get("id"), str) and isinstance(each.get("options") or [], list)
    }


def _option(option: Any) -> str:
    return str(option.get("value", option.get("label", ""))) if isinstance(option, Mapping) else str(option)


def _check_name(name: Any) -> None:
    if not (isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= 100):
        raise SettingsError(f"{str(name)[:100]!r} cannot be the name of a server: use letters, digits, '-' and '_'.")


def _check_variables(server: ServerConfig) -> None:
    values = (*server.command, server.cwd, server.env_file, server.url, *server.env.values(), *server.headers.values())
    for value in values:
        if (unknown := unknown_variable(value)) is not None:
            raise SettingsError(
                f"The server {server.name!r} uses {unknown!r}, which is not known here: write ${{NAME}} for the "
                "environment variable NAME, or ${NAME:-default}."
            )
        if "\0" in value:
            raise SettingsError(f"The server {server.name!r} has a NUL character in {value!r}; remove it.")


def _text(name: str, entry: Mapping[str, Any], key: str, *, needed: bool = False) -> str:
    value = "" if entry.get(key) is None else entry[key]
    if not isinstance(value, str) or (needed and not value.strip()):
        raise SettingsError(f"The server {name!r} needs a text as its {key!r}, not {value!r}.")
    return value


def _texts(name: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise SettingsError(f"The server {name!r} needs a list of texts as its {key!r}.")
    return tuple(values)


def _pairs(name: str, entry: Mapping[str, Any], key: str) -> dict[str, str]:
    values = entry.get(key) or {}
    if not isinstance(values, Mapping) or any(isinstance(value, dict | list) for value in values.values()):
        raise SettingsError(f"The server {name!r} needs names and texts as its {key!r}.")
    return {str(key): "" if value is None else _plain(value) for key, value in values.items()}


def _start_timeout(name: str, entry: Mapping[str, Any]) -> float:
    """As Codex spells it."""
    for key, unit in (("startup_timeout_sec", 1.0), ("startup_timeout_ms", 0.001)):
        value = entry.get(key)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value * unit <= MAX_START_S:
                raise SettingsError(
                    f"The server {name!r} needs a number of at most {MAX_START_S:.0f} seconds as its {key!r}, "
                    f"not {value!r}."
                )
            return value * unit
    return START_S


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _address(name: str, entry: Mapping[str, Any]) -> str:
    url = _text(name, entry, "url", needed=True)
    # The host may stand in a variable.
    if not url.startswith(("http://", "https://", "${")) or any(char.isspace() for char in url):
        raise SettingsError(f"The server {name!r} needs an address that begins with http:// or https://, not {url!r}.")
    return url


def is_open_address(url: str) -> bool:
    """True if what is said to this address can be read on the way: plain http to another machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def add_server(path: Path, name: str, entry: Mapping[str, Any], origin: Origin) -> ServerConfig:
    """Write a server into a file, beside all else that it holds.

    Raises:
        SettingsError: The entry cannot be used, or the file not be read or written; nothing was changed.
    """
    server = server_of(name, entry, origin)
    content = _read(path, for_writing=True)
    key = next((key for key in _KEYS if isinstance(content.get(key), dict)), _KEYS[0])
    servers = {**content.get(key, {}), name: dict(entry)}
    _write(path, {**content, key: servers})
    return server


def remove_server(path: Path, name: str) -> bool:
    """Take a server out of a file; returns whether it was there.

    Raises:
        SettingsError: The file cannot be read or written; nothing was changed.
    """
    content = _read(path)
    holders = [key for key in _KEYS if isinstance(content.get(key), dict) and name in content[key]]
    if holders:
        content = _read(path, for_writing=True)
    for key in holders:
        content[key] = {other: entry for other, entry in content[key].items() if other != name}
    if holders:
        _write(path, content)
    return bool(holders)


def _read(path: Path, *, for_writing: bool = False) -> dict[str, Any]:
    try:
        raw = read_start(path, MAX_BYTES)
    except OSError as error:
        raise SettingsError(f"{path.name!r} cannot be read: {error.strerror or error}.") from error
    if raw is None:
        return {}
    if len(raw) > MAX_BYTES:
        raise SettingsError(f"{path.name!r} is larger than {MAX_BYTES:,} bytes; no server was taken from it.")
    try:
        read = read_lenient(raw)
    except json.JSONDecodeError as error:
        raise SettingsError(
            f"{path.name!r} is no JSON (line {error.lineno}: {error.msg}); mend it, no server was taken from it."
        ) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path.name!r} is no JSON in UTF-8; mend it, no server was taken from it.") from error
    content = read.content
    if for_writing and read.has_comments:
        raise SettingsError(f"{path.name!r} has comments, which would be lost; change it in an editor instead.")
    if not isinstance(content, dict):
        raise SettingsError(f'{path.name!r} holds no JSON object; begin it with {{"mcpServers": {{...}}}}.')
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    try:
        write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode())
    except (OSError, UnicodeEncodeError) as error:
        raise SettingsError(f"{path.name!r} cannot be written: {error}.") from error
