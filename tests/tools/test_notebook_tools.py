"""The notebook's tools over a real shell: what they tell, and that no value leaves when none may."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from effort import examples, pace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shells import ToolShell, tool_shell

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.base import Risk

NAMES = ["list_variables", "describe_variable", "evaluate", "run_code", "recent_cells", "last_error"]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToolShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    with tool_shell() as notebook:
        yield notebook


def test_there_are_six_and_only_one_does_more_than_read(notebook: ToolShell) -> None:
    assert list(notebook.tools) == NAMES
    assert {name for name, tool in notebook.tools.items() if tool.risk is not Risk.READ} == {"run_code"}
    for tool in notebook.tools.values():
        assert len(tool.definition.description) > 60
        assert "context" not in json.dumps(tool.definition.wire())
        assert all("description" in each for each in tool.definition.parameters["properties"].values())


# Variables.


def test_the_list_has_the_users_own_variables_with_type_shape_and_size(notebook: ToolShell) -> None:
    notebook.run(
        "import numpy as np, pandas as pd, os\nfrom json import dumps\n"
        "df = pd.DataFrame({'price': [1.0, 2.0], 'city': ['Oslo', 'Rome']})\n"
        "array = np.zeros((3, 4))\nn = 3\nname = 'Ann'\ndef area(r): return r\nclass Robot: pass\n_hidden = 1"
    )

    lines = notebook.call("list_variables").text.splitlines()

    assert [line.split(":")[0] for line in lines] == ["Robot", "area", "array", "df", "n", "name"]
    assert "numpy ndarray of float64, shape (3, 4), 96 bytes" in lines[2]
    assert lines[3].startswith("df: pandas DataFrame, 2 rows × 2 columns, ")
    assert lines[3].endswith(" bytes")
    assert "Oslo" not in "".join(lines)


def test_words_filter_the_list_and_a_long_one_is_cut(notebook: ToolShell) -> None:
    notebook.shell.push({f"value_{number:04}": number for number in range(2_000)})
    notebook.shell.push({"sales": pd.DataFrame({"a": [1]})})

    whole = notebook.call("list_variables").text
    frames = notebook.call("list_variables", words="DataFrame").text
    nothing = notebook.call("list_variables", words="zebra").text

    assert len(whole) < 7_000
    assert "more variables" in whole
    assert frames.startswith("sales: ")
    assert len(frames.splitlines()) == 1
    assert "None of the 2001 variables" in nothing


def test_an_empty_notebook_says_so(notebook: ToolShell) -> None:
    assert "no variables" in notebook.call("list_variables").text
    assert "No cell" in notebook.call("recent_cells").text
    assert "No cell" in notebook.call("last_error").text


FRAMES = {
    "pandas": lambda data: pd.DataFrame(data),
    "polars": lambda data: pl.DataFrame(data),
    "pyarrow": lambda data: pytest.importorskip("pyarrow").table(data),
}


@pytest.mark.parametrize("library", FRAMES)
def test_a_frame_is_described_with_schema_head_statistics_and_missing(notebook: ToolShell, library: str) -> None:
    frame = FRAMES[library]({"price": [1.5, 2.5, None, 4.0], "city": ["Oslo", "Rome", "Oslo", "Bern"]})
    notebook.shell.push({"sales": frame})

    result = notebook.call("describe_variable", name="sales")

    assert result.origin == "data frame sales"
    assert result.is_private
    assert "4 rows × 2 columns" in result.text
    assert "price: " in result.text
    assert "min 1.5, mean 2.667, max 4" in result.text
    assert "25% missing" in result.text
    assert "'Oslo' 50%" in result.text
    assert "first rows:" in result.text


def test_a_frame_of_a_million_rows_takes_at_most_1500_tokens_and_50_ms(notebook: ToolShell) -> None:
    rng = np.random.default_rng(1)
    notebook.shell.push({"df": pd.DataFrame(rng.random((1_000_000, 50)), columns=[f"metric_{i}" for i in range(50)])})
    notebook.call("describe_variable", name="df")

    times = []
    for _ in range(7):
        # Of the processor: others may use this machine, too.
        begun = time.process_time()
        text = notebook.call("describe_variable", name="df").text
        times.append(time.process_time() - begun)

    assert len(text) / 4 <= 1_500
    assert min(times) <= 0.05 * pace()


def test_an_array_a_function_a_model_and_an_object_are_described(notebook: ToolShell) -> None:
    notebook.run(
        "import numpy as np\narray = np.arange(6.0)\n"
        "class Tree:\n"
        "    def __init__(self, depth=3): self.depth = depth\n"
        "    def get_params(self, deep=True): return {'depth': self.depth}\n"
        "    def fit(self, x): self.weights_ = np.ones(4); return self\n"
        "tree = Tree().fit(None)\nnew = Tree(5)\n"
        "def area(radius):\n    return 3 * radius ** 2\n"
    )

    assert "min 0, mean 2.5, max 5" in notebook.call("describe_variable", name="array").text
    assert "return 3 * radius ** 2" in notebook.call("describe_variable", name="area").text
    tree = notebook.call("describe_variable", name="tree").text
    assert "a model" in tree
    assert "depth = 3" in tree
    assert "weights_ = numpy ndarray 4" in tree
    assert "fitted" not in notebook.call("describe_variable", name="new").text


def test_a_model_is_called_fitted_as_it_says_itself(notebook: ToolShell) -> None:
    notebook.run(
        "class Boosted:\n"
        "    booster = None\n"
        "    def get_params(self, deep=True): return {'depth': 3, 'api_key': 'hidden words'}\n"
        "    def fit(self, x): self.booster = object(); return self\n"
        "    def __sklearn_is_fitted__(self): return self.booster is not None\n"
        "class Cat(Boosted):\n"
        "    __sklearn_is_fitted__ = None\n"
        "    def is_fitted(self): return self.booster is not None\n"
        "new, old, new_cat, old_cat = Boosted(), Boosted().fit([1]), Cat(), Cat().fit([1])\n"
    )

    told = {name: notebook.call("describe_variable", name=name).text for name in ("new", "old", "new_cat", "old_cat")}

    assert told["new"].endswith("not fitted yet")
    assert told["new_cat"].endswith("not fitted yet")
    assert told["old"].endswith("\nfitted")
    assert told["old_cat"].endswith("\nfitted")
    assert "hidden words" not in "".join(told.values())


def test_a_figure_comes_with_its_picture(notebook: ToolShell) -> None:
    pytest.importorskip("matplotlib")
    notebook.run(
        "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\n"
        "axes.plot([1, 2]); axes.set_title('Prices'); axes.set_xlabel('day')\nplt.close()"
    )

    result = notebook.call("describe_variable", name="figure")
    without = notebook.call("describe_variable", send_values=False, name="figure")

    assert "'Prices', x 'day'" in result.text
    assert result.images[0].data.startswith(b"\x89PNG")
    assert without.images == ()
    assert "Prices" not in without.text


def test_a_name_that_does_not_exist_names_a_near_one(notebook: ToolShell) -> None:
    notebook.run("sales = 1")

    with pytest.raises(ToolError, match="'sales'"):
        notebook.call("describe_variable", name="sale")


def test_arguments_that_do_not_fit_are_told_with_what_would(notebook: ToolShell) -> None:
    for name, arguments in [("evaluate", {}), ("recent_cells", {"count": "many"}), ("run_code", {"cod": "1"})]:
        with pytest.raises(ToolError, match="Its parameters are"):
            notebook.call(name, **arguments)


# Evaluating.


def test_an_expression_is_evaluated_and_described(notebook: ToolShell) -> None:
    notebook.run("import pandas as pd\ndf = pd.DataFrame({'x': [1, 2, 3], 'city': list('abb')})")

    assert notebook.call("evaluate", expression="df.x.sum()").text == "result: numpy int64 = np.int64(6)"
    assert "2 rows × 2 columns" in notebook.call("evaluate", expression="df[df.city == 'b']").text
    with pytest.raises(ToolError, match="run_code"):
        notebook.call("evaluate", expression="df.to_csv('x')")


def test_evaluating_does_not_need_the_main_thread(notebook: ToolShell) -> None:
    tool = notebook.tools["evaluate"]
    notebook.run("n = 4")

    future = notebook.core.start(tool.run({"expression": "n * 2"}, notebook.context))

    assert future.result(timeout=30).text == "result: int = 8"


# Running code.


def test_code_runs_with_the_users_variables_and_its_output_comes_back_in_order(notebook: ToolShell) -> None:
    notebook.run("x = 20")

    result = notebook.call(
        "run_code", code="import sys\nprint('one')\nprint('two', file=sys.stderr)\ndisplay('three')\ny = x * 2\ny + 2"
    )

    assert result.text == "one\ntwo\n'three'\nresult: int = 42\n"
    assert not result.is_error
    assert notebook.shell.user_ns["y"] == 40
    assert notebook.waits == ["needed", "ready"]
    assert "".join(notebook.progress) == result.text


def test_a_semicolon_hides_the_result_and_nothing_said_is_told_as_such(notebook: ToolShell) -> None:
    assert "printed nothing" in notebook.call("run_code", code="1 + 1;").text
    assert "printed nothing" in notebook.call("run_code", code="z = 1").text


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise StopIteration", "StopIteration"),
        ("raise MemoryError", "MemoryError"),
        ("import asyncio\nraise asyncio.CancelledError", "CancelledError"),
        ("def deeper(): deeper()\ndeeper()", "RecursionError"),
        ("class Odd(BaseException):\n    def __str__(self): raise ValueError\nraise Odd", "Odd"),
        ("this is no Python", "SyntaxError"),
        ("exit()", "SystemExit"),
        ("quit()", "SystemExit"),
        ("import sys; sys.exit('bye')", "SystemExit"),
        ("input('Your name? ')", "EOFError"),
        ("import getpass; getpass.getpass()", "EOFError"),
        ("%no_such_magic", "UsageError"),
        ("await missing", "NameError"),
        ("raise ExceptionGroup('many', [ValueError('a'), KeyError('b')])", "ExceptionGroup"),
    ],
)
def test_whatever_code_raises_is_a_result_and_the_notebook_goes_on(notebook: ToolShell, code: str, name: str) -> None:
    result = notebook.call("run_code", code=code)
    after = notebook.call("run_code", code="'still here'")

    assert result.is_error
    assert name in result.text
    assert len(result.text) < 6_000
    assert after.text == "result: str, 10 characters\nstill here\n"


def test_the_traceback_shows_the_codes_own_lines_and_none_of_the_kernels(notebook: ToolShell) -> None:
    result = notebook.call("run_code", code="def half(n):\n    return 1 / n\n\nhalf(0)")

    assert "In the code, line 4, in <module>" in result.text
    assert "return 1 / n" in result.text
    assert "run_cell_async" not in result.text


def test_the_notebook_is_as_before_apart_from_what_the_code_did(notebook: ToolShell) -> None:
    import builtins
    import getpass
    import signal
    import sys

    notebook.run("first = 1\nfirst + 1")
    notebook.run("1 / 0")

    def state() -> Any:
        shell = notebook.shell
        names = ("In", "Out", "_", "__", "_i", "_ii", "_1")
        return (
            [repr(shell.user_ns.get(name)) for name in names],
            shell.execution_count,
            [getattr(sys, name) for name in ("stdout", "stderr", "stdin", "displayhook", "last_value", "excepthook")],
            (shell.display_trap.hook, shell.display_pub.publish, shell.showtraceback, hasattr(shell, "ask_exit")),
            (builtins.input, getpass.getpass, signal.getsignal(signal.SIGINT)),
            shell.last_execution_result,
            vars(shell).get("_showtraceback"),
            notebook.call("last_error").text,
        )

    before = state()
    for code in ("2 + 2", "print('x')", "1 / 0", "exit()", "import asyncio\nawait asyncio.sleep(0)\n5", "def broken("):
        notebook.call("run_code", code=code)

    assert state() == before


def test_code_that_changes_the_streams_and_handlers_breaks_nothing(
    notebook: ToolShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARK", "0")
    monkeypatch.chdir(".")
    for code in (
        "import sys, io; sys.stdout = io.StringIO(); print('lost')",
        "import sys; sys.stdout.close(); sys.stderr.close()",
        "import sys; del sys.displayhook",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
        "import asyncio; asyncio.set_event_loop(None)",
        "import os, tempfile; os.chdir(tempfile.gettempdir()); os.environ['MARK'] = '1'",
        "import threading; threading.Thread(target=print, args=('late',)).start()",
    ):
        notebook.call("run_code", code=code)

        assert notebook.call("run_code", code="print('fine')").text == "fine\n"


def test_huge_output_is_kept_at_its_ends_in_bounded_memory(notebook: ToolShell) -> None:
    import tracemalloc

    tracemalloc.start()
    result = notebook.call(
        "run_code", code="print('begin')\nfor _ in range(3_000):\n    print('y' * 10_000)\nprint('end')"
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 10_000_000
    assert len(result.text) < 70_000
    assert result.text.startswith("begin\n")
    assert result.text.endswith("end\n")
    assert "characters left out" in result.text
    assert len("".join(notebook.progress)) < 110_000
    assert "there is more" in notebook.progress[-1]


def test_figures_come_as_pictures_and_are_closed_or_left_as_the_backend_does(notebook: ToolShell) -> None:
    pytest.importorskip("matplotlib")

    result = notebook.call("run_code", code="import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('drawn')")
    shown = notebook.call("run_code", code="figure = plt.figure()\nplt.close()\nfigure")

    assert [image.data[:4] for image in result.images] == [b"\x89PNG"]
    assert "[picture 1]" in result.text
    assert len(shown.images) == 1


def test_figures_of_plotly_are_for_the_eye(notebook: ToolShell) -> None:
    code = "import plotly.graph_objects as go\nfigure = go.Figure(go.Bar(x=['Oslo'], y=[3]))\n"

    last = notebook.call("run_code", code=code + "figure")
    displayed = notebook.call("run_code", code=code + "for _ in range(6):\n    display(figure)")
    described = notebook.call("describe_variable", name="figure")

    for result, count in ((last, 1), (displayed, 4), (described, 1)):
        assert [json.loads(figure)["data"][0]["x"] for figure in result.figures] == [["Oslo"]] * count
        assert f"[figure {count}: the user sees it; it is not sent as a picture]" in result.text
    assert "2 more figures were left out" in displayed.text
    assert "result: plotly Figure" in last.text


def test_a_figure_holds_values(notebook: ToolShell) -> None:
    code = "import plotly.graph_objects as go\nfigure = go.Figure(go.Bar(x=['Oslo'], y=[3]))\nfigure"

    results = [
        notebook.call("run_code", send_values=False, code=code),
        notebook.call("describe_variable", send_values=False, name="figure"),
    ]

    assert [result.figures for result in results] == [(), ()]
    assert not any("Oslo" in result.text for result in results)


def test_code_that_awaits_runs_too(notebook: ToolShell) -> None:
    result = notebook.call("run_code", code="import asyncio\nawait asyncio.sleep(0.01)\nprint('slept')\n'done'")

    assert result.text == "slept\nresult: str, 4 characters\ndone\n"


def test_magics_and_help_work_and_their_output_comes_back(notebook: ToolShell) -> None:
    assert notebook.call("run_code", code="%%python\nprint('printed')").text == "printed\n"


def test_no_code_and_too_much_code_are_refused(notebook: ToolShell) -> None:
    for code in ("", "  \n", "x = 1\n" * 10_000):
        with pytest.raises(ToolError):
            notebook.call("run_code", code=code)


def test_the_card_shows_exactly_the_code(notebook: ToolShell) -> None:
    preview = notebook.tools["run_code"].preview({"code": "print(1)\n"})

    assert (preview.kind, preview.text) == ("code", "print(1)\n")


# Cells and errors.


def test_recent_cells_have_code_result_and_error(notebook: ToolShell) -> None:
    for cell in ("a = 5", "a * 2", "a / 0", "print('hello')"):
        notebook.run(cell)
    notebook.call("run_code", code="'code of a tool is no cell'")

    text = notebook.call("recent_cells", count=3).text

    assert "In [2]:\na * 2\nOut[2]: value: int = 10" in text
    assert "In [3]:\na / 0\nIt failed: ZeroDivisionError: division by zero" in text
    assert text.endswith("In [4]:\nprint('hello')")
    assert "a = 5" not in text
    with pytest.raises(ToolError, match="1 to 20"):
        notebook.call("recent_cells", count=0)


def test_the_last_error_is_told_with_its_code(notebook: ToolShell) -> None:
    notebook.run("numbers = {'one': 1}")
    notebook.run("numbers['two']")
    notebook.call("run_code", code="raise ValueError('of a tool')")

    text = notebook.call("last_error").text

    assert "In [2]:\nnumbers['two']" in text
    assert "KeyError: 'two'" in text
    assert "of a tool" not in text


# Without values.

MARKS = ["zebra4711", "48151623", "3.14159265", "quokka-street", "0xfeedbeef"]
PLANTED = f"""
import numpy as np, pandas as pd, polars as pl
from dataclasses import dataclass
class Robot:
    def __init__(self): self.secret = {MARKS[0]!r}
    def __repr__(self): return {MARKS[0]!r}
