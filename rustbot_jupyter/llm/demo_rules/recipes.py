"""The classics the offline demo can write: one recipe of Python each, every one of them runs as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A piece of code with the words that ask for it."""

    title: str
    words: str
    """A regular expression for what a question about it contains."""
    code: str
    why: str
    """What is worth knowing about the code."""


def code_answer(text: str) -> str | None:
    """A recipe with its explanation, or what there is instead; None if the text does not ask for code."""
    if len(text) > 600 or not _ASKS_CODE.search(text):
        return None
    recipe = next((recipe for recipe in RECIPES if re.search(rf"\b(?:{recipe.words})", text, re.IGNORECASE)), None)
    if recipe is not None:
        return f"{recipe.title}\n\n```python\n{recipe.code.strip()}\n```\n\n{recipe.why}"
    return _NO_RECIPE if _INSISTS_ON_CODE.search(text) else None


_ASKS_CODE = re.compile(
    r"\b(?:write|code|create|make|give|show|implement|generate|program|define|need|want|example|how (?:do|can|would|"
    r"to)|plot|"
    r"draw|sort|read|load|parse|reverse|compute|calculate|find|group|merge|join|count)\b|\bin python\b",
    re.IGNORECASE,
)
_INSISTS_ON_CODE = re.compile(
    r"\b(?:write|implement|create|make|generate|give me|show me|need)\b.{0,40}\b(?:function|code|class|script|program|"
    r"snippet|loop|python|method|algorithm)\b",
    re.IGNORECASE,
)

