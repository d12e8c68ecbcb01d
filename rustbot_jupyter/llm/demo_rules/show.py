"""Things that the offline demo shows on request: Markdown, maths, counting, repeating, answers of any length."""

from __future__ import annotations

import re
from itertools import cycle

MOST_NUMBERS = 10_000
MOST_WORDS = 20_000


def spoken_length_answer(text: str) -> str | None:
    """The answer to "count to N", "repeat: ..." and "write a long answer (N words)"; None for anything else."""
    if match := _REPEAT.match(text):
        return match["what"]
    if match := _COUNT.search(text):
        return _count(int(match["number"].replace(",", "")))
    if len(text) < 300 and (match := _LONG.search(text)):
        number = match["before"] or match["after"]
        return long_answer(int(number.replace(",", "")) if number else 600)
    return None


_REPEAT = re.compile(r"\s*(?:please )?(?:repeat|echo|say)(?: after me)?\s*:\s*(?P<what>.+)", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(
    r"^\W*(?:please )?count (?:(?:from )?(?:1|one) )?(?:up )?to (?P<number>\d[\d,]{0,12})\b", re.IGNORECASE
)
_LONG = re.compile(
    r"(?:(?P<before>\d[\d,]{0,9})[ -]words?\b.{0,30}\b(?:answer|text|essay|story|reply)|"
    r"\b(?:write|give|tell|make|need|want)\b.{0,30}\b(?:long|lengthy|endless|big)\b.{0,30}"
    r"\b(?:answer|text|essay|story|reply|something)\b(?:.{0,40}?(?P<after>\d[\d,]{0,9}) words)?)",
    re.IGNORECASE | re.DOTALL,
)


def _count(number: int) -> str:
    if number > MOST_NUMBERS:
        return f"I stop at {MOST_NUMBERS:,}: nobody waits for more. Ask me to count to a smaller number."
    return ", ".join(str(value) for value in range(1, number + 1)) + ("." if number else "Zero. Done.")


def long_answer(words: int) -> str:
    """About this many words about notebooks, in sections; never more than twenty thousand."""
    wanted = min(words, MOST_WORDS)
    pieces = ["## A long answer, so that you can watch it stream"]
    written = 0
    for number, (title, body) in enumerate(cycle(_SECTIONS), 1):
        if written >= wanted:
            break
        paragraph = _at_most(body, wanted - written)
        written += len(paragraph.split())
        pieces += [f"### {number}. {title}", paragraph]
    return "\n\n".join(pieces)


def _at_most(body: str, words: int) -> str:
    """Whole sentences up to the number of words, at least one."""
    taken: list[str] = []
    for sentence in re.split(r"(?<=[.?!]) ", body):
        if taken and len(" ".join([*taken, sentence]).split()) > words:
            break
        taken.append(sentence)
    return " ".join(taken)


_SECTIONS = (
    (
        "Why streaming",
        "A language model writes one token after the other, and a token is about four characters of English. Showing "
        "each piece as it comes does not make the answer faster, but it changes how waiting feels: you begin to read "
        "after a blink, and you notice early when the answer goes the wrong way. Then you can press Stop, and the rest "
        "is neither written nor paid for.",
    ),
    (
        "What Stop does",
        "Pressing Stop puts an event with the highest priority into the queue. It overtakes everything else that "
        "waits, the connection to the provider is closed, and the text that has arrived is kept and marked as "
        "interrupted. Nothing is lost, and nothing goes on in the background. You can try it at this very moment.",
    ),
    (
        "Notebooks as a laboratory",
        "A notebook is a place for trying things out. You write a few lines, look at the result, and write the next "
        "ones. The state between the cells is the most useful part and also the most treacherous one: a variable that "
        "was made an hour ago, by a cell that has since been changed, is still there. Restarting the kernel and "
        "running everything from the top is the simplest honest test of a notebook.",
    ),
    (
        "Data frames",
        "Most questions about data can be said in three steps: split the rows into groups, compute something for each "
        "group, and put the results together. In pandas that is one line. The hard part is knowing which groups mean "
        "something, what a missing value stands for, and whether the numbers in a column are really numbers. A quick "
        "look at the types of all columns saves more time than any clever method.",
    ),
    (
        "Figures",
        "A good figure answers one question. It has a title that says what is seen, axes with units, and as few "
        "colours "
        "as the question needs. Lines are for things that change in time, bars for amounts, points for the relation of "
        "two quantities. Before a figure is shown to somebody else, it helps to ask what they would do differently "
        "after seeing it.",
    ),
    (
        "Errors",
        "A traceback is read from the bottom. The last line names the kind of error and what was wrong; the lines "
        "above "
        "tell the way that led there, and the lowest one that is in your own file is usually the place to look at. "
        "Most "
        "errors in a notebook are small: a misspelt name, a cell that was not run, a text where a number was expected. "
        "The rest become small once they can be repeated at will.",
    ),
    (
        "Names",
        "Code is read more often than it is written, and what readers meet first are the names. A name is good when it "
        "says what a thing is for, in the words of the people who use it, and when it becomes longer the farther away "
        "it is used. Renaming is cheap; misunderstanding is not.",
    ),
    (
        "Tests",
        "A test is a claim about behaviour that a machine can check. The best ones are short, fail for one reason "
        "only, "
        "and can be understood without reading the code that they test. When something breaks, the first step is a "
        "test "
        "that shows it; the second is the correction. In this order one knows that the correction works, and it stays "
        "that way.",
    ),
    (
        "Costs",
        "Every request has a price that depends on the model and on the number of tokens that go in and come out. A "
        "conversation grows, and with each question its whole history is sent again, so that the tenth question costs "
        "more than the first. Beginning a new conversation for a new subject is the easiest way to save, and it often "
        "improves the answers as well.",
    ),
    (
        "Small models and large ones",
        "A larger model knows more and follows longer trains of thought; a smaller one is faster and cheaper and is "
        "often good enough. Whether it is can be measured: ask both the same ten questions that matter to you, put the "
        "answers side by side, and look at the time and the cost. Opinions about models age quickly, and your own "
        "measurements do not take long to repeat.",
    ),
)

_MARKDOWN_SHOW = """
# A heading

Plain text with **bold**, *italic*, ~~struck out~~ and `inline code`, and a [link](https://jupyter.org).

## Lists

1. First, a numbered item
2. Second, with a list of its own
   - apples
   - pears
- [x] a task that is done
- [ ] one that is not

## A table

| Planet | Radius (km) | Moons |
|:---|---:|---:|
| Mercury | 2,440 | 0 |
| Earth | 6,371 | 1 |
| Mars | 3,390 | 2 |

## Code

```python
def greet(name: str) -> str:
    \"\"\"A friendly greeting.\"\"\"
    return f"Hello, {name}!"


print(greet("Jupyter"))
```

> A quote: “The purpose of computing is insight, not numbers.” — Richard Hamming

And inline maths, $e^{i\\pi} + 1 = 0$. Ask me for *more maths* to see whole formulas.
"""

_MATHS_SHOW = """
Inside a line, Euler's identity is $e^{i\\pi} + 1 = 0$. On lines of their own:

**Roots of a quadratic equation**

$$x_{1,2} = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$

**The normal distribution**

$$f(x) = \\frac{1}{\\sigma\\sqrt{2\\pi}} \\, \\exp\\!\\left(-\\frac{(x - \\mu)^2}{2\\sigma^2}\\right)$$

**Least squares**, which is what a regression line solves:

$$\\hat\\beta = (X^\\top X)^{-1} X^\\top y$$

**A matrix and a sum**

$$
R(\\varphi) = \\begin{pmatrix} \\cos\\varphi & -\\sin\\varphi \\\\ \\sin\\varphi & \\cos\\varphi \\end{pmatrix},
\\qquad \\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}
$$

The letters are drawn in your page, by a library that is loaded only when a message has maths. I know these formulas \
by \
heart; deriving new ones takes a real model.
"""


def markdown_answer(text: str) -> str | None:
    """A page with everything Markdown can do, if that is what was asked for."""
    return _MARKDOWN_SHOW if len(text) < 300 and _ASKS_MARKDOWN.search(text) else None


def maths_answer(text: str) -> str | None:
    """A few well-known formulas, if maths was asked for."""
    return _MATHS_SHOW if len(text) < 300 and _ASKS_MATHS.search(text) else None


_ASKS_MARKDOWN = re.compile(
    r"\bmarkdown\b|\b(?:show|make|draw|give|write)\b.{0,20}\b(?:a table|tables?|headings?|a (?:bullet )?list(?! comp)|"
    r"a quote)\b",
    re.IGNORECASE,
)
_ASKS_MATHS = re.compile(
    r"\bmaths?\b|\blatex\b|\bformulas?\b|\bequations?\b|\beuler'?s identity\b|\bkatex\b", re.IGNORECASE
)
