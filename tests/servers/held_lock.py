"""A cell that keeps Python's lock, as a long calculation in C does, and a provider that sends words meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from servers.misbehaving import Chunk, Pause, Step, closing, delta, event, head


class HeldLock:
    """For as long as the block runs, `code` keeps its kernel's lock once it has printed "begun": no thread of it runs.

    with HeldLock(tmp_path) as lock:
        kernel.start(lock.code)
    """

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "pipe"
        os.mkfifo(self._pipe)
        # The first flush hands "begun" to ipykernel's sending thread, the second returns once that has sent it.
        # PyDLL keeps the lock during a call, and opening a pipe waits until somebody opens its other end.
        self.code = (
            "import ctypes, os\nprint('begun', flush=True)\nprint(end='', flush=True)\n"
            f"end = ctypes.PyDLL(None).open({os.fsencode(self._pipe)!r}, os.O_RDONLY)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def release(self) -> None:
        """Let the cell go on, and one that begins later not wait at all."""
        # Both ends at once do not wait here. Left open: the cell's end may not be there yet.
        self._end = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)


class Dripping:
    """An answer that sends a "." every 50 ms until it is ended: iterate it as a script."""

    def __init__(self) -> None:
        self._sent = threading.Semaphore(0)
        self._is_ended = threading.Event()
        self.text = ""
        """What was sent so far."""

    def __iter__(self) -> Iterator[Step]:
        yield head()
        while not self._is_ended.is_set():
            yield Chunk(event(delta(content=".")))
            self.text += "."
            self._sent.release()
            yield Pause(0.05)
        yield from closing()

    def wait_for_more(self, count: int) -> None:
        """Return once so many more are sent."""
        while self._sent.acquire(blocking=False):
            pass
        for _ in range(count):
            assert self._sent.acquire(timeout=30), "the client left"

    def end(self) -> None:
        """Send no more."""
        self._is_ended.set()
