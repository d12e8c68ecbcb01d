"""Settings from environment variables and from the .env file of the working directory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dotenv.parser import parse_stream

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings import files
from rustbot_jupyter.settings.key_text import unquoted
from rustbot_jupyter.settings.profile import FIELDS, HIDDEN, check

PREFIX = "RUSTBOT_"
_LIST_FIELDS = ("fallback_models", "stop", "disabled_tools")
_DOTENV_LIMIT = 1 << 18
_NAME = re.compile(r"[^\W\d][\w.-]*")


def read_dotenv(folder: Path) -> tuple[Mapping[str, str], str]:
    """The variables of `folder`/.env, and a message on what of it cannot be read, or ""; none without such a file.

    `${NAME}` is left as it is: a project's file must not be able to put the user's key into an address.
    """
    try:
        return _dotenv(folder / ".env")
    except OSError as exc:
        return {}, f"The file .env in the working folder cannot be read ({exc.strerror or exc})."


@files.kept
def _dotenv(path: Path) -> tuple[Mapping[str, str], str]:
    raw = files.read_start(path, _DOTENV_LIMIT)
    text, is_utf_16 = files.decoded((raw or b"")[:_DOTENV_LIMIT])
    values: dict[str, str] = {}
    faults: list[int] = []
    # Not `dotenv_values`: it reports broken lines on standard error.
    for binding in parse_stream(io.StringIO(text.replace("\0", ""))):
        if binding.key is not None and _NAME.fullmatch(binding.key):
            values |= {binding.key: binding.value} if binding.value is not None else {}
        elif binding.error or binding.key is not None:
            written = binding.original.string
            blank = len(written) - len(written.lstrip())
            faults.append(binding.original.line + written[:blank].count("\n"))
    return MappingProxyType(values), _message(faults, is_utf_16)


def _message(faults: list[int], is_utf_16: bool) -> str:
    if not faults:
        return "The file .env is written in UTF-16; save it as UTF-8, as other programs expect it." if is_utf_16 else ""
    shown = ", ".join(map(str, faults[:5])) + (", …" if len(faults) > 5 else "")
    lines = f"line {shown} cannot be read and is" if len(faults) == 1 else f"lines {shown} cannot be read and are"
    return f"In .env {lines} left out. Write NAME=value, with nothing in front and both quotation marks or none."


def settings_from(environ: Mapping[str, str], place: str = "") -> tuple[dict[str, Any], list[str]]:
    """The checked settings in `RUSTBOT_<FIELD>` variables, and a message for each that cannot be used."""
    values: dict[str, Any] = {}
    problems = []
    for name in FIELDS:
        text = unquoted(environ.get(PREFIX + name.upper(), ""))
        if text:
            try:
                values[name] = from_text(name, text)
            except SettingsError as exc:
                problems.append(f"{PREFIX}{name.upper()}{place} is not used: {exc}")
    return values, problems


def from_text(name: str, text: str) -> Any:
    """The value of a setting that was typed as text: lists as `a, b` or JSON, tables as JSON.

    Raises:
        SettingsError: There is no such setting, or it does not take the value.
    """
    if name in ("provider", *HIDDEN) or (name in _LIST_FIELDS and text.lstrip().startswith("[")):
        try:
            return check(name, json.loads(text))
        except (ValueError, RecursionError):
            raise SettingsError(f"{name!r} is not JSON; write it as in {_EXAMPLES[name]}.") from None
    if name in _LIST_FIELDS:
        return check(name, [item for item in re.split(r"\s*,\s*", text.strip()) if item])
    return check(name, text)


_EXAMPLES = {
    "provider": '{"sort": "price"}',
    "headers": '{"api-key": "${AZURE_KEY}"}',
    "query": '{"api-version": "2024-10-21"}',
    "fallback_models": '["openai/gpt-5", "qwen/qwen3-32b"]',
    "stop": '["END"]',
    "disabled_tools": '["run_shell", "filesystem__*"]',
}
