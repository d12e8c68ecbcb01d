"""The bytes of one HTTP body, whatever it turns out to be, into an answer or an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum

from rustbot_jupyter.errors import ConnectionFailed, InvalidAnswer, ModelError, StreamBroken
from rustbot_jupyter.llm import failures
from rustbot_jupyter.llm.refusals import Refusal, read_refusal
from rustbot_jupyter.llm.sse import MAX_EVENT_BYTES, EventTooLong, SSEDecoder
from rustbot_jupyter.llm.stream import AnswerBuilder
from rustbot_jupyter.llm.target import Target

_MAX_ERROR_BYTES = 256 * 1024


class _Kind(Enum):
    UNKNOWN = 0
    STREAM = 1
    JSON = 2
    OTHER = 3


class Intake:
    """Takes the head and the bytes of an answer; `builder` holds what was understood."""

    def __init__(self, target: Target) -> None:
        self.builder = AnswerBuilder(target.mask)
        self.has_head = False
        self._target = target
        self._decoder = SSEDecoder()
        self._kind = _Kind.UNKNOWN
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._body = bytearray()
        """All of a body that is not a stream; of a stream its first bytes."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the head."""
        self.has_head = True
        self._status, self._headers = status, headers
        self.builder.generation_id = headers.get("x-generation-id")

    @property
    def is_success(self) -> bool:
        """True if the status promises an answer."""
        return self._status // 100 == 2

    def feed(self, data: bytes) -> None:
        """Take bytes of a success.

        Raises:
            ModelError: It grew beyond a limit.
        """
        if self._kind is _Kind.STREAM:
            self._decode(data)
            return
        self._body += data
        if self._kind is _Kind.UNKNOWN:
            self._kind = self._find_kind()
        if self._kind is _Kind.STREAM:
            self._decode(bytes(self._body))
        else:
            self._check_size()

    def end(self) -> None:
        """Take the end of a success.

        Raises:
            ModelError: It was no answer.
        """
        if self._kind is _Kind.STREAM:
            self.builder.feed(self._decoder.flush())
        elif self._kind is _Kind.JSON:
            self._read_json()
        elif self._kind is _Kind.OTHER:
            raise self._not_an_answer()

    def feed_error(self, data: bytes) -> bool:
        """Take bytes of an answer that is no success; False when that was enough."""
        self._body += data
        return len(self._body) <= _MAX_ERROR_BYTES

    def refusal(self) -> Refusal | None:
        """Return what the server said instead of an answer, where it may have refused a part of the request."""
        if self.builder.has_begun:
            return None
        if self.is_success:
            error = self.builder.error
            return None if error is None else read_refusal(failures.status_in(error), error)
        try:
            said: object = json.loads(self._body)
        except (ValueError, RecursionError):
            said = failures.visible_text(bytes(self._body), self._headers, self._target)
        return read_refusal(self._status, said)

    def status_error(self) -> ModelError:
        """The error of an answer that is no success, with as much of its body as came."""
        return failures.from_http(self._status, self._headers, bytes(self._body), self._target)

    def too_long(self) -> ModelError:
        """The error of an answer beyond a limit."""
        kind = StreamBroken if self.builder.has_begun else InvalidAnswer
        return kind(
            f"{self._target.host} sent more than {MAX_EVENT_BYTES // 2**20} MB without an end; the connection was "
            "closed. Try again, or pick another model."
        )

    def verdict(self, error: Exception | None) -> Exception | None:
        """Return what went wrong with the answer as a whole, or None.

        Args:
            error: How the connection ended, if badly.
        """
        builder, host = self.builder, self._target.host
        if builder.error is not None:
            return failures.from_stream(builder.error, self._target, has_begun=builder.has_begun)
        if builder.nothing_parsed:
            return error or self._not_an_answer()
        if builder.has_finished and builder.has_gap:
            kind, step = (
                (StreamBroken, "What had arrived is kept; ask again.")
                if builder.has_begun
                else (InvalidAnswer, "Ask again, or pick another model.")
            )
            return kind(f"{host} sent a piece of the answer that cannot be read, so that something is missing. {step}")
        if builder.has_finished:
            # A complete answer stays complete, however the connection ended.
            return None
        if error is not None:
            return error
        if builder.is_empty and self._shows_text():
            return self._not_an_answer()
        if not builder.has_begun:
            return ConnectionFailed(f"{host} ended the answer before it began. Try again.")
        return StreamBroken(f"{host} ended the answer without saying that it is complete. What had arrived is kept.")

    def _decode(self, data: bytes) -> None:
        comments = self._decoder.comments
        try:
            self.builder.feed(self._decoder.feed(data))
        except EventTooLong:
            raise self.too_long() from None
        if self._decoder.comments != comments:
            self.builder.add_waiting()

    def _find_kind(self) -> _Kind:
        """Tell by the first visible byte: JSON may come with any content type, and after white space."""
        start = self._body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
        if not start:
            self.builder.add_waiting()
            return _Kind.UNKNOWN
        return {b"{": _Kind.JSON, b"[": _Kind.JSON, b"<": _Kind.OTHER}.get(bytes(start), _Kind.STREAM)

    def _check_size(self) -> None:
        if self._kind is _Kind.OTHER and len(self._body) > _MAX_ERROR_BYTES:
            raise self._not_an_answer()
        if len(self._body) > MAX_EVENT_BYTES:
            raise self.too_long()

    def _read_json(self) -> None:
        text = self._body.decode("utf-8-sig", "replace")
        try:
            whole = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            whole = None
        if isinstance(whole, dict):
            self.builder.add_whole(whole)
        else:
            # The chunks of a stream, line by line or in a list, in place of events.
            self.builder.add_values(text)

    def _shows_text(self) -> bool:
        return any(line.strip() and not line.startswith(b":") for line in self._body.splitlines())

    def _not_an_answer(self) -> ModelError:
        return failures.not_an_answer(bytes(self._body), self._headers, self._status, self._target)
