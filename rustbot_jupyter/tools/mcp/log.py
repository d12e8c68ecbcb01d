"""A server's stderr and fate, the newest part."""

from __future__ import annotations

from collections import deque

from rustbot_jupyter.messages import utc_now
from rustbot_jupyter.tools.results import cleaned

MAX_BYTES = 200_000


class ServerLog:
    """The last 200 kB of one server's log."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Add what the server wrote."""
        data = data[-MAX_BYTES:]
        self._pieces.append(data)
        self._size += len(data)
        while self._size > MAX_BYTES:
            self._size -= len(self._pieces.popleft())

    def note(self, line: str) -> None:
        """Add a line of our own, with the time."""
        start = "" if not self._pieces or self._pieces[-1].endswith(b"\n") else "\n"
        self.write(f"{start}[{utc_now():%H:%M:%S} UTC] {line}\n".encode("utf-8", "replace"))

    @property
    def text(self) -> str:
        """All of it, without terminal escapes and control characters."""
        return cleaned(b"".join(self._pieces).decode("utf-8", "replace"))
