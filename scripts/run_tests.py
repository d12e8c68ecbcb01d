"""Runs all tests, in two processes beside each other: those with kernels and browsers, and all others.

    python scripts/run_tests.py [ARGUMENTS OF PYTEST ...]

The first mostly wait and the others mostly compute, so together they take little more than half the time. The others'
output comes at the end. Ends with 0 if every test passed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ["notebooks", "--nbval-lax", "--nbval-current-env"]
WITH_JUPYTER = ["tests/kernel", "tests/browser"]
OTHERS = ["tests", *(f"--ignore={folder}" for folder in WITH_JUPYTER), *NOTEBOOKS]
NOTHING_SELECTED = 5
"""Pytest's exit code when `-k` and the like leave nothing to run."""


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        others = start([*OTHERS, *arguments], printed)
        try:
            codes = {start([*WITH_JUPYTER, *arguments]).wait()}
            print("\nThe tests without kernels and browsers:", flush=True)
            codes.add(others.wait())
        finally:
            others.terminate()
        printed.seek(0)
        for line in printed:
            sys.stdout.write(line)
    # A process that was killed has a negative code.
    if codes - {0, NOTHING_SELECTED}:
        return 1
    return min(codes)


def start(arguments: list[str], output: IO[str] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output and subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
