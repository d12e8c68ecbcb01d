"""Figures and images as pictures."""

from __future__ import annotations

import io
import struct
from typing import Any

import IPython.display
import matplotlib.figure
import pytest
from PIL import Image

from rustbot_jupyter.tools.base import ToolContext
from rustbot_jupyter.tools.pictures import LONGEST_SIDE, is_figure, picture_of
from rustbot_jupyter.tools.results import result_of


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, kind)
    return buffer.getvalue()


def size_of(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def figure() -> matplotlib.figure.Figure:
    figure = matplotlib.figure.Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2])
    return figure


@pytest.mark.parametrize(
    "value",
    [
        figure(),
        figure().axes[0],
        figure().axes[0].lines[0],
        *(Image.new(m, (3, 3)) for m in ("1", "L", "P", "RGBA", "CMYK", "F")),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'mode', '')}",
)
def test_figures_their_parts_and_images_of_any_mode_are_png(value: Any):
    picture = picture_of(value)

    assert picture is not None
    assert picture.media_type == "image/png"
    assert picture.data.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
def test_an_image_of_ipython_is_taken_as_it_is(kind: str, media_type: str):
    picture = picture_of(IPython.display.Image(data=encoded(kind)))

    assert picture is not None
    assert (picture.media_type, picture.data) == (media_type, encoded(kind))


class Pretender:
    figure = "words"


class Raising:
    @property
    def figure(self) -> Any:
        raise RuntimeError("no")


class Broken(matplotlib.figure.Figure):
    def savefig(self, *args: Any, **kwargs: Any) -> None:
        raise MemoryError("no")


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "text",
        b"\x89PNG",
        [figure()],
        Pretender(),
        Raising(),
        Broken(),
        matplotlib.figure.Figure(figsize=(1_000, 1_000)),
        IPython.display.Image(url="https://example.org/x.png"),
        IPython.display.HTML("<img>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_picture_or_cannot_be_drawn_is_none(value: Any):
    assert picture_of(value) is None


@pytest.mark.parametrize("data", [b"<svg/>", b"RIFF1234WAVE", b"", b"%PDF"])
def test_bytes_that_are_no_picture_are_none(data: bytes):
    image = IPython.display.Image(data=encoded("PNG"))
    image.data = data

    assert picture_of(image) is None


def test_a_large_image_is_made_smaller_and_the_users_own_stays():
    image = Image.new("RGB", (5_000, 2_500))

    picture = picture_of(image)

    assert picture is not None
    assert size_of(picture.data) == (LONGEST_SIDE, LONGEST_SIDE // 2)
    assert image.size == (5_000, 2_500)


def test_a_figure_as_a_result_is_a_picture_with_a_sentence():
    result = result_of(figure(), ToolContext())

    assert len(result.images) == 1
    assert result.text.startswith("A picture of ")
    assert result.text.endswith("bytes (Figure).")


def test_what_is_looked_at():
    assert is_figure(figure())
    assert is_figure(Image.new("L", (1, 1)))
    assert not is_figure(5)
