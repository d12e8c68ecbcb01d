"""The flags of `%rustbot` and `%%rustbot`: how they are spelled, what they take, what they mean."""

from __future__ import annotations

import difflib
import json
import keyword
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.short_schema import parse_schema
from rustbot_jupyter.notebook.words import Word

FORMATS = {
    name: name.replace("markdown", "md") for name in ("md", "markdown", "text", "code", "json", "html", "math", "image")
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """One flag."""

    names: tuple[str, ...]
    field: str
    """The field of `MagicCall` that it sets."""
    help: str
    takes: tuple[str, ...] = ()
    """What stands behind it, as the help names it."""
    parse: Callable[..., Any] = str
    """Makes the field's value; a ValueError says what is wrong."""
    constant: Any = True
    """The value of a flag that takes nothing."""


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text in choices:
            return text
        raise ValueError(f"it is one of {', '.join(choices)}")

    return parse


def _format(text: str) -> str:
    if text.lower() in FORMATS:
        return FORMATS[text.lower()]
    near = difflib.get_close_matches(text.lower(), FORMATS, n=1)
    raise ValueError(
        f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(dict.fromkeys(FORMATS.values()))}"
    )


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError("it is a number above 0")
    return number


def _name(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError("it is no name that Python takes")
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(_name(part.strip()) for part in text.split(",") if part.strip())


def _tools(text: str) -> tuple[str, ...]:
    if text == "none":
        return ()
    return ("*",) if text == "all" else tuple(part.strip() for part in text.split(",") if part.strip())


def _option(key: str, text: str) -> dict[str, Any]:
    if not key.isidentifier():
        raise ValueError("the key is a name such as temperature")
    try:
        return {key: json.loads(text, parse_constant=_no_constant)}
    except (ValueError, RecursionError):
        return {key: text}


def _parameters(text: str) -> dict[str, Any]:
    try:
        parameters = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise ValueError("""it is a JSON object in quotes, such as '{"temperature": 0.2}'""")
    return parameters


def _no_constant(name: str) -> Any:
    raise ValueError(name)


FLAGS: tuple[Flag, ...] = (
    Flag(
        names=("-f", "--format"),
        field="format",
        takes=("FORMAT",),
        parse=_format,
        help="Show the answer as `md`, `text`, `code` (into the next cell), `json`, `html`, `math` or `image`.",
    ),
    Flag(names=("-p", "--profile"), field="profile", takes=("PROFILE",), help="Use this profile of your settings."),
    Flag(names=("-s", "--system"), field="system", takes=("SYSTEM",), help="Instructions for this question only."),
    Flag(
        names=("-o", "--option"),
        field="options",
        takes=("KEY", "VALUE"),
        parse=_option,
        help="A model parameter, such as `-o temperature 0.2`; may be repeated.",
    ),
    Flag(
        names=("-m", "--model-parameters"),
        field="options",
        takes=("JSON",),
        parse=_parameters,
        help="Several model parameters as one JSON object.",
    ),
    Flag(names=("--api-base",), field="base_url", takes=("URL",), help="Ask this server instead."),
    Flag(
        names=("--vars",),
        field="variables",
        takes=("a,b",),
        parse=_names,
        help="Describe these variables to the model.",
    ),
    Flag(
        names=("--schema-only",),
        field="schema_only",
        help="Send names, dtypes and shapes of variables, no value. Earlier messages may hold some, so they stay "
        "at home too, unless `-c` sends them.",
    ),
    Flag(
        names=("--tools",),
        field="tools",
        takes=("LIST|none|all",),
        parse=_tools,
        help="Offer only these tools, such as `--tools list_variables,evaluate`; `none` offers none.",
    ),
    Flag(
        names=("--approve",),
        field="approve",
        takes=("ask|deny|allow",),
        parse=_choice("ask", "deny", "allow"),
        help="What happens with tools that do more than read: ask you, refuse, or run without asking.",
    ),
    Flag(names=("--out",), field="out", takes=("NAME",), parse=_name, help="Put the reply into this variable."),
    Flag(
        names=("--new", "-r", "--reset"),
        field="history",
        constant="new",
        help="Start a new conversation with this question.",
    ),
    Flag(
        names=("-c", "--continue"),
        field="history",
        constant="continue",
        help="Go on with the conversation (the default, but for `--schema-only`).",
    ),
    Flag(
        names=("--no-history",),
        field="history",
        constant="none",
        help="Ask beside the conversation: nothing of it is sent, and it does not remember.",
    ),
    Flag(names=("--no-stream",), field="stream", constant=False, help="Show the answer when it is whole."),
    Flag(names=("--bg",), field="background", help="Do not wait; the answer appears while you work on."),
    Flag(
        names=("--dry-run",),
        field="dry_run",
        help="Show what would be sent, its tokens and its cost, and send nothing.",
    ),
    Flag(
        names=("--max-cost",),
        field="max_cost_usd",
        takes=("USD",),
        parse=_positive,
        help="Send nothing that could cost more than this.",
    ),
    Flag(
        names=("--timeout",),
        field="timeout_s",
        takes=("S",),
        parse=_positive,
        help="Stop the answer after so many seconds.",
    ),
    Flag(
        names=("--on-error",),
        field="on_error",
        takes=("raise|show",),
        parse=_choice("raise", "show"),
        help="Stop the notebook on a failure (`raise`, the default) or only show it.",
    ),
    Flag(
        names=("--schema",),
        field="schema",
        takes=("SPEC",),
        parse=parse_schema,
        help="Get JSON of this form, such as `--schema 'name, age int'`, or a JSON schema.",
    ),
    Flag(
        names=("--eval",),
        field="evaluate",
        help="The cell is Python code; the value of its last line is the question.",
    ),
    Flag(names=("-h", "--help"), field="help", help="Show this help."),
)

_BY_NAME = {name: flag for flag in FLAGS for name in flag.names}


def read_flags(words: Iterator[Word], *, until_text: bool = False) -> tuple[dict[str, Any], list[Word], Word | None]:
    """The fields that flags set, the other words, and the word at which reading stopped.

    Args:
        words: The words to read; consumed as far as needed.
        until_text: Stop at the first word that is no flag, or behind `--`; else read to the end.

    Raises:
        RequestError: An unknown flag, or a value that it does not take.
    """
    fields: dict[str, Any] = {}
    others: list[Word] = []
    for word in words:
        if until_text and word.text == "--" and not word.is_quoted:
            return fields, others, next(words, None)
        if word.is_flag:
            _read_flag(word, words, fields)
        elif until_text:
            return fields, others, word
        else:
            others.append(word)
    return fields, others, None


def _read_flag(word: Word, words: Iterator[Word], fields: dict[str, Any]) -> None:
    name, has_value, attached = word.text.partition("=")
    flag = _BY_NAME.get(name)
    if flag is None:
        near = difflib.get_close_matches(name, _BY_NAME, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`%rustbot help` lists them all."
        raise RequestError(f"There is no flag {name!r}; {hint}")
    values = [attached] if has_value else []
    if has_value and not flag.takes:
        raise RequestError(f"{name!r} takes no value; leave {'=' + attached!r} away.")
    values += _values(flag, name, words, len(values))
    _set(fields, flag, name, values)


def _values(flag: Flag, name: str, words: Iterator[Word], have: int) -> list[str]:
    values: list[str] = []
    for wanted in flag.takes[have:]:
        word = next(words, None)
        if word is None or (word.is_flag and word.text.partition("=")[0] in _BY_NAME):
            raise RequestError(
                f"{name!r} needs a value behind it: {name} {' '.join(flag.takes)} ({wanted} is missing)."
            )
        values.append(word.text)
    # `--vars a, b` is what people write as well as `--vars a,b`.
    while flag.field == "variables" and values[-1].endswith(",") and (word := next(words, None)) is not None:
        values[-1] += word.text
    return values


def _set(fields: dict[str, Any], flag: Flag, name: str, values: Sequence[str]) -> None:
    try:
        value = flag.parse(*values) if flag.takes else flag.constant
    except ValueError as error:
        reason = str(error) if str(error).endswith("?") else f"{error}."
        raise RequestError(f"{name!r} cannot be {' '.join(values)!r}: {reason}") from error
    before = fields.get(flag.field)
    if flag.field == "history" and before not in (None, value):
        raise RequestError("'--new', '-c' and '--no-history' exclude each other; keep one of them.")
    if flag.field == "options":
        value = {**(before or {}), **value}
    if flag.field == "variables":
        value = tuple(dict.fromkeys((*(before or ()), *value)))
    fields[flag.field] = value
