"""Reasons for a turn without an answer, as its last event tells them."""

from __future__ import annotations

import logging
from typing import Any

from rustbot_jupyter.errors import ModelError, RustbotError
from rustbot_jupyter.llm.base import Answer

logger = logging.getLogger("rustbot_jupyter.turn")


def own_fault(error: BaseException) -> RustbotError:
    """Return what the user is told of an error that nobody foresaw; the log has the rest."""
    logger.error("A turn failed in a way Rustbot did not foresee.", exc_info=error)
    return RustbotError(f"Rustbot itself failed: {error!r}. Ask again; `rb.log_to(path)` keeps the details.")


def failure_fields(error: RustbotError) -> dict[str, Any]:
    """The fields of `TurnFailed` that tell an error."""
    fields: dict[str, Any] = {"error_type": type(error).__name__, "error": str(error)}
    if isinstance(error, ModelError):
        fallback = error.metadata.get("fallback_models", ())
        suggestions = tuple(str(name) for name in fallback) if isinstance(fallback, list | tuple) else ()
        fields |= {
            "detail": error.detail,
            "status": error.status,
            "retryable": error.retryable,
            "suggestions": suggestions,
        }
    return fields


def nothing_said(answer: Answer, model: str) -> str:
    """Return what the user is told of an answer without a word in it."""
    tokens = answer.usage.reasoning_tokens or answer.usage.output_tokens
    thought = f" (only reasoning, {tokens:,} tokens)" if tokens else " (only reasoning)"
    what = f"{model!r} gave no answer{thought if answer.reasoning is not None else ''}."
    if answer.finish_reason == "length":
        return (
            f"{what} It reached its length limit before the first word; raise `max_tokens` or the cap, and ask again."
        )
    if answer.finish_reason == "content_filter":
        return f"{what} The provider's filter held it back; ask in other words."
    return f"{what} Ask again, or pick another model."
