"""What is published holds what users need, and what is installed is what was tested."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pins import pins

import rustbot_jupyter

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def build(source: Path, target: str, into: Path) -> Path:
    """A wheel or sdist of a source tree, made without the network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(into)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = into.iterdir()
    return built


def files_of(wheel: Path) -> dict[str, int]:
    """The files in a wheel with their checksums."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.CRC for info in archive.infolist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


def test_the_wheel_holds_the_types_marker_and_the_built_front_end(wheel: Path) -> None:
    files = files_of(wheel)

    assert "rustbot_jupyter/py.typed" in files
    assert "rustbot_jupyter/notebook/static/widget.js" in files


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    folders = {name.split("/")[0] for name in files_of(wheel)}
    strays = [name for name in files_of(wheel) if "test" in name or "__pycache__" in name or name.endswith(".ts")]

    assert folders == {"rustbot_jupyter", f"rustbot_jupyter-{rustbot_jupyter.__version__}.dist-info"}
    assert strays == []


def test_the_sdist_holds_no_installed_packages(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        strays = [name for name in archive.getnames() if re.search(r"node_modules|\.venv|__pycache__|\.env$", name)]

    assert strays == []


def test_the_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(sdist, tmp_path / "source")
    (source,) = (tmp_path / "source").iterdir()

    again = build(source, "wheel", tmp_path / "wheel")

    assert files_of(again) == files_of(wheel)


def test_the_version_has_one_place() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", rustbot_jupyter.__version__)


def test_few_packages_are_needed_to_run() -> None:
    assert len(PROJECT["dependencies"]) <= 15


LOCKFILE = ROOT / "js" / "package-lock.json"
PIN_FILES = [ROOT / "requirements" / "dev.txt", ROOT / "binder" / "requirements.txt"]


@pytest.mark.parametrize("path", PIN_FILES, ids=lambda path: path.parent.name)
def test_pins_are_exact_and_name_no_address(path: Path) -> None:
    assert len(pins(path)) > 50
    assert "://" not in path.read_text(encoding="utf-8")


def test_the_pinned_versions_take_the_oldest_python_that_we_take() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"

    too_new = [
        f"{each.name} {each.version} needs Python {wanted}"
        for each in importlib.metadata.distributions()
        if canonicalize_name(each.name) in pins(PIN_FILES[0])
        and (wanted := str(each.metadata.json.get("requires_python", "")))
        and oldest not in SpecifierSet(wanted)
    ]

    assert too_new == []


def test_all_that_is_asked_for_is_pinned_to_a_version_that_will_do() -> None:
    pinned = pins(PIN_FILES[0])
    asked = [Requirement(line) for line in PROJECT["dependencies"]]
    asked += [Requirement(line) for extra in ("lab", "dev") for line in PROJECT["optional-dependencies"][extra]]

    wrong = [
        str(each)
        for each in asked
        if each.name != PROJECT["name"] and not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"))
    ]

    assert wrong == []


def test_the_lockfile_names_the_packages_of_every_platform_and_no_address() -> None:
    packages: dict[str, dict[str, Any]] = json.loads(LOCKFILE.read_text(encoding="utf-8"))["packages"]
    locked = {path.rpartition("node_modules/")[2] for path in packages}

    # `npm ci` refuses a lockfile without them, and a registry that lacks one makes npm write such a lockfile.
    missing = {name for package in packages.values() for name in package.get("optionalDependencies", {})} - locked
    addresses = [path for path, package in packages.items() if "resolved" in package]

    assert missing == set()
    assert addresses == []
