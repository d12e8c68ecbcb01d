"""Expressions that read are evaluated; what could change, leave or hang anything is refused before it happens."""

from __future__ import annotations

import collections
import contextlib
import datetime
import decimal
import enum
import io
import math
import os
import statistics
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from effort import cpu_at_most
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.evaluate import EvaluationFailed, evaluate


class Trap:
    """An object of the user's: whatever is done with it is noted."""

    touched: list[str] = []

    def __init__(self) -> None:
        self.plain = 5
        self.nested = [1, 2]

    @property
    def prop(self) -> int:
        Trap.touched.append("property")
        return 1

    def method(self) -> int:
        Trap.touched.append("method")
        return 1

    def __getattr__(self, name: str) -> int:
        # numpy and pandas ask every object for these while the frames below are made.
        if name.startswith("__"):
            raise AttributeError(name)
        Trap.touched.append("getattr")
        return 1


def _noted(name: str) -> Any:
    def note(self: Any, *others: Any) -> Any:
        Trap.touched.append(name)
        return NotImplemented if name == "__eq__" else 1

    return note


for _operator in (
    *("__add__", "__radd__", "__eq__", "__lt__", "__neg__", "__invert__", "__len__", "__getitem__", "__contains__"),
    *("__iter__", "__call__", "__hash__", "__bool__", "__format__", "__index__", "__int__", "__float__"),
    *("__repr__", "__str__"),
):
    setattr(Trap, _operator, _noted(_operator))


class Pretender:
    """It says that it is pandas'."""

    head = _noted("head")


Pretender.__module__, Pretender.__qualname__ = "pandas", "DataFrame"


class Sub(list[int]):
    __getitem__ = _noted("list subclass")
    __len__ = _noted("list subclass")


class Colour(enum.Enum):
    RED = 1


@dataclass
class Point:
    x: int


def users_function(*values: Any) -> int:
    Trap.touched.append("function")
    return 1


def generator() -> Any:
    Trap.touched.append("generator")
    yield 1


WIDE = pd.DataFrame(np.ones((2_000_000, 2)), columns=["a", "b"])
LONG = np.arange(1_000_000.0)


