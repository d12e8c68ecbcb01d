"""Messages between the kernel and the page: the wire types, the mirror of `js/src/protocol.ts`.

Kernel to page: one envelope a flush, `{"rustbot": 1, "epoch", "seq", "ops": [...]}`. `epoch` names the widget's
life in this kernel, `seq` counts its envelopes from 1 without gaps; custom messages go to every view of the
widget, so an op that answers one view carries its `view`. A page that sees a gap or another epoch says `sync`.
An op that repeats what a view has is harmless: text carries its offset, messages and rows their id.

Page to kernel: `{"rustbot": 1, "id", "view", "command", ...fields}`. Every command is answered by one `ack` with
its id; a command that arrives twice is carried out once and acknowledged twice.

Offsets and lengths of text are counted in Unicode code points. Times are milliseconds since 1970, UTC.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

PROTOCOL_VERSION = 1


class UsageView(TypedDict):
    """Tokens and cost; null is unknown."""

    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost_usd: float | None
    cost_is_estimate: bool


class ErrorView(TypedDict):
    """The reason for an answer that is missing or not whole."""

    type: str
    """Class name in `errors.py`: AuthenticationFailed opens the key setting, ContextTooLong offers a new chat."""
    text: str
    """One sentence with the next step."""
    detail: str
    """The provider's own words; plain text."""
    status: int | None
    retryable: bool
    suggestions: list[str]
    """Models to try instead."""


class CitationView(TypedDict):
    """A web page the answer refers to."""

    url: str
    title: str


class MessageView(TypedDict):
    """One bubble."""

    id: str
    role: Literal["user", "assistant"]
    status: Literal["streaming", "complete", "interrupted", "error"]
    text: str
    text_length: int
    """Code points of `text`; the offset of the next piece."""
    reasoning: str
    reasoning_length: int
    created_at: float
    turn_id: str | None
    source: str
    """chat, magic or api: from where the question came."""
    model: str | None
    model_is_demo: bool
    usage: UsageView | None
    ttft_s: float | None
    duration_s: float | None
    finish_reason: str | None
    citations: list[CitationView]
    error: ErrorView | None


class StateView(TypedDict):
    """The agent's present doing."""

    state: str
    """idle, processing, responding, running_tools, waiting_approval, waiting_kernel, waiting_retry, error, closed."""
    turn_id: str | None
    since: float
    waiting_for_provider: bool
    """The provider sends keep-alive comments but no content yet."""
    retry: RetryView | None


class RetryView(TypedDict):
    """A countdown to the next try."""

    attempt: int
    attempts: int
    until: float
    reason: str


class QueuedView(TypedDict):
    """A message that waits to be said."""

    id: str
    text: str
    source: str


class ModelView(TypedDict):
    """The model that answers."""

    id: str
    """As asked for: "vendor/name"."""
    host: str
    is_demo: bool
    is_local: bool


class TotalsView(TypedDict):
    """Since when, how much; of this kernel's life as long as nothing is stored."""

    requests: int
    usage: UsageView


class NoticeView(TypedDict):
    """A banner above the input."""

    id: str
    level: Literal["info", "warning", "error"]
    text: str


class EventRow(TypedDict):
    """One line of the Events tab; its data is asked for by `event`."""

    seq: int
    time: float
    kind: str
    priority: Literal["CRITICAL", "HIGH", "NORMAL", "LOW"]
    state: str | None
    turn_id: str | None
    duration_s: float | None
    summary: str


class FieldView(TypedDict):
    """One field of the Settings tab."""

    name: str
    label: str
    group: str
    type: Literal["string", "text", "number", "integer", "boolean", "choice", "list", "table"]
    unit: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    help: str
    value: Any
    default: Any
    layer: str
    """default, file, profile, environment or session: which layer gave `value`."""
    where: str
    """The file, variable or argument, for people."""


class KeyView(TypedDict):
    """The facts of the key for the current server; never the key."""

    present: bool
    source: str
    """OPENROUTER_API_KEY, .env, keyring, file, settings tab or argument; "" without one."""
    host: str
    can_use_keyring: bool


