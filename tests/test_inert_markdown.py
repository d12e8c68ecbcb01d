from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.inert_markdown import GrowingMarkdown, inert_markdown

EVIL = "//evil.example/?data"
FORMULAS = json.loads((Path(__file__).parent / "fixtures" / "formulas.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        "Plain *text* with [a link](https://x.example) and <https://auto.example>.",
        "[a](#part) [b](notes/a.md#x) [c](mailto:a@b.example) [d](<https://x.example>)\n\n[e]: https://x.example",
        '```python\nprint("hello") if 1 < 2 else a[0]\n```',
        "~~~\na & b\n~~~\n",
        "```sh\necho $HOME\n```",
        "`a < b` and `a[1]`",
        "a < b and 3<4 and x <- y",
        "$a<4$ wow!",
        "~~gone~~ and ~5",
        "H<sub>2</sub>O<br>and <kbd>Esc</kbd>",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "- a\n  - b\n\n    c\n\n> d\n>\n> e\n",
        "Title\n===\n\n# Other\ntext\n***\n",
        "    code\n\ntext",
        "1. one\n2. two\n   - a\n   - b\n3. three\n10. ten\n",
        "- a\n-\n- b\n\n> quote\n2. an item",
        "重点是**重点**。",
        "Both **“quoted”** and *(so)* are emphasised.",
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
        (f"<img src={EVIL}>", f"<span>&#60;</span>img src={EVIL}>"),
        (f"<IMG\nsrc={EVIL}>", f"<span>&#60;</span>IMG  \nsrc={EVIL}>"),
        ("<div>\n```\n<b>", "<span>&#60;</span>div>\n<pre><code>&#60;b&#62;&#10;</code></pre>"),
        ("`List<int>`", "<code>List&#60;int&#62;</code>"),
        ("`vec![]`", "<code>vec&#33;&#91;&#93;</code>"),
        ("`$HOME`", "<code>&#36;HOME</code>"),
        ("```html\n<b>\n```\ntext", "<pre><code>&#60;b&#62;&#10;</code></pre>\ntext"),
        (f"!![x]({EVIL})", f"<span>&#33;</span>[x]({EVIL})"),
        ("wow![note] that", "wow<span>&#33;</span>[note] that"),
        ('```py" onclick="alert()\nx = "1"\n```', '```py\nx = "1"\n```'),
        ('- ~~~py" style="x\n  ~~~', "- ~~~py\n  ~~~"),
        (f'```"><img/src={EVIL}>\n```', "```\n```"),
        ("```{python}\nx\n```", "```python\nx\n```"),
        ('```mermaid\nA@{ img: "x" }\n```', '```mermaid-source\nA@{ img: "x" }\n```'),
        ("<b>never closed", "<span>&#60;</span>b>never closed"),
        ("<details>\n<summary>More</summary>\n\n*x*", "<details>\n\n<summary>More</summary>\n\n\n*x*\n\n</details>"),
        ("> [!WARNING]\n> Hot", "> **Warning**  \n> Hot"),
        ("It costs $5 now and $6 later.", "It costs <span>&#36;</span>5 now and <span>&#36;</span>6 later."),
        ("a\\(x\\) and\n\\[\n\ny<z\n\n\\]", "a$x$ and\n$$y< z$$"),
        ("$$\n\\begin{align}\nx\n\\end{align}\n$$", "\\begin{align} x \\end{align}"),
        ("10~20 and 30~40", "10<span>&#126;</span>20 and 30<span>&#126;</span>40"),
        ("Roses\nViolets\n\n- a\n  b\n", "Roses  \nViolets\n\n- a  \n  b\n"),
        ("| a |\n|---|\n| `x|y` |", "| a |\n|---|\n| <code>x&#124;y</code> |"),
        ("Said[^1].\n\n[^1]: There.", "Said<sup>1</sup>.\n\n<sup>1</sup> There."),
        (
            "A[^1] b[^n].\n\n[^1]: One\n[^n]: Two",
            "A<sup>1</sup> b<sup>n</sup>.\n\n<sup>1</sup> One  \n<sup>n</sup> Two",
        ),
        ("还有**“引号”**后，*强：*文", "还有<strong>“引号”</strong>后，<em>强：</em>文"),
        ("**`f`：**说明 `中**“a”**中`", "<strong>`f`：</strong>说明 `中**“a”**中`"),
        ("中**“a`b”**中`", "中**“a`b”**中`"),
        ("1. one\n   2. still one", "1. one  \n   2\\. still one"),
        ("见 https://a.example/b（说明）", "见 https://a.example/b<span></span>（说明）"),
        ("[x](https://a.example/中$文)", "[x](https://a.example/中&#36;文)"),
        ("open\n```python\nx", "open\n```python\nx\n```"),
    ],
)
def test_text_is_rewritten_so_that_it_looks_as_it_was_meant(text, shown):
    assert inert_markdown(text) == shown


@pytest.mark.parametrize(
    "lead", ["", "- ", "1. ", "> ", "- > ", "> 1. ", "10. ", "* - "], ids=lambda lead: lead or "no container"
)
@pytest.mark.parametrize(
    "code",
    ["std::vector<int> v;", "# a comment\n\nx = '<p>'", "echo $A $B\n  ![x]", "\\begin{align}\n$x$", "a\n> b\n- c"],
)
def test_code_is_as_the_model_wrote_it_wherever_it_stands(lead, code):
    further = re.sub(r"[^>]", " ", lead)
    text = f"```cpp\n{code}\n```\n**end**"

    shown = inert_markdown(
        "\n".join(f"{further if number else lead}{line}" for number, line in enumerate(text.split("\n")))
    )

    assert code in shown_codes(shown, further)
    assert "**end**" in shown


def shown_codes(shown: str, further: str) -> list[str]:
    """What a renderer takes for code: our own HTML, and fences."""
    own = [html.unescape(code).removesuffix("\n") for code in re.findall(r"<pre><code>(.*?)</code></pre>", shown)]
    lines = [line.removeprefix(further) for line in shown.split("\n")]
    fenced = re.findall(r"```cpp\n(.*?)\n```", "\n".join(lines), re.DOTALL)
    return own + fenced


@pytest.mark.parametrize(("text", "formulas"), FORMULAS, ids=lambda value: repr(value)[:50])
def test_formulas_are_what_jupyterlab_reads_as_one_and_nothing_else(text, formulas):
    shown = re.sub(r"<span>.*?</span>|<code>.*?</code>|```.*?```", "", inert_markdown(text), flags=re.DOTALL)

    drawn = re.findall(r"\$\$(.+?)\$\$|(?<!\\)\$((?:\\\$|[^$])+)(?<!\\)\$|(\\begin\{.*?\\end\{[a-z*]+\})", shown)

    assert ["".join(one).replace("< ", "<") for one in drawn] == formulas


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
        f"!!![x]({EVIL})",
        f"\\\\![x]({EVIL})",
        f"$x![a]({EVIL})$ and \\(![a]({EVIL})\\)",
        f"<details>\n<summary><img src={EVIL}></summary>",
        f"<b>![x]({EVIL})</b><img src={EVIL}>",
        "<sub onclick=alert()>x</sub>",
        "$$\n```mermaid\nx\n```\n$$",
    ],
)
def test_no_trick_with_code_gets_anything_through(text):
    assert is_inert(inert_markdown(text))


