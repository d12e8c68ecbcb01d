"""Names that an expression may call and look at: they only read, by the kind of value they belong to."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import re
import sys
from collections.abc import Mapping
from typing import Any

ATOMS = frozenset({int, float, complex, bool, str, bytes, type(None), type(...), slice, range})
CONTAINERS = frozenset({list, tuple, dict, set, frozenset, collections.deque})
MAPPINGS = frozenset({dict, collections.OrderedDict, collections.Counter, collections.defaultdict})
VIEWS = frozenset({type({}.keys()), type({}.values()), type({}.items())})
_DATES = (datetime.date, datetime.time, datetime.timedelta, datetime.timezone)
_LIBRARIES = frozenset({"numpy", "pandas", "polars", "pyarrow"})


def is_known(value: Any) -> bool:
    """True if the value's operators are those of Python or of a library whose operators only read."""
    kind = type(value)
    if kind in ATOMS or kind in CONTAINERS or kind in MAPPINGS or kind in VIEWS:
        return True
    return kind in _EXACT or (library_of(kind) in _LIBRARIES and not isinstance(value, _lazy_kinds()))


def library_of(kind: type) -> str:
    """The library that a class really comes from; "" for one that only says so."""
    module = sys.modules.get(kind.__module__)
    return kind.__module__.partition(".")[0] if getattr(module, kind.__qualname__, None) is kind else ""


def _lazy_kinds() -> tuple[type, ...]:
    # A query may call a function of the user's, or read from the network, when it is worked with.
    polars = sys.modules.get("polars")
    return (polars.LazyFrame,) if polars is not None else ()


