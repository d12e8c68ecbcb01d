from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook.failures import Failures, cell_question, failure_question, variables_in
from rustbot_jupyter.notebook.traceback_text import short_path, traceback_text


def run(code: str, name: str = "cell-3.py", **names: object) -> BaseException:
    """What the code raises, run as a kernel runs a cell."""
    try:
        exec(compile(code, name, "exec"), dict(names))
    except BaseException as error:
        return error
    raise AssertionError("it did not fail")


def failures(code: str = "x = prices['peach']", number: int = 3) -> Failures:
    kept = Failures()
    kept.record(number, code, run(code, prices={"apple": 1}), {"cell-3.py": number})
    return kept


def test_the_traceback_begins_in_the_users_cell():
    text = traceback_text(run("def f():\n    return 1 / 0\nf()"), cells={"cell-3.py": 3})

    assert text.startswith('Traceback (most recent call last):\n  File "In[3]", line 3, in <module>')
    assert text.endswith("ZeroDivisionError: division by zero")
    assert __file__ not in text


def test_paths_do_not_tell_who_the_user_is():
    home = Path.home().as_posix()

    assert short_path("/opt/env/lib/python3.11/site-packages/pandas/core/frame.py") == "pandas/core/frame.py"
    assert short_path("/usr/lib/python3.11/json/decoder.py") == "json/decoder.py"
    assert short_path("C:\\Users\\ann\\env\\Lib\\site-packages\\x.py") == "x.py"
    assert short_path(f"{home}/project/helpers.py") == "~/project/helpers.py"
    assert short_path("helpers.py") == "helpers.py"


def test_a_syntax_error_names_the_cell():
    text = traceback_text(run("x = = 1"), cells={"cell-3.py": 3})

    assert 'File "In[3]", line 1' in text
    assert "SyntaxError: invalid syntax" in text


def test_causes_and_groups_are_told():
    text = traceback_text(
        run(
            "try:\n    {}['k']\nexcept KeyError as e:\n"
            "    raise ExceptionGroup('several', [ValueError('a'), TypeError('b')]) from e"
        )
    )

    for part in ("KeyError: 'k'", "direct cause", "several", "ValueError: a", "TypeError: b"):
        assert part in text


def test_a_deep_recursion_is_short():
    text = traceback_text(run("def f(n):\n    return g(n)\ndef g(n):\n    return f(n + 1)\nf(0)"))

    assert "RecursionError" in text
    assert len(text) < 4_000


def test_a_long_message_is_cut_in_the_middle():
    text = traceback_text(run("raise ValueError('x' * 100_000 + 'the end')"), budget_chars=1_000)

    assert len(text) <= 1_000
    assert text.startswith("Traceback")
    assert text.endswith("the end")


def test_schema_only_leaves_messages_out():
    code = "try:\n    {}[secret]\nexcept KeyError as e:\n    e.add_note(secret)\n    raise ValueError(secret) from e"

    text = traceback_text(run(code, secret="zebra"), cells={"cell-3.py": 3}, schema_only=True)

    assert "zebra" not in text
    assert "KeyError: (message left out)" in text
    assert text.endswith("ValueError: (message left out)")


def test_an_exception_that_cannot_be_printed_is_told_all_the_same():
    text = traceback_text(run("class E(Exception):\n    def __str__(self):\n        raise OSError\nraise E()"))

    assert "E: <exception str() failed>" in text


def test_the_newest_failure_is_found_and_older_ones_by_number():
    kept = failures()
    kept.record(5, "1/0", run("1/0"))

    assert kept.find().number == 5
    assert kept.find(3).code == "x = prices['peach']"
    assert kept.tracebacks[3].endswith("KeyError: 'peach'")
    with pytest.raises(RequestError, match=re.escape("Cell In[4] has not failed in this kernel; these have: 3, 5.")):
        kept.find(4)


def test_no_failure_is_said_so():
    with pytest.raises(RequestError, match="No cell has failed"):
        Failures().find()
    with pytest.raises(RequestError, match="none has"):
        Failures().find(1)


def test_interrupts_and_our_own_errors_are_no_failures():
    kept = Failures()

    kept.record(1, "x", KeyboardInterrupt())
    kept.record(2, "%rustbot", RequestError("no"))

    assert kept.tracebacks == {}


def test_only_the_last_failures_are_kept():
    kept = Failures()

    for number in range(200):
        kept.record(number, "1/0", ZeroDivisionError())

    assert len(kept.tracebacks) == 50
    assert kept.find().number == 199


def test_a_failure_keeps_no_object_of_the_cell_alive():
    big = [0]
    count = sys.getrefcount(big)
    kept = Failures()

    kept.record(1, "big[1]", run("big[1]", big=big))

    assert sys.getrefcount(big) == count


def test_the_question_holds_code_traceback_and_variables():
    question = failure_question(
        failures().find(), {"prices": {"apple": 1}, "other": 5}, task="fix", wish="Use a default of 0."
    )

    assert question.startswith("The notebook cell In[3] failed.")
    assert "Use a default of 0." in question
    assert "```python\nx = prices['peach']\n```" in question
    assert "KeyError: 'peach'" in question
    assert "prices: dict, 1 entry\n{'apple': 1}" in question
    assert "other" not in question


def test_the_question_sends_no_value_with_schema_only():
    question = failure_question(
        failures("raise KeyError(prices)").find(),
        {"prices": {"apple": 4711}},
        task="explain",
        schema_only=True,
    )

    assert "4711" not in question
    assert "apple" not in question
    assert "prices: dict, 1 entry of str to int" in question


def test_code_with_fences_stays_inside_its_block():
    question = cell_question(2, 's = "```"', {}, wish="")

    assert "````python\n" in question
    assert question.endswith("````")


def test_variables_are_the_users_own_in_the_order_of_the_code():
    def own() -> None: ...

    own.__module__ = "__main__"
    names = {"b": 1, "a": 2, "own": own, "re": re, "len": len, "pytest": pytest, "_x": 1, "In": [], "unused": 1}

    assert variables_in("a = re.sub(b, own(), _x, In, len)", names) == ("a", "b", "own")
    assert variables_in("%time a = b +", names) == ("a", "b")
    assert variables_in("", names) == ()


def test_what_steers_a_terminal_is_not_in_a_traceback():
    try:
        raise ValueError("\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07 done\x08")
    except ValueError as error:
        text = traceback_text(error)

    assert text.endswith("ValueError: red  done")


def test_a_syntax_error_of_a_cell_begins_with_the_cell():
    try:
        compile("x = = 1", "cell-3.py", "exec")
    except SyntaxError as error:
        text = traceback_text(error, cells={"cell-3.py": 3})

    assert text.startswith('  File "In[3]", line 1\n    x = = 1')
    assert "test_failures" not in text
