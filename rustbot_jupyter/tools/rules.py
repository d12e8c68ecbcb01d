"""Standing rules: what the user allowed or forbade for good, where it holds, and the file that keeps it."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from rustbot_jupyter.errors import RequestError, UnsupportedVersion
from rustbot_jupyter.messages import new_id
from rustbot_jupyter.tools.base import BUILT_IN, Risk, Tool
from rustbot_jupyter.tools.listeners import Listeners
from rustbot_jupyter.whole_files import read_start, write_atomically

try:
    import fcntl
# There is none on Windows: there the last one that writes within a moment wins.
except ImportError:
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger("rustbot_jupyter.rules")

SCHEMA_VERSION = 1
LARGEST_FILE = 10_000_000
ANY = "*"
LOCK_WAIT_S = 2.0
"""How long another kernel may hold the file; who died holds nothing."""


class Decision(StrEnum):
    """The word of a rule; deny beats ask beats allow."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


_STRENGTH: dict[Decision, int] = {Decision.ALLOW: 0, Decision.ASK: 1, Decision.DENY: 2}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A standing answer to calls of a tool."""

    tool: str
    """A name; for ask and deny also a pattern such as "filesystem__*"."""
    pattern: str
    """Which calls: what the tool's own patterns understand, or "*" for all."""
    decision: Decision
    conversation_id: str = ""
    """The conversation that it ends with; "" for one that is kept."""
    workspace: str = ""
    """The folder in which it holds; "" everywhere."""
    fingerprint: str = ""
    """Of the tool as it was allowed; a tool that says something else of itself since is asked about again."""
    id: str = field(default_factory=lambda: new_id("rule"))


_ASK_ALWAYS = Rule(tool=ANY, pattern=ANY, decision=Decision.ASK, id="")


