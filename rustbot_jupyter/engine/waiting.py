"""Questions that wait while an answer is being written, for the user to see and change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rustbot_jupyter.engine.agent import Agent
    from rustbot_jupyter.engine.turn import Turn


class Bot(Protocol):
    """The part of a bot that the list needs."""

    @property
    def agent(self) -> Agent:
        """The engine; another one after a fork or a dead loop."""

    def run_on_core(self, function: Callable[[], Any]) -> Any:
        """Run a quick function on the core thread."""


class WaitingMessages:
    """The waiting messages of a bot, in order, each with `.id`; from any thread."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    def __iter__(self) -> Iterator[Turn]:
        return iter(self._bot.agent.waiting)

    def __len__(self) -> int:
        return len(self._bot.agent.waiting)

    def __repr__(self) -> str:
        lines = [f"{turn.id}  {turn.request.message.text!r}" for turn in self]
        return "\n".join(lines) or "Nothing waits."

    def edit(self, id: str, text: str) -> None:
        """Change the text of a waiting message.

        Raises:
            RequestError: It does not wait any more, or the text is blank.
        """
        self._bot.run_on_core(lambda: self._bot.agent.edit_waiting(id, text))

    def remove(self, id: str) -> None:
        """Take a waiting message back.

        Raises:
            RequestError: It does not wait any more.
        """
        self._bot.run_on_core(lambda: self._bot.agent.remove_waiting(id))

    def send_now(self, id: str) -> None:
        """Ask this one next, and stop what runs.

        Raises:
            RequestError: It does not wait any more.
        """
        self._bot.run_on_core(lambda: self._bot.agent.send_now(id))
