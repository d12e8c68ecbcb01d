"""A running answer, followed on the thread that shows it."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from types import FrameType

from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.engine.turn import Turn
from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.events import (
    ApprovalAsked,
    AssistantEvent,
    ProviderWaiting,
    ReasoningStreamed,
    RetryScheduled,
    TextStreamed,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from rustbot_jupyter.notebook.answer_display import AnswerDisplay
from rustbot_jupyter.notebook.cell_approvals import watched
from rustbot_jupyter.notebook.mainloop import main_thread
from rustbot_jupyter.rustbot import STOP_WAIT_S, Rustbot

LOOK_EVERY_S = 0.1

_KINDS: tuple[type[AssistantEvent], ...] = (
    TurnStarted,
    ProviderWaiting,
    RetryScheduled,
    ReasoningStreamed,
    TextStreamed,
    ApprovalAsked,
    ToolStarted,
    TurnFinished,
    TurnInterrupted,
    TurnFailed,
)


@contextmanager
def one_interrupt() -> Iterator[None]:
    """Within this, the first interrupt of the kernel is raised and the next ones are not.

    Pressing Stop ten times must stop the answer once, and not tear what tidies up after it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.default_int_handler)


def _nobody_waits() -> None:
    """Nobody has begun to look."""


class Following:
    """One question, submitted; `show` brings its events into a display until it is answered.

    Args:
        bot: Who is asked.
        request: What.
        note: What stands in the display until the model is asked.
    """

    def __init__(self, bot: Rustbot, request: TurnRequest, note: str = "") -> None:
        self._events: queue.SimpleQueue[AssistantEvent] = queue.SimpleQueue()
        self.request = request
        self.bot = bot
        self._texts: dict[str, str] = {}
        """What each message of the turn says so far; with tools there are several."""
        self._is_behind = False
        self._wake: Callable[[], None] = _nobody_waits
        self._first_note = note or ("Waiting for the answer before…" if bot.agent.active else "Asking…")
        # Subscribed before the question goes out, so that no event is missed.
        self._unsubscribe: Callable[[], None] = bot.agent.bus.subscribe(self._take, _KINDS)
        try:
            self.turn: Turn = bot.submit(request)
        except BaseException:
            self._unsubscribe()
            raise

    def show(self, display: AnswerDisplay) -> Reply:
        """Show the answer as it comes, and return it; an interrupt of the kernel stops it and is swallowed.

        Raises:
            RustbotError: There is no answer.
        """
        try:
            self._show_until_over(display)
        except KeyboardInterrupt:
            self.bot.agent.interrupt(only_turn=self.turn.id)
            wait([self.turn.outcome], timeout=STOP_WAIT_S)
        finally:
            self._unsubscribe()
        if not self.turn.outcome.done():
            raise RequestError("The answer could not be stopped in time. `%rustbot stop` tries again.")
        return self.turn.outcome.result()

    def _show_until_over(self, display: AnswerDisplay) -> None:
        display.wait(self._first_note)
        with main_thread.serving() as wait, watched(self.bot, self.turn.id, wait.wake) as approvals:
            self._wake = wait.wake
            self.turn.outcome.add_done_callback(lambda outcome: wait.wake())
            while not self.turn.outcome.done():
                self._show_events(display)
                approvals.look()
                if self._events.empty() and not self.turn.outcome.done():
                    wait.wait(LOOK_EVERY_S)
                    self._catch_up(display)

    def _show_events(self, display: AnswerDisplay) -> None:
        with suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                if event.turn_id == self.turn.id:
                    self._show_event(event, display)

    def _take(self, event: AssistantEvent) -> None:
        self._events.put(event)
        self._wake()

    def _show_event(self, event: AssistantEvent, display: AnswerDisplay) -> None:
        match event:
            case TextStreamed(message_id=message_id, text=text, offset=offset):
                self._texts[message_id] = self._texts.get(message_id, "")[:offset] + text
                self._is_behind = True
                self._catch_up(display)
            case TurnStarted(model=model):
                display.wait(f"Asking {model}…")
            case ToolStarted(tool=tool) if not self._texts:
                display.wait(f"Running {tool}…")
            case ApprovalAsked(tool=tool) if not self._texts:
                display.wait(f"Waiting for your word on {tool or 'this'}…")
            case ReasoningStreamed() if not self._texts:
                display.wait_quietly("Thinking…")
            case RetryScheduled(wait_s=wait_s, reason=reason):
                display.wait(f"Trying again in {wait_s:.0f} s: {reason}")
            case ProviderWaiting(waited_s=waited_s):
                display.wait_quietly(f"Waiting for {waited_s:.0f} s…")

    def _catch_up(self, display: AnswerDisplay) -> None:
        if self._is_behind and display.write("\n\n".join(self._texts.values())):
            self._is_behind = False
