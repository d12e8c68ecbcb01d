"""The settings as the page shows them. Everything here reads files, so it runs beside the core loop."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal, cast

from rustbot_jupyter.engine.planner import ModelPlanner
from rustbot_jupyter.llm.base import DEMO_MODEL
from rustbot_jupyter.notebook.protocol import FieldView, KeyView, ModelView, SettingsView
from rustbot_jupyter.settings.explain import Origin
from rustbot_jupyter.settings.hidden import HiddenTable
from rustbot_jupyter.settings.hosts import host_of, is_loopback
from rustbot_jupyter.settings.layers import Settings
from rustbot_jupyter.settings.profile import field_schema
from rustbot_jupyter.settings.redaction import redact_data

_GROUPS = {
    "Model": ("model", "fallback_models", "base_url", "headers", "query", "provider"),
    "System prompt": ("instructions", "personality"),
    "Answer": ("temperature", "top_p", "max_tokens", "reasoning_effort", "seed", "stop"),
    "Cost": ("max_cost_per_request_usd", "max_cost_per_conversation_usd"),
    "Privacy": ("send_values",),
}
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names}
_OTHER_GROUP = "Limits"
_TYPES = {"text": "string", "long_text": "text"}
_LAYERS = {"call": "session"}


def settings_view(settings: Settings) -> SettingsView:
    """Everything the Settings tab shows; the key is named, never told."""
    origins = {origin.name: origin for origin in settings.explain()}
    profiles = settings.profiles()
    return {
        "profile": settings.profile_name or "",
        # "" is no profile: it can be chosen as soon as there is something to choose.
        "profiles": ["", *profiles] if profiles else [],
        "fields": [_field(entry, origins[entry["name"]]) for entry in field_schema()],
        "key": _key(settings),
        "problems": list(settings.problems),
        "path": str(settings.path) if settings.path is not None else "",
    }


def model_view(settings: Settings, planner: ModelPlanner) -> ModelView:
    """Return who answers, by the files and the environment as they are now."""
    settings.reload()
    model, base_url = planner.model(), settings.values.base_url
    if model == DEMO_MODEL:
        return {"id": model, "host": "offline demo", "is_demo": True, "is_local": True}
    return {"id": model, "host": host_of(base_url), "is_demo": False, "is_local": is_loopback(base_url)}


def _field(entry: dict[str, Any], origin: Origin) -> FieldView:
    is_number = entry["type"] in ("number", "integer")
    return {
        "name": entry["name"],
        "label": entry["label"],
        "group": _GROUP_OF.get(entry["name"], _OTHER_GROUP),
        "type": cast(Literal["string", "text"], _TYPES.get(entry["type"], entry["type"])),
        "unit": entry["unit"],
        "minimum": entry["min"] if is_number else None,
        "maximum": entry["max"] if is_number else None,
        "choices": entry["choices"],
        "help": entry["help"],
        "value": _plain(origin.value),
        "default": _plain(entry["default"]),
        "layer": _LAYERS.get(origin.layer, origin.layer),
        "where": origin.where,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, HiddenTable):
        return value.visible()
    return redact_data(list(value) if isinstance(value, tuple) else value)


def _key(settings: Settings) -> KeyView:
    key = settings.find_key()
    return {
        "present": key is not None,
        "source": key.source if key is not None else "",
        "host": host_of(settings.values.base_url),
        "can_use_keyring": find_spec("keyring") is not None,
    }
