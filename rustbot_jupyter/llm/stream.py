"""Chat chunks in, the answer and its stream events out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from rustbot_jupyter.llm.base import Answer, ReasoningDelta, StreamEvent, TextDelta, Waiting
from rustbot_jupyter.llm.call_text import is_json
from rustbot_jupyter.llm.citations import Citations
from rustbot_jupyter.llm.images import Images
from rustbot_jupyter.llm.key_mask import KeyMask
from rustbot_jupyter.llm.reasoning import ReasoningDetails, ThinkTags, read_content, unopened_thought
from rustbot_jupyter.llm.tool_calls import ToolCallAssembler
from rustbot_jupyter.llm.usage_shapes import read_ollama, read_usage
from rustbot_jupyter.messages import ReasoningPart, ToolCallPart
from rustbot_jupyter.usage import Usage

MAX_ANSWER_CHARS = 16 * 1024 * 1024

_DECODER = json.JSONDecoder(strict=False)
"""Takes control characters in texts as they are: some servers do not escape them."""
_BETWEEN_VALUES = re.compile(r"(?:\s|data:)*")
_PLAIN = {"role", "content"}
_USUAL = {"index", "delta", "finish_reason", "logprobs", "native_finish_reason", "stop_reason"}
_REASONING_FIELDS = ("reasoning", "reasoning_content", "thinking")
_LEAST_REPEATED = 8
"""Characters of a whole text from which on the same beginning again is a repetition, not chance."""
_FINISH_REASONS = {"eos": "stop", "function_call": "tool_calls"}
_KNOWN_FINISH_REASONS = {"stop", "length", "tool_calls", "content_filter", "error"}


class AnswerTooLong(Exception):
    """The answer grew beyond the limit."""


class _Text:
    """Text that grows by small pieces, kept in large ones."""

    def __init__(self) -> None:
        self._large: list[str] = []
        self._small: list[str] = []
        self._length = 0

    def append(self, piece: str) -> None:
        self._small.append(piece)
        self._length += len(piece)
        if len(self._small) == 512:
            self._large.append("".join(self._small))
            self._small.clear()

    def __len__(self) -> int:
        return self._length

    def __str__(self) -> str:
        return "".join((*self._large, *self._small))


class AnswerBuilder:
    """Understands one answer; `feed` takes SSE events, `take` gives what is new since the last time.

    Args:
        mask: Takes keys out of all that is given.
    """

    def __init__(self, mask: KeyMask | None = None) -> None:
        self._mask = mask
        self._masked_text = mask.opened() if mask is not None else None
        self._masked_reasoning = mask.opened() if mask is not None else None
        self.error: Any = None
        """The provider's error object, as sent inside the stream; None if there was none."""
        self.has_begun = False
        """True once text, reasoning, a refusal, an image or a tool call came."""
        self.is_done = False
        """True once `[DONE]` was seen; nothing after it counts."""
        self.generation_id: str | None = None
        self._parsed = 0
        self._skipped = 0
        self._has_gap = False
        self._size = 0
        self._text, self._reasoning, self._refusal = _Text(), _Text(), _Text()
        self._new: list[StreamEvent] = []
        self._new_text: list[str] = []
        self._new_reasoning: list[str] = []
        self._details = ReasoningDetails()
        self._tool_calls = ToolCallAssembler()
        self._citations = Citations()
        self._images = Images()
        self._tags: ThinkTags | None = ThinkTags()
        self._reasoning_field = ""
        self._has_delta_text = False
        self._usage = Usage()
        self._model: str | None = None
        self._provider: str | None = None
        self._finish_reason: str | None = None
        self._native_finish_reason: str | None = None
        self._is_whole = False

    @property
    def has_finished(self) -> bool:
        """True if the answer is complete: a finish reason or `[DONE]` was seen, and no error."""
        if self.error is not None or self.nothing_parsed:
            return False
        return self.is_done or self._is_whole or self._finish_reason is not None

    @property
    def has_gap(self) -> bool:
        """True if a piece of an answer that was understood otherwise could not be read."""
        return self._has_gap and self._parsed > 0

    @property
    def is_empty(self) -> bool:
        """True if nothing came that has the form of an answer."""
        return self._parsed == 0 and not self.is_done

    @property
    def nothing_parsed(self) -> bool:
        """True if all that came was unreadable."""
        return self._skipped > 0 and self._parsed == 0

    def feed(self, events: list[tuple[str, str]]) -> None:
        """Take the events of one network read."""
        if len(events) > 1 and not self.is_done and (chunks := _parse_together(events)) is not None:
            for chunk in chunks:
                self.add_chunk(chunk)
            return
        for name, data in events:
            self._feed_one(name, data)

    def add_chunk(self, chunk: Any) -> None:
        """Take one parsed chunk of a stream."""
        if type(chunk) is not dict:
            self._add_other(chunk)
            return
        self._parsed += 1
        if self._model is None or self.generation_id is None:
            self._identify(chunk)
        if "error" in chunk or chunk.get("object") == "error":
            self._add_error(chunk)
        choices = chunk.get("choices")
        if choices and type(choices) is list:
            self._add_choice(choices)
        elif "message" in chunk:
            self._add_ollama(chunk)
        if "usage" in chunk or "x_groq" in chunk:
            self._add_usage(chunk)
        if "citations" in chunk or "search_results" in chunk:
            self._citations.add_search(chunk)

    def add_whole(self, body: Any) -> None:
        """Take a non-streaming answer."""
        is_answer = isinstance(body, dict) and (
            body.keys() & {"choices", "error", "message"} or body.get("object") == "error"
        )
        if not is_answer:
            self._skipped += 1
            return
        self.add_chunk(body)
        self._is_whole = True

    def add_values(self, text: str) -> None:
        """Take JSON values one behind the other: the chunks of a stream without its frames."""
        self._feed_one("", text)

    def add_waiting(self) -> None:
        """Note a life sign without content."""
        if not self._new or not isinstance(self._new[-1], Waiting):
            self._flush()
            self._new.append(Waiting())

    def take(self, *, final: bool = True) -> list[StreamEvent]:
        """Return the news; adjacent pieces of text are one. Unless it is final, half a character waits for the rest.

        Raises:
            AnswerTooLong: The answer is longer than the limit.
        """
        if final:
            self._end_thoughts()
        self._flush(keep_open=not final)
        if final:
            self._end_masks()
        if self._size > MAX_ANSWER_CHARS:
            raise AnswerTooLong
        new, self._new = self._new, []
        return new

    def answer(self) -> Answer:
        """The answer so far."""
        self._flush()
        text = str(self._text) + (self._masked_text.held if self._masked_text is not None else "")
        reasoning = self._reasoning_part()
        if reasoning is None:
            thought, text = unopened_thought(text)
            reasoning = ReasoningPart(text=thought, field="") if thought else None
        answer = Answer(
            text=text,
            reasoning=reasoning,
            tool_calls=self._calls(),
            refusal=str(self._refusal),
            images=self._images.parts(),
            citations=self._citations.parts(),
            annotations=self._citations.annotations,
            usage=self._usage,
            finish_reason=self._finish_reason,
            native_finish_reason=self._native_finish_reason,
            model=self._model,
            provider=self._provider,
            generation_id=self.generation_id,
            is_complete=self.has_finished and not self.has_gap,
            skipped_events=self._skipped,
        )
        return answer if self._mask is None else _masked(answer, self._mask)

    def _calls(self) -> tuple[ToolCallPart, ...]:
        calls = self._tool_calls.parts()
        if self._finish_reason != "length":
            return calls
        return tuple(call if is_json(call.arguments) else replace(call, is_cut=True) for call in calls)

    def _reasoning_part(self) -> ReasoningPart | None:
        held = self._masked_reasoning.held if self._masked_reasoning is not None else ""
        text, details = str(self._reasoning) + held, self._details.whole()
        return ReasoningPart(text=text, details=details, field=self._reasoning_field) if text or details else None

    def _feed_one(self, name: str, data: str) -> None:
        """Take what one event holds: a chunk, as a rule; several in a row where the blank lines are missing."""
        place = _skip(data, 0)
        while place < len(data) and not self.is_done:
            if data.startswith("[DONE]", place):
                self.is_done = True
                return
            try:
                chunk, place = _DECODER.raw_decode(data, place)
            except (ValueError, RecursionError):
                self._skipped += 1
                # A word such as "ping" is a life sign; what looks like a chunk was one.
                self._has_gap = self._has_gap or data[place] in "{[" or "choices" in data[place:]
                return
            self.add_chunk(chunk)
            if name == "error" and self.error is None:
                self.error = chunk
            place = _skip(data, place)

    def _add_other(self, value: Any) -> None:
        """A value that is no chunk: a list of them, or nothing that tells anything."""
        if type(value) is list and value and all(type(item) is dict for item in value):
            for chunk in value:
                self.add_chunk(chunk)
        else:
            self._skipped += 1

    def _identify(self, chunk: dict[str, Any]) -> None:
        self._model = self._model or _name(chunk.get("model"))
        self._provider = self._provider or _name(chunk.get("provider"))
        self.generation_id = self.generation_id or _name(chunk.get("id"))

    def _add_choice(self, choices: list[Any]) -> None:
        choice = choices[0]
        if type(choice) is not dict or choice.get("index"):
            choice = next((c for c in choices if isinstance(c, dict) and not c.get("index")), None)
            if choice is None:
                return
        delta, content = choice.get("delta"), None
        if delta and type(delta) is dict:
            content = delta.get("content")
            if content:
                self._add_content(content)
            if not delta.keys() <= _PLAIN:
                self._add_rest(delta)
        if content:
            self._has_delta_text = True
        elif not choice.keys() <= _USUAL:
            self._add_elsewhere(choice)
        if "error" in choice:
            self._add_error(choice)
        if choice.get("finish_reason") or choice.get("native_finish_reason"):
            self._finish(choice)
        if "usage" in choice:
            self._add_usage(choice)

    def _add_elsewhere(self, choice: dict[str, Any]) -> None:
        """An answer, or a piece of one, that does not stand in a `delta`."""
        message, text = choice.get("message"), choice.get("text")
        if type(message) is dict:
            if self._has_delta_text:
                # The whole once more, behind its pieces.
                message = {name: value for name, value in message.items() if name in ("annotations", "images")}
            elif type(content := message.get("content")) is str:
                self._add_content(self._new_part(content))
            elif content:
                self._add_content(content)
            self._add_rest(message)
        elif type(text) is str and text and not self._has_delta_text:
            self._add_content(text)

    def _new_part(self, content: str) -> str:
        """A message's text without what an earlier one, whole up to there, has said."""
        self._flush()
        said = len(self._text)
        # Put together only where it can be a repetition: pieces may be many.
        is_repeated = _LEAST_REPEATED <= said <= len(content) and content.startswith(str(self._text))
        return content[said:] if is_repeated else content

    def _add_ollama(self, chunk: dict[str, Any]) -> None:
        """A piece in the shape of Ollama's own protocol."""
        message = chunk["message"]
        if type(message) is dict:
            self._add_choice(
                [{"delta": message, "finish_reason": chunk.get("done_reason") if chunk.get("done") else None}]
            )
        if (usage := read_ollama(chunk)) is not None:
            self._usage = self._usage.updated(usage)
        self._is_whole = self._is_whole or chunk.get("done") is True

    def _add_content(self, content: Any) -> None:
        if type(content) is str:
            if self._tags is not None and not (content := self._without_thoughts(self._tags, content)):
                return
            if self._new_reasoning:
                self._flush()
            self._new_text.append(content)
            self.has_begun = True
            return
        text, thinking = read_content(content)
        self._add_reasoning(thinking)
        if text:
            self._add_content(text)

    def _without_thoughts(self, tags: ThinkTags, content: str) -> str:
        """The text in what came at the start of an answer, which may be thoughts between tags."""
        thought, text = tags.split(content)
        self._add_reasoning(thought)
        if tags.is_over:
            self._tags = None
        return text

    def _end_thoughts(self) -> None:
        """Let go what could have become a tag."""
        if self._tags is not None:
            thought, text = self._tags.end()
            self._tags = None
            self._add_reasoning(thought)
            if text:
                self._add_content(text)

    def _add_rest(self, delta: dict[str, Any]) -> None:
        """Everything of a delta but its content."""
        readable = ""
        if details := delta.get("reasoning_details"):
            self.has_begun = True
            readable = self._details.add(details)
        # The same thoughts come under several names: show one.
        field = next((name for name in _REASONING_FIELDS if delta.get(name)), "")
        plain = delta.get(field)
        if isinstance(plain, str):
            self._reasoning_field = self._reasoning_field or field
        self._add_reasoning(plain if isinstance(plain, str) else readable)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self.has_begun = True
            self._size += len(refusal)
            self._refusal.append(refusal)
        if fragments := delta.get("tool_calls"):
            self._add_tool_calls(fragments)
        elif older := delta.get("function_call"):
            self._add_tool_calls([{"index": 0, "function": older}])
        if annotations := delta.get("annotations"):
            self._citations.add_annotations(annotations)
        if images := delta.get("images"):
            self._size += self._images.add(images)
            self.has_begun = self.has_begun or bool(self._images)

    def _add_reasoning(self, text: str) -> None:
        if not text:
            return
        if self._new_text:
            self._flush()
        self._new_reasoning.append(text)
        self.has_begun = True

    def _add_tool_calls(self, fragments: Any) -> None:
        self._flush()
        started = self._tool_calls.add(fragments)
        mask = self._mask
        self._new += started if mask is None else [replace(call, name=mask.mask(call.name)) for call in started]
        self._size += len(str(fragments))
        self.has_begun = self.has_begun or bool(self._tool_calls)

    def _add_usage(self, chunk: dict[str, Any]) -> None:
        groq = chunk.get("x_groq")
        usage = read_usage(chunk.get("usage")) or read_usage(groq.get("usage") if isinstance(groq, dict) else None)
        if usage is not None:
            # Some send it several times, cumulative: the last one wins, but for what only an earlier one told.
            self._usage = self._usage.updated(usage)

    def _add_error(self, holder: dict[str, Any]) -> None:
        error = holder.get("error") or (holder if holder.get("object") == "error" else None)
        if error and self.error is None:
            self.error = error

    def _finish(self, choice: dict[str, Any]) -> None:
        reason, native = _name(choice.get("finish_reason")), _name(choice.get("native_finish_reason"))
        self._native_finish_reason = self._native_finish_reason or native
        if reason is None or self._finish_reason is not None:
            return
        known = _FINISH_REASONS.get(reason, reason)
        self._finish_reason = known if known in _KNOWN_FINISH_REASONS else "stop"
        if self._native_finish_reason is None and self._finish_reason != reason:
            self._native_finish_reason = reason
        hidden_failure = not self.has_begun and self._native_finish_reason in ("error", "network_error")
        if (reason == "error" or hidden_failure) and self.error is None:
            self.error = {"message": "The provider reported an error without saying which."}

    def _flush(self, keep_open: bool = False) -> None:
        """Make events of the pieces that came; `keep_open`: half a surrogate pair at the end may wait for the rest."""
        if self._new_reasoning and (text := _joined(self._new_reasoning, keep_open)):
            self._tell_reasoning(text if self._masked_reasoning is None else self._masked_reasoning.feed(text))
        if self._new_text and (text := _joined(self._new_text, keep_open)):
            self._tell_text(text if self._masked_text is None else self._masked_text.feed(text))

    def _end_masks(self) -> None:
        """Give what was held back because it could have become a key."""
        if self._masked_reasoning is not None and self._masked_text is not None:
            self._tell_reasoning(self._masked_reasoning.end())
            self._tell_text(self._masked_text.end())

    def _tell_reasoning(self, text: str) -> None:
        if text:
            self._size += len(text)
            self._reasoning.append(text)
            self._new.append(ReasoningDelta(text))

    def _tell_text(self, text: str) -> None:
        if text:
            self._size += len(text)
            self._text.append(text)
            self._new.append(TextDelta(text))


