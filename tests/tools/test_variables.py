from __future__ import annotations

import dataclasses
import datetime
import enum
import os
import time
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from effort import pace
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.tools.short_text import number_text
from rustbot_jupyter.tools.variables import MIN_BUDGET_CHARS, describe, describe_variables

SECRET = "zebra-4711"


@pytest.fixture(scope="module")
def large_frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = 1_000_000
    columns: dict[str, Any] = {f"metric_{i:02d}": rng.random(rows) for i in range(35)}
    columns |= {f"count_{i}": rng.integers(0, 1000, rows) for i in range(10)}
    columns |= {f"group_{i}": rng.choice(["alpha", "beta", "gamma"], rows) for i in range(3)}
    columns["at"] = pd.date_range("2026-01-01", periods=rows, freq="s")
    columns["ok"] = rng.random(rows) > 0.5
    return pd.DataFrame(columns)


def test_a_frame_of_a_million_rows_takes_at_most_1500_tokens_and_50_ms(large_frame):
    describe("df", large_frame.head(10))

    times = []
    for _ in range(5):
        start = time.thread_time()
        text = describe("df", large_frame)
        times.append(time.thread_time() - start)

    assert len(text) / 4 <= 1_500
    assert min(times) <= 0.05 * pace()
    assert text.startswith("df: pandas DataFrame, 1,000,000 rows × 50 columns")
    assert "statistics from a sample of 1,000 rows" in text
    assert "first rows:" in text
    assert all(name in text for name in large_frame.columns)


def test_a_small_frame_shows_schema_statistics_and_head():
    frame = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "x": [0.5, None, 1.5],
            "who": ["Ann", "Ann", "Bo"],
            "ok": [True, False, True],
            "day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]),
        }
    )

    text = describe("df", frame)

    assert text.splitlines() == [
        "df: pandas DataFrame, 3 rows × 5 columns",
        "columns:",
        "- n: int64, min 1, mean 2, max 3",
        "- x: float64, min 0.5, mean 1, max 1.5, 33% missing",
        "- who: str, 2 distinct: 'Ann' 67%, 'Bo' 33%",
        "- ok: bool, 67% true",
        "- day: datetime64[us], from 2026-01-01 00:00:00 to 2026-01-03 00:00:00",
        "first rows:",
        "n | x | who | ok | day",
        "1 | 0.5 | Ann | True | 2026-01-01 00:00:00",
        "2 |  | Ann | False | 2026-01-02 00:00:00",
        "3 | 1.5 | Bo | True | 2026-01-03 00:00:00",
    ]


def test_a_meaningful_index_is_part_of_the_table():
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="key"))

    text = describe("df", frame)

    assert "index key str" in text
    assert "(index) | n" in text
    assert "a | 1" in text


def test_a_wide_frame_names_what_it_cannot_show():
    frame = pd.DataFrame(np.zeros((10, 5_000)), columns=[f"column_{i}" for i in range(5_000)])

    text = describe("df", frame)

    assert len(text) <= 6_000
    assert "more columns: " in text
    assert "first rows:" in text


def test_odd_frames_do_not_fail():
    frames = [
        pd.DataFrame(),
        pd.DataFrame(columns=["a"]),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({("a", 1): [1], ("b", 2): [2]}),
        pd.DataFrame({"lists": [[1], [2]], "mixed": [1, "x"], 3: [None, None]}),
        pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "p": pd.period_range("2026", periods=2, freq="M")}),
        pd.DataFrame({"x": [1]}, index=pd.MultiIndex.from_tuples([("a", 1)], names=["l", None])),
        pd.DataFrame({"x" * 10_000: ["y" * 100_000]}),
    ]

    for frame in frames:
        for schema_only in (False, True):
            text = describe("df", frame, schema_only=schema_only)
            assert "cannot be shown" not in text
            assert len(text) <= 6_000


