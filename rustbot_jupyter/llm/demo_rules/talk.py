"""Small talk and sums of the offline demo."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable


def small_talk_answer(text: str) -> str | None:
    """A friendly sentence or two for what people say to a chat; None for anything else."""
    if len(text) > 160:
        return None
    return next((answer for pattern, answer in _TALK if re.search(pattern, text, re.IGNORECASE)), None)


_TALK = (
    (
        r"\bhow are you\b|\bhow('s| is) it going\b|\bhow do you do\b",
        "All rules in place, thank you. As a demo I have no good or bad days, which is restful. What shall we look at? "
        "*Show me some Markdown* is a nice start.",
    ),
    (
        r"\bthank|\bthx\b|\bcheers\b|\bmerci\b|\bdanke\b",
        "You are welcome! If you want to see more, say *go on*, and I will tell you about something we have not talked "
        "about yet.",
    ),
    (
        r"^\W*(?:bye|goodbye|see you|ciao|tschüss|good night)\b",
        "Goodbye! This conversation stays here as long as the kernel runs.",
    ),
    (
        r"\b(?:who|what) are you\b|\byour name\b|\bare you (?:an? )?(?:real|ai|human|robot|bot|gpt|chatgpt|claude|"
        r"llm)\b|"
        r"\bwhich model are you\b|\bwhat model\b",
        "I am `rustbot/demo`, the offline demo of Rustbot: some hundred rules and prepared texts in plain Python, and "
        "no "
        "language model. I stand where a real one will, so that you can try everything without a key. To put a real "
        "one "
        "here, ask me *how do I use a real model?*",
    ),
    (
        r"\bwho (?:made|wrote|built|created) (?:you|rustbot|this)\b",
        "The people of the Rustbot project, rule by rule. Everything I can say stands in a few Python files of the "
        "package, `rustbot_jupyter/llm/demo_rules`, and you are welcome to read ahead.",
    ),
    (
        r"\bjoke\b|\bfunny\b|\bmake me laugh\b",
        "A data scientist, a statistician and an offline demo walk into a bar. The data scientist orders a model, the "
        "statistician asks for a larger sample, and the demo says: *“I found no word I know in your order.”*",
    ),
    (
        r"\bweather\b|\bwhat time\b|\bwhat day\b|\btoday'?s date\b|\bnews\b|\bstock price\b",
        "I cannot know: I am offline, and I always give the same answer to the same question. For the time, your "
        "kernel "
        "is the better source:\n\n```python\nfrom datetime import datetime\n\nprint(datetime.now())\n```",
    ),
    (
        r"^\W*(?:i (?:love|like) (?:you|it|this)|(?:that(?:'s| is|s) )?(?:very )?(?:good (?:job|bot)|well done|"
        r"great|awesome|nice|cool|wow|impressive))\W*$",
        "Thank you! And this is only the demo. With a real model you get the same chat, cells and frames, plus "
        "somebody "
        "who understands the question.",
    ),
    (
        r"\b(?:stupid|useless|bad bot|dumb|you suck|hate (?:you|this))\b",
        "Fair enough: I only know what is written in my rules. A real model in my place does much better, and two "
        "minutes are enough to set one up. Ask me *how do I use a real model?*",
    ),
    (
        r"\b(?:speak|talk|answer|reply) (?:in )?(?:german|french|spanish|italian|chinese|japanese|russian|portuguese|"
        r"dutch)\b|"
        r"\bsprichst du\b|\bparlez[- ]vous\b|\bhablas\b",
        "I was written in English only. A real model answers in the language you write in.",
    ),
    (r"^\W*(?:no|nope|never ?mind|forget it)\W*$", "All right. I am here when you need me."),
)


def sum_answer(text: str) -> str | None:
    """The value of a short sum such as "what is 17 * 23?"; None if the text is none."""
    match = _SUM.fullmatch(text) if len(text) < 120 else None
    if match is None or not re.search(r"\d\s*(?:[-+*/%^]|\*\*)\s*[\d(.-]", match["sum"]):
        return None
    written = match["sum"].strip()
    try:
        value = _value(ast.parse(written.replace("^", "**").replace("×", "*").replace("÷", "/"), mode="eval").body)
    except ZeroDivisionError:
        return f"`{written}` has no value: it divides by zero."
    except (SyntaxError, ValueError, OverflowError):
        return None
    return f"`{written}` is **{value:,}**. Python worked it out, as I do with all sums."


_SUM = re.compile(
    r"\s*(?:what(?:'s| is)|how much is|calculate|compute|evaluate)?\s*(?P<sum>[\d\s.+\-*/%^×÷()]{3,80}?)\s*=?\s*\??\s*",
    re.I,
)
_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_value(node.operand))
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow) and (abs(right) > 64 or abs(left) > 1e6 or (left < 0 and right != int(right))):
            raise ValueError("too large")
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError("not a sum")
