"""Command lines as standing rules see them: only one that is a plain program with plain arguments is covered at all.

A rule is a command line word by word, or the beginning of one followed by " *". Whatever a shell would do
something with (a pipe, a redirection, a variable, a glob, an assignment, a second line) makes a line that no rule
covers, and so does an argument by which a program runs another one, writes elsewhere, or reads outside the workspace.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from rustbot_jupyter.tools.known_commands import (
    NEVER_LONG,
    SHELL_WORDS,
    TWO_WORD_TOOLS,
    reading_words,
    refused_options,
    runs_anything,
)

MAX_RULE_CHARS = 4_000

_WORDS = re.compile(r"[^\s;&|<>(){}'\"=]+")
_OPAQUE = re.compile(r"[$`\\*?\[~!]|\w['\"]\w|['\"]['\"]\w|\w['\"]['\"]")
"""What makes a word of parts, or of what only the shell knows."""

_SPECIAL = frozenset(";&|<>()$`\\*?[]{}!#")
_SPECIAL_IN_QUOTES = frozenset("$`\\!")
_NEVER_BEGINNINGS = frozenset(never[:end] for never in NEVER_LONG for end in range(3, len(never) + 1))


@lru_cache(maxsize=256)
def simple_words(command: str) -> tuple[str, ...] | None:
    """The program and its arguments, when the line is that and nothing more: what runs is the same with a shell and
    without one. None for everything else."""
    # A line end, even between quotes, and whatever cannot be seen or is a space of another kind.
    if len(command) > 100_000 or not command.replace("\t", " ").isprintable():
        return None
    words: list[str] = []
    word, quote = None, ""
    previous = " "
    for char in command:
        if quote:
            if char == quote:
                quote = ""
            elif quote == '"' and char in _SPECIAL_IN_QUOTES:
                return None
            else:
                word = (word or "") + char
        elif char in " \t":
            words += [] if word is None else [word]
            word = None
        elif char in _SPECIAL or (char == "~" and previous in " \t=:"):
            return None
        elif char in "'\"":
            quote, word = char, word or ""
        else:
            word = (word or "") + char
        previous = char
    words += [] if word is None else [word]
    if quote or not words or not words[0] or "=" in words[0] or words[0][0] == "-" or words[0] in SHELL_WORDS:
        return None
    return tuple(words)


def suggested_rule(command: str, is_off_limits: Callable[[str], bool]) -> str | None:
    """The rule that "always" keeps for a command line; None where none would be narrow enough.

    Args:
        command: As the model wrote it.
        is_off_limits: Whether a path leads outside the workspace or to what no tool touches.
    """
    words = simple_words(command)
    if words is None or "/" in words[0] or runs_anything(words) or len(command) > MAX_RULE_CHARS:
        return None
    if any(is_off_limits(path) for word in words[1:] for path in _paths_in(word)):
        return None
    count = reading_words(words)
    if count and _are_plain(words, count, is_off_limits):
        return f"{shlex.join(words[:count])} *"
    return shlex.join(words)


def covers(pattern: str, command: str, is_off_limits: Callable[[str], bool]) -> bool:
    """True if a rule covers a command line. See `suggested_rule` for the arguments."""
    words = simple_words(command)
    is_beginning = pattern.endswith(" *")
    base = simple_words(pattern.removesuffix(" *"))
    if words is None or base is None or len(command) > MAX_RULE_CHARS:
        return False
    if not is_beginning:
        return words == base
    if words[: len(base)] != base or "/" in words[0] or runs_anything(words):
        return False
    is_known_by_two = words[0].casefold() in TWO_WORD_TOOLS
    # Behind the name of such a tool, a rule for all of it covers what reads; an alias can stand for anything.
    if is_known_by_two and len(base) < 2 and not reading_words(words):
        return False
    return _are_plain(words, len(base), is_off_limits)


def touches(pattern: str, command: str) -> bool:
    """True if a line may run, among others, what a rule names: wider than `covers`, for rules that forbid or ask.

    A line in which a shell would put in something that cannot be seen here counts as one that may.
    """
    wanted = pattern.casefold().removesuffix(" *").split()
    plain = simple_words(command)
    # A program that runs others may read its arguments as a shell does.
    if (plain is None or runs_anything(plain)) and _OPAQUE.search(command):
        return True
    return any(
        _come_in_order(wanted, [word.casefold() for word in words]) for words in (plain or (), _WORDS.findall(command))
    )


def _come_in_order(wanted: Sequence[str], words: Sequence[str]) -> bool:
    rest = iter(words)
    return all(any(name in (word, word.rpartition("/")[2]) for word in rest) for name in wanted)


def is_reading(command: str) -> bool:
    """True if the program of a plain command line is one that only reads."""
    words = simple_words(command)
    return words is not None and "/" not in words[0] and reading_words(words) > 0


def _are_plain(words: tuple[str, ...], start: int, is_off_limits: Callable[[str], bool]) -> bool:
    """True if the arguments from there on let the program do no more than its name says, inside the workspace."""
    refused = refused_options(words)
    return not any(
        _is_refused(word, refused) or any(is_off_limits(path) for path in _paths_in(word)) for word in words[start:]
    )


def _is_refused(word: str, refused: Sequence[str]) -> bool:
    if not word.startswith("-") or word in ("-", "--"):
        return False
    if word.startswith("--"):
        name = word.partition("=")[0]
        # Most programs take any beginning of an option's name that is clear to them.
        return name in _NEVER_BEGINNINGS or any(never.startswith(name) for never in refused)
    return any(letter[1] in word for letter in refused if len(letter) == 2)


def _paths_in(word: str) -> Iterator[str]:
    """All in an argument that a program could take for a path."""
    pieces = [word, *re.split(r"[=:,@]", word)]
    if word.startswith("-"):
        pieces += [word[index:] for index in range(2, min(len(word), 8))]
        pieces += [word[word.index("/") :]] if "/" in word else []
    yield from (piece for piece in dict.fromkeys(pieces) if piece and set(piece) != {"-"})
