"""What the demo says: the right text for a question, corrections that run, and nothing it cannot keep."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
from effort import cpu_at_most

from rustbot_jupyter.llm.base import DEMO_MODEL, ChatRequest
from rustbot_jupyter.llm.demo_rules.answers import answer_to
from rustbot_jupyter.llm.demo_rules.recipes import RECIPES
from rustbot_jupyter.llm.demo_rules.texts import TOPICS
from rustbot_jupyter.messages import Message, MessageRole, TextPart


def ask(*said: str, system: str = "") -> str:
    """The answer to the last text; texts are the user's and the assistant's in turn."""
    roles = (MessageRole.USER, MessageRole.ASSISTANT)
    messages = [Message(role=roles[index % 2], parts=(TextPart(text=text),)) for index, text in enumerate(said)]
    if system:
        messages.insert(0, Message(role=MessageRole.SYSTEM, parts=(TextPart(text=system),)))
    return answer_to(ChatRequest(model=DEMO_MODEL, messages=tuple(messages)))


def later(question: str) -> str:
    """The answer to a question that is not the first one."""
    return ask("hi", "Hello!", question)


def python_in(answer: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", answer, re.DOTALL))


# Who it is.


def test_the_first_answer_says_that_it_is_a_demo_and_how_to_get_a_real_model():
    first = ask("write a function that sorts a list")

    assert "Offline demo" in first
    assert "OPENROUTER_API_KEY" in first
    assert "Settings" in first
    assert "Ollama" in first


def test_later_answers_do_not_repeat_the_note():
    assert "OPENROUTER_API_KEY" not in later("write a function that sorts a list")


@pytest.mark.parametrize("question", ["Who are you?", "are you a real AI?", "Which model are you?", "are you ChatGPT?"])
def test_it_never_pretends_to_be_a_real_model(question: str):
    answer = later(question)

    assert "offline demo" in answer
    assert "no language model" in answer


def test_what_it_does_not_know_it_says_and_offers_what_it_can():
    answer = later("Why is the sky blue?")

    assert "beyond me" in answer
    assert "A real model" in answer
    assert answer.count("\n- *") == 3


# What it knows.


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.title)
def test_each_offered_question_gets_its_own_text(topic):
    assert later(topic.question) == topic.text.strip()


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("how can I stop you?", "Stopping"),
        ("What does %%rustbot do?", "Magics"),
        ("is my data private?", "Privacy"),
        ("how much did that cost me", "Usage and cost"),
        ("Can I use Ollama?", "Local models"),
        ("where do you keep the api key?", "Keys"),
        ("I want to connect to OpenRouter", "Using a real model"),
        ("can I change the temperature setting?", "Settings"),
        ("can you search the web or call tools?", "Tools"),
    ],
)
def test_questions_in_other_words_find_the_topic(question: str, title: str):
    text = next(topic.text for topic in TOPICS if topic.title == title)

    assert later(question) == text.strip()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.title)
def test_texts_are_of_a_length_that_one_reads_and_their_code_parses(topic):
    assert 40 <= len(topic.text.split()) <= 320
    compile(python_in(topic.text), topic.title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_go_on_tells_something_new_each_time():
    said = ["hello", ask("hello")]
    for _ in range(3):
        said += ["go on", ask(*said, "go on")]

    answers = said[3::2]
    assert len(set(answers)) == 3


@pytest.mark.parametrize("question", ["hello", "Hi there!", "what can you do?", "help", ""])
def test_a_greeting_gets_the_tour(question: str):
    assert "Some things to try" in ask(question)


@pytest.mark.parametrize("question", ["thanks!", "how are you?", "tell me a joke", "bye", "what's the weather?"])
def test_small_talk_is_short(question: str):
    assert len(later(question).split()) < 60


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("What is a data frame?", "**data frame**"),
        ("explain list comprehensions", "**comprehension**"),
        ("What is a decorator?", "**decorator**"),
        ("tell me about pandas", "**pandas**"),
        ("what is recursion", "**Recursion**"),
        ("What is an LLM?", "**language model**"),
    ],
)
def test_common_words_are_explained(question: str, word: str):
    answer = later(question)

    assert word in answer
    compile(python_in(answer), question, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


# What it remembers.


def test_it_remembers_what_was_asked():
    said = ("What is a sieve?", "...", "And a list?", "...")

    assert "What is a sieve?" in ask(*said, "What did I ask first?")
    assert "And a list?" in ask(*said, "what was my last question?")
    assert "2 messages" in ask(*said, "What have I asked so far?")


def test_without_earlier_messages_it_says_so():
    assert "first message" in ask("What did I ask?")


def test_it_reads_out_its_instructions_and_says_that_it_cannot_follow_them():
    answer = ask("What are your instructions?", system="Talk like a pirate.")

    assert "> Talk like a pirate." in answer
    assert "beyond me" in answer


# What it does on command.


def test_it_counts():
    assert ask("count to 5") == "1, 2, 3, 4, 5."
    assert len(ask("Please count from 1 to 1,000").split()) == 1000
    assert len(ask("count to 999999999")) < 200


def test_it_repeats_to_the_letter():
    text = 'a  b\n\n{"x": 1}\t\N{GRINNING FACE}\u202e\ud800'

    assert ask("repeat: " + text) == text


@pytest.mark.parametrize("words", [100, 600, 3000])
def test_a_long_answer_has_about_the_length_that_was_asked_for(words: int):
    answer = ask(f"Write a long answer ({words} words)")

    assert words * 0.8 <= len(answer.split()) <= words * 1.3 + 30


def test_a_long_answer_without_a_number_is_long_enough_to_stop():
    assert len(ask("write a long answer").split()) > 500


def test_it_works_out_sums():
    assert "**391**" in later("What is 17 * 23?")
    assert "**8**" in later("2^3")
    assert "divides by zero" in later("1/0")
    assert "beyond me" in later("9^9^9^9^9")


def test_markdown_shows_every_kind_of_block():
    answer = later("Show me some Markdown")

    for sign in ("# ", "## ", "1. ", "- ", "| ", "```python", "> ", "$e^{i\\pi}", "**", "[link]"):
        assert sign in answer


def test_maths_has_formulas_in_lines_and_between_them():
    answer = later("show me some maths")

    assert "$e^{i\\pi} + 1 = 0$" in answer
    assert answer.count("$$") >= 6


def test_json_in_words_is_answered_by_json():
    assert ask("Name three towns. Answer only as JSON.").startswith("{")


# The code it writes.


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title[:30])
def test_every_recipe_runs(recipe, tmp_path):
    run = subprocess.run([sys.executable, "-c", recipe.code], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("question", "sign"),
    [
        ("Write a function that computes Fibonacci numbers", "def fibonacci"),
        ("write a python function to find prime numbers", "def primes_below"),
        ("How do I read a csv file?", "read_csv"),
        ("sort a list of dictionaries", "def sorted_by"),
        ("plot a sine wave", "plotly"),
        ("write a decorator that measures time", "def timed"),
        ("how do I group a data frame by month?", "groupby"),
        ("write hello world", "def greet"),
        ("write a unit test", "def test_"),
        ("Write a class for a bank account", "class Account"),
    ],
)
def test_requests_for_code_get_the_recipe(question: str, sign: str):
    assert sign in python_in(later(question))


def test_code_without_a_recipe_is_declined_honestly():
    answer = later("Write a function that proves the Riemann hypothesis")

    assert "I cannot write that" in answer
    assert not python_in(answer)


# The code and the errors it is shown.

EXPLAINED = """Explain this code:
```python
import pandas as pd
import os

def load(path, seen=[]):
    '''Read the sales.'''
    for name in path:
        if name == None:
            print(name)
    return pd.read_csv(path)

table = load("a.csv")
%matplotlib inline
```"""


def test_an_explanation_names_imports_functions_loops_and_traps():
    answer = later(EXPLAINED)

    assert "`pandas` as `pd`" in answer
    assert "function `load`, which takes `path` and `seen`" in answer
    assert "*Read the sales.*" in answer
    assert "goes through `path`" in answer
    assert "default: all calls share it" in answer
    assert "`os` is imported and not used" in answer
    assert "`is`" in answer


def test_code_without_a_fence_is_explained_too():
    assert "adds `i` to `total`" in later("what does this do:\ntotal = 0\nfor i in range(3):\n    total += i")


@pytest.mark.parametrize(
    "code",
    [
        "x = 1",
        "",
        "def f(): pass",
        "lambda: (yield)",
        "match x:\n case 1: pass",
        "async def f():\n async for x in y: await x",
    ],
)
def test_any_python_can_be_explained(code: str):
    assert later(f"explain\n```python\n{code}\n```")


def test_another_language_is_declined():
    assert "know Python only" in later('explain\n```\nfn main() { println!("hi"); }\n```')


def in_cell(code: str, error: str, *, line: int | None = None, told: str = "") -> str:
    """What `fix` sends: the cell, its traceback, and the variables."""
    frame = f'  File "In[4]", line {line}, in <module>\n' if line else ""
    traceback = f"```text\nTraceback (most recent call last):\n{frame}{error}\n```"
    variables = f"\n\nThe variables it names:\n\n```text\n{told}\n```" if told else ""
    return (
        f"The notebook cell In[4] failed. Give the corrected cell.\n\n```python\n{code}\n```\n\n{traceback}{variables}"
    )


MENDED = {
    "a misspelt name": ("prices = [3, 5]\nresult = sum(price)", "NameError: name 'price' is not defined", "", 8),
    "a misspelt variable of another cell": (
        "result = sum(pices)",
        "NameError: name 'pices' is not defined",
        "prices: list of 2 int",
        8,
    ),
    "a misspelt built-in": ("result = lenn([1])", "NameError: name 'lenn' is not defined. Did you mean: 'len'?", "", 1),
    "a missing import": (
        "result = math.floor(2.5)",
        "NameError: name 'math' is not defined. Did you forget to import 'math'?",
        "",
        2,
    ),
    "a missing alias": ("result = np.arange(3).sum()", "NameError: name 'np' is not defined", "", 3),
    "a name inside a text stays": (
        "prices = [3]\nresult = str(price) + 'price'",
        "NameError: name 'price' is not defined",
        "",
        "[3]price",
    ),
    "a misspelt module": (
        "import maths as m\nresult = m.floor(2.5)",
        "ModuleNotFoundError: No module named 'maths'",
        "",
        2,
    ),
    "a misspelt key": ("d = {'price': 2}\nresult = d['prize']", "KeyError: 'prize'", "", 2),
    "a method of another language": (
        "result = []\nresult.push(3)",
        "AttributeError: 'list' object has no attribute 'push'",
        "",
        [3],
    ),
    "a misspelt method": (
        "result = 'a'.uper()",
        "AttributeError: 'str' object has no attribute 'uper'. Did you mean: 'upper'?",
        "",
        "A",
    ),
    "a result of sort": (
        "result = [3, 1]\nresult = result.sort()\nresult.append(9)",
        "AttributeError: 'NoneType' object has no attribute 'append'",
        "",
        [1, 3, 9],
    ),
    "text and number": (
        "age = 3\nresult = 'age ' + age",
        'TypeError: can only concatenate str (not "int") to str',
        "",
        "age 3",
    ),
    "a loop over a number": (
        "result = []\nfor i in len('ab'):\n    result.append(i)",
        "TypeError: 'int' object is not iterable",
        "",
        [0, 1],
    ),
    "a hidden built-in": (
        "list = (1, 2)\nresult = list((3, 4)) + [*list]",
        "TypeError: 'tuple' object is not callable",
        "",
        [3, 4, 1, 2],
    ),
    "a decimal number as int": (
        "result = int('3.5')",
        "ValueError: invalid literal for int() with base 10: '3.5'",
        "",
        3,
    ),
    "a missing colon": ("for i in range(3)  # three\n    result = i", "SyntaxError: expected ':'", "", 2),
    "a missing parenthesis": ("result = max([1, 2]\nother = 1", "SyntaxError: '(' was never closed", "", 2),
    "an old print": (
        "result = 1\nprint 'done'",
        "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?",
        "",
        1,
    ),
    "a missing quote": ("result = 'abc", "SyntaxError: unterminated string literal (detected at line 1)", "", "abc"),
    "an assignment as condition": (
        "result = 1\nif result = 1:\n    result = 2",
        "SyntaxError: invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
        "",
        2,
    ),
    "a missing indent": (
        "if True:\nresult = 1",
        "IndentationError: expected an indented block after 'if' statement on line 1",
        "",
        1,
    ),
    "an indent too many": ("x = 1\n  result = x", "IndentationError: unexpected indent", "", 1),
}


@pytest.mark.parametrize("case", MENDED)
def test_a_certain_correction_is_made_and_runs(case: str):
    code, error, told, result = MENDED[case]

    mended = python_in(later(in_cell(code, error, told=told)))

    names = {"prices": [3, 5]} if told else {}
    exec(mended, names)
    assert names["result"] == result


def test_a_division_by_zero_is_guarded_where_it_happened():
    code = "def mean(values):\n    return sum(values) / len(values)\n\nresult = mean([])"

    mended = python_in(later(in_cell(code, "ZeroDivisionError: division by zero", line=2)))

    names: dict[str, object] = {}
    exec(mended, names)
    assert str(names["result"]) == "nan"


def test_a_key_is_corrected_by_the_columns_of_the_frame():
    told = "df: pandas DataFrame, 3 rows × 2 columns\ncolumns:\n- price: float64, min 1\n- name: str"

    assert 'df["price"]' in python_in(later(in_cell('df["prize"].sum()', "KeyError: 'prize'", told=told)))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("result = 1 / 0", "ZeroDivisionError: division by zero"),
        ("open('data.csv')", "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'"),
        ("f(1)", "TypeError: f() missing 1 required positional argument: 'b'"),
        ("x[5]", "IndexError: list index out of range"),
        ("assert False", "AssertionError"),
        ("import sklearn", "ModuleNotFoundError: No module named 'sklearn'"),
        ("x", "MyOwnError: something"),
    ],
)
def test_what_is_not_certain_is_explained_and_left_alone(code: str, error: str):
    answer = later(in_cell(code, error, line=1))

    assert answer.startswith(f"### {error.split(':')[0]} in line 1")
    assert "What helps" in answer
    assert not python_in(answer)


def test_a_misspelt_package_is_never_offered_for_installation():
    answer = later("explain\n```\nModuleNotFoundError: No module named 'panads'\n```")

    assert "`pandas`" in answer
    assert "pip install panads" not in answer


def test_a_known_module_is_installed_by_the_name_of_its_package():
    answer = later("```\nModuleNotFoundError: No module named 'sklearn'\n```")

    assert "%pip install scikit-learn" in answer


def test_the_line_in_the_cell_is_named_not_the_one_in_a_library():
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "In[4]", line 3, in load\n    return pd.read_csv(path)\n           ^^^^^\n'
        '  File "/lib/pandas/io/common.py", line 882, in get_handle\n    handle = open(\n'
        "FileNotFoundError: [Errno 2] No such file or directory: 'a.csv'"
    )

    assert later(f"```\n{traceback}\n```").startswith(
        "### FileNotFoundError in line 3, in `load`: `return pd.read_csv(path)`"
    )


def test_a_coloured_traceback_of_ipython_is_read():
    traceback = (
        "\x1b[31m---------\x1b[39m\n\x1b[31mZeroDivisionError\x1b[39m      Traceback (most recent call last)\n"
        "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[2]\x1b[39m\x1b[32m, line 1\x1b[39m\n"
        "\x1b[32m----> \x1b[39m\x1b[32m1\x1b[39m \x1b[32m1\x1b[39m/\x1b[32m0\x1b[39m\n\n"
        "\x1b[31mZeroDivisionError\x1b[39m: division by zero"
    )

    assert later(traceback).startswith("### ZeroDivisionError in line 1: `1/0`")


# Data frames.

FRAME = """sales: pandas DataFrame, 3 rows × 4 columns
columns:
- unit price (USD): float64, min 1.5, mean 2.25, max 3, 33% missing
- name: str, all distinct, such as 'a'
- when: datetime64[us], from 2026-01-01 to 2026-01-02
- shop: category, 2 distinct: 'x' 67%, 'y' 33%"""


def test_a_frame_is_described_by_its_columns():
    answer = later(f"Which columns have missing values?\n\n{FRAME}")

    assert "`sales` with 3 rows and 4 columns" in answer
    assert "**numbers**: `unit price (USD)`" in answer
    assert "**dates and times**: `when`" in answer
    assert "`unit price (USD)` (33%)" in answer
    assert "sales.groupby('shop')" in python_in(answer)


# Bad input.


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 1_000_000,
        " " * 1_000_000 + "x",
        "hello" + " " * 1_000_000 + "x",
        "yes" + "." * 1_000_000 + "x",
        "a" * 1_000_000,
        "word " * 200_000,
        "```\n" * 250_000,
        "(" * 100_000,
        "```python\n" + "x = 1\n" * 150_000 + "```",
        "```python\nx = " + "1+" * 9_000 + "1\n```",
        "```python\n" + "(" * 9_000 + "\n```",
        "```\n" + "Error: x\n" * 100_000 + "```",
        "- a: int64\n" * 100_000,
        "1+" * 500_000,
        "\x00\ud800\u202e",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_strange_or_huge_message_is_answered_soon(text: str):
    # Far more than it takes; a pattern that backtracks would take minutes.
    with cpu_at_most(5):
        assert later(text)
