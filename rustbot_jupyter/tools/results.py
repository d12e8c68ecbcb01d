"""What a tool returned, as a result that fits a model and the eye: text cleaned and cut, values described."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from rustbot_jupyter.tools.base import ToolContext, ToolResult
from rustbot_jupyter.tools.pictures import picture_of
from rustbot_jupyter.tools.variables import describe

MODEL_CHARS = 24_000
"""About 6,000 tokens. A longer result is cut in the middle."""
VIEW_CHARS = 10_000
"""What a card in the chat shows."""
MOST_IMAGES = 4
MAX_IMAGE_BYTES = 5_000_000

# ANSI colours and titles, as terminals know them.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def result_of(value: Any, context: ToolContext) -> ToolResult:
    """What a function returned, as a result."""
    if isinstance(value, ToolResult):
        return value
    if value is None:
        return ToolResult(text="Done. It returned nothing.")
    if isinstance(value, str):
        return ToolResult(text=value or "Done. It returned an empty text.")
    if isinstance(value, bytes | bytearray | memoryview):
        return ToolResult(text=f"{len(bytes(value)):,} bytes of binary data.")
    picture = picture_of(value)
    if picture is not None:
        return ToolResult(text=f"A picture of {len(picture.data):,} bytes ({type(value).__name__}).", images=(picture,))
    if _is_json(value):
        return ToolResult(data=value)
    return ToolResult(text=describe("result", value, schema_only=not context.send_values), is_private=True)


def _is_json(value: Any) -> bool:
    if not isinstance(value, dict | list | tuple | int | float | bool):
        return False
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def fitted(result: ToolResult) -> ToolResult:
    """The result without control characters, within the limits; what was left out is noted in its text."""
    content = cut(cleaned(result.content), MODEL_CHARS)
    images = [image for image in result.images if len(image.data) <= MAX_IMAGE_BYTES][:MOST_IMAGES]
    if left_out := len(result.images) - len(images):
        content += f"\n[{left_out} images were left out: too many, or larger than {MAX_IMAGE_BYTES:,} bytes]"
    return replace(result, text=content, data=None, images=tuple(images))


def cleaned(text: str) -> str:
    """The text without terminal escapes and control characters; a line that was overwritten keeps its last state."""
    if not _CONTROL.search(text) and "\r" not in text:
        return text
    lines = _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")
    return _CONTROL.sub("", "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))


def cut(text: str, limit: int) -> str:
    """The text with its middle left out when it is too long; a note says how much."""
    if len(text) <= limit:
        return text
    note = f"\n[… {len(text) - limit:,} of {len(text):,} characters left out …]\n"
    room = max(0, limit - len(note))
    head = room * 2 // 3
    return text[:head] + note + (text[len(text) - (room - head) :] if room > head else "")
