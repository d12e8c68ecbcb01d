"""Resources of the process, sampled while the agent is active."""

from __future__ import annotations

import os
from typing import Any


class ProcessSampler:
    """Memory and CPU of this process; about 0.2 ms a sample."""

    def __init__(self) -> None:
        self._process: Any = None

    def sample(self) -> dict[str, float]:
        """`memory_bytes` (resident) and `cpu_percent` (since the last sample; 100 is one core)."""
        if self._process is None or self._process.pid != os.getpid():
            import psutil

            self._process = psutil.Process()  # type: ignore[no-untyped-call]
        with self._process.oneshot():
            return {
                "memory_bytes": float(self._process.memory_info().rss),
                "cpu_percent": self._process.cpu_percent(),
            }


def unit_of(name: str) -> str:
    """The unit a metric's name ends in: "memory_bytes" is in bytes."""
    return name.rpartition("_")[2]
