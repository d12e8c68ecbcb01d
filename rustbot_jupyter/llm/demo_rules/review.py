"""The offline demo's words about code, tracebacks and data frames in a message."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rustbot_jupyter.llm.demo_rules.errors import error_answer, syntax_answer
from rustbot_jupyter.llm.demo_rules.explain import explanation_of
from rustbot_jupyter.llm.demo_rules.tracebacks import Failure, failure_in


@dataclass(frozen=True, kw_only=True, slots=True)
class Pasted:
    """Code and traceback found in a message."""

    code: str
    failure: Failure | None
    wish: str
    """The message without its fenced blocks."""
    told: str
    """The wish, and the blocks that are neither code nor traceback: descriptions of variables."""


MOST_CODE = 20_000
"""Characters of code that are looked at; the answer is made while the core thread waits."""


def code_or_error_answer(text: str) -> str | None:
    """An explanation of the pasted code or traceback, with the correction where it is certain; None without any."""
    pasted = _pasted(text)
    try:
        return _review(pasted)
    # An expression of some thousand parts is more than Python's own tools for syntax trees take.
    except RecursionError:
        return _TOO_MUCH


def _review(pasted: Pasted) -> str | None:
    if pasted.failure is not None and len(pasted.code) <= MOST_CODE:
        return error_answer(pasted.failure, pasted.code, pasted.told)
    if not pasted.code:
        return None
    if len(pasted.code) > MOST_CODE:
        return _TOO_MUCH
    if re.search(r"\b(?:fix|mend|repair|correct|wrong|broken|debug|bug)\b", pasted.wish, re.IGNORECASE):
        return syntax_answer(pasted.code) or _NO_ERROR_FOUND.format(explanation=explanation_of(pasted.code))
    return explanation_of(pasted.code)


_TOO_MUCH = """
That is more code than my rules can take in at once. Paste the part that matters, some hundred lines at most, and I \
explain it.
"""

_NO_ERROR_FOUND = """
The code parses without a mistake in its syntax. Whether it does what you want, a rule-based demo cannot judge; if it \
fails, paste the traceback as well, and I look at that. Meanwhile, this is what I read in it:

{explanation}
"""

_FENCE = re.compile(
    r"(?:^|(?<=[ \t]))(?P<mark>`{3,20}(?!`)|~{3,20}(?!~))[ \t]*(?P<language>[\w+.-]*)[^\n]*\n"
    r"(?P<body>.*?)(?:^(?P=mark)`*[ \t]*$|\Z)",
    re.M | re.S,
)
_CODE_LANGUAGES = {"", "python", "py", "python3", "ipython", "ipython3"}


def _pasted(text: str) -> Pasted:
    clean = re.sub(r"\x1b\[[0-9;]*m", "", text)
    codes: list[str] = []
    failure: Failure | None = None
    told = [_FENCE.sub("\n", clean)]
    for fence in _FENCE.finditer(clean):
        found = failure_in(fence["body"])
        if found is not None:
            failure = found
        elif fence["language"].lower() in _CODE_LANGUAGES:
            codes.append(fence["body"].strip("\n"))
        else:
            told.append(fence["body"])
    return Pasted(
        code=codes[0] if codes else _bare_code(told[0]),
        failure=failure or failure_in(told[0]),
        wish=told[0],
        told="\n".join(told),
    )


def _bare_code(text: str) -> str:
    """Code pasted without a fence: the lines after "explain this code:" and the like, if they look like Python."""
    match = re.search(r"^[^\n]{0,120}:\s*\n(?P<code>.+)", text.strip(), re.DOTALL)
    lines = match["code"].strip("\n") if match else ""
    return (
        lines if re.search(r"^\s*(?:def|class|import|from|for|while|if|with|print\(|\w+ ?= ?\S)", lines, re.M) else ""
    )


_DTYPE = (
    r"u?int(?:8|16|32|64)|U?Int(?:8|16|32|64)|[fF]loat(?:16|32|64)|bool(?:ean)?|object|str(?:ing)?|category|"
    r"datetime64\[[^\]]*\]|timedelta64\[[^\]]*\]|complex128|period\[[^\]]*\]"
)
# "- price: float64, 3% missing" of Rustbot's own summaries, and what `dtypes`, `info()` and people write.
_COLUMN = re.compile(
    r"^[ \t|>*-]{0,20}(?:\d+[ \t]+)?[`'\"]?(?P<name>[^\W\d][^\n|]{0,80}?)[`'\"]?"
    r"(?:[ \t]{0,60}[|:,(][ \t]{0,60}|[ \t]{2,60})"
    rf"(?:[\d,]+ non-null\s+)?[`'\"]?(?P<dtype>{_DTYPE})(?!\w)(?P<more>[^\n]*)",
    re.MULTILINE,
)
_SHAPE = re.compile(r"(?P<rows>\d[\d,_]*)\s*rows?\s*(?:[x×,*]|by|and)?\s*(?P<columns>\d[\d,_]*)\s*col", re.IGNORECASE)
_FRAME_NAME = re.compile(r"\b(?P<name>[^\W\d]\w*)`?[ \t]*[:(][ \t]*(?:a )?(?:\w+ )?DataFrame\b")
_MISSING = re.compile(r"(?P<share>[\d.,]+\s?%?) missing")
_GROUPS = (
    ("numbers", re.compile(r"u?int|float|complex", re.IGNORECASE)),
    ("text", re.compile(r"object|str", re.IGNORECASE)),
    ("categories", re.compile(r"category", re.IGNORECASE)),
    ("dates and times", re.compile(r"datetime|timedelta|period", re.IGNORECASE)),
    ("yes or no", re.compile(r"bool", re.IGNORECASE)),
)


def frame_answer(text: str) -> str | None:
    """Tell the columns of a data frame in the message, and what to do first with it; None without a frame."""
    found = {match["name"].strip(): match for match in _COLUMN.finditer(text)}
    columns = {name: match for name, match in found.items() if name.lower() not in {"dtype", "index", "column"}}
    if len(columns) < 2:
        return None
    shape, named = _SHAPE.search(text), _FRAME_NAME.search(text)
    frame = named["name"] if named else "df"
    size = f" with {shape['rows']} rows and {shape['columns']} columns" if shape else ""
    grouped = {
        label: [name for name, match in columns.items() if pattern.search(match["dtype"])] for label, pattern in _GROUPS
    }
    lines = [f"- **{label}**: {_listed(names)}" for label, names in grouped.items() if names]
    lines += _missing(columns)
    looks = "\n".join(_first_looks(frame, grouped))
    return (
        f"I see the data frame `{frame}`{size}. Sorted by what the columns hold:\n\n"
        + "\n".join(lines)
        + f"\n\nFrom names and types alone, I would begin with this:\n\n```python\n{looks}\n```\n\n"
        "What the columns mean, and the answer to your question, takes a real model: it reads the same summary that I "
        "just read, and no more of your data than that."
    )


def _missing(columns: dict[str, re.Match[str]]) -> list[str]:
    shares = {name: match["share"] for name, column in columns.items() if (match := _MISSING.search(column["more"]))}
    if shares:
        return [f"- **with missing values**: {', '.join(f'`{name}` ({share})' for name, share in shares.items())}"]
    # Summaries with statistics tell what is missing, plain lists of types do not.
    has_statistics = any("," in column["more"] for column in columns.values())
    return ["- no column has missing values"] if has_statistics else []


def _first_looks(frame: str, grouped: dict[str, list[str]]) -> list[str]:
    looks = [f"{frame}.isna().sum()  # where are values missing?"]
    numbers, kinds, times = grouped["numbers"], grouped["categories"] or grouped["text"], grouped["dates and times"]
    if numbers:
        looks.append(f"{frame}[{numbers[:6]!r}].describe()")
    if kinds:
        looks.append(f"{frame}[{kinds[0]!r}].value_counts()")
    if numbers and kinds:
        looks.append(f"{frame}.groupby({kinds[0]!r})[{numbers[0]!r}].mean()")
    if numbers and times:
        looks.append(f"{frame}.set_index({times[0]!r})[{numbers[0]!r}].plot()")
    return looks


def _listed(names: list[str], most: int = 12) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
