"""The folder that tools stay in: a model's path becomes a place inside it at the moment of use, or a refusal.

The way down is walked from the root one name at a time, each folder opened without following a link; links are read
and followed by hand, as long as they stay inside. So a folder that is swapped for a link meanwhile is not entered.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.denied import denial
from rustbot_jupyter.tools.folders import Folder, open_folder, replace_file

MAX_PATH_CHARS = 4_096
MAX_DEPTH = 60
MAX_LINKS = 20

# Control characters, and those that turn the reading direction: a card could not show such a name as it is.
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Names that Windows keeps for devices, and the short aliases it gives to long names.
_WINDOWS_ODD = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*~\d.*|.*:.*")


@dataclass(frozen=True, kw_only=True)
class FileContent:
    """The content of a file, as far as it was read."""

    name: str
    """Its real place, relative to the root, with `/`."""
    data: bytes
    size: int
    """Of the whole file; `data` may be its beginning."""
    mode: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """A name in an open folder inside the workspace. The root itself has no name."""

    folder: Folder
    name: str
    parts: tuple[str, ...]
    """The real way from the root."""

    def state(self) -> os.stat_result | None:
        """Return what is there; None for nothing."""
        try:
            return self.folder.state(self.name or ".")
        except FileNotFoundError:
            return None


class Workspace:
    """A folder, and all that tools may do with what is in it."""

    def __init__(
        self,
        root: Path,
        *,
        own_folders: Iterable[Path] = (),
        open_root: Callable[[Path], Folder] = open_folder,
    ) -> None:
        """Take a folder as the workspace.

        Args:
            root: Where it begins; fixed from now on, whatever becomes the working folder.
            own_folders: Rustbot's settings and data, which no tool touches, under whatever name they are found.
            open_root: How a folder is held open.
        """
        self.root = Path(os.path.realpath(root))
        self._spellings = (self.root, Path(os.path.abspath(root)))
        self.own_folders = tuple(own_folders)
        self._open_root = open_root
        self._root_text = str(self.root)
        self._is_whole_machine = self.root == Path(self.root.anchor)

    def name_of(self, path: str, *, for_writing: bool = False) -> str:
        """The real place of a path relative to the root, with `/`; "." is the root. It need not exist.

        Raises:
            ToolError: It leads outside, or nothing may touch it.
        """
        way = self._way(path)
        # Most words of a command line are no paths, and then nothing has to be opened.
        if way and ".." not in way and not os.path.lexists(os.path.join(self._root_text, way[0])):
            self._refuse_denied(path, way, for_writing)
            return "/".join(way)
        try:
            with self.place(path, for_writing=for_writing) as place:
                return "/".join(place.parts) or "."
        except FolderMissing as missing:
            return "/".join(missing.parts)

    @contextlib.contextmanager
    def place(
        self, path: str, *, for_writing: bool = False, is_link_followed: bool = True, make_folders: bool = False
    ) -> Iterator[Place]:
        """The place that a path leads to now, held open.

        Args:
            path: Relative to the root, or absolute and inside it.
            for_writing: Whether something will be changed there.
            is_link_followed: Whether a link at the end stands for what it leads to, rather than for itself.
            make_folders: Whether missing folders on the way are made.

        Raises:
            ToolError: It leads outside, is missing, or nothing may touch it; also for an `OSError` of the block.
        """
        way = self._way(path)
        with _told(path), contextlib.ExitStack() as stack:
            self._refuse_denied(path, [part for part in way if part != ".."], for_writing)
            walk = _Walk(self, path, stack, for_writing=for_writing, make_folders=make_folders)
            place = walk.down(way, is_link_followed=is_link_followed)
            self._refuse_denied(path, place.parts, for_writing)
            yield place

    @contextlib.contextmanager
    def folder(self, path: str) -> Iterator[Place]:
        """The folder that a path leads to, opened; its place has no name.

        Raises:
            ToolError: As `place`.
        """
        with self.place(path) as place:
            if not place.name:
                yield place
                return
            inside = place.folder.enter(place.name)
            with contextlib.closing(inside):
                self.refuse_own(path, inside)
                yield Place(folder=inside, name="", parts=place.parts)

    def read(self, path: str, limit: int) -> FileContent:
        """Up to `limit` bytes from the beginning of a regular file.

        Raises:
            ToolError: There is none, or nothing may read it.
        """
        with self.place(path) as place:
            return read_file_at(place, limit)

    def write(self, path: str, data: bytes) -> None:
        """Make this the whole content of a file, at once or not at all; missing folders are made.

        Raises:
            ToolError: Nothing was changed.
        """
        with self.place(path, for_writing=True, make_folders=True) as place:
            state = place.state()
            if state is not None:
                _refuse_odd(place, state)
                _refuse_protected(place, state)
            replace_file(place.folder, place.name, data, None if state is None else stat.S_IMODE(state.st_mode) & 0o777)

    def is_denied(self, parts: Iterable[str], *, for_writing: bool = False) -> bool:
        """True if no tool touches this place, given by its real names from the root down."""
        return bool(self._denial(list(parts), for_writing))

    def refuse_own(self, path: str, folder: Folder) -> None:
        """Raise `ToolError` if a folder is one of Rustbot's own."""
        for own in self.own_folders:
            with contextlib.suppress(OSError):
                state = os.stat(own)
                if folder.identity() == (state.st_dev, state.st_ino):
                    raise ToolError(f"{path!r} is off limits: Rustbot keeps its own settings and data there.")

    def inner_parts(self, path: str) -> list[str] | None:
        """The names below the root of an absolute path as it is written; None when it does not begin with the root."""
        for root in self._spellings:
            if Path(path).parts[: len(root.parts)] == root.parts:
                return list(Path(path).parts[len(root.parts) :])
        return None

    def _denial(self, parts: list[str], for_writing: bool) -> str:
        return denial(tuple(parts), for_writing=for_writing, is_whole_machine=self._is_whole_machine)

    def _refuse_denied(self, path: str, parts: Iterable[str], for_writing: bool) -> None:
        if reason := self._denial(list(parts), for_writing):
            raise ToolError(f"{path!r} is off limits: {reason}. Leave it to the user.")

    def _way(self, path: str) -> list[str]:
        """The names that a path is made of.

        Raises:
            ToolError: It is no path that could lead inside.
        """
        _refuse_unreadable(path)
        if os.name == "nt":
            path = path.replace("\\", "/")
        if os.path.isabs(path):
            parts = self.inner_parts(path)
            if parts is None:
                raise _outside(path)
        else:
            parts = path.split("/")
        parts = [part for part in parts if part not in ("", ".")]
        if len(parts) > MAX_DEPTH or (os.name == "nt" and any(map(_WINDOWS_ODD.fullmatch, parts))):
            raise ToolError(f"{_shown(path)!r} cannot be used as a path here. Use a plain relative one.")
        return parts