def test_a_series_and_an_array_are_summarised():
    series = describe("s", pd.Series([1.0, 3.0], name="price"))
    array = describe("a", np.arange(1_000_000).reshape(1000, 1000))

    assert series.startswith("s: pandas Series, 2 rows × 1 column")
    assert "- price: float64, min 1, mean 2, max 3" in series
    assert array.startswith("a: numpy ndarray of int64, shape (1000, 1000)\nmin 0, mean")
    assert "from a sample of" in array
    assert len(array) < 1_000


@pytest.mark.parametrize(
    "array",
    [np.array(5), np.array([]), np.array([np.nan]), np.array(["a"]), np.array([object()]), np.zeros((0, 3))],
    ids=str,
)
def test_odd_arrays_do_not_fail(array):
    assert "cannot be shown" not in describe("a", array)


def test_frames_of_other_libraries_read_the_same():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"n": [1, 2, None], "who": ["Ann", "Bo", "Ann"]})

    text = describe("df", frame)

    assert text.startswith("df: polars DataFrame, 3 rows × 2 columns")
    assert "- n: Int64, min 1, mean 1.5, max 2, 33% missing" in text
    assert "1 | Ann" in text
    assert describe("s", frame["who"]).startswith("s: polars Series, 3 rows × 1 column")
    assert describe("lazy", frame.lazy()).startswith(
        "lazy: polars LazyFrame, rows not computed × 2 columns\n- n: Int64"
    )


def test_an_arrow_table_reads_the_same():
    arrow = pytest.importorskip("pyarrow")

    text = describe("t", arrow.table({"n": list(range(100_000)), "who": ["Ann"] * 100_000}))

    assert text.startswith("t: pyarrow Table, 100,000 rows × 2 columns")
    assert "statistics from a sample of" in text
    assert "0 | Ann" in text


def test_containers_are_cut_with_a_note():
    text = describe("numbers", list(range(1_000_000)), budget_chars=200)

    assert text.startswith("numbers: list, 1,000,000 items\n[0, 1, 2, ")
    assert text.endswith("… (cut; 1,000,000 items in total)")
    assert len(text) <= 200


def test_a_frame_inside_a_container_is_only_named():
    assert describe("d", {"df": pd.DataFrame({"a": [1]})}) == "d: dict, 1 entry\n{'df': <pandas DataFrame 1 × 1>}"


def test_a_container_that_holds_itself_ends():
    loop: list[Any] = [1]
    loop.append(loop)

    assert describe("loop", loop) == "loop: list, 2 items\n[1, [1, [1, [1, […]]]]]"


def test_a_long_string_is_cut_with_a_note():
    text = describe("novel", "x" * 10_000, budget_chars=300)

    assert text.startswith("novel: str, 10,000 characters\nxxx")
    assert text.endswith("… (cut; 10,000 characters in total)")


def test_a_function_shows_its_source_and_an_exception_its_cause():
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        caught = error

    assert "def large_frame" not in describe("f", sample_function)
    assert "return secret" in describe("f", sample_function)
    assert describe("e", caught) == "e: exception ValueError: outer\ncaused by KeyError: 'inner'"


def sample_function(first: int, secret: str = SECRET) -> str:
    return secret


def test_inline_scalars_and_text_come_bare():
    shown = [describe("v", value, inline=True) for value in ("text", 3, 2.5, None, [1, "a"], np.float64(1.5))]

    assert shown == ["text", "3", "2.5", "None", "[1, 'a']", "1.5"]


def test_an_inline_text_may_be_long():
    assert describe("v", "x" * 50_000, inline=True) == "x" * 50_000


class Stubborn:
    def __repr__(self) -> str:
        raise RuntimeError(SECRET)

    @property
    def shape(self) -> Any:
        raise RuntimeError(SECRET)


def test_an_object_that_raises_is_still_named():
    assert "Stubborn" in describe("s", Stubborn())
    assert "Stubborn" in describe("s", [Stubborn()])
    assert describe("s", Stubborn(), schema_only=True) == f"s: {__name__} Stubborn (cannot be shown: RuntimeError)"


@dataclasses.dataclass
class Person:
    name: str = SECRET
    age: int = 4711


class Colour(enum.Enum):
    RED = SECRET


class Bag:
    def __init__(self) -> None:
        self.content = SECRET


