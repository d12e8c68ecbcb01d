"""The front end's sources hold up, and the committed bundle is made of them. Needs node."""

import shutil
import subprocess
from pathlib import Path

import pytest

JS = Path(__file__).parent.parent / "js"

pytestmark = [
    pytest.mark.skipif(shutil.which("npm") is None, reason="node and npm are not on PATH"),
    pytest.mark.skipif(not (JS / "node_modules").exists(), reason="`npm ci` was not run in js/"),
    pytest.mark.timeout(900),
]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["npm", "run", "check"], id="types and lint"),
        pytest.param(["npm", "test"], id="vitest"),
        pytest.param(["node", "build.mjs", "--check"], id="the bundle matches its sources"),
    ],
)
def test_the_front_end_is_sound(command: list[str]) -> None:
    done = subprocess.run(command, cwd=JS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    print(done.stdout)
    assert done.returncode == 0, f"`{' '.join(command)}` failed in js/; what it said is above"
