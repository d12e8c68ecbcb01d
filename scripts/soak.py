"""Runs `make test` again and again, as it is and beside a busy loop on each core, with many more generated inputs.

    python scripts/soak.py [RUNS]      RUNS whole runs of each kind, three by default

A test that passes here by the speed or the quiet of a machine alone fails sooner or later. Ends with 1 if a run failed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EFFORT = "20"
"""How many times as many inputs a property test generates."""


def main(runs: int) -> int:
    results = []
    for name, beside in (("quiet", contextlib.nullcontext), ("busy", busy_cores)):
        for number in range(1, runs + 1):
            with beside():
                began = time.monotonic()
                code = subprocess.run(["make", "test"], cwd=ROOT, env=environment()).returncode
            results.append((f"{name} {number}", code, time.monotonic() - began))
    for label, code, seconds in results:
        print(f"{label}: {'passed' if code == 0 else f'FAILED ({code})'} in {seconds / 60:.1f} min")
    return int(any(code for _, code, _ in results))


def environment() -> dict[str, str]:
    """The environment, with more work for the property tests and time to do it in."""
    return {**os.environ, "RUSTBOT_TEST_EFFORT": EFFORT, "PYTEST_TIMEOUT": "1800"}


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """A loop that never rests for each core of the machine."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