def secret_values() -> dict[str, Any]:
    pair = namedtuple("Pair", "left right")
    values = pd.Series([SECRET, SECRET + "b", None], name="who")
    frame = pd.DataFrame({"who": values, "n": [4711, 4712, 4713], "list": [[SECRET]] * 3})
    return {
        "str": SECRET,
        "bytes": SECRET.encode(),
        "bytearray": bytearray(SECRET.encode()),
        "int": 4711,
        "float": 4711.5,
        "complex": 4711j,
        "date": datetime.date(4711, 1, 1),
        "list": [SECRET, 4711],
        "nested": {"a": {SECRET: [SECRET]}},
        "dict_keys": {SECRET: 1, 4711: 2},
        "set": {SECRET},
        "frozenset": frozenset([SECRET]),
        "deque": deque([SECRET]),
        "counter": Counter(SECRET),
        "defaultdict": defaultdict(list, {SECRET: [1]}),
        "ordered": OrderedDict({SECRET: 1}),
        "namedtuple": pair(SECRET, 4711),
        "range": range(4711),
        "slice": slice(4711),
        "dataclass": Person(),
        "enum": Colour.RED,
        "object": Bag(),
        "lambda": lambda value=SECRET: value,
        "function": sample_function,
        "exception": ValueError(SECRET),
        "frame": frame,
        "series": values,
        "category": pd.Series([SECRET], dtype="category"),
        "frame_category": pd.DataFrame({"c": pd.Categorical([SECRET], categories=[SECRET, "zebra-4711-other"])}),
        "index_values": frame.set_index("who"),
        "multi_index": frame.set_index(["who", "n"]),
        "index": pd.Index([SECRET]),
        "categorical_index": frame.set_index(pd.CategoricalIndex([SECRET, SECRET, SECRET])),
        "sparse": pd.Series([4711, 4711], dtype=pd.SparseDtype(int, 4711)),
        "interval": pd.Series(pd.interval_range(4711, 4713)),
        "attrs": _with_attrs(frame),
        "group_by": frame.groupby("who"),
        "array": np.array([SECRET]),
        "number_array": np.full((2, 3), 4711),
        "object_array": np.array([SECRET, None], dtype=object),
        "structured": np.array([(4711, SECRET)], dtype=[("n", "i8"), ("s", "U20")]),
        "masked": np.ma.masked_equal([4711, 1], 1),
        "numpy_scalar": np.float64(4711),
        "timestamp": pd.Timestamp("2026-01-01 00:47:11"),
    }


def _with_attrs(frame: pd.DataFrame) -> pd.DataFrame:
    copy = frame.copy()
    copy.attrs["note"] = SECRET
    return copy


@pytest.mark.parametrize("kind", secret_values())
@pytest.mark.parametrize("inline", [False, True])
def test_schema_only_shows_no_value(kind, inline):
    text = describe("v", secret_values()[kind], schema_only=True, inline=inline)

    assert "zebra" not in text
    assert "4711" not in text
    assert "cannot be shown" not in text
    assert text.startswith("v: ")


def test_schema_only_shows_no_value_of_polars_either():
    polars = pytest.importorskip("polars")
    kind = polars.Enum([SECRET])
    frame = polars.DataFrame(
        {"e": polars.Series([SECRET], dtype=kind), "l": polars.Series([[SECRET]], dtype=polars.List(kind))}
    ).with_columns(c=polars.lit(SECRET).cast(polars.Categorical), s=polars.struct(polars.col("e")))

    for value in (frame, frame["e"], frame.lazy()):
        text = describe("v", value, schema_only=True)
        assert "zebra" not in text
        assert "- e: Enum" in text


def test_schema_only_keeps_names_dtypes_and_shapes():
    frame = pd.DataFrame({"who": ["a"], "n": [1]})

    assert describe("df", frame, schema_only=True) == (
        "df: pandas DataFrame, 1 row × 2 columns\n- who: str\n- n: int64"
    )
    assert describe("a", np.zeros((2, 3)), schema_only=True) == "a: numpy ndarray of float64, shape (2, 3)"
    assert describe("d", {"k": [1]}, schema_only=True) == "d: dict, 1 entry of str to list"
    assert describe("p", Person(), schema_only=True) == f"p: {__name__} Person with name: str, age: int"
    assert describe("f", sample_function, schema_only=True) == "f: function sample_function(first, secret)"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
)


