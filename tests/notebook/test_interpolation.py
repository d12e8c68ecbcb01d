from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pandas as pd
import pytest
from effort import cpu_at_most
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.notebook.interpolation import interpolate


class Robot:
    name = "Bender"
    _private = "quiet"

    @property
    def broken(self) -> str:
        raise RuntimeError("no")

    def __getitem__(self, key: Any) -> Any:
        raise ZeroDivisionError


def namespace() -> dict[str, Any]:
    return {
        "x": 5,
        "größe": 7,
        "d": {"k": "value", 1: "one", "2": "two", "with space": "sp", "nested": {"deep": [10, 20]}},
        "robot": Robot(),
        "In": ["", "a = 1", "b = 2", "c = 3"],
        "Out": {3: 42},
        "Err": {3: "ZeroDivisionError: division by zero"},
        "braces": "{x} and {{x}} and $`x`",
        "items": [1, 2],
        "df": pd.DataFrame({"price": [1, 2]}),
    }


def filled(text: str, **options: Any) -> str:
    return interpolate(text, namespace(), **options).text


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("x is {x}.", "x is 5."),
        ("{größe}", "7"),
        ("{d[k]} {d['k']} {d[\"k\"]}", "value value value"),
        ("{d[1]} {d[2]} {d[with space]}", "one two sp"),
        ("{d[nested][deep][1]} {d[nested][deep][-2]}", "20 10"),
        ("{robot.name}", "Bender"),
        ("{robot._private}", "quiet"),
        ("{In[3]} gave {Out[3]} after {Err[3]}", "c = 3 gave 42 after ZeroDivisionError: division by zero"),
        ("{items}", "[1, 2]"),
        ("{x}{x}", "55"),
        ("{braces}", "{x} and {{x}} and $`x`"),
    ],
)
def test_what_resolves_is_replaced(typed, sent):
    assert filled(typed) == sent


@pytest.mark.parametrize(
    "typed",
    [
        "{}",
        "{ }",
        '{"a": 1}',
        "{'a': {'b': {}}}",
        '{"a": {"b": 1}}',
        "{x+1}",
        "{x:.2f}",
        "{x!r}",
        "{ x }",
        "{x()}",
        "{x",
        "x}",
        "}{",
        "{unknown}",
        "{unknown.attribute}",
        "{x.unknown}",
        "{robot.broken}",
        "{robot[0]}",
        "{robot.__class__}",
        "{robot.name.__len__}",
        "{d[missing]}",
        "{items[9]}",
        "{items[k]}",
        "{In[99]} {Out[1]} {Err[1]}",
        r"\frac{1}{2} \sum_{i=0}^{n} \sqrt{\frac{a}{b}}",
        "int a[2][2] = {{1, 2}, {3, 4}};",
        "{{never closed",
        "never opened}}",
        "{{a}_1}_2",
        '{"json": "}}"}',
        "f'{y:>{width}}'",
        "${HOME} $HOME $(pwd) `ls`",
        "const f = () => { return 1 }",
        "\x00 \ud800 \u202e {\ud800}",
    ],
)
def test_what_does_not_resolve_stays_as_typed(typed):
    result = interpolate(typed, namespace())

    assert result.text == typed
    assert result.names == ()
    assert result.problems == ()


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("{{x}}", "{x}"),
        ("{{robot.name}}", "{robot.name}"),
        ("{{unknown}}", "{unknown}"),
        ("{{x}} is {x}", "{x} is 5"),
    ],
)
def test_a_name_in_doubled_braces_is_one_in_single_ones(typed, sent):
    assert filled(typed) == sent