def _masked(answer: Answer, mask: KeyMask) -> Answer:
    """The answer without keys in what does not come as text and reasoning."""
    reasoning = answer.reasoning
    return replace(
        answer,
        reasoning=reasoning and replace(reasoning, details=mask.mask_data(reasoning.details)),
        tool_calls=tuple(
            replace(
                call,
                call_id=mask.mask(call.call_id),
                name=mask.mask(call.name),
                arguments=mask.mask(call.arguments),
            )
            for call in answer.tool_calls
        ),
        refusal=mask.mask(answer.refusal),
        images=tuple(replace(image, url=mask.mask(image.url)) for image in answer.images),
        citations=tuple(
            replace(page, url=mask.mask(page.url), title=mask.mask(page.title)) for page in answer.citations
        ),
        annotations=mask.mask_data(answer.annotations),
        **{
            name: mask.mask_data(getattr(answer, name))
            for name in ("finish_reason", "native_finish_reason", "model", "provider", "generation_id")
        },
    )


def _joined(pieces: list[str], keep_open: bool) -> str:
    """The pieces as one text; the list is empty afterwards, but for half a surrogate pair that may stay open."""
    text = pieces[0] if len(pieces) == 1 else "".join(pieces)
    pieces.clear()
    if not text.isascii():
        text = _pair_surrogates(text)
        if keep_open and "\ud800" <= text[-1] <= "\udbff":
            pieces.append(text[-1])
            text = text[:-1]
    return text


def _parse_together(events: list[tuple[str, str]]) -> list[Any] | None:
    """All events' JSON parsed in one go, which is quicker; None if any of them needs a look of its own."""
    texts = []
    for name, data in events:
        if name or not data.startswith("{") or not data.endswith("}"):
            return None
        texts.append(data)
    try:
        chunks = _DECODER.decode("[" + ",".join(texts) + "]")
    except (ValueError, RecursionError):
        return None
    return chunks if len(chunks) == len(texts) else None


def _skip(data: str, place: int) -> int:
    """Return the start of the next value; some gateways put a stream into a stream, with marks of events between."""
    found = _BETWEEN_VALUES.match(data, place)
    return found.end() if found else place


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _pair_surrogates(text: str) -> str:
    """Halves of a surrogate pair that came in separate chunks, joined; lone ones stay."""
    if not re.search("[\ud800-\udbff][\udc00-\udfff]", text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