@given(value=anything, budget=st.integers(0, 500), schema_only=st.booleans())
def test_any_value_fits_the_budget(value, budget, schema_only):
    text = describe("v", value, schema_only=schema_only, budget_chars=budget)

    assert text.startswith("v: ")
    assert len(text) <= max(budget, MIN_BUDGET_CHARS)


def test_several_variables_share_the_budget():
    namespace = {"a": [0] * 10_000, "b": "text", "c": {i: i for i in range(10_000)}, "d": list(range(10_000))}

    text = describe_variables(namespace, ["a", "b", "c", "d", "a"], budget_chars=1_000)

    assert [block.partition(":")[0] for block in text.split("\n\n")] == ["a", "b", "c", "d"]
    assert len(text) <= 3_010


def test_an_unknown_variable_is_named_with_the_nearest_one():
    with pytest.raises(RequestError, match=r"no variable 'prices'.*did you mean 'price'\?"):
        describe_variables({"price": 1}, ["prices"])
    with pytest.raises(RequestError, match=r"no variable 'q'.*run the cell that makes it"):
        describe_variables({"price": 1}, ["q"])


def test_the_environment_is_described_by_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", "zebra-4711")

    for inline in (True, False):
        text = describe("e", os.environ, inline=inline)

        assert "zebra-4711" not in text
    assert "A_PASSWORD" in text


@dataclasses.dataclass
class Login:
    user: str
    phrase: str = dataclasses.field(repr=False, default=SECRET)


@dataclasses.dataclass
class Masked:
    inner: str

    def __repr__(self):
        return "Masked(***)"


@dataclasses.dataclass
class Holder:
    login: Any


class MaskedDict(dict[str, str]):
    def __repr__(self):
        return "MaskedDict(***)"


class MaskedList(list[str]):
    def __repr__(self):
        return "MaskedList(***)"


class Plain:
    def __init__(self, **given):
        vars(self).update(given)


class Model(pydantic.BaseModel):
    inner: pydantic.SecretStr
    other: str = pydantic.Field(repr=False, default=SECRET)


HIDING = [
    Login("ann"),
    Masked(SECRET),
    MaskedDict(a=SECRET),
    MaskedList([SECRET]),
    Model(inner=pydantic.SecretStr(SECRET)),
    pydantic.SecretStr(SECRET),
    {"password": SECRET},
    Plain(client_secret=SECRET),
    {"db": {"api_key": SECRET, "port": 1}},
]


@pytest.mark.parametrize("value", HIDING, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "put",
    [
        lambda value: value,
        lambda value: [value],
        lambda value: {"a": value},
        lambda value: {"a": [(value, 1)]},
        lambda value: deque([value]),
        lambda value: {1: value}.values(),
        Holder,
        lambda value: [Holder({"a": value})],
        lambda value: namedtuple("Pair", "one two")(value, 2),
        lambda value: Plain(inner=value),
        lambda value: defaultdict(list, a=[value]),
    ],
)
@pytest.mark.parametrize("inline", [False, True])
def test_what_an_object_hides_is_hidden_wherever_it_lies(value, put, inline):
    shown = describe("it", put(value), inline=inline)

    assert SECRET not in shown
    assert "cannot be shown" not in shown


@pytest.mark.parametrize("name", ["password", "settings.api_key", 'login["clientSecret"]', "auth_token"])
@pytest.mark.parametrize("inline", [False, True])
def test_a_variable_is_left_out_when_its_name_says_that_it_is_secret(name, inline):
    shown = describe(name, SECRET, inline=inline)

    assert SECRET not in shown
    assert "[redacted]" in shown or "left out" in shown


