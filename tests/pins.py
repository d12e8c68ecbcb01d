"""Reads files of pinned versions, for the tests that compare them."""

import re
from pathlib import Path

from packaging.utils import canonicalize_name

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)")


def pins(path: Path) -> dict[str, str]:
    """The pinned versions in a file that holds nothing but pins and comments."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    matches = [match for line in lines if (match := PIN.fullmatch(line))]
    assert len(matches) == len(lines), f"{path} holds more than pins"
    return {canonicalize_name(match["name"]): match["version"] for match in matches}
