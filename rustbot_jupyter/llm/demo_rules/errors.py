"""Meanings of the common exceptions, remedies, and the demo's answer to a traceback."""

from __future__ import annotations

import re

from rustbot_jupyter.llm.demo_rules.mend import POPULAR_PACKAGES, mend, nearest
from rustbot_jupyter.llm.demo_rules.syntax import mend_syntax
from rustbot_jupyter.llm.demo_rules.tracebacks import Failure


def error_answer(failure: Failure, code: str, context: str) -> str:
    """Return what went wrong and where, and the corrected code where the correction is certain, remedies where not."""
    where = _where(failure, code)
    parts = [f"### {failure.kind}{where}", _meaning(failure)]
    mended = mend(failure, code, context)
    if mended is not None:
        parts += [f"**Corrected.** {mended.change}", f"```python\n{mended.code.strip(chr(10))}\n```"]
        parts.append("Please read it before you run it: I follow rules and do not know what the code is for.")
    else:
        parts += ["**What helps**", "\n".join(f"- {remedy}" for remedy in _remedies(failure))]
        parts.append(_NOT_CERTAIN if code else _SHOW_CODE)
    return "\n\n".join(parts)


_NOT_CERTAIN = (
    "A certain correction needs more than rules, so I leave your code as it is. A real model would rewrite the cell."
)
_SHOW_CODE = "If you paste the code of the cell as well, in a fenced block, I try to correct it."


def syntax_answer(code: str) -> str | None:
    """The corrected code, if it has one small mistake in its syntax; None if there is none or it is not small."""
    mended = mend_syntax(code)
    if mended is None:
        return None
    return f"Python could not read this. {mended.change}\n\n```python\n{mended.code}\n```\n\nIt parses now."


def _where(failure: Failure, code: str) -> str:
    if failure.line_number is None:
        return ""
    lines = code.split("\n")
    line = failure.line or (lines[failure.line_number - 1].strip() if failure.line_number <= len(lines) else "")
    inside = f", in `{failure.function}`" if failure.function else ""
    shown = f": `{line}`" if line and "`" not in line else ""
    return f" in line {failure.line_number}{inside}{shown}"


def _meaning(failure: Failure) -> str:
    meaning = _MEANINGS.get(failure.kind, "The code raised this exception, or something it called did.")
    said = f" Python says: *{failure.message}*" if failure.message else ""
    return meaning + said


def _remedies(failure: Failure) -> tuple[str, ...]:
    for kind, pattern, remedies in _SPECIAL:
        if failure.kind == kind and (match := re.search(pattern, failure.message)):
            return tuple(remedy.replace("%1", match[1] if match.groups() else "") for remedy in remedies)
    if failure.kind == "ModuleNotFoundError":
        return _missing_module(failure)
    return _REMEDIES.get(failure.kind, _GENERAL)


_PACKAGE_OF = {
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
    "dotenv": "python-dotenv",
    "dateutil": "python-dateutil",
    "skimage": "scikit-image",
    "docx": "python-docx",
    "fitz": "pymupdf",
    "Crypto": "pycryptodome",
    "serial": "pyserial",
}


def _missing_module(failure: Failure) -> tuple[str, ...]:
    match = re.search(r"'([\w.]+)'", failure.message)
    name = match[1].split(".")[0] if match else ""
    if name in _PACKAGE_OF or name in POPULAR_PACKAGES:
        package = _PACKAGE_OF.get(name, name)
        called = f", whose package is called `{package}`" if package != name else ""
        return (
            f"Install `{name}`{called}: run `%pip install {package}` in a cell, then run this cell again.",
            "`%pip` installs into the environment of *this* kernel; a plain `pip` in a terminal may use another one.",
        )
    near = nearest(name, POPULAR_PACKAGES)
    check = f"Did you mean `{near}`?" if near else f"Check the spelling of `{name}`"
    return (
        f"{check} A name that does not exist should not be installed: others register misspelt names on purpose.",
        "If it is a package, look up its name in its documentation and run `%pip install NAME` in a cell.",
        "If it is a file of your own, it must be in the folder of the notebook, or in one that `sys.path` lists.",
    )


