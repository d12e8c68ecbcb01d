"""Logging: the logger `rustbot_jupyter`, silent until asked; on request JSON lines in a file, without keys."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.settings.redaction import redact, redact_data

LOGGER_NAME = "rustbot_jupyter"
_LOGGER = logging.getLogger(LOGGER_NAME)
_LOGGER.addHandler(logging.NullHandler())

_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "turn_id", "conversation_id"}
_DEEPEST = 20

_context: ContextVar[tuple[str | None, str | None]] = ContextVar("rustbot_log_context", default=(None, None))
_lock = threading.Lock()
_open_logs: dict[Path, LogFile] = {}


@contextmanager
def log_context(*, turn_id: str | None = None, conversation_id: str | None = None) -> Iterator[None]:
    """Give the lines logged inside these ids; one that is None stays what it was outside."""
    outer_turn, outer_conversation = _context.get()
    token = _context.set((turn_id or outer_turn, conversation_id or outer_conversation))
    try:
        yield
    finally:
        _context.reset(token)


def log_to(path: str | os.PathLike[str], level: str | int = "INFO") -> LogFile:
    """A log file that gets a JSON line for everything logged from now on; `.close()` ends it.

    Lines are added to a file that is there. The same path again gives the same log, at the new level.

    Args:
        path: The file; its folder is made if need be.
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL.

    Raises:
        SettingsError: The level is unknown, or the file cannot be written.
    """
    number = _level(level)
    with _lock:
        log = _log_at(path)
        log.handler.setLevel(number)
        _set_level()
    return log


def _log_at(path: str | os.PathLike[str]) -> LogFile:
    try:
        target = Path(os.path.realpath(os.path.expanduser(path)))
        if target not in _open_logs:
            _open_logs[target] = LogFile(target)
            _LOGGER.addHandler(_open_logs[target].handler)
        return _open_logs[target]
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or exc
        raise SettingsError(f"The log {os.fspath(path)!r} cannot be written ({why}); choose another path.") from exc
    except TypeError:
        raise SettingsError(f"A log cannot be written to {redact(repr(path))[:80]}: give the path of a file.") from None


class LogFile:
    """A running log; also a context manager that closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handler = _JsonLines(path)

    @property
    def problem(self) -> str:
        """Return why the last line could not be written, or ""; the program goes on without it."""
        return self.handler.problem

    def close(self) -> None:
        """Write no more to the file; again does nothing."""
        with _lock:
            if _open_logs.pop(self.path, None) is not None:
                _LOGGER.removeHandler(self.handler)
                self.handler.close()
                _set_level()

    def __enter__(self) -> LogFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LogFile({str(self.path)!r}, level={logging.getLevelName(self.handler.level)!r})"


class _JsonLines(logging.Handler):
    problem = ""

    def __init__(self, path: Path) -> None:
        self._path = path
        # What people ask stands in it, so only the owner may read a new one. Unbuffered: a line is written as a whole
        # even when several kernels write to the file, and nothing waits for a disk that is full.
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody may be reading a pipe: opening or writing one would wait for ever.
        at_once = getattr(os, "O_NONBLOCK", 0)
        self._file = FileIO(path, "ab", opener=lambda name, flags: os.open(name, flags | at_once, 0o600))
        super().__init__()
        self.setFormatter(_JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._file.write(self.format(record).encode("ascii") + b"\n")
            self.problem = ""
        except (OSError, ValueError, TypeError, RecursionError):
            # The default would print the record's raw arguments into the cell that happens to run.
            self.problem = f"The log {str(self._path)!r} misses a line that could not be written."

    def close(self) -> None:
        self._file.close()
        super().close()


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        turn_id, conversation_id = _context.get()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "turn_id": getattr(record, "turn_id", turn_id),
            "conversation_id": getattr(record, "conversation_id", conversation_id),
        }
        extra = {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}
        if extra:
            line["extra"] = extra
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        # Twice: inside the texts, and over the line for what only their escaped form shows.
        return redact(_as_json(redact_data(_plain(line))))


def _as_json(line: Any) -> str:
    # ASCII only: no control character, line separator or direction mark gets into the file as itself.
    return json.dumps(line, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def _plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON can hold it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    return str(value)


def _level(level: str | int) -> int:
    names = logging.getLevelNamesMapping()
    number = names.get(level.strip().upper()) if isinstance(level, str) else level
    if not isinstance(number, int) or isinstance(number, bool):
        raise SettingsError(f"{level!r} is no log level; use DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    return number


def _set_level() -> None:
    """Let through what the most talkative log wants; without a log, decide nothing."""
    _LOGGER.setLevel(min((log.handler.level for log in _open_logs.values()), default=logging.NOTSET))
