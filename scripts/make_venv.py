"""Makes `.venv`, or mends a half-made one, and installs the project into it with the pinned versions.

    python3 scripts/make_venv.py lab     what `make lab` needs
    python3 scripts/make_venv.py dev     what `make test` needs, `lab` included

Done already, it only says so by its exit code. It runs before anything is installed: standard library only.
"""

# For the sentence to whoever starts this with an older Python.
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PINS = ROOT / "requirements" / "dev.txt"
LAB_SETTINGS = ROOT / "binder" / "overrides.json"
INCLUDES = {"lab": ("lab",), "dev": ("dev", "lab")}


def main(extra: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036
        have = sys.version.split()[0]
        sys.exit(f"Rustbot needs Python 3.11 or newer and {sys.executable} is {have}: try `make PYTHON=python3.12 ...`")
    # Another environment that is active now must not receive the packages.
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"):
        os.environ.pop(name, None)
    os.environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if not is_usable():
        create()
    wanted = fingerprint()
    if stamp(extra).exists() and stamp(extra).read_text() == wanted:
        return
    print(f"Installing the project and what it needs into {VENV.name} ...", flush=True)
    install(extra)
    quiet_lab()
    for included in INCLUDES[extra]:
        stamp(included).write_text(wanted)


def stamp(extra: str) -> Path:
    """Written last, so its presence means that the installation went through."""
    return VENV / f".installed-{extra}"


def fingerprint() -> str:
    """Changes whenever the installed packages could have to change."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (ROOT / "pyproject.toml", PINS, LAB_SETTINGS, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_usable() -> bool:
    """An interrupted `python -m venv` leaves a folder without pip, an upgraded Python one without Python."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-c", probe], stderr=subprocess.DEVNULL).returncode == 0


def create() -> None:
    print(f"Making {VENV.name} with Python {sys.version.split()[0]} ...", flush=True)
    uv = shutil.which("uv")
    made = uv and works([uv, "venv", "--quiet", "--clear", "--seed", "--python", sys.executable, str(VENV)])
    if not made and not works([sys.executable, "-m", "venv", "--clear", str(VENV)], stdout=subprocess.DEVNULL):
        # Debian has ensurepip in a package of its own (python3-venv); the pip that is there can do its work.
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV))
        run(sys.executable, "-m", "pip", "--quiet", "--python", str(PYTHON), "install", "pip")


def install(extra: str) -> None:
    what = ["install", "--quiet", "--constraint", str(PINS), "--editable", f"{ROOT}[{extra}]"]
    uv = shutil.which("uv")
    # uv does not read pip's settings: where these name a registry or a certificate, only pip gets through.
    if not (uv and works([uv, "pip", *what, "--python", str(PYTHON)])):
        run(str(PYTHON), "-m", "pip", *what)


def quiet_lab() -> None:
    """JupyterLab's defaults in this environment: it asks nobody for news or updates."""
    folder = VENV / "share" / "jupyter" / "lab" / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(LAB_SETTINGS, folder / "overrides.json")


def works(command: list[str], stdout: int | None = None) -> bool:
    return subprocess.run(command, stdout=stdout).returncode == 0


def run(*command: str) -> None:
    if not works(list(command)):
        sys.exit(f"This failed; once its reason is gone, run make again: {' '.join(command)}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in INCLUDES:
        sys.exit(f"Usage: python3 {sys.argv[0]} {'|'.join(INCLUDES)}")
    main(sys.argv[1])
