"""Refusals of a server, kept for a day, so that it is not asked for the same again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rustbot_jupyter.whole_files import read_start, write_atomically

KEPT_S = 24 * 3600.0
_SCHEMA_VERSION = 1
_MOST_MODELS = 500
_MOST_PER_MODEL = 100
_MAX_BYTES = 1_000_000
_MAX_CHARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """One thing that a server refuses of a request."""

    about: str
    """The body's field; `tool:NAME` is one tool, `messages.reasoning` the thoughts that are sent back,
    `messages.system` the role of the system prompt, `messages.tool_calls` earlier calls where no tools are offered."""
    spelling: str = ""
    """The name it has there instead; "" when it is left out."""
    of: str = ""
    """The digest of the value that was refused; "" when any is."""
    learnt_at: float = field(default_factory=time.time, compare=False)
    """Seconds since the epoch."""

    @property
    def is_fresh(self) -> bool:
        """True until a day has passed: servers are restarted and updated."""
        return 0 <= time.time() - self.learnt_at < KEPT_S

    def __str__(self) -> str:
        name = f"the tool {self.about.removeprefix('tool:')}" if self.about.startswith("tool:") else self.about
        return f"{name} as {self.spelling}" if self.spelling else f"no {name}"


def digest(value: Any) -> str:
    """A short mark of a value, from which it cannot be read."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()[:16]


class Lessons:
    """Refusals of one server, by model. Used on one event loop; several processes may share the file.

    Args:
        path: The file, or None to keep it in memory only. It holds names of models, fields and tools; no prompt, no
            key, nothing that the server said.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._by_model: dict[str, tuple[Lesson, ...]] = {}
        self._is_loaded = path is None
        self._saves: set[asyncio.Task[None]] = set()
        self._told: set[tuple[str, Lesson]] = set()

    async def ready(self) -> None:
        """Read the file, once, beside the event loop."""
        if self._path is not None and not self._is_loaded:
            found = await asyncio.to_thread(_read, self._path)
            if not self._is_loaded:
                self._by_model, self._is_loaded = _merged(found, self._by_model), True

    def of(self, model: str) -> tuple[Lesson, ...]:
        """Return what holds for a model now."""
        return tuple(lesson for lesson in self._by_model.get(model, ()) if lesson.is_fresh)

    def all(self) -> dict[str, tuple[Lesson, ...]]:
        """All that holds now, by model."""
        return {model: lessons for model in self._by_model if (lessons := self.of(model))}

    def add(self, model: str, lessons: tuple[Lesson, ...]) -> None:
        """Remember; the file is written beside the event loop."""
        self._by_model = _merged(self._by_model, {model: lessons})
        self._told.update((model, lesson) for lesson in lessons)
        if self._path is not None:
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(_write, self._path, {model: lessons}))
            self._saves.add(task)
            task.add_done_callback(self._saves.discard)

    def is_untold(self, model: str, lesson: Lesson) -> bool:
        """True the first time this is asked in this process of what another session, or an earlier one, learnt."""
        is_new = (model, lesson) not in self._told
        self._told.add((model, lesson))
        return is_new

    async def forget(self) -> None:
        """Try everything again."""
        self._by_model, self._is_loaded = {}, True
        await self.written()
        if self._path is not None:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def written(self) -> None:
        """Wait until all that was learnt is in the file."""
        await asyncio.gather(*self._saves, return_exceptions=True)


def _merged(
    old: Mapping[str, tuple[Lesson, ...]], new: Mapping[str, tuple[Lesson, ...]]
) -> dict[str, tuple[Lesson, ...]]:
    """Both together, the newest models last; what is too old, or too much, is dropped."""
    merged: dict[str, tuple[Lesson, ...]] = {}
    for model in [*(name for name in old if name not in new), *new]:
        # A later lesson about the same thing takes the place of an earlier one.
        each = {(lesson.about, lesson.of): lesson for lesson in (*old.get(model, ()), *new.get(model, ()))}
        fresh = [lesson for lesson in each.values() if lesson.is_fresh]
        if fresh:
            merged[model] = tuple(fresh[-_MOST_PER_MODEL:])
    return dict(list(merged.items())[-_MOST_MODELS:])


def _read(path: Path) -> dict[str, tuple[Lesson, ...]]:
    """Return what the file says, as far as it can be used; a file that cannot be read is as good as none."""
    try:
        saved = json.loads(read_start(path, _MAX_BYTES) or b"")
        entries = saved["models"] if saved["schema_version"] == _SCHEMA_VERSION else {}
        return _merged({}, {name: tuple(map(_lesson, lessons)) for name, lessons in entries.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _lesson(entry: Any) -> Lesson:
    texts = {name: entry[name] for name in ("about", "spelling", "of")}
    if not all(isinstance(text, str) and len(text) <= _MAX_CHARS for text in texts.values()):
        raise ValueError("no lesson")
    return Lesson(**texts, learnt_at=float(entry["learnt_at"]))


def _write(path: Path, new: Mapping[str, tuple[Lesson, ...]]) -> None:
    # Read again: another notebook may have learnt something meanwhile.
    models = {
        model: [
            {"about": each.about, "spelling": each.spelling, "of": each.of, "learnt_at": each.learnt_at}
            for each in lessons
        ]
        for model, lessons in _merged(_read(path), new).items()
    }
    # Without the file the server is asked once more; that is no reason to trouble anybody.
    with contextlib.suppress(OSError):
        write_atomically(path, json.dumps({"schema_version": _SCHEMA_VERSION, "models": models}).encode(), 0o600)