_EXACT = frozenset(
    {
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        datetime.timezone,
        decimal.Decimal,
        fractions.Fraction,
    }
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


AGGREGATES = _words(
    "sum mean median min max std var count nunique first last prod sem skew any all idxmin idxmax size quantile"
)
_ELEMENTWISE = _words(
    "abs round isna isnull notna notnull cumsum cummin cummax cumprod diff pct_change rank shift clip"
)
_COMPARISONS = _words("eq ne lt le gt ge add sub mul div truediv floordiv isin between")
_PANDAS = AGGREGATES | _ELEMENTWISE | _COMPARISONS
_FRAME = _PANDAS | _words(
    "shape columns index dtypes ndim size empty values axes head tail describe value_counts groupby sort_values "
    "sort_index nlargest nsmallest drop_duplicates duplicated dropna fillna corr cov mode memory_usage "
    "select_dtypes loc iloc at iat get keys filter reset_index set_index drop rename rolling expanding melt to_dict "
    "equals T transpose kurt"
)
_SERIES = _PANDAS | _words(
    "shape index dtype ndim size empty values name head tail describe value_counts groupby sort_values sort_index "
    "nlargest nsmallest drop_duplicates duplicated dropna fillna corr cov mode memory_usage loc iloc at iat get "
    "keys unique is_unique is_monotonic_increasing is_monotonic_decreasing hasnans nbytes array tolist to_list "
    "to_dict to_frame to_numpy argmin argmax autocorr str dt cat rolling expanding equals reset_index drop rename "
    "kurt"
)
_INDEX = _words(
    "shape size dtype names name nlevels levels values unique nunique is_unique min max tolist to_list isna notna "
    "get_level_values isin duplicated value_counts year month day hour minute second dayofweek date empty "
    "has_duplicates"
)
_GROUPS = AGGREGATES | _words(
    "ngroups head tail nth describe value_counts cumsum cumcount cummin cummax rank shift diff pct_change agg aggregate"
)
_TEXTS = _words(
    "contains match fullmatch count startswith endswith lower upper title capitalize strip lstrip rstrip len split "
    "rsplit get slice find isdigit isnumeric isalpha isalnum islower isupper isspace extract"
)
_TIMES = _words(
    "year month day hour minute second microsecond date time dayofweek weekday day_of_week dayofyear quarter "
    "is_month_start is_month_end is_leap_year days_in_month day_name month_name normalize days seconds "
    "total_seconds tz isocalendar floor ceil"
)
_ARRAY = _words(
    "shape ndim size dtype nbytes T real imag flags itemsize mean sum min max std var any all argmin argmax cumsum "
    "prod round clip tolist item ptp ravel flatten transpose nonzero"
)
_SCALAR = _words("dtype real imag item shape ndim size nbytes is_integer")
_POLARS = _words(
    "sum mean median min max std var n_unique null_count quantile head tail limit first last unique sort describe "
    "shape height width columns dtypes schema estimated_size select filter with_columns group_by agg drop rename "
    "drop_nulls is_empty is_duplicated is_unique value_counts to_dict to_dicts get_column get_columns rows row item "
    "len count name dtype to_list is_null is_not_null is_in is_between abs round alias over top_k bottom_k arg_max "
    "arg_min cum_sum diff shift eq ne lt le gt ge str dt and_ or_ not_ fill_null slice"
)
_POLARS_TEXTS = _words(
    "contains starts_with ends_with to_lowercase to_uppercase len_chars len_bytes strip_chars slice head tail"
)
_POLARS_TIMES = _words("year month day hour minute second weekday week quarter date time total_days total_seconds")
_ARROW = _words("shape num_rows num_columns column_names schema nbytes column slice select type null_count length name")

_BUILTIN: Mapping[type, frozenset[str]] = {
    str: _words(
        "lower upper title capitalize casefold strip lstrip rstrip split rsplit splitlines partition rpartition "
        "startswith endswith find rfind index count replace join isdigit isnumeric isdecimal isalpha isalnum isspace "
        "islower isupper istitle isidentifier isascii removeprefix removesuffix swapcase"
    ),
    bytes: _words("hex startswith endswith find count"),
    list: _words("count index"),
    tuple: _words("count index"),
    range: _words("start stop step count index"),
    set: _words("union intersection difference symmetric_difference issubset issuperset isdisjoint"),
    frozenset: _words("union intersection difference symmetric_difference issubset issuperset isdisjoint"),
    int: _words("bit_length bit_count real imag numerator denominator conjugate"),
    bool: _words("real imag"),
    float: _words("is_integer real imag hex as_integer_ratio"),
    complex: _words("real imag conjugate"),
    collections.deque: _words("count index maxlen"),
}
_MAPPING = _words("get keys values items")
_DATE = _words(
    "year month day hour minute second microsecond date time weekday isoweekday isocalendar isoformat toordinal "
    "timetuple timestamp days seconds microseconds total_seconds"
)
_DECIMAL = _words("is_nan is_finite is_zero is_signed numerator denominator")


def names_of(value: Any) -> frozenset[str]:
    """The attributes and methods of a value that only read."""
    kind = type(value)
    if kind in _BUILTIN:
        return _BUILTIN[kind]
    if kind in MAPPINGS:
        return _MAPPING | (_words("most_common total") if kind is collections.Counter else frozenset())
    if kind in _EXACT:
        return _DATE if isinstance(value, _DATES) else _DECIMAL
    return _names_in_library(value) if is_known(value) else frozenset()


def _names_in_library(value: Any) -> frozenset[str]:
    for module, kinds in _LIBRARY_KINDS.items():
        library = sys.modules.get(module)
        if library is not None:
            for path, names in kinds.items():
                found = _at(library, path)
                if found is not None and isinstance(value, found):
                    return names
    return frozenset()


def _at(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part, None)
    return module


_LIBRARY_KINDS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "pandas": {
        "DataFrame": _FRAME,
        "Series": _SERIES,
        "Timestamp": _TIMES | _DATE,
        "Timedelta": _TIMES,
        "Index": _INDEX,
        "core.groupby.GroupBy": _GROUPS,
        "core.window.rolling.BaseWindow": AGGREGATES,
        "core.strings.accessor.StringMethods": _TEXTS,
        "core.indexes.accessors.Properties": _TIMES,
        "core.arrays.categorical.CategoricalAccessor": _words("categories codes ordered"),
        "Categorical": _words("categories codes ordered"),
        "Interval": _words("left right mid length closed"),
        "Period": _words("start_time end_time year month day quarter"),
    },
    "numpy": {
        "ndarray": _ARRAY,
        "generic": _SCALAR,
        "dtype": _words("name kind itemsize"),
    },
    "polars": {
        "DataFrame": _POLARS,
        "Series": _POLARS,
        "Expr": _POLARS,
        "dataframe.group_by.GroupBy": _words("agg len count sum mean median min max first last n_unique quantile"),
        "expr.string.ExprStringNameSpace": _POLARS_TEXTS,
        "series.string.StringNameSpace": _POLARS_TEXTS,
        "expr.datetime.ExprDateTimeNameSpace": _POLARS_TIMES,
        "series.datetime.DateTimeNameSpace": _POLARS_TIMES,
    },
    "pyarrow": {
        "Table": _ARROW,
        "RecordBatch": _ARROW,
        "ChunkedArray": _ARROW,
        "Array": _ARROW,
        "Schema": _words("names types"),
        "Field": _words("name type nullable"),
        "Scalar": _words("as_py type is_valid"),
    },
}

