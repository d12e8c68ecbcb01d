"""The tool that a question wants used: pasted code, tools called by name, and phrases, in this order."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rustbot_jupyter.llm.demo_rules.tool_arguments import Schema, called, named
from rustbot_jupyter.llm.demo_rules.tool_phrases import CLOSING, phrase_wish
from rustbot_jupyter.llm.demo_rules.tool_wish import ToolWish, code_wish, command_wish

MOST_CHARS = 20_000
"""Of code to be run and of text to be written."""


def wish_in(text: str, offered: Mapping[str, Schema]) -> ToolWish | None:
    """The first tool wish that fits the text; None if it asks for nothing that a tool does."""
    if len(text) > MOST_CHARS:
        return None
    core = _POLITE.sub("", text.strip(), count=1).strip()
    return _fenced_code(text) or _named_tool(core, offered) or phrase_wish(core)


_POLITE = re.compile(
    r"\A\W{0,3}(?:(?:please|kindly|now|then|ok(?:ay)?|hey|hi|(?:can|could|would|will) you|"
    r"i(?:'d| would) like (?:you )?to|i want (?:you )?to|let us|let's)\b[\s,]*)+",
    re.IGNORECASE,
)


def _fenced_code(text: str) -> ToolWish | None:
    fences = list(_FENCE.finditer(text))
    around = _FENCE.sub(" ", text).strip()
    if len(fences) != 1 or len(around) > 80 or not _ASKS_RUN.search(around) or _ASKS_OTHER.search(around):
        return None
    code = fences[0]["body"].strip("\n")
    if fences[0]["language"].lower() in {"bash", "sh", "shell", "console"}:
        return command_wish(code)
    return code_wish(code) if fences[0]["language"].lower() in {"", "python", "py", "python3", "ipython"} else None


_FENCE = re.compile(
    r"^(?P<mark>`{3,20}(?!`)|~{3,20}(?!~))[ \t]*(?P<language>[\w+.-]*)[^\n]*\n(?P<body>.*?)^(?P=mark)[ \t]*$",
    re.M | re.S,
)
_ASKS_RUN = re.compile(r"\b(?:run|execute)\b", re.IGNORECASE)
_ASKS_OTHER = re.compile(r"\b(?:explain|fix|why|what|how|don't|do not|review|wrong)\b", re.IGNORECASE)


def _named_tool(text: str, offered: Mapping[str, Schema]) -> ToolWish | None:
    match = _NAMED.match(text)
    if match is None:
        return None
    name, rest = match["name"], text[match.end() :].strip()
    if not (name in offered or match["marked"] or "__" in name or _GIVES_ARGUMENTS.match(rest)):
        return None
    schema = offered.get(name, {})
    inner = re.fullmatch(r"\((?P<inside>.*)\)[\s.!?]*", rest, re.DOTALL)
    arguments = called(inner["inside"], schema) if inner else None
    if arguments is None:
        arguments = named(re.sub(r"^(?:with|on|for|to|:)\s*", "", CLOSING.sub("", rest)), schema)
    return ToolWish(tool=name, said=f"I'll use `{name}`.", arguments=arguments)


_NAMED = re.compile(
    r"(?:use|call|invoke|run|try)\s+(?P<marked>(?:the |my )?tool:? )?(?:the |my )?"
    r"`?(?P<name>[A-Za-z][\w-]{0,63})`?(?=[\s(:!?]|\.?\Z)(?:\s+tool\b)?",
    re.IGNORECASE,
)
_GIVES_ARGUMENTS = re.compile(r"with\s+[^\W\d]\w*\s*=", re.IGNORECASE)
