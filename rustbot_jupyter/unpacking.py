"""A compressed body, unpacked bit by bit and never by more than there is room for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

ACCEPTED = "gzip, deflate"
_PIECE_BYTES = 64 * 1024
_PLAIN = ("", "identity")
_PACKED = ("gzip", "x-gzip", "deflate")


class Unpacker:
    """Unpacks one body.

    Args:
        encoding: The Content-Encoding.

    Raises:
        ValueError: It is none that we asked for.
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in (*_PLAIN, *_PACKED):
            raise ValueError(f"an encoding that was not asked for: {name!r}")
        self._is_packed = name in _PACKED
        self._head: bytes | None = b"" if name == "deflate" else None
        self._wbits = zlib.MAX_WBITS | 16
        self._inner = zlib.decompressobj(self._wbits)

    def feed(self, data: bytes, room: int) -> bytes:
        """Return what the next piece holds, at most `room` bytes; what does not fit is lost.

        Raises:
            ValueError: It is not packed as it says.
        """
        unpacked = bytearray()
        for piece in self.pieces(data):
            unpacked += piece[: room - len(unpacked)]
            if len(unpacked) >= room:
                break
        return bytes(unpacked)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """All that the next piece holds, in small pieces, each unpacked when it is asked for.

        Raises:
            ValueError: It is not packed as it says.
        """
        if not self._is_packed:
            yield data
            return
        if self._head is not None and not (data := self._after_head(self._head + data)):
            return
        is_full = False
        while data or is_full:
            try:
                piece = self._inner.decompress(data, _PIECE_BYTES)
                data = self._rest()
            except zlib.error as error:
                raise ValueError("broken compression") from error
            # What did not fit may be inside, with nothing left to be given.
            is_full = len(piece) == _PIECE_BYTES
            if piece:
                yield piece

    def _after_head(self, data: bytes) -> bytes:
        """The data, once two bytes tell deflate with zlib's head from deflate without, as some servers send it."""
        if len(data) < 2:
            self._head = data
            return b""
        self._head = None
        # https://www.rfc-editor.org/rfc/rfc1950#section-2.2
        has_zlib_head = data[0] & 15 == 8 and int.from_bytes(data[:2]) % 31 == 0
        self._wbits = zlib.MAX_WBITS if has_zlib_head else -zlib.MAX_WBITS
        self._inner = zlib.decompressobj(self._wbits)
        return data

    def _rest(self) -> bytes:
        if not self._inner.eof:
            return self._inner.unconsumed_tail
        # A gzip file may be several, one after the other.
        rest = self._inner.unused_data
        self._inner = zlib.decompressobj(self._wbits)
        return rest
