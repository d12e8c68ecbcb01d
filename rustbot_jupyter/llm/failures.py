"""A provider's words of failure, as one of our errors: a sentence, a next step, and its meaning for retries."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rustbot_jupyter.errors import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    ContextTooLong,
    InvalidAnswer,
    ModelError,
    OutOfCredits,
    ProviderUnavailable,
    RateLimited,
    RequestBlocked,
    StreamBroken,
    UnknownModel,
)
from rustbot_jupyter.llm import sentences
from rustbot_jupyter.llm.keys import redact_all
from rustbot_jupyter.llm.retry_after import read_retry_after
from rustbot_jupyter.llm.sentences import Sentence
from rustbot_jupyter.llm.target import Target

_MAX_DETAIL_CHARS = 500
_MAX_PAGE_CHARS = 200
_RETRYABLE_STATUSES = {408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
_STATUS_OF_CODE = {
    "authentication_error": 401,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "insufficient_quota": 402,
    "insufficient_credits": 402,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "model_not_found": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "server_error": 500,
    "internal_server_error": 500,
    "tool_use_failed": 400,
}
_CONTEXT = re.compile(
    r"context[ _-]?(length|size|window)|exceeds? the (available )?context|maximum context|max(imum)?[ _]context"
    r"|prompt (is )?too long|too many (input )?tokens|input is too long",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"not a valid model|model[^.]{0,80}(does not exist|not found|not supported|unknown)|model_not_found"
    r"|unknown model|no such model|no endpoints found",
    re.IGNORECASE,
)
_SPEAKS_OF_MODEL = re.compile(r"models?\b|deployment|endpoints? found|guardrail|provider", re.IGNORECASE)
_WRONG_PLACE = re.compile(
    r"(unexpected|unknown|invalid|unrecogni[sz]ed|no such) (request )?(endpoint|url|path|route)|method not allowed"
    r"|cannot (get|post) /|no route|(resource|file|path|page|url|endpoint|route) (was )?not found",
    re.IGNORECASE,
)
_IN_FLIGHT = re.compile(r"in[ -]flight|pending requests?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A provider's error, whatever its shape."""

    status: int | None = None
    """HTTP status, or the code inside the error that stands for one."""
    message: str = ""
    code: str = ""
    """Its own codes and types, joined."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The error object."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


def from_http(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ModelError:
    """The error for an answer whose HTTP status is not a success."""
    if 300 <= status < 400:
        return _redirected(status, headers, target)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    report = _read(data, status) if data is not None else Report(message=visible_text(body, headers, target))
    if status in (404, 405) and not _names_model(report, target, is_page="html" in headers.get("content-type", "")):
        return _no_service(report, status, target)
    return _error(report, status, headers, target)


def from_stream(error: Any, target: Target, *, has_begun: bool) -> ModelError:
    """The error for an error object inside a successful answer; a broken stream if the answer had begun."""
    report = _read(error if isinstance(error, dict) and "error" in error else {"error": error}, None)
    # LM Studio says so with status 200.
    is_elsewhere = not has_begun and _WRONG_PLACE.search(report.message)
    cause = _no_service(report, report.status, target) if is_elsewhere else _error(report, report.status, {}, target)
    if not has_begun:
        return cause
    return StreamBroken(
        f"{sentences.who(target)} broke off the answer{sentences.says(cause.detail)}. What had arrived is kept.",
        status=cause.status,
        detail=cause.detail,
        metadata=cause.metadata,
    )


def status_in(error: Any) -> int | None:
    """The HTTP status that an error object inside a successful answer names; None when it names none."""
    return _read(error if isinstance(error, dict) and "error" in error else {"error": error}, None).status


def not_an_answer(body: bytes, headers: Mapping[str, str], status: int, target: Target) -> ModelError:
    """The error for a success that holds neither a stream nor JSON."""
    text = visible_text(body, headers, target)
    return InvalidAnswer(
        f"{target.host} sent something that is not an answer (status {status}){sentences.says(text)}. "
        "Check the base URL; it usually ends in /v1.",
        status=status,
        detail=text,
    )


def visible_text(body: bytes, headers: Mapping[str, str], target: Target) -> str:
    """The first 200 characters that a reader of this body would see."""
    text = body[:65_536].decode("utf-8", "replace")
    if "<" in text and ("html" in headers.get("content-type", "") or re.match(r"\s*<", text)):
        text = re.sub(r"(?is)<(script|style|head)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)|<[^>]*(>|\Z)", " ", text)
        text = html.unescape(text)
    return _clean(text, target, _MAX_PAGE_CHARS)


def _read(data: Any, status: int | None) -> Report:
    """The provider's error out of any of the shapes seen."""
    holder = data if isinstance(data, dict) else {"error": data}
    error = holder.get("error") or holder.get("detail") or holder
    if not isinstance(error, dict):
        return Report(status=status, message=_text(error))
    metadata = error.get("metadata") if isinstance(error.get("metadata"), dict) else {}
    codes = [error.get(name) for name in ("code", "type", "error_type")] + [_dict(metadata).get("error_type")]
    return Report(
        status=_status(status, error),
        message=_reason(error, _dict(metadata)),
        code=" ".join(str(code) for code in codes if code),
        fields=error,
        metadata=_dict(metadata),
    )


