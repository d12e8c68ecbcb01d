"""Reading Python code of a message, and correcting one small mistake in its syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Mended:
    """Corrected code, and the sentence that says what was changed."""

    code: str
    change: str


def parses(code: str) -> bool:
    """True if Python can read the code, magics and shell lines left out."""
    return isinstance(parsed(code), ast.Module)


def parsed(code: str) -> ast.Module | SyntaxError:
    """The syntax tree of a cell, or why there is none; `%magic`, `!shell` and `name?` lines count as empty."""
    plain = re.sub(r"^([ \t]*)(?:[%!].*|[\w.]+\?\??)$", r"\1pass", code, flags=re.MULTILINE)
    try:
        return ast.parse(plain)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error) or "too deeply nested")


def mend_syntax(code: str) -> Mended | None:
    """The code with a mistake in its syntax corrected, if one small change makes it parse."""
    error = parsed(code)
    if isinstance(error, ast.Module):
        return None
    lines = code.split("\n")
    at = min(max((error.lineno or 1) - 1, 0), len(lines) - 1)
    for change, candidate in _syntax_candidates(error.msg, lines, at):
        if candidate != code and parses(candidate):
            return Mended(code=candidate, change=change)
    return None


def _syntax_candidates(message: str, lines: list[str], at: int) -> Iterable[tuple[str, str]]:
    def with_line(text: str, index: int = at) -> str:
        return "\n".join([*lines[:index], text, *lines[index + 1 :]])

    line = lines[at]
    body, comment = _without_comment(line)
    yield "A colon was missing at the end of the line.", with_line(f"{body}:{comment}")
    if "print" in line:
        yield (
            "In Python 3 `print` is a function and wants parentheses.",
            with_line(re.sub(r"\bprint\s+(.+)$", r"print(\1)", line)),
        )
    yield "A comparison is written `==`; a single `=` assigns.", with_line(re.sub(r"(?<![=!<>:])=(?!=)", "==", line))
    for closing in (")", "]", "}"):
        yield f"A `{closing}` was missing.", with_line(f"{body}{closing}{comment}")
        yield f"A `{closing}` was missing.", with_line(re.sub(r"(:?)\s*$", rf"{closing}\1", body) + comment)
        yield (
            f"There was one `{closing}` too many.",
            with_line(body[: body.rfind(closing)] + body[body.rfind(closing) + 1 :]),
        )
        if at and "never closed" not in message:
            yield f"A `{closing}` was missing in the line before.", with_line(lines[at - 1] + closing, at - 1)
    for quote in ('"', "'"):
        yield "A quotation mark was missing at the end of the text.", with_line(line.rstrip() + quote)
        yield (
            "A quotation mark was missing at the end of the text.",
            with_line(re.sub(r"(\)+:?)\s*$", rf"{quote}\1", line)),
        )
    yield "The block below the colon must be indented.", with_line("    " + line)
    yield "The line was indented without a reason.", with_line(line.lstrip())
    if at:
        before = re.match(r"\s*", lines[at - 1])
        yield "The line is now indented like the one before.", with_line((before[0] if before else "") + line.lstrip())
    yield "The block was empty; `pass` fills it.", "\n".join([*lines, "    pass"])
    yield "`else if` is written `elif`.", with_line(re.sub(r"\belse if\b", "elif", line))
    yield "Tabs and spaces were mixed; it is all spaces now.", "\n".join(lines).expandtabs(4)
    yield (
        "Typographic quotation marks are now straight ones.",
        re.sub("[‘’]", "'", re.sub("[“”]", '"', "\n".join(lines))),
    )
    for wrong, right in (
        ("&&", "and"),
        ("||", "or"),
        ("++", " += 1"),
        ("null", "None"),
        ("true", "True"),
        ("false", "False"),
    ):
        yield f"`{wrong}` is written `{right.strip()}` in Python.", with_line(line.replace(wrong, right))


def _without_comment(line: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?P<body>(?:[^#'\"]|'[^']*'|\"[^\"]*\")*?)(?P<comment>\s*(?:#.*)?)", line)
    return (match["body"], match["comment"]) if match else (line.rstrip(), "")