OTHER_LANGUAGES = [
    "Show that \\hat{y} is unbiased.",
    "\\bar{x} \\sqrt{x} \\sqrt[n]{x} \\frac{a}{b} \\frac{\\sqrt{x}}{y}",
    "$x^{n}+a_{k}$",
    "\\sum_{i}^{n} a_{i}",
    "$$ {x} + {y} $$",
    "\\( {x} \\)",
    "\\[\n {x} \\]",
    "\\begin{align}\n {x} &= {y} \\end{align}",
    "\\mathbb{E} \\text{name} \\operatorname*{argmax}",
    "{{ ref('orders') }}",
    "${{ secrets.TOKEN }}",
    "${{secrets.TOKEN}}",
    "{{ user.name }}",
    "{{#if user}}Hello{{/if}}",
    "{{#each items}}{{ this.name }}{{/each}}",
    "{{{body}}}",
    "{% if x %}{{ x }}{% endif %}",
    "x^{{2}}",
    "x^{{n}}",
    'Is {{"a": {"b": 1}}} a set?',
    '{{"a": {x}}}',
    "{{ x | upper }}",
    "{{ {x} }}",
    "{{- .Values.name -}}",
    "{{ .Values.name }}",
    "echo ${HOME} ${name} ${name:-x} ${#name} a{x,y}",
    "`Hello ${name}`",
    "make ${X}",
    "%{name}",
    '"Hello #{x}"',
    'f"{x}"',
    "f'{x} is {y}'",
    'print(f"{x}")',
    'f"""\n{x}\n"""',
    "rf'{x}'",
    '$"{name}"',
    'F"{x}"',
    '"{x}".format(x=1)',
    "f'{{\"a\": {x}}}'",
    "const {x} = props;",
    "let {data} = await load()",
    "import {x} from 'y'",
    "export {x};",
    "setState({x})",
    "({x}) => y",
    "function f({x}) { return 1 }",
    "export default async function f({x}) { return 1 }",
    "const f = function ({x}) { return 1 }",
    "export default function Card({name}) {\n  return 1\n}",
    "Explain `function f({x})`.",
    "function f(a): number {x}",
    "y_{n}. Next",
    "max_{x} f",
    "return {x};",
    "<Foo bar={x} />",
    'println!("{x}")',
    'println!("{x}");',
    "use foo::{bar};",
    "int a[] = {n};",
    "int x{n};",
    "std::vector<int> v{n};",
    "Point{x}",
    "Vector{T}",
    "if (a) {b}",
    "fn f() -> i32 {x}",
    "struct P { {x} }",
    "a { b {x} }",
    "[]int{n}",
    "[a-z]{n}",
    "@app.get('/items/{name}')",
    "```python\nprint({x})\n```",
    "```js\nconst a = {x}\n```",
    "~~~rust\nlet a = {x}\n~~~",
    "int main() {\n  f({x});\n  {y}\n}",
    "  glue('{x}')",
    "logger.info('{x}')",
    "enum Color {red}",
    "@article{key, title={x}}",
    "{a{x}}",
    "xs := []int{n}",
    'format!("{x} {y}")',
    "<p :title='name'>{{ name }}</p>",
    "msg: '{{ item }}' when={{ x == {y} }}",
    '"{x} of {y}".format(x=1, y=2)',
    "(ab){n} \\d{n}",
    "cp a{x,y} b",
]
"""LaTeX, templates of many tools, format strings, shells, JavaScript, C, Rust, CSS, Python, Go, Julia, patterns."""


@pytest.mark.parametrize("typed", OTHER_LANGUAGES)
def test_braces_of_another_language_stay_whatever_variables_there_are(typed):
    result = interpolate(typed, dict.fromkeys(re.findall(r"[^\W\d]\w*", typed), "VALUE"))

    assert result.text == typed
    assert result.names == ()


@given(st.lists(st.sampled_from(OTHER_LANGUAGES), min_size=1, max_size=6))
def test_several_of_them_in_one_question_stay_too(texts):
    typed = "\n\n".join(texts)

    assert interpolate(typed, dict.fromkeys(re.findall(r"[^\W\d]\w*", typed), "VALUE")).text == typed


