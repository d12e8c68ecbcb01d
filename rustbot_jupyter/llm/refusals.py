"""Reading of refusals: the part of a request that one names, and the request without it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rustbot_jupyter.llm.in_words import without_earlier_calls, without_response_format, without_system
from rustbot_jupyter.llm.lessons import Lesson, digest

OTHER_SPELLINGS = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
    "reasoning_effort": "reasoning",
    "reasoning": "reasoning_effort",
    "seed": "random_seed",
    "random_seed": "seed",
}
LIMITS = ("max_tokens", "max_completion_tokens")
"""They hold a spending cap: asked for in another spelling, never left out."""
THOUGHTS = "messages.reasoning"
SYSTEM = "messages.system"
CALLS = "messages.tool_calls"
RESPONSE_FORMAT = "response_format"
_NEEDED = ("model", "messages", *LIMITS)
_WITH_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")
_REFUSING_STATUSES = (None, 200, 400, 404, 405, 415, 422, 500, 501)
_MAX_CHARS = 20_000
_DEEPEST = 12

_NOT_TAKEN = re.compile(
    r"unsupported|n[o']t (yet |be )?(support|permit|allow|implement|accept|enabl|available|recogni[sz]ed|known)"
    r"|not a valid|\bneither\b"
    r"|(does|do|can|is|are|could)(n't| not) (support|accept|allow|take|use|know|recogni[sz]e)|cannot|unrecogni[sz]ed"
    r"|unknown|unexpected|extra[_ ](inputs?|fields?|forbidden|keys?|param)|additional propert|not implemented|forbidden"
    r"|disabled|no longer|deprecated|requires? .{0,40}--|invalid[_ ](argument|parameter|field|key|property|option)"
    r"|only \S{1,20} (is|are) (allowed|supported)|only the default|may only be|no endpoints found that support"
    r"|no (model|provider|endpoint)s? .{0,40}support|不支持",
    re.IGNORECASE,
)
_TOOL_WORDS = r"(tools?|tool[_ -]?(use|calls?|calling|choice)|function[_ -]?(calls?|calling)|functions)"
_NO_TOOLS = re.compile(
    rf"(support|enabl|allow|accept|implement)\w{{0,10}}[^.]{{0,40}}\b{_TOOL_WORDS}\b"
    rf"|\b{_TOOL_WORDS}\b[^.]{{0,60}}"
    r"(n[o']t [a-z ]{0,12}(support|enabl|available|allow|implement)|unsupported|requires? )",
    re.IGNORECASE,
)
_ORDINARY_WORDS = ("provider", "models", "stop", "user", "stream")
"""Errors hold them without meaning the field; they count in quotes, or where a field is spoken of."""
_SCHEMA = re.compile(r"schema|propert(y|ies)|declaration|parameters", re.IGNORECASE)
_TOOL_PLACE = re.compile(r"\b(?:tools|function_?declarations|functions)\W{1,3}(\d{1,4})\b", re.IGNORECASE)
_TOOL_DECLARED = re.compile(r"function_?declarations\W{1,3}(\d{1,4})\b", re.IGNORECASE)
_NO_SYSTEM = re.compile(
    r"system[`'\" ]+(role|message|prompt|instruction)s?[^.]{0,40}n[o']t (be )?(support|allow|permit|enabl)"
    r"|(support|allow|accept)\w{0,10}[^.]{0,12}[`'\" ]system[`'\" ]|developer instruction is not enabled",
    re.IGNORECASE,
)
_FORM = re.compile(r"response[_ ](format|schema|mime)|structured[_ ](output|response)|output[_ ]format", re.IGNORECASE)
_MAYBE_FORM = re.compile(r"json[_ ](schema|mode|object)|\bgrammar\b", re.IGNORECASE)
"""It may be the schema of a tool that is spoken of."""
_NOT_IN_THIS_FORM = re.compile(r"invalid|must be|has to be|should be|unavailable|fail|error|expected", re.IGNORECASE)
_CALLS_PLACE = re.compile(
    r"\btools?[_ -]?(calls?|config|use|results?|responses?|messages?|role)\b|\btools=|['\"`]tools?['\"`]"
    r"|\brole\W{1,4}tool\b|\broles must alternate|only user and assistant|\.role\b",
    re.IGNORECASE,
)
_NOT_WITHOUT_TOOLS = re.compile(
    r"must (be )?(defin|provid|pass|present|set|alternate|includ)|expect|need|invalid|should be|only user|without",
    re.IGNORECASE,
)
_THOUGHTS_PLACE = re.compile(r"messages\W.{0,80}\breasoning(_content|_details)?\b", re.IGNORECASE | re.DOTALL)
_THOUGHTS_KEYS = ("reasoning", "reasoning_content", "reasoning_details")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A server's words instead of an answer."""

    text: str
    """All its words."""
    places: tuple[str, ...] = ()
    """The fields that it points to: "stream_options", "tools.0.function"."""