RECIPES = (
    Recipe(
        title="Fibonacci numbers, as a generator, so that you decide how many you want:",
        words=r"fibonacci",
        code='''
from collections.abc import Iterator
from itertools import islice


def fibonacci() -> Iterator[int]:
    """All Fibonacci numbers, from 0 on."""
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


print(list(islice(fibonacci(), 12)))
''',
        why="`a, b = b, a + b` works out the whole right side before it assigns, so no helper variable is needed. The "
        "loop "
        "never ends by itself; `islice` takes as many numbers as asked for. The textbook version with two recursive "
        "calls "
        "takes minutes for the 50th number, this one microseconds.",
    ),
    Recipe(
        title="The sieve of Eratosthenes finds all primes below a limit:",
        words=r"primes?\b|prime number",
        code='''
def primes_below(limit: int) -> list[int]:
    """All primes smaller than the limit, in order."""
    is_prime = [False, False] + [True] * (limit - 2)
    for number in range(2, int(limit**0.5) + 1):
        if is_prime[number]:
            for multiple in range(number * number, limit, number):
                is_prime[multiple] = False
    return [number for number, prime in enumerate(is_prime[:limit]) if prime]


print(primes_below(50))
''',
        why="Crossing out begins at `number * number`, because smaller multiples have a smaller prime factor and are "
        "crossed "
        "out already. For the same reason the outer loop may end at the square root.",
    ),
    Recipe(
        title="Factorial, without recursion:",
        words=r"factorial",
        code='''
def factorial(n: int) -> int:
    """The product of all whole numbers from 1 to n."""
    if n < 0:
        raise ValueError(f"factorial needs a number from 0 on, not {n}")
    product = 1
    for factor in range(2, n + 1):
        product *= factor
    return product


print(factorial(20))
''',
        why="A loop has no depth limit, while a recursive version stops near 1,000. In earnest use `math.factorial`, "
        "which "
        "is written in C.",
    ),
    Recipe(
        title="FizzBuzz, the classic of job interviews:",
        words=r"fizz ?buzz",
        code='''
def fizzbuzz(number: int) -> str:
    """Fizz for multiples of 3, Buzz for multiples of 5, both for multiples of 15."""
    word = "Fizz" * (number % 3 == 0) + "Buzz" * (number % 5 == 0)
    return word or str(number)


print(*(fizzbuzz(number) for number in range(1, 21)), sep="\\n")
''',
        why="A text times `True` is the text, times `False` it is empty; and `word or str(number)` falls back to the "
        "number "
        "when the word is empty.",
    ),
    Recipe(
        title="Sorting a list of dictionaries, by one field and then by another:",
        words=r"sort\w*|order by|ranking",
        code='''
from collections.abc import Mapping, Sequence
from typing import Any


def sorted_by(rows: Sequence[Mapping[str, Any]], *fields: str, descending: bool = False) -> list[Mapping[str, Any]]:
    """A new list, ordered by the fields; the earlier field counts more."""
    return sorted(rows, key=lambda row: tuple(row[field] for field in fields), reverse=descending)


people = [{"name": "Ada", "age": 36}, {"name": "Grace", "age": 45}, {"name": "Alan", "age": 36}]
for person in sorted_by(people, "age", "name"):
    print(person)
''',
        why="Tuples are compared field by field, which is just what “first by age, then by name” means. `sorted` "
        "makes a new "
        "list and leaves yours alone; `people.sort(...)` would change it and return `None`. For a data frame it is "
        '`df.sort_values(["age", "name"])`.',
    ),
    Recipe(
        title="Reading a CSV file, with a first look at what came in:",
        words=r"csv|read (?:a|the|my) (?:file|table|data)|load (?:a|the|my) (?:file|table|data)|excel",
        code='''
from pathlib import Path

import pandas as pd


def read_table(path: str | Path) -> pd.DataFrame:
    """The table in a CSV file; says how large it is and what is missing."""
    frame = pd.read_csv(path)
    print(f"{len(frame):,} rows, {len(frame.columns)} columns")
    print(pd.DataFrame({"type": frame.dtypes.astype(str), "missing": frame.isna().sum()}))
    return frame


Path("planets.csv").write_text("planet,moons\\nEarth,1\\nMars,2\\nVenus,\\n", encoding="utf-8")
planets = read_table("planets.csv")
''',
        why='Look at the types first: a number column that shows as text holds something else somewhere, often "-" or '
        "a "
        'comma as decimal point. `read_csv` has `na_values=["-"]`, `decimal=","`, `sep=";"` and `parse_dates=["day"]` '
        "for "
        "these.",
    ),
    Recipe(
        title="Grouping a data frame and summing up each group:",
        words=r"group\w*|aggregat\w*|pivot|per (?:month|day|category|group)",
        code="""
import pandas as pd

sales = pd.DataFrame(
    {"shop": ["North", "North", "South", "South"], "month": [1, 2, 1, 2], "revenue": [120.0, 135.5, 99.0, 143.2]}
)

summary = sales.groupby("shop").agg(total=("revenue", "sum"), average=("revenue", "mean"), months=("month", "nunique"))
print(summary.sort_values("total", ascending=False))
""",
        why="Each argument of `agg` names a new column and says what it is made of, so the result needs no renaming. "
        "`groupby` drops rows whose key is missing, unless you say `dropna=False`.",
    ),
    Recipe(
        title="Joining two data frames on a common column:",
        words=r"merge|join\w*|combine",
        code="""
import pandas as pd

orders = pd.DataFrame({"order": [1, 2, 3], "customer": ["a", "b", "c"]})
customers = pd.DataFrame({"customer": ["a", "b"], "city": ["Oslo", "Lima"]})

joined = orders.merge(customers, on="customer", how="left", validate="many_to_one", indicator=True)
print(joined)
print("without a customer:", (joined["_merge"] == "left_only").sum())
""",
        why="`validate` fails when a customer is there twice, which would silently multiply rows; `indicator` shows "
        "which rows "
        "found no partner. Both cost one word and save evenings.",
    ),
    Recipe(
        title="A figure with Plotly, to zoom and hover in:",
        words=r"plot\w*|chart|graph\b|figure|draw|visuali[sz]\w*|histogram|scatter|line chart|diagram",
        code="""
import math

import plotly.graph_objects as go

x = [step / 20 for step in range(200)]

figure = go.Figure()
figure.add_scatter(x=x, y=[math.sin(value) for value in x], name="sin x")
figure.add_scatter(x=x, y=[math.exp(-value / 4) * math.sin(3 * value) for value in x], name="damped sin 3x")
figure.update_layout(title="Two waves", xaxis_title="x", yaxis_title="height", hovermode="x unified")
figure
""",
        why="The last line shows the figure. From a data frame it is shorter: `import plotly.express as px` and "
        '`px.scatter(df, x="height", y="weight", color="group")`; `px.histogram` and `px.bar` work the same way.',
    ),
    Recipe(
        title="Reversing a text, and testing for palindromes:",
        words=r"palindrom\w*|revers\w*",
        code='''
def is_palindrome(text: str) -> bool:
    """Whether a text reads the same backwards, punctuation and case left out."""
    letters = [letter for letter in text.casefold() if letter.isalnum()]
    return letters == letters[::-1]


print("stressed"[::-1])
print(is_palindrome("A man, a plan, a canal: Panama!"))
''',
        why="`[::-1]` is a slice from end to start and works on texts, lists and tuples. For going backwards through "
        "a loop, "
        "`reversed(items)` does it without a copy.",
    ),
    Recipe(
        title="Counting words:",
        words=r"(?:count\w*|frequenc\w*|most common|number of) .{0,20}(?:words?|letters?|characters?|items?|values?)|"
        r"word count|"
        r"word frequenc\w*",
        code='''
import re
from collections import Counter


def word_counts(text: str) -> Counter[str]:
    """How often each word occurs, case left out."""
    return Counter(re.findall(r"[\\w']+", text.casefold()))


text = "The quick brown fox jumps over the lazy dog. The dog sleeps."
for word, count in word_counts(text).most_common(3):
    print(f"{count:3}  {word}")
''',
        why="`Counter` is a dictionary that begins every count at zero. It can be added to another one and knows its "
        '`most_common`. For a column of a data frame it is `df["word"].value_counts()`.',
    ),
    Recipe(
        title="Reading and writing JSON:",
        words=r"json",
        code='''
import json
from pathlib import Path
from typing import Any


def save(path: str | Path, value: Any) -> None:
    """Write a value as JSON that people can read, too."""
    Path(path).write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def load(path: str | Path) -> Any:
    """The value in a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


save("notes.json", {"title": "Café", "tags": ["a", "b"]})
print(load("notes.json"))
''',
        why="Say the encoding: without it the file depends on the machine. JSON knows no dates, sets or tuples; "
        "`json.dumps(value, default=str)` writes unknown things as text.",
    ),
    Recipe(
        title="A decorator that tells how long a function takes:",
        words=r"decorator|timer|timing|measure (?:the )?time|how long",
        code='''
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def timed(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, which also prints how long each call took."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            print(f"{function.__name__} took {time.perf_counter() - start:.4f} s")

    return wrapper


@timed
def add_up(limit: int) -> int:
    return sum(range(limit))


print(add_up(1_000_000))
''',
        why="`try`/`finally` prints the time of a call that fails, too, and `wraps` keeps the name and docstring. In a "
        "notebook `%timeit add_up(1_000_000)` repeats the call and gives an average.",
    ),
    Recipe(
        title="A small class, as a dataclass:",
        words=r"(?:data ?)?class\b|object.oriented",
        code='''
from dataclasses import dataclass, field


@dataclass
class Account:
    """A bank account that remembers its movements."""

    owner: str
    balance: float = 0.0
    movements: list[float] = field(default_factory=list)

    def deposit(self, amount: float) -> None:
        """Add money; a negative amount takes some out."""
        if self.balance + amount < 0:
            raise ValueError(f"{self.owner} has only {self.balance:.2f}")
        self.balance += amount
        self.movements.append(amount)


account = Account("Ada")
account.deposit(100)
account.deposit(-30)
print(account)
''',
        why="`@dataclass` writes the constructor, a readable `repr` and the comparison. The list needs "
        "`default_factory`: a "
        "plain `[]` as default would be shared by all accounts, and the dataclass refuses it.",
    ),
    Recipe(
        title="Estimating π by throwing darts (Monte Carlo):",
        words=r"monte.?carlo|random|dice|simulat\w*|estimate pi|\bpi\b",
        code='''
import random


def estimate_pi(darts: int, seed: int = 1) -> float:
    """Four times the share of darts in the unit square that hit the quarter circle."""
    throw = random.Random(seed).random
    hits = sum(throw() ** 2 + throw() ** 2 <= 1 for _ in range(darts))
    return 4 * hits / darts


for darts in (100, 10_000, 1_000_000):
    print(f"{darts:>9,} darts: {estimate_pi(darts):.4f}")
''',
        why="A generator of its own with a seed makes the result repeatable, and leaves the random numbers of the "
        "rest of your "
        "notebook alone. The error shrinks with the square root: a hundred times the darts for one more digit.",
    ),
    Recipe(
        title="Fetching JSON from the web, with a time limit:",
        words=r"http|request\b|requests\b|download|fetch|web ?page|url|rest api|scrap\w*",
        code='''
from typing import Any

import httpx


def fetch_json(url: str, timeout_s: float = 10.0) -> Any:
    """The JSON at an address; raises when the server says no or does not answer in time."""
    response = httpx.get(url, timeout=timeout_s, follow_redirects=True)
    response.raise_for_status()
    return response.json()
''',
        why="Without a time limit a silent server blocks the cell, and without `raise_for_status` an error page would "
        "be read "
        "as data. `httpx` is installed already, Rustbot uses it.",
    ),
    Recipe(
        title="Finding e-mail addresses with a regular expression:",
        words=r"regex\w*|regular expression|e-?mails?\b|pattern",
        code='''
import re

EMAIL = re.compile(r"[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+")


def emails_in(text: str) -> list[str]:
    """Everything in a text that looks like an e-mail address, in order, each one once."""
    return list(dict.fromkeys(EMAIL.findall(text)))


print(emails_in("Write to ada@example.org or grace.hopper@navy.example.com, not to @nobody."))
''',
        why="The `r` before the quotes keeps the backslashes. `dict.fromkeys` removes doubles and keeps the order, "
        "which a "
        "set would not. Whether an address exists, only a message to it can tell.",
    ),
    Recipe(
        title="All files below a folder, the largest first:",
        words=r"list .{0,15}files|files? in|folder|director(?:y|ies)|walk",
        code='''
from pathlib import Path


def largest_files(folder: str | Path = ".", pattern: str = "*", count: int = 10) -> list[tuple[int, Path]]:
    """Size in bytes and path of the largest files below a folder."""
    files = [(path.stat().st_size, path) for path in Path(folder).rglob(pattern) if path.is_file()]
    return sorted(files, reverse=True)[:count]


for size, path in largest_files(pattern="*.ipynb"):
    print(f"{size:>12,}  {path}")
''',
        why='`rglob` goes into all folders below; `glob` stays in the one. Patterns are those of the shell: `"*.csv"`, '
        '`"data_??.txt"`.',
    ),
    Recipe(
        title="The days between two dates, and the date in thirty days:",
        words=r"dates?\b|days? between|datetime|weekday|calendar",
        code="""
from datetime import date, timedelta

start = date(2026, 1, 15)
end = date.fromisoformat("2026-11-23")

print((end - start).days, "days")
print("thirty days later:", start + timedelta(days=30))
print(f"{end:%A, %d %B %Y}")
""",
        why="Dates can be subtracted, which gives a `timedelta`, and compared. For times of day use "
        "`datetime.now(timezone.utc)`: a time without a zone means something else on every machine. A whole column is "
        "turned "
        'into dates by `pd.to_datetime(df["day"])`.',
    ),
    Recipe(
        title="A test with pytest:",
        words=r"unit ?tests?\b|pytest|tests? for\b|a test\b",
        code='''
def slug(title: str) -> str:
    """A title as part of a web address."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.casefold()).split())


def test_words_are_joined_by_dashes():
    assert slug("Hello World") == "hello-world"


def test_punctuation_is_left_out():
    assert slug("What's new, in 2026?") == "what-s-new-in-2026"


test_words_are_joined_by_dashes()
test_punctuation_is_left_out()
print("all fine")
''',
        why="In a file named `test_slug.py` the command `pytest` finds and runs the tests by their names; the last "
        "three lines "
        "are for the notebook only. The name of a test says what must hold, so that a failure reads like a sentence.",
    ),
    Recipe(
        title="A loop over a list, with the position of each item:",
        words=r"(?:for |while )?loop\w*|iterat\w*|enumerate",
        code="""
fruits = ["apple", "banana", "cherry"]

for number, fruit in enumerate(fruits, start=1):
    print(f"{number}. {fruit}")

lengths = {fruit: len(fruit) for fruit in fruits}
print(lengths)
""",
        why="`enumerate` gives position and item together, so `range(len(...))` is not needed. When a loop only "
        "builds a list "
        "or dictionary, a comprehension such as the last one says the same in one line.",
    ),
    Recipe(
        title="The greeting everybody starts with, and a function for it:",
        words=r"hello,? world|greet\w*|simple function|any function|some code|python code\W*$|a function\s*$|"
        r"example of python|"
        r"python example",
        code='''
def greet(name: str = "world") -> str:
    """A friendly greeting."""
    return f"Hello, {name}!"


print(greet())
print(greet("Jupyter"))
''',
        why='`f"..."` puts values into a text, `= "world"` is used when no name is given, and the line in three '
        "quotes is "
        "shown by `greet?` in a notebook.",
    ),
)

_NO_RECIPE = """
I cannot write that: I am the offline demo and own a small box of recipes, and none of them fits. A real model would \
write it for you here. What is in my box, for instance:

- *Write a function that finds primes* (or Fibonacci numbers, factorials, palindromes)
- *How do I read a CSV file?* (also JSON, dates, grouping and joining data frames)
- *Plot something with Plotly*
- *Write a decorator that measures time*, *a dataclass*, *a test*, *a regular expression for e-mails*

Or paste code of your own, and I explain it.
"""
