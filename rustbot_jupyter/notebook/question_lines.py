"""Lines such as `%rustbot what is this?`, which IPython would take for a request to show help on `this`.

`InteractiveShell.input_transformer_manager.token_transformers` is the place for the class below. IPython tries the
transformers of one place in the code by priority and takes the first; its own help syntax (`name?`) comes before
magics, so a question needs to come before that.
"""

from __future__ import annotations

from tokenize import DEDENT, INDENT, TokenInfo

from IPython.core.inputtransformer2 import (
    MagicAssign,
    TokenTransformBase,
    assemble_continued_line,
    find_end_of_continued_line,
)

MAGIC = "rustbot"


class QuestionLine(TokenTransformBase):
    """Turns `%rustbot ...` and `name = %rustbot ...` into calls of the magic, question marks included."""

    priority = 1

    def __init__(self, start: tuple[int, int], percent: tuple[int, int]) -> None:
        super().__init__(start)  # type: ignore[no-untyped-call]
        self._percent_line = percent[0] - 1
        self._percent_column = percent[1]

    @classmethod
    def find(cls, tokens_by_line: list[list[TokenInfo]]) -> QuestionLine | None:
        """The first such line, or None."""
        for line in tokens_by_line:
            tokens = [token for token in line if token.type not in (INDENT, DEDENT)]
            for place in (0, _behind_assignment(line, tokens)):
                if place is not None and _is_magic(tokens[place : place + 3]):
                    return cls(tokens[0].start, tokens[place].start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """The lines with this one replaced."""
        first = self._percent_line
        last = find_end_of_continued_line(lines, first)
        call = assemble_continued_line(lines, (first, self._percent_column), last)
        arguments = call.removeprefix(f"%{MAGIC}").strip()
        before = lines[first][: self._percent_column]
        new = f"{before}get_ipython().run_line_magic({MAGIC!r}, {arguments!r})\n"
        return [*lines[:first], new, *lines[last + 1 :]]


def _behind_assignment(line: list[TokenInfo], tokens: list[TokenInfo]) -> int | None:
    assignment = MagicAssign.find([line])  # type: ignore[no-untyped-call]
    if assignment is None:
        return None
    column = assignment.start_col
    return next((place for place, token in enumerate(tokens) if token.start[1] == column), None)


def _is_magic(tokens: list[TokenInfo]) -> bool:
    """True if these are `%`, `rustbot` and something apart from it; `%rustbot?` stays a request for help."""
    if [token.string for token in tokens[:2]] != ["%", MAGIC] or len(tokens) < 3:
        return False
    percent, name, behind = tokens
    return percent.end == name.start and behind.start > name.end and bool(behind.string.strip())
