"""The profile: every setting with its meaning, unit, limits and default."""

from __future__ import annotations

import difflib
import json
import re
import reprlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings.hidden import HiddenTable, headers_table, query_table
from rustbot_jupyter.settings.hosts import OPENROUTER_HOST, OPENROUTER_URL, checked_url, host_of
from rustbot_jupyter.settings.redaction import redact

DEFAULT_MODEL = "~anthropic/claude-sonnet-latest"
"""The model when there is a key and no model was chosen."""

DEFAULT_INSTRUCTIONS = (
    "You are Rustbot, an assistant that lives in the user's Jupyter kernel. "
    "Answer in Markdown, to the point; put code into fenced blocks that name their language."
)

_LONGEST_TEXT = 100_000
_SAFE_INTEGER = 2**53 - 1
_LONGEST_MODEL_NAME = 500


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("it is a number, not true or false")
    return value


def _model_name(name: str) -> str:
    name = name.strip()
    # Servers list models by file names, with blanks and backslashes and in any language.
    if not name or not name.isprintable() or len(name) > _LONGEST_MODEL_NAME:
        raise ValueError(f"it is a name such as 'openai/gpt-5', of at most {_LONGEST_MODEL_NAME} printable characters")
    return name


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _json_table(value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(_without_none(value), allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        text = ""
    if not text or len(text) > _LONGEST_TEXT:
        raise ValueError("it is a table of texts, numbers, truth values, lists and tables, as in JSON")
    table: dict[str, Any] = json.loads(text)
    return table


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list | tuple) else value


Number = Annotated[float, BeforeValidator(_not_bool)]
Whole = Annotated[int, BeforeValidator(_not_bool)]
ModelName = Annotated[str, AfterValidator(_model_name)]
Approve = Literal["ask", "read-only"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


def _setting(default: Any, label: str, meaning: str, *, unit: str = "", **limits: Any) -> Any:
    return Field(default, title=label, description=meaning, json_schema_extra={"unit": unit}, **limits)


class Profile(BaseModel):
    """All settings, checked. None means: not set, the provider or Rustbot decides."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), arbitrary_types_allowed=True
    )

    model: ModelName | None = _setting(
        None, "Model", "Who answers. Unset: the newest Claude Sonnet with a key, the offline demo without one."
    )
    fallback_models: Annotated[tuple[ModelName, ...], BeforeValidator(_one_or_many)] = _setting(
        (), "Fallback models", "Tried in this order when the model fails (OpenRouter).", max_length=10
    )
    base_url: Annotated[str, AfterValidator(checked_url)] = _setting(
        OPENROUTER_URL, "Server", "Address of OpenRouter or of a server that speaks the same protocol."
    )
    headers: Annotated[HiddenTable, BeforeValidator(headers_table)] = _setting(
        HiddenTable(), "Headers", 'Sent to this server only, such as {"api-key": "${AZURE_KEY}"}; kept like keys.'
    )
    query: Annotated[HiddenTable, BeforeValidator(query_table)] = _setting(
        HiddenTable(), "Query", 'Put behind each address of this server, such as {"api-version": "2024-10-21"}.'
    )
    instructions: str = _setting(
        DEFAULT_INSTRUCTIONS,
        "Instructions",
        "What the model is told to do; first part of the system prompt.",
        max_length=_LONGEST_TEXT,
    )
    personality: str = _setting(
        "", "Personality", "How it speaks; second part of the system prompt.", max_length=_LONGEST_TEXT
    )
    temperature: Number | None = _setting(
        None, "Temperature", "Higher is more varied, 0 the most predictable. Unset: the provider's default.", ge=0, le=2
    )
    top_p: Number | None = _setting(
        None, "Top p", "Only the likeliest tokens up to this share are drawn from.", unit="share", ge=0, le=1
    )
    max_tokens: Whole | None = _setting(
        None, "Longest answer", "Where an answer is cut off. Unset: the model's limit.", unit="tokens", ge=1, le=10**7
    )
    reasoning_effort: Effort | None = _setting(
        None, "Reasoning", "How long a model that can do so thinks before it answers."
    )
    seed: Whole | None = _setting(
        None, "Seed", "The same seed may give the same answer again.", ge=-_SAFE_INTEGER, le=_SAFE_INTEGER
    )
    stop: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...], BeforeValidator(_one_or_many)] = (
        _setting((), "Stop at", "Texts that end the answer.", max_length=4)
    )
    provider: Annotated[dict[str, Any], AfterValidator(_json_table)] = _setting(
        {}, "Provider routing", "OpenRouter's `provider` table: order, only, ignore, sort, data_collection, ..."
    )
    context_budget_tokens: Whole | None = _setting(
        None,
        "Context budget",
        "How much of the conversation is sent along. Unset: what the model takes.",
        unit="tokens",
        ge=256,
        le=10**8,
    )
    connect_timeout_s: Number = _setting(
        5.0, "Connect within", "Longest wait for a connection.", unit="seconds", ge=0.1, le=3600
    )
    first_token_timeout_s: Number = _setting(
        60.0, "First token within", "Longest wait for the beginning of an answer.", unit="seconds", ge=0.1, le=3600
    )
    idle_timeout_s: Number = _setting(
        60.0, "Next token within", "Longest silence in the middle of an answer.", unit="seconds", ge=0.1, le=3600
    )
    retries: Whole = _setting(
        2, "Retries", "How often a request is sent again that failed before its first token.", unit="times", ge=0, le=10
    )
    retry_budget_s: Number = _setting(
        90.0, "Retry for", "Longest time that all tries of one request may take.", unit="seconds", ge=0, le=3600
    )
    max_cost_per_request_usd: Number | None = _setting(
        None, "Cap per request", "No request that could cost more is sent.", unit="US dollars", ge=0, le=10**6
    )
    max_cost_per_conversation_usd: Number | None = _setting(
        None,
        "Cap per conversation",
        "No request that could take it over this is sent.",
        unit="US dollars",
        ge=0,
        le=10**6,
    )
    send_values: bool = _setting(
        True, "Send values", "Off: only names, types and shapes of variables leave this machine, never their values."
    )
    approve: Approve = _setting(
        "ask", "Tools", "Ask before a tool does more than read, or let it only read. A deny in a rule beats both."
    )
    disabled_tools: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = _setting(
        (),
        "Tools switched off",
        'Names, or patterns such as "filesystem__*", that no model is told of.',
        max_length=500,
    )
    mcp_registry: str = _setting(
        "", "MCP registry", "File or address of an MCP registry; `bot.tools.browse` searches it.", max_length=2_000
    )
    tool_timeout_s: Number = _setting(
        60.0, "Tool timeout", "Longest work of one tool call.", unit="seconds", ge=0.1, le=86400
    )

    def system_prompt(self) -> str:
        """Instructions and personality, as the model is told; "" when both are empty."""
        return "\n\n".join(part for part in (self.instructions.strip(), self.personality.strip()) if part)

    def sampling(self) -> dict[str, Any]:
        """temperature, top_p, seed and stop: those that are set."""
        values = {"temperature": self.temperature, "top_p": self.top_p, "seed": self.seed, "stop": list(self.stop)}
        return {name: value for name, value in values.items() if value is not None and value != []}

    def reasoning(self) -> dict[str, Any] | None:
        """OpenRouter's `reasoning` object; None when no effort is set."""
        return None if self.reasoning_effort is None else {"effort": self.reasoning_effort}


HIDDEN = ("headers", "query")
"""Settings whose values are shown nowhere, and are bound to a host."""
FIELDS = tuple(Profile.model_fields)
"""The names of all settings, in the order people see them."""


def check(name: str, value: Any) -> Any:
    """The value as the field keeps it.

    Raises:
        SettingsError: There is no such field, or it does not take the value.
    """
    if name not in Profile.model_fields:
        raise SettingsError(unknown_field(name))
    try:
        return getattr(Profile.model_validate({name: value}), name)
    except ValidationError as exc:
        reason = _reason(name, exc)
    # Not chained: the library's own message repeats the whole value.
    what = "what was given" if name in HIDDEN else shown(value)
    raise SettingsError(f"{name!r} cannot be {what}: {reason}.")


def unknown_field(name: str) -> str:
    """One sentence about a field that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(str(name).lower(), FIELDS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else "`bot.settings.explain()` lists them all."
    return f"There is no setting {shown(str(name))}; {hint}"


def model_id(name: str, base_url: str = OPENROUTER_URL) -> str:
    """The model as the server calls it, from any usual spelling.

    On OpenRouter `provider:model` becomes `provider/model`, and `:beta`, which it no longer knows, is dropped.
    Elsewhere a colon belongs to the name (`llama3.2:3b`), except after the provider's own name.
    """
    name = name.strip()
    for prefix in ("openrouter:", "ollama:"):
        name = name.removeprefix(prefix)
    if name == "rustbot:demo":
        return "rustbot/demo"
    if host_of(base_url) != OPENROUTER_HOST:
        return name.removeprefix("openai:")
    vendor, slash, rest = name.partition("/")
    if not slash or ":" in vendor:
        name = name.replace(":", "/", 1)
    elif vendor == "openrouter" and "/" in rest:
        name = rest
    return name.removesuffix(":beta")


def field_schema() -> list[dict[str, Any]]:
    """One JSON-able entry per setting: name, label, type, unit, min, max, choices, default, help.

    `type` is text, long_text, number, integer, boolean, choice, list or table; min and max limit a number, or the
    length of a text or list; `optional` says whether it may be unset (null).
    """
    return [_field_entry(name, field) for name, field in Profile.model_fields.items()]


def _field_entry(name: str, field: FieldInfo) -> dict[str, Any]:
    limits = {type(item).__name__: item for item in field.metadata}
    low, high = limits.get("Ge"), limits.get("Le")
    longest = limits.get("MaxLen")
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return {
        "name": name,
        "label": field.title,
        "type": _kind(name, field),
        "unit": extra["unit"],
        "min": getattr(low, "ge", None),
        "max": getattr(high, "le", getattr(longest, "max_length", None)),
        "choices": list(get_args({"reasoning_effort": Effort, "approve": Approve}.get(name))),
        "default": _plain_default(field.default),
        "optional": type(None) in get_args(field.annotation),
        "help": field.description,
    }


def _plain_default(value: Any) -> Any:
    if isinstance(value, HiddenTable):
        return value.visible()
    return list(value) if isinstance(value, tuple) else value


def _kind(name: str, field: FieldInfo) -> str:
    annotation = str(field.annotation)
    if name in ("instructions", "personality"):
        return "long_text"
    kinds = {
        "Literal": "choice",
        "tuple": "list",
        "dict": "table",
        "HiddenTable": "table",
        "bool": "boolean",
        "float": "number",
        "int": "integer",
    }
    # `_not_bool` stands in the text of number types, so whole words are looked for.
    return next((kind for word, kind in kinds.items() if re.search(rf"\b{word}\b", annotation)), "text")


def _reason(name: str, exc: ValidationError) -> str:
    first = exc.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    if first["type"] == "string_unicode":
        return "it holds half of a character (a lone surrogate)"
    entry = next(entry for entry in field_schema() if entry["name"] == name)
    return "it is " + _expectation(entry)


def _expectation(entry: Mapping[str, Any]) -> str:
    low, high = entry["min"], entry["max"]
    of_unit = f" of {entry['unit']}" if entry["unit"] in ("seconds", "tokens", "US dollars") else ""
    match entry["type"]:
        case "number":
            return f"a number{of_unit} from {low:g} to {high:g}"
        case "integer":
            return f"a whole number{of_unit} from {low} to {high}"
        case "choice":
            return "one of " + ", ".join(map(repr, entry["choices"]))
        case "boolean":
            return "true or false"
        case "list":
            return f"a list of at most {high} texts"
        case "table":
            return "a table"
        case _:
            return f"a text of at most {high} characters" if high else "a text"


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60
        self.maxlevel = 2


def shown(value: Any) -> str:
    """The value as a message may quote it: short, and without keys and passwords."""
    # What stands before an "@" in an address is a user name and password.
    text = _Short().repr(re.sub(r"//[^/\s]*@", "//...@", redact(value)) if isinstance(value, str) else value)
    text = redact(text).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 160 else text[:159] + "…"