MARKS = '`~ \n-<!a/>[]()$|\\"'
PIECES = (
    *("- ", "1. ", "> ", "```", "```cpp\n", "\n", "\n\n", "  ", "    ", "|", "|-|\n", "word ", "vector<int>", "# "),
    *("$5 ", "$x$", "$$", "\\[", "\\]", "\\begin{align}", "\\end{align}", "`", "``", "![a](", "]", "<b>", "</b>"),
    *("<details>", "</details>", "[^1]", "[!NOTE]", "~", "~~", "**", "https://a.example/b", "\\", "end\n", "---\n"),
)
MARKUP = {"```cpp\n", "```", "``", "~~", "<b>", "</b>", "<details>", "</details>", "[!NOTE]"}
"""Pieces that are or make letters that are no words: names of tags, boxes and languages."""
DOCUMENTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
PROSE = st.lists(
    st.sampled_from([*(piece for piece in PIECES if piece not in MARKUP), "\n```\n", " `` ", " ~~x~~ "]), max_size=40
).map("".join)


@given(st.text() | st.text(alphabet=MARKS) | DOCUMENTS)
def test_any_text_becomes_inert(text):
    assert is_inert(inert_markdown(text))


@given(PROSE)
def test_any_text_keeps_its_words_in_their_order(text):
    assert words(inert_markdown(text)) == words(text)


