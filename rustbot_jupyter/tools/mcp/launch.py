"""What starting a server does, exactly: the command or address, for the process and for the eye."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rustbot_jupyter.tools.mcp.config import ServerConfig, is_open_address
from rustbot_jupyter.tools.mcp.expansion import OUR_KEYS, expand, is_secret

_INHERITED = frozenset(
    {"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER"}
    | {"APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROCESSOR_ARCHITECTURE"}
    | {"PROGRAMDATA", "PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT", "USERNAME", "USERPROFILE", "WINDIR"}
)
"""What programs need to run at all; keys and tokens of the kernel's environment stay there."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A server's command or address, with all variables replaced. Holds secrets: it is not shown."""

    command: tuple[str, ...] = ()
    env: Mapping[str, str]
    """The whole environment of the process."""
    cwd: str = ""
    url: str = ""
    is_sse: bool = False
    headers: Mapping[str, str]
    start_timeout: float


def launch_of(config: ServerConfig, environ: Mapping[str, str], workspace: Path) -> Launch:
    """What a server is started with.

    Raises:
        SettingsError: A variable is missing.
    """
    return Launch(
        command=tuple(expand(part, environ) for part in config.command),
        env={**minimal_environment(environ), **_without_our_keys(_expanded(config.env, environ))},
        cwd=_folder(config, workspace, expand(config.cwd, environ)),
        url=expand(config.url, environ),
        is_sse=config.is_sse,
        headers=_expanded(config.headers, environ),
        start_timeout=config.start_timeout,
    )


def minimal_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that every server gets."""
    return {
        name: value for name, value in environ.items() if name.upper() in _INHERITED or name.upper().startswith("LC_")
    }


def _expanded(pairs: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    return {name: expand(value, environ) for name, value in pairs.items()}


def _without_our_keys(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in OUR_KEYS}


def _folder(config: ServerConfig, workspace: Path, cwd: str) -> str:
    return str(workspace / Path(cwd).expanduser()) if config.command else ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a person is shown before a server starts."""

    text: str
    """The command or the address, then the folder and all that the file adds. Secrets stand as their variable's name,
    or masked."""
    digest: str
    """Changes with the server's name and anything that would run differently, written secrets included."""

    @property
    def first_line(self) -> str:
        """The command or address alone."""
        return self.text.partition("\n")[0]


def shown(config: ServerConfig, environ: Mapping[str, str], workspace: Path) -> Shown:
    """What starting a server would do, for the eye, and a digest of it.

    Raises:
        SettingsError: A variable is missing.
    """

    def visible(text: str) -> str:
        return expand(text, environ, keep=is_secret)

    env = {name: visible(value) for name, value in config.env.items()}
    headers = {name: visible(value) for name, value in config.headers.items()}
    if config.command:
        command = [visible(part) for part in config.command]
        folder = _folder(config, workspace, visible(config.cwd))
        lines = [shlex.join(command), f"in the folder {folder}"]
        meaning: list[object] = [config.name, command, folder, env]
    else:
        url = visible(config.url)
        lines = [url, *(["over plain http: others on the way can read it"] if is_open_address(url) else [])]
        meaning = [config.name, url, headers, *(["sse"] if config.is_sse else [])]
    lines += [f"with {name}={_masked(name, value)}" for name, value in (env | headers).items()]
    digest = hashlib.sha256(json.dumps(meaning, sort_keys=True).encode("utf-8", "surrogatepass"))
    return Shown(text="\n".join(lines), digest=digest.hexdigest())


def _masked(name: str, value: str) -> str:
    is_written_out = is_secret(name) and "${" not in value
    return f"••• ({len(value)} characters)" if is_written_out and value else value
