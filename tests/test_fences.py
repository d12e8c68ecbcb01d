from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.fences import CodeBlock, code_blocks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no code", []),
        ("", []),
        ("```python\nx = 1\n```", [("python", "x = 1\n")]),
        ("a\n~~~\nx\n~~~\nb", [("", "x\n")]),
        ("```py\na\n```\ntext\n```bash\nb\n```", [("py", "a\n"), ("bash", "b\n")]),
        ("````\n```\ninner\n```\n````", [("", "```\ninner\n```\n")]),
        ("```\n~~~\n```", [("", "~~~\n")]),
        ('```Python title="a b"\nx\n```', [("python", "x\n")]),
        ("```{python}\nx\n```", [("python", "x\n")]),
        ("```{.python .numberLines}\nx\n```", [("python", "x\n")]),
        ("``` python\nx\n```   ", [("python", "x\n")]),
        ("```\n\n```", [("", "\n")]),
        ("```\n```", [("", "")]),
        ("1. Do this:\n   ```python\n   if x:\n       y\n   ```\n2. Done", [("python", "if x:\n    y\n")]),
        ("- ```python\n  x\n  ```", [("python", "x\n")]),
        ("10. ```python\n    x\n    ```\ntext", [("python", "x\n")]),
        ("- - ```py\n    x\n    ```", [("py", "x\n")]),
        ("> [!TIP]\n> ```python\n> if x:\n>\n>     y\n> ```", [("python", "if x:\n\n    y\n")]),
        ("- a\n  > ```py\n  > > x\n  > ```", [("py", "> x\n")]),
        ("> 1. ```py\n>    x\n>    ```", [("py", "x\n")]),
        ("> ```py\n> x\n\n```\ny\n```", [("py", "x\n"), ("", "y\n")]),
        ("```\n> ```\n```", [("", "> ```\n")]),
        ("in ```a``` line", []),
        ("```a```\n", []),
        (
            '```python\ns = """\n    ```\n    inner\n    ```\n"""\n```',
            [("python", 's = """\n    ```\n    inner\n    ```\n"""\n')],
        ),
        ("```python\r\nx = 1\r\ny = 2\r\n```\r\n", [("python", "x = 1\ny = 2\n")]),
        ("```\na\u2028b\x0cc\n```", [("", "a\u2028b\x0cc\n")]),
    ],
)
def test_blocks_are_found(text, expected):
    assert [(block.language, block.code) for block in code_blocks(text)] == expected


def test_an_unclosed_last_block_reaches_to_the_end():
    assert code_blocks("```python\nx = 1\ny") == (CodeBlock(code="x = 1\ny\n", language="python", is_closed=False),)


@given(st.text() | st.text(alphabet="`~ \n-a1.{}"))
def test_any_text_is_read(text):
    assert all(isinstance(block, CodeBlock) for block in code_blocks(text))


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="`~\r", exclude_categories=["Cs"])), max_size=4))
def test_what_is_fenced_comes_back(codes):
    text = "\n\ntext\n\n".join(f"```x\n{code}\n```" for code in codes)

    assert [block.code for block in code_blocks(text)] == [f"{code}\n" for code in codes]
