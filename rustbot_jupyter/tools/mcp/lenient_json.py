"""JSON as people write it into files, and as VS Code reads it: comments, a comma behind the last entry, UTF-16."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n\r]*|/\*|\s+|[^\s"/,]+|.', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Read:
    """The content of a file."""

    content: Any
    has_comments: bool
    """True if writing the content back would lose words of a person."""


def read_lenient(raw: bytes) -> Read:
    """Return what the bytes say.

    Raises:
        ValueError: They are no JSON even so; a `json.JSONDecodeError` names the line.
        RecursionError: It is nested too deeply.
    """
    text = _decoded(raw)
    try:
        return Read(content=json.loads(text), has_comments=False)
    except json.JSONDecodeError:
        return _read_written(text)


def _read_written(text: str) -> Read:
    # Lines and columns stay as they are, for whoever is told of a fault. Each character is looked at once: the file may
    # be a stranger's.
    pieces: list[str] = []
    at, comma, has_comments = 0, -1, False
    while found := _PIECE.match(text, at):
        piece = found[0]
        if piece == "/*":
            end = text.find("*/", at)
            piece = text[at : end + 2 if end >= 0 else len(text)]
        elif piece == '"':
            # It has no end.
            piece = text[at:]
        at += len(piece)
        if piece.startswith(("//", "/*")):
            has_comments = True
            piece = re.sub(r"[^\n\r]", " ", piece)
        elif not piece.isspace():
            if comma >= 0 and piece[0] in "}]":
                pieces[comma] = " "
            comma = len(pieces) if piece == "," else -1
        pieces.append(piece)
    return Read(content=json.loads("".join(pieces)), has_comments=has_comments)


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16")
    if raw[1:2] == b"\0":
        return raw.decode("utf-16-le")
    return raw.decode("utf-8-sig")
