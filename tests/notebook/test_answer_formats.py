from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import InvalidAnswer
from rustbot_jupyter.notebook.answer_formats import (
    code_for_cell,
    html_frame,
    html_source,
    json_value,
    latex_source,
    other_languages,
)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("Sure!\n```python\nx = 1\n```\nand\n```python\ny = 2\n```\nDone.", "x = 1\n\ny = 2"),
        ("```bash\npip install x\n```\n```python\nimport x\n```", "import x"),
        ("```sql\nselect 1\n```", ""),
        ("```bash\npip install x\n```", "%%bash\npip install x"),
        ("```sh\nls\n```\nthen\n```sh\npwd\n```", "%%sh\nls\n\npwd"),
        ("```console\n$ pip install x\nCollecting x\n$ ls\n```", "%%bash\npip install x\nls"),
        ("```javascript\nalert(1)\n```", "%%javascript\nalert(1)"),
        ("```html\n<b>x</b>\n```", "%%html\n<b>x</b>"),
        ("```r\nx <- 1\n```", ""),
        ("```diff\n-a\n+b\n```", ""),
        ("```json\n{}\n```", ""),
        ("```rust\nfn main() {}\n```", ""),
        ("```sql\nselect 1\n```\n```bash\nls\n```", "%%bash\nls"),
        ("```sql\nselect 1\n```\n```python\nx = 1\n```\n```bash\nls\n```", "x = 1"),
        ("```\npip install x\n```", "%%bash\npip install x"),
        ("```\n$ git status\n```", "%%bash\ngit status"),
        ("```\nselect a from b\n```", ""),
        ("```\nawait f()\n```", "await f()"),
        ("```\npip = 1\n```", "pip = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("x = 1\nprint(x)", "x = 1\nprint(x)"),
        ("%matplotlib inline\nimport x", "%matplotlib inline\nimport x"),
        ("I cannot do that.", ""),
        ("Sorry", ""),
        ("", ""),
        ("```python\n```", ""),
    ],
)
def test_code_for_the_next_cell(answer, code):
    assert code_for_cell(answer) == code


def test_languages_whose_magic_is_there_go_into_a_cell():
    assert code_for_cell("```r\nx <- 1\n```", {"R"}.__contains__) == "%%R\nx <- 1"
    assert code_for_cell("```sql\nselect 1\n```", {"sql"}.__contains__) == "%%sql\nselect 1"
    assert other_languages("```r\nx\n```\n```python\ny\n```\n```diff\n-a\n```") == ("r", "diff")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (" [1, 2] \n", [1, 2]),
        ("3", 3),
        ('```json\n{"a": {"b": "```"}}\n```', {"a": {"b": "```"}}),
        ('Here it is:\n\n```json\n{"a": 1}\n```\nEnjoy!', {"a": 1}),
        ('Here: {"a": [1]} as asked.', {"a": [1]}),
        ("```python\nx\n```\n```json\n[]\n```", []),
        ('\ufeff{"a": 1}', {"a": 1}),
    ],
)
def test_json_is_found(answer, value):
    assert json_value(answer) == value


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I cannot.", "it is plain text"),
        ("", "it is plain text"),
        ('{"a": 1,', "Expecting property name"),
        ('```json\n{"a": }\n```', r"Expecting value: line 1 column 7"),
        ('{"a": NaN}', "NaN is no JSON value"),
        ("[" * 100_000, ""),
    ],
)
def test_broken_json_gives_one_clear_error(answer, reason):
    with pytest.raises(InvalidAnswer, match=r"^The answer is not JSON: .*Ask again with --schema") as caught:
        json_value(answer)

    assert reason in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("x^2", "$$\nx^2\n$$"),
        ("$$x^2$$", "$$x^2$$"),
        (r"\[x^2\]", "$$x^2$$"),
        (r"So \(x\) is $y$.", "So $x$ is $y$."),
        ("```latex\n\\[x^2\\]\n```", "$$\nx^2\n$$"),
        ("Text\n```math\n$x$\n```", "$$\nx\n$$"),
        ("", ""),
    ],
)
def test_formulas_have_one_kind_of_delimiters(answer, source):
    assert latex_source(answer) == source


def test_html_comes_without_the_talk_around_it():
    assert html_source("Here:\n```html\n<b>x</b>\n```\nDone") == "<b>x</b>"
    assert html_source(" <i>y</i>\n") == "<i>y</i>"


def test_html_is_shown_in_a_frame_that_can_do_nothing():
    frame = html_frame('<script>alert(1)</script><LINK rel=preconnect href="//evil.example">"><img src=x>')

    assert frame.startswith('<iframe sandbox=""')
    assert "default-src &#x27;none&#x27;" in frame
    assert "<script" not in frame
    assert "&lt;link" not in frame.lower().replace("&lt;x-link", "")
    assert frame.count(">") == 2


@given(st.text())
def test_any_answer_is_taken(answer):
    code_for_cell(answer)
    latex_source(answer)
    html_frame(answer)