class SettingsView(TypedDict):
    """Everything the Settings tab shows."""

    profile: str
    profiles: list[str]
    fields: list[FieldView]
    key: KeyView
    problems: list[str]
    path: str
    """Where "Save" writes, for people."""


class ImageView(TypedDict):
    """A picture, to be shown as a `data:` URL."""

    media_type: str
    """image/png, image/jpeg, image/gif or image/webp; nothing else is shown."""
    data: str
    """Base64."""


class ToolRunView(TypedDict):
    """One tool call: a card below the answer that made it."""

    id: str
    message_id: str
    """The assistant message that made the call."""
    turn_id: str
    tool: str
    label: str
    """What it does, for people: "Read a file"."""
    source: str
    """built-in, user, plugin:NAME or mcp:NAME."""
    risk: Literal["read", "write", "execute", "network"]
    arguments: str
    """JSON, laid out for reading; long ones are cut (`tool_run` gives all)."""
    state: Literal[
        "waiting",
        "waiting_approval",
        "waiting_kernel",
        "running",
        "complete",
        "error",
        "refused",
        "timeout",
        "interrupted",
    ]
    """waiting: for its place among four at once. From complete on it is over."""
    started_at: float | None
    """None until it runs."""
    duration_s: float | None
    """Its own time, waits for people and the kernel not counted; None until it is over."""
    output: str
    """What it printed so far; the last part, when it is much."""
    output_length: int
    """Code points of all output; the offset of the next piece."""
    result: str
    """What the model was told, cut for the eye; "" until it is over."""
    result_is_cut: bool
    images: list[ImageView]
    figures: list[str]
    """Plotly figures: JSON of `data` and `layout`."""
    approval: str
    """Why it was allowed to run: "not needed", "allowed once", "allowed by rule …"; "" before that is known."""


class ApprovalView(TypedDict):
    """A card with which the user lets something happen, or not."""

    id: str
    digest: str
    """Of what is shown; comes back with the answer, so that nothing else can be meant."""
    run_id: str
    """The tool call that waits; "" for other questions (an MCP server's start, going on after a limit)."""
    tool: str
    label: str
    risk: Literal["read", "write", "execute", "network"]
    kind: Literal["arguments", "code", "command", "diff", "address", "question"]
    text: str
    """The whole code, command, diff, address or arguments, exactly as they will run."""
    note: str
    """How it is run, or what is replaced; "" for nothing to say."""
    arguments: str
    """All arguments as JSON, whatever `kind` shows."""
    source: str
    """What was read before, and may have led to the wish: "after reading file notes.txt"; "" for nothing."""
    pattern: str
    """What "always" would allow: "git status *"; "" when it cannot be allowed for good."""
    scopes: list[str]
    """The answers there are beside deny: once, conversation, always."""


class ToolView(TypedDict):
    """A tool in the Settings tab."""

    name: str
    label: str
    description: str
    source: str
    risk: Literal["read", "write", "execute", "network"]
    enabled: bool


class ServerView(TypedDict):
    """An MCP server in the Settings tab."""

    name: str
    state: Literal["stopped", "unapproved", "starting", "running", "failed"]
    command: str
    """The exact command or address."""
    origin: str
    """user, workspace or code: which file named it."""
    tools: int
    error: str


class RuleView(TypedDict):
    """A standing answer."""

    id: str
    tool: str
    pattern: str
    decision: Literal["allow", "ask", "deny"]
    scope: Literal["conversation", "always"]
    workspace: str
    """Where it holds; "" everywhere."""


class ToolsView(TypedDict):
    """Tools, servers and rules, for the Settings tab."""

    tools: list[ToolView]
    servers: list[ServerView]
    rules: list[RuleView]
    problems: list[str]


# Ops: what the kernel tells the page.


class SnapshotOp(TypedDict):
    """The answer to `sync`: all a view needs; replaces what it had."""

    op: Literal["snapshot"]
    view: str
    version: str
    conversation: ConversationView
    messages: list[MessageView]
    """The last page, oldest first."""
    has_earlier: bool
    tool_runs: list[ToolRunView]
    """Of these messages."""
    approvals: list[ApprovalView]
    approve_mode: str
    state: StateView
    queue: list[QueuedView]
    model: ModelView
    totals: TotalsView
    notices: list[NoticeView]
    ipykernel: str
    has_subshells: bool
    """False: the kernel reads messages only between cells."""


