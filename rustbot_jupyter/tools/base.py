"""A tool: its definition for the model, its risk, its result, and the means of a running call."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeVar

from rustbot_jupyter.hidden_characters import schema_without_hidden, without_hidden
from rustbot_jupyter.messages import CitationPart, ImagePart

T = TypeVar("T")

BUILT_IN = "built-in"
USER = "user"


class Risk(StrEnum):
    """The worst that a tool can do."""

    READ = "read"
    """Looks at the workspace or the namespace; runs without asking."""
    WRITE = "write"
    EXECUTE = "execute"
    NETWORK = "network"


@dataclass(frozen=True, kw_only=True)
class ToolDefinition:
    """A tool's description for the model."""

    name: str
    """Letters, digits, `_` and `-`, at most 64 characters."""
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments: an object."""

    def wire(self) -> dict[str, Any]:
        """The definition in the OpenAI shape; whoever wrote it, no hidden characters go to the model."""
        parameters = schema_without_hidden(self.parameters)
        function = {"name": self.name, "description": without_hidden(self.description), "parameters": parameters}
        return {"type": "function", "function": function}


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """The outcome of a tool call."""

    text: str = ""
    """For the model, and for the card in the chat. Cut and cleaned by the runner."""
    data: Any = None
    """A JSON value instead of text; written as JSON when `text` is empty."""
    images: tuple[ImagePart, ...] = ()
    figures: tuple[str, ...] = ()
    """Plotly figures as JSON, for the eye alone. Made inert, see `plotly_json`, by the runner."""
    citations: tuple[CitationPart, ...] = ()
    is_error: bool = False
    origin: str = ""
    """Whose words the result holds, when they are not the user's: "file notes.txt", "page https://…", "data frame df".
    Approval cards name it, since what is read there may have led the model. A tool of somebody else's that says nothing
    here is itself the origin."""
    is_foreign: bool = True
    """True if the words may be a stranger's; False for what the notebook itself says."""
    is_private: bool = False
    """True if the result holds what is the user's own: values of variables, contents of files."""

    @property
    def content(self) -> str:
        """The result as one text."""
        if self.text or self.data is None:
            return self.text
        return json.dumps(self.data, ensure_ascii=False, default=str)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A call as an approval shows it, exactly as it will run."""

    kind: Literal["arguments", "code", "command", "diff", "address", "question"] = "arguments"
    text: str
    note: str = ""
    """One more line: how it is run ("in a sandbox (bubblewrap), without network"), or what is replaced."""


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """The language in which standing rules speak of a tool's calls."""

    suggest: Callable[[Mapping[str, Any]], str | None]
    """The pattern that "always" would keep for a call; None when none is narrow enough."""
    matches: Callable[[str, Mapping[str, Any]], bool]
    """True if a pattern covers a call. `"*"` covers every call; the rules see to that themselves."""
    touches: Callable[[str, Mapping[str, Any]], bool] | None = None
    """True if a call may do, among others, what a pattern names: for rules that deny or ask. None: as `matches`."""


def canonical_arguments(arguments: Mapping[str, Any]) -> str:
    """The arguments as one line of JSON, the same for equal arguments."""
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True, default=str)


SAME_ARGUMENTS = Patterns(
    suggest=canonical_arguments, matches=lambda pattern, arguments: pattern == canonical_arguments(arguments)
)
"""The narrowest patterns: this very call, and no other."""
EVERY_CALL = Patterns(suggest=lambda arguments: "*", matches=lambda pattern, arguments: False)
"""For tools whose user wrote them: there is no narrower pattern than all calls."""


@dataclass(frozen=True, kw_only=True)
class CodeOutcome:
    """The outcome of code that ran in the user's namespace."""

    text: str
    """Output, result and error as text, in the order they came."""
    images: tuple[ImagePart, ...] = ()
    figures: tuple[str, ...] = ()
    """Plotly figures as JSON."""
    error: str = ""
    """The exception in one line; "" when there was none."""


