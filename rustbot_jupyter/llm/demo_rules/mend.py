"""Corrections of code that the offline demo can make for certain; every one of them parses before it is offered."""

from __future__ import annotations

import ast
import builtins
import difflib
import io
import keyword
import re
import sys
import tokenize
from collections.abc import Callable, Iterable

from rustbot_jupyter.llm.demo_rules.syntax import Mended, mend_syntax, parsed, parses
from rustbot_jupyter.llm.demo_rules.tracebacks import Failure


def mend(failure: Failure, code: str, context: str = "") -> Mended | None:
    """The code with its mistake corrected, or None when the correction is not certain.

    Args:
        failure: What the traceback says.
        code: The failing cell.
        context: The rest of the message; names and columns mentioned there count as known.
    """
    mender = _MENDERS.get(failure.kind)
    mended = mender(failure, code, context) if mender is not None and code else None
    return mended if mended is not None and mended.code != code and parses(mended.code) else None


# Names.

KNOWN_IMPORTS = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "px": "import plotly.express as px",
    "go": "import plotly.graph_objects as go",
    "sns": "import seaborn as sns",
    "Path": "from pathlib import Path",
    "Counter": "from collections import Counter",
    "defaultdict": "from collections import defaultdict",
    "dataclass": "from dataclasses import dataclass",
    "timedelta": "from datetime import timedelta",
    "sqrt": "from math import sqrt",
    "pi": "from math import pi",
    "partial": "from functools import partial",
    "lru_cache": "from functools import lru_cache",
    "reduce": "from functools import reduce",
    "Any": "from typing import Any",
    "display": "from IPython.display import display",
    "httpx": "import httpx",
    "requests": "import requests",
    "numpy": "import numpy",
    "pandas": "import pandas",
    "plotly": "import plotly",
} | {name: f"import {name}" for name in sys.stdlib_module_names if len(name) > 1 and not name.startswith("_")}


def _mend_name(failure: Failure, code: str, context: str) -> Mended | None:
    name = _quoted(failure.message)
    if name is None:
        return None
    if (hint := re.search(r"Did you mean:? '(\w+)'", failure.message)) and hint[1] != name:
        return _renamed(failure, code, name, hint[1])
    near = nearest(name, _names_in(code) | _names_told(context) - {name})
    if near is not None and name not in KNOWN_IMPORTS:
        return _renamed(failure, code, name, near)
    if name in KNOWN_IMPORTS:
        return Mended(code=_with_import(code, KNOWN_IMPORTS[name]), change=f"`{KNOWN_IMPORTS[name]}` was missing.")
    near = nearest(name, {known for known in dir(builtins) if not known.startswith("_")})
    return _renamed(failure, code, name, near) if near is not None else None


def _renamed(failure: Failure, code: str, old: str, new: str) -> Mended | None:
    changed = "\n".join(
        _replace_name(line, old, new) if old in line else line for line in code.split("\n")
    ) if not _is_bound(code, old) else code  # fmt: skip
    if changed == code:
        return None
    return Mended(code=changed, change=f"There is no `{old}`, but there is `{new}`, so I put that in its place.")


def _replace_name(line: str, old: str, new: str) -> str:
    """The line with the name replaced where it stands as a name, not inside a text or a comment."""
    columns = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(line.strip() + "\n").readline):
            if token.type == tokenize.NAME and token.string == old:
                columns.append(token.start[1] + len(line) - len(line.lstrip()))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        # A line of a longer expression: its own tokens came before the error.
        pass
    for column in reversed(columns):
        line = line[:column] + new + line[column + len(old) :]
    return line


def _with_import(code: str, line: str) -> str:
    lines = code.split("\n")
    after = 0
    while after < len(lines) and re.match(r"\s*(?:#|from __future__|%|$)", lines[after]) and after < len(lines) - 1:
        after += 1
    after = 0 if not any(text.strip().startswith(("from __future__", "%")) for text in lines[:after]) else after
    joint = [line] if lines[after].startswith(("import ", "from ")) else [line, ""]
    return "\n".join(lines[:after] + joint + lines[after:])


