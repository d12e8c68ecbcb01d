"""Does here what Binder does, without Docker: installs exactly the pins, runs postBuild, runs the tour.

    .venv/bin/python scripts/check_binder.py

It takes the committed files, an empty environment, no key, and for the tour no network. About a minute.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = "http://127.0.0.1:9"


def main() -> None:
    version = (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip().replace("-", "")
    python = shutil.which(version) or sys.exit(f"Binder runs {version}, and it is not on PATH here: install it first.")
    with tempfile.TemporaryDirectory(prefix="binder-") as folder:
        check(python, Path(folder))
    print("The tour runs on Binder's versions.")


def check(python: str, folder: Path) -> None:
    source, venv, home = folder / "source", folder / "venv", folder / "home"
    home.mkdir()
    empty = {"PATH": f"{venv}/bin:/usr/bin:/bin", "HOME": str(home)}
    offline = empty | {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "ALL_PROXY": NOWHERE}
    run("git", "clone", "--quiet", str(ROOT), str(source))
    run(python, "-m", "venv", str(venv))
    pip = [f"{venv}/bin/pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "install", "--requirement", "binder/requirements.txt", cwd=source)
    run("binder/postBuild", cwd=source, env=empty)
    run(f"{venv}/bin/jupyter", "execute", "--timeout=120", "notebooks/tour.ipynb", cwd=source, env=offline)


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    if subprocess.run(command, cwd=cwd, env=env).returncode:
        sys.exit(f"Binder would fail here: {' '.join(command)}")


if __name__ == "__main__":
    main()