def test_a_secret_that_is_a_container_or_frame_is_told_by_its_shape():
    assert SECRET not in describe("passwords", {"ann": SECRET})
    assert "1 row" in describe("credentials", pd.DataFrame({"who": [SECRET]}))
    assert SECRET not in describe("credentials", pd.DataFrame({"who": [SECRET]}))


def test_a_column_that_is_named_like_a_secret_is_told_without_values():
    shown = describe("users", pd.DataFrame({"name": ["Ann", "Bo"], "password": [SECRET, "x"], "n": [1, 2]}))

    assert SECRET not in shown
    assert "Ann" in shown
    assert "password: str, values left out" in shown


def test_a_word_is_no_secret_token():
    assert "'the' 100%" in describe("words", pd.DataFrame({"token": ["the", "the"]}))
    assert "'token': 'the'" in describe("words", {"token": "the", "max_tokens": 100})


@pytest.mark.parametrize(
    "make",
    [
        dict,
        lambda environ: environ | {"MORE": "1"},
        lambda environ: [dict(environ)],
        lambda environ: {"env": dict(environ)},
        lambda environ: Plain(env=dict(environ)),
        lambda environ: list(environ.items()),
        lambda environ: str(dict(environ)),
        lambda environ: pd.Series(dict(environ)),
        lambda environ: environ.items(),
    ],
)
@pytest.mark.parametrize("inline", [False, True])
def test_no_copy_of_the_environment_tells_its_secrets(monkeypatch, make, inline):
    monkeypatch.setenv("A_PASSWORD", SECRET)

    assert SECRET not in describe("it", make(os.environ), inline=inline)


class Uncomparable:
    def __eq__(self, other):
        raise ValueError("not comparable")

    def __hash__(self):
        raise ValueError("not hashable")


class Raising:
    def __init__(self, error):
        self.error = error

    def __repr__(self):
        raise self.error


ODD_COLUMNS = {
    "mixed zones": [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)],
    "beyond floats": [10**400, 10**500],
    "beyond what Python writes": [10**5000, 1],
    "not comparable": [Uncomparable(), Uncomparable()],
    "raising": [Raising(SystemExit(1)), Raising(RecursionError())],
    "arrays": [np.array([1, 2]), np.array([3])],
    "lists and text": [["a"], "a"],
    "half a pair": ["\ud83d", "x"],
    "frames": [pd.DataFrame({"a": [1]}), None],
}


@pytest.mark.parametrize("name", ODD_COLUMNS)
@pytest.mark.parametrize("inline", [False, True])
def test_a_column_that_cannot_be_summed_up_costs_the_others_nothing(name, inline):
    frame = pd.DataFrame({"city": ["Oslo", "Rome"], "odd": pd.Series(ODD_COLUMNS[name], dtype=object), "units": [3, 5]})

    shown = describe("df", frame, inline=inline)

    assert shown.startswith("df: pandas DataFrame, 2 rows × 3 columns")
    assert "- city: str, all distinct, such as 'Oslo'" in shown
    assert "- odd: object" in shown
    assert "- units: int64, min 3, mean 4, max 5" in shown
    assert "Oslo | " in shown


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (pd.RangeIndex(2001, 2004, name="Year"), ["index Year int64", "2001 |", "2003 |"]),
        (pd.RangeIndex(3, name="Year"), ["index Year int64", "0 |"]),
        (pd.RangeIndex(40, 43), ["index int64", "40 |", "42 |"]),
        (pd.RangeIndex(0, 6, 2), ["index int64", "4 |"]),
        (pd.RangeIndex(2, -1, -1), ["index int64", "2 |"]),
    ],
)
def test_row_labels_that_say_something_are_shown(index, words):
    shown = describe("df", pd.DataFrame({"units": [3, 5, 8]}, index=index))

    assert all(word in shown for word in words)


