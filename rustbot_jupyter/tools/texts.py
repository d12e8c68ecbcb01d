"""Bytes of a file as text and back: which encoding, which line ends, and what a file is that holds no text."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

from rustbot_jupyter.errors import ToolError

# The longer mark first: that of UTF-32 begins with that of UTF-16.
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF", "PDF document"),
    (b"PAR1", "Parquet table"),
    (b"ARROW1", "Arrow table"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\x89HDF", "HDF5 file"),
    (b"\x93NUMPY", "NumPy array"),
    (b"PK\x03\x04", "ZIP archive (or an Office document, or an npz)"),
    (b"\x1f\x8b", "gzip archive"),
    (b"BZh", "bzip2 archive"),
    (b"\xfd7zXZ", "xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd archive"),
    (b"\x7fELF", "program"),
    (b"MZ", "Windows program"),
    (b"OggS", "Ogg sound"),
    (b"ID3", "MP3 sound"),
)
IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_ODD_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True, kw_only=True)
class FileText:
    """The text of a file, and how it is written."""

    text: str
    """Line ends as they are in the file."""
    encoding: str
    bom: bytes = b""

    @property
    def line_end(self) -> str:
        """The line end that most lines have."""
        windows = self.text.count("\r\n")
        return "\r\n" if windows > self.text.count("\n") - windows else "\n"

    @property
    def description(self) -> str:
        """The encoding, and line ends other than the usual ones."""
        name = "UTF-8 with a byte order mark" if self.bom and self.encoding == "utf-8" else self.encoding.upper()
        if self.encoding == "latin-1":
            name = "Latin-1 (a guess: it is no valid UTF-8)"
        return f"{name}, Windows line ends" if self.line_end == "\r\n" else name

    def with_text(self, text: str) -> bytes:
        """Another text, as the bytes this file would hold.

        Raises:
            ToolError: The file's encoding cannot write it.
        """
        try:
            return self.bom + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            odd = error.object[error.start]
            raise ToolError(
                f"The file is written in {self.encoding}, which has no {odd!a}. Use other characters, or write the "
                "whole file anew with write_file."
            ) from error


def decoded(data: bytes, *, is_whole: bool = True) -> FileText | None:
    """The text that bytes are; None when they are none.

    Args:
        data: The content of a file, or its beginning.
        is_whole: Whether it is all; a beginning may end in the middle of a character.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            text = _decode(data[len(bom) :], encoding, is_whole)
            return None if text is None else FileText(text=text, encoding=encoding, bom=bom)
    if b"\0" in data:
        return _wide(data, is_whole)
    text = _decode(data, "utf-8", is_whole)
    if text is not None:
        return None if _is_noise(text) else FileText(text=text, encoding="utf-8")
    text = data.decode("latin-1")
    return None if kind_of(data) or _is_noise(text) else FileText(text=text, encoding="latin-1")


def kind_of(data: bytes) -> str:
    """Return what a binary file is, by its first bytes; "" for what is not known."""
    if data[:4] == b"RIFF":
        return {b"WEBP": "WebP image", b"WAVE": "WAVE sound"}.get(data[8:12], "RIFF file")
    return next((kind for start, kind in _KINDS if data.startswith(start)), "")


def image_type(data: bytes) -> str:
    """The media type of an image that models take; "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in IMAGES.items() if data.startswith(start)), "")


def _decode(data: bytes, encoding: str, is_whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final=is_whole)
    except UnicodeDecodeError:
        return None


def _wide(data: bytes, is_whole: bool) -> FileText | None:
    """UTF-16 without a mark, in the order of bytes in which it has more blanks, line ends and western letters."""
    best, most = None, 0
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _decode(data, encoding, is_whole)
        sample = (text or "")[:4_096]
        if text is None or kind_of(data) or not all(map(_is_written, sample)):
            continue
        narrow = sum(map(str.isascii, sample))
        # A few bytes of other data may be letters by chance.
        if narrow > most and (narrow * 2 > len(sample) or set(sample) & {" ", "\n"}):
            best, most = FileText(text=text, encoding=encoding), narrow
    return best


def _is_written(character: str) -> bool:
    """True if texts hold such a character; of two bytes of other data every fifth is none."""
    return character in "\t\n\r\f\x1b\ufeff" or unicodedata.category(character) not in ("Cc", "Cn", "Co", "Cs")


def _is_noise(text: str) -> bool:
    sample = text[:8_192]
    return len(_ODD_CONTROL.findall(sample)) > len(sample) // 50
