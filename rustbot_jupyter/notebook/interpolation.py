r"""Questions with the user's variables put in; text that is no variable is never touched.

- `{name}`, `{name.attr}`, `{name[key]}`, `{name["key"]}`, `{name[0]}`, also chained, are replaced when they resolve:
  plain look-ups only, no calls, no operators, no names with two leading underscores. What does not resolve stays as
  typed: `{}`, `{"a": 1}`, `{x+1}`, `{x:.2f}`. So does what belongs to another language, see `foreign_braces`.
- `{{name}}` and `{{name.attr}}` become `{name}` and `{name.attr}`; other doubled braces stay.
- `` $`expression` `` is replaced by the expression's value; `` \$`...` `` stays as `` $`...` ``.
- A value that was put in is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.notebook.foreign_braces import ForeignBraces
from rustbot_jupyter.settings.redaction import redact_for_request
from rustbot_jupyter.tools.variables import DEFAULT_BUDGET_CHARS, describe


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpolated:
    """A question as it will be sent."""

    text: str
    names: tuple[str, ...]
    """What was replaced, as typed between the braces or backticks, in order."""
    places: tuple[tuple[int, int], ...] = ()
    """Where in the text each of these begins and ends."""
    kept: tuple[str, ...] = ()
    """What names a variable and stays as typed all the same, as its braces belong to another language."""
    problems: tuple[str, ...] = ()
    """One sentence for each `` $`expression` `` that failed; it stands in the text as typed."""


def interpolate(
    text: str,
    namespace: dict[str, Any],
    *,
    schema_only: bool = False,
    budget_chars: int = DEFAULT_BUDGET_CHARS,
) -> Interpolated:
    """The text with variables and expressions replaced; never fails, whatever the text.

    Args:
        text: What the user typed.
        namespace: The user's variables; expressions are evaluated in it.
        schema_only: Put in names, dtypes and shapes, no values.
        budget_chars: The room for one value; plain text gets more.
    """
    filler = _Filler(text, namespace, schema_only, budget_chars)
    return Interpolated(
        text=filler.filled(),
        names=tuple(filler.names),
        places=tuple(filler.places),
        kept=tuple(dict.fromkeys(filler.kept)),
        problems=tuple(filler.problems),
    )


_EXPRESSION = re.compile(r"(\\?)\$`([^`\n]+)`")
_STEP = r"""\.[^\W\d]\w*|\[(?:-?\d+|"[^"{}\n]*"|'[^'{}\n]*'|[^\[\]{}"'\n]+)\]"""
_PLACEHOLDER = re.compile(rf"\{{(?P<name>[^\W\d]\w*)(?P<steps>(?:{_STEP})*)\}}")
_LITERAL = re.compile(r"\{(?P<inner>\{[^\W\d]\w*(?:\.[^\W\d]\w*)*\})\}(?!\})")
_STEPS = re.compile(_STEP)
_NOTHING = object()


class _Filler:
    """One walk over the text, from left to right."""

    def __init__(self, text: str, namespace: dict[str, Any], schema_only: bool, budget_chars: int) -> None:
        self.names: list[str] = []
        self.places: list[tuple[int, int]] = []
        self.kept: list[str] = []
        self.problems: list[str] = []
        self._text = text
        self._namespace = namespace
        self._schema_only = schema_only
        self._budget_chars = budget_chars
        self._expressions = {match.start(): match for match in _EXPRESSION.finditer(text)}
        self._foreign = ForeignBraces(text)

    def filled(self) -> str:
        pieces: list[str] = []
        length = 0
        for piece, is_put_in in self._pieces():
            if is_put_in:
                self.places.append((length, length + len(piece)))
            pieces.append(piece)
            length += len(piece)
        return "".join(pieces)

    def _pieces(self) -> Iterator[tuple[str, bool]]:
        """The text in pieces, each with whether it was put in."""
        text, place = self._text, 0
        for stop in re.finditer(r"\{|\\?\$`", text):
            start = stop.start()
            if start < place:
                continue
            yield text[place:start], False
            place = start
            if start in self._expressions:
                yield self._expression(self._expressions[start])
                place = self._expressions[start].end()
            elif literal := _LITERAL.match(text, start):
                yield (literal[0] if self._foreign.has(start, literal.end()) else literal["inner"]), False
                place = literal.end()
            elif placeholder := _PLACEHOLDER.match(text, start):
                yield self._placeholder(placeholder)
                place = placeholder.end()
        yield text[place:], False

    def _placeholder(self, match: re.Match[str]) -> tuple[str, bool]:
        if match["name"] not in self._namespace:
            return match[0], False
        if self._foreign.has(match.start(), match.end()):
            self.kept.append(match[0][1:-1])
            return match[0], False
        value = _look_up(self._namespace, match["name"], match["steps"])
        return (match[0], False) if value is _NOTHING else (self._shown(match[0][1:-1], value, match), True)

    def _expression(self, match: re.Match[str]) -> tuple[str, bool]:
        escape, source = match.groups()
        if escape:
            return match[0][1:], False
        try:
            value = eval(source.strip(), self._namespace)
        # The expression is the user's code; it may raise anything.
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            self.problems.append(
                f"`{source}` could not be put into the question: {reason}. "
                f"Correct it, or write \\$`{source}` to send it as typed."
            )
            return match[0], False
        return self._shown(source.strip(), value, match), True

    def _shown(self, name: str, value: Any, match: re.Match[str]) -> str:
        self.names.append(name)
        shown = describe(name, value, schema_only=self._schema_only, budget_chars=self._budget_chars, inline=True)
        shown = redact_for_request(shown, self._namespace)
        if isinstance(value, str) or "\n" not in shown:
            return shown
        before = "" if self._text[: match.start()].endswith("\n") or match.start() == 0 else "\n"
        after = "" if match.end() == len(self._text) or self._text[match.end()] == "\n" else "\n"
        return f"{before}{shown}{after}"


def _look_up(namespace: dict[str, Any], name: str, steps: str) -> Any:
    """The value at the end of the path, or `_NOTHING`."""
    value = namespace.get(name, _NOTHING)
    for step in _STEPS.findall(steps):
        if value is _NOTHING or step.startswith(".__"):
            return _NOTHING
        try:
            value = getattr(value, step[1:]) if step[0] == "." else _item(value, step[1:-1])
        # Attributes and items can be the user's code; what fails is not a variable.
        except Exception:
            return _NOTHING
    return value


def _item(value: Any, key: str) -> Any:
    if key[0] in "\"'":
        return _get(value, key[1:-1])
    if not key.lstrip("-").isdecimal():
        return _get(value, key)
    number = _get(value, int(key)) if not isinstance(value, str) else value[int(key)]
    return _get(value, key) if number is _NOTHING else number


def _get(value: Any, key: str | int) -> Any:
    # Asking a defaultdict for a missing key would put it in.
    if isinstance(value, dict):
        return dict.get(value, key, _NOTHING)
    return value[key]