def test_row_numbers_are_left_out():
    assert "index" not in describe("df", pd.DataFrame({"units": [3, 5, 8]}))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (20240115.0, "20240115"),
        (1234567.25, "1234567.25"),
        (-1717171717.5, "-1717171717.5"),
        (9007199254740992.0, "9007199254740992"),
        (1e300, "1e+300"),
        (59.913868, "59.913868"),
        (0.1 + 0.2, "0.300000…"),
        (1717171717.123456, "1717171717.12…"),
        (1.2345678901234e-10, "1.23456…e-10"),
        (0.0000123456789012, "1.23456…e-05"),
        (0.00123456789012345, "0.00123456…"),
        (-0.0, "0"),
        (float("inf"), "inf"),
        (10**18 + 7, "1000000000000000007"),
        (-(10**30), "-1" + "0" * 30),
        (7 * 10**400, "700000… (about 401 digits)"),
        (10**5000, "100000… (about 5,001 digits)"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_numbers_are_what_they_say_or_are_seen_to_be_cut(number, text):
    assert number_text(number) == text


def test_digits_are_told_truly_in_rows_and_statistics():
    frame = pd.DataFrame({"id": [20240115.0, None], "big": [10**18 + 7, 10**18 + 9], "at": [59.91386, 10.75224]})

    shown = describe("df", frame)

    assert "20240115 | 1000000000000000007 | 59.91386" in shown
    assert "min 1000000000000000007" in shown
    assert "max 1000000000000000009" in shown


class Exit(BaseException):
    pass


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), SystemExit(1), KeyboardInterrupt(), RecursionError(), GeneratorExit(), Exit(), MemoryError()],
)
@pytest.mark.parametrize(
    "put", [lambda odd: odd, lambda odd: [odd, "end"], lambda odd: {"a": odd, "b": "end"}, lambda odd: {odd: "end"}]
)
@pytest.mark.parametrize("inline", [False, True])
def test_an_object_whose_repr_raises_anything_is_named(error, put, inline):
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(describe, "it", put(Raising(error)), inline=inline).result()

    assert "Raising" in shown or "cannot be shown" in shown
    assert "end" in shown or put(1) == 1


def test_an_interrupt_by_the_user_ends_a_look_at_a_slow_object():
    with pytest.raises(KeyboardInterrupt):
        describe("it", Raising(KeyboardInterrupt()))


def numbers():
    yield from range(3)


@pytest.mark.parametrize(
    "value", [numbers(), iter([1, 2, 3]), map(str, [1, 2, 3]), zip([1], [2], strict=True), (each for each in "abc")]
)
def test_iterators_are_told_and_not_used_up(value):
    assert "not looked at" in describe("it", value)
    assert "not looked at" in describe("it", value, inline=True)
    describe("it", [value])
    assert list(value)


def test_a_named_tuple_shows_its_fields():
    point = namedtuple("Point", "x y")(1, [2])

    assert describe("p", point).endswith("Point, 2 items\nPoint(x=1, y=[2])")
    assert describe("p", [point], inline=True) == "[Point(x=1, y=[2])]"
    assert "2024" in describe("t", time.gmtime(1_717_171_717))


def test_a_masked_array_tells_nothing_of_what_is_masked():
    array = np.ma.masked_array([1.0, 4711.0, 3.0], mask=[False, True, False])

    shown = describe("a", array)

    assert "4711" not in shown
    assert "max 3" in shown
    assert "33% masked" in shown
    assert describe("a", np.ma.masked_all(3)).count("all masked") == 1


@pytest.mark.parametrize(
    "place",
    [
        lambda frame: frame.set_index("password"),
        lambda frame: frame.set_index(["user", "password"]),
        lambda frame: frame.set_index("password")["count"],
        lambda frame: frame.password.value_counts(),
        lambda frame: frame.pivot_table(index="user", columns="password", values="count"),
        lambda frame: frame.pivot_table(index="count", columns=["user", "password"], aggfunc="size"),
    ],
)
def test_labels_of_rows_and_columns_are_left_out_where_their_level_says_that_they_are_secret(place):
    frame = pd.DataFrame({"user": ["ann", "bob"], "password": ["swordfish", "blue-Horse"], "count": [17, 18]})

    text = describe("logins", place(frame))

    assert "[redacted]" in text
    assert "swordfish" not in text
    assert "blue-Horse" not in text
