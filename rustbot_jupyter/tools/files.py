"""The tools for files: read, write, edit, list, find, search, and delete to the trash."""

from __future__ import annotations

import hashlib
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.key_forms import REDACTED
from rustbot_jupyter.messages import ImagePart
from rustbot_jupyter.tools import edits, file_search
from rustbot_jupyter.tools.base import BUILT_IN, Patterns, Preview, Risk, Tool, ToolResult, canonical_arguments
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.short_text import clip
from rustbot_jupyter.tools.texts import FileText, decoded, image_type, kind_of
from rustbot_jupyter.tools.trash import to_trash
from rustbot_jupyter.tools.workspace import FileContent, FolderMissing, Workspace

MAX_READ_BYTES = 20_000_000
MAX_EDIT_BYTES = 5_000_000
MAX_IMAGE_BYTES = 5_000_000
MAX_READ_CHARS = 20_000
LINE_CHARS = 2_000
MAX_NAMES = 500


def file_tools(workspace: Workspace) -> list[Tool]:
    """The tools that work with the files of a workspace."""
    reading, writing = _Reading(workspace), _Writing(workspace)
    paths = path_patterns(workspace)

    def read(function: Callable[..., Any], label: str) -> Tool:
        return tool_of(function, risk=Risk.READ, source=BUILT_IN, label=label, patterns=paths)

    def write(function: Callable[..., Any], label: str, preview: Callable[[Mapping[str, Any]], Preview]) -> Tool:
        def forbid(arguments: Mapping[str, Any]) -> None:
            preview(arguments)

        return tool_of(
            function,
            risk=Risk.WRITE,
            source=BUILT_IN,
            label=label,
            patterns=paths,
            preview=preview,
            forbid=forbid,
        )

    return [
        read(reading.read_file, "Read a file"),
        write(writing.write_file, "Write a file", writing.preview_write),
        write(writing.edit_file, "Edit a file", writing.preview_edit),
        read(reading.list_files, "List files"),
        read(reading.find_files, "Find files"),
        read(reading.search_files, "Search in files"),
        write(writing.delete_file, "Delete a file", writing.preview_delete),
    ]


def path_patterns(workspace: Workspace) -> Patterns:
    """Rules over where `path` really leads: a file, `folder/*` for what is in a folder, `folder/**` also below."""

    def suggest(arguments: Mapping[str, Any]) -> str | None:
        name = _name(workspace, arguments)
        return None if name is None or "*" in name else name

    def matches(pattern: str, arguments: Mapping[str, Any]) -> bool:
        name = _name(workspace, arguments)
        return name is not None and _covers(pattern, name)

    return Patterns(suggest=suggest, matches=matches)


def _name(workspace: Workspace, arguments: Mapping[str, Any]) -> str | None:
    try:
        return workspace.name_of(str(arguments.get("path", ".")))
    except ToolError:
        return None


def _covers(pattern: str, name: str) -> bool:
    folder, _, last = pattern.rpartition("/")
    if last == "**":
        return not folder or name.startswith(f"{folder}/")
    if last == "*":
        return name.rpartition("/")[0] == folder and "/" in name
    return pattern == name