def words(text: str) -> str:
    """Letters and digits, those of our own tags left out."""
    return "".join(char for char in html.unescape(re.sub(r"</?(?:pre|code|span|sup)>", "", text)) if char.isalnum())


@given(DOCUMENTS, st.lists(st.integers(min_value=1, max_value=20), min_size=1, max_size=8))
def test_a_text_that_grows_is_shown_as_if_it_had_come_at_once(text, sizes):
    growing = GrowingMarkdown()
    place = 0
    while place < len(text):
        place += sizes[place % len(sizes)]
        shown = growing.update(text[:place])
        assert is_inert(shown)

    assert growing.update(text) == inert_markdown(text)


def test_what_is_finished_is_not_read_again():
    growing = GrowingMarkdown()
    growing.update("one\n\n" * 1000)
    read = []
    growing._writer.read = read.append

    growing.update("one\n\n" * 1000 + "two\nthree")

    assert read == ["two", "three"]


WILD = {
    "columns": f"|{'a|' * 20_000}\n|{'-|' * 20_000}\n|{'b|' * 20_000}",
    "targets": "\n".join(f"[a{number}]: https://b.example/{number}" for number in range(20_000)),
    "quotes": ">" * 20_000,
    "lists": f"{'- ' * 20_000}x",
    "indented lists": "\n".join(f"{' ' * 2 * number}- x" for number in range(500)),
    "emphasis": "**a *b " * 3000,
    "brackets": "[" * 20_000,
    "tags": "<b>" * 5000,
    "one word": "x" * 100_000,
    "backticks": "".join("`" * number + " " for number in range(200)),
    "dollars": "$a " * 20_000,
    "formulas": "$x$ " * 20_000,
    "formulas of their own": "$$x$$\n\n" * 5000,
    "fences": "```\nx\n```\n\n" * 5000,
}


@pytest.mark.parametrize("name", WILD)
def test_a_cell_is_spared_what_would_freeze_the_page_as_the_chat_is(name):
    shown = inert_markdown(WILD[name])

    outside = re.sub(r"<pre><code>.*?</code></pre>|<code>.*?</code>|<span>.*?</span>", "", shown, flags=re.DOTALL)
    assert max(len(line) for line in re.sub(r"https?://\S+", "", outside).split("\n")) <= 6000
    assert max((line.count("|") for line in outside.split("\n")), default=0) <= 200
    assert len(re.findall(r"^ {0,3}\[.*?\]:", outside, re.MULTILINE)) <= 400
    assert max(len(re.match(r"(?:[> ]|[-*] |\d+[.)] )*", line)[0].split()) for line in outside.split("\n")) <= 24
    assert max(len(block) for block in re.findall(r"[*_\[]+", outside) or [""]) <= 600
    assert len(re.findall(r"(?<!\$)\$[^$]+\$(?!\$)|\$\$[^$]+\$\$", outside)) <= 400
    assert len(re.findall(r"^```", outside, re.MULTILINE)) <= 2000
    assert words(shown) == words(WILD[name])


def is_inert(shown: str) -> bool:
    """True if nothing in it could run or load something, whatever a renderer takes for code."""
    marks = "pre|code|span|sup|details|summary|b|br|del|em|i|ins|kbd|mark|s|small|strong|sub|u"
    foreign = re.sub(rf"</?(?:{marks})>|<details open>|<https?://[^\s<>`]+>", "", shown)
    return not re.search(r'<[A-Za-z/!?]|!\[|(?:`{3}|~{3}).*["]|(?:`{3}|~{3}).*mermaid(?!-source)', foreign)
