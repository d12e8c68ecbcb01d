"""The decision over a tool call: forbidden things first, then rules, the mode, and in the end the user."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from time import monotonic
from typing import Any, Literal, Protocol

from rustbot_jupyter.errors import RequestError, ToolRefused
from rustbot_jupyter.events import ApprovalAsked, ApprovalGiven, ApprovalRefused, AssistantEvent
from rustbot_jupyter.key_forms import MASK
from rustbot_jupyter.tools.approval import Answer, Approval, Approvals
from rustbot_jupyter.tools.base import BUILT_IN, EVERY_CALL, USER, Preview, Risk, Tool
from rustbot_jupyter.tools.listeners import Listeners
from rustbot_jupyter.tools.results import cleaned, cut
from rustbot_jupyter.tools.rules import ANY, Decision, Rules, can_do_anything
from rustbot_jupyter.tools.runs import ToolRun

logger = logging.getLogger("rustbot_jupyter.tools")

NOT_NEEDED = "not needed"
WHY_ASKED_AGAIN = (
    "Asked although {} allows it: this conversation holds both data of yours and words of strangers, and this call "
    "could carry the one where the other wants it."
)
STOPPED = "It was stopped before anybody answered."
SOURCES_SHOWN = 3
KEPT_ORIGINS = 100
LONGEST_ORIGIN = 200
LONGEST_PATTERN = 2_000
LONGEST_INTRODUCTION = 600


class ApproveMode(StrEnum):
    """The treatment of calls that no rule speaks of."""

    ASK = "ask"
    """What only reads runs, all else asks."""
    READ_ONLY = "read-only"
    """What only reads runs, all else is refused."""
    ALLOW = "allow"
    """Everything runs. Ends with the conversation."""

    @classmethod
    def named(cls, name: object) -> ApproveMode:
        """The mode of this name; "deny" is another word for read-only.

        Raises:
            RequestError: There is no such mode.
        """
        try:
            return cls.READ_ONLY if name in ("deny", "read_only") else cls(str(name))
        except ValueError:
            raise RequestError(
                f"There is no mode {name!r} to approve tools: there are 'ask', 'read-only' and 'allow'."
            ) from None


@dataclass(kw_only=True)
class Provenance:
    """The things read in a conversation, which may be behind the model's wishes."""

    origins: list[str] = field(default_factory=list)
    """Whose words they were, newest last."""
    forgotten: int = 0
    """How many more there were before."""
    is_foreign: bool = False
    """True if a stranger's words may be among them."""
    is_private: bool = False
    """True if something of the user's own was read."""

    def note(self, origin: str, *, is_private: bool, is_foreign: bool) -> None:
        """Keep what a result held."""
        self.is_private = self.is_private or is_private
        self.is_foreign = self.is_foreign or (is_foreign and bool(origin))
        # A file's name and a page's address are somebody else's words too.
        origin = " ".join(cleaned(origin).split())[:LONGEST_ORIGIN]
        if origin:
            if origin in self.origins:
                self.origins.remove(origin)
            self.origins.append(origin)
            if len(self.origins) > KEPT_ORIGINS:
                del self.origins[0]
                self.forgotten += 1

    @property
    def source(self) -> str:
        """For the card: what was read last."""
        if not self.origins:
            return ""
        *more, last = self.origins[-SOURCES_SHOWN:]
        names = f"{', '.join(more)} and {last}" if more else last
        hidden = len(self.origins) + self.forgotten - SOURCES_SHOWN
        return f"after reading {names}" + (f" ({hidden} more before)" if hidden > 0 else "")


class Emit(Protocol):
    """The way out for events."""

    def __call__(self, kind: type[AssistantEvent], /, **fields: Any) -> object:
        """Emit an event of this kind with these fields; the turn's and the conversation's id are added."""


class Asking(Protocol):
    """The asker for a call: told when it begins to wait for the user, and when that is over."""

    def wait_for_user(self, run: ToolRun | None) -> None:
        """The wait begins."""

    def go_on(self, run: ToolRun | None) -> None:
        """The wait is over."""


