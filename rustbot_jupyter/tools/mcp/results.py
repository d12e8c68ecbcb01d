"""A server's answer, as a result."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.messages import ImagePart
from rustbot_jupyter.tools.base import ToolResult

if TYPE_CHECKING:
    from mcp.types import CallToolResult

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def result_of_call(answer: CallToolResult, server: str) -> ToolResult:
    """A tool's answer: texts, images, and what is structured."""
    texts, images = read_contents(answer.content)
    structured = answer.structured_content
    if structured is not None and texts and not _says_all(texts, structured):
        texts.append(json.dumps(structured, ensure_ascii=False, default=str))
    return ToolResult(
        text="\n".join(texts) or ("" if structured is not None else _nothing(images)),
        data=structured,
        images=tuple(images),
        is_error=bool(answer.is_error),
        origin=f"MCP server {server}",
    )


def _nothing(images: list[ImagePart]) -> str:
    return f"{len(images)} images." if images else "Done. It returned nothing."


def _says_all(texts: list[str], structured: Any) -> bool:
    """True if texts say what is structured. Most servers say it twice, the text being for old clients; the structured
    form may wrap it: `{"result": 5}`."""
    forms = [structured]
    if isinstance(structured, dict) and len(structured) == 1:
        (inner,) = structured.values()
        forms.append(inner)
    return any(
        _is_said(texts[0], form) if len(texts) == 1 else isinstance(form, list) and _are_said(texts, form)
        for form in forms
    )


def _are_said(texts: list[str], values: list[Any]) -> bool:
    return len(texts) == len(values) and all(map(_is_said, texts, values))


def _is_said(text: str, value: Any) -> bool:
    if text == value:
        return True
    try:
        return bool(json.loads(text) == value)
    except (ValueError, RecursionError):
        return False


def read_contents(contents: Iterable[Any]) -> tuple[list[str], list[ImagePart]]:
    """The texts and images in pieces of content; what is neither is named."""
    texts: list[str] = []
    images: list[ImagePart] = []
    for content in contents:
        found = _read(content)
        if isinstance(found, ImagePart):
            images.append(found)
        else:
            texts.append(found)
    return texts, images


def _read(content: Any) -> str | ImagePart:
    match content.type:
        case "text":
            return str(content.text)
        case "image":
            return _image(content.data, content.mime_type)
        case "audio":
            return f"[audio, {content.mime_type}, {len(content.data) * 3 // 4:,} bytes]"
        case "resource_link":
            return f"[resource {content.uri}: {content.description or content.name}]"
        case "resource":
            return read_resource(content.resource)
        case other:
            return f"[{other}]"


def read_resource(resource: Any) -> str | ImagePart:
    """The contents of a resource."""
    text = getattr(resource, "text", None)
    if text is not None:
        return str(text)
    kind = resource.mime_type or "binary data"
    if kind in IMAGE_TYPES:
        return _image(resource.blob, kind)
    return f"[{resource.uri}: {kind}, {len(resource.blob) * 3 // 4:,} bytes]"


def _image(data: str, kind: str) -> str | ImagePart:
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return f"[an image, {kind}, that is not in base64]"
    if kind not in IMAGE_TYPES:
        return f"[an image of a kind that is not shown: {kind}, {len(decoded):,} bytes]"
    return ImagePart(media_type=kind, data=decoded)
