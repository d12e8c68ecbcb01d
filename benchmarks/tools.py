"""Goal 17 and what tools cost: the context of a large frame, a call's overhead, an approval's decision."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.report import Line, claim_line, limit_line, median, show
from rustbot_jupyter.engine.context import build_messages
from rustbot_jupyter.engine.queue import EventQueue
from rustbot_jupyter.events import AssistantEvent
from rustbot_jupyter.llm.base import ChatRequest
from rustbot_jupyter.llm.token_estimate import tokens_in
from rustbot_jupyter.llm.wire import encode
from rustbot_jupyter.messages import Message, MessageRole, TextPart, ToolCallPart, ToolResultPart, user_message
from rustbot_jupyter.tools.approval import Approvals
from rustbot_jupyter.tools.base import BUILT_IN, Patterns, Risk, Tool
from rustbot_jupyter.tools.consent import ApproveMode, Consent
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.registry import ToolRegistry
from rustbot_jupyter.tools.rules import Rules
from rustbot_jupyter.tools.runner import CallScope, ToolRunner
from rustbot_jupyter.tools.runs import ToolRun, ToolRuns
from rustbot_jupyter.tools.variables import describe

CALLS = 1_000
RULES = 100
ROWS = 1_000_000


def tools(quick: bool) -> Iterator[Line]:
    """Goal 17: what a question about a frame sends, and what tools cost."""
    yield from _large_frame(rounds=3 if quick else 9)
    yield _stable_prefix()
    with TemporaryDirectory() as folder:
        yield from asyncio.run(_calls(Path(folder)))
        yield from asyncio.run(_decisions(Path(folder)))


def _large_frame(rounds: int) -> Iterator[Line]:
    frame = _frame()
    describe("df", frame.head(10))
    times = []
    for _ in range(rounds):
        start = time.process_time()
        text = describe("df", frame)
        times.append(time.process_time() - start)
    what = f"of a frame of {ROWS:,} rows × {len(frame.columns)} columns"
    others = f"{show(tokens_in(len(frame.to_string(max_rows=60))))} df.to_string(max_rows=60)"
    yield limit_line(17, f"tokens of context {what}", tokens_in(len(text)), 1_500, reference=others)
    yield limit_line(17, f"CPU to make the context {what}", median(times), 0.050, unit="s")


def _frame() -> Any:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    columns: dict[str, Any] = {f"metric_{number:02d}": rng.random(ROWS) for number in range(35)}
    columns |= {f"count_{number}": rng.integers(0, 1000, ROWS) for number in range(10)}
    columns |= {f"group_{number}": rng.choice(["alpha", "beta", "gamma"], ROWS) for number in range(3)}
    columns["at"] = pd.date_range("2026-01-01", periods=ROWS, freq="s")
    columns["ok"] = rng.random(ROWS) > 0.5
    return pd.DataFrame(columns)


def _stable_prefix() -> Line:
    """A provider's cache serves what begins as the last request did: each must hold the one before, byte for byte."""
    history: list[Message] = []
    bodies = []
    for number in range(5):
        call = ToolCallPart(call_id=f"call-{number}", name="read_file", arguments='{"path": "a.txt"}')
        history += [
            user_message(f"Question {number}"),
            Message(role=MessageRole.ASSISTANT, parts=(TextPart(text="I look."), call)),
            Message(
                role=MessageRole.TOOL,
                parts=(ToolResultPart(call_id=call.call_id, name=call.name, content=f"Text {number}"),),
            ),
        ]
        bodies.append(encode(ChatRequest(model="m", messages=build_messages("You help.", history))))
    # Up to the end of the list of messages, which is where the next one goes on.
    shared = [_shared(one, other) / len(one) for one, other in itertools.pairwise(bodies)]
    return claim_line(
        17, "a request with tools begins as the one before (share)", min(shared) > 0.8, f"{min(shared):.2f}"
    )


def _shared(one: bytes, other: bytes) -> int:
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


async def _calls(folder: Path) -> list[Line]:
    async def coroutine(number: int) -> str:
        return str(number)

    def function(number: int) -> str:
        return str(number)

    runner, scope = _runner(folder, coroutine, function)
    lines = []
    for name, what in (("coroutine", "a coroutine function"), ("function", "a function, on a thread of its own")):
        times = []
        for number in range(CALLS):
            call = ToolCallPart(call_id=f"call-{number}", name=name, arguments=f'{{"number": {number}}}')
            start = time.perf_counter()
            await runner.run_one(call, scope)
            times.append(time.perf_counter() - start)
        lines.append(limit_line(17, f"a call of {what}, p50 of {CALLS:,}", median(times), 0.002, unit="s"))
    return lines


def _runner(folder: Path, *functions: Any) -> tuple[ToolRunner, CallScope]:
    registry = ToolRegistry()
    for function in functions:
        registry.add(tool_of(function, source=BUILT_IN, risk=Risk.READ))
    queue = EventQueue()

    def emit(kind: type[AssistantEvent], /, **fields: Any) -> None:
        queue.put(kind(**fields))

    consent = Consent(_rules(folder), Approvals())
    runner = ToolRunner(registry=registry, consent=consent, runs=ToolRuns())
    return runner, CallScope(emit=emit, conversation_id="c1")


def _tool(name: str, risk: Risk) -> Tool:
    def function(path: str) -> str:
        return path

    paths = Patterns(
        suggest=lambda arguments: arguments["path"],
        matches=lambda pattern, arguments: arguments["path"].startswith(pattern),
    )
    return tool_of(function, name=name, risk=risk, source=BUILT_IN, patterns=paths)


def _rules(folder: Path) -> Rules:
    """A hundred of all kinds, in a file."""
    known = {name: _tool(name, Risk.WRITE) for name in ("write_file", "edit_file", "delete_file")}
    rules = Rules(folder / "rules.json", "/work", known.get)
    if len(rules) == 0:
        for number in range(RULES):
            name = tuple(known)[number % 3]
            decision = ("allow", "allow", "allow", "ask", "deny")[number % 5]
            rules.add(name, f"folder-{number}/", decision)
    return rules


async def _decisions(folder: Path) -> list[Line]:
    consent = Consent(_rules(folder), Approvals(), lambda: ApproveMode.ASK)
    lines = []
    for what, tool, path in (
        ("a tool that reads", _tool("read_file", Risk.READ), "a.txt"),
        ("one that a rule allows", _tool("write_file", Risk.WRITE), "folder-0/a.txt"),
    ):
        call = ToolCallPart(call_id="call-1", name=tool.name, arguments="{}")
        run = ToolRun(call=call, turn_id="t", conversation_id="c1", message_id="m")
        times = []
        for _ in range(CALLS):
            start = time.process_time()
            await consent.decide(tool, {"path": path}, run, _Nobody(), _drop)
            times.append(time.process_time() - start)
        lines.append(
            limit_line(17, f"CPU of a decision about {what}, {RULES} rules, p50", median(times), 0.000_050, unit="s")
        )
    return lines


class _Nobody:
    """Nobody is asked."""

    def wait_for_user(self, run: ToolRun | None) -> None:
        raise AssertionError("nobody should be asked")

    def go_on(self, run: ToolRun | None) -> None:
        raise AssertionError("nobody should be asked")


def _drop(kind: type[AssistantEvent], /, **fields: Any) -> None:
    """Nobody listens."""