def read_refusal(status: int | None, said: Any) -> Refusal | None:
    """The refusal in an error's body (JSON, or a text); None for a status that says that something else is wrong."""
    if status not in _REFUSING_STATUSES:
        return None
    texts: list[str] = []
    places: list[str] = []
    for name, value in _leaves(said, 0):
        (places if name else texts).append(value)
    return Refusal(text=" ".join(texts + places)[:_MAX_CHARS], places=tuple(places))


def lesson_from(refusal: Refusal, body: Mapping[str, Any]) -> Lesson | None:
    """Return what the refusal teaches about this request body; None when it names nothing that can be done without."""
    return (
        _about_messages(refusal, body)
        or _about_the_form(refusal, body)
        or _about_a_tool(refusal, body)
        or _about_a_field(refusal, body)
    )


def without(body: Mapping[str, Any], lesson: Lesson) -> dict[str, Any] | None:
    """The body as the lesson wants it; None when that changes nothing."""
    if lesson.about == THOUGHTS:
        return _without_thoughts(body)
    if lesson.about == SYSTEM:
        return without_system(body)
    if lesson.about == CALLS:
        return None if "tools" in body else without_earlier_calls(body)
    if lesson.about.startswith("tool:"):
        return _without_tool(body, lesson)
    if lesson.about not in body or (lesson.of and lesson.of != digest(body[lesson.about])):
        return None
    if lesson.spelling:
        return _respelled(body, lesson.about, lesson.spelling)
    if lesson.about == RESPONSE_FORMAT:
        return without_response_format(body)
    dropped = _WITH_TOOLS if lesson.about == "tools" else (lesson.about,)
    changed = {name: value for name, value in body.items() if name not in dropped}
    if lesson.about == "stream":
        changed.pop("stream_options", None)
        changed["stream"] = False
    return changed if changed != body else None


# Reading.


