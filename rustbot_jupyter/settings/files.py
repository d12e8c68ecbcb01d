"""Files in the config folder: where it is, reading with a limit, keeping what was there."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import platformdirs

from rustbot_jupyter import whole_files
from rustbot_jupyter.whole_files import write_atomically

SETTINGS_FILE = "settings.toml"
SIZE_LIMIT = 1 << 20
"""Bytes that are read of a file; no honest settings file is longer."""
_TICK_NS = 2_000_000_000
"""The coarsest clock of a file system, FAT's: two writes within it may give one date."""
T = TypeVar("T")


def config_dir(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of settings.toml: `RUSTBOT_CONFIG_DIR`, else the platform's; None on a machine without a home."""
    return _folder("RUSTBOT_CONFIG_DIR", platformdirs.user_config_path, environ)


def data_dir(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder for what Rustbot keeps by itself: `RUSTBOT_DATA_DIR`, else the platform's; None without a home."""
    return _folder("RUSTBOT_DATA_DIR", platformdirs.user_data_path, environ)


def _folder(variable: str, default: Callable[[str], Path], environ: Mapping[str, str] | None) -> Path | None:
    chosen = (os.environ if environ is None else environ).get(variable, "").strip()
    if chosen:
        return Path(os.path.expanduser(chosen)).absolute()
    path = default("rustbot-jupyter")
    return path if path.is_absolute() else None


def read_start(path: Path, limit: int = SIZE_LIMIT) -> bytes | None:
    """Up to `limit` + 1 bytes of a regular file; None when there is no such file.

    Raises:
        OSError: It cannot be read.
    """
    return whole_files.read_start(path, limit)


def stamp(path: Path | None) -> tuple[int, ...]:
    """Return what changes when the file at `path` is written, replaced or opened to others; () when there is none."""
    try:
        found = os.stat(path) if path is not None else None
    except (OSError, ValueError):
        found = None
    if found is None:
        return ()
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev, found.st_mode)


def kept(read: Callable[[Path], T]) -> Callable[[Path], T]:
    """The same as `read`, which is only called again once the file at the path has changed.

    A file written a moment ago is not trusted to be noticed when it is written again, and what raised is not kept.
    """
    # In a closure, not in an attribute: what was read may hold keys.
    last: dict[Path, tuple[tuple[int, ...], T]] = {}

    def get(path: Path) -> T:
        now = stamp(path)
        if path in last and last[path][0] == now:
            return last[path][1]
        found = read(path)
        if not now or time.time_ns() - max(now[:2]) > _TICK_NS:
            last[path] = (now, found)
        return found

    return get


def decoded(raw: bytes) -> tuple[str, bool]:
    """The text of a file, and whether it is in UTF-16, as PowerShell writes files; lone carriage returns, which ended
    lines once, become line feeds. Bytes that are no UTF-8 become lone surrogates."""
    encoding = next((name for start, name in _UTF_16 if raw.startswith(start)), "")
    if not encoding and len(raw) > 1 and (raw[0] == 0) != (raw[1] == 0):
        encoding = "utf-16-be" if raw[0] == 0 else "utf-16-le"
    text = raw.decode(encoding, errors="replace") if encoding else raw.decode("utf-8-sig", errors="surrogateescape")
    return re.sub(r"\r(?!\n)", "\n", text), bool(encoding)


_UTF_16 = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def keep_beside(path: Path, data: bytes, tag: str) -> Path:
    """Return where `data` is now kept next to `path`; the same bytes are kept once.

    Raises:
        OSError: It could not be kept, so the original must not be touched.
    """
    copy = path.with_name(f"{path.name}.{tag}-{hashlib.sha256(data).hexdigest()[:10]}")
    if not copy.exists():
        write_atomically(copy, data, stat.S_IMODE(path.stat().st_mode))
    return copy
