"""What `make` runs before anything else does its work, or says in one sentence why it cannot."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


def make_venv(folder: Path) -> dict[str, Any]:
    """The script, with its environment in another folder."""
    module: dict[str, Any] = runpy.run_path(str(SCRIPTS / "make_venv.py"))
    for name in ("is_usable", "create"):
        module[name].__globals__.update(VENV=folder, PYTHON=folder / "bin" / "python")
    return module


def test_a_half_made_environment_is_made_anew(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "half made"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(tmp_path / "a-python-that-is-gone")
    script = make_venv(folder)

    was_usable = script["is_usable"]()
    script["create"]()

    assert not was_usable
    assert script["is_usable"]()
    assert not (folder / "bin" / "python").readlink().is_relative_to(tmp_path)


def test_another_version_of_a_package_is_installed_the_next_time(tmp_path: Path) -> None:
    script = make_venv(tmp_path)
    pins = tmp_path / "dev.txt"
    script["fingerprint"].__globals__.update(PINS=pins)

    pins.write_text("httpx==0.28.0\n")
    before = script["fingerprint"]()
    again = script["fingerprint"]()
    pins.write_text("httpx==0.28.1\n")

    assert before == again
    assert before != script["fingerprint"]()


def find_browser(chrome: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "find_browser.py")],
        env={**os.environ, "CHROME": str(chrome)},
        capture_output=True,
        text=True,
    )


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_browser_that_chrome_names_is_taken(tmp_path: Path) -> None:
    browser = program(tmp_path / "my browser", "echo Chromium 1")

    found = find_browser(browser)

    assert (found.returncode, found.stdout) == (0, f"{browser}\n"), found.stderr


def test_a_browser_that_does_not_start_is_named(tmp_path: Path) -> None:
    stub = program(tmp_path / "stub", "echo install the snap; exit 1")

    found = find_browser(stub)

    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith(f"CHROME names {str(stub)!r}, which is no browser that starts.")


@pytest.mark.parametrize("failing", ["with_jupyter", "others"])
def test_a_failure_among_either_half_of_the_tests_is_told(
    failing: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    halves = {name: tmp_path / f"test_{name}.py" for name in ("with_jupyter", "others")}
    for name, path in halves.items():
        path.write_text(f"def test_of_{name}():\n    assert {name != failing}\n")
    main = runpy.run_path(str(SCRIPTS / "run_tests.py"))["main"]
    main.__globals__.update(ROOT=tmp_path, WITH_JUPYTER=[str(halves["with_jupyter"])], OTHERS=[str(halves["others"])])

    code = main(["-p", "no:cacheprovider", "-rA"])

    out = capfd.readouterr().out
    assert code == 1
    assert f"FAILED test_{failing}.py::test_of_{failing}" in out
    assert out.count("1 passed") == out.count("1 failed") == 1


def test_selecting_tests_of_one_half_alone_is_no_failure(tmp_path: Path) -> None:
    only = tmp_path / "test_only.py"
    only.write_text("def test_that_is_wanted():\n    pass\n")
    none = tmp_path / "test_none.py"
    none.write_text("def test_other():\n    pass\n")
    main = runpy.run_path(str(SCRIPTS / "run_tests.py"))["main"]
    main.__globals__.update(ROOT=tmp_path, WITH_JUPYTER=[str(none)], OTHERS=[str(only)])

    assert main(["-k", "wanted"]) == 0
    assert main(["-k", "nothing"]) == 5
