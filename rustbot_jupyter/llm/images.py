"""Images of an answer, as `images` of a message or of the pieces of a stream."""

from __future__ import annotations

import base64
import re
from typing import Any

from rustbot_jupyter.messages import ImagePart

# Nothing that would end the Markdown it is shown in.
_WEB_URL = re.compile(r"https://[\w.-]+(?::\d+)?/[\w./~%?=&+:@,;-]*", re.ASCII)
# No SVG: it can hold scripts.
_DATA_URL = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,", re.IGNORECASE)


class Images:
    """The images that came, each once: some providers repeat them in the last piece."""

    def __init__(self) -> None:
        self._parts: dict[str, ImagePart] = {}

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, images: Any) -> int:
        """Take a list of images; what is none is left out. Gives the characters that are new."""
        size = 0
        for image in images if isinstance(images, list) else ():
            url = _url(image)
            if url in self._parts or (part := _part(url)) is None:
                continue
            self._parts[url] = part
            size += len(url)
        return size

    def parts(self) -> tuple[ImagePart, ...]:
        """The images so far, in the order they came."""
        return tuple(self._parts.values())


def _url(image: Any) -> str:
    holder = image.get("image_url") if isinstance(image, dict) else None
    url = holder.get("url") if isinstance(holder, dict) else holder
    return url if isinstance(url, str) else ""


def _part(url: str) -> ImagePart | None:
    if _WEB_URL.fullmatch(url):
        return ImagePart(media_type="", url=url)
    if (match := _DATA_URL.match(url)) is None:
        return None
    try:
        data = base64.b64decode(url[match.end() :], validate=True)
    except ValueError:
        return None
    return ImagePart(media_type=match[1].lower(), data=data) if data else None
