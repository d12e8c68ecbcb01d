"""The start of a server, exactly: the command or address, for the process and for the eye."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.tools.mcp.config import Input, ServerConfig, is_open_address
from rustbot_jupyter.tools.mcp.expansion import OUR_KEYS, expand, input_names, is_secret
from rustbot_jupyter.whole_files import read_start

_MAX_ENV_FILE = 1 << 18

_INHERITED = frozenset(
    {"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER"}
    | {"APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROCESSOR_ARCHITECTURE"}
    | {"PROGRAMDATA", "PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT", "USERNAME", "USERPROFILE", "WINDIR"}
    | {"ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}
    | {"CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)
"""What programs need to run at all, and to reach others where a proxy or a company's certificate stands between; keys
and tokens of the kernel's environment stay there."""


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


def launch_of(
    config: ServerConfig, environ: Mapping[str, str], workspace: Path, inputs: Mapping[str, str] | None = None
) -> Launch:
    """Return what a server is started with; reads the file of its variables.

    Raises:
        SettingsError: A variable, a value that has to be asked for, or a file is missing.
    """
    known = {**_places(workspace), **_given(config, inputs or {})}

    def full(text: str) -> str:
        return expand(text, environ, known=known)

    env = {name: full(value) for name, value in config.env.items()}
    env = {**_env_of_file(workspace / full(config.env_file)), **env} if config.env_file else env
    cwd = _folder(config, workspace, full(config.cwd))
    return Launch(
        command=_command([full(part) for part in config.command], environ, cwd),
        env={**minimal_environment(environ), **_without_our_keys(env)},
        cwd=cwd,
        url=full(config.url),
        is_sse=config.is_sse,
        headers={name: full(value) for name, value in config.headers.items()},
        start_timeout=config.start_timeout,
    )


def _places(workspace: Path) -> dict[str, str]:
    folder = str(workspace)
    names = {
        "workspaceFolder": folder,
        "workspaceRoot": folder,
        "cwd": folder,
        "workspaceFolderBasename": workspace.name,
    }
    return {**names, "userHome": os.path.expanduser("~"), "pathSeparator": os.sep, "/": os.sep}


def _given(config: ServerConfig, inputs: Mapping[str, str]) -> dict[str, str]:
    defaults = {each.id: each.default for each in config.inputs.values() if each.default is not None}
    return {f"input:{name}": value for name, value in {**defaults, **inputs}.items()}


def missing_inputs(config: ServerConfig, inputs: Mapping[str, str]) -> list[Input]:
    """Return what a person has to be asked for before a server can start; defaults are offered to them as well."""
    texts = (*config.command, config.cwd, config.url, config.env_file, *config.env.values(), *config.headers.values())
    wanted = dict.fromkeys(name for text in texts for name in input_names(text))
    return [config.inputs.get(name, Input(id=name)) for name in wanted if name not in inputs]


def _env_of_file(path: Path) -> dict[str, str]:
    try:
        raw = read_start(path, _MAX_ENV_FILE)
    except OSError as error:
        raise SettingsError(f"the 'envFile' {str(path)!r} cannot be read: {error.strerror or error}") from error
    if raw is None:
        raise SettingsError(f"there is no 'envFile' {str(path)!r}; correct its path, or make it")
    text = raw[:_MAX_ENV_FILE].decode("utf-8-sig", errors="replace").replace("\0", "")
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def _command(parts: Sequence[str], environ: Mapping[str, str], cwd: str) -> tuple[str, ...]:
    """The program and its arguments. A whole line in the place of the program is split as a shell would; a program
    whose name has blanks is there, and is not."""
    if not parts or not any(char.isspace() for char in parts[0].strip()):
        return tuple(parts)
    path = os.path.join(cwd, parts[0]) if os.path.dirname(parts[0]) else parts[0]
    if shutil.which(path, path=environ.get("PATH", os.defpath)) is not None:
        return tuple(parts)
    try:
        words = shlex.split(parts[0], posix=os.name != "nt")
    except ValueError:
        return tuple(parts)
    return (*(word.strip('"') if os.name == "nt" else word for word in words), *parts[1:])


def minimal_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that every server gets."""
    return {
        name: value for name, value in environ.items() if name.upper() in _INHERITED or name.upper().startswith("LC_")
    }


def _without_our_keys(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in OUR_KEYS}


def _folder(config: ServerConfig, workspace: Path, cwd: str) -> str:
    return str(workspace / Path(cwd).expanduser()) if config.command else ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A start as a person is shown it."""

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
    """Return what starting a server would do, for the eye, and a digest of it.

    Raises:
        SettingsError: A variable is missing.
    """

    places = _places(workspace)

    def visible(text: str) -> str:
        return expand(text, environ, known=places, keep=lambda name: is_secret(name) or name.startswith("input:"))

    env = {name: visible(value) for name, value in config.env.items()}
    headers = {name: visible(value) for name, value in config.headers.items()}
    if config.command:
        folder = _folder(config, workspace, visible(config.cwd))
        command = _command([visible(part) for part in config.command], environ, folder)
        lines = [shlex.join(command), f"in the folder {folder}"]
        meaning: list[object] = [config.name, command, folder, env]
        if config.env_file:
            file = str(workspace / visible(config.env_file))
            lines.append(f"with the variables of {file}")
            meaning.append(file)
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
