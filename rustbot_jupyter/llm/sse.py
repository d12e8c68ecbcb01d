"""Server-sent events out of bytes, wherever the network cut them."""

from __future__ import annotations

MAX_EVENT_BYTES = 16 * 1024 * 1024


_OTHER_FIELDS = {"id", "retry", ""}


class EventTooLong(Exception):
    """One event grew beyond the limit."""


class SSEDecoder:
    """Takes the bytes of a stream as they come, gives whole events as (name, data).

    Follows the WHATWG rules (LF, CRLF or CR; several `data` lines joined; comments; a BOM) with one difference: a
    last event without its blank line counts, see `flush`. Bytes that are not UTF-8 become U+FFFD.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.comments = 0
        """Comment lines seen; servers send them as life signs."""
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._searched = 0
        self._at_start = True
        self._after_cr = False

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """The events that these bytes complete.

        Raises:
            EventTooLong: An event is longer than the limit.
        """
        if not (self._buffer or self._at_start or self._after_cr) and data.endswith(b"\n\n") and b"\r" not in data:
            # Whole events, as nearly always: the shortest way.
            return self._events(data[:-2].decode("utf-8", "replace"))
        self._buffer += self._with_line_feeds(data)
        if self._at_start and not self._drop_bom():
            return []
        # An event ends at a blank line. Only complete events are decoded, so no character is ever cut.
        end = self._buffer.rfind(b"\n\n", self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            self._check_size(len(self._buffer))
            return []
        block = self._buffer[:end].decode("utf-8", "replace")
        del self._buffer[: end + 2]
        self._searched = max(0, len(self._buffer) - 1)
        return self._events(block)

    def flush(self) -> list[tuple[str, str]]:
        """The last event, if the stream ended without a blank line after it."""
        block = self._buffer.decode("utf-8", "replace")
        self._buffer.clear()
        self._searched = 0
        return self._events(block)

    def _with_line_feeds(self, data: bytes) -> bytes:
        if self._after_cr:
            # The CR before was a line end already; this LF belongs to it.
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" not in data:
            return data
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _drop_bom(self) -> bool:
        """True if the stream's first bytes are known well enough to go on."""
        bom = b"\xef\xbb\xbf"
        if len(self._buffer) < len(bom) and bom.startswith(self._buffer):
            return False
        if self._buffer.startswith(bom):
            del self._buffer[: len(bom)]
        self._at_start = False
        return True

    def _check_size(self, size: int) -> None:
        if size > self._max_event_bytes:
            raise EventTooLong

    def _events(self, block: str) -> list[tuple[str, str]]:
        if len(block) > self._max_event_bytes:
            self._check_size(max(map(len, block.split("\n\n"))))
        events = []
        for lines in block.split("\n\n"):
            if lines.startswith("data: ") and "\n" not in lines:
                events.append(("", lines[6:]))
            elif (event := self._event(lines)) is not None:
                events.append(event)
        return events

    def _event(self, lines: str) -> tuple[str, str] | None:
        name = ""
        data: list[str] = []
        # Not splitlines(): it also cuts at U+2028 and others, which JSON may hold raw.
        for line in lines.split("\n"):
            if line.startswith(":"):
                self.comments += 1
                continue
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "data":
                data.append(value)
            elif key == "event":
                name = value
            elif data and data[-1].startswith("{") and key not in _OTHER_FIELDS:
                # A line end that nobody escaped, in the middle of a text.
                data[-1] += "\n" + line
        return (name, "\n".join(data)) if data else None
