"""`Reply`: what `ask` returns."""

from __future__ import annotations

from dataclasses import dataclass

from rustbot_jupyter.events import AssistantEvent
from rustbot_jupyter.fences import code_blocks
from rustbot_jupyter.inert_markdown import inert_markdown
from rustbot_jupyter.messages import Message, MessageStatus
from rustbot_jupyter.tools.runs import ToolRun
from rustbot_jupyter.usage import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer: its text, what it cost, and all that happened on the way. Shown as Markdown in a notebook."""

    message: Message
    usage: Usage
    model: str | None
    """The model that answered, as the provider names it."""
    finish_reason: str | None
    duration_s: float
    error: str = ""
    """Why the answer is not whole; "" when it is."""
    events: tuple[AssistantEvent, ...] = ()
    earlier: tuple[Message, ...] = ()
    """What the model said before its last message, between tool calls."""
    tool_runs: tuple[ToolRun, ...] = ()
    """The tool calls made for this answer, in order: `.call`, `.state`, `.result`, `.approval`, `.duration_s`."""

    @property
    def text(self) -> str:
        """The answer's text."""
        return self.message.text

    @property
    def status(self) -> MessageStatus:
        """complete, interrupted or error."""
        return self.message.status

    @property
    def code(self) -> list[str]:
        """The fenced code blocks, in order, without their fences."""
        return [block.code for block in code_blocks(self.text)]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        shown = self.text if len(self.text) <= 60 else self.text[:59] + "…"
        return f"Reply({shown!r}, status={self.status.value!r}, model={self.model!r})"

    def _repr_markdown_(self) -> str:
        shown = inert_markdown(self.text)
        if self.status is MessageStatus.COMPLETE:
            return shown
        note = self.error or "Interrupted; the text is what had arrived."
        return f"{shown}\n\n*{note}*"
