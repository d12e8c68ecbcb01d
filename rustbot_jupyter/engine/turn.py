"""A turn: a question on its way, until it is answered, stopped or failed."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field

from rustbot_jupyter.engine.coalesce import Coalescer
from rustbot_jupyter.engine.plan import TurnPlan, TurnRequest
from rustbot_jupyter.engine.reply import Reply
from rustbot_jupyter.errors import RustbotError
from rustbot_jupyter.events import TurnFailed, TurnFinished, TurnInterrupted
from rustbot_jupyter.messages import ConversationHistory, new_id


@dataclass(kw_only=True, eq=False)
class Turn:
    """A question on its way. Changed on the core thread only."""

    request: TurnRequest
    history: ConversationHistory
    id: str = field(default_factory=lambda: new_id("turn"))
    outcome: Future[Reply] = field(default_factory=Future)
    """The reply, or the `RustbotError`; set after the turn's last event was published."""
    is_held: bool = False
    """True after Stop: waits in view until the user says more or sends it."""
    stop_reason: str | None = None
    task: asyncio.Task[None] | None = None
    message_id: str = field(default_factory=lambda: new_id("msg"))
    """The id of the answer being written."""
    text: Coalescer | None = None
    reasoning: Coalescer | None = None
    model: str = ""
    plan: TurnPlan | None = None
    """How the turn is carried out, once it has started."""
    ending: TurnFinished | TurnInterrupted | TurnFailed | None = None
    error: RustbotError | None = None

    def stop(self, reason: str) -> bool:
        """Cancel the turn, exactly once; False when it is being stopped or over already."""
        if self.stop_reason is not None or self.task is None or self.task.done():
            return False
        self.stop_reason = reason
        self.task.cancel()
        return True