class ConversationView(TypedDict):
    """The current conversation."""

    id: str
    title: str


class AckOp(TypedDict):
    """A command was carried out (`ok`) or refused (`error`)."""

    op: Literal["ack"]
    view: str
    id: str
    ok: bool
    error: NotRequired[str]
    result: NotRequired[dict[str, Any]]


class MessageOp(TypedDict):
    """A message is new or changed as a whole (added, finished, failed); replaces the one with its id."""

    op: Literal["message"]
    message: MessageView


class MessagePatchOp(TypedDict):
    """Fields of a message other than its text and reasoning changed; sent at the end so that text is not sent twice."""

    op: Literal["message_patch"]
    id: str
    fields: dict[str, Any]


class TextOp(TypedDict):
    """More text, or reasoning, of a streaming message."""

    op: Literal["text", "reasoning"]
    id: str
    offset: int
    text: str


class RemoveOp(TypedDict):
    """These messages are no longer part of the conversation (edited, regenerated)."""

    op: Literal["remove"]
    ids: list[str]


class StateOp(TypedDict):
    """The agent's state."""

    op: Literal["state"]
    state: StateView


class QueueOp(TypedDict):
    """The waiting messages, all of them."""

    op: Literal["queue"]
    items: list[QueuedView]


class ModelOp(TypedDict):
    """Another model answers from now on."""

    op: Literal["model"]
    model: ModelView


class TotalsOp(TypedDict):
    """New totals."""

    op: Literal["totals"]
    totals: TotalsView


class NoticesOp(TypedDict):
    """The banners, all of them."""

    op: Literal["notices"]
    notices: list[NoticeView]


class EventsOp(TypedDict):
    """New lines for the Events tab; sent while a view is subscribed."""

    op: Literal["events"]
    rows: list[EventRow]


class SettingsOp(TypedDict):
    """The settings changed, or a view asked for them."""

    op: Literal["settings"]
    settings: SettingsView


class ToolRunOp(TypedDict):
    """A tool call is new or changed; replaces the one with its id."""

    op: Literal["tool_run"]
    run: ToolRunView


class ToolOutputOp(TypedDict):
    """More output of a running tool."""

    op: Literal["tool_output"]
    id: str
    offset: int
    text: str


class ApprovalsOp(TypedDict):
    """All that waits for the user."""

    op: Literal["approvals"]
    items: list[ApprovalView]


class ApproveModeOp(TypedDict):
    """ask, read-only or allow: what happens with calls that no rule speaks of."""

    op: Literal["approve_mode"]
    mode: str


class ToolsOp(TypedDict):
    """Tools, servers or rules changed, or a view asked for them."""

    op: Literal["tools"]
    tools: ToolsView


class ResetOp(TypedDict):
    """Another conversation is current: drop all messages."""

    op: Literal["reset"]
    conversation: ConversationView


Op = (
    SnapshotOp
    | AckOp
    | MessageOp
    | MessagePatchOp
    | TextOp
    | RemoveOp
    | StateOp
    | QueueOp
    | ModelOp
    | TotalsOp
    | NoticesOp
    | EventsOp
    | SettingsOp
    | ToolRunOp
    | ToolOutputOp
    | ApprovalsOp
    | ApproveModeOp
    | ToolsOp
    | ResetOp
)

