"""Files read and written without harm: a read never hangs, a write is whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import threading
from pathlib import Path

READ_S = 5.0
"""How long a file may take; one in a folder of a network that is gone would take for ever."""
# A pipe, a device or a terminal must neither keep us waiting nor become ours.
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_NOINHERIT", "O_BINARY")
)


def read_start(path: Path, limit: int, within: float = READ_S) -> bytes | None:
    """Up to `limit` + 1 bytes of a regular file; None when there is no such file. For all files that are opened
    without a person waiting for just this one. On a loop it is called beside it.

    Raises:
        OSError: It cannot be read, is no regular file, or took too long.
    """
    found: list[bytes | Exception | None] = []

    def read() -> None:
        try:
            found.append(_read(path, limit))
        except Exception as error:
            found.append(error)

    # A read that hangs in the system cannot be stopped. It is left behind on a thread that holds nothing up.
    reader = threading.Thread(target=read, name="rustbot-file", daemon=True)
    reader.start()
    reader.join(within)
    if not found:
        raise OSError(errno.ETIMEDOUT, f"it did not come within {within:g} s", str(path))
    content = found[0]
    if isinstance(content, Exception):
        raise content
    return content


def _read(path: Path, limit: int) -> bytes | None:
    try:
        # Looked at first, since opening alone can already do something to a device.
        _check_regular(os.stat(path), path)
        with open(os.open(path, _FLAGS), "rb") as file:
            _check_regular(os.fstat(file.fileno()), path)
            return file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise OSError(errno.EINVAL, "its name cannot be used", str(path)) from error


def _check_regular(state: os.stat_result, path: Path) -> None:
    """Raise an `OSError` for what is no regular file: a folder, a pipe, a socket, a device."""
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "it is not a file", str(path))


def write_atomically(path: Path, data: bytes, mode: int | None = None) -> None:
    """Put `data` there as a whole or not at all.

    Args:
        path: A link is followed, so that the file it points to is replaced and the link stays.
        data: The whole new content.
        mode: Permissions; None keeps those of the file that is there, or the usual ones for a new file.

    Raises:
        OSError: Nothing was changed.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    if mode is None:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
