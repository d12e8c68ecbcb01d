"""Output of code while it runs: text and pictures, bounded, told piece by piece."""

from __future__ import annotations

import base64
import io
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from rustbot_jupyter.messages import ImagePart
from rustbot_jupyter.tools.plotly_json import MOST_FIGURES, PlotlyFigure, figure_in, line_for
from rustbot_jupyter.tools.results import MAX_IMAGE_BYTES, MOST_IMAGES

KEPT_CHARS = 60_000
"""Of longer output beginning and end are kept, half of this each."""
STREAMED_CHARS = 100_000
"""What is told while the code runs; the end of more than that is in the result."""

_PICTURES = ("image/png", "image/jpeg")
_TEXTS = ("text/plain", "text/markdown", "text/latex")


class CellOutput:
    """The output of one run, whatever its size, in bounded memory. Written from any thread."""

    def __init__(self, on_output: Callable[[str], None]) -> None:
        self._on_output = on_output
        self._lock = threading.Lock()
        self._head: list[str] = []
        self._head_room = KEPT_CHARS // 2
        self._tail: deque[str] = deque()
        self._tail_chars = 0
        self._left_out = 0
        self._streamed = 0
        self._images: list[ImagePart] = []
        self._more_images = 0
        self._figures: list[str] = []
        self._more_figures = 0

    def write(self, text: str) -> None:
        """More text."""
        with self._lock:
            self._keep(text)
            room = STREAMED_CHARS - self._streamed
            self._streamed += len(text)
        if room > 0 and text:
            note = "\n[there is more; the result will have its end]\n" if len(text) >= room else ""
            self._on_output(text[:room] + note)

    def write_line(self, text: str) -> None:
        """A line or more of its own."""
        if text:
            self.write(text if text.endswith("\n") else f"{text}\n")

    def show(self, bundle: Mapping[str, Any]) -> None:
        """Show something given to `display`: its picture or its figure, or its plain text."""
        picture, figure = _picture(bundle), figure_in(bundle)
        if picture is not None:
            self.add_image(picture)
        elif figure is not None:
            self.add_figure(figure)
        else:
            self.write_line(next((str(bundle[kind]) for kind in _TEXTS if kind in bundle), ""))

    def add_image(self, image: ImagePart) -> None:
        """A picture; of many the first ones are kept."""
        if len(self._images) < MOST_IMAGES and len(image.data) <= MAX_IMAGE_BYTES:
            self._images.append(image)
            self.write_line(f"[picture {len(self._images)}]")
        else:
            self._more_images += 1

    def add_figure(self, figure: PlotlyFigure) -> None:
        """A figure; of many the first ones are kept."""
        if len(self._figures) == MOST_FIGURES:
            self._more_figures += 1
            return
        if figure.json is not None:
            self._figures.append(figure.json)
        self.write_line(line_for(figure, len(self._figures)))

    @property
    def text(self) -> str:
        """All text, a note in the middle where some was left out."""
        with self._lock:
            note = f"\n[… {self._left_out:,} characters left out …]\n" if self._left_out else ""
            text = "".join(self._head) + note + "".join(self._tail)
        if self._more_images:
            text += f"\n[{self._more_images} more pictures were left out: too many, or too large]\n"
        if self._more_figures:
            text += f"\n[{self._more_figures} more figures were left out: too many]\n"
        return text

    @property
    def images(self) -> tuple[ImagePart, ...]:
        """The pictures."""
        return tuple(self._images)

    @property
    def figures(self) -> tuple[str, ...]:
        """The Plotly figures as JSON."""
        return tuple(self._figures)

    def _keep(self, text: str) -> None:
        if self._head_room:
            self._head.append(text[: self._head_room])
            text = text[self._head_room :]
            self._head_room -= len(self._head[-1])
        if not text:
            return
        half = KEPT_CHARS // 2
        self._left_out += max(0, len(text) - half)
        self._tail.append(text[-half:])
        self._tail_chars += len(self._tail[-1])
        while self._tail_chars - len(self._tail[0]) >= half:
            dropped = self._tail.popleft()
            self._tail_chars -= len(dropped)
            self._left_out += len(dropped)


class OutputStream(io.TextIOBase):
    """Stands for `sys.stdout` while code runs: takes what the code writes, and lets all others write as before.

    Args:
        behind: The stream that it stands for.
        is_ours: Whether the caller is the code that runs.
        take: Gets its text.
    """

    def __init__(self, behind: Any, is_ours: Callable[[], bool], take: Callable[[str], None]) -> None:
        self._behind = behind
        self._is_ours = is_ours
        self._take = take

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the stream behind it."""
        return getattr(self._behind, "encoding", None) or "utf-8"

    def write(self, text: str, /) -> int:
        """Take the text, or hand it on."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._is_ours():
            self._take(text)
        else:
            self._behind.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream behind it; what is taken is not held back."""
        # Code that runs after the interpreter closed it must not fail here.
        if self._behind is not None and not self._is_ours():
            self._behind.flush()

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """The descriptor behind it, for subprocesses."""
        number: int = self._behind.fileno()
        return number

    def close(self) -> None:
        """Nothing: it is not the code's to close."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


def _picture(bundle: Mapping[str, Any]) -> ImagePart | None:
    for media_type in _PICTURES:
        data = bundle.get(media_type)
        if isinstance(data, str):
            data = base64.b64decode(data)
        if isinstance(data, bytes):
            return ImagePart(media_type=media_type, data=data)
    return None