def read_file_at(place: Place, limit: int) -> FileContent:
    """Up to `limit` bytes of the regular file at a place.

    Raises:
        OSError: It cannot be read.
        ToolError: It is no regular file, or may be one from outside.
    """
    # Looked at first, since opening alone can already do something to a device or a pipe.
    _refuse_odd(place, place.folder.state(place.name or "."))
    descriptor = place.folder.open(place.name)
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        _refuse_odd(place, state)
        data = file.read(limit)
    mode = stat.S_IMODE(state.st_mode)
    return FileContent(name="/".join(place.parts), data=data, size=max(state.st_size, len(data)), mode=mode)


class _Walk:
    """One way down from the root."""

    def __init__(
        self, workspace: Workspace, path: str, stack: contextlib.ExitStack, *, for_writing: bool, make_folders: bool
    ) -> None:
        self._workspace = workspace
        self._path = path
        self._stack = stack
        self._for_writing = for_writing
        self._make_folders = make_folders
        self._folders: list[Folder] = []
        self._names: list[str] = []
        self._start()

    def _start(self) -> None:
        """Stand at the root."""
        self._folders, self._names = [], []
        self._keep(self._workspace._open_root(self._workspace.root))

    def _keep(self, folder: Folder) -> None:
        self._stack.callback(folder.close)
        self._workspace.refuse_own(self._path, folder)
        self._folders.append(folder)

    def down(self, way: list[str], *, is_link_followed: bool) -> Place:
        """The place at the end of the way."""
        todo, links = deque(way), 0
        while todo:
            name = todo.popleft()
            if name == "..":
                self._up()
                continue
            target = self._folders[-1].link(name) if todo or is_link_followed else None
            if target is not None:
                links += 1
                if links > MAX_LINKS:
                    raise ToolError(f"{self._path!r} leads through too many links. Use the path they lead to.")
                todo.extendleft(reversed(self._parts_of_link(target)))
            elif todo:
                self._enter(name, todo)
            else:
                return Place(folder=self._folders[-1], name=name, parts=(*self._names, name))
        return Place(folder=self._folders[-1], name="", parts=tuple(self._names))

    def _up(self) -> None:
        if not self._names:
            raise _outside(self._path)
        self._names.pop()
        self._folders.pop()

    def _parts_of_link(self, target: str) -> list[str]:
        parts: list[str] | None = target.split("/")
        if os.path.isabs(target):
            parts = self._workspace.inner_parts(target)
            if parts is None:
                raise _outside(self._path)
            self._start()
        return [part for part in parts or [] if part not in ("", ".")]

    def _enter(self, name: str, todo: deque[str]) -> None:
        try:
            folder = self._folders[-1].enter(name)
        except FileNotFoundError:
            folder = self._made(name, todo)
        self._keep(folder)
        self._names.append(name)

    def _made(self, name: str, todo: deque[str]) -> Folder:
        rest = (*self._names, name, *todo)
        if ".." in rest:
            raise FileNotFoundError(name)
        self._workspace._refuse_denied(self._path, rest, self._for_writing)
        if not self._make_folders:
            raise FolderMissing(self._path, rest)
        self._folders[-1].make(name)
        return self._folders[-1].enter(name)


