"""Binder gets the versions that were tested, and opens the tour in JupyterLab."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pins import pins

ROOT = Path(__file__).parent.parent
BINDER = ROOT / "binder"


def needed(package: str, extras: frozenset[str], found: set[str]) -> set[str]:
    """The package and all that it needs on Binder, by what the installed packages say."""
    name = canonicalize_name(package)
    for line in importlib.metadata.requires(name) or []:
        requirement = Requirement(line)
        here = {"python_version": "3.12", "python_full_version": "3.12.0", "sys_platform": "linux", "os_name": "posix"}
        is_wanted = not requirement.marker or any(
            requirement.marker.evaluate({**here, "platform_system": "Linux", "extra": extra}) for extra in extras | {""}
        )
        key = f"{canonicalize_name(requirement.name)}[{','.join(sorted(requirement.extras))}]"
        if is_wanted and key not in found:
            found.add(key)
            needed(requirement.name, frozenset(requirement.extras), found)
    return {key.partition("[")[0] for key in found}


def test_binder_pins_the_tested_versions() -> None:
    tested = pins(ROOT / "requirements" / "dev.txt")

    differing = {
        name: version for name, version in pins(BINDER / "requirements.txt").items() if tested[name] != version
    }

    assert differing == {}


def test_binder_pins_all_that_the_project_and_jupyterlab_need_and_nothing_else() -> None:
    wanted = needed("rustbot-jupyter", frozenset({"lab"}), {"hatchling[]"}) | needed("hatchling", frozenset(), set())

    assert set(pins(BINDER / "requirements.txt")) == wanted - {"rustbot-jupyter"}


def test_post_build_can_be_started() -> None:
    assert os.access(BINDER / "postBuild", os.X_OK)


@pytest.mark.parametrize("app", ["JupyterNotebookApp", "LabApp"])
def test_the_start_page_is_the_tour_in_jupyterlab(app: str) -> None:
    settings = json.loads((BINDER / "tour.json").read_text(encoding="utf-8"))

    page = settings[app]["default_url"]

    assert page == "/lab/tree/notebooks/tour.ipynb"
    assert (ROOT / page.removeprefix("/lab/tree/")).exists()


def test_repo2docker_takes_our_python_our_pins_and_our_post_build() -> None:
    pytest.importorskip("repo2docker", reason="jupyter-repo2docker is not installed")

    plan = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)], capture_output=True, text=True
    )

    assert plan.returncode == 0, plan.stderr
    image = plan.stdout + plan.stderr
    assert "environment.py-3.12" in image.replace("-2e", ".").replace("-2d", "-")
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in image
    assert "RUN ./binder/postBuild" in image
    assert "npm install" not in image
