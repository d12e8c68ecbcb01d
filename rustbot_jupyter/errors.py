"""Every exception Rustbot raises, as one tree.

RustbotError                      anything below; `.reply` holds what had arrived when it happened
├── SettingsError                 a profile field, a settings file or a key cannot be used
│   └── UnsupportedVersion        saved by a newer Rustbot; never overwritten
├── RequestError                  the question itself cannot be sent (empty, a bad flag, a bad argument)
├── ModelError                    the provider, or the way to it; `.retryable` says if again may help
│   ├── ConnectionFailed          refused, name not found, TLS, reset before an answer
│   ├── ModelTimeout              no connection, no first token or no next byte in time
│   ├── AuthenticationFailed      401: no key, or a wrong one
│   ├── OutOfCredits              402: credits or the key's limit are used up
│   ├── RequestBlocked            403: moderation, guardrail, region
│   ├── UnknownModel              400 or 404: the provider does not serve this model
│   ├── ContextTooLong            400 or 413: the conversation does not fit
│   ├── BadRequest                400, 422: anything else the provider will not take
│   ├── RateLimited               429; `.retry_after_s` if the provider said so
│   ├── ProviderUnavailable       408, 5xx, 524, 529
│   ├── InvalidAnswer             not an answer at all: HTML, broken HTTP, nothing that parses
│   │   └── SchemaError           an answer of another form than `--schema` asks for; `.reply` has it
│   └── StreamBroken              the answer began and did not end; the partial text is kept
├── ToolError                     a tool call came to nothing; told to the model, and the turn goes on
│   ├── ToolTimeout               it was stopped at its limit
│   └── ToolRefused               the user, a rule or the mode said no
├── BudgetExceeded                the next request could cost more than the cap leaves
└── InvalidTransition             a state and trigger that the table does not know: our bug
"""

from __future__ import annotations

import os
import traceback
from itertools import takewhile
from typing import Any

_PACKAGE = os.path.dirname(__file__)


class RustbotError(Exception):
    """Anything Rustbot raises on purpose; its text is one sentence a user can act on."""

    reply: Any = None
    """The `Reply` with what had arrived, or None when nothing was asked yet."""

    def _render_traceback_(self) -> list[str]:
        """The lines IPython shows: the user's own part of the way, and the sentence. The way through our code helps
        nobody who made no programming error."""
        frames = takewhile(
            lambda frame: not frame.filename.startswith(_PACKAGE), traceback.extract_tb(self.__traceback__)
        )
        own = [_shown(frame) for frame in frames if frame.line and "IPython" not in frame.filename]
        return [*own, f"{type(self).__name__}: {self}"]


def _shown(frame: traceback.FrameSummary) -> str:
    # A cell's file is a temporary one; what the user knows is the line in the cell.
    is_cell = "ipykernel_" in frame.filename or frame.filename.startswith("<")
    where = f"line {frame.lineno}" if is_cell else f"{frame.filename}, line {frame.lineno}"
    return f"{where}: {frame.line}"


class SettingsError(RustbotError):
    """A profile field, a settings file or a key cannot be used."""


class UnsupportedVersion(SettingsError):
    """A file was saved by a newer Rustbot."""


class RequestError(RustbotError):
    """The question cannot be sent as it is."""


class ModelError(RustbotError):
    """The provider, or the way to it, failed.

    Args:
        message: One sentence: what is wrong and what to do next. Holds no key.
        status: HTTP status, or None when there was no HTTP answer.
        retry_after_s: How long the provider asked us to wait, in seconds; None if it did not say.
        retryable: Whether the same request may succeed later; None takes the class's default.
        detail: What the provider itself said, cut and redacted; "" if nothing.
        metadata: Further fields of the provider's error (reasons, fallback models, ...).
    """

    default_retryable = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        retryable: bool | None = None,
        detail: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        self.retryable = self.default_retryable if retryable is None else retryable
        self.detail = detail
        self.metadata = metadata or {}


class ConnectionFailed(ModelError):
    """No connection, or it was lost before the answer began."""

    default_retryable = True


class ModelTimeout(ModelError):
    """Nothing came within a limit; the message names the limit."""


class AuthenticationFailed(ModelError):
    """401: no key, or one the provider does not accept."""


class OutOfCredits(ModelError):
    """402: credits or the key's limit are used up."""


class RequestBlocked(ModelError):
    """403: moderation, a guardrail, the region or the kind of key."""


class UnknownModel(ModelError):
    """The provider does not serve the model that was asked for."""


class ContextTooLong(ModelError):
    """The conversation does not fit into the model's context."""


class BadRequest(ModelError):
    """The provider does not take the request."""


class RateLimited(ModelError):
    """429: too many requests; `retry_after_s` says for how long, if known."""

    default_retryable = True


class ProviderUnavailable(ModelError):
    """The provider is down, overloaded or too slow to answer."""

    default_retryable = True


class InvalidAnswer(ModelError):
    """Something else than an answer came back: HTML, broken HTTP, nothing that parses."""


class SchemaError(InvalidAnswer):
    """The answer is not of the form that was asked for; `.reply` has it, `faults` say what is wrong where."""

    def __init__(self, message: str, *, faults: tuple[str, ...] = (), detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.faults = faults


class StreamBroken(ModelError):
    """The answer began and did not end. What had arrived is kept, and nothing is sent again by itself."""


class ToolError(RustbotError):
    """A tool call came to nothing; its text goes to the model, which may try another way."""

    origin = ""
    """Whose words the text may hold besides our own, as `ToolResult.origin` says it."""


class ToolTimeout(ToolError):
    """A tool was stopped at its limit."""


class ToolRefused(ToolError):
    """The user, a rule or the mode said no."""


class BudgetExceeded(RustbotError):
    """The next request could cost more than the cap leaves."""


class InvalidTransition(RustbotError):
    """A (state, trigger) pair that the transition table does not know: a bug in Rustbot."""

    # Whoever mends it needs the whole way: IPython shows its own traceback when there is no such method.
    _render_traceback_ = None  # type: ignore[assignment]
