"""Reasoning put together from the fragments of a stream, so that it can be sent back unchanged."""

from __future__ import annotations

from typing import Any

_JOINED = ("text", "summary")


class ReasoningDetails:
    """OpenRouter's `reasoning_details`: fragments of one (index, type) become one entry."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._pieces: dict[tuple[Any, ...], dict[str, list[str]]] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, fragments: Any) -> str:
        """Take the list of one chunk; gives the readable text in it."""
        if not isinstance(fragments, list):
            return ""
        return "".join(self._add_one(fragment) for fragment in fragments if isinstance(fragment, dict))

    def whole(self) -> tuple[dict[str, Any], ...]:
        """The entries so far, in the order they began."""
        return tuple(
            {**entry, **{name: "".join(pieces) for name, pieces in self._pieces[key].items()}}
            for key, entry in self._entries.items()
        )

    def _add_one(self, fragment: dict[str, Any]) -> str:
        key = _key(fragment)
        entry = self._entries.setdefault(key, {})
        pieces = self._pieces.setdefault(key, {})
        readable = ""
        for name, value in fragment.items():
            if name in _JOINED and isinstance(value, str):
                pieces.setdefault(name, []).append(value)
                entry.setdefault(name, "")
                readable += value
            elif value is not None or name not in entry:
                # A signature, data or id may come late, and null again after that.
                entry[name] = value
        return readable


def _key(fragment: dict[str, Any]) -> tuple[Any, ...]:
    kind = fragment.get("type")
    # Encrypted blocks come whole; two of them may share an index and differ by id.
    block = fragment.get("id") if kind == "reasoning.encrypted" else None
    return (str(fragment.get("index")), str(kind), str(block))


def read_content(content: Any) -> tuple[str, str]:
    """Text and reasoning of a `content` that is a list of parts (Mistral)."""
    text, thinking = [], []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, dict) and part.get("type") == "thinking":
            thinking.append(_thinking(part.get("thinking")))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), "".join(thinking)


def _thinking(value: Any) -> str:
    return value if isinstance(value, str) else read_content(value)[0]


_TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<thoughts>": "</thoughts>",
    "<reasoning>": "</reasoning>",
    "<mm:think>": "</mm:think>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|channel|>analysis<|message|>": "<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|START_THINKING|>": "<|END_THINKING|>",
}
"""What chat templates put around thoughts."""
_ENDS = [close for close in _TAGS.values() if close.startswith(("</", "[/", "◁/"))]
"""Of a template that begins the thought by itself only the end comes."""
_MOST_SPACE = 1_000
"""White space before a tag; an answer that begins with more is text."""
_WORDS_BEFORE = tuple(" \t`\"'(<")
_WORDS_AFTER = tuple(".,;:!?)`\"'<")
"""Beside a tag that a sentence speaks of."""


class ThinkTags:
    """Thoughts that stand in the text, between tags at its very start, as some local servers send them."""

    def __init__(self) -> None:
        self._held = ""
        """What may still become a tag."""
        self._close = ""
        self._is_thinking = False
        self._is_after = False
        self.is_over = False
        """True once there can be no more thoughts: what `split` gave last and what comes next is text."""

    def split(self, text: str) -> tuple[str, str]:
        """The thoughts and the text in what came; the end may be held back until more comes."""
        self._held += text
        if not self._is_thinking and not self._is_after:
            start = self._held.lstrip()
            if len(self._held) - len(start) <= _MOST_SPACE and any(tag.startswith(start) for tag in _TAGS):
                return "", ""
            opened = next((tag for tag in _TAGS if start.startswith(tag)), None)
            if opened is None:
                return "", self.end()[1]
            self._close = _TAGS[opened]
            self._is_thinking, self._held = True, start.removeprefix(opened).lstrip()
        thought = self._thought() if self._is_thinking else ""
        if not self._is_after:
            return thought, ""
        rest, self._held = self._held.lstrip(), ""
        self.is_over = bool(rest)
        return thought, rest

    def end(self) -> tuple[str, str]:
        """Return what was held back, as no more comes."""
        held, self._held, self.is_over = self._held, "", True
        return (held, "") if self._is_thinking else ("", "" if self._is_after else held)

    def _thought(self) -> str:
        thought, close, rest = self._held.partition(self._close)
        if close:
            self._held, self._is_thinking, self._is_after = rest, False, True
            return thought.rstrip()
        kept = next(size for size in range(len(self._close) - 1, -1, -1) if thought.endswith(self._close[:size]))
        self._held = thought[len(thought) - kept :]
        return thought[: len(thought) - kept]


def unopened_thought(text: str) -> tuple[str, str]:
    """The thought that a text begins with and the text after it, where a template let only the end of it come.

    A text that merely speaks of such a tag, in its code or its words, is left as it is.
    """
    for opened, close in _TAGS.items():
        place = text.find(close)
        if place >= 0 and close in _ENDS and opened not in text[:place]:
            before, after = text[:place], text[place + len(close) :]
            if _ends_a_thought(before, after):
                return before.strip(), after.lstrip()
    return "", text


def _ends_a_thought(before: str, after: str) -> bool:
    in_code = before.count("```") % 2 == 1 or before.rpartition("\n")[2].count("`") % 2 == 1
    if in_code or before[-1:] in _WORDS_BEFORE or after[:1] in _WORDS_AFTER:
        return False
    stands_alone = before[-1:] in ("", "\n")
    return stands_alone or after[:1] not in ("", " ", "\t")
