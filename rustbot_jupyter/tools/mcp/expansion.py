"""`${VAR}`, `${VAR:-default}` and `${env:VAR}` in what a file says of a server, and VS Code's own, such as
`${workspaceFolder}` and `${input:key}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rustbot_jupyter.errors import SettingsError

OUR_KEYS = frozenset({"OPENROUTER_API_KEY", "RUSTBOT_API_KEY"})
"""No server gets them, whatever its file says."""

_VARIABLE = re.compile(
    r"\$\{(?P<known>workspaceFolder|workspaceFolderBasename|workspaceRoot|userHome|cwd|pathSeparator|/|input:[^}]{1,100})\}"
    r"|\$\{(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
)
_ANY_VARIABLE = re.compile(r"\$\{[^}]*\}")
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """True if a variable or header of this name holds what nobody should read on a screen."""
    return bool(_SECRET.search(name))


def input_names(text: str) -> list[str]:
    """The ids of `${input:ID}` in a text."""
    return [found["known"][6:] for found in _VARIABLE.finditer(text) if (found["known"] or "").startswith("input:")]


def unknown_variable(text: str) -> str | None:
    """The first `${...}` in a text that is none of ours, such as `${input:key}`."""
    return next((found[0] for found in _ANY_VARIABLE.finditer(text) if not _VARIABLE.fullmatch(found[0])), None)


def expand(
    text: str,
    environ: Mapping[str, str],
    *,
    known: Mapping[str, str] | None = None,
    keep: Callable[[str], bool] = lambda name: False,
) -> str:
    """The text with its variables replaced by their values, which are not expanded again.

    Args:
        text: As it was written.
        environ: The variables there are.
        known: What VS Code's own variables stand for, such as "workspaceFolder" and "input:key".
        keep: Tells by its name that a variable is left as it was written.

    Raises:
        SettingsError: A variable is not set, or is one of our own keys.
    """

    def value(found: re.Match[str]) -> str:
        if found["known"] is not None:
            return found[0] if keep(found["known"]) else _known(found["known"], known or {})
        name, default = found["name"], found["default"]
        if name in OUR_KEYS:
            raise SettingsError(f"{name!r} is Rustbot's own key and is not given to MCP servers; use another variable.")
        if keep(name):
            return found[0]
        # As in a shell, an empty variable takes the default as well.
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise SettingsError(f"the environment variable {name!r} is not set; set it, or write ${{{name}:-default}}.")
        return environ[name]

    return _VARIABLE.sub(value, text)


def _known(name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise SettingsError(
            f"the value of {name.removeprefix('input:')!r} is not known yet; `bot.mcp.start` of this server asks for it"
        )
    return known[name]
