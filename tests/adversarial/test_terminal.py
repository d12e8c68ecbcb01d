"""The `rustbot` command with streams that are closed, full or cut off: a sentence at most, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    return {**kept, "RUSTBOT_CONFIG_DIR": str(tmp_path), "RUSTBOT_DATA_DIR": str(tmp_path), "HOME": str(tmp_path)}


def shell(line: str, environ: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What came of a line of sh in which `rustbot` is the command."""
    function = f'rustbot() {{ "{sys.executable}" -m rustbot_jupyter "$@"; }}; '
    return subprocess.run(
        ["sh", "-c", function + line], capture_output=True, text=True, timeout=60, cwd=folder, env=environ, check=False
    )


pytestmark = pytest.mark.skipif(os.name != "posix", reason="sh is needed")


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("rustbot ask <&-", 1, "The question is empty"),
        ("rustbot ask 'repeat: hi' >&-", 0, ""),
        ("rustbot ask 'repeat: hi' 2>&-", 0, ""),
        ("rustbot ask 'repeat: hi' <&- >&- 2>&-", 0, ""),
        ("rustbot ask 'repeat: one two three' | head -c 1 >&2", 0, "o"),
        ("RUSTBOT_RETRIES=-5 rustbot ask 'repeat: hi'", 0, "RUSTBOT_RETRIES is not used"),
    ],
)
def test_a_stream_that_is_missing_ends_it_quietly(
    line: str, code: int, told: str, environ: dict[str, str], tmp_path: Path
):
    done = shell(line, environ, tmp_path)

    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is needed")
def test_a_full_disk_behind_the_output_is_one_sentence(environ: dict[str, str], tmp_path: Path):
    done = shell("rustbot ask 'repeat: hi' > /dev/full", environ, tmp_path)

    assert done.returncode == 1
    assert done.stderr == "rustbot: The output cannot be written (No space left on device).\n"