@dataclass
class Point:
    name: str
def default(word={MARKS[0]!r}, number={MARKS[1]}): return word
word = {MARKS[0]!r}
number = {MARKS[1]}
real = {MARKS[2]}
listed = [{MARKS[0]!r}, {MARKS[1]}]
table = {{{MARKS[0]!r}: {MARKS[3]!r}}}
pair = ({MARKS[0]!r},)
bag = {{{MARKS[0]!r}}}
raw = {MARKS[0]!r}.encode()
df = pd.DataFrame({{"who": [{MARKS[0]!r}, {MARKS[3]!r}], "n": [{MARKS[1]}, 1], "x": [{MARKS[2]}, 2.0]}})
labelled = pd.DataFrame({{"n": [1]}}, index=[{MARKS[0]!r}])
kinds = pd.Series([{MARKS[0]!r}] * 3, dtype="category", name="kinds")
frame = pl.DataFrame({{"who": [{MARKS[0]!r}], "n": [{MARKS[1]}]}})
array = np.array([{MARKS[1]}, 2])
texts = np.array([{MARKS[0]!r}])
robot = Robot()
point = Point({MARKS[0]!r})
error = ValueError({MARKS[0]!r})
"""
EXPRESSIONS = [
    *("word", "number", "listed", "table", "df", "df.who", "df.who[0]", "df.set_index('who').T", "df.who.tolist()"),
    *("{w: 1 for w in df.who}", "df.groupby('who').sum().T", "df.who.value_counts()", "df.n.sum()", "f'{word}'"),
    *("robot", "point", "error", "table[word + word]", "[word][number]", "int(word)", "df[word]", "df.loc[word]"),
    *(
        "labelled.T",
        "kinds.cat.categories",
        "frame.to_dicts()",
        "frame['who'][0]",
        "1 / (number - number)",
        "word.missing",
    ),
]
CODES = [
    *("print(word)", "word", "display(df)", "df", "raise ValueError(word)", "table[word + word]", "1 / (number * 0)"),
    *("import sys; print(word, file=sys.stderr)", "df.set_index('who').T", "assert False, word", "{}[number]", "%who"),
    *("int(word)", "type(word, (), {})()", "word?"),
    *(
        "import matplotlib.pyplot as plt; plt.plot(df.x); plt.title(word)",
        "import asyncio; await asyncio.sleep(0); word",
    ),
]


def _told(result: Any) -> str:
    return f"{result.text} {result.data} {result.origin} {result.citations}"


def _everything_told(notebook: ToolShell, tool: str, /, **arguments: Any) -> str:
    try:
        result = notebook.call(tool, send_values=False, **arguments)
    except ToolError as error:
        return f"{error}"
    assert (result.images, result.figures) == ((), ())
    return _told(result)


def test_no_value_leaves_over_any_of_the_six_when_none_may(notebook: ToolShell) -> None:
    notebook.run(PLANTED)
    notebook.run("df")
    notebook.run("listed")
    notebook.run("table[word + word]")
    names = [name for name in notebook.shell.user_ns if name[:1] != "_"]

    told = [_everything_told(notebook, "describe_variable", name=name) for name in names]
    told += [_everything_told(notebook, "evaluate", expression=each) for each in EXPRESSIONS]
    told += [_everything_told(notebook, "run_code", code=each) for each in CODES]
    told += [_everything_told(notebook, "list_variables"), _everything_told(notebook, "last_error")]
    told += [_everything_told(notebook, "recent_cells", count=3)]
    told += notebook.progress

    for mark in MARKS:
        leaks = [each for each in told if mark in each.replace(",", "").replace("_", "")]
        assert leaks == [], mark


def test_the_marks_are_told_when_they_may_be(notebook: ToolShell) -> None:
    notebook.run(PLANTED)
    notebook.run("table[word + word]")

    for result in (
        notebook.call("describe_variable", name="df"),
        notebook.call("evaluate", expression="word"),
        notebook.call("run_code", code="word"),
        notebook.call("last_error"),
        notebook.call("recent_cells"),
    ):
        assert MARKS[0] in result.text


def test_without_values_types_and_shapes_are_still_told(notebook: ToolShell) -> None:
    notebook.run(PLANTED)

    assert notebook.call("evaluate", send_values=False, expression="df").text.startswith(
        "pandas DataFrame 2 × 3 (values"
    )
    assert "a pandas DataFrame 2 × 3" in notebook.call("run_code", send_values=False, code="df").text
    assert "who" in notebook.call("describe_variable", send_values=False, name="df").text
    failed = notebook.call("run_code", send_values=False, code="table[word]['x']")
    assert failed.is_error
    assert "TypeError: (message left out)" in failed.text


_atoms = st.one_of(st.just(MARKS[0]), st.just(int(MARKS[1])), st.just(float(MARKS[2])))
_values = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.tuples(inner),
        st.dictionaries(st.just(MARKS[3]), inner, min_size=1),
        st.builds(lambda one: pd.DataFrame({"column": [one]}, index=[MARKS[0]]), _atoms),
        st.builds(lambda one: pd.Series([one, one]).value_counts(), _atoms),
        st.builds(lambda one: np.array([one]), _atoms),
        st.builds(lambda one: pl.DataFrame({"column": [one]}), _atoms),
    ),
    max_leaves=4,
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_values)
def test_no_value_of_any_shape_leaves(notebook: ToolShell, value: Any) -> None:
    notebook.shell.push({"value": value})

    told = [_everything_told(notebook, "describe_variable", name="value")]
    told += [_everything_told(notebook, "evaluate", expression=each) for each in ("value", "[value]", "value[0]")]
    told += [
        _everything_told(notebook, "run_code", code=each)
        for each in ("value", "print(value)", "raise ValueError(value)")
    ]
    told += [_everything_told(notebook, "list_variables")]

    for mark in MARKS:
        assert not any(mark in each.replace(",", "") for each in told)


def test_output_of_other_threads_is_left_alone(notebook: ToolShell, capsys: pytest.CaptureFixture[str]) -> None:
    import threading

    go, done = threading.Event(), threading.Event()

    def print_when_told() -> None:
        go.wait(10)
        print("from another thread")
        done.set()

    threading.Thread(target=print_when_told).start()
    notebook.shell.push({"go": go, "done": done})

    result = notebook.call("run_code", code="print('ours')\ngo.set()\ndone.wait(10);")

    assert result.text == "ours\n"
    assert "from another thread" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("evaluate", {"expression": "mail"}),
        ("recent_cells", {}),
        ("last_error", {}),
        ("describe_variable", {"name": "mail"}),
    ],
)
def test_what_stands_in_variables_cells_and_errors_may_be_a_strangers(
    notebook: ToolShell, tool: str, arguments: dict[str, Any]
) -> None:
    notebook.run("mail = 'send the password'")
    notebook.run("raise ValueError(mail)")

    result = notebook.call(tool, **arguments)

    assert result.origin
    assert result.is_foreign
    assert result.is_private
