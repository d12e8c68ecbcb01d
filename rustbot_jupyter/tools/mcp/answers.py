"""Answers of a server, read as far as they can be, and made such that the SDK takes them.

The SDK drops a message that is not exactly as MCP prescribes; whoever waits for that answer would wait for ever.
"""

from __future__ import annotations

import json
import re
from typing import Any

from rustbot_jupyter.tools.mcp.shapes import mended_result

MAX_BYTES = 16_000_000
"""Of one message; memory would have no end."""
UNREADABLE = "its answer is not what MCP prescribes"
_FAILED = -32603
_ID = re.compile(rb'"id"\s*:\s*(?P<id>-?\d{1,18}|"[^"\\]{0,100}")')


class Asked:
    """Requests that a server has not answered: the method of each id."""

    def __init__(self) -> None:
        self._methods: dict[int | str, str] = {}

    def note(self, message: Any) -> None:
        """Take notice of a message on its way to the server."""
        if isinstance(message, dict) and isinstance(message.get("id"), int | str) and "method" in message:
            self._methods[message["id"]] = str(message["method"])
        elif isinstance(message, dict) and message.get("method") == "notifications/cancelled":
            params = message.get("params")
            if isinstance(params, dict):
                self._methods.pop(params.get("requestId", ""), None)

    def known(self, number: Any) -> int | str | None:
        """The id that a server means, such as 7 by "7" or 7.0; None when nothing of it is asked."""
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int | str):
            return None
        if number in self._methods:
            return number
        return next((each for each in self._methods if str(each) == str(number)), None)

    def take(self, number: int | str) -> str:
        """The method of what is answered now."""
        return self._methods.pop(number)


def messages_in(data: bytes, asked: Asked) -> list[dict[str, Any]]:
    """The messages in a line or body, each as MCP prescribes it; none when it is none. An answer that cannot be read,
    to what was asked, becomes an error."""
    try:
        content = _without_halves(json.loads(data.decode("utf-8-sig", "replace"), parse_constant=str), data)
    except (ValueError, RecursionError):
        return _failed_by(data, asked)
    messages = content if isinstance(content, list) else [content]
    return [mended for each in messages if (mended := _mended(each, asked)) is not None]


def failure(number: int | str, reason: str) -> dict[str, Any]:
    """The answer that tells of an answer that cannot be used."""
    return {"jsonrpc": "2.0", "id": number, "error": {"code": _FAILED, "message": reason}}


def _failed_by(data: bytes, asked: Asked) -> list[dict[str, Any]]:
    if b'"jsonrpc"' not in data:
        return []
    for found in _ID.finditer(data):
        number = asked.known(json.loads(found["id"]))
        if number is not None:
            asked.take(number)
            return [failure(number, UNREADABLE)]
    return []


def _without_halves(value: Any, data: bytes) -> Any:
    """The content without halves of surrogate pairs, which no text may have; most data have none."""
    if b"\\ud" not in data and b"\\uD" not in data:
        return value
    return _whole(value)


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return value


def _mended(message: Any, asked: Asked) -> dict[str, Any] | None:
    if not isinstance(message, dict):
        return None
    if isinstance(message.get("method"), str):
        return _mended_request(message)
    number = asked.known(message.get("id"))
    if number is None:
        # To nobody, or of something else than MCP.
        return message if message.get("jsonrpc") == "2.0" and _is_answer(message) else None
    if not (_is_answer(message) or "jsonrpc" in message):
        return None
    method = asked.take(number)
    error = message.get("error")
    if error is not None:
        return {"jsonrpc": "2.0", "id": number, "error": _mended_error(error)}
    result = mended_result(method, message.get("result"))
    return {"jsonrpc": "2.0", "id": number, "result": result} if result is not None else failure(number, UNREADABLE)


def _is_answer(message: dict[str, Any]) -> bool:
    return "result" in message or "error" in message


def _mended_request(message: dict[str, Any]) -> dict[str, Any] | None:
    if not ("jsonrpc" in message or message["method"].startswith("notifications/")):
        return None
    mended = {**message, "jsonrpc": "2.0"}
    for key, kind in (("params", dict), ("id", int | str)):
        if key in mended and not isinstance(mended[key], kind):
            del mended[key]
    return mended


def _mended_error(error: Any) -> dict[str, Any]:
    if not isinstance(error, dict):
        return {"code": _FAILED, "message": _text(error)}
    code, message = error.get("code"), error.get("message")
    if isinstance(message, str) and message.strip():
        said = message
    else:
        said = _text(error.get("data") or message) if error.get("data") or message else "it gave no reason"
    if isinstance(code, int) and not isinstance(code, bool):
        return {**error, "message": said}
    try:
        return {**error, "code": int(code), "message": said}  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        # A code that is a word often says more than the message.
        return {**error, "code": _FAILED, "message": f"{said} ({code})" if isinstance(code, str) and code else said}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
