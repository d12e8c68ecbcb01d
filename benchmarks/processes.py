"""The processes of a run: the server, and a worker for each thing that is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
PEERS_PYTHON = ROOT / ".venv-bench" / ("Scripts" if os.name == "nt" else "bin") / "python"
"""Has what `requirements-peers.txt` names; apart, because those libraries need versions of their own."""


class Process:
    """A Python process that speaks by lines, ended by the end of its standard input."""

    def __init__(self, *arguments: str, python: Path | None = None, quiet: bool = False) -> None:
        self._process = subprocess.Popen(
            [str(python or sys.executable), *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            text=True,
        )

    def read(self) -> str:
        """Its next line; "" when it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def write(self, line: str) -> None:
        """Say a line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Server(Process):
    """The model provider of `benchmarks.server`."""

    def __init__(self) -> None:
        super().__init__("-m", "benchmarks.server")
        self._address = f"http://127.0.0.1:{int(self.read())}"

    def url(self, kind: str, chunks: int, rate: float = 0, joined: int = 1) -> str:
        """The base URL at which every question gets this reply.

        Args:
            kind: Of the reply; see `benchmarks.server`.
            chunks: In how many it comes.
            rate: Chunks a second; 0 as fast as possible.
            joined: How many of a burst are one chunk of the HTTP body.
        """
        return f"{self._address}/{kind}/{chunks}/{rate:g}/{joined}/v1"

    def last_byte_at(self) -> float:
        """When the last answer was written to its end, in seconds since the epoch."""
        with urllib.request.urlopen(self._address + "/last") as response:
            return float(json.load(response)["at"])


class Worker(Process):
    """A streaming client of `benchmarks.clients`."""

    def __init__(self, name: str, *, is_peer: bool = False) -> None:
        super().__init__("-m", "benchmarks.worker", name, python=PEERS_PYTHON if is_peer else None, quiet=is_peer)

    def stream(self, url: str, *, streams: int = 1, stamped: bool = False, traced: bool = False) -> dict[str, Any]:
        """What streaming took; `{"missing": ...}` when the library is not installed or does not work."""
        self.write(json.dumps({"url": url, "streams": streams, "stamped": stamped, "traced": traced}))
        result: dict[str, Any] = json.loads(self.read() or '{"missing": "it failed"}')
        return result


def peers_are_installed() -> bool:
    """Whether there is an environment with other libraries."""
    return PEERS_PYTHON.exists()


def run_script(code: str, *arguments: str) -> dict[str, Any]:
    """What a fresh Python process prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result
