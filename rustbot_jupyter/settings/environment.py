"""Settings from environment variables and from the .env file of the working directory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings import files
from rustbot_jupyter.settings.profile import FIELDS, check

PREFIX = "RUSTBOT_"
_LIST_FIELDS = ("fallback_models", "stop", "disabled_tools")
_DOTENV_LIMIT = 1 << 18


def read_dotenv(folder: Path) -> dict[str, str]:
    """The variables of `folder`/.env; none when there is no such file or it cannot be read.

    `${NAME}` is left as it is: a project's file must not be able to put the user's key into an address.
    """
    try:
        raw = files.read_start(folder / ".env", _DOTENV_LIMIT)
    except OSError:
        return {}
    text = (raw or b"")[:_DOTENV_LIMIT].decode("utf-8-sig", errors="replace").replace("\0", "")
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def settings_from(environ: Mapping[str, str], place: str = "") -> tuple[dict[str, Any], list[str]]:
    """The checked settings in `RUSTBOT_<FIELD>` variables, and a message for each that cannot be used."""
    values: dict[str, Any] = {}
    problems = []
    for name in FIELDS:
        text = environ.get(PREFIX + name.upper(), "").strip()
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
    if name == "provider" or (name in _LIST_FIELDS and text.lstrip().startswith("[")):
        try:
            return check(name, json.loads(text))
        except (ValueError, RecursionError):
            raise SettingsError(f"{name!r} is not JSON; write it as in {_EXAMPLES[name]}.") from None
    if name in _LIST_FIELDS:
        return check(name, [item for item in re.split(r"\s*,\s*", text.strip()) if item])
    return check(name, text)


_EXAMPLES = {
    "provider": '{"sort": "price"}',
    "fallback_models": '["openai/gpt-5", "qwen/qwen3-32b"]',
    "stop": '["END"]',
    "disabled_tools": '["run_shell", "filesystem__*"]',
}
