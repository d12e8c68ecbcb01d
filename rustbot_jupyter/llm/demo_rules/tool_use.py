"""The offline demo at work with tools: it calls what a question asks for, reads the results, and tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rustbot_jupyter.llm.base import ChatRequest
from rustbot_jupyter.llm.demo_rules.tool_arguments import Schema, in_order, offered_tools
from rustbot_jupyter.llm.demo_rules.tool_results import Finding, frames_in, summary_of
from rustbot_jupyter.llm.demo_rules.tool_wish import MOST_CALLS, ToolWish
from rustbot_jupyter.llm.demo_rules.tool_wishes import wish_in
from rustbot_jupyter.messages import Message, MessageRole, ToolCallPart, ToolResultPart, new_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The demo's words, and its wish for what follows."""

    text: str
    calls: tuple[ToolCallPart, ...] = ()


def after_results(request: ChatRequest, question: str) -> Said | None:
    """Return what follows newest results: a due second step, else a summary; None if something else is newest."""
    rounds = _rounds(request.messages)
    if not rounds or request.messages[-1].role is MessageRole.USER:
        return None
    findings = rounds[-1]
    if len(rounds) == 1 and not any(finding.result.is_error for finding in findings):
        offered = _offered(request)
        wish = wish_in(question, offered)
        if wish is not None and wish.then:
            return _second_step(wish, findings, offered)
    return Said(text=summary_of(findings))


def first_step(request: ChatRequest, question: str) -> Said | None:
    """The calls that a question asks for, or what there is instead; None if it asks for none."""
    offered = _offered(request)
    wish = wish_in(question, offered)
    if wish is None:
        return None
    missing = [name for name in (wish.tool, wish.then) if name and name not in offered]
    if missing:
        return Said(text=_not_offered(missing[0], offered)) if wish.is_certain else None
    return Said(text=wish.said, calls=_calls(wish.tool, wish.calls(offered[wish.tool])))


def _offered(request: ChatRequest) -> dict[str, Schema]:
    return {} if request.tool_choice == "none" else offered_tools(request.tools)


def _calls(tool: str, arguments: Sequence[Mapping[str, object]]) -> tuple[ToolCallPart, ...]:
    return tuple(
        ToolCallPart(call_id=new_id("call"), name=tool, arguments=json.dumps(each, ensure_ascii=False))
        for each in arguments
    )


def _not_offered(tool: str, offered: Mapping[str, Schema]) -> str:
    if not offered:
        return (
            f"I would use the tool `{tool}` for this, but tools are off for this question, so I cannot look and do not "
            "guess. They are switched on in the **Settings** tab, and by `--tools all` behind `%%rustbot`."
        )
    way_back = (
        "`bot.mcp.list()` shows which servers run."
        if "__" in tool
        else f"`bot.tools.list()` shows which there are; one that is switched off comes back with "
        f'`bot.tools.enable("{tool}")` or in the **Settings** tab.'
    )
    return (
        f"I would use the tool `{tool}` for this, but it is not among the tools I was offered, so I cannot look and do "
        f"not guess. {way_back}"
    )


# The second step.


def _second_step(wish: ToolWish, findings: Sequence[Finding], offered: Mapping[str, Schema]) -> Said:
    frames = [name for finding in findings for name in frames_in(finding.result.content)]
    if wish.then not in offered:
        return Said(text=f"{summary_of(findings)}\n\n{_not_offered(wish.then, offered)}")
    if wish.plot is not None:
        return _draw(wish, frames, offered[wish.then])
    if not frames:
        return Said(text="There is no data frame among your variables. Make one, and ask me again.")
    arguments = [in_order([name], offered[wish.then]) for name in frames[:MOST_CALLS]]
    return Said(text=_announced(len(frames)), calls=_calls(wish.then, arguments))


def _announced(frames: int) -> str:
    if frames == 1:
        return "There is one data frame; I'll describe it."
    which = "them" if frames <= MOST_CALLS else f"the first {MOST_CALLS} of them"
    return f"There are {frames} data frames; I'll describe {which}."


def _draw(wish: ToolWish, frames: Sequence[str], schema: Schema) -> Said:
    if wish.plot is None or len(frames) != 1:
        names = ", ".join(f"`{name}`" for name in frames) or "none"
        return Said(text=f"From which data frame? I found {names}. Say it like this: *plot price by city from df*.")
    arguments = in_order([wish.plot.code(frames[0])], schema)
    return Said(text=f"I'll draw it from `{frames[0]}`.", calls=_calls(wish.then, [arguments]))


# What has happened since the question.


def _rounds(messages: Sequence[Message]) -> list[list[Finding]]:
    """The findings of each round of calls since the newest question, in order."""
    start = max((index for index, message in enumerate(messages) if message.role is MessageRole.USER), default=-1)
    turn = messages[start + 1 :]
    results = {part.call_id: part for message in turn for part in message.parts if isinstance(part, ToolResultPart)}
    rounds = [
        [Finding(call=call, result=results[call.call_id]) for call in message.tool_calls if call.call_id in results]
        for message in turn
        if message.role is MessageRole.ASSISTANT
    ]
    return [findings for findings in rounds if findings]
