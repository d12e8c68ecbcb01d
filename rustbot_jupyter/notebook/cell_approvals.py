"""Approvals in a cell that waits: the card below it, a prompt where there can be no card, or a no where nobody is."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.compat import is_in_cell, kernel_facts
from rustbot_jupyter.notebook.interrupts import Interruptible

if TYPE_CHECKING:
    from rustbot_jupyter.engine.toolbox import Toolbox
    from rustbot_jupyter.notebook.widget import PostingBot
    from rustbot_jupyter.tools.approval import Approval

    class ToolBot(PostingBot, Protocol):
        """The part of a bot that a waiting cell needs."""

        @property
        def toolbox(self) -> Toolbox:
            """The tools and what waits for the user."""


logger = logging.getLogger("rustbot_jupyter.approvals")

NOBODY = 'Nobody can be asked here. The user can allow it beforehand, with a rule or `approve="allow"`.'
"""What the model is told where no person looks at the notebook."""


CODE_ANSWERS_WITHIN_S = 1.0


class CellApprovals:
    """Questions to the user while a cell waits for a turn; `look` on the thread of the cell.

    Args:
        bot: Who is asked.
        turn_id: Whose approvals; "" for those of no turn, such as a server's start.
        may_prompt: Whether the caller blocks its cell anyhow, so that a prompt may do so, too.
    """

    def __init__(self, bot: ToolBot, turn_id: str, *, may_prompt: bool = True) -> None:
        self._bot = bot
        self._turn_id = turn_id
        self._may_prompt = may_prompt
        # By the cell that asks: another one may run once something waits.
        self._place = where_to_ask()
        self._seen: set[str] = set()
        self._card: Any = None

    def look(self) -> None:
        """Ask for what waits now and was not asked before."""
        for approval in self._bot.toolbox.approvals.pending():
            if approval.turn_id == self._turn_id and approval.id not in self._seen:
                self._seen.add(approval.id)
                self._ask(approval)

    def close(self) -> None:
        """Take the card away; what was answered stands in the record of tool calls."""
        if self._card is not None:
            self._card.close()
            self._card = None

    def _ask(self, approval: Approval) -> None:
        # It may have been answered elsewhere meanwhile, in a chat.
        with suppress(RequestError):
            if self._place == "card":
                self._show_card()
            elif self._place == "nobody":
                self._refuse(approval)
            elif self._may_prompt:
                ask_in_words(approval)
            elif is_in_cell():
                _ask_beside_await(approval)
            else:
                logger.warning(
                    "Rustbot waits for your word on %r: `bot.approvals[0]` shows it; answer with `.allow()` or "
                    "`.deny()`.",
                    approval.tool or approval.label,
                )

    def _refuse(self, approval: Approval) -> None:
        """Speak for a user who is not there; code of a cell that awaits gets a moment to answer."""
        if self._may_prompt or threading.current_thread() is not threading.main_thread():
            approval.deny(NOBODY)
        else:
            asyncio.get_running_loop().call_later(CODE_ANSWERS_WITHIN_S, _deny_late, approval)

    def _show_card(self) -> None:
        if self._card is None:
            from IPython.display import display

            from rustbot_jupyter.notebook.widget import ChatWidget

            self._card = ChatWidget(self._bot, turn=self._turn_id)
            display(self._card)  # type: ignore[no-untyped-call]


def _deny_late(approval: Approval) -> None:
    with suppress(RequestError):
        approval.deny(NOBODY)


def where_to_ask() -> str:
    """card: below the cell; prompt: by `input`; nobody: no person is there."""
    facts = kernel_facts()
    if not facts.ipykernel:
        return "prompt" if sys.stdin is not None and sys.stdin.isatty() else "nobody"
    if not facts.takes_input:
        # nbconvert, nbval and the like run notebooks without anybody who looks.
        return "nobody"
    return "card" if facts.has_subshells else "prompt"


def ask_in_words(approval: Approval) -> None:
    """Ask by `input`, and answer the approval.

    Raises:
        RequestError: It was answered elsewhere meanwhile.
    """
    answers = {"y": "once", "c": "conversation", "a": "always"}
    offered = {key: scope for key, scope in answers.items() if scope in approval.scopes}
    words = {"y": "yes", "c": "yes, for this conversation", "a": f"always: {_visible(approval.pattern)}"}
    print(_shown(approval))
    choice = input(" · ".join([*(f"{key} = {words[key]}" for key in offered), "n = no, or the reason why not"]) + "  ")
    said = choice.strip().lower()
    # People answer with the words that they are shown as well as with the letters.
    meant = {"yes": "y", "once": "y", "conversation": "c", "yes, for this conversation": "c", "always": "a"}.get(
        said, said
    )
    if meant in offered:
        approval.allow(offered[meant])
    else:
        approval.deny("" if said in ("", "n", "no") else choice.strip())


def _ask_beside_await(approval: Approval) -> None:
    """Ask on the loop of a cell that awaits; the Stop ends the prompt, and then does to the cell what it would do."""
    interrupts = Interruptible()
    with suppress(KeyboardInterrupt):
        interrupts.hold(lambda: interrupts.allow(lambda: ask_in_words(approval)))
    interrupts.hand_on()


def _shown(approval: Approval) -> str:
    """The whole of what will run; what a terminal would act upon is shown as its code."""
    lines = [
        f"Rustbot wants to: {approval.label or approval.tool} ({approval.tool})",
        *([approval.source] if approval.source else []),
        approval.preview.text,
        *([approval.preview.note] if approval.preview.note else []),
    ]
    return "\n".join(_visible(line) for line in "\n".join(lines).split("\n"))


def _visible(line: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in line)


@contextmanager
def watched(bot: ToolBot, turn_id: str, wake: Callable[[], None]) -> Iterator[CellApprovals]:
    """Approvals for a cell that waits on the main thread; `wake` is called from the core thread when there are more."""
    approvals = CellApprovals(bot, turn_id, may_prompt=threading.current_thread() is threading.main_thread())
    end = bot.toolbox.approvals.on_change(wake)
    try:
        yield approvals
    finally:
        end()
        approvals.close()
