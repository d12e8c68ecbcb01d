"""Lays several versions of ipykernel beside the installed one, for the tests that must hold on each.

    .venv/bin/python scripts/ipykernels.py

Each version is a folder in `.venv/ipykernels/`, `7.1` for example. On PYTHONPATH when a kernel starts, it hides the
installed ipykernel; all other packages are the installed ones, which saves an environment for each version:

    folder = Path(sys.prefix, "ipykernels", "7.1")
    manager.start_kernel(env={**os.environ, "PYTHONPATH": str(folder)})
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(sys.prefix, "ipykernels")
VERSIONS = {"6.31": "6.31.0", "7.1": "7.1.0", "7.3": "7.3.0", "7.4": "7.4.0"}


def main() -> None:
    for name, version in VERSIONS.items():
        if not (FOLDER / name / f"ipykernel-{version}.dist-info" / "RECORD").exists():
            install(FOLDER / name, version)


def install(target: Path, version: str) -> None:
    # Without its dependencies: what differs, nest-asyncio for psutil for example, is not imported at start.
    command = ["install", "--quiet", "--upgrade", "--no-deps", "--target", str(target), f"ipykernel=={version}"]
    if subprocess.run([sys.executable, "-m", "pip", *command]).returncode:
        sys.exit(f"ipykernel {version}, which the kernel tests need, could not be installed.")


if __name__ == "__main__":
    main()
