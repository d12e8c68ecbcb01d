"""Words of Python and data work that the offline demo can explain, in a few sentences and an example each."""

from __future__ import annotations

import re


def glossary_answer(text: str) -> str | None:
    """The entry for the word that a short question asks about; None for anything else."""
    if len(text) > 120 or not _ASKS_MEANING.search(text):
        return None
    return next((entry for words, entry in _ENTRIES if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)), None)


_ASKS_MEANING = re.compile(
    r"\b(?:what(?:'s| is| are| does)|explain|tell me about|define|meaning of|describe|how does|show me|example)\b",
    re.IGNORECASE,
)

_ENTRIES = (
    (
        r"(?:list|dict|set)? ?comprehensions?",
        """A **comprehension** builds a list, set or dictionary from something one can walk through, in one line:

```python
words = ["streaming", "stop", "kernel"]

lengths = [len(word) for word in words]
short = [word for word in words if len(word) < 7]
by_name = {word: len(word) for word in words}
```

Read it from the middle: *for each word in words*, take what stands before the `for`, if what stands after the `if` \
is \
true. With more than one loop and one condition, a plain loop is easier to read.""",
    ),
    (
        r"data ?frames?",
        """A **data frame** is a table in memory: named columns, each with one type, and rows with an index. In \
Python the \
usual one is pandas'.

```python
import pandas as pd

planets = pd.DataFrame({"name": ["Earth", "Mars"], "moons": [1, 2]})
planets[planets["moons"] > 1]           # rows that meet a condition
planets["moons"].mean()                 # one number from a column
planets.sort_values("moons")            # a new frame, in order
```

Whole columns are computed at once, which is faster and shorter than a loop over rows. Rustbot keeps its own records \
this \
way, too: look at `bot.usage()`.""",
    ),
    (
        r"decorators?",
        """A **decorator** is a function that takes a function and gives back another one, usually the old one with \
something around it. `@name` above a definition is short for `function = name(function)`:

```python
from functools import lru_cache


@lru_cache
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


print(fibonacci(80))
```

`lru_cache` remembers results, so the recursion does not work out the same number twice. Ask me to *write a \
decorator that \
measures time* for one of your own.""",
    ),
    (
        r"recursions?|recursive functions?",
        """**Recursion** is a function that calls itself on a smaller part of the problem, until the part is so \
small that \
the answer is plain:

```python
def depth(value: object) -> int:
    if not isinstance(value, list):
        return 0
    return 1 + max((depth(item) for item in value), default=0)


print(depth([1, [2, [3]]]))
```

It fits things that contain themselves: folders, trees, nested lists. Python stops at about 1,000 calls inside each \
other; for long chains use a loop.""",
    ),
    (
        r"generators?|yield",
        """A **generator** hands out values one at a time and remembers where it stopped. `yield` makes one:

```python
def countdown(start: int):
    while start:
        yield start
        start -= 1


print(list(countdown(3)))
```

Nothing is computed before it is asked for, so a generator can read a file of any size, or go on for ever. It can be \
walked through once.""",
    ),
    (
        r"async(?:io)?|await|coroutines?|event loop",
        """**async** functions can pause at each `await` and let others work meanwhile, all in one thread. That pays \
when \
the program mostly waits, for a network or a disk.

```python
import asyncio


async def wait(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return f"waited {seconds} s"


await asyncio.gather(wait(0.2), wait(0.1))
```

Both wait at the same time, 0.2 s in total. In a notebook `await` works at the top of a cell; in a script it is \
`asyncio.run(...)`. With Rustbot: `reply = await bot.ask_async("...")`.""",
    ),
    (
        r"kernels?",
        """The **kernel** is the Python process behind a notebook. The page only shows cells; the kernel runs them \
and \
holds all variables, until it is restarted. Cells share them in the order in which you *ran* the cells, not in the \
order \
of the page.

Rustbot lives inside it. That is how it can put your variables into a question, and why a restart ends the \
conversation.""",
    ),
    (
        r"tokens?",
        """A **token** is the piece of text that a language model reads and writes: a short word or a part of a \
longer one, \
about four characters of English. Models are priced per million tokens, and their context, the text they can take \
into \
account, is counted in tokens.

The input holds your question *and* the earlier conversation, so it grows with every turn. `bot.usage()` has the \
counts of \
each request; mine are estimates, those of a provider are exact.""",
    ),
    (
        r"llms?|(?:large )?language models?",
        """A **language model** has learned from a great deal of text which piece of text is likely to come next. \
Asked a \
question, it writes an answer token by token. It can explain, translate, write code; it can also be wrong in perfect \
sentences, so check what matters.

I am none: I am the offline demo and pick my answers from a list. Ask me *how do I use a real model?* to put one in \
my \
place.""",
    ),
    (
        r"stream(?:ing)?",
        """**Streaming** means that an answer is shown while it is being written. You read from the first second, \
and you \
can stop an answer that goes the wrong way before it is paid for. From Python:

```python
async for event in bot.stream("Tell me about streaming"):
    if event.kind == "text_streamed":
        print(event.text, end="")
```

What you are reading came in the same way, at about sixty tokens a second.""",
    ),
    (
        r"jupyter(?:lab)?|notebooks?",
        """A **Jupyter notebook** is a document of cells: text in Markdown, and code whose results stand below it. \
It is \
good for trying things out and for showing how a result came about. **JupyterLab** is the page in which you open \
notebooks, with files, terminals and this chat.

Two habits help: *Restart Kernel and Run All Cells* now and then, to see that the notebook works from the top, and \
cells \
that are short enough to have one purpose.""",
    ),
    (
        r"pandas",
        """**pandas** is Python's library for tables. Its main things are the `DataFrame`, a table, and the \
`Series`, one \
of its columns.

```python
import pandas as pd

sales = pd.DataFrame({"shop": ["North", "South", "North"], "revenue": [120, 99, 135]})
sales.groupby("shop")["revenue"].sum()
```

It reads CSV, Excel, JSON and databases, joins and groups, and handles dates and missing values. Ask me *how do I \
read a \
CSV file?* or *how do I join two data frames?*""",
    ),
    (
        r"plotly",
        """**Plotly** draws interactive figures: one can zoom, hover and hide lines. One line is enough:

```python
import plotly.express as px

px.bar(x=["a", "b", "c"], y=[3, 1, 2], title="Three bars")
```

Rustbot's own figures, such as `bot.figures.cost()`, are Plotly figures, and you can change them like any other. \
They have \
no button that uploads them.""",
    ),
    (
        r"lambdas?",
        """A **lambda** is a small function without a name, written where it is needed:

```python
words = ["kernel", "Stop", "cell"]
print(sorted(words, key=lambda word: word.lower()))
```

It holds one expression and no statements. As soon as you would give it a name, write `def` instead.""",
    ),
    (
        r"python",
        """**Python** is a programming language that reads almost like pseudocode: blocks are marked by indentation, \
names \
have no declared type unless you want one, and there is a library for nearly everything. Here in the notebook you \
can try \
a line at once:

```python
print([number**2 for number in range(5)])
```

I can *write a function that finds primes*, explain code that you paste, and mend small mistakes in it.""",
    ),
)
