"""A check-up with next steps: the installation, the key and server that would be used, and their answers."""

from __future__ import annotations

import html
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from rustbot_jupyter import __version__
from rustbot_jupyter.errors import ModelError
from rustbot_jupyter.llm.base import DEMO_MODEL
from rustbot_jupyter.llm.local_servers import find_servers
from rustbot_jupyter.rustbot import Rustbot
from rustbot_jupyter.tools.mcp.server import ServerState
from rustbot_jupyter.tools.sandbox import has_sandbox
from rustbot_jupyter.tools.workspace import Workspace

Level = Literal["ok", "warning", "problem"]
PACKAGES = ("ipykernel", "ipywidgets", "anywidget", "httpx", "pandas", "plotly", "jupyterlab")
ANSWER_WITHIN_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the report."""

    level: Level
    text: str
    next_step: str = ""
    """What to do; "" when nothing needs doing."""


@dataclass(frozen=True)
class Report:
    """All findings; shows itself as text and in a notebook."""

    findings: Sequence[Finding]

    @property
    def has_problem(self) -> bool:
        """True if something keeps Rustbot from working as it is set up."""
        return any(finding.level == "problem" for finding in self.findings)

    def __repr__(self) -> str:
        return "\n".join(
            f"{finding.level:<8} {finding.text}" + (f"\n{'':<8} → {finding.next_step}" if finding.next_step else "")
            for finding in self.findings
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'><b>{finding.level}</b></td>"
            f"<td style='text-align:left'>{html.escape(finding.text)}</td>"
            f"<td style='text-align:left'>{html.escape(finding.next_step)}</td></tr>"
            for finding in self.findings
        )
        return f"<table><tbody>{rows}</tbody></table>"


def examine(bot: Rustbot) -> Report:
    """Look at everything; asks the configured server and the usual local ports, at most some seconds each."""
    return Report([*_installation(), *_settings(bot), *_server(bot), *_tools(bot), *_local_servers(bot)])


def _installation() -> Iterator[Finding]:
    yield Finding(level="ok", text=f"rustbot-jupyter {__version__} on Python {platform.python_version()}")
    for package in PACKAGES:
        installed = _version(package)
        if installed is not None:
            yield Finding(level="ok", text=f"{package} {installed}")
        elif package == "jupyterlab":
            yield Finding(
                level="warning",
                text="jupyterlab is not installed here",
                next_step="Fine if the server runs elsewhere; else: pip install 'rustbot-jupyter[lab]'",
            )
        else:
            yield Finding(level="problem", text=f"{package} is missing", next_step=f"pip install {package}")
    yield _subshells()


def _subshells() -> Finding:
    installed = _version("ipykernel") or "0"
    if int(installed.split(".")[0]) >= 7:
        return Finding(level="ok", text=f"ipykernel {installed} has subshells: the chat answers while a cell runs")
    return Finding(
        level="warning",
        text=f"ipykernel {installed} has no subshells: the chat waits while a cell runs",
        next_step="pip install -U 'ipykernel>=7.1', then restart the kernel",
    )


def _settings(bot: Rustbot) -> Iterator[Finding]:
    settings = bot.settings
    path = settings.path
    if path is None or not path.exists():
        yield Finding(level="ok", text="no settings file yet; the defaults are used")
    else:
        yield Finding(level="ok", text=f"settings from {path}")
    for problem in settings.problems:
        yield Finding(level="warning", text=problem, next_step="Correct it there, or save the settings anew.")


def _server(bot: Rustbot) -> Iterator[Finding]:
    model = bot.model
    key = bot.settings.find_key()
    if key is not None:
        yield Finding(level="ok", text=f"a key for {key.host} from {key.source}")
    if model == DEMO_MODEL:
        why = "no key can be used" if bot.settings.key_problems else "there is no key"
        yield Finding(
            level="warning",
            text=f"the offline demo answers: {why}",
            next_step="Set OPENROUTER_API_KEY, or type a key into the chat's Settings tab.",
        )
        return
    yield Finding(level="ok", text=f"{model} is asked at {bot.settings.base_url}")
    problem = bot.refresh_models(ANSWER_WITHIN_S)
    if problem:
        yield Finding(level="problem", text=problem, next_step="Check the address, and that the server runs.")
        return
    yield Finding(level="ok", text=f"it answers and lists {len(bot.planner.catalog.models)} models")
    if bot.planner.catalog.get(model) is None and bot.planner.catalog.models:
        near = ", ".join(bot.planner.catalog.nearest(model)) or "see `rustbot models`"
        yield Finding(level="problem", text=f"it does not list {model!r}", next_step=f"Near names: {near}")
    yield from _refused(bot)
    if key is not None:
        yield _key_status(bot)


def _refused(bot: Rustbot) -> Iterator[Finding]:
    lessons = bot.planner.lessons
    bot.run(lessons.ready())
    for model, learnt in lessons.all().items():
        yield Finding(
            level="ok",
            text=f"{model} refused something within the last day and is asked with {', '.join(map(str, learnt))}",
            next_step="To try it again: bot.refresh_models(try_again=True)",
        )


def _key_status(bot: Rustbot) -> Finding:
    client = bot.planner.client()
    try:
        status = bot.run(client.key_status())
    except ModelError as error:
        return Finding(level="problem", text=str(error), next_step="Type a working key into the chat's Settings tab.")
    left = status.get("limit_remaining")
    return Finding(
        level="ok", text="the key works" + (f"; ${left:.2f} are left" if isinstance(left, int | float) else "")
    )


def _tools(bot: Rustbot) -> Iterator[Finding]:
    if has_sandbox(Workspace(Path.cwd())):
        yield Finding(level="ok", text="commands run in a sandbox (bubblewrap)")
    else:
        yield Finding(
            level="warning",
            text="commands that are allowed run without a sandbox: they can do all that you can do",
            next_step="On Linux install bubblewrap; in a container it also has to be permitted.",
        )
    for problem in bot.mcp.problems:
        yield Finding(level="warning", text=_in_one_line(problem), next_step="Correct it there.")
    servers = bot.mcp.list()
    if servers and _version("mcp") is None:
        yield Finding(level="problem", text="MCP servers need mcp", next_step="pip install 'rustbot-jupyter[mcp]'")
        return
    for server in servers:
        text = f"MCP server {server.name} ({server.origin}): {server.state}, {server.tools} tools"
        if server.state is ServerState.FAILED:
            yield Finding(
                level="problem",
                text=_in_one_line(f"{text}: {server.error}"),
                next_step=f"bot.mcp.log({server.name!r}) shows what it wrote.",
            )
        elif server.state is ServerState.UNAPPROVED:
            yield Finding(level="warning", text=text, next_step=f"Read its command: bot.mcp.start({server.name!r})")
        else:
            yield Finding(level="ok", text=text)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _local_servers(bot: Rustbot) -> Iterator[Finding]:
    for server in bot.run(find_servers()):
        yield Finding(
            level="ok",
            text=f"{server.name} runs at {server.base_url} with {len(server.models)} models",
            next_step=f"To use it: rb.Rustbot(base_url={server.base_url!r})",
        )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
