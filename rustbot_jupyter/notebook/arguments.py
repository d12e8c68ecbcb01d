"""The wishes of a `%rustbot` line or a `%%rustbot` cell, as one value.

How a line is read: flags first; then a command (`fix 3`) or a question as typed, to the end of the line. A first
word that names a command is one when what follows fits it: `explain`, `explain 3` and `explain 3 -f code` are the
command, `explain how trees work` and `explain 3 ways to sort` are questions. A line in doubt is never sent: it gives
an error that says how to ask. Quotes around the whole, or `--` before it, make anything a question.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice, takewhile
from typing import Any, NoReturn

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.flags import read_flags
from rustbot_jupyter.notebook.words import Word, split_words

MAX_COMMAND_WORDS = 100


class Verb(StrEnum):
    """The thing to do."""

    ASK = "ask"
    CHAT = "chat"
    FIX = "fix"
    EXPLAIN = "explain"
    MODELS = "models"
    ALIAS = "alias"
    DEALIAS = "dealias"
    USAGE = "usage"
    COST = "cost"
    STATUS = "status"
    STOP = "stop"
    RESET = "reset"
    EXPORT = "export"
    TOOLS = "tools"
    MCP = "mcp"
    DOCTOR = "doctor"
    HELP = "help"
    VERSION = "version"


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A verb that can be written on a line, and what may follow it."""

    verb: Verb
    help: str
    usage: str = ""
    least: int = 0
    most: int = 0


COMMANDS: dict[str, Command] = {
    command.verb.value: command
    for command in (
        Command(verb=Verb.CHAT, help="Show the chat below the cell, ready to type in; `%rustbot` alone does the same."),
        Command(verb=Verb.FIX, usage="[N]", most=2, help="Correct the last cell that failed, or cell N."),
        Command(verb=Verb.EXPLAIN, usage="[N]", most=2, help="Explain the last error, or cell N."),
        Command(verb=Verb.MODELS, usage="[WORD]", most=1, help="List the models and their prices."),
        Command(verb=Verb.ALIAS, usage="NAME MODEL", most=2, help="Give a model a short name; alone, list them."),
        Command(verb=Verb.DEALIAS, usage="NAME", least=1, most=1, help="Forget a short name."),
        Command(verb=Verb.USAGE, help="Show tokens and cost of each request as a frame."),
        Command(verb=Verb.COST, help="Show what was spent."),
        Command(verb=Verb.STATUS, help="Show the model, the state and the conversation."),
        Command(verb=Verb.STOP, help="Stop the answer that is being written."),
        Command(verb=Verb.RESET, help="Start a new conversation."),
        Command(
            verb=Verb.EXPORT, usage="PATH", least=1, most=1, help="Write the conversation to a Markdown file (`.md`)."
        ),
        Command(verb=Verb.TOOLS, help="List the tools, and what each may do."),
        Command(
            verb=Verb.MCP,
            usage="list|add|remove|restart|log",
            most=MAX_COMMAND_WORDS,
            help="Manage MCP servers: `%rustbot mcp add NAME COMMAND …`.",
        ),
        Command(verb=Verb.DOCTOR, help="Check the installation, the key, the connection, the sandbox and MCP servers."),
        Command(verb=Verb.HELP, help="Show this help."),
        Command(verb=Verb.VERSION, help="Show the version."),
    )
}
SPELLINGS = {
    **{name: name for name in COMMANDS},
    "error": "fix",
    "register": "alias",
    "update": "alias",
    "delete": "dealias",
    "list": "models",
}
"""Every word that is a command; those of Jupyter AI's `%ai` too."""

