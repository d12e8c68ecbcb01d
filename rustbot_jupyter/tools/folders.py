"""An open folder, and what is done with the names in it. No link is followed here: whoever walks reads them itself."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC if os.name == "posix" else getattr(os, "O_BINARY", 0)
# A pipe or a terminal must neither keep us waiting nor become ours.
_READ = os.O_RDONLY | _FLAGS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Folder(Protocol):
    """An open folder. Every method takes one name in it and raises `OSError`."""

    def close(self) -> None:
        """Let go of it."""

    def identity(self) -> tuple[int, int]:
        """Device and inode: equal for the same folder under any name."""

    def state(self, name: str) -> os.stat_result:
        """Return what the name is; a link is told as a link."""

    def link(self, name: str) -> str | None:
        """Return where a link leads, as written in it; None for anything else and for nothing."""

    def enter(self, name: str) -> Folder:
        """The folder of this name; a link is none."""

    def make(self, name: str) -> None:
        """A new folder of this name."""

    def open(self, name: str) -> int:
        """A descriptor that reads a file; a link is none, and nothing waits."""

    def create(self, name: str, mode: int) -> int:
        """A descriptor that writes a file that was not there."""

    def rename(self, name: str, new: str) -> None:
        """Give it another name here; what had that is replaced."""

    def move_out(self, name: str, to: Path) -> None:
        """Move it to a place elsewhere on the same disk."""

    def remove(self, name: str) -> None:
        """Remove a file or link for good."""

    def entries(self) -> Iterator[os.DirEntry[str]]:
        """Return what is in it, in no order."""


class OpenFolder:
    """A folder held by its descriptor: it stays the same one, whatever is done to the names that lead to it."""

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor

    @classmethod
    def at(cls, path: Path) -> OpenFolder:
        """The folder at a path that is trusted."""
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def close(self) -> None:
        os.close(self._fd)

    def identity(self) -> tuple[int, int]:
        state = os.fstat(self._fd)
        return state.st_dev, state.st_ino

    def state(self, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=self._fd, follow_symlinks=False)

    def link(self, name: str) -> str | None:
        return os.readlink(name, dir_fd=self._fd) if _is_link(self, name) else None

    def enter(self, name: str) -> OpenFolder:
        return OpenFolder(os.open(name, _READ | os.O_DIRECTORY, dir_fd=self._fd))

    def make(self, name: str) -> None:
        os.mkdir(name, dir_fd=self._fd)

    def open(self, name: str) -> int:
        return os.open(name, _READ, dir_fd=self._fd)

    def create(self, name: str, mode: int) -> int:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, mode, dir_fd=self._fd)

    def rename(self, name: str, new: str) -> None:
        os.replace(name, new, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def move_out(self, name: str, to: Path) -> None:
        os.rename(name, to, src_dir_fd=self._fd)

    def remove(self, name: str) -> None:
        os.unlink(name, dir_fd=self._fd)

    def entries(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self._fd) as entries:
            yield from entries


class NamedFolder:
    """A folder known by its real path only, for systems that open nothing relative to a folder: its path is looked at
    again before each use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def at(cls, path: Path) -> NamedFolder:
        """The folder at a path that is trusted."""
        return cls(Path(os.path.realpath(path)))

    def _at(self, name: str) -> Path:
        if os.path.realpath(self._path) != str(self._path):
            raise OSError("a folder above it was changed into a link")
        return self._path / name

    def close(self) -> None:
        pass

    def identity(self) -> tuple[int, int]:
        state = os.stat(self._path)
        return state.st_dev, state.st_ino

    def state(self, name: str) -> os.stat_result:
        return os.lstat(self._at(name))

    def link(self, name: str) -> str | None:
        # Windows reads junctions as it reads links, and `lstat` does not tell them.
        try:
            return os.readlink(self._at(name)).removeprefix("\\\\?\\")
        except OSError:
            return None

    def enter(self, name: str) -> NamedFolder:
        path = self._at(name)
        if os.path.realpath(path) != str(path) or not stat.S_ISDIR(os.lstat(path).st_mode):
            raise NotADirectoryError(20, os.strerror(20), name)
        return NamedFolder(path)

    def make(self, name: str) -> None:
        os.mkdir(self._at(name))

    def open(self, name: str) -> int:
        return os.open(self._at(name), _READ)

    def create(self, name: str, mode: int) -> int:
        return os.open(self._at(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, mode)

    def rename(self, name: str, new: str) -> None:
        os.replace(self._at(name), self._at(new))

    def move_out(self, name: str, to: Path) -> None:
        os.rename(self._at(name), to)

    def remove(self, name: str) -> None:
        os.unlink(self._at(name))

    def entries(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self._at(".")) as entries:
            yield from entries


def open_folder(path: Path) -> Folder:
    """The folder at a path that is trusted, held as firmly as this system can."""
    return OpenFolder.at(path) if os.open in os.supports_dir_fd else NamedFolder.at(path)


def _is_link(folder: Folder, name: str) -> bool:
    try:
        return stat.S_ISLNK(folder.state(name).st_mode)
    except FileNotFoundError:
        return False


def replace_file(folder: Folder, name: str, data: bytes, mode: int | None) -> None:
    """Put `data` under a name as a whole or not at all; what had the name is replaced, also where it was a link.

    Args:
        folder: Where.
        name: One name.
        data: The whole new content.
        mode: Permissions; None takes the usual ones of a new file.
    """
    temporary = f".rustbot-{uuid.uuid4().hex}"
    descriptor = folder.create(temporary, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        folder.rename(temporary, name)
    except BaseException:
        folder.remove(temporary)
        raise