@dataclass(frozen=True, kw_only=True)
class RecentCell:
    """A cell that ran."""

    number: int
    code: str
    output: str
    """The text of its result; "" for none."""
    error: str
    """Its exception in one line; "" for none."""


class Kernel(Protocol):
    """The kernel around us, as far as tools use it. There is none in a plain script."""

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The user's variables, live: copy before you iterate."""

    async def run_code(
        self, code: str, *, on_start: Callable[[], None], on_output: Callable[[str], None]
    ) -> CodeOutcome:
        """Run code as a cell on the main thread, once no cell runs there. Cancelling interrupts it.

        Args:
            code: Python, magics included.
            on_start: Called when the main thread has begun.
            on_output: Called with each piece of output; both on any thread.
        """

    async def run_coroutine(self, make: Callable[[], Coroutine[Any, Any, T]], *, on_start: Callable[[], None]) -> T:
        """Run a coroutine on the kernel's own loop, also while a magic blocks it. Cancelling cancels and drains it."""

    def recent_cells(self, count: int) -> list[RecentCell]:
        """The newest cells that ran, oldest first."""

    def last_error(self, *, schema_only: bool) -> str:
        """Code and traceback of the newest failed cell; "" when none has failed. `schema_only` leaves out messages."""


def _no_text(text: str) -> None:
    """Nobody looks at the output."""


def _nothing() -> None:
    """There is nobody to tell."""


@dataclass(frozen=True, kw_only=True)
class ToolContext:
    """The means of a running call."""

    run_id: str = ""
    conversation_id: str = ""
    progress: Callable[[str], None] = _no_text
    """Shows more output while the call runs; from any thread."""
    kernel: Kernel | None = None
    kernel_needed: Callable[[], None] = _nothing
    """Tells that the call waits for the main thread from now on: visible, and not counted as the tool's own time."""
    kernel_ready: Callable[[], None] = _nothing
    """Tells that the wait is over; both may be called from any thread."""
    send_values: bool = True
    """False: only names, types and shapes of variables may be told."""


class CheckArguments(Protocol):
    """Validates the arguments of a call."""

    def __call__(self, arguments: Mapping[str, Any], /) -> dict[str, Any]:
        """The arguments as the tool takes them, defaults filled in.

        Raises:
            ToolError: They do not fit; says which and why, so that the model can mend them.
        """


def _show_arguments(arguments: Mapping[str, Any]) -> Preview:
    return Preview(text=json.dumps(arguments, ensure_ascii=False, indent=2, default=str))


def _nothing_against(arguments: Mapping[str, Any]) -> None:
    """No argument is out of the question."""


@dataclass(kw_only=True, eq=False)
class Tool:
    """Something a model can have done."""

    definition: ToolDefinition
    run: Callable[[dict[str, Any], ToolContext], Awaitable[ToolResult]]
    """Carries out a call whose arguments were checked; on the core thread's loop, so it may not block."""
    check: CheckArguments
    risk: Risk
    source: str = BUILT_IN
    """built-in, user, plugin:NAME or mcp:NAME."""
    label: str = ""
    """What it does, in the words of its user: "Read a file"; "" takes the name."""
    timeout: float | None = None
    """Longest duration of a call in seconds, waits for the user and the kernel left out; None takes the settings'."""
    forbid: Callable[[Mapping[str, Any]], None] = _nothing_against
    """Raises `ToolError` for what is never done, whoever allows it; asked before anybody else."""
    preview: Callable[[Mapping[str, Any]], Preview] = _show_arguments
    patterns: Patterns = field(default=SAME_ARGUMENTS)
    sends_out: bool = False
    """True if a call can carry data away from this machine."""
    fingerprint: str = ""
    """For tools of others: changes with their description and schema. A standing rule holds for one fingerprint."""

    @property
    def name(self) -> str:
        """Return what the model calls it by."""
        return self.definition.name