def _leaves(value: Any, depth: int, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of an error, with the name of a field that points to a place, else ""."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        inner = _json(value) if not name and value.lstrip()[:1] in ("{", "[") else None
        if inner is not None:
            yield from _leaves(inner, depth + 1)
        else:
            yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            # What was sent comes back in these; its words are not the server's.
            if key not in ("input", "ctx", "url", "failed_generation"):
                yield from _leaves(item, depth + 1, key if key in ("param", "loc") else "")
    elif isinstance(value, list):
        if name == "loc":
            yield name, ".".join(str(part) for part in value if part != "body")
        else:
            for item in value[:50]:
                yield from _leaves(item, depth + 1, name)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _about_messages(refusal: Refusal, body: Mapping[str, Any]) -> Lesson | None:
    if _NOT_TAKEN.search(refusal.text) and _THOUGHTS_PLACE.search(refusal.text):
        lesson = Lesson(about=THOUGHTS)
    elif _NO_SYSTEM.search(refusal.text):
        lesson = Lesson(about=SYSTEM)
    elif "tools" not in body and _CALLS_PLACE.search(refusal.text) and _is_meant(refusal, _NOT_WITHOUT_TOOLS):
        lesson = Lesson(about=CALLS)
    else:
        return None
    return lesson if without(body, lesson) is not None else None


def _is_meant(refusal: Refusal, pattern: re.Pattern[str]) -> bool:
    return (_NOT_TAKEN.search(refusal.text) or pattern.search(refusal.text)) is not None


def _about_the_form(refusal: Refusal, body: Mapping[str, Any]) -> Lesson | None:
    """A form of the answer that the server cannot hold it to, or a schema that it does not take."""
    if RESPONSE_FORMAT not in body or not _is_meant(refusal, _NOT_IN_THIS_FORM):
        return None
    is_named = _FORM.search(refusal.text) or ("tools" not in body and _MAYBE_FORM.search(refusal.text))
    if not is_named or any(place.startswith(_WITH_TOOLS) for place in refusal.places):
        return None
    # Of what the server knows, another schema may be taken.
    is_schema = not _NOT_TAKEN.search(refusal.text)
    return Lesson(about=RESPONSE_FORMAT, of=digest(body[RESPONSE_FORMAT]) if is_schema else "")


def _about_a_tool(refusal: Refusal, body: Mapping[str, Any]) -> Lesson | None:
    """A tool whose definition is refused, by its name or its place."""
    tools = body.get("tools")
    if not tools or not _SCHEMA.search(refusal.text):
        return None
    place = _TOOL_DECLARED.search(refusal.text) or _TOOL_PLACE.search(refusal.text)
    named = [tool for tool in tools if _names_tool(refusal.text, _tool_name(tool))]
    if not named and place is not None and int(place[1]) < len(tools):
        named = [tools[int(place[1])]]
    if named:
        # The longest: `look_up` is not meant where `look_up_all` is named.
        tool = max(named, key=lambda each: len(_tool_name(each)))
        return Lesson(about=f"tool:{_tool_name(tool)}", of=digest(tool))
    if re.search(r"\btools?\b|\bfunctions?\b", refusal.text, re.IGNORECASE) and not _NO_TOOLS.search(refusal.text):
        return Lesson(about="tools", of=digest(tools))
    return None


def _names_tool(text: str, name: str) -> bool:
    exact = re.escape(name)
    return bool(name) and bool(
        re.search(rf"['\"`\[]{exact}['\"`\]]|\b(function|tool|name)s?\W{{1,3}}{exact}(?![\w-])", text)
        or ("_" in name and re.search(rf"(?<![\w-]){exact}(?![\w-])", text))
    )


def _tool_name(tool: Any) -> str:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return str(function.get("name", "")) if isinstance(function, Mapping) else ""


def _about_a_field(refusal: Refusal, body: Mapping[str, Any]) -> Lesson | None:
    if not _NOT_TAKEN.search(refusal.text):
        return None
    found = {name: place for name in body if (place := _place_of(name, refusal)) is not None}
    if not found:
        return None
    name = min(found, key=lambda each: found[each])
    if name in LIMITS:
        return Lesson(about=name, spelling=OTHER_SPELLINGS[name])
    other = OTHER_SPELLINGS.get(name, "")
    if other and other not in body and re.search(rf"(?<!\w){other}(?!\w)", refusal.text):
        return Lesson(about=name, spelling=other)
    # A value may be refused that another would not be; of the rest, no value is taken.
    is_valued = name not in ("stream_options", "session_id", "stream", *_WITH_TOOLS)
    return Lesson(about=name, of=digest(body[name]) if is_valued else "")


def _place_of(name: str, refusal: Refusal) -> int | None:
    """Return where the refusal names a field of the body; what it points to comes first. None when it does not."""
    if name in ("model", "messages"):
        return None
    exact = rf"{re.escape(name)}(?!\w)"
    for index, place in enumerate(refusal.places):
        if re.match(exact, place):
            return index - len(refusal.places)
    if any(re.match(r"\w+", place) for place in refusal.places if not place.startswith("tool")):
        # It points to something else.
        return None
    patterns = [
        rf"['\"`\[]{exact}",
        rf"\b(parameter|argument|field|propert(?:y|ie)|input|name|option|key|supplied|keyword)s?\W{{1,4}}{exact}",
        rf"\b(support|accept|allow|take|permit)(s|ed)?( the)?( use of)?\W{{1,3}}{exact}",
        rf"(?<![\w.]){exact}['\"`]?\s+(is|are|was|param|argument|does|do|must|can|may|not|cannot|field|unsupported)\b",
        rf"[:;]\s*{exact}|(?<![\w.]){exact}\s*:|\binvalid {exact}",
    ]
    if name in _ORDINARY_WORDS:
        del patterns[2:]
    if "_" in name:
        patterns.append(rf"(?<!\w){exact}")
    places = [match.start() for each in patterns if (match := re.search(each, refusal.text, re.IGNORECASE))]
    if name == "tools" and (match := _NO_TOOLS.search(refusal.text)):
        places.append(match.start())
    return min(places, default=None)


# Leaving out.


def _respelled(body: Mapping[str, Any], name: str, spelling: str) -> dict[str, Any] | None:
    value = body[name]
    if name == "reasoning_effort":
        value = {"effort": value}
    elif name == "reasoning":
        value = value.get("effort") if isinstance(value, Mapping) else None
        if value is None:
            return {key: item for key, item in body.items() if key != name}
    if spelling in body:
        return None
    return {(spelling if key == name else key): (value if key == name else item) for key, item in body.items()}


def _without_tool(body: Mapping[str, Any], lesson: Lesson) -> dict[str, Any] | None:
    name = lesson.about.removeprefix("tool:")
    tools = body.get("tools") or ()
    kept = [tool for tool in tools if _tool_name(tool) != name or lesson.of not in ("", digest(tool))]
    if len(kept) == len(tools):
        return None
    if kept:
        return {**body, "tools": kept}
    return {key: value for key, value in body.items() if key not in _WITH_TOOLS}


def _without_thoughts(body: Mapping[str, Any]) -> dict[str, Any] | None:
    entries = body.get("messages") or []
    kept = [{key: value for key, value in entry.items() if key not in _THOUGHTS_KEYS} for entry in entries]
    return {**body, "messages": kept} if kept != entries else None