def _mend_import(failure: Failure, code: str, context: str) -> Mended | None:
    name = (_quoted(failure.message) or "").split(".")[0]
    near = nearest(name, set(sys.stdlib_module_names) | POPULAR_PACKAGES)
    if not name or near is None or name in POPULAR_PACKAGES:
        return None
    return _renamed(failure, code, name, near)


POPULAR_PACKAGES = {
    "anywidget", "bokeh", "dask", "duckdb", "flask", "httpx", "ipywidgets", "matplotlib", "networkx", "nltk", "numpy",
    "openpyxl", "pandas", "plotly", "polars", "pyarrow", "pydantic", "pytest", "requests", "rich", "scipy", "seaborn",
    "sklearn", "spacy", "sqlalchemy", "statsmodels", "sympy", "torch", "tqdm", "transformers", "xgboost",
}  # fmt: skip

# Keys and attributes.


def _mend_key(failure: Failure, code: str, context: str) -> Mended | None:
    key = _key(failure.message)
    if key is None:
        return None
    literals = {
        node.value for node in ast.walk(_tree(code)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    near = nearest(key, (literals | _names_told(context)) - {key})
    wrong = f"[{key!r}]", f'["{key}"]'
    if near is None or not any(text in code for text in wrong):
        return None
    changed = code.replace(wrong[0], f"[{near!r}]").replace(wrong[1], f'["{near}"]')
    return Mended(code=changed, change=f"There is no key `{key!r}`, but there is `{near!r}`.")


_BUILTIN_TYPES = {kind.__name__: kind for kind in (str, list, dict, set, tuple, int, float, bytes, frozenset)}
_OTHER_LANGUAGES = {
    ("list", "push"): "append",
    ("list", "add"): "append",
    ("list", "push_back"): "append",
    ("set", "append"): "add",
    ("str", "trim"): "strip",
    ("str", "toLowerCase"): "lower",
    ("str", "toUpperCase"): "upper",
    ("str", "to_lower"): "lower",
    ("str", "to_upper"): "upper",
    ("dict", "has_key"): "__contains__",
    ("list", "concat"): "extend",
}


def _mend_attribute(failure: Failure, code: str, context: str) -> Mended | None:
    if (match := re.search(r"'(\w+)' object has no attribute '(\w+)'", failure.message)) is None:
        return _mend_module_attribute(failure, code)
    kind, wrong = match[1], match[2]
    if kind == "NoneType":
        return _mend_in_place(code)
    hint = re.search(r"Did you mean: '(\w+)'", failure.message)
    right = hint[1] if hint else _OTHER_LANGUAGES.get((kind, wrong))
    if right is None and kind in _BUILTIN_TYPES:
        right = nearest(wrong, {name for name in dir(_BUILTIN_TYPES[kind]) if not name.startswith("_")})
    return _attribute_renamed(failure, code, wrong, right, f"A `{kind}` has no `{wrong}`; here it is called `{right}`.")


def _mend_module_attribute(failure: Failure, code: str) -> Mended | None:
    match = re.search(r"module '([\w.]+)' has no attribute '(\w+)'.*Did you mean: '(\w+)'", failure.message)
    if match is None:
        return None
    return _attribute_renamed(failure, code, match[2], match[3], f"`{match[1]}` has no `{match[2]}`, but `{match[3]}`.")


def _attribute_renamed(failure: Failure, code: str, wrong: str, right: str | None, change: str) -> Mended | None:
    if right is None or right.startswith("__"):
        return None
    return _at_failing_line(failure, code, lambda line: re.sub(rf"\.{wrong}\b", f".{right}", line), change)


def _mend_in_place(code: str) -> Mended | None:
    """`x = x.sort()` becomes `x.sort()`: methods that change a thing in place return None."""
    changed = re.sub(
        r"^([ \t]*)(\w+) = (\2\.(?:sort|reverse|append|extend|insert|update|clear|shuffle)\()",
        r"\1\3",
        code,
        flags=re.MULTILINE,
    )
    change = "`sort`, `append` and their like change the thing itself and return `None`: do not assign their result."
    return Mended(code=changed, change=change) if changed != code else None


# Numbers and texts.


def _mend_division(failure: Failure, code: str, context: str) -> Mended | None:
    found = [node for node in ast.walk(_tree(code)) if isinstance(node, ast.BinOp) and _may_divide_by_zero(node)]
    here = [node for node in found if failure.line_number is None or node.lineno == failure.line_number] or found
    if len(here) != 1:
        return None
    whole, divisor = ast.get_source_segment(code, here[0]), ast.get_source_segment(code, here[0].right)
    if whole is None or divisor is None:
        return None
    guarded = f'({whole} if {divisor} else float("nan"))'
    changed = _with_segment(code, here[0], guarded)
    return Mended(
        code=changed,
        change=f"Where `{divisor}` is zero, the result is now `nan` (“not a number”) and the code goes on.",
    )


def _may_divide_by_zero(node: ast.BinOp) -> bool:
    if not isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
        return False
    calls = [part for part in ast.walk(node.right) if isinstance(part, ast.Call)]
    # The divisor is written twice afterwards, so it must not do anything but compute.
    harmless = all(
        isinstance(call.func, ast.Name) and call.func.id in {"len", "sum", "max", "min", "abs"} for call in calls
    )
    return harmless and not isinstance(node.right, ast.Constant)


def _mend_type(failure: Failure, code: str, context: str) -> Mended | None:
    text = failure.message
    if "can only concatenate str" in text or ("unsupported operand" in text and "'str'" in text and "for +" in text):
        return _mend_concatenation(failure, code)
    if text.startswith("'int' object is not iterable"):
        changed = re.sub(r"\bin (len\([^()]*\)|\d+)(?=\s*[:\])])", r"in range(\1)", code)
        return Mended(code=changed, change="A number cannot be walked through; `range(...)` counts up to it.")
    if hint := re.search(r"unexpected keyword argument '(\w+)'\. Did you mean '(\w+)'", text):
        wrong, right = hint[1], hint[2]
        changed = re.sub(rf"\b{wrong}(?=\s*=[^=])", right, code)
        return Mended(code=changed, change=f"The argument is called `{right}`, not `{wrong}`.")
    if "object is not callable" in text:
        return _mend_shadowed(code)
    return None


def _mend_concatenation(failure: Failure, code: str) -> Mended | None:
    sums = [node for node in ast.walk(_tree(code)) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)]
    for node in sums:
        for text, other in ((node.left, node.right), (node.right, node.left)):
            segment = ast.get_source_segment(code, other)
            if (
                _is_text(text)
                and not _is_text(other)
                and isinstance(other, ast.Name | ast.Constant | ast.Attribute)
                and segment
            ):
                if failure.line_number is not None and node.lineno != failure.line_number:
                    continue
                changed = _with_segment(code, other, f"str({segment})")
                return Mended(
                    code=changed, change=f"Text can only be added to text: `str({segment})` makes one of the number."
                )
    return None


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _mend_shadowed(code: str) -> Mended | None:
    """`list = [...]` hides the built-in `list`: the variable gets another name wherever it is not called."""
    tree = _tree(code)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    hidden = sorted(bound & called & set(dir(builtins)))
    if len(hidden) != 1:
        return None
    name = hidden[0]
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    uses = [
        node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name and id(node) not in functions
    ]
    changed = code
    for node in sorted(uses, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        changed = _with_segment(changed, node, f"{name}_values")
    change = (
        f"The variable `{name}` hid the built-in `{name}`, so it is `{name}_values` now. "
        f"Run `del {name}` once, to get the built-in back in this kernel."
    )
    return Mended(code=changed, change=change)


def _mend_value(failure: Failure, code: str, context: str) -> Mended | None:
    match = re.search(r"invalid literal for int\(\) with base 10: '\s*-?\d+\.\d+\s*'", failure.message)
    if match is None:
        return None
    return _at_failing_line(
        failure,
        code,
        lambda line: re.sub(r"\bint\(([^()]+)\)", r"int(float(\1))", line),
        "`int` reads whole numbers only; `int(float(...))` reads a decimal number and cuts off its fraction.",
    )


def _mend_decoding(failure: Failure, code: str, context: str) -> Mended | None:
    changed = re.sub(r"\b((?:pd\.read_csv|open)\((?![^()]*encoding)[^()]+)\)", r'\1, encoding="latin-1")', code)
    return Mended(
        code=changed,
        change="The file is not UTF-8; `latin-1` reads files of older Windows programs (check the accents).",
    )


def _mend_syntax(failure: Failure, code: str, context: str) -> Mended | None:
    return mend_syntax(code)


# Helpers.


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one is most likely a misspelling of."""
    names = sorted(set(known) - {name})
    same_letters = [candidate for candidate in names if candidate.casefold() == name.casefold()]
    return next(iter(same_letters or difflib.get_close_matches(name, names, n=1, cutoff=0.75)), None)


def _names_in(code: str) -> set[str]:
    """Names that the code itself makes: assigned, imported, defined, arguments."""
    names: set[str] = set()
    for node in ast.walk(_tree(code)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
    return names


def _is_bound(code: str, name: str) -> bool:
    tree = _tree(code)
    imported = {node for node in ast.walk(tree) if isinstance(node, ast.alias)}
    return name in _names_in(code) and not any(node.name.split(".")[0] == name for node in imported)


def _names_told(context: str) -> set[str]:
    """Names of variables and columns that the message mentions: `name`, 'name', or "name:" at the start of a line."""
    quoted = re.findall(r"[`'\"](\w[\w ]{0,60})[`'\"]", context)
    listed = re.findall(r"^[ \t]*(?:[-*|][ \t]*)?`?(\w+)`?[ \t]*[:=|(]", context, re.MULTILINE)
    return {name for name in (*quoted, *listed) if not keyword.iskeyword(name)}


def _tree(code: str) -> ast.Module:
    tree = parsed(code)
    return tree if isinstance(tree, ast.Module) else ast.Module(body=[], type_ignores=[])


def _quoted(message: str) -> str | None:
    match = re.search(r"'([^']+)'", message)
    return match[1] if match else None


def _key(message: str) -> str | None:
    match = re.fullmatch(r"[\"']([^\"']+)[\"']", message.strip())
    return match[1] if match else None


def _with_segment(code: str, node: ast.expr, text: str) -> str:
    """The code with the source of one expression replaced."""
    lines = code.split("\n")
    if node.end_lineno is None or node.end_col_offset is None or node.end_lineno != node.lineno:
        return code
    raw = lines[node.lineno - 1].encode()
    # The columns of ast count bytes of UTF-8.
    lines[node.lineno - 1] = (raw[: node.col_offset] + text.encode() + raw[node.end_col_offset :]).decode()
    return "\n".join(lines)


def _at_failing_line(failure: Failure, code: str, change: Callable[[str], str], why: str) -> Mended | None:
    lines = code.split("\n")
    if failure.line_number is None or not 1 <= failure.line_number <= len(lines):
        changed = "\n".join(change(line) for line in lines)
    else:
        lines[failure.line_number - 1] = change(lines[failure.line_number - 1])
        changed = "\n".join(lines)
    return Mended(code=changed, change=why) if changed != code else None


_MENDERS: dict[str, Callable[[Failure, str, str], Mended | None]] = {
    "NameError": _mend_name,
    "ModuleNotFoundError": _mend_import,
    "KeyError": _mend_key,
    "AttributeError": _mend_attribute,
    "ZeroDivisionError": _mend_division,
    "TypeError": _mend_type,
    "ValueError": _mend_value,
    "UnicodeDecodeError": _mend_decoding,
    "SyntaxError": _mend_syntax,
    "IndentationError": _mend_syntax,
    "TabError": _mend_syntax,
}
