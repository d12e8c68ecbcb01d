"""Figures and images as PNG, for models and for the eye; the libraries that draw them are never imported for it."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any

from rustbot_jupyter.messages import ImagePart

PNG = "image/png"
LONGEST_SIDE = 2_000
"""Pixels. No model looks closer."""


def picture_of(value: Any) -> ImagePart | None:
    """The picture that a value is: a Matplotlib figure or axes, a Plotly figure, a PIL image, an IPython `Image`.

    None when it is none, or cannot be drawn here (Plotly needs its `kaleido` for that).
    """
    for module, draw in _DRAWERS:
        if module in sys.modules:
            # Drawing runs the library's code on the user's object; a figure that fails is no picture.
            with contextlib.suppress(Exception):
                data = draw(value)
                media_type = _media_type(data)
                if media_type is not None:
                    return ImagePart(media_type=media_type, data=data)
    return None


def is_figure(value: Any) -> bool:
    """True if it is something that is looked at: a figure or an image."""
    kinds = {
        "matplotlib.figure": "Figure",
        "matplotlib.axes": "Axes",
        "plotly.basedatatypes": "BaseFigure",
        "PIL.Image": "Image",
    }
    return any(isinstance(value, getattr(sys.modules.get(module), name, ())) for module, name in kinds.items())


def _matplotlib(value: Any) -> bytes:
    figure = getattr(value, "figure", value)
    if not isinstance(figure, sys.modules["matplotlib.figure"].Figure):
        return b""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
    return buffer.getvalue()


def _plotly(value: Any) -> bytes:
    if not isinstance(value, sys.modules["plotly.basedatatypes"].BaseFigure):
        return b""
    return bytes(value.to_image(format="png"))


def _pil(value: Any) -> bytes:
    if not isinstance(value, sys.modules["PIL.Image"].Image):
        return b""
    if max(value.size) > LONGEST_SIDE:
        value = value.copy()
        value.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    (value if value.mode in ("1", "L", "LA", "P", "RGB", "RGBA") else value.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()


def _ipython(value: Any) -> bytes:
    data = value.data if isinstance(value, sys.modules["IPython.display"].Image) else None
    return data if isinstance(data, bytes) else b""


_DRAWERS = (
    ("matplotlib.figure", _matplotlib),
    ("plotly.basedatatypes", _plotly),
    ("PIL.Image", _pil),
    ("IPython.display", _ipython),
)

_SIGNATURES = ((b"\x89PNG", PNG), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif"))


def _media_type(data: bytes) -> str | None:
    """Return what kind of picture these bytes are; None for one that no model takes, and for no picture."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)