NOT_YET = {
    "save": "keeps conversations in a later version; '%rustbot export PATH.md' writes this one.",
    "load": "opens kept conversations in a later version; so far a conversation ends with its kernel.",
}
"""Commands people know from the plan or from other assistants: as questions they would cost money."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MagicCall:
    """One use of the magic. None and empty mean: as the settings say."""

    verb: Verb = Verb.ASK
    arguments: tuple[str, ...] = ()
    """What stands behind a command; the cell's number of fix and explain is `cell_number`."""
    cell_number: int | None = None
    question: str = ""
    """As typed, nothing replaced; for fix and explain a further wish, or ""."""
    model: str | None = None
    """The model's id as typed, an alias already replaced."""
    format: str = "md"
    profile: str | None = None
    system: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Model parameters, from `-o` and `-m`."""
    base_url: str | None = None
    variables: tuple[str, ...] = ()
    schema_only: bool = False
    tools: tuple[str, ...] | None = None
    """Names or patterns of the tools that are offered; () for none."""
    approve: str | None = None
    """ask, deny or allow."""
    out: str | None = None
    history: str = ""
    """continue, new or none; "" when no flag said so."""
    stream: bool = True
    background: bool = False
    dry_run: bool = False
    max_cost_usd: float | None = None
    timeout_s: float | None = None
    on_error: str = "raise"
    schema: Mapping[str, Any] | None = None
    """A JSON schema; with it the format is json unless another was given."""
    evaluate: bool = False
    """The question is Python code whose value is the question."""

    @property
    def uses_history(self) -> bool:
        """True if the question is part of a conversation. Earlier messages may hold values, so `--schema-only` asks
        beside it unless a flag says otherwise."""
        return self.history != "none" and not (self.schema_only and not self.history)


def parse_cell(
    line: str, cell: str, *, aliases: Mapping[str, str] | None = None, models: Collection[str] = ()
) -> MagicCall:
    """Return what a `%%rustbot` cell asks for.

    Args:
        line: Behind `%%rustbot`: a model or alias, or `fix` or `explain`; and flags.
        cell: The lines below: the question.
        aliases: Short names and their models.
        models: All models there are, to notice a misspelled one; empty when they are not known.

    Raises:
        RequestError: One sentence about what cannot be understood.
    """
    names = _Names(aliases or {}, models)
    fields, words, _ = read_flags(split_words(line))
    if fields.pop("help", False):
        return MagicCall(verb=Verb.HELP)
    if words and (command := _command_of(words[0])) and not names.is_known(words[0].text):
        if command.verb not in (Verb.FIX, Verb.EXPLAIN):
            raise RequestError(f"{words[0].text!r} is a command for one line: write %rustbot {command.verb} by itself.")
        return _command_call(command, words[1:], fields, names, cell.strip("\n"))
    if len(words) > 1:
        raise RequestError(
            f"Behind %%rustbot stand one model and flags; {words[1].text!r} is neither. "
            "Write the question below it, or behind a single %rustbot."
        )
    if not cell.strip():
        raise RequestError("There is no question: write it in the lines below %%rustbot.")
    model = names.model(words[0].text, fields) if words else None
    return _ask(cell.strip("\n"), model, fields)


def parse_line(line: str, *, aliases: Mapping[str, str] | None = None, models: Collection[str] = ()) -> MagicCall:
    """Return what a `%rustbot` line asks for; the arguments and errors are those of `parse_cell`.

    A model in front of a question counts as one only when it is an alias or among `models`.
    """
    names = _Names(aliases or {}, models)
    words = split_words(line)
    fields, _, first = read_flags(words, until_text=True)
    if fields.pop("help", False):
        return MagicCall(verb=Verb.HELP)
    if not line.strip():
        return MagicCall(verb=Verb.CHAT)
    if first is None:
        raise RequestError("There is no question: write it behind the flags.")
    is_forced = line[: first.start].rstrip().endswith("--")
    second = next(words, None)
    if first.is_quoted and second is None:
        return _ask(first.text, None, fields)
    if not is_forced and (call := _as_command(line, first, fields, names)) is not None:
        return call
    if second is not None and names.is_known(first.text) and not is_forced:
        return _ask(line[second.start :], names.model(first.text, fields), fields)
    return _ask(line[first.start :], None, fields)


def _ask(question: str, model: str | None, fields: dict[str, Any]) -> MagicCall:
    if not question.strip():
        raise RequestError("There is no question: write what you want to know.")
    if fields.get("schema") is not None:
        fields.setdefault("format", "json")
    return MagicCall(verb=Verb.ASK, question=question.rstrip(), model=model, **fields)


def _command_of(word: Word) -> Command | None:
    return None if word.is_quoted else COMMANDS.get(SPELLINGS.get(word.text.lower(), ""))


_HOW_TO_ASK = "To ask it as a question, put it in quotes."


def _as_command(line: str, first: Word, fields: dict[str, Any], names: _Names) -> MagicCall | None:
    """The command on this line, or None when it is a question."""
    words = list(islice(split_words(line, first.start), 1, MAX_COMMAND_WORDS + 1))
    before_flags = list(takewhile(lambda word: not word.is_flag, words))
    command = _command_of(first)
    if command is not None and command.verb is Verb.MCP:
        return _mcp_call(words)
    if command is None:
        _refuse_misspelled(first, before_flags, names)
        return None
    if not _fits(command, before_flags, names):
        return None
    try:
        more, arguments, _ = read_flags(iter(words))
    except RequestError as error:
        raise RequestError(f"{error} {_HOW_TO_ASK}") from error
    if more.pop("help", False):
        return MagicCall(verb=Verb.HELP)
    return _command_call(command, arguments, {**fields, **more}, names, "")


MCP_ACTIONS = ("list", "add", "remove", "start", "stop", "restart", "log")


def _mcp_call(words: Sequence[Word]) -> MagicCall | None:
    """The command, its words as typed: `-y` belongs to `npx -y`, not to us. None when it is a question."""
    texts = tuple(word.text for word in words)
    if texts and texts[0].lower() not in MCP_ACTIONS:
        return None
    return MagicCall(verb=Verb.MCP, arguments=texts)


def _fits(command: Command, arguments: Sequence[Word], names: _Names) -> bool:
    if len(arguments) > command.most:
        return False
    if command.verb in (Verb.FIX, Verb.EXPLAIN):
        numbers = [word for word in arguments if _is_number(word.text)]
        known = [word for word in arguments if names.is_known(word.text)]
        return len(numbers) <= 1 and len(known) <= 1 and len(numbers) + len(known) == len(arguments)
    return True


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _refuse_misspelled(first: Word, arguments: Sequence[Word], names: _Names) -> None:
    """Stop a line such as `modles gpt`, which would cost money as a question."""
    if first.is_quoted or names.is_known(first.text):
        return
    if first.text.lower() in NOT_YET and len(arguments) <= 1:
        raise RequestError(f"'%rustbot {first.text}' {NOT_YET[first.text.lower()]} {_HOW_TO_ASK}")
    near = difflib.get_close_matches(first.text.lower(), SPELLINGS, n=1, cutoff=0.8)
    if near and _fits(COMMANDS[SPELLINGS[near[0]]], arguments, names):
        raise RequestError(f"There is no command {first.text!r}; did you mean {near[0]!r}? {_HOW_TO_ASK}")


def _command_call(
    command: Command, arguments: Sequence[Word], fields: dict[str, Any], names: _Names, wish: str
) -> MagicCall:
    texts = tuple(word.text for word in arguments)
    if (
        not _fits(command, arguments, names)
        or len(texts) < command.least
        or (command.verb is Verb.ALIAS and len(texts) == 1)
    ):
        _refuse_arguments(command, texts)
    if command.verb not in (Verb.FIX, Verb.EXPLAIN):
        return MagicCall(verb=command.verb, arguments=texts, **fields)
    number = next((int(text) for text in texts if _is_number(text)), None)
    model = next((names.model(text, fields) for text in texts if not _is_number(text)), None)
    return MagicCall(verb=command.verb, cell_number=number, model=model, question=wish.strip(), **fields)


def _refuse_arguments(command: Command, texts: Sequence[str]) -> NoReturn:
    usage = f"%rustbot {command.verb} {command.usage}".rstrip()
    got = f"{' '.join(texts)!r} does not fit" if texts else "something is missing"
    raise RequestError(f"The command is written {usage!r}; {got}. {_HOW_TO_ASK}")


class _Names:
    """The models that words may stand for."""

    def __init__(self, aliases: Mapping[str, str], models: Collection[str]) -> None:
        self._aliases = aliases
        self._models = models

    def is_known(self, word: str) -> bool:
        return word in self._aliases or _without_variant(word) in self._models

    def model(self, word: str, fields: Mapping[str, Any]) -> str:
        """The model that a word names.

        Raises:
            RequestError: All models are known, and it is none of them.
        """
        if word in self._aliases:
            return self._aliases[word]
        is_elsewhere = not self._models or fields.get("base_url") or fields.get("profile")
        if is_elsewhere or self.is_known(word) or word.startswith("~") or self.is_known(word.replace(":", "/", 1)):
            return word
        near = self._nearest(word)
        hint = f"did you mean {near!r}?" if near else "`%rustbot models` lists them."
        raise RequestError(f"There is no model {word!r}; {hint}")

    def _nearest(self, word: str) -> str | None:
        full_names = {model.rpartition("/")[2]: model for model in self._models}
        full_names |= {name: name for name in (*self._models, *self._aliases)}
        near = difflib.get_close_matches(word, full_names, n=1)
        return full_names[near[0]] if near else None


def _without_variant(word: str) -> str:
    """The id without OpenRouter's `:free`, `:nitro`, `:online`, ..."""
    vendor, slash, rest = word.partition("/")
    return f"{vendor}/{rest.partition(':')[0]}" if slash else word