class FolderMissing(ToolError):
    """A folder on the way does not exist, so nothing below it does."""

    def __init__(self, path: str, parts: tuple[str, ...]) -> None:
        super().__init__(_missing(path))
        self.parts = parts


def _refuse_unreadable(path: str) -> None:
    if not path or len(path) > MAX_PATH_CHARS:
        raise ToolError("A path has 1 to 4,096 characters. Use one relative to the workspace; '.' is the workspace.")
    if _UNREADABLE.search(path):
        raise ToolError(f"{_shown(path)!r} cannot be used: a path holds no control characters. Write it without them.")
    if path.startswith("~") and (path == "~" or "/" in path or "\\" in path):
        raise ToolError(f"{path!r} is outside the workspace. Use a path relative to the workspace; '.' is its root.")
    if "://" in path or (os.name != "nt" and "\\" in path):
        raise ToolError(f"{_shown(path)!r} is no path here. Use one relative to the workspace, with '/' between names.")


def _refuse_odd(place: Place, state: os.stat_result) -> None:
    """Raise `ToolError` for what is no regular file of the workspace alone."""
    name = "/".join(place.parts)
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(state.st_mode):
        raise ToolError(f"{name!r} is a device, a pipe, a socket or a link, and tools work with regular files only.")
    # A hard link is the same file under another name, and where that name is cannot be told.
    if state.st_nlink > 1:
        raise ToolError(
            f"{name!r} has a second name (a hard link), which can lie outside the workspace, so no tool touches it. "
            "Ask the user to make a copy."
        )


def _refuse_protected(place: Place, state: os.stat_result) -> None:
    # The file is replaced, which the system permits to whoever may write in the folder.
    if not state.st_mode & 0o222:
        raise ToolError(f"{'/'.join(place.parts)!r} is protected from writing. Leave it, or ask the user.")


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """`OSError`s as sentences for the model."""
    try:
        yield
    except FileNotFoundError as error:
        raise ToolError(_missing(path)) from error
    except IsADirectoryError as error:
        raise ToolError(f"{path!r} is a folder, and this takes a file. See what is in it with list_files.") from error
    except NotADirectoryError as error:
        raise ToolError(
            f"{path!r} leads through something that is no folder. List its parent with list_files."
        ) from error
    except PermissionError as error:
        raise ToolError(f"{path!r} cannot be used: the system does not permit it. Ask the user.") from error
    except OSError as error:
        why = "it was changed while it was opened" if error.errno == errno.ELOOP else (error.strerror or str(error))
        raise ToolError(f"{path!r} cannot be used: {why}.") from error


def _missing(path: str) -> str:
    return f"There is no {path!r} in the workspace. See what is there with list_files or find_files."


def _outside(path: str) -> ToolError:
    return ToolError(f"{path!r} is outside the workspace, and tools stay inside. Use a path relative to the workspace.")


def _shown(path: str) -> str:
    return path.encode("unicode_escape").decode("ascii")[:200]