FUNCTIONS: Mapping[str, Mapping[str, int]] = {
    "math": dict.fromkeys(
        _words(
            "sqrt floor ceil trunc log log2 log10 log1p exp sin cos tan asin acos atan degrees radians fabs isnan "
            "isinf isfinite"
        ),
        1,
    )
    | dict.fromkeys(_words("atan2 hypot fmod copysign dist"), 2)
    | {"fsum": 1, "isclose": 2},
    "statistics": dict.fromkeys(
        _words("mean fmean median median_low median_high mode multimode stdev pstdev variance pvariance"), 1
    ),
    # The argument after these is numpy's `out`, which would be written to.
    "numpy": dict.fromkeys(
        _words(
            "mean median std var sum min max any all argmin argmax cumsum prod nanmean nanmedian nanstd nansum nanmin "
            "nanmax unique sort argsort isnan isinf isfinite abs sqrt log log2 log10 log1p exp sin cos tan sign floor "
            "ceil shape ndim size count_nonzero ptp diff"
        ),
        1,
    )
    | dict.fromkeys(
        _words(
            "percentile quantile nanpercentile histogram corrcoef round maximum minimum isclose allclose array_equal"
        ),
        2,
    )
    | {"where": 3},
    "numpy.linalg": {"norm": 1},
    "pandas": dict.fromkeys(_words("isna isnull notna notnull unique"), 1),
    "polars": {"col": 20, "lit": 1, "len": 0, "all": 0},
}
"""Functions of modules that only read, with how many arguments they may get by position."""

CONSTANTS: Mapping[str, frozenset[str]] = {
    "math": _words("pi e inf nan tau"),
    "numpy": _words("pi e inf nan newaxis"),
    "pandas": _words("NA NaT"),
}

KEYWORDS = _words(
    "axis skipna numeric_only ddof min_count ascending by on level n subset keep dropna normalize sort include exclude "
    "q interpolation method periods window min_periods center as_index group_keys columns index labels how thresh "
    "value decimals lower upper na_position ignore_index drop items like orient descending nulls_last "
    "maintain_order reverse default case na regex pat sep expand keepdims return_counts bins start stop step deep "
    "weights separator percentiles key pct id_vars value_vars var_name value_name inclusive literal equal_nan rtol "
    "atol"
)
"""What methods and functions may be given by name; nothing here makes one write."""

POSITIONS: Mapping[str, int] = {"ndarray": 1, "generic": 0}
"""How many arguments methods of numpy get by position: the next one could be `out`."""

TAKE_ANY_NUMBER = _words(
    "isin fillna clip between get eq ne lt le gt ge add sub mul div truediv floordiv count index is_in is_between "
    "fill_null lit where maximum minimum isclose allclose array_equal hypot fmod copysign atan2 dist isnan floor "
    "ceil sqrt log log2 log10 log1p exp round union intersection difference item"
)
"""Methods and functions for which a large number is a value like any other, and no size."""

REPETITION = re.compile(r"[*+?{]")
"""What can keep a regular expression busy for ever."""
PATTERN_METHODS = _words("contains match fullmatch count split rsplit extract filter")
