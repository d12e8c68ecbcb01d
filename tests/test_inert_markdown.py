from __future__ import annotations

import html
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
        "[a](#part) [b](notes/a.md#x) [c](mailto:a@b.example) [d](<https://x.example>)\n\n[e]: https://x.example",
        '```python\nprint("hello") if 1 < 2 else a[0]\n```',
        "~~~\na & b\n~~~\n",
        "`a < b` and `a[1]` and `$x`",
        "a < b and 3<4 and x <- y",
        "$a<4$ wow!",
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
        ("<div>\n```\n<b>", "< div>\n<pre><code>&#60;b&#62;</code></pre>\n"),
        (f"`code` <video poster={EVIL}>", f"`code` < video poster={EVIL}>"),
        ("<!-- x --> <?php ?> </b>", "< !-- x --> < ?php ?> < /b>"),
        ("`List<int>`", "<code>List&#60;int&#62;</code>"),
        ("`vec![]`", "<code>vec&#33;&#91;&#93;</code>"),
        ("```html\n<b>\n\n$x\n```\ntext", "<pre><code>&#60;b&#62;\n\n&#36;x\n</code></pre>\ntext"),
        (f"!![x]({EVIL})", f"[x]({EVIL})"),
        (f"\\`<img src={EVIL}>\\`", f"\\`< img src={EVIL}>\\`"),
        (f"```\ncode\n```\n<img src={EVIL}>", f"```\ncode\n```\n< img src={EVIL}>"),
        ('```py" onclick="alert()\nx = "1"\n```', "```py' onclick='alert()\nx = \"1\"\n```"),
        ('- ~~~py" style="x\n  ~~~', "- ~~~py' style='x\n  ~~~"),
        (f'```"><img/src={EVIL}>\n```', f"```'>< img/src={EVIL}>\n```"),
        ('```mermaid\nA@{ img: "x" }\n```', '```mermaid-source\nA@{ img: "x" }\n```'),
        (f"````\n```\n````\n![x]({EVIL})", f"<pre><code>&#96;&#96;&#96;\n</code></pre>\n[x]({EVIL})"),
    ],
)
def test_what_would_load_something_becomes_text_or_a_link(text, shown):
    assert inert_markdown(text) == shown


@pytest.mark.parametrize("separator", ["(", ": ", ":\n", "(\n", "(\t"])
@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert()",
        "JaVaScRiPt:alert()",
        "&#106;avascript:x",
        "javascript\\:x",
        "data:text/html,x",
        "\u00a0blob:x",
    ],
)
def test_an_address_that_could_run_is_no_link(address, separator):
    assert f"]{separator[0]}" not in inert_markdown(f"[x]{separator}{address})")


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
        # What a renderer takes for a title or a formula swallows the fence.
        f'[a]: https://x "\n```\n"\n<script src={EVIL}></script>\n![x]({EVIL})\n```',
        f"\\begin{{a}}\n```\n\\end{{a}}\n<script src={EVIL}></script>\n```",
        "- ```\n  x\n  ```\n<script>alert()</script>",
        "- ```\n  x\n  ```\n<div>\n<x.y onclick=alert()>",
        "\\`<script>alert()</script>`",
        '````\n```mermaid"\n````',
    ],
)
def test_no_trick_with_code_gets_anything_through(text):
    assert is_inert(inert_markdown(text))


@given(st.text() | st.text(alphabet='`~ \n-<!a/>[]()$|\\"'))
def test_any_text_becomes_inert_and_keeps_its_words(text):
    shown = inert_markdown(text)

    marks = str.maketrans("", "", " \n!\"'`~")
    plain = html.unescape(re.sub(r"</?(?:pre|code)>", "", shown))
    assert is_inert(shown)
    if "&" not in text:
        assert plain.translate(marks) == text.translate(marks)


def is_inert(shown: str) -> bool:
    """Whether nothing in it could run or load something, whatever a renderer takes for code."""
    foreign = re.sub(r"</?(?:pre|code)>|<https?://[^\s<>`]+>", "", shown)
    return not re.search(r'<[A-Za-z/!?]|!\[|(?:`{3}|~{3}).*["]|(?:`{3}|~{3}).*mermaid(?!-source)', foreign)
