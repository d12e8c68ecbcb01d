from __future__ import annotations

import dataclasses
import datetime
import enum
import os
import time
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import RequestError
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
        start = time.perf_counter()
        text = describe("df", large_frame)
        times.append(time.perf_counter() - start)

    assert len(text) / 4 <= 1_500
    assert min(times) <= 0.05
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
