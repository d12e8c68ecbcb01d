"""A question's messages, tokens and possible cost; nothing is sent."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rustbot_jupyter.engine.context import build_messages
from rustbot_jupyter.engine.plan import TurnPlan, TurnRequest
from rustbot_jupyter.llm.token_estimate import estimate_tokens
from rustbot_jupyter.messages import (
    AttachedPart,
    ImagePart,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from rustbot_jupyter.notebook.answer_display import money
from rustbot_jupyter.notebook.interpolation import Interpolated
from rustbot_jupyter.usage import Usage

MARK = "▔"
"""Below what was put in, in plain text."""
TYPICAL_ANSWER_TOKENS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class DryRun:
    """A request that was not sent; shows itself in a notebook and as text."""

    model: str
    host: str
    messages: tuple[Message, ...]
    fields: dict[str, object]
    """Further request fields."""
    input_tokens: int
    """An estimate: characters / 4."""
    cost: str
    filled: tuple[Interpolated, ...] = ()
    """The parts of the question into which something was put."""

    def __str__(self) -> str:
        said = "\n\n".join(f"[{message.role}]\n{self._underlined(message)}" for message in self.messages)
        return f"{self._summary()}\n\n{said}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        said = "".join(
            f"<p><b>{html.escape(message.role)}</b></p><pre>{self._highlighted(message)}</pre>"
            for message in self.messages
        )
        # What stands between two dollar signs would be drawn as a formula.
        return f"<p>{html.escape(self._summary().replace('$', 'USD '))}</p>{said}"

    def _summary(self) -> str:
        fields = f" Further fields: {json.dumps(self.fields, ensure_ascii=False)}." if self.fields else ""
        names = ", ".join(repr(name) for part in self.filled for name in part.names)
        kept = ", ".join(f"{{{name}}}" for part in self.filled for name in part.kept)
        return (
            f"Nothing was sent. {self.model} at {self.host} would get {len(self.messages)} messages, "
            f"about {self.input_tokens:,} tokens; cost: {self.cost}.{fields}"
            + (f" Put in, and marked below: {names}." if names else "")
            + (f" Sent as typed, as LaTeX, a template or code: {kept}." if kept else "")
        )

    def _highlighted(self, message: Message) -> str:
        text, place, shown = _text(message), 0, ""
        for start, end in self._places(message):
            shown += f"{html.escape(text[place:start])}<mark>{html.escape(text[start:end])}</mark>"
            place = end
        return shown + html.escape(text[place:])

    def _underlined(self, message: Message) -> str:
        """The message with a line of marks below each line into which something was put."""
        text = _text(message)
        is_put_in = bytearray(len(text))
        for start, end in self._places(message):
            is_put_in[start:end] = b"\1" * (end - start)
        lines, begin = [], 0
        for line in text.split("\n"):
            marks = "".join(MARK if each else " " for each in is_put_in[begin : begin + len(line)]).rstrip()
            lines += [line, marks] if marks else [line]
            begin += len(line) + 1
        return "\n".join(lines)

    def _places(self, message: Message) -> Iterator[tuple[int, int]]:
        """Return where something was put into the message; only the question, the last one, has such places."""
        text, begin = _text(message), 0
        for part in self.filled if message is self.messages[-1] else ():
            found = text.find(part.text, begin)
            if found >= 0:
                begin = found + len(part.text)
                yield from ((found + start, found + end) for start, end in part.places)


def dry_run(
    request: TurnRequest, plan: TurnPlan, history: tuple[Message, ...], filled: Iterable[Interpolated] = ()
) -> DryRun:
    """The request as it would be sent with this history; `filled` are the parts that hold what was put in."""
    said = (*history, request.message) if request.use_history else (request.message,)
    messages = build_messages(plan.system_prompt, said, plan.context_budget_tokens)
    tokens = estimate_tokens(messages) + (plan.tools.definition_tokens if plan.tools is not None else 0)
    fields = {name: value for name, value in plan.request_fields.items() if value not in (None, {}, (), [])}
    if request.response_format is not None:
        fields["response_format"] = dict(request.response_format)
    if plan.tools is not None:
        fields["tools"] = sorted(plan.tools.names)
    return DryRun(
        model=plan.model,
        host=plan.chat_model.host,
        messages=messages,
        fields={**fields, **request.extra},
        input_tokens=tokens,
        cost=_cost(plan, tokens),
        filled=tuple(filled),
    )


def _cost(plan: TurnPlan, input_tokens: int) -> str:
    prices = plan.prices(plan.model)
    if prices is None:
        return "unknown, as the model's prices are"
    if prices.is_free:
        return "none, it runs on this machine" if plan.chat_model.is_local else "none, the model is free"
    longest = plan.request_fields.get("max_tokens")
    output_tokens = longest or TYPICAL_ANSWER_TOKENS
    lowest, highest = (
        prices.cost(Usage(input_tokens=input_tokens, output_tokens=count)) or 0.0 for count in (0, output_tokens)
    )
    reach = "the longest answer allowed" if longest else f"an answer of {output_tokens:,} tokens"
    return f"{money(lowest)} for the question alone, {money(highest)} with {reach} (estimates)"


def _text(message: Message) -> str:
    return "\n".join(_shown(part) for part in message.parts)


def _shown(part: Part) -> str:
    match part:
        case TextPart(text=text) | AttachedPart(text=text):
            return text
        case ToolCallPart(name=name, arguments=arguments):
            return f"[calls {name}({arguments})]"
        case ToolResultPart(name=name, content=content):
            return f"[result of {name}]\n{content}"
        case ImagePart():
            return "[image]"
        case _:
            return f"[{type(part).__name__}]"