@pytest.mark.parametrize(
    "typed",
    [
        "{x}",
        "x is {x}.",
        "'{x}' and \"{x}\"",
        "({x})",
        "<data>{x}</data>",
        "```\n{x}\n```",
        "```python\n{x}\n```",
        "```csv\n{x}\n```",
        '{"a": {x}}',
        '{"a": "{x}"}',
        "`{x}`",
        "costs $5 and {x} or $6",
        "The function f() returns {x}. Why?",
        "What does the function f({x}) do?",
        "A function (of two numbers) that adds {x}",
        "Read data_{x}.csv",
        "v{x}",
        "- {x};",
        "- the mean is {x}",
        "**{x}**",
        "# {x}",
        "issue #{x}",
        "{x}%",
        "Q{x}",
        "Use {x} as the key",
        "Return {x} items",
        "Let {x} be even",
        "for {x} in the list",
        "import {x} into pandas",
        "let {x} be a number",
        "return {x} names",
        "user@{x}.com",
        "https://host/{x}",
        "C:\\data\\{x}",
        "Wow! ({x})",
        "(see below) {x}",
        "the function (see below) returns {x}",
        "the 'f' column is '{x}'",
        "is $HOME/{x} right",
        "> {x}",
        "Dear {x}:",
        "{x}:",
        "x={x}, y = {x}",
        "{x}{x}",
        "| {x} | {x} |",
        "{x} -> {x} => {x}",
        '{"a": {x}, "b": "{x}", "c": {"d": [{x}]}}',
    ],
)
def test_a_variable_in_prose_or_data_is_put_in(typed):
    assert interpolate(typed, {"x": 5}).text == typed.replace("{x}", "5")


def test_what_was_put_in_and_what_was_left_is_told():
    result = interpolate(r"{x} is \hat{x}, $`x + 1`, {{x}} and {unknown}", namespace())

    assert [result.text[start:end] for start, end in result.places] == ["5", "6"]
    assert result.names == ("x", "x + 1")
    assert result.kept == ("x",)


def test_an_expression_is_evaluated_where_the_user_works():
    result = interpolate("sum $`x + 1` and $`len(items)`, not \\$`x`", namespace())

    assert result.text == "sum 6 and 2, not $`x`"
    assert result.names == ("x + 1", "len(items)")


@pytest.mark.parametrize("expression", ["1/0", "nope", "x +", "import os", "{x}"])
def test_a_failing_expression_stays_and_is_named_in_one_sentence(expression):
    result = interpolate(f"see $`{expression}` ok", namespace() | {"x": []})

    assert result.text == f"see $`{expression}` ok"
    assert len(result.problems) == 1
    assert result.problems[0].startswith(f"`{expression}` could not be put into the question: ")


def test_an_expression_sees_and_makes_no_other_names():
    names = namespace()

    interpolate("$`[y for y in items if y > x]`", names)

    assert "y" not in names


def test_looking_up_a_key_does_not_add_it():
    counts: dict[str, list[int]] = defaultdict(list)

    result = interpolate("{counts[a]}", {"counts": counts})

    assert result.text == "{counts[a]}"
    assert not counts


def test_a_frame_becomes_a_block_of_its_own():
    text = filled("Compare {df} please")

    assert text.startswith("Compare \ndf: pandas DataFrame, 2 rows × 1 column\n")
    assert text.endswith("\n please")


def test_schema_only_puts_no_value_in():
    text = filled("{x}, {d[k]}, {In[3]}, {Err[3]}, $`x * 941`", schema_only=True)

    assert text == "x: int, d[k]: str, 5 characters, In[3]: str, 5 characters, Err[3]: str, 35 characters, x * 941: int"


def test_a_value_is_never_interpolated_again():
    names = {"a": "{b}", "b": "$`1/0`", "c": "{a}"}

    result = interpolate("{a} {b} {c}", names)

    assert result.text == "{b} $`1/0` {a}"
    assert result.problems == ()


braces = st.text(alphabet="{}{}[]`$\\.ax \"'\n:1_é", max_size=60)


@given(st.text() | braces)
def test_any_text_is_accepted(text):
    interpolate(text, {"a": 1, "x": {"a": "v"}})


@given(st.text() | braces)
def test_text_without_variables_comes_back_identical(text):
    safe = re.sub(r"\{\{(?=[^\W\d])", "{ {", text).replace("$`", "$ `")

    assert interpolate(safe, {}).text == safe


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.lists(st.integers()), min_size=1))
def test_python_literals_stay_as_typed(value):
    text = repr(value)
    if "{{" in text or "$`" in text:
        return

    assert interpolate(text, {}).text == text


def test_a_megabyte_of_braces_is_read_quickly():
    text = "{" * 300_000 + "}" * 300_000 + "$`" * 100_000 + "{a[" * 100_000

    with cpu_at_most(10):
        interpolate(text, {"a": 1})
