"""The chat widget: the page's end of a session. It decides nothing; a session does, on the core thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anywidget
import traitlets
from IPython.core.getipython import get_ipython

from rustbot_jupyter.notebook.compat import CellRun, read_on_subshells, running_cell, send_without_parent

if TYPE_CHECKING:
    from rustbot_jupyter.notebook.session import Bot, ViewSession

    class PostingBot(Bot, Protocol):
        """The part of a bot that the widget needs."""

        def post(self, function: Callable[[], None]) -> None:
            """Run a function on the core thread, without waiting."""


STATIC = Path(__file__).parent / "static"

WITHOUT_KERNEL = (
    "**Rustbot chat.** It is live only while its kernel runs: run this cell again to chat. "
    "(`pip install rustbot-jupyter`, then `import rustbot_jupyter as rb; rb.Rustbot()`)"
)
"""What a saved notebook shows in its place; no word of the conversation."""


class _Places:
    """Names for the chats that a cell makes, the same ones each time it is run."""

    def __init__(self) -> None:
        self._run: CellRun | None = None
        self._count = 0

    def next(self) -> str:
        """A name for a chat that is made now; "" where nobody names cells."""
        run = running_cell(get_ipython())
        if run is None:
            return ""
        self._count = self._count + 1 if run == self._run else 1
        self._run = run
        return run.cell_id if self._count == 1 else f"{run.cell_id}/{self._count}"


_places = _Places()
_shown: set[ChatWidget] = set()
"""The chats that cells of a notebook show."""


class ChatWidget(anywidget.AnyWidget):
    """A bot's chat. Shown twice it has two views of the same conversation.

    Only how it opens is synced; the conversation travels in messages that no notebook keeps, the key stays in Python.

    Args:
        bot: Whose conversation it is.
        turn: For the card below a cell: whose tool calls and approvals it shows; None for the whole chat.
    """

    # As text and not as paths: anywidget would watch files for changes.
    _esm = traitlets.Unicode((STATIC / "widget.js").read_text(encoding="utf-8")).tag(sync=True)
    _css = traitlets.Unicode((STATIC / "widget.css").read_text(encoding="utf-8")).tag(sync=True)
    tab = traitlets.Unicode("chat").tag(sync=True)
    """The tab that a new view opens: chat, events or settings."""
    place = traitlets.Unicode("").tag(sync=True)
    """Names the cell it was made in: what was typed there and not sent comes back after the cell was run again."""
    takes_focus = traitlets.Bool(False).tag(sync=True)
    """The next view puts the focus into its input, and sets this back: a page loaded anew takes no focus."""
    turn = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    """For the card below a cell: the turn whose tool calls and approvals are all it shows; None for a chat."""

    _session: ViewSession | None = None

    def __init__(self, bot: PostingBot, turn: str | None = None) -> None:
        super().__init__(turn=turn, place=_places.next())
        self._bot = bot
        self._shown_in: dict[str, str] = {}
        read_on_subshells(self.comm)
        send_without_parent(self.comm)
        self.on_msg(self._on_message)

    @property
    def is_closed(self) -> bool:
        """True if it can no longer be shown."""
        return self.comm is None

    def close(self) -> None:
        """Take the widget out of all pages and end its session; what the bot does goes on."""
        layout = self.layout
        super().close()
        # A widget of its own, that nobody else would close.
        layout.close()
        _shown.discard(self)
        if self._session is not None:
            self._session.close()

    def __repr__(self) -> str:
        return "Rustbot chat: shown by Jupyter while its kernel runs"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self._note_place()
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/markdown": WITHOUT_KERNEL}, metadata

    def _note_place(self) -> None:
        """Remember which cell shows it, and close the chats that an earlier run of this cell has shown only there."""
        run = running_cell(get_ipython())
        if run is None:
            return
        self._shown_in[run.cell_id] = run.run_id
        _shown.add(self)
        for other in list(_shown):
            if other._shown_in.get(run.cell_id, run.run_id) == run.run_id:
                continue
            del other._shown_in[run.cell_id]
            if not other._shown_in:
                other.close()

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