_MEANINGS = {
    "NameError": "A name is used that does not exist in this kernel (yet).",
    "UnboundLocalError": "A variable is read inside a function before that function has given it a value.",
    "TypeError": "An operation or a call got a value of the wrong type, or the wrong arguments.",
    "ValueError": "The type was right, but the value is one that cannot be used here.",
    "KeyError": "A dictionary or data frame was asked for a key that it does not have.",
    "IndexError": "A position was asked for that lies beyond the end.",
    "AttributeError": "An object was asked for something that it does not have.",
    "ZeroDivisionError": "Something was divided by zero.",
    "ModuleNotFoundError": "Python finds no module of this name in the kernel's environment.",
    "ImportError": "The module is there, but what should be taken from it is not, or it fails to load.",
    "FileNotFoundError": "There is no file at this path, seen from the folder the kernel runs in.",
    "PermissionError": "The operating system does not allow this access.",
    "IsADirectoryError": "The path leads to a folder where a file was expected.",
    "SyntaxError": "Python cannot read the code; nothing of the cell has run.",
    "IndentationError": "The indentation does not fit; nothing of the cell has run.",
    "TabError": "Tabs and spaces are mixed in the indentation.",
    "RecursionError": "A function called itself too many times, usually without end.",
    "MemoryError": "There was not enough memory.",
    "KeyboardInterrupt": "The cell was interrupted. Nothing is broken.",
    "AssertionError": "An `assert` was not true.",
    "StopIteration": "An iterator was asked for one more item than it has.",
    "UnicodeDecodeError": "A file was read with an encoding that is not its own.",
    "JSONDecodeError": "The text is not valid JSON.",
    "OverflowError": "A number became too large.",
    "TimeoutError": "Something did not answer in time.",
    "ConnectionError": "A connection could not be made, or it broke.",
    "ConnectionRefusedError": "Nothing listens at this address.",
    "NotImplementedError": "This is a placeholder that nobody has filled yet.",
    "RuntimeError": "Something failed that fits no other kind of error.",
    "OSError": "The operating system refused something.",
}

_SPECIAL: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "TypeError",
        r"'NoneType' object is not (\w+)",
        (
            "The value is `None`. Usually a function forgot its `return`, or the result of a method that works in "
            "place "
            "(`sort`, `append`, `update`) was assigned.",
            "Print the value in the line before to see which one it is.",
        ),
    ),
    (
        "TypeError",
        r"missing \d+ required .*?argument",
        (
            "Compare the call with the function's signature: `help(function)` or `function?` shows it.",
            "With a method, check that it is called on an instance, not on the class.",
        ),
    ),
    (
        "TypeError",
        r"unexpected keyword argument '(\w+)'",
        ("The function knows no argument `%1`. `function?` in a cell lists those it knows; versions differ.",),
    ),
    (
        "TypeError",
        r"'(\w+)' object is not callable",
        (
            "A variable of type `%1` is followed by parentheses. For an item write square brackets.",
            "If a variable has the name of a function (`list`, `sum`, `max`), rename it, and `del` the old one.",
        ),
    ),
    (
        "TypeError",
        r"unhashable type: '(\w+)'",
        ("A `%1` cannot be a dictionary key or a member of a set. `tuple(...)` of it can.",),
    ),
    (
        "TypeError",
        r"unsupported operand type|can only concatenate",
        (
            "Print `type(...)` of both sides. Often a number arrived as text (from a file, from `input()`); "
            "`int(...)` or `float(...)` turns it into one.",
            'For text with values in it use `f"{name}: {value}"` instead of `+`.',
        ),
    ),
    (
        "ValueError",
        r"could not convert string to float: '?([^']*)",
        (
            "`%1` is no number in Python's notation. Remove signs and blanks, write a point for the comma: "
            '`text.replace(",", ".")`.',
            'For a column: `pd.to_numeric(df["name"], errors="coerce")` makes `NaN` of what is no number.',
        ),
    ),
    (
        "ValueError",
        r"invalid literal for int",
        ("The text is not a whole number. Use `float(...)` for decimals, `text.strip()` for blanks around it.",),
    ),
    (
        "ValueError",
        r"truth value of a (\w+)",
        (
            "A whole %1 stands where one yes or no is needed. Combine conditions with `&`, `|`, `~` and put each one "
            "in "
            "parentheses: `df[(df.a > 1) & (df.b < 5)]`.",
            "For one answer say which: `.any()`, `.all()` or `.empty`.",
        ),
    ),
    (
        "ValueError",
        r"(?:too many|not enough) values to unpack",
        (
            "The numbers of names on the left and of values on the right differ. `a, *rest = values` takes any number.",
            "Going through a dictionary gives keys only; `.items()` gives keys and values.",
        ),
    ),
    (
        "ValueError",
        r"shapes?\b|broadcast|same length|Length of values",
        ("Print the shapes of all parts: `x.shape`, `len(y)`. They must agree, or one of them must be 1.",),
    ),
    (
        "AttributeError",
        r"'NoneType' object has no attribute '(\w+)'",
        (
            "The thing before `.%1` is `None`: a search found nothing (`re.search`, `dict.get`), a function has no "
            "`return`, or a method that works in place was assigned.",
            "Test it first: `if thing is not None:`.",
        ),
    ),
    (
        "AttributeError",
        r"'DataFrame' object has no attribute '(\w+)'",
        (
            "If `%1` is a column, look at the exact spelling with `df.columns`; blanks at the ends are common.",
            "If it is a method, your pandas may be newer than the example: `append` became `pd.concat`, `ix` became "
            "`loc`, `applymap` became `map`.",
        ),
    ),
    (
        "IndexError",
        r"list|string|tuple|out of",
        (
            "Positions begin at 0 and end at `len(x) - 1`; the last item is `x[-1]`.",
            "An empty list has no item at all: test `if x:` first.",
            "In a loop, `for item in x` needs no positions.",
        ),
    ),
    (
        "RuntimeError",
        r"asyncio.run\(\) cannot be called",
        ("A notebook has a running event loop already: write `await main()` instead of `asyncio.run(main())`.",),
    ),
)

