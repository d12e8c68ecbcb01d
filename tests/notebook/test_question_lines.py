from __future__ import annotations

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from rustbot_jupyter.notebook.question_lines import QuestionLine


@pytest.fixture
def transform():
    manager = TransformerManager()
    manager.token_transformers.append(QuestionLine)
    return manager.transform_cell


def call(text: str) -> str:
    return f"get_ipython().run_line_magic('rustbot', {text!r})"


@pytest.mark.parametrize(
    "question",
    [
        "what is this?",
        "what's this?",
        "why??",
        "is it 3?",
        "what is f(x)?",
        "is [1, 2 valid?",
        'who said "to be"?',
        "-f md explain df?",
        "no mark at all",
        "what is {x} and $`y`?",
        "fix 3",
        "100 % sure?",
        "a = b?",
    ],
)
def test_a_question_reaches_the_magic_as_typed(transform, question):
    assert transform(f"%rustbot {question}") == f"{call(question)}\n"
    assert transform(f"answer = %rustbot {question}\nx = 1\n") == f"answer = {call(question)}\nx = 1\n"
    assert transform(f"if x:\n    %rustbot {question}\n") == f"if x:\n    {call(question)}\n"


def test_several_questions_in_a_cell_are_all_found(transform):
    cell = "x = 1\n%rustbot what is x?\nprint(x)\n%rustbot and now?\n"

    assert transform(cell) == f"x = 1\n{call('what is x?')}\nprint(x)\n{call('and now?')}\n"


def test_a_continued_line_is_one_question(transform):
    assert transform("%rustbot what is \\\nthis?\n") == f"{call('what is  this?')}\n"


def test_other_lines_are_left_to_ipython(transform):
    plain = TransformerManager().transform_cell
    cells = [
        "%rustbot?\n",
        "%rustbot??\n",
        "rustbot?\n",
        "%rustbots what?\n",
        "%time f()\n",
        "df?\n",
        "%%rustbot\nwhat is\n%rustbot this?\n",
        "%%writefile x.py\n%rustbot what?\n",
        's = """\n%rustbot what is this?\n"""\n',
        "# %rustbot what?\n",
        "x = 5 %rustbot\n",
        "!ls *.py?\n",
    ]

    for cell in cells:
        assert transform(cell) == plain(cell)
