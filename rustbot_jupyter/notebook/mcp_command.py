"""`%rustbot mcp`: the MCP servers of the bot, in words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.tools.mcp.desk import ServerStatus

USAGE = (
    "%rustbot mcp list | add NAME COMMAND ARGUMENT... | add NAME https://... | remove NAME | start NAME | stop NAME | "
    "restart NAME | log NAME"
)


class Desk(Protocol):
    """The bot's servers, as a line of a cell uses them: each call returns when it is done."""

    @property
    def problems(self) -> Sequence[str]:
        """Return what could not be used of the files."""

    def list(self) -> Sequence[ServerStatus]:
        """All servers."""

    def add(self, name: str, config: Mapping[str, Any]) -> ServerStatus:
        """Write a server into the user's file."""

    def remove(self, name: str) -> None:
        """Stop a server and take it out of its file."""

    def start(self, name: str) -> None:
        """Start a server."""

    def stop(self, name: str) -> None:
        """End a server until it is started again."""

    def restart(self, name: str) -> None:
        """Stop and start a server."""

    def log(self, name: str) -> str:
        """Return what a server wrote."""


def mcp_command(desk: Desk, *words: str) -> str:
    """Return what `%rustbot mcp WORDS` shows, as Markdown.

    Raises:
        RustbotError: It cannot be done; the message says why.
    """
    verb, *rest = words or ("list",)
    match verb, rest:
        case "list", []:
            return _listed(desk)
        case "add", [name, command, *arguments]:
            status = desk.add(name, entry_of_line(command, arguments))
            return f"`{status.name}` is added; it starts when tools are next wanted:\n\n{_fenced(status.command)}"
        case "remove", [name]:
            desk.remove(name)
            return f"`{name}` is removed."
        case "start", [name]:
            desk.start(name)
            return f"`{name}` runs."
        case "stop", [name]:
            desk.stop(name)
            return f"`{name}` is stopped."
        case "restart", [name]:
            desk.restart(name)
            return f"`{name}` runs again."
        case "log", [name]:
            return _fenced(desk.log(name) or "It has written nothing yet.")
    raise RequestError(f"{shlex.join(['mcp', *words])!r} is not a command. Write: {USAGE}")


def entry_of_line(command: str, arguments: Sequence[str]) -> dict[str, Any]:
    """A server as it is typed: a command with its arguments, or an address alone.

    Raises:
        RequestError: Words follow an address.
    """
    if not command.startswith(("http://", "https://")):
        return {"command": command, "args": list(arguments)}
    if arguments:
        raise RequestError(f"After the address of an MCP server nothing follows, and here {arguments[0]!r} does.")
    return {"type": "http", "url": command}


def _listed(desk: Desk) -> str:
    servers = desk.list()
    problems = [f"- {problem}" for problem in desk.problems]
    if not servers:
        return "\n".join(["There are no MCP servers. Add one: `%rustbot mcp add NAME COMMAND ARGUMENT...`", *problems])
    rows = [
        f"| {_cell(each.name)} | {each.state.value} | {each.tools} | {each.origin} | `{_cell(each.command)}` | "
        f"{_cell(each.error)} |"
        for each in servers
    ]
    head = ["| server | state | tools | named by | command | |", "|---|---|---:|---|---|---|"]
    return "\n".join([*head, *rows, *([""] if problems else []), *problems])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")


def _fenced(text: str) -> str:
    # One more backtick than any run in the text.
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text.rstrip()}\n{fence}"
