"""Files found by name, and lines found by what they say. What .gitignore leaves out is left out."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from time import monotonic
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.texts import decoded
from rustbot_jupyter.tools.workspace import Place, Workspace, read_file_at

MAX_SECONDS = 10.0
MAX_ENTRIES = 50_000
MAX_FOLDERS_DEEP = 40
MAX_HITS = 200
MAX_FILE_BYTES = 5_000_000
LINE_CHARS = 300
_BATCH_CHARS = 4_000_000
_IGNORE_FILE_BYTES = 200_000

# Made by tools, large, and hardly what is looked for.
_NOISE = frozenset(
    {".git", ".hg", ".svn", ".bzr", "__pycache__", ".ipynb_checkpoints", "node_modules", ".venv", "venv"}
)
_NOISE |= {".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".cache"}


@dataclass(kw_only=True)
class Limits:
    """Limits of a search; says afterwards why it ended early."""

    deadline: float = field(default_factory=lambda: monotonic() + MAX_SECONDS)
    entries: int = MAX_ENTRIES
    reason: str = ""

    @property
    def left_s(self) -> float:
        """The seconds that are left."""
        return self.deadline - monotonic()

    def is_over(self) -> bool:
        """True if the search ends here."""
        if not self.reason and self.left_s <= 0:
            self.reason = f"it ended after {MAX_SECONDS:.0f} s"
        if not self.reason and self.entries <= 0:
            self.reason = f"it ended after {MAX_ENTRIES:,} names"
        return bool(self.reason)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A line that was found."""

    name: str
    line: int
    text: str


def walk(workspace: Workspace, path: str, limits: Limits) -> Iterator[tuple[Place, bool]]:
    """Yield all below a folder, in the order of the names, each with whether it is a folder; links are not followed.

    Raises:
        ToolError: There is no such folder, or nothing may read it.
    """
    with workspace.folder(path) as start:
        ignored = _Ignored.above(workspace, start.parts)
        yield from _below(workspace, start, ignored, limits)


def _below(workspace: Workspace, start: Place, ignored: _Ignored, limits: Limits) -> Iterator[tuple[Place, bool]]:
    ignored = ignored.with_file_of(start)
    for name, is_folder in _names(start):
        limits.entries -= 1
        if limits.is_over():
            return
        parts = (*start.parts, name)
        if name in _NOISE or workspace.is_denied(parts) or ignored.covers(parts, is_folder):
            continue
        yield Place(folder=start.folder, name=name, parts=parts), is_folder
        if is_folder and len(parts) < MAX_FOLDERS_DEEP:
            # A folder that is gone, closed to us or Rustbot's own is passed over.
            with contextlib.suppress(OSError, ToolError), contextlib.closing(start.folder.enter(name)) as inside:
                workspace.refuse_own(name, inside)
                yield from _below(workspace, Place(folder=inside, name="", parts=parts), ignored, limits)


def _names(place: Place) -> list[tuple[str, bool]]:
    """Files and folders by name; links and what is neither are left out."""
    found = []
    for entry in place.folder.entries():
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder or entry.is_file(follow_symlinks=False):
            found.append((entry.name, is_folder))
    return sorted(found)


class _Ignored:
    """The .gitignore files that hold for a folder, the nearest last."""

    def __init__(self, specs: Sequence[tuple[int, Any]] = (), *, is_off: bool = False) -> None:
        self._specs = tuple(specs)
        self._is_off = is_off

    @classmethod
    def above(cls, workspace: Workspace, parts: tuple[str, ...]) -> _Ignored:
        """Those of the folders above. A folder that is left out itself was asked for by name: then none holds."""
        ignored = cls()
        for depth in range(len(parts)):
            with workspace.folder("/".join(parts[:depth]) or ".") as place:
                ignored = ignored.with_file_of(place)
            if ignored.covers(parts[: depth + 1], is_folder=True):
                return cls(is_off=True)
        return ignored

    def with_file_of(self, place: Place) -> _Ignored:
        """These, and the one in this folder."""
        if self._is_off:
            return self
        try:
            content = read_file_at(Place(folder=place.folder, name=".gitignore", parts=place.parts), _IGNORE_FILE_BYTES)
        except (OSError, ToolError):
            return self
        return _Ignored([*self._specs, (len(place.parts), _spec_of(content.data.decode("utf-8", "replace")))])

    def covers(self, parts: tuple[str, ...], is_folder: bool) -> bool:
        """True if a place is left out."""
        for depth, spec in reversed(self._specs):
            verdict = spec.check_file("/".join(parts[depth:]) + ("/" if is_folder else "")).include
            if verdict is not None:
                return bool(verdict)
        return False


def _spec_of(text: str) -> Any:
    from pathspec import GitIgnoreSpec

    rules: list[Any] = []
    for line in text.splitlines():
        # pathspec's expressions look back at each star, so a hostile line could keep the kernel busy for hours.
        if len(line) <= 200 and len(re.findall(r"\*+", line)) <= 3:
            # As git does, a line that is no rule is passed over.
            with contextlib.suppress(ValueError, re.error):
                rules += GitIgnoreSpec.from_lines([line]).patterns
    return GitIgnoreSpec(rules)


def matches_glob(pattern: str, parts: Sequence[str]) -> bool:
    """True if a glob covers a path below the folder it starts from. Without `/` it speaks of the name alone."""
    wanted = [part for part in pattern.split("/") if part not in ("", ".")]
    if len(wanted) == 1 and "/" not in pattern and wanted != ["**"]:
        return fnmatchcase(parts[-1], wanted[0])
    # Which beginnings of the pattern fit the names so far; "**" fits any number of them.
    fits = _past_any({0}, wanted)
    for name in parts:
        following = set()
        for index in fits:
            if index < len(wanted):
                is_any = wanted[index] == "**"
                if is_any or fnmatchcase(name, wanted[index]):
                    following.add(index if is_any else index + 1)
        fits = _past_any(following, wanted)
    return len(wanted) in fits


