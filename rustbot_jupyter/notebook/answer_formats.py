"""An answer in the form that `-f` asks for: code for the next cell, JSON, mathematics, HTML."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from rustbot_jupyter.errors import InvalidAnswer
from rustbot_jupyter.fences import CodeBlock, code_blocks

# No formula begins within another, so that a search ends where the next one begins.
_BRACKETS = re.compile(r"\\\[((?:(?!\\[\[\]]).)+)\\\]", re.DOTALL)
_PARENTHESES = re.compile(r"\\\(((?:(?!\\[()]).)+)\\\)", re.DOTALL)
_PYTHON = {"python", "py", "python3", "ipython", "ipython3", "jupyter"}
_SHELLS = {"shell", "zsh", "console", "terminal", "shellsession", "shell-session"}
_MAGICS = {"bash": "bash", **dict.fromkeys(_SHELLS, "bash"), "sh": "sh", "html": "html", "svg": "svg"} | {
    **dict.fromkeys(("javascript", "js"), "javascript"),
    "perl": "perl",
    "ruby": "ruby",
    "rb": "ruby",
    "r": "R",
    "sql": "sql",
}
"""The cell magic for a language of a fenced block."""
_COMMAND = re.compile(
    r"\$ |(?:sudo|pip3?|conda|mamba|uv|npm|npx|yarn|apt|apt-get|brew|git|cd|curl|wget|docker|export|echo|mkdir|ls|cat|"
    r"python3?|bash|source|chmod|jupyter|make)\s+\S"
)
_QUERY = re.compile(r"(?:select|insert\s+into|update|delete\s+from|create\s+table|with)\s", re.IGNORECASE)


_IN_EVERY_SHELL = frozenset(("bash", "sh", "html", "javascript"))


def code_for_cell(text: str, has_magic: Callable[[str], bool] = _IN_EVERY_SHELL.__contains__) -> str:
    """The answer's code for one cell, blocks below each other; "" when it has none that a cell can run.

    Its Python; without any, the first other language that a cell magic runs, with that in front. An answer without
    any fence counts as Python when it parses as such.

    Args:
        text: The answer.
        has_magic: Whether there is a cell magic of this name.
    """
    blocks = [(_language(block), block.code.rstrip()) for block in code_blocks(text) if block.code.strip()]
    if not code_blocks(text):
        return text.strip() if _is_python(text) else ""
    magics = [_MAGICS[language] for language, _ in blocks if language in _MAGICS]
    magic = next((each for each in magics if has_magic(each)), None)
    if any(language in _PYTHON for language, _ in blocks) or magic is None:
        return "\n\n".join(code for language, code in blocks if language in _PYTHON)
    parts = [_typed(code) for language, code in blocks if _MAGICS.get(language) == magic]
    return f"%%{magic}\n" + "\n\n".join(parts)


def other_languages(text: str) -> tuple[str, ...]:
    """The languages of the answer's blocks that are no Python, as they are named there."""
    languages = [_language(block) or "plain text" for block in code_blocks(text)]
    return tuple(dict.fromkeys(language for language in languages if language not in _PYTHON))


def _language(block: CodeBlock) -> str:
    """The language of a block; of one that names none, what it looks like."""
    if block.language or _is_python(block.code):
        return block.language or "python"
    start = block.code.lstrip()
    return "bash" if _COMMAND.match(start) else "sql" if _QUERY.match(start) else "python"


def _typed(code: str) -> str:
    """Return what is typed in a transcript of a shell: the lines behind its prompts, or all when there are none."""
    lines = code.splitlines()
    typed = [line[2:] for line in lines if line.startswith("$ ")]
    return "\n".join(typed or lines)


def _is_python(text: str) -> bool:
    lines = [line for line in text.strip().splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = compile("\n".join(lines), "<answer>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
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


def json_values(text: str) -> Iterator[Any]:
    """Yield the JSON of an answer: itself, or each value in its fenced blocks and, without such, in its prose."""
    text = text.strip().lstrip("\ufeff")
    with suppress(ValueError, RecursionError):
        yield json.loads(text, parse_constant=_no_constant)
        return
    found = False
    for block in code_blocks(text):
        if block.language in _JSON:
            with suppress(ValueError, RecursionError):
                yield json.loads(block.code, parse_constant=_no_constant)
                found = True
    if found:
        return
    decoder, place = json.JSONDecoder(parse_constant=_no_constant), 0
    for _ in range(_MOST_TRIES):
        if (opening := _BRACKET.search(text, place)) is None:
            return
        place = opening.end()
        with suppress(ValueError, RecursionError):
            value, place = decoder.raw_decode(text, opening.start())
            yield value


_BRACKET = re.compile(r"[{\[]")
_JSON = ("json", "", "jsonc", "json5")
_MOST_TRIES = 200
"""Each bracket in prose may begin a value, and reading one takes a while."""


def _json_candidates(text: str) -> Iterator[str]:
    """The likeliest last, so that its error is the one to tell."""
    text = text.strip().lstrip("\ufeff")
    whole = [text] if text else []
    outermost = [part] if (part := _between_brackets(text)) else []
    fenced = [block.code for block in code_blocks(text) if block.language in _JSON]
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