class _Reading:
    """The tools that look at files."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def read_file(self, path: str, first_line: int = 1, line_count: int = 1_000) -> ToolResult:
        """Read a text file of the workspace, or look at an image.

        Use it before you edit a file. A long file comes in parts of at most 20,000 characters; the first line of the
        result says which lines it holds and how many there are. PNG, JPEG, GIF and WebP images up to 5 MB are shown to
        you; of other binary files you learn kind and size: load those with code.

        Args:
            path: Relative to the workspace, with `/`: "data/notes.txt".
            first_line: Where to begin, from 1; a negative one counts from the end, so -20 gives the last 20 lines.
            line_count: How many lines at most.
        """
        content = self._workspace.read(path, MAX_READ_BYTES)
        picture = _picture(content)
        if picture is not None:
            return _told(content.name, _described(content), images=(picture,))
        text = decoded(content.data, is_whole=content.size <= MAX_READ_BYTES)
        if text is None:
            return _told(content.name, f"{_described(content)} It is no text: load it with code, by a library for it.")
        return _told(content.name, _passage(content, text, first_line, line_count))

    def list_files(self, path: str = ".") -> ToolResult:
        """List what is in one folder of the workspace: folders end in "/", files have their size.

        Args:
            path: The folder, relative to the workspace; "." is the workspace itself.
        """
        with self._workspace.folder(path) as place:
            name = "/".join(place.parts) or "."
            entries: list[tuple[bool, str, str]] = []
            for entry in place.folder.entries():
                if len(entries) >= file_search.MAX_ENTRIES:
                    break
                is_denied = self._workspace.is_denied((*place.parts, entry.name))
                is_folder = entry.is_dir(follow_symlinks=False)
                entries.append((not is_folder, entry.name, "  (off limits)" if is_denied else _size_of(entry)))
        lines = [f"{each}{'' if is_file else '/'}{note}" for is_file, each, note in sorted(entries)]
        shown = "\n".join(lines[:MAX_NAMES]) or "It is empty."
        more = f"\n… and {len(lines) - MAX_NAMES:,} more." if len(lines) > MAX_NAMES else ""
        return _names_told(name, f"{name}: {_count(len(lines), 'entry', 'entries')}\n{shown}{more}")

    def find_files(self, pattern: str, path: str = ".") -> ToolResult:
        """Find files and folders of the workspace by name. What .gitignore leaves out, caches and links are left out.

        Args:
            pattern: A glob. "*.csv" finds at any depth; with "/" it starts at the folder: "data/*.csv", "**/test_*.py".
            path: The folder to look in, relative to the workspace.
        """
        limits = file_search.Limits()
        with self._workspace.folder(path) as place:
            depth, name = len(place.parts), "/".join(place.parts) or "."
        found = []
        for each, is_folder in file_search.walk(self._workspace, path, limits):
            if file_search.matches_glob(pattern, each.parts[depth:]):
                found.append("/".join(each.parts) + ("/" if is_folder else ""))
            if len(found) > MAX_NAMES:
                limits.reason = f"it ended after {MAX_NAMES} finds"
                break
        lines = "\n".join(found[:MAX_NAMES]) or f"Nothing below {name!r} is named like {pattern!r}."
        return _names_told(name, lines + _early(limits))

    def search_files(
        self, query: str, path: str = ".", files: str = "*", is_regex: bool = False, match_case: bool = False
    ) -> ToolResult:
        """Find lines in the text files of the workspace. What .gitignore leaves out, caches and links are left out.

        Each find is a line "file:number: text"; at most 200 are given.

        Args:
            query: What the line holds: a text, or a Python regular expression with `is_regex`.
            path: The folder or file to search in, relative to the workspace.
            files: A glob for the files' names: "*.py", "src/**/*.ts".
            is_regex: Whether `query` is a regular expression; it is matched line by line.
            match_case: Whether capitals matter.
        """
        if not query or len(query) > 1_000:
            raise ToolError("'query' has 1 to 1,000 characters. Give the text of a line that you look for.")
        limits = file_search.Limits()
        make = file_search.find_expression if is_regex else file_search.find_words
        hits = file_search.lines_with(self._workspace, path, files, make(query, match_case=match_case), limits)
        if len(hits) > file_search.MAX_HITS:
            limits.reason = f"it ended after {file_search.MAX_HITS} finds"
        lines = "\n".join(f"{hit.name}:{hit.line}: {hit.text}" for hit in hits[: file_search.MAX_HITS])
        text = (lines or f"No line holds {query!r}.") + _early(limits)
        return ToolResult(text=text, origin=_origin(sorted({hit.name for hit in hits})), is_private=True)


class _Writing:
    """The tools that change files."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._shown = _Shown()

    def write_file(self, path: str, text: str) -> ToolResult:
        """Write a whole text file of the workspace, as UTF-8: a new one, or in place of the one that is there.

        For a change to an existing file use edit_file. Missing folders are made.

        Args:
            path: Relative to the workspace, with `/`: "results/summary.md".
            text: The whole new content.
        """
        before = self._before(path)
        self._shown.refuse_changed("write", {"path": path, "text": text}, before)
        self._workspace.write(path, _utf8(text))
        name = self._workspace.name_of(path)
        return ToolResult(text=f"{name!r} was {'written' if before is None else 'replaced'}: {_amount(text)}.")

    def preview_write(self, arguments: Mapping[str, Any]) -> Preview:
        """The new file, or what becomes different."""
        path, text = str(arguments["path"]), str(arguments["text"])
        _utf8(text)
        before = self._before(path)
        self._shown.remember("write", {"path": path, "text": text}, before)
        old = decoded(before.data) if before is not None and before.size <= MAX_EDIT_BYTES else None
        _refuse_masks(text, "" if old is None else old.text)
        if before is None:
            name = self._workspace.name_of(path, for_writing=True)
            return Preview(kind="code", text=text, note=f"A new file, {name}: {_amount(text)}.")
        if old is None:
            return Preview(kind="code", text=text, note=f"Replaces {_described(before)}")
        diff = edits.difference(old.text, text, before.name)
        return Preview(kind="diff", text=diff, note=_note(before, old, text))

    def edit_file(self, path: str, old: str, new: str, replace_all: bool = False) -> ToolResult:
        """Replace a passage of a text file of the workspace. Read the file first.

        Encoding and line ends stay as they are.

        Args:
            path: Relative to the workspace, with `/`.
            old: The passage exactly as it is in the file, spaces included, with enough lines around it to be the only
                one.
            new: What stands there afterwards; empty takes the passage out.
            replace_all: Whether every occurrence is replaced, rather than the only one.
        """
        arguments = {"path": path, "old": old, "new": new, "replace_all": replace_all}
        before, text, after = self._edited(arguments)
        self._shown.refuse_changed("edit", arguments, before)
        self._workspace.write(path, text.with_text(after))
        return _told(before.name, f"{before.name!r} was changed.\n{edits.difference(text.text, after, before.name)}")

    def preview_edit(self, arguments: Mapping[str, Any]) -> Preview:
        """Return what becomes different."""
        before, text, after = self._edited(arguments)
        text.with_text(after)
        _refuse_masks(after, text.text)
        self._shown.remember("edit", arguments, before)
        return Preview(kind="diff", text=edits.difference(text.text, after, before.name))

    def delete_file(self, path: str) -> ToolResult:
        """Move one file of the workspace to the trash, from where the user can get it back. A link is removed itself.

        Args:
            path: Relative to the workspace, with `/`.
        """
        with self._workspace.place(path, for_writing=True, is_link_followed=False) as place:
            _refuse_folder(path, place.state())
            name = "/".join(place.parts)
            try:
                to_trash(place.folder, place.name, self._workspace.root.joinpath(*place.parts))
            except OSError as error:
                why = error.strerror or str(error)
                raise ToolError(
                    f"{name!r} was not deleted: there is no trash for it ({why}), and no tool deletes for good. "
                    "Ask the user to delete it."
                ) from error
        return ToolResult(text=f"{name!r} was moved to the trash.")

    def preview_delete(self, arguments: Mapping[str, Any]) -> Preview:
        """Return which file goes."""
        path = str(arguments["path"])
        with self._workspace.place(path, for_writing=True, is_link_followed=False) as place:
            state = place.state()
            _refuse_folder(path, state)
            name = "/".join(place.parts)
        is_link = state is not None and stat.S_ISLNK(state.st_mode)
        what = "the link, not what it leads to" if is_link else f"{0 if state is None else state.st_size:,} bytes"
        return Preview(text=name, note=f"Goes to the trash: {what}.")

    def _before(self, path: str) -> FileContent | None:
        """Return what is there now; None for nothing."""
        name = self._workspace.name_of(path, for_writing=True)
        if name == ".":
            raise ToolError(f"{path!r} is the workspace itself. Give the path of a file in it.")
        if not self._exists(path):
            return None
        return self._workspace.read(path, MAX_EDIT_BYTES + 1)

    def _exists(self, path: str) -> bool:
        try:
            with self._workspace.place(path) as place:
                return place.state() is not None
        except FolderMissing:
            return False

    def _edited(self, arguments: Mapping[str, Any]) -> tuple[FileContent, FileText, str]:
        path = str(arguments["path"])
        self._workspace.name_of(path, for_writing=True)
        before = self._workspace.read(path, MAX_EDIT_BYTES + 1)
        if before.size > MAX_EDIT_BYTES:
            raise ToolError(f"{before.name!r} has {before.size:,} bytes, too many for an edit. Change it with code.")
        text = decoded(before.data)
        if text is None:
            raise ToolError(f"{_described(before)} It is no text, so it cannot be edited. Change it with code.")
        after = edits.replaced(
            text.text,
            str(arguments["old"]),
            str(arguments["new"]),
            line_end=text.line_end,
            replace_all=bool(arguments.get("replace_all", False)),
        )
        return before, text, after