class Rules:
    """The rules of one bot. May be used from any thread.

    Args:
        path: Where rules are kept; None keeps them in memory.
        workspace: The folder this bot works in.
        find: The tool of a name, or None.
    """

    def __init__(
        self, path: Path | None, workspace: str, find: Callable[[str], Tool | None] = lambda name: None
    ) -> None:
        self._path = path
        self._workspace = workspace
        self._find = find
        self._lock = threading.RLock()
        self._passing: list[Rule] = []
        self._kept: list[Rule] = []
        self._stamp: tuple[int, ...] | None = None
        """Which file `_kept` was read from; None when it has to be read."""
        self._is_unsaved = False
        """True if `_kept` holds what could not be written."""
        self._is_foreign = False
        """True if the file is left as it is: somebody else's, or not readable."""
        self._must_ask = False
        """True if there are rules that cannot be known; one may forbid a call."""
        self._listeners = Listeners[[]]()
        self.problem = ""
        """Why the file cannot be used, in one sentence; "" when it can."""

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change; on whatever thread changes; the result ends that."""
        return self._listeners.add(listener)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __repr__(self) -> str:
        lines = [
            f"{rule.id}  {rule.decision} {rule.tool} {rule.pattern!r}"
            + (" for this conversation" if rule.conversation_id else "")
            for rule in self.all()
        ]
        with self._lock:
            problem = self.problem
        return "\n".join(filter(None, [problem, *lines])) or "No rules: what only reads runs, all else asks."

    def all(self) -> list[Rule]:
        """All rules that hold here: kept ones first."""
        with self._lock:
            self._read()
            return [rule for rule in self._kept if rule.workspace in ("", self._workspace)] + self._passing

    def add(
        self, tool: str, pattern: str, decision: str = "allow", *, conversation_id: str = "", everywhere: bool = False
    ) -> Rule:
        """Keep an answer: in this folder from now on, or for one conversation.

        Args:
            tool: The tool's name; for "ask" and "deny" also a pattern such as "filesystem__*".
            pattern: Which calls: a path or folder for files ("data/*"), the beginning of a command line
                ("git status *"), a host ("https://example.org/*"), or "*" for all.
            decision: allow, ask or deny.
            conversation_id: The conversation it ends with.
            everywhere: For a rule that holds in every folder; not for "allow".

        Raises:
            RequestError: It would allow more than a rule may, or a part of it cannot be used.
        """
        known = self._find(tool) if isinstance(tool, str) else None
        _check(tool, pattern, decision, known, everywhere)
        rule = Rule(
            tool=tool,
            pattern=pattern,
            decision=Decision(decision),
            conversation_id=conversation_id,
            workspace="" if everywhere else self._workspace,
            fingerprint=known.fingerprint if known is not None else "",
        )
        return self._keep(rule)

    def allow(self, tool: Tool, pattern: str, *, conversation_id: str = "") -> Rule:
        """Keep the answer to a call: the tool is allowed as it was shown, whatever has taken its name since.

        Raises:
            RequestError: It would allow more than a rule may, or the rule cannot be kept.
        """
        _check(tool.name, pattern, Decision.ALLOW, tool, everywhere=False)
        return self._keep(
            Rule(
                tool=tool.name,
                pattern=pattern,
                decision=Decision.ALLOW,
                conversation_id=conversation_id,
                workspace=self._workspace,
                fingerprint=tool.fingerprint,
            )
        )

    def _keep(self, rule: Rule) -> Rule:
        with self._lock, self._alone():
            self._read()
            if rule.conversation_id:
                self._passing.append(rule)
            else:
                self._write([*self._kept, rule])
        self._listeners.tell()
        return rule

    def remove(self, rule_id: str) -> None:
        """Take a rule back.

        Raises:
            RequestError: There is no such rule.
        """
        with self._lock, self._alone():
            self._read()
            if all(rule.id != rule_id for rule in [*self._kept, *self._passing]):
                raise RequestError(f"There is no rule {rule_id!r}; `bot.rules` shows them.")
            self._passing = [rule for rule in self._passing if rule.id != rule_id]
            kept = [rule for rule in self._kept if rule.id != rule_id]
            if len(kept) < len(self._kept):
                self._write(kept)
        self._listeners.tell()

    def end_conversation(self, conversation_id: str) -> None:
        """Forget what was allowed for this conversation only."""
        with self._lock:
            self._passing = [rule for rule in self._passing if rule.conversation_id != conversation_id]
        self._listeners.tell()

    def decide(self, tool: Tool, arguments: Mapping[str, Any], conversation_id: str) -> Rule | None:
        """The rule that decides about a call: the strongest of those that match; None when none does."""
        with self._lock:
            rules = self.all()
            if self._must_ask:
                rules.append(_ASK_ALWAYS)
        matching = [rule for rule in rules if _matches(rule, tool, arguments, conversation_id)]
        return max(matching, key=lambda rule: _STRENGTH[rule.decision], default=None)

    # The file. Another kernel may write it too, so it is read again when it has changed.

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other kernels from writing between our reading and our writing; for a moment at most."""
        if self._path is None or fcntl is None:
            yield
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_NONBLOCK, 0o600)
        # Writing the rules says itself what is wrong with the folder.
        except OSError:
            yield
            return
        try:
            _wait_for(lock)
            yield
        finally:
            os.close(lock)

    def _read(self) -> None:
        path = self._path
        if path is None or self._is_unsaved:
            return
        try:
            status = os.stat(path)
            # A file that is replaced within one tick of the clock by one of the same size is another file.
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp:
                return
            self._is_foreign = self._must_ask = False
            if status.st_size > LARGEST_FILE:
                raise ValueError(f"{status.st_size:,} bytes")
            kept = _rules_of(_content_of(path))
        except FileNotFoundError:
            self._has_no_file(path)
        except OSError as error:
            # As it was before may be how it is again.
            self._stamp, self._is_foreign = None, True
            self._cannot_use(f"it cannot be read ({error.strerror}). Every call asks.")
        except UnsupportedVersion:
            self._stamp, self._is_foreign = stamp, True
            self._cannot_use("it was saved by a newer Rustbot, and is left as it is. Every call asks.")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self._set_aside(path, error)
        else:
            self._stamp, self._kept, self.problem = stamp, kept, ""

    def _has_no_file(self, path: Path) -> None:
        self._stamp, self._kept, self._is_foreign = None, [], False
        aside = _aside(path)
        if aside.exists():
            self._cannot_use(
                f"it was damaged, and was set aside as {aside.name!r}. Every call asks until you make a rule or delete "
                "that file."
            )
        else:
            self._must_ask, self.problem = False, ""

    def _set_aside(self, path: Path, error: Exception) -> None:
        logger.warning("%s is damaged (%s).", path, error)
        free = next(name for name in (_aside(path, number) for number in count(1)) if not name.exists())
        try:
            os.replace(path, free)
        except OSError as why:
            self._is_foreign = True
            self._cannot_use(f"it is damaged and cannot be set aside ({why.strerror}). Every call asks.")
        else:
            self._has_no_file(path)

    def _cannot_use(self, reason: str) -> None:
        self._kept, self._must_ask = [], True
        problem = f"{str(self._path)!r} holds no rules now: {reason}"
        if problem != self.problem:
            self.problem = problem
            logger.warning(problem)

    def _write(self, kept: list[Rule]) -> None:
        if self._is_foreign:
            raise RequestError(f"The rule was not kept. {self.problem}")
        self._kept = kept
        if self._path is None:
            return
        data = {"schema_version": SCHEMA_VERSION, "rules": [asdict(rule) for rule in kept]}
        try:
            write_atomically(self._path, json.dumps(data, indent=1).encode(), 0o600)
        except OSError as error:
            self._is_unsaved = True
            self.problem = f"{str(self._path)!r} cannot be written ({error.strerror}): rules hold for this kernel only."
            logger.warning(self.problem)
        else:
            # Read again before it is used: another kernel may have written at the same time.
            self._stamp, self._is_unsaved = None, False


