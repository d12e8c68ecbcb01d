"""One request, made fit for its server: by its dialect, by what it refused before, and by what it refuses now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rustbot_jupyter.errors import ModelError
from rustbot_jupyter.llm import sentences, wire
from rustbot_jupyter.llm.base import ChatRequest
from rustbot_jupyter.llm.lessons import Lesson, Lessons
from rustbot_jupyter.llm.refusals import CALLS, RESPONSE_FORMAT, SYSTEM, THOUGHTS, Refusal, lesson_from, without
from rustbot_jupyter.llm.spellings import dialect_of
from rustbot_jupyter.llm.target import Target

_MOST_LESSONS = 10
"""The most that one request may teach; each costs another try."""
_OWN_WISHES = ("temperature", "top_p", "top_k", "seed", "random_seed", "stop", "reasoning", "reasoning_effort")
"""Fields that are sent only because a setting says so: leaving them out is told in each session."""


class Adaptation:
    """The body of one request, and what had to change in it."""

    def __init__(self, request: ChatRequest, target: Target, lessons: Lessons) -> None:
        self._target = target
        self._lessons = lessons
        self._insists_on = request.insists_on | request.extra.keys()
        self._new: list[Lesson] = []
        self._said: dict[str, str] = {}
        """The server's words by the field they are about."""
        self._refused_wish = ""
        self._untold: list[str] = []
        self._body: Mapping[str, Any] = wire.body_of(request, dialect_of(target.host, is_local=target.is_local))
        for lesson in lessons.of(request.model):
            self._apply_known(lesson)

    def encoded(self) -> bytes:
        """The body as it is sent now.

        Raises:
            RequestError: A field cannot be written as JSON.
        """
        return wire.encoded(self._body)

    def learn(self, refusal: Refusal) -> bool:
        """True if the body is another one now, without what was refused."""
        lesson = lesson_from(refusal, self._body)
        if lesson is None or len(self._new) >= _MOST_LESSONS or self._was_tried(lesson):
            return False
        if self._insists(lesson):
            self._refused_wish = lesson.about
            return False
        changed = without(self._body, lesson)
        if changed is None:
            return False
        self._body = changed
        self._new.append(lesson)
        self._said[lesson.about] = self._target.redact(" ".join(refusal.text.split()))
        return True

    def keep(self) -> tuple[str, ...]:
        """Remember what was learnt, now that the server takes the request; a sentence for each, once."""
        told = (*self._untold, *(self._sentence(lesson) for lesson in self._new))
        if self._new:
            self._lessons.add(self._target.model, tuple(self._new))
        self._untold, self._new = [], []
        return told

    def explained(self, error: ModelError) -> ModelError:
        """The error, with the way out where the user insists on what was refused."""
        if self._refused_wish == "tools" or self._refused_wish.startswith("tool:"):
            what = "tools" if self._refused_wish == "tools" else f"the tool {self._refused_wish[5:]!r}"
            says = sentences.says(error.detail)
            error.args = (
                f"{sentences.who(self._target)} does not take {what}{says}. Ask without tools (`--tools none`, "
                "`tools=()`), or pick another model.",
            )
        elif self._refused_wish in self._insists_on:
            error.args = (f"{error} Leave out {self._refused_wish!r}, which you asked for.",)
        return error

    def _apply_known(self, lesson: Lesson) -> None:
        changed = None if self._insists(lesson) else without(self._body, lesson)
        if changed is None:
            return
        self._body = changed
        if lesson.about in _OWN_WISHES and not lesson.spelling and self._lessons.is_untold(self._target.model, lesson):
            self._untold.append(self._sentence(lesson))

    def _insists(self, lesson: Lesson) -> bool:
        # In another spelling the wish still holds.
        return (
            not lesson.spelling and ("tools" if lesson.about.startswith("tool:") else lesson.about) in self._insists_on
        )

    def _was_tried(self, lesson: Lesson) -> bool:
        """True if the same was tried in this request, or a spelling would lead back to one that was refused."""
        return any(lesson == each or (lesson.spelling and lesson.spelling == each.about) for each in self._new)

    def _sentence(self, lesson: Lesson) -> str:
        who, name = sentences.who(self._target), lesson.about
        says = sentences.says(_short(self._said.get(name, "")))
        if lesson.spelling:
            return f"{who} does not take {name!r} by that name; it was sent as {lesson.spelling!r}."
        if name == "tools":
            return f"{who} does not take the tools that were offered{says}. The request was sent without them."
        if name.startswith("tool:"):
            return f"{who} does not take the tool {name[5:]!r}{says}. The request was sent without it."
        if name == "stream_options":
            return (
                f"{who} does not take 'stream_options'; tokens and costs stay unknown unless it reports them by itself."
            )
        if name == THOUGHTS:
            return f"{who} does not take earlier reasoning back. The request was sent without it."
        if name == CALLS:
            return f"{who} takes earlier tool calls only where tools are offered. They were sent as texts."
        if name == RESPONSE_FORMAT:
            return f"{who} does not take {name!r}{says}. The form of the answer was asked for in words instead."
        if name == SYSTEM:
            return f"{who} takes no system prompt. It was put in front of the first question instead."
        return f"{who} does not take {name!r}{says}. The request was sent without it."


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"
