"""The chat widget: the page's end of a session. It decides nothing; a session does, on the core thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anywidget
import traitlets

from rustbot_jupyter.notebook.compat import read_on_subshells, send_without_parent

if TYPE_CHECKING:
    from rustbot_jupyter.notebook.session import Bot, ViewSession

    class PostingBot(Bot, Protocol):
        """What the widget needs of a bot."""

        def post(self, function: Callable[[], None]) -> None:
            """Run a function on the core thread, without waiting."""


STATIC = Path(__file__).parent / "static"

WITHOUT_KERNEL = (
    "**Rustbot chat.** It is live only while its kernel runs: run this cell again to chat. "
    "(`pip install rustbot-jupyter`, then `import rustbot_jupyter as rb; rb.Rustbot()`)"
)
"""What a saved notebook shows in its place; no word of the conversation."""


class ChatWidget(anywidget.AnyWidget):
    """A bot's chat. Shown twice it has two views of the same conversation.

    Only the tab is synced; the conversation travels in messages that no notebook keeps, the key never leaves Python.

    Args:
        bot: Whose conversation it is.
        turn: For the card below a cell: whose tool calls and approvals it shows; None for the whole chat.
    """

    # As text and not as paths: anywidget would watch files for changes.
    _esm = traitlets.Unicode((STATIC / "widget.js").read_text(encoding="utf-8")).tag(sync=True)
    _css = traitlets.Unicode((STATIC / "widget.css").read_text(encoding="utf-8")).tag(sync=True)
    tab = traitlets.Unicode("chat").tag(sync=True)
    """The tab that a new view opens: chat, events or settings."""
    turn = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    """For the card below a cell: the turn whose tool calls and approvals are all it shows; None for a chat."""

    _session: ViewSession | None = None

    def __init__(self, bot: PostingBot, turn: str | None = None) -> None:
        super().__init__(turn=turn)
        self._bot = bot
        read_on_subshells(self.comm)
        send_without_parent(self.comm)
        self.on_msg(self._on_message)

    @property
    def is_closed(self) -> bool:
        """Whether it can no longer be shown."""
        return self.comm is None

    def close(self) -> None:
        """Take the widget out of all pages and end its session; what the bot does goes on."""
        super().close()
        if self._session is not None:
            self._session.close()

    def __repr__(self) -> str:
        return "Rustbot chat: shown by Jupyter while its kernel runs"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/markdown": WITHOUT_KERNEL}, metadata

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        # On a subshell's thread, or on the main one: whatever it is, the core thread does the work.
        self._bot.post(partial(self._receive, content))

    def _receive(self, content: object) -> None:
        if self._session is None:
            if self.is_closed:
                return
            # Loaded when the page has drawn the widget: the cell that shows it need not wait for that.
            from rustbot_jupyter.notebook.session import ViewSession

            self._session = ViewSession(self._bot, self._send_to_page, self.turn)
        self._session.receive(content)

    def _send_to_page(self, content: dict[str, Any], buffers: Sequence[bytes]) -> None:
        self.send(content, list(buffers))
