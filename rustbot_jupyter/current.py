"""The bot that `%rustbot` uses."""

from __future__ import annotations

import threading

from rustbot_jupyter.engine.states import AgentState
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.rustbot import Rustbot

_current: Rustbot | None = None
_lock = threading.Lock()


def get_bot() -> Rustbot:
    """The bot that `%rustbot` uses; made with the default settings when there is none, or it was closed."""
    global _current
    with _lock:
        if _current is None or _current.state is AgentState.CLOSED:
            _current = Rustbot()
        return _current


def set_bot(bot: Rustbot) -> None:
    """Make `bot` the one that `%rustbot` uses.

    Raises:
        RequestError: It is no `Rustbot`.
    """
    global _current
    if not isinstance(bot, Rustbot):
        from rustbot_jupyter.settings.profile import shown

        raise RequestError(f"{shown(bot)} is no bot; make one with `rb.Rustbot()`.")
    with _lock:
        _current = bot