@pytest.fixture
def namespace(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    cells = np.empty(2, dtype=object)
    cells[0], cells[1] = Trap(), 1
    made = {
        "np": np,
        "pd": pd,
        "pl": pl,
        "math": math,
        "os": os,
        "sys": sys,
        "statistics": statistics,
        "df": pd.DataFrame(
            {
                "x": [1.0, 2.0, 3.0, None],
                "city": ["Oslo", "Rome", "Oslo", "Bern"],
                "at": pd.date_range("2026-01-01", periods=4),
            }
        ),
        "wide": WIDE,
        "repeated": pd.Series(np.ones(20_000), index=np.zeros(20_000)),
        "other": pd.Series(np.ones(20_000), index=np.r_[np.zeros(19_999), 1]),
        "traps": pd.DataFrame({"t": cells}),
        "frame": pl.DataFrame({"n": [1, 2, 3], "word": ["a", "b", "c"]}),
        "query": pl.col("n").map_elements(users_function, return_dtype=pl.Int64),
        "lazy": pl.DataFrame({"n": [1]}).lazy(),
        "array": np.arange(12.0).reshape(3, 4),
        "long": LONG,
        "objects": cells,
        "n": 3,
        "big": 10**300,
        "words": ["aa", "b"],
        "table": {"k": 1, "l": [1, 2]},
        "text": "hello world",
        "default": collections.defaultdict(list),
        "counts": collections.Counter("abca"),
        "day": datetime.date(2026, 1, 2),
        "price": decimal.Decimal("9.99"),
        "huge": decimal.Decimal("1e999999"),
        "trap": Trap(),
        "in_list": [Trap()],
        "pretender": Pretender(),
        "sub": Sub(),
        "colour": Colour,
        "point": Point(4),
        "function": users_function,
        "functions": [users_function, os.system],
        "generator": generator(),
        "file": io.StringIO("first\nsecond\n"),
        "zipped": zip([1], [2], strict=True),
        "_private": 1,
    }
    Trap.touched.clear()
    return made


READING = {
    "n + 1": 4,
    "df.shape": (4, 3),
    "len(df)": 4,
    "df.x.sum()": 6.0,
    'df["x"].mean()': 2.0,
    'df[df.city == "Oslo"].shape[0]': 2,
    'df[(df.x > 1) & (df.city == "Rome")].shape': (1, 3),
    'df.groupby("city")["x"].sum()["Oslo"]': 4.0,
    'df.groupby("city").agg({"x": ["mean", "max"]}).shape': (3, 2),
    "df.x.max() - df.x.min()": 2.0,
    'df.city.value_counts()["Oslo"]': 2,
    'df.sort_values("x", ascending=False).city.tolist()[0]': "Oslo",
    "df.x.isna().sum()": 1,
    'df["at"].dt.year.max()': 2026,
    'df.city.str.contains("os").sum()': 0,
    'df.loc[1, "city"]': "Rome",
    'df.iloc[0]["x"]': 1.0,
    "list(df.columns)": ["x", "city", "at"],
    'df.select_dtypes(include="number").columns.tolist()': ["x"],
    "df.x.rolling(2).mean().max()": 2.5,
    "df.x.quantile(0.5)": 2.0,
    'df.nlargest(1, "x").city.tolist()': ["Oslo"],
    "df.x.to_dict()[0]": 1.0,
    "array.mean(axis=0).tolist()": [4.0, 5.0, 6.0, 7.0],
    "array[1:, 0].sum()": 12.0,
    "array.T.shape": (4, 3),
    "(array > 5).sum()": 6,
    "np.percentile(array, 50)": 5.5,
    "np.linalg.norm(array[0])": pytest.approx(14**0.5),
    "np.where(array > 5, 1, 0).sum()": 6,
    "math.sqrt(16) + math.floor(1.5)": 5.0,
    "statistics.median([3, 1, 2])": 2,
    'frame["n"].sum()': 6,
    'frame.filter(pl.col("n") > 1).height': 2,
    'frame.select(pl.col("n").mean())["n"][0]': 2.0,
    'frame.group_by("word").agg(pl.col("n").sum()).height': 3,
    "sum(len(w) for w in words)": 3,
    "sorted(words, key=len)": ["b", "aa"],
    "max(words, key=len)": "aa",
    "{w: len(w) for w in words if w != 'b'}": {"aa": 2},
    "[x * y for x in range(3) for y in range(3) if x < y]": [0, 0, 2],
    "[k + str(v) for k, v in zip(words, range(2))]": ["aa0", "b1"],
    'f"{n:.2f} {words[0]!r}"': "3.00 'aa'",
    "f'{day:%Y-%m}'": "2026-01",
    '", ".join(words)': "aa, b",
    "text.upper().split()": ["HELLO", "WORLD"],
    'text.replace("l", "L")': "heLLo worLd",
    'table["k"] + table.get("z", 1)': 2,
    "counts.most_common(1)": [("a", 2)],
    "counts['missing']": 0,
    "n if n > 2 else -n": 3,
    "1 < n <= 3": True,
    "not n or None": None,
    "'k' in table": True,
    "isinstance(n, int)": True,
    "day.year": 2026,
    "round(price * 2, 1)": decimal.Decimal("20.0"),
    "2 ** 10": 1024,
    "'ab' * 3": "ababab",
    "[0] * 3": [0, 0, 0],
    "point.x": 4,
    "trap.plain": 5,
    "any(w == 'b' for w in words)": True,
    "set(words) & {'b'}": {"b"},
    "list(enumerate(words, 1))[-1]": (2, "b"),
    "list(map(len, words))": [2, 1],
    "dict(zip(words, [1, 2]))": {"aa": 1, "b": 2},
    "sum([1, 2], 3)": 6,
    "range(10**12)[5]": 5,
    "pd.isna(None)": True,
}


@pytest.mark.parametrize("expression", READING)
def test_what_only_reads_is_evaluated(namespace: dict[str, Any], expression: str) -> None:
    assert evaluate(expression, namespace) == READING[expression]


def test_whatever_a_name_stands_for_can_be_looked_at(namespace: dict[str, Any]) -> None:
    assert evaluate("trap", namespace) is namespace["trap"]
    assert evaluate("table['l']", namespace) is namespace["table"]["l"]
    assert not Trap.touched


HOSTILE = """
__import__("os").system("touch hacked")
().__class__.__base__.__subclasses__()
"".__class__
df.__class__
df._mgr
_private
(lambda: 1)()
(n := 5)
[y := 1 for x in words]
open("hacked", "w")
exec("import os")
eval("1")
compile("1", "", "eval")
globals()
locals()
vars(trap)
dir()
getattr(df, "to_csv")
setattr(trap, "plain", 1)
delattr(trap, "plain")
input()
print(1)
breakpoint()
help()
exit()
quit()
super()
memoryview(b"")
object()
property
__builtins__
__name__
next(generator)
list(generator)
sum(generator)
[x for x in generator]
1 in generator
list(file)
[line for line in file]
file.read()
file.close()
list(zipped)
dict(zipped)
os.system("touch hacked")
os.environ
os.environ["HOME"]
sys.exit()
sys.modules
function()
in_list.index(1)
in_list.count(1)
functions[0]()
functions[1]("touch hacked")
[f() for f in functions]
[function(x) for x in words]
sorted(words, key=function)
sorted(words, key=functions[0])
max(words, key=function)
map(function, words)
list(map(functions[0], words))
filter(function, words)
df.apply(function)
df.map(function)
df.pipe(function)
df.agg(function)
df.agg("to_csv")
df.agg("to_csv", path_or_buf="hacked")
df.agg(["mean", "to_csv"])
df.agg({"x": "to_pickle"})
df.groupby("city").agg(function)
df.groupby("city").apply(function)
df.groupby(function)
df.groupby(by=functions[0])
df.groupby(len)
df.transform(function)
df.x.map(functions[0])
df.x.apply(len)
df[function]
df.loc[function]
df.eval("x + 1")
df.query("x > 1")
df.query("@os.system('touch hacked')")
df.to_csv("hacked")
df.to_pickle("hacked")
df.to_sql("hacked", "sqlite:///hacked")
df.to_string("hacked")
df.info(buf=file)
df.to_clipboard()
df.plot()
df.hist()
df.style
df.x.plot
df.dropna(inplace=True)
df.drop(columns="x", inplace=True)
df.fillna(0, inplace=True)
df.sort_values("x", inplace=True)
df.rename(columns={"x": "y"}, inplace=True)
df.reset_index(inplace=True)
df.insert(0, "y", 1)
df.pop("x")
df.update(df)
df.assign(y=function)
df.sort_values("x", key=function)
df.sort_index(key=len)
df.x.str.cat(sep=file)
df.city.str.replace("a", function)
df.city.str.contains("(a+)+$")
df.city.str.match("(x*)*y")
df.filter(regex="(a+)+$")
df.city.str.repeat(10**9)
df.city.str.pad(10**9)
df.where(function)
df.mask(function)
df.to_dict(into=function)
df.attrs.update({"a": 1})
df.columns.map(function)
pd.read_csv("/etc/passwd")
pd.read_pickle("hacked")
pd.eval("1")
pd.DataFrame({"a": [1]}).to_csv("hacked")
pd.options.display.max_rows
np.load("hacked")
np.save("hacked", array)
np.fromfile("/etc/passwd")
np.zeros(10**12)
np.ones((10**6, 10**6))
np.sqrt(array, array)
np.sqrt(array, out=array)
np.maximum(array, 0, array)
np.median(array, overwrite_input=True)
np.random.seed(0)
np.vectorize(function)
np.frompyfunc(function, 1, 1)
np.linalg.inv(array)
array.sort()
array.fill(0)
array.resize((1, 1))
array.put(0, 1)
array.tofile("hacked")
array.dump("hacked")
array.mean(0, None, array)
array.mean(out=array)
array.cumsum(0, None, array)
array.setflags(write=False)
long[:, None] + long
long[:, None] == long
long[:, None] * long[None, :] > 0
array @ array
wide.tolist()
wide.to_dict()
wide.T
wide.values.tolist()
[x for x in wide.a]
sorted(wide.a)
repeated + other
repeated * other
repeated.eq(other)
traps.t.sum()
traps.t == 1
traps.t.max()
objects + 1
objects.sum()
objects == 1
frame.map_rows(function)
frame.write_csv("hacked")
frame.select(query)
frame.filter(query > 1)
frame.with_columns([query])
[query.sum()]
query + 1
frame.select(pl.col("n").map_elements(function))
pl.read_csv("/etc/passwd")
pl.scan_csv("/etc/passwd")
lazy.collect()
lazy.select("n")
frame.extend(frame)
frame.to_pandas()
words.append("c")
words.sort()
words.clear()
words.pop()
table.update({"k": 2})
table.pop("k")
table.setdefault("m", 1)
table.clear()
default["new"]
counts.update("a")
set(words).add(1)
in_list == [1]
1 in in_list
in_list + [1] == 2
in_list[0] + 1
sorted(in_list)
str(in_list)
repr(trap)
f"{trap}"
f"{trap!r}"
f"{in_list}"
trap + 1
1 + trap
trap == 1
trap < 1
-trap
~trap
not trap
trap and 1
trap if trap else 1
trap[0]
trap()
len(trap)
trap.prop
trap.method
trap.method()
trap.missing
int(trap)
float(trap)
bool(trap)
{trap: 1}
{trap}
{"a": trap}
trap in words
for_x in trap
[x for x in trap]
[*words]
{**table}
function(*words)
df.head(**table)
max(*words)
pretender.head()
pretender.head
sub[0]
len(sub)
list(sub)
colour.RED
type(trap)()
type(n).mro()
isinstance(n, colour)
"{0.__class__}".format(n)
"{}".format(trap)
"%s" % trap
"%1000000000d" % 1
"{x}".format_map(table)
f"{n:>1000000000}"
f"{n:{10**9}}"
f"{day:%10000000000d}"
"a" * 10**9
10**9 * "a"
"a" * np.int64(10**9)
b"a" * 10**9
[0] * 10**10
(0,) * 10**9
[[0] * 1000] * 10000
[[[0] * 100] * 100] * 1000
[[[[[[[0] * 9] * 9] * 9] * 9] * 9] * 9] * 9
9 ** 9 ** 9
9 ** 99999999
n ** 10**9
big ** big
2 ** big
1 << 10**10
big << 10**9
price ** 10**9
huge + 1 > int(huge)
int(huge)
round(huge)
round(n, -10**9)
round(n, 10**12)
int("9" * 100000)
list(range(10**10))
sum(range(10**10))
sorted(range(10**9))
[x for x in range(10**9)]
[x for x in range(10**5) for y in range(10**5)]
set(range(10**9))
max(range(10**10))
any(x for x in range(10**10))
dict(enumerate(range(10**9)))
sum([words, words], [])
sum([[1]] * 1000, [])
"".join(["a" * 100000] * 100000)
text.replace("", "a" * 100000)
"ab".ljust(10**9)
"a".zfill(10**9)
"a".center(10**9)
"a\\tb".expandtabs(10**9)
"a".translate(table)
text.encode("idna")
(10**4000).__str__()
math.factorial(10**9)
math.comb(10**6, 10**5)
math.perm(10**6)
pow(9, 9**9)
bytes(10**10)
bytearray(10**10)
df.x.repeat(10**9)
df.head(10**15)
np.histogram(array, 10**10)
df.x.value_counts(bins=10**10)
df.rolling(10**15)
x = 1
import os
del n
n; n
await n
yield n
lambda x: x
@
"""


@pytest.mark.parametrize("expression", HOSTILE.strip().splitlines())
def test_what_could_do_more_than_read_is_refused_quickly(namespace: dict[str, Any], expression: str) -> None:
    before = {name: repr(value)[:2_000] for name, value in namespace.items() if name in _COMPARED}

    with cpu_at_most(5), pytest.raises(ToolError) as refused:
        evaluate(expression, namespace)

    assert Trap.touched == []
    assert os.listdir() == []
    assert before == {name: repr(namespace[name])[:2_000] for name in before}
    assert namespace["file"].tell() == 0
    assert not namespace["file"].closed
    assert len(str(refused.value)) < 500


_COMPARED = {"df", "frame", "array", "words", "table", "default", "counts", "n"}


def test_a_refusal_tells_the_model_what_to_use_instead(namespace: dict[str, Any]) -> None:
    for expression in ("df.to_csv('x')", "lambda: 1", "9**9**9"):
        with pytest.raises(ToolError, match="run_code"):
            evaluate(expression, namespace)


def test_the_expressions_own_errors_are_told_as_such(namespace: dict[str, Any]) -> None:
    for expression, kind in {"1/0": "ZeroDivisionError", "table['z']": "KeyError", "words[9]": "IndexError"}.items():
        with pytest.raises(EvaluationFailed) as failed:
            evaluate(expression, namespace)

        assert failed.value.kind == kind


def test_a_name_that_the_user_took_is_the_users(namespace: dict[str, Any]) -> None:
    namespace["len"] = users_function

    with pytest.raises(ToolError):
        evaluate("len(words)", namespace)

    assert Trap.touched == []


def test_long_and_deep_expressions_end_in_a_sentence(namespace: dict[str, Any]) -> None:
    for expression in (
        "(" * 500 + "1" + ")" * 500,
        "1+" * 1_900 + "1",
        "-" * 3_000 + "1",
        "1" * 5_000,
        "\x00",
        "\ud800",
    ):
        with pytest.raises(ToolError):
            evaluate(expression, namespace)


@given(st.text(alphabet="dfx.[]()'\"+*-/%<>=:,{}0123456789 abcnotislambdaforin_", max_size=40))
def test_no_text_makes_it_raise_anything_but_its_own_error(text: str) -> None:
    with contextlib.suppress(ToolError):
        evaluate(text, {"df": pd.DataFrame({"x": [1]}), "n": 1})