# Commands: what the page asks of the kernel. Name -> required fields and their types; the result that the ack
# carries is named behind it.
COMMANDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "sync": {},
    "send": {"text": str},
    "stop": {},
    "regenerate": {"message_id": str},
    "shorten": {"message_id": str},  # as regenerate, with the older half of the conversation left out
    "continue": {"message_id": str},
    "edit": {"message_id": str, "text": str},
    "queue_edit": {"item_id": str, "text": str},
    "queue_remove": {"item_id": str},
    "queue_send_now": {"item_id": str},
    "new_conversation": {},
    "earlier_messages": {"before_id": str},  # result: {"messages": [MessageView], "tool_runs": [ToolRunView],
    # "has_earlier": bool}
    "dismiss_notice": {"notice_id": str},
    "set_model": {"model": str},
    "models": {"words": str},  # result: {"models": [{id, name, context_length, input_usd, output_usd}], "age_s"}
    "settings": {},  # answered by a `settings` op
    "save_settings": {"values": dict, "persist": bool},  # `persist`: write the file, else this session only
    "use_profile": {"profile": str},
    "set_key": {"key": str, "remember": str},  # remember: memory, keyring or file
    "forget_key": {},
    "check_connection": {},  # result: {"ok": bool, "text": str}
    "find_servers": {},  # result: {"servers": [{"name", "base_url", "models": [str]}]}
    "subscribe": {"topic": str},  # topic: events; result: {"rows": [EventRow], "has_earlier": bool}
    "unsubscribe": {"topic": str},
    "events_before": {"seq": int, "limit": int},  # result: {"rows": [EventRow], "has_earlier": bool}
    "event": {"seq": int},  # result: {"data": {...}}
    "approve": {"approval_id": str, "digest": str, "scope": str},  # scope: once, conversation or always
    "deny": {"approval_id": str, "digest": str, "reason": str},  # the reason goes to the model; "" for none
    "cancel_tool": {"run_id": str},
    "tool_run": {"run_id": str},  # result: {"arguments": str, "result": str}, both whole
    "set_approve_mode": {"mode": str, "confirmed": bool},  # allow is only set when the user confirmed it
    "tools": {},  # answered by a `tools` op
    "enable_tool": {"tool": str, "enabled": bool},
    "remove_rule": {"rule_id": str},
    "mcp_server": {"server": str, "action": str},  # action: start, stop, restart or remove
    "mcp_log": {"server": str},  # result: {"text": str}
    "references": {},  # what the input completes: result: {"prompts": [{"name": "server:prompt", "description",
    # "arguments": [str]}], "resources": [{"name": "server:uri", "description"}]}; sent as "/server:prompt words" and
    # "@server:uri" in a message's text
    "library": {"name": str},  # katex, markdown or plotly; answered by a message with a buffer, see `library_header`
}


class Command(TypedDict):
    """A command that was checked; `fields` has what `COMMANDS` names."""

    id: str
    view: str
    name: str
    fields: dict[str, Any]


def parse_command(content: object) -> Command | str:
    """The command in a message of the page, or one sentence that says why it is none."""
    if not isinstance(content, Mapping) or content.get("rustbot") != PROTOCOL_VERSION:
        return f"Not a message of Rustbot's protocol {PROTOCOL_VERSION}: reload the page."
    name, command_id, view = (content.get(key) for key in ("command", "id", "view"))
    if not (isinstance(name, str) and isinstance(command_id, str) and isinstance(view, str)):
        return "A command needs the texts 'command', 'id' and 'view'."
    if name not in COMMANDS:
        return f"There is no command {name!r}: reload the page."
    fields: dict[str, Any] = {}
    for field, kind in COMMANDS[name].items():
        value = content.get(field)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            return f"Command {name!r} needs {field!r} as {getattr(kind, '__name__', kind)}."
        fields[field] = value
    return {"id": command_id, "view": view, "name": name, "fields": fields}


def envelope(epoch: str, seq: int, ops: list[Op]) -> dict[str, Any]:
    """Return what is sent for one flush.

    A lone surrogate cannot be packed as UTF-8; such an envelope travels as ASCII JSON in `escaped`, which the
    page parses, so that text comes back exactly as typed.
    """
    content: dict[str, Any] = {"rustbot": PROTOCOL_VERSION, "epoch": epoch, "seq": seq, "ops": ops}
    try:
        json.dumps(ops, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        content["escaped"] = json.dumps(content.pop("ops"))
    return content


def library_header(name: str, command_id: str, view: str, encoding: Literal["gzip", "identity"]) -> dict[str, Any]:
    """The content beside the binary buffer that holds a library's ES module."""
    return {
        "rustbot": PROTOCOL_VERSION,
        "library": name,
        "id": command_id,
        "view": view,
        "encoding": encoding,
    }
