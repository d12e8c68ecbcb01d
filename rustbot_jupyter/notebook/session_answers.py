"""Acknowledgements: one for each command that came, however often it came."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.errors import RustbotError
from rustbot_jupyter.notebook.protocol import AckOp, Command
from rustbot_jupyter.settings.redaction import redact

logger = logging.getLogger("rustbot_jupyter.session")

REMEMBERED = 256
LONGEST_REFUSAL = 300


@dataclass
class _Answer:
    ack: AckOp | None = None
    """None while the command is being carried out."""
    copies: int = 1
    """How often it came meanwhile."""


class Answers:
    """Remembers the last commands, so that one that comes twice is carried out once and acknowledged twice.

    Args:
        acknowledge: Sends an acknowledgement.
    """

    def __init__(self, acknowledge: Callable[[AckOp], None]) -> None:
        self._acknowledge = acknowledge
        self._answers: OrderedDict[tuple[str, str], _Answer] = OrderedDict()

    def is_new(self, command: Command) -> bool:
        """True if a command is to be carried out; one that was already is acknowledged again."""
        answer = self._answers.get(_name(command))
        if answer is None:
            self._answers[_name(command)] = _Answer()
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
            return True
        if answer.ack is None:
            answer.copies += 1
        else:
            self._acknowledge(answer.ack)
        return False

    def done(self, command: Command, result: dict[str, Any] | None = None) -> None:
        """Acknowledge a command that was carried out."""
        ack: AckOp = {"op": "ack", "view": command["view"], "id": command["id"], "ok": True}
        if result is not None:
            ack["result"] = result
        self._give(command, ack)

    def failed(self, command: Command, error: Exception) -> None:
        """Acknowledge a command that could not be carried out, with one sentence why."""
        sentence = _sentence(error, command["name"])
        self._give(command, {"op": "ack", "view": command["view"], "id": command["id"], "ok": False, "error": sentence})

    def refuse(self, content: object, sentence: str) -> None:
        """Acknowledge what is no command, if it says who asks."""
        view, asked = (content.get("view"), content.get("id")) if isinstance(content, Mapping) else (None, None)
        sentence = sentence if len(sentence) <= LONGEST_REFUSAL else sentence[: LONGEST_REFUSAL - 1] + "…"
        if isinstance(view, str) and isinstance(asked, str) and len(view) + len(asked) <= LONGEST_REFUSAL:
            self._acknowledge({"op": "ack", "view": view, "id": asked, "ok": False, "error": sentence})
        else:
            logger.warning("A message of the page was dropped: %s", sentence)

    def forget(self) -> None:
        """Take commands as new again."""
        self._answers.clear()

    def _give(self, command: Command, ack: AckOp) -> None:
        answer = self._answers.get(_name(command)) or _Answer()
        answer.ack = ack
        for _ in range(answer.copies):
            self._acknowledge(ack)


def _name(command: Command) -> tuple[str, str]:
    return command["view"], command["id"]


def _sentence(error: Exception, name: str) -> str:
    if isinstance(error, RustbotError):
        return redact(str(error))
    logger.error("The command %r of the page failed.", name, exc_info=error)
    return redact(f"Rustbot itself failed at {name!r} ({type(error).__name__}). `rb.log_to(path)` keeps the details.")
