"""What the offline demo says about code, tracebacks and data frames in a message."""

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
    rest: str
    """The message without its fenced blocks."""


def code_or_error_answer(text: str) -> str | None:
    """An explanation of the pasted code or traceback, with the correction where it is certain; None without any."""
    pasted = _pasted(text)
    if pasted.failure is not None:
        return error_answer(pasted.failure, pasted.code, pasted.rest)
    if not pasted.code:
        return None
    if re.search(r"\b(?:fix|mend|repair|correct|wrong|broken|debug|bug)\b", pasted.rest, re.IGNORECASE):
        return syntax_answer(pasted.code) or _NO_ERROR_FOUND.format(explanation=explanation_of(pasted.code))
    return explanation_of(pasted.code)


_NO_ERROR_FOUND = """
The code parses without a mistake in its syntax. Whether it does what you want, a rule-based demo cannot judge; if it \
fails, paste the traceback as well, and I look at that. Meanwhile, this is what I read in it:

{explanation}
"""

_FENCE = re.compile(
    r"^(?P<mark>```+|~~~+)[ \t]*(?P<language>[\w+.-]*)[^\n]*\n(?P<body>.*?)(?:^(?P=mark)`*[ \t]*$|\Z)", re.M | re.S
)
_CODE_LANGUAGES = {"", "python", "py", "python3", "ipython", "ipython3"}


def _pasted(text: str) -> Pasted:
    clean = re.sub(r"\x1b\[[0-9;]*m", "", text)
    codes: list[str] = []
    failure: Failure | None = None
    for fence in _FENCE.finditer(clean):
        found = failure_in(fence["body"])
        if found is not None:
            failure = found
        elif fence["language"].lower() in _CODE_LANGUAGES:
            codes.append(fence["body"].strip("\n"))
    rest = _FENCE.sub("\n", clean)
    return Pasted(code=codes[0] if codes else _bare_code(rest), failure=failure or failure_in(rest), rest=rest)


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
_COLUMN = re.compile(
    r"^[\s|>*-]*(?:\d+\s+)?[`'\"]?(?P<name>[^\W\d][^\n`'\"|:,(]{0,60}?)[`'\"]?(?:\s*[|:(,]+\s*|\s{1,})"
    rf"(?:[\d,]+ non-null\s+)?[`'\"]?(?P<dtype>{_DTYPE})\b",
    re.MULTILINE,
)
_SHAPE = re.compile(r"(?P<rows>\d[\d,_]*)\s*rows?\s*(?:[x×,*]|by|and)?\s*(?P<columns>\d[\d,_]*)\s*col", re.IGNORECASE)
_GROUPS = (
    ("numbers", re.compile(r"u?int|float|complex", re.IGNORECASE)),
    ("text", re.compile(r"object|str", re.IGNORECASE)),
    ("categories", re.compile(r"category", re.IGNORECASE)),
    ("dates and times", re.compile(r"datetime|timedelta|period", re.IGNORECASE)),
    ("yes or no", re.compile(r"bool", re.IGNORECASE)),
)


def frame_answer(text: str) -> str | None:
    """What the columns of a data frame in the message are, and what to do first with it; None without a frame."""
    columns = {match["name"].strip(): match["dtype"] for match in _COLUMN.finditer(text)}
    columns = {name: dtype for name, dtype in columns.items() if name.lower() not in {"dtype", "index", "column"}}
    if len(columns) < 2:
        return None
    shape = _SHAPE.search(text)
    size = f" with {shape['rows']} rows and {shape['columns']} columns" if shape else ""
    grouped = {label: [name for name, dtype in columns.items() if pattern.search(dtype)] for label, pattern in _GROUPS}
    lines = [f"- **{label}**: {_listed(names)}" for label, names in grouped.items() if names]
    return "\n".join(
        [
            f"I see a data frame{size}; {len(columns)} columns are described in your message:",
            "",
            *lines,
            "",
            "From names and types alone, I would look at these first:",
            "",
            "```python",
            *_first_looks(grouped),
            "```",
            "",
            "What the columns mean, and what follows for your question, takes a real model: it reads the same summary "
            "that "
            "I just read.",
        ]
    )


def _first_looks(grouped: dict[str, list[str]]) -> list[str]:
    looks = ["df.isna().sum()  # where are values missing?"]
    numbers, kinds = grouped["numbers"], grouped["categories"] or grouped["text"]
    if numbers:
        looks.append(f"df[{numbers[:6]!r}].describe()")
    if kinds:
        looks.append(f"df[{kinds[0]!r}].value_counts()")
    if numbers and kinds:
        looks.append(f"df.groupby({kinds[0]!r})[{numbers[-1]!r}].mean()")
    if numbers and grouped["dates and times"]:
        looks.append(f"df.set_index({grouped['dates and times'][0]!r})[{numbers[-1]!r}].plot()")
    return looks


def _listed(names: list[str], most: int = 12) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