class _Shown:
    """What the files were when an approval showed a change to them."""

    def __init__(self) -> None:
        self._digests: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def remember(self, what: str, arguments: Mapping[str, Any], content: FileContent | None) -> None:
        """A change to this content is shown."""
        with self._lock:
            self._digests[_key(what, arguments)] = _digest(content)
            while len(self._digests) > 200:
                self._digests.popitem(last=False)

    def refuse_changed(self, what: str, arguments: Mapping[str, Any], content: FileContent | None) -> None:
        """Raise `ToolError` if the file is no longer what it was when its change was shown."""
        with self._lock:
            shown = self._digests.pop(_key(what, arguments), None)
        if shown is not None and shown != _digest(content):
            raise ToolError(
                f"{arguments['path']!r} was changed by somebody else since this was shown, so nothing was written. "
                "Read the file again, and call again."
            )


def _key(what: str, arguments: Mapping[str, Any]) -> str:
    text = canonical_arguments({"replace_all": False, **arguments})
    return hashlib.sha256(f"{what} {text}".encode("utf-8", "surrogatepass")).hexdigest()


def _digest(content: FileContent | None) -> str:
    return "" if content is None else f"{content.size} {hashlib.sha256(content.data).hexdigest()}"


def _refuse_masks(after: str, before: str) -> None:
    """Refuse a text that would put the mask of a secret where the secret stands."""
    if after.count(REDACTED) > before.count(REDACTED):
        raise ToolError(
            f"The text holds {REDACTED!r}, which stands for a secret that you are not shown; nothing was written. "
            "Change the other lines with edit_file, and leave that one to the user."
        )


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ToolError("'text' holds half a character (a lone surrogate). Write it again without it.") from error