_REMEDIES = {
    "NameError": (
        "If another cell defines the name, run that cell first. After a restart of the kernel all names are gone.",
        "Check the spelling; capital letters count.",
        "If it is a module, import it.",
    ),
    "UnboundLocalError": (
        "A function that assigns to a name makes it its own, everywhere in the function. Give the value as an "
        "argument and "
        "return the new one.",
        "If the outer variable is really meant, say `global name` (or `nonlocal name`) at the top of the function.",
    ),
    "KeyError": (
        "See which keys there are: `list(d)`, or `df.columns` for a data frame. Blanks at the ends are common: "
        "`df.columns = df.columns.str.strip()`.",
        "If the key may be missing, `d.get(key, default)` gives a default instead of an error.",
    ),
    "AttributeError": (
        "`type(thing)` tells what it really is, `dir(thing)` what it has.",
        "A file of yours named like a module (`random.py`, `pandas.py`) hides that module: rename it.",
    ),
    "ZeroDivisionError": (
        'Test the divisor first: `a / b if b else float("nan")`.',
        "Ask why it is zero: an empty list, an average over nothing, a counter that never counted.",
    ),
    "ImportError": (
        "Versions differ: the name may have moved. `print(module.__version__)`, then look into its changelog.",
        "A file of yours named like the module hides it: rename it, and restart the kernel.",
    ),
    "FileNotFoundError": (
        "See where you are and what is there: `from pathlib import Path; print(Path.cwd(), "
        "sorted(Path.cwd().iterdir()))`.",
        'A relative path starts at the notebook\'s folder. On Windows write `r"C:\\data\\file.csv"`, with an `r` '
        "before it.",
    ),
    "PermissionError": (
        "Is the file open in another program? Is it really a file, and not a folder?",
        "Write to a folder of your own, for instance below `Path.home()`.",
    ),
    "SyntaxError": (
        "Look at the line above as well: a bracket or quotation mark that was never closed shows only later.",
        "Is this Python? Shell commands need a `!` before them, in a notebook.",
    ),
    "IndentationError": ("Four spaces per level, and the same for all lines of a block.",),
    "TabError": ("Select the cell and press Shift+Tab until it is flush, then indent with spaces.",),
    "RecursionError": (
        "Find the case that should end the recursion, and see why it is never reached: print the arguments.",
        "A loop with a list as its stack has no such limit.",
    ),
    "MemoryError": (
        "Read less: `usecols=` and `nrows=` of `read_csv`, smaller types, `category` for repeated text.",
        "`del` what is no longer needed; a restart of the kernel frees everything.",
    ),
    "KeyboardInterrupt": ("Run the cell again if you did not mean to stop it; the variables are as it left them.",),
    "AssertionError": (
        "Print the values that the `assert` compares. If the claim itself is wrong, correct the claim.",
    ),
    "StopIteration": ("Use a `for` loop, or `next(iterator, None)`, which gives `None` at the end.",),
    "UnicodeDecodeError": (
        'Give the encoding: `encoding="utf-8"`, or `"latin-1"`, or `"cp1252"` for files of older Windows programs.',
        "If it is not a text file at all (Excel, zip, image), it needs another reader.",
    ),
    "JSONDecodeError": (
        "Look at the text: `print(repr(text[:200]))`. An empty text, an error page in HTML and single quotes are the "
        "usual "
        "reasons.",
        "A file with one JSON object per line is read with `pd.read_json(path, lines=True)`.",
    ),
    "TimeoutError": ("Try again, raise the time limit, and check that the address is right and answers at all.",),
    "ConnectionError": ("Check the address, the network and a proxy. Then try again.",),
    "ConnectionRefusedError": ("Start the server, and check host and port of the address.",),
}

_GENERAL = (
    "Read the last line of the traceback: it says what was wrong.",
    "Go up to the lowest line that is in your own code, and print the values it uses.",
    "Make the example smaller until it works; the step before that is the culprit.",
)
