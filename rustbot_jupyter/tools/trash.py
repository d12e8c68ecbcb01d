"""Files into the trash, from where the user gets them back."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from rustbot_jupyter.tools.folders import Folder


def to_trash(folder: Folder, name: str, path: Path) -> None:
    """Move a file or link into the trash of its disk.

    Args:
        folder: Where it is, held open.
        name: Its name there.
        path: The same place as a path; the trash keeps it for the way back.

    Raises:
        OSError: There is no trash for it; nothing was changed.
    """
    if sys.platform in ("win32", "darwin"):
        from send2trash import send2trash

        send2trash(str(path))
        return
    trash, shown = _trash_for(folder, path)
    _move(folder, name, trash, shown)


# The trash of freedesktop.org (https://specifications.freedesktop.org/trash-spec/latest/), written here because
# send2trash takes paths only: a folder that is swapped for a link meanwhile would make it take a file from elsewhere.


def _trash_for(folder: Folder, path: Path) -> tuple[Path, str]:
    """The trash on the disk of a file, and how the file's place is written there."""
    data = os.environ.get("XDG_DATA_HOME", "")
    home = Path(data if os.path.isabs(data) else os.path.expanduser("~/.local/share")) / "Trash"
    device = folder.identity()[0]
    if _nearest(home).stat().st_dev == device:
        return home, str(path)
    top = path.parent
    while not os.path.ismount(top):
        top = top.parent
    if top.stat().st_dev != device:
        raise OSError("it is on a disk of its own")
    return _trash_of_disk(top), os.path.relpath(path, top)


def _nearest(path: Path) -> Path:
    """The nearest folder above that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def _trash_of_disk(top: Path) -> Path:
    shared = top / ".Trash"
    with contextlib.suppress(OSError):
        mode = os.lstat(shared).st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_ISVTX:
            return shared / str(os.getuid())
    return top / f".Trash-{os.getuid()}"


def _move(folder: Folder, name: str, trash: Path, shown: str) -> None:
    for part in ("files", "info"):
        (trash / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.lstat(trash).st_uid != os.getuid() or trash.is_symlink():
        raise OSError("the trash there belongs to somebody else")
    kept, info = _reserve(trash, name, shown)
    try:
        folder.move_out(name, trash / "files" / kept)
    except OSError:
        info.unlink(missing_ok=True)
        raise


def _reserve(trash: Path, name: str, shown: str) -> tuple[str, Path]:
    """A name that is free in the trash, and the note that holds it."""
    # Room for the endings, in the 255 bytes that a name has.
    start = os.fsdecode(os.fsencode(name)[:230])
    text = f"[Trash Info]\nPath={quote(os.fsencode(shown))}\nDeletionDate={datetime.now():%Y-%m-%dT%H:%M:%S}\n"
    for number in range(1_000):
        kept = f"{start}.{number}" if number else start
        info = trash / "info" / f"{kept}.trashinfo"
        if os.path.lexists(trash / "files" / kept):
            continue
        with contextlib.suppress(FileExistsError), info.open("x", encoding="utf-8") as file:
            file.write(text)
            return kept, info
    raise OSError("its trash is full of files with this name")