def _refuse_folder(path: str, state: Any) -> None:
    if state is None:
        raise FileNotFoundError(path)
    if stat.S_ISDIR(state.st_mode):
        raise ToolError(f"{path!r} is a folder, and this deletes files one by one. Delete the files in it.")


def _passage(content: FileContent, text: FileText, first_line: int, line_count: int) -> str:
    """Some lines, headed by which they are."""
    if not text.text:
        return f"{content.name} is empty."
    lines = text.text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    start = max(0, first_line - 1 if first_line > 0 else len(lines) + first_line)
    if start >= len(lines):
        raise ToolError(f"{content.name!r} has {_count(len(lines), 'line', 'lines')}. Begin at one of them.")
    shown: list[str] = []
    room = MAX_READ_CHARS
    for line in lines[start : start + max(1, line_count)]:
        line = clip(line, LINE_CHARS)
        room -= len(line) + 1
        if room < 0 and shown:
            break
        shown.append(line)
    end = start + len(shown)
    total = f"{len(lines):,}" if content.size <= MAX_READ_BYTES else f"the first {MAX_READ_BYTES:,} bytes'"
    heading = f"{content.name}, lines {start + 1:,} to {end:,} of {total}, {text.description}:"
    more = f"\n[goes on: read from first_line={end + 1}]" if end < len(lines) else ""
    return f"{heading}\n" + "\n".join(shown) + more


def _picture(content: FileContent) -> ImagePart | None:
    kind = image_type(content.data)
    if not kind or content.size > MAX_IMAGE_BYTES:
        return None
    return ImagePart(media_type=kind, data=content.data)


def _described(content: FileContent) -> str:
    kind = kind_of(content.data) or "binary file"
    return f"{content.name}: {kind}, {content.size:,} bytes."


def _told(name: str, text: str, images: tuple[ImagePart, ...] = ()) -> ToolResult:
    return ToolResult(text=text, images=images, origin=f"file {name}", is_private=True)


def _names_told(folder: str, text: str) -> ToolResult:
    return ToolResult(text=text, origin=f"names of files in {folder}", is_private=True)


def _origin(names: list[str]) -> str:
    if len(names) <= 1:
        return f"file {names[0]}" if names else ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"files {', '.join(names[:3])}{more}"


def _early(limits: file_search.Limits) -> str:
    return f"\n[not all: {limits.reason}; look in one folder, or for something rarer]" if limits.reason else ""


def _size_of(entry: Any) -> str:
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError:
        return ""
    if stat.S_ISLNK(state.st_mode):
        return "  (link)"
    return f"  {state.st_size:,} bytes" if stat.S_ISREG(state.st_mode) else ""


def _amount(text: str) -> str:
    return f"{_count(len(text.splitlines()), 'line', 'lines')}, {len(text.encode()):,} bytes"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _note(before: FileContent, old: FileText, text: str) -> str:
    """Return what the difference does not show."""
    said = []
    if old.encoding != "utf-8" or old.bom:
        said.append(f"the encoding changes from {old.description} to UTF-8")
    new_end = "\r\n" if "\r\n" in text else "\n"
    if "\n" in old.text and "\n" in text and old.line_end != new_end:
        said.append("the line ends change")
    if old.text == text:
        said.append("the content stays as it is")
    return f"Replaces {before.name}" + (f": {'; '.join(said)}." if said else ".")