def _status(status: int | None, error: Mapping[str, Any]) -> int | None:
    if status is not None and status >= 400:
        return status
    for value in (error.get("http_status"), error.get("status_code"), error.get("code"), error.get("status")):
        if isinstance(value, str):
            value = int(value) if re.fullmatch(r"[45]\d\d", value) else _STATUS_OF_CODE.get(value)
        if type(value) is int and 400 <= value < 600:
            return value
    return _STATUS_OF_CODE.get(_text(error.get("type")))


def _reason(error: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Return what really happened: OpenRouter's own message may only say "Provider returned error"."""
    message = _text(error.get("message")) or _text(error.get("error"))
    reasons = [message]
    if raw := metadata.get("raw"):
        inner = _raw_message(raw)
        generic = not message or message.casefold().startswith("provider returned")
        name = _text(metadata.get("provider_name"))
        reasons = [f"{name}: {inner}" if name else inner] if generic else [message, inner]
    for previous in metadata.get("previous_errors") or ():
        reasons.append(_text(_dict(previous).get("message")))
    if isinstance(metadata.get("reasons"), list):
        reasons.append("reasons: " + ", ".join(map(str, metadata["reasons"])))
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def _raw_message(raw: Any) -> str:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            return _text(raw)
    return _read(raw, None).message or json.dumps(raw)


def _error(report: Report, status: int | None, headers: Mapping[str, str], target: Target) -> ModelError:
    status = report.status or status
    kind, sentence = _kind(report, status, target)
    availability = _dict(report.fields.get("availability"))
    retry_after_s = read_retry_after(headers, report.fields, status)
    detail = _clean(report.message, target, _MAX_DETAIL_CHARS)
    metadata = {**report.metadata}
    for name in ("availability", "n_ctx", "n_prompt_tokens", "failed_generation"):
        if name in report.fields:
            metadata[name] = report.fields[name]
    error = kind(
        sentence(target, sentences.Said(detail=detail, status=status, retry_after_s=retry_after_s)),
        status=status,
        retry_after_s=retry_after_s,
        retryable=_retryable(kind, report, status, retry_after_s, availability),
        detail=detail,
        metadata=redact_all(metadata, target.redact),
    )
    if isinstance(availability.get("fallback_models"), list):
        error.metadata["fallback_models"] = [name for name in availability["fallback_models"] if isinstance(name, str)]
    return error


def _retryable(
    kind: type[ModelError],
    report: Report,
    status: int | None,
    retry_after_s: float | None,
    availability: Mapping[str, Any],
) -> bool | None:
    if isinstance(availability.get("retryable"), bool):
        return bool(availability["retryable"])
    if status == 407:
        return False
    if kind is OutOfCredits:
        # Credits held by requests that still run come back.
        return retry_after_s is not None or bool(_IN_FLIGHT.search(report.message))
    if kind is ProviderUnavailable and status is not None:
        return status in _RETRYABLE_STATUSES
    return None


def _kind(report: Report, status: int | None, target: Target) -> tuple[type[ModelError], Sentence]:
    """Return which error it is, and how it is put."""
    text = f"{report.code} {report.message}"
    if (status in (400, 404, 413, 422, 500, None) and _CONTEXT.search(text)) or status == 413:
        return ContextTooLong, sentences.context_too_long
    if status == 404 or (status in (400, 422) and _UNKNOWN_MODEL.search(text)):
        return UnknownModel, sentences.unknown_model
    if status == 429 and "insufficient_quota" in report.code:
        return OutOfCredits, sentences.credits_used_up
    return _BY_STATUS.get(status or 0) or (
        (ProviderUnavailable, sentences.unavailable)
        if status is None or status >= 500
        else (BadRequest, sentences.bad_request)
    )


_UNAVAILABLE: tuple[type[ModelError], Sentence] = (ProviderUnavailable, sentences.unavailable)
_BY_STATUS: dict[int, tuple[type[ModelError], Sentence]] = {
    401: (AuthenticationFailed, sentences.key),
    402: (OutOfCredits, sentences.credits_used_up),
    403: (RequestBlocked, sentences.blocked),
    407: (ConnectionFailed, sentences.behind_proxy),
    408: _UNAVAILABLE,
    429: (RateLimited, sentences.rate_limited),
}


def _names_model(report: Report, target: Target, *, is_page: bool) -> bool:
    """True if the error speaks of the model, and not of the address."""
    text = f"{report.code} {report.message}"
    if is_page or _WRONG_PLACE.search(text):
        return False
    is_named = bool(target.model) and re.search(rf"(?<![\w/.-]){re.escape(target.model)}(?![\w/-])", text) is not None
    return is_named or _SPEAKS_OF_MODEL.search(text) is not None


def _no_service(report: Report, status: int | None, target: Target) -> ModelError:
    status_note = f" (status {status})" if status else ""
    return InvalidAnswer(
        f"{target.host} has no chat service at this address{status_note}. Check the base URL; it usually ends in /v1.",
        status=status,
        detail=_clean(report.message, target, _MAX_DETAIL_CHARS),
    )


def _redirected(status: int, headers: Mapping[str, str], target: Target) -> ModelError:
    place = _clean(headers.get("location", ""), target, _MAX_PAGE_CHARS)
    return InvalidAnswer(
        f"{target.host} redirects to another address ({place!r}); it was not followed, and the key was not sent there. "
        "If you trust that address, set it as the base URL.",
        status=status,
        detail=place,
    )


def _clean(text: str, target: Target, limit: int) -> str:
    """One redacted line without control characters, cut to the limit."""
    text = target.redact(text[:65_536])
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", " ", text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, default=str)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
