"""An answer in the form that `-f` asks for: code for the next cell, JSON, mathematics, HTML."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterator
from typing import Any

from rustbot_jupyter.errors import InvalidAnswer
from rustbot_jupyter.fences import code_blocks

# No formula begins within another, so that a search ends where the next one begins.
_BRACKETS = re.compile(r"\\\[((?:(?!\\[\[\]]).)+)\\\]", re.DOTALL)
_PARENTHESES = re.compile(r"\\\(((?:(?!\\[()]).)+)\\\)", re.DOTALL)
_PYTHON = {"", "python", "py", "python3", "ipython", "ipython3", "jupyter"}


def code_for_cell(text: str) -> str:
    """The answer's Python code, blocks below each other; "" when it has none.

    Blocks in other languages (a shell command, sample output) are left out unless there is nothing else. An answer
    without any fence counts as code when it parses as such.
    """
    blocks = code_blocks(text)
    if not blocks:
        return text.strip() if _is_python(text) else ""
    chosen = [block for block in blocks if block.language in _PYTHON] or blocks
    return "\n\n".join(block.code.rstrip() for block in chosen if block.code.strip())


def _is_python(text: str) -> bool:
    lines = [line for line in text.strip().splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    is_one_word = (
        len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Name)
    )
    return bool(text.strip()) and not is_one_word


def json_value(text: str) -> Any:
    """The JSON in an answer: all of it, a fenced block, or what stands between the outermost brackets.

    Raises:
        InvalidAnswer: There is none, or it is broken; the message says where.
    """
    failure: ValueError | RecursionError | None = None
    for candidate in _json_candidates(text):
        try:
            return json.loads(candidate, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            failure = error
    reason = str(failure) if re.search(r"[{\[]", text) else "it is plain text"
    raise InvalidAnswer(
        f"The answer is not JSON: {reason}. Ask again with --schema, or look at the text with -f text.",
        detail=text[:500],
    ) from failure


def _json_candidates(text: str) -> Iterator[str]:
    """The likeliest last, so that its error is the one to tell."""
    text = text.strip().lstrip("\ufeff")
    whole = [text] if text else []
    outermost = [part] if (part := _between_brackets(text)) else []
    fenced = [block.code for block in code_blocks(text) if block.language in ("json", "", "jsonc", "json5")]
    yield from [*whole, *fenced, *outermost] if not fenced else [*whole, *outermost, *fenced]


def _between_brackets(text: str) -> str:
    starts = [place for place in (text.find("{"), text.find("[")) if place >= 0]
    return text[min(starts) : max(text.rfind("}"), text.rfind("]")) + 1] if starts else ""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def latex_source(text: str) -> str:
    """Text for IPython's `Latex`: one formula as a displayed one, prose with formulas as it is, delimiters unified."""
    blocks = [block.code.strip() for block in code_blocks(text) if block.language in ("latex", "tex", "math", "")]
    source = "\n".join(f"$$\n{_bare_formula(code)}\n$$" for code in blocks) if blocks else text.strip()
    source = _BRACKETS.sub(r"$$\1$$", source)
    source = _PARENTHESES.sub(r"$\1$", source)
    return source if "$" in source or not source else f"$$\n{source}\n$$"


def _bare_formula(code: str) -> str:
    for opening, closing in (("$$", "$$"), (r"\[", r"\]"), (r"\(", r"\)"), ("$", "$")):
        if len(code) > len(opening) + len(closing) and code.startswith(opening) and code.endswith(closing):
            return code[len(opening) : -len(closing)].strip()
    return code


def html_source(text: str) -> str:
    """The answer's HTML: its fenced blocks, or all of it when nothing is fenced."""
    blocks = [block.code for block in code_blocks(text) if block.language in ("html", "xml", "svg", "")]
    return "\n".join(blocks).strip() if blocks else text.strip()


def html_frame(text: str, height: str = "400px") -> str:
    """The answer's HTML in a frame that runs no script, opens nothing and loads nothing from outside."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
    # Preconnecting is the one request that the policy does not stop.
    source = re.sub(r"<link(?=[\s/>])", "<x-link", html_source(text), flags=re.IGNORECASE)
    page = f'<meta http-equiv="Content-Security-Policy" content="{policy}">{source}'
    style = f"width:100%;height:{height};border:0;resize:vertical;background:#fff"
    return f'<iframe sandbox="" referrerpolicy="no-referrer" style="{style}" srcdoc="{html.escape(page)}"></iframe>'