class Consent:
    """Decides about calls. On the core thread only, but for `mode`.

    Args:
        rules: What was answered for good.
        approvals: Where the user is asked.
        mode: The mode of conversations that were given none.
        redact: Takes keys out of text.
    """

    def __init__(
        self,
        rules: Rules,
        approvals: Approvals,
        mode: Callable[[], ApproveMode] = lambda: ApproveMode.ASK,
        redact: Callable[[str], str] = str,
    ) -> None:
        self.rules = rules
        self.approvals = approvals
        self._default_mode = mode
        self._redact = redact
        self._modes: dict[str, ApproveMode] = {}
        self._read: dict[str, Provenance] = {}
        self._introduced: set[tuple[str, str]] = set()
        """Tools of others, as they describe themselves, that a card has shown."""
        self._listeners = Listeners[[]]()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after a conversation got another mode; the result ends that."""
        return self._listeners.add(listener)

    def mode(self, conversation_id: str) -> ApproveMode:
        """Return what happens with calls of this conversation that no rule speaks of."""
        return self._modes.get(conversation_id) or self._default_mode()

    def chosen_mode(self, conversation_id: str) -> ApproveMode | None:
        """The mode that was chosen for this conversation; None when none was."""
        return self._modes.get(conversation_id)

    def set_mode(self, conversation_id: str, mode: ApproveMode) -> None:
        """Have another mode until the conversation ends."""
        self._modes[conversation_id] = mode
        self._listeners.tell()

    def end_conversation(self, conversation_id: str) -> None:
        """Forget what was allowed, and what was read, in this conversation."""
        self._modes.pop(conversation_id, None)
        self._read.pop(conversation_id, None)
        self.rules.end_conversation(conversation_id)
        self._listeners.tell()

    def provenance(self, conversation_id: str) -> Provenance:
        """Return what was read in this conversation."""
        return self._read.get(conversation_id) or Provenance()

    def note(self, conversation_id: str, origin: str, *, is_private: bool, is_foreign: bool = True) -> None:
        """Keep what a result of this conversation held."""
        if origin or is_private:
            read = self._read.setdefault(conversation_id, Provenance())
            read.note(origin, is_private=is_private, is_foreign=is_foreign)

    async def decide(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        run: ToolRun,
        asking: Asking,
        emit: Emit,
        mode: ApproveMode | None = None,
    ) -> str:
        """Return why the call may run.

        Args:
            tool: Of the call.
            arguments: As checked.
            run: The call.
            asking: Told of the wait.
            emit: Where events go.
            mode: For this turn; None takes the conversation's.

        Raises:
            ToolError: It is never done (`tool.forbid`).
            ToolRefused: It may not run.
        """
        tool.forbid(arguments)
        rule = self.rules.decide(tool, arguments, run.conversation_id)
        decision = rule.decision if rule is not None else None
        if decision is Decision.DENY:
            raise ToolRefused(f"{tool.name!r} was not run: a rule of the user's forbids it. Do not try it again.")
        if tool.risk is Risk.READ and decision is not Decision.ASK:
            return NOT_NEEDED
        mode = mode or self.mode(run.conversation_id)
        if mode is ApproveMode.READ_ONLY:
            # What only reads comes this far by a rule that asks.
            is_read = tool.risk is Risk.READ
            why = "a rule asks about it, and nobody is asked now" if is_read else "only reading is allowed now"
            raise ToolRefused(f"{tool.name!r} was not run: {why}. Answer without it.")
        could_leak = self._could_leak(tool, run.conversation_id)
        # A narrow pattern says where data may go; all calls of a tool may carry it anywhere.
        if decision is Decision.ALLOW and rule is not None and not (rule.pattern == ANY and could_leak):
            return f"allowed by rule {rule.pattern!r}"
        if mode is ApproveMode.ALLOW and decision is None and not could_leak:
            return "allowed by mode"
        # Whoever allowed it wonders why it still asks.
        allowed_by = "a rule" if decision is Decision.ALLOW else "the mode" if mode is ApproveMode.ALLOW else ""
        why = WHY_ASKED_AGAIN.format(allowed_by) if allowed_by and could_leak and decision is not Decision.ASK else ""
        return await self._ask(tool, arguments, run, asking, emit, why)

    async def ask_question(self, approval: Approval, asking: Asking, emit: Emit) -> Answer:
        """The user's answer to something else than a tool call: a start, going on after a limit."""
        return await self._wait(approval, None, asking, emit)

    def _could_leak(self, tool: Tool, conversation_id: str) -> bool:
        """True if all three are together: private data, somebody else's words, and a way out."""
        read = self.provenance(conversation_id)
        return tool.sends_out and read.is_private and read.is_foreign

    async def _ask(
        self, tool: Tool, arguments: Mapping[str, Any], run: ToolRun, asking: Asking, emit: Emit, why: str
    ) -> str:
        pattern = self._pattern_of(tool, arguments)
        preview = tool.preview(arguments)
        if more := [note for note in (why, self._introduction(tool)) if note]:
            preview = replace(preview, note=" ".join([preview.note, *more]).lstrip())
        approval = Approval(
            tool=tool.name,
            arguments=arguments,
            preview=preview,
            source=self.provenance(run.conversation_id).source,
            label=tool.label or tool.name,
            risk=tool.risk,
            run_id=run.id,
            turn_id=run.turn_id,
            pattern=pattern,
            scopes=_scopes(tool, pattern),
        )
        answer = await self._wait(approval, run, asking, emit)
        if not answer.allowed:
            said = f" The user says: {answer.reason}" if answer.reason else " Do not try it again."
            raise ToolRefused(f"{tool.name!r} was not run: the user refused it.{said}")
        if answer.scope == "once":
            return "allowed once"
        passing = run.conversation_id if answer.scope == "conversation" else ""
        try:
            self.rules.allow(tool, pattern, conversation_id=passing)
        except RequestError as error:
            logger.warning("%s", error)
            return "allowed once: the rule could not be kept"
        how = "for this conversation" if passing else "always"
        return f"allowed {how}" if pattern == ANY else f"allowed {how}: {pattern!r}"

    def _introduction(self, tool: Tool) -> str:
        """On the first card of somebody else's tool: what it says of itself, which the model has read."""
        if tool.source in (BUILT_IN, USER) or (tool.name, tool.fingerprint) in self._introduced:
            return ""
        self._introduced.add((tool.name, tool.fingerprint))
        said = " ".join(cleaned(tool.definition.description).split())
        return f"It says of itself: {cut(said, LONGEST_INTRODUCTION)}" if said else ""

    def _pattern_of(self, tool: Tool, arguments: Mapping[str, Any]) -> str:
        """Return what "always" would allow; "" when nothing is narrow enough, or when it would keep a key."""
        pattern = tool.patterns.suggest(arguments) or ""
        # An argument that happens to be "*" is not all calls.
        is_too_wide = pattern == ANY and tool.patterns is not EVERY_CALL
        # Where a key was masked, the pattern would stand for another call.
        has_key = MASK in pattern or self._redact(pattern) != pattern
        return "" if is_too_wide or has_key or len(pattern) > LONGEST_PATTERN else pattern

    async def _wait(self, approval: Approval, run: ToolRun | None, asking: Asking, emit: Emit) -> Answer:
        names = {"approval_id": approval.id, "run_id": approval.run_id, "tool": approval.tool}
        emit(ApprovalAsked, source=approval.source, **names)
        asking.wait_for_user(run)
        try:
            answer = await self.approvals.ask(approval)
        except asyncio.CancelledError:
            emit(ApprovalRefused, reason=STOPPED, took_s=monotonic() - approval.asked_at, **names)
            raise
        finally:
            asking.go_on(run)
        took_s = monotonic() - approval.asked_at
        if answer.allowed:
            emit(ApprovalGiven, scope=answer.scope, took_s=took_s, **names)
        else:
            emit(ApprovalRefused, reason=answer.reason, took_s=took_s, **names)
        return answer


def _scopes(tool: Tool, pattern: str) -> tuple[str, ...]:
    """Return the scopes that are offered; all calls of what can do anything are for the mode allow, which shows it."""
    is_narrow = pattern and not (pattern == ANY and can_do_anything(tool))
    return ("once", "conversation", "always") if is_narrow else ("once",)


def question(
    text: str, *, label: str, tool: str = "", kind: Literal["question", "command", "address", "diff"] = "question"
) -> Approval:
    """An approval that is no tool call: a start, going on after a limit.

    Args:
        text: What is asked, or the exact command that would run.
        label: What it is about, in a few words.
        tool: The tool or server it is about.
        kind: What `text` is.
    """
    return Approval(tool=tool, arguments={}, preview=Preview(kind=kind, text=text), label=label)