def _wait_for(lock: int) -> None:
    deadline = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.005)
        else:
            return


def _aside(path: Path, number: int = 1) -> Path:
    """Return where a damaged file is put; an older one stays where it is."""
    return path.with_suffix(".damaged.json" if number == 1 else f".damaged-{number}.json")


def _content_of(path: Path) -> bytes:
    raw = read_start(path, LARGEST_FILE)
    if raw is None:
        raise FileNotFoundError
    return raw


def _rules_of(raw: bytes) -> list[Rule]:
    """Return what a file holds.

    Raises:
        UnsupportedVersion: A newer Rustbot wrote it.
        ValueError, TypeError, KeyError, RecursionError: It is damaged.
    """
    data = json.loads(raw.decode("utf-8"))
    version = data["schema_version"]
    if not isinstance(version, int):
        raise TypeError("schema_version")
    if version > SCHEMA_VERSION:
        raise UnsupportedVersion(str(version))
    return [_rule_of(entry) for entry in data["rules"]]


def _rule_of(entry: Mapping[str, Any]) -> Rule:
    texts = {name: entry[name] for name in ("tool", "pattern", "conversation_id", "workspace", "fingerprint", "id")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("a field of a rule is no text")
    return Rule(decision=Decision(entry["decision"]), **texts)


def _matches(rule: Rule, tool: Tool, arguments: Mapping[str, Any], conversation_id: str) -> bool:
    is_allowing = rule.decision is Decision.ALLOW
    # Most rules speak of other tools, and a call waits for this.
    if rule.tool != tool.name and (is_allowing or not _is_covered(tool.name, rule.tool)):
        return False
    if rule.conversation_id not in ("", conversation_id):
        return False
    if is_allowing and (
        # What somebody else describes is allowed as it was described then.
        rule.fingerprint != tool.fingerprint or (rule.pattern == ANY and can_do_anything(tool))
    ):
        return False
    covers = tool.patterns.matches
    if rule.decision is not Decision.ALLOW and tool.patterns.touches is not None:
        covers = tool.patterns.touches
    return rule.pattern == ANY or covers(rule.pattern, arguments)


@lru_cache(4_096)
def _is_covered(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern)


def can_do_anything(tool: Tool) -> bool:
    """True if no rule may allow all its calls for good: running code, commands and requests are too wide for that."""
    return tool.source == BUILT_IN and tool.risk in (Risk.EXECUTE, Risk.NETWORK)


def _check(tool: str, pattern: str, decision: str, known: Tool | None, everywhere: bool) -> None:
    if decision not in list(Decision):
        raise RequestError(f"A rule cannot say {decision!r}: it says 'allow', 'ask' or 'deny'.")
    if not (isinstance(tool, str) and tool and isinstance(pattern, str) and pattern):
        raise RequestError("A rule needs the name of a tool and a pattern, both text; '*' is all calls of the tool.")
    if decision != Decision.ALLOW:
        return
    if known is None:
        raise RequestError(f"There is no tool {tool!r} to allow; `bot.tools.list()` names them.")
    if pattern == ANY and can_do_anything(known):
        raise RequestError(
            f"{tool!r} can do anything, so it is not allowed for good with '*'. Allow a narrower pattern, or the "
            'conversation with `approve="allow"`.'
        )
    if everywhere:
        raise RequestError("What is allowed holds in one folder only; leave out `everywhere`.")
