"""A tool's return value as a result that fits a model and the eye: text cleaned and cut, values described."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rustbot_jupyter.hidden_characters import without_halves, without_hidden
from rustbot_jupyter.masking import is_environment
from rustbot_jupyter.tools.base import ToolContext, ToolResult
from rustbot_jupyter.tools.pictures import picture_of
from rustbot_jupyter.tools.plain_json import as_json
from rustbot_jupyter.tools.plotly_json import MOST_FIGURES, figure_of, inert_figure, line_for
from rustbot_jupyter.tools.variables import describe

MODEL_CHARS = 24_000
"""About 6,000 tokens. A longer result is cut in the middle."""
VIEW_CHARS = 10_000
"""What a card in the chat shows."""
MOST_IMAGES = 4
MAX_IMAGE_BYTES = 5_000_000
# More than this is cut before it is cleaned, so that 100 MB take no time and no memory.
_ROUGH_CHARS = 20 * MODEL_CHARS

# ANSI colours and titles, as terminals know them.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def result_of(value: Any, context: ToolContext, *, is_private: bool = False) -> ToolResult:
    """Return what a function returned, as a result; `is_private` says whether text and JSON are the user's own."""
    if isinstance(value, ToolResult):
        return value
    if value is None:
        return ToolResult(text="Done. It returned nothing.")
    if isinstance(value, str):
        return ToolResult(text=value or "Done. It returned an empty text.", is_private=is_private)
    if isinstance(value, bytes | bytearray | memoryview):
        return ToolResult(text=f"{memoryview(value).nbytes:,} bytes of binary data.")
    picture = picture_of(value) if context.send_values else None
    if picture is not None:
        text = f"A picture of {len(picture.data):,} bytes ({type(value).__name__})."
        return ToolResult(text=text, images=(picture,), is_private=is_private)
    figure = figure_of(value) if context.send_values else None
    if figure is not None:
        shown = (figure.json,) if figure.json is not None else ()
        text = f"{describe('result', value)}\n{line_for(figure, 1)}"
        return ToolResult(text=text, figures=shown, is_private=True)
    written = None if is_environment(value) else as_json(value)
    if written is not None:
        return ToolResult(text=written, is_private=is_private)
    return ToolResult(text=describe("result", value, schema_only=not context.send_values), is_private=True)


def fitted(result: ToolResult, redact: Callable[[str], str] = str) -> ToolResult:
    """The result without control characters and keys, within the limits; what was left out is noted in its text."""
    whole = result.content
    # Cleaned first: a control character inside a key would hide it.
    content = cut(redact(cleaned(cut(whole, _ROUGH_CHARS))), MODEL_CHARS, len(whole))
    images = [image for image in result.images if len(image.data) <= MAX_IMAGE_BYTES][:MOST_IMAGES]
    if left_out := len(result.images) - len(images):
        content += f"\n[{left_out} images were left out: too many, or larger than {MAX_IMAGE_BYTES:,} bytes]"
    figures = [inert_figure(figure).json for figure in result.figures[:MOST_FIGURES]]
    shown = tuple(redact(figure) for figure in figures if figure is not None)
    if left_out := len(result.figures) - len(shown):
        content += f"\n[{left_out} figures were left out: too many, too large, or not to be shown here]"
    return replace(result, text=content, data=None, images=tuple(images), figures=shown)


def cleaned(text: str) -> str:
    """The text without terminal escapes, control and hidden characters; an overwritten line keeps its last state."""
    if not text.isascii():
        text = without_hidden(without_halves(text))
    if not _CONTROL.search(text) and "\r" not in text:
        return text
    lines = _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")
    return _CONTROL.sub("", "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))


def cut(text: str, limit: int, whole: int = 0) -> str:
    """The text with its middle left out when it is too long; a note says how much.

    Args:
        text: What to cut.
        limit: Most characters of the result.
        whole: How long the text was before anybody cut it; 0 when nobody did.
    """
    if len(text) <= limit:
        return text
    whole = max(whole, len(text))
    note = f"\n[… {whole - limit:,} of {whole:,} characters left out …]\n"
    room = max(0, limit - len(note))
    head = room * 2 // 3
    return text[:head] + note + (text[len(text) - (room - head) :] if room > head else "")
