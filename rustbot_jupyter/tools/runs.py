"""The tool calls of a bot as they go: one record each, for cards, rows and whoever wants to cancel one."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Any

from rustbot_jupyter.messages import ImagePart, ToolCallPart, new_id, utc_now
from rustbot_jupyter.tools.base import Risk, Tool, ToolResult

KEPT_RUNS = 10_000
KEPT_WHOLE = 500
"""Of so many calls all is kept; of older ones what a row of the frame needs."""
OUTPUT_CHARS = 10_000
"""How much of what a running tool prints is kept for the eye: the last part."""
SHORT_CHARS = 1_000


class RunState(StrEnum):
    """The stage of a call. From COMPLETE on it is over."""

    WAITING = "waiting"
    """For its place among the few that run at once."""
    WAITING_APPROVAL = "waiting_approval"
    WAITING_KERNEL = "waiting_kernel"
    RUNNING = "running"
    COMPLETE = "complete"
    ERROR = "error"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"


OVER = frozenset({RunState.COMPLETE, RunState.ERROR, RunState.REFUSED, RunState.TIMEOUT, RunState.INTERRUPTED})


@dataclass(kw_only=True, eq=False, repr=False)
class ToolRun:
    """One call of a tool. Changed on the core thread only."""

    call: ToolCallPart
    turn_id: str
    conversation_id: str
    message_id: str
    id: str = field(default_factory=lambda: new_id("run"))
    requested_at: datetime = field(default_factory=utc_now)
    state: RunState = RunState.WAITING
    tool: Tool | None = None
    """None when there is no tool of that name."""
    arguments: dict[str, Any] | None = None
    """As checked; None while, or because, they are not."""
    approval: str = ""
    """Why it was allowed to run; "" before that is known."""
    started_at: datetime | None = None
    waited_s: float = 0.0
    """Seconds it waited for the user and for the kernel."""
    duration_s: float | None = None
    """Seconds of its own work."""
    output: str = ""
    output_length: int = 0
    result: ToolResult | None = None
    result_bytes: int | None = None
    """Of the result's text."""
    error: str = ""
    cancel: Callable[[], None] | None = None
    """Ends this call alone; None when there is nothing to end."""

    def __repr__(self) -> str:
        # Arguments and output as they were are for who asks for them.
        return f"ToolRun({self.call.name!r}, state={self.state.value!r})"

    @property
    def source(self) -> str:
        """built-in, user, plugin:NAME or mcp:NAME; "" for an unknown tool."""
        return self.tool.source if self.tool is not None else ""

    @property
    def risk(self) -> Risk:
        """The worst that the tool can do."""
        return self.tool.risk if self.tool is not None else Risk.READ

    @property
    def label(self) -> str:
        """Return what it does, for people."""
        return (self.tool.label if self.tool is not None else "") or self.call.name

    @property
    def is_over(self) -> bool:
        """True if the model has its result."""
        return self.state in OVER

    @property
    def images(self) -> tuple[ImagePart, ...]:
        """The pictures of the result."""
        return self.result.images if self.result is not None else ()

    @property
    def figures(self) -> tuple[str, ...]:
        """The Plotly figures of the result, as JSON."""
        return self.result.figures if self.result is not None else ()

    def add_output(self, text: str, dropped: int = 0) -> None:
        """Keep more of what the tool prints; `dropped` characters before it came too fast to be kept."""
        self.output_length += dropped + len(text)
        self.output = (self.output + text)[-OUTPUT_CHARS:]

    def shorten(self) -> None:
        """Let go of what takes room."""
        self.arguments, self.output = None, ""
        self.call = replace(self.call, arguments="")
        if self.result is not None:
            self.result = replace(self.result, images=(), figures=(), text=self.result.text[:SHORT_CHARS])

    def row(self) -> dict[str, Any]:
        """The call as a row of the `tool_runs` frame."""
        return {
            "started_at": self.started_at or self.requested_at,
            "turn_id": self.turn_id or None,
            "call_id": self.call.call_id,
            "tool": self.call.name,
            "source": self.source or None,
            "status": self.state.value,
            "approval": self.approval or None,
            "waited_s": self.waited_s,
            "duration_s": self.duration_s,
            "result_bytes": self.result_bytes,
            "error": self.error or None,
        }


class ToolRuns:
    """The calls of a bot, oldest first; the oldest are forgotten first. May be read from any thread."""

    def __init__(self, limit: int = KEPT_RUNS, most_whole: int = KEPT_WHOLE) -> None:
        self._limit = limit
        self._most_whole = most_whole
        self._whole: deque[ToolRun] = deque()
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, ToolRun] = OrderedDict()

    def add(self, run: ToolRun) -> None:
        """Keep one more."""
        with self._lock:
            self._runs[run.id] = run
            self._whole.append(run)
            while len(self._whole) > self._most_whole and (oldest := self._oldest_over()) is not None:
                self._whole.remove(oldest)
                oldest.shorten()
            while len(self._runs) > self._limit:
                self._runs.popitem(last=False)

    def _oldest_over(self) -> ToolRun | None:
        return next((run for run in self._whole if run.is_over), None)

    def end_all(self) -> None:
        """Say of what still runs that it was left behind: its loop is gone."""
        for run in self.all():
            if not run.is_over:
                run.state, run.error, run.cancel = RunState.INTERRUPTED, "Rustbot's own thread ended meanwhile.", None

    def find(self, run_id: str) -> ToolRun | None:
        """The call of this id; None when it is not kept any more."""
        return self._runs.get(run_id)

    def all(self) -> list[ToolRun]:
        """All calls, oldest first. A snapshot."""
        with self._lock:
            return list(self._runs.values())

    def of_turn(self, turn_id: str) -> list[ToolRun]:
        """The calls of one turn."""
        return [run for run in self.all() if run.turn_id == turn_id]


class Stopwatch:
    """Adds up the seconds between `start` and `stop`."""

    def __init__(self) -> None:
        self._total = 0.0
        self._since: float | None = None

    def start(self) -> None:
        """Go on; harmless when it goes already."""
        if self._since is None:
            self._since = monotonic()

    def stop(self) -> None:
        """Pause; harmless when it stands already."""
        if self._since is not None:
            self._total += monotonic() - self._since
            self._since = None

    @property
    def seconds(self) -> float:
        """The sum so far."""
        return self._total + (monotonic() - self._since if self._since is not None else 0.0)