def _past_any(indexes: set[int], wanted: Sequence[str]) -> set[int]:
    found = set(indexes)
    for index in sorted(indexes):
        while index < len(wanted) and wanted[index] == "**":
            index += 1
            found.add(index)
    return found


def lines_with(
    workspace: Workspace,
    path: str,
    glob: str,
    find: Callable[[list[tuple[str, str]], Limits], list[Hit]],
    limits: Limits,
) -> list[Hit]:
    """The lines that `find` finds in the files below a path, which may be a file itself."""
    hits: list[Hit] = []
    batch: list[tuple[str, str]] = []
    for name, text in _texts(workspace, path, glob, limits):
        batch.append((name, text))
        if sum(len(text) for _, text in batch) >= _BATCH_CHARS:
            hits += find(batch, limits)
            batch = []
        if len(hits) > MAX_HITS:
            break
    return hits + (find(batch, limits) if batch else [])


def _texts(workspace: Workspace, path: str, glob: str, limits: Limits) -> Iterator[tuple[str, str]]:
    with workspace.place(path) as place:
        state = place.state()
        if state is None:
            raise FileNotFoundError(path)
        is_file = bool(place.name) and not _is_folder(state.st_mode)
        if is_file:
            yield from _text_of(place)
            return
        depth = len(place.parts)
    for found, is_folder in walk(workspace, path, limits):
        if not is_folder and matches_glob(glob, found.parts[depth:]):
            # A file that is gone or closed to us is passed over.
            with contextlib.suppress(OSError, ToolError):
                yield from _text_of(found)


def _is_folder(mode: int) -> bool:
    return mode & 0o170000 == 0o040000


def _text_of(place: Place) -> Iterator[tuple[str, str]]:
    content = read_file_at(place, MAX_FILE_BYTES)
    text = decoded(content.data, is_whole=content.size <= MAX_FILE_BYTES)
    if text is not None:
        yield content.name, text.text


def find_words(words: str, *, match_case: bool) -> Callable[[list[tuple[str, str]], Limits], list[Hit]]:
    """Finds lines that hold a text."""
    expression = re.compile(re.escape(words), 0 if match_case else re.IGNORECASE)

    def find(batch: list[tuple[str, str]], limits: Limits) -> list[Hit]:
        hits: list[Hit] = []
        for name, text in batch:
            if limits.is_over() or len(hits) > MAX_HITS:
                break
            # Most files hold nothing; the lines are cut apart only where there is something.
            if expression.search(text):
                lines = ((number, line, expression.search(line)) for number, line in enumerate(text.split("\n"), 1))
                found = ((number, line, place.start()) for number, line, place in lines if place)
                hits += [Hit(name=name, line=number, text=_around(line, place)) for number, line, place in found]
        return hits

    return find


def _around(line: str, place: int) -> str:
    """A line, or what is around a place in a long one."""
    line = line.rstrip("\r")
    start = max(0, place - LINE_CHARS // 2) if len(line) > LINE_CHARS else 0
    end = start + LINE_CHARS
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")


# Runs in a Python of its own: an expression can look back for hours, holds the GIL, and is stopped by a kill alone.
_SEARCHER = """
import json, re, sys
task = json.loads(sys.stdin.buffer.read())
try:
    expression = re.compile(task["expression"], task["flags"])
except (re.error, OverflowError, RecursionError) as error:
    print(json.dumps({"error": str(error)}))
    sys.exit()
hits = []
for index, text in enumerate(task["texts"]):
    for number, line in enumerate(text.split("\\n"), 1):
        found = expression.search(line.rstrip("\\r"))
        if found and len(hits) <= task["most"]:
            hits.append((index, number, found.start()))
print(json.dumps({"hits": hits}))
"""


def find_expression(expression: str, *, match_case: bool) -> Callable[[list[tuple[str, str]], Limits], list[Hit]]:
    """Finds lines that a regular expression fits, for as long as the limits allow."""

    def find(batch: list[tuple[str, str]], limits: Limits) -> list[Hit]:
        if limits.is_over():
            return []
        flags = 0 if match_case else int(re.IGNORECASE)
        task = {"expression": expression, "flags": flags, "texts": [text for _, text in batch], "most": MAX_HITS}
        answer = json.loads(_searched(json.dumps(task).encode("ascii"), limits))
        if "error" in answer:
            raise ToolError(f"{expression!r} is no regular expression: {answer['error']}. Mend it, or search for text.")
        lines = {index: batch[index][1].split("\n") for index, _, _ in answer["hits"]}
        return [
            Hit(name=batch[index][0], line=number, text=_around(lines[index][number - 1], place))
            for index, number, place in answer["hits"]
        ]

    return find


def _searched(task: bytes, limits: Limits) -> bytes:
    """Return what the searching Python answers."""
    command = [sys.executable, "-I", "-S", "-c", _SEARCHER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            given: bytes | None = task
            while limits.left_s > 0:
                # Short waits, so that a cancel comes through.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    answer, _ = process.communicate(given, timeout=min(0.2, max(0.01, limits.left_s)))
                    return answer or b'{"error": "it made the search fail"}'
                given = None
        finally:
            process.kill()
    raise ToolError(
        f"The search was stopped after {MAX_SECONDS:.0f} s: the expression takes too long on these files. Use a "
        "simpler one without nested repetitions, fewer files, or a plain text."
    )
