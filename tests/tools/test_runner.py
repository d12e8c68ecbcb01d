"""Tool calls carried out: faults, limits, interrupts; every call has one result."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from effort import SOON_S, pace
from pydantic import AfterValidator
from tool_lab import Lab, call, tasks_left, until

from rustbot_jupyter.errors import RequestError, ToolError, ToolRefused, ToolTimeout
from rustbot_jupyter.messages import ImagePart, ToolCallPart, ToolResultPart
from rustbot_jupyter.tools import runner as runner_module
from rustbot_jupyter.tools.base import Risk, Tool, ToolContext, ToolDefinition, ToolResult
from rustbot_jupyter.tools.consent import ApproveMode
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.results import MODEL_CHARS
from rustbot_jupyter.tools.runner import MOST_AT_ONCE, parsed
from rustbot_jupyter.tools.runs import OUTPUT_CHARS, RunState


def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


async def test_a_call_is_checked_run_recorded_and_answered():
    lab = Lab(add)

    run = await lab.run("add", {"a": 2, "b": 3})

    assert run.state is RunState.COMPLETE
    assert run.result is not None
    assert (run.result.text, run.result.is_error) == ("5", False)
    assert run.arguments == {"a": 2, "b": 3}
    assert run.approval == "not needed"
    assert lab.kinds() == ["tool_call_requested", "tool_started", "tool_finished"]
    assert run.row()["status"] == "complete"
    assert run.cancel is None


# T1: what hangs.


async def test_an_async_tool_that_hangs_is_stopped_at_its_limit():
    was_cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            was_cancelled.set()

    lab = Lab(hang)

    run = await lab.run("hang", timeout_s=0.05)

    assert run.state is RunState.TIMEOUT
    assert "'hang' was stopped after 0.05 s" in run.error
    assert "timeout" in run.error
    assert was_cancelled.is_set()
    assert tasks_left() == []


async def test_a_sync_tool_that_hangs_in_python_is_stopped_in_its_thread():
    ended = threading.Event()

    def spin() -> None:
        try:
            while True:
                time.sleep(0.001)
        finally:
            ended.set()

    lab = Lab(spin)

    run = await lab.run("spin", timeout_s=0.05)

    assert run.state is RunState.TIMEOUT
    await until(ended.is_set)


async def test_a_tool_that_hangs_in_c_keeps_nobody_waiting_and_what_it_gives_is_dropped():
    release = threading.Event()
    ended = threading.Event()

    def hang() -> str:
        # A lock is waited for in C: no line of Python runs that could be stopped.
        release.wait()
        ended.set()
        return "late"

    lab = Lab(hang, add)
    start = time.monotonic()

    run = await lab.run("hang", timeout_s=0.05)
    other = await lab.run("add", {"a": 1})
    took_s = time.monotonic() - start
    release.set()

    assert run.state is RunState.TIMEOUT
    assert other.state is RunState.COMPLETE
    assert took_s < SOON_S
    assert run.result is None


async def test_a_tool_that_ignores_its_cancel_is_left_behind_and_ended_with_the_bot():
    may_end = False
    cancels = 0

    async def stubborn() -> str:
        nonlocal cancels
        while True:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                cancels += 1
                if may_end:
                    raise

    lab = Lab(stubborn)

    run = await lab.run("stubborn", timeout_s=0.02)
    left = tasks_left()
    may_end = True
    await lab.runner.aclose()

    assert run.state is RunState.TIMEOUT
    assert len(left) == 1
    assert cancels == 2
    assert tasks_left() == []


async def test_an_own_timeout_goes_before_the_settings():
    async def hang() -> None:
        await asyncio.Event().wait()

    lab = Lab(tool_of(hang, risk=Risk.READ, timeout=0.02))

    run = await lab.run("hang", timeout_s=600)

    assert run.state is RunState.TIMEOUT


# T2: what raises.


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class MuteExit(SystemExit):
    def __str__(self) -> str:
        raise KeyboardInterrupt


class Strange(BaseException):
    pass


RAISED: list[BaseException] = [
    Exception("plain"),
    ValueError("sk-secret-1 in a message"),
    SystemExit(3),
    SystemExit(),
    KeyboardInterrupt(),
    RecursionError("deep"),
    MemoryError(),
    StopIteration("over"),
    StopAsyncIteration(),
    GeneratorExit(),
    asyncio.InvalidStateError("odd"),
    TimeoutError("own"),
    OSError(5, "Input/output error"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    ExceptionGroup("many", [ValueError("one")]),
    BaseExceptionGroup("worse", [SystemExit(1)]),
    Strange("base"),
    Mute(),
    MuteExit(),
    ToolTimeout("its own words"),
    ToolRefused("its own no"),
    Exception("x" * 1_000_000),
    Exception("line\nline\x1b[31m red"),
]


@pytest.mark.parametrize("kind", ["sync", "async", "made by hand"])
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
async def test_whatever_a_tool_raises_is_an_error_result_and_the_next_call_works(error: BaseException, kind: str):
    def sync() -> None:
        raise error

    async def coroutine() -> None:
        raise error

    async def by_hand(arguments: dict[str, Any], context: ToolContext) -> ToolResult:
        raise error

    tool = tool_of(coroutine if kind == "async" else sync, name="tool", risk=Risk.READ)
    if kind == "made by hand":
        tool.run = by_hand
    lab = Lab(tool, add, redact=lambda text: text.replace("sk-secret-1", "•••"))

    result, after = await lab.run_all(call("tool"), call("add", {"a": 1}))

    assert result.is_error
    assert result.content
    assert len(result.content) < 3_000
    assert "sk-secret-1" not in result.content
    assert "\n" not in result.content
    assert after.content == "2"
    assert all(run.is_over for run in lab.runs.all())
    assert tasks_left() == []


@pytest.mark.parametrize("made", [None, "text", 5, ToolResult(text=5), ToolResult(data=float), [ToolResult(text="x")]])  # type: ignore[arg-type]
async def test_a_result_that_is_none_is_an_error_or_text_and_never_a_hanging_call(made: Any):
    async def run(arguments: dict[str, Any], context: ToolContext) -> Any:
        return made

    tool = tool_of(add, risk=Risk.READ)
    tool.run = run
    lab = Lab(tool)

    run_of = await lab.run("add", {"a": 1})

    assert run_of.is_over
    assert run_of.state in (RunState.ERROR, RunState.COMPLETE)


async def test_a_tool_that_cancels_itself_has_a_result_and_stops_nobody():
    async def odd() -> None:
        raise asyncio.CancelledError

    lab = Lab(odd, add)

    odd_one, other = await lab.run_all(call("odd"), call("add", {"a": 1}))

    assert odd_one.is_error
    assert "stopped by itself" in odd_one.content
    assert other.content == "2"


def _leave(value: int) -> int:
    raise SystemExit(value)


async def test_a_type_that_ends_the_program_while_it_is_checked_is_an_error_too():
    def tool(value: Annotated[int, AfterValidator(_leave)]) -> int:
        return value

    lab = Lab(tool)

    run = await lab.run("tool", {"value": 3})

    assert run.state is RunState.ERROR
    assert "SystemExit" in run.error


async def test_an_error_while_a_stopped_tool_tidies_up_is_nobodys():
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))

    async def untidy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("tidying up failed")

    lab = Lab(untidy)

    run = await lab.run("untidy", timeout_s=0.02)
    gc.collect()
    await asyncio.sleep(0)

    assert run.state is RunState.TIMEOUT
    assert problems == []


async def test_a_listener_that_fails_stops_no_call():
    lab = Lab(add)
    seen: list[RunState] = []
    lab.runner.on_change(lambda run: 1 / 0)  # type: ignore[arg-type,return-value]
    end = lab.runner.on_change(lambda run: seen.append(run.state))

    run = await lab.run("add", {"a": 1})
    end()
    await lab.run("add", {"a": 1})

    assert run.state is RunState.COMPLETE
    assert seen == [RunState.WAITING, RunState.RUNNING, RunState.COMPLETE]


# T3: what is too much.


async def test_a_hundred_megabytes_are_cut_for_model_and_eye_in_bounded_memory_and_time():
    # Each of them has to be looked at when it is cleaned.
    text = "0123456\x00\x1bé" * 10_000_000

    def much() -> str:
        return text

    lab = Lab(much)
    tracemalloc.start()
    start = time.process_time()

    run = await lab.run("much")
    took_s = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert run.result is not None
    assert len(run.result.text) <= MODEL_CHARS
    assert "of 100,000,000 characters left out" in run.result.text
    assert peak < 20_000_000
    assert took_s < 2 * pace()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("a\x00b\x07c\x7f", "abc"),
        ("tab\tline\nend", "tab\tline\nend"),
        ("half \ud83d character", "half \ufffd character"),
        ("\x9b31mC1", "31mC1"),
        ("", "Done. It returned an empty text."),
    ],
)
async def test_control_characters_and_halves_of_characters_do_not_reach_model_or_eye(given: str, shown: str):
    def tell() -> str:
        return given

    run = await Lab(tell).run("tell")

    assert run.result is not None
    assert run.result.text == shown
    json.dumps(run.result.text, ensure_ascii=False).encode()


async def test_a_key_that_control_characters_cut_in_two_is_found():
    def tell() -> str:
        return "sk-\x00secret and sk-secret"

    run = await Lab(tell, redact=lambda text: text.replace("sk-secret", "•••")).run("tell")

    assert run.result is not None
    assert run.result.text == "••• and •••"


async def test_binary_data_is_named_and_not_shown():
    def tell() -> memoryview:
        return memoryview(bytes(50_000_000))

    run = await Lab(tell).run("tell")

    assert run.result is not None
    assert run.result.text == "50,000,000 bytes of binary data."


async def test_live_output_is_kept_at_its_end_and_counted_and_told_in_bounded_pieces():
    def chatter(context: ToolContext) -> str:
        for _ in range(300):
            context.progress("x" * 100_000)
        context.progress("the end")
        return "done"

    lab = Lab(chatter)
    tracemalloc.start()

    run = await lab.run("chatter")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    pieces = [fields["text"] for kind, fields in lab.events if kind == "tool_progressed"]
    assert run.output.endswith("the end")
    assert len(run.output) == OUTPUT_CHARS
    assert run.output_length == 30_000_007
    assert max(map(len, pieces)) <= OUTPUT_CHARS
    assert peak < 10_000_000


async def test_output_that_comes_after_the_end_is_dropped():
    late: list[Callable[[str], None]] = []

    def keep(context: ToolContext) -> str:
        late.append(context.progress)
        context.progress("in time")
        return "done"

    lab = Lab(keep)
    run = await lab.run("keep")
    told = len(lab.events)

    thread = threading.Thread(target=lambda: late[0]("too late"))
    thread.start()
    thread.join()
    late[0]("too late, on the loop")
    await asyncio.sleep(runner_module.FLUSH_S * 1.5)

    assert run.output == "in time"
    assert len(lab.events) == told


def test_output_and_kernel_news_after_the_loop_has_ended_are_harmless():
    kept: list[ToolContext] = []

    def keep(context: ToolContext) -> str:
        kept.append(context)
        return "done"

    asyncio.run(Lab(keep).run("keep"))

    for tell in (lambda: kept[0].progress("late"), kept[0].kernel_needed, kept[0].kernel_ready):
        thread = threading.Thread(target=tell)
        thread.start()
        thread.join()


# T4: odd arguments.

BROKEN = [
    "",
    "   ",
    "null",
    "nil",
    "None",
    "{",
    "}",
    "[",
    "{]",
    '{"a": 1',
    '{"a": 1}}',
    '{"a": 1} trailing',
    '{"a": 1}{"a": 2}',
    "{'a': 1}",
    "{a: 1}",
    '{"a": 01}',
    '{"a": +1}',
    '{"a": 0x10}',
    '{"a": .5}',
    '{"a": 1,}',
    '{"a": NaN}',
    '{"a": Infinity}',
    '{"a": -Infinity}',
    '{"a": 1e999}',
    '{"a": 1, "a": 2}',
    '{"a": 1, "b": 2, "a": 1}',
    '{"a": {"x": 1, "x": 2}}',
    '{"a": ' + "9" * 5_000 + "}",
    '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"a": ' + "[" * 60 + "]" * 60 + "}",
    '{"a": ' + '{"x":' * 2_000 + "1" + "}" * 2_000 + "}",
    "[1, 2]",
    "[]",
    "[[1]]",
    '"a"',
    '"{\\"a\\": 1}"',
    "1",
    "1.5",
    "true",
    "{}",
    '{"b": 2}',
    '{"A": 1}',
    '{"a ": 1}',
    '{"a": 1, "c": 3}',
    '{"a": 1, "__class__": "x"}',
    '{"a": 1, "self": 1}',
    '{"a": 1, "context": {}}',
    '{"": 1, "a": 1}',
    '{"a": "one"}',
    '{"a": "1 "}x',
    '{"a": null}',
    '{"a": []}',
    '{"a": {}}',
    '{"a": 1.5}',
    '{"a": "0x10"}',
    '{"a": "١٢x"}',
    '{"a": 1, "b": "two"}',
    '{"a": 1, "b": null}',
    '{"a": 1, "b": [1]}',
    '{"a": "\\ud800"}',
    '{"a": 1, "\\udfff": 2}',
    '{"a": "\ud800"}',
    '{"a": "\\x41"}',
    '{"a": "line\nbreak"}',
    '{"a": "\x00"}',
    "\ufeff{}x",
    "<tool>add</tool>",
    "```json\n{}\n```",
    "a=1",
    "a" * 1_000_000,
]


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: repr(text[:24]))
async def test_broken_and_odd_arguments_are_not_run_and_the_model_is_told_why(text: str):
    ran: list[Any] = []

    def tool(a: int, b: int = 1) -> str:
        ran.append((a, b))
        return "ran"

    lab = Lab(tool)

    run = await lab.run("tool", text)

    assert ran == []
    assert run.state is RunState.ERROR
    assert run.error.startswith("'tool' was not run: ")
    assert "pydantic" not in run.error
    assert "http" not in run.error
    assert len(run.error) < 3_000
    assert "tool_started" not in lab.kinds()


TWO_WAYS = [
    text for text in BROKEN if any(word in text for word in ("NaN", "Infinity", "1e999", "[[[", '"x":{"x"', "d800"))
]
TWO_WAYS += ['{"a": 1, "a": 2}', '{"a": {"x": 1, "x": 2}}', '{"a": ["\\udfff"]}', '{"a": {"\\udfff": 1}}']


@pytest.mark.parametrize("text", TWO_WAYS, ids=lambda text: repr(text[:24]))
async def test_what_json_does_not_know_or_can_be_read_in_two_ways_is_refused_for_any_type(text: str):
    def tool(a: Any) -> str:
        return "ran"

    run = await Lab(tool).run("tool", text)

    assert run.state is RunState.ERROR
    assert "its arguments are not JSON" in run.error


def test_there_are_sixty_odd_arguments():
    assert len(BROKEN) >= 60


GOOD = ['{"a": 1}', '{"a": 1, "b": 2}', ' \n{"a": 1}\t', '{"a": "1"}', '{"a": 1.0}', '{"a": ' + "9" * 300 + "}"]


@pytest.mark.parametrize("text", GOOD, ids=lambda text: repr(text[:24]))
async def test_arguments_that_mean_one_thing_are_run(text: str):
    run = await Lab(add).run("add", text)

    assert run.state is RunState.COMPLETE


async def test_arguments_that_are_deep_but_fit_come_through():
    def count(value: list[Any]) -> int:
        return str(value).count("[")

    run = await Lab(count).run("count", '{"value": ' + "[" * 40 + "]" * 40 + "}")

    assert run.result is not None
    assert run.result.text == "40"


async def test_a_schema_error_names_the_parameter_and_the_reason():
    run = await Lab(add).run("add", {"a": "one", "c": 1})

    assert "a: Input should be a valid integer" in run.error
    assert "c: Extra inputs are not permitted" in run.error
    assert "Its parameters are: a, b." in run.error


def test_the_text_of_a_call_is_read_strictly():
    assert parsed(ToolCallPart(call_id="1", name="t", arguments="")) == {}
    assert parsed(ToolCallPart(call_id="1", name="t", arguments='{"x": "\\ud83d\\ude00"}')) == {"x": "😀"}


# T5: odd names.

NAMES = [
    "__class__",
    "__init__",
    "get",
    "all",
    "",
    " ",
    "add ",
    " add",
    "ADD",
    "add\n",
    "add\x00",
    "функция",
    "ａdd",
    "a" * 1_000_000,
    "functions.add",
    "../add",
    "*",
    "eval",
    "\ud800",
    "<script>",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:12]))
async def test_an_unknown_name_is_an_error_result(name: str):
    run = await Lab(add).run(name, {"a": 1})

    assert run.state is RunState.ERROR
    assert run.error.startswith("There is no tool ")
    assert len(run.error) < 500
    assert run.tool is None
    assert run.row()["source"] is None


async def test_a_tool_that_is_off_or_was_not_offered_is_not_run():
    lab = Lab(add)

    run = await lab.run("add", {"a": 1}, is_offered=lambda name: False)

    assert run.state is RunState.ERROR
    assert "switched off" in run.error


# T7: many at once.


async def test_two_hundred_calls_run_once_each_four_at_a_time_and_are_answered_in_order():
    running = most = 0
    done: list[int] = []

    async def work(number: int) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        # Later ones end sooner.
        await asyncio.sleep(0.002 if number % 2 else 0)
        running -= 1
        done.append(number)
        return f"result {number}"

    lab = Lab(work)
    calls = [call("work", {"number": number}, call_id="same") for number in range(200)]

    results = await lab.run_all(*calls)

    assert most == MOST_AT_ONCE
    assert sorted(done) == list(range(200))
    assert [result.content for result in results] == [f"result {number}" for number in range(200)]
    assert {result.call_id for result in results} == {"same"}
    assert tasks_left() == []


async def test_two_hundred_sync_calls_use_four_threads_at_a_time():
    lock = threading.Lock()
    running = most = 0

    def work() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return "done"

    results = await Lab(work).run_all(*[call("work")] * 200)

    assert most <= MOST_AT_ONCE
    assert len(results) == 200


# T9: cancel, in every phase.


async def stopped(lab: Lab, calls: list[ToolCallPart], ready: Callable[[], bool]) -> list[ToolResultPart]:
    """The results of calls that were stopped when `ready`."""
    results: dict[int, ToolResultPart] = {}
    task = asyncio.create_task(lab.runner.run_all(calls, lab.scope(), results))
    await until(ready)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return [results[index] for index in range(len(calls))]


async def test_a_stop_while_calls_run_and_wait_for_their_place_answers_all_and_runs_nothing_more():
    touched: list[int] = []
    tidied = 0

    async def hang() -> None:
        nonlocal tidied
        try:
            await asyncio.Event().wait()
        finally:
            tidied += 1

    def touch() -> None:
        touched.append(1)

    lab = Lab(hang, touch)
    calls = [call("hang") for _ in range(MOST_AT_ONCE)] + [call("touch")] * 3

    results = await stopped(lab, calls, lambda: lab.kinds().count("tool_started") == MOST_AT_ONCE)

    assert [result.content for result in results] == [runner_module.BEGUN] * 4 + [runner_module.NOT_BEGUN] * 3
    assert all(result.is_error for result in results)
    assert touched == []
    assert tidied == MOST_AT_ONCE
    assert {run.state for run in lab.runs.all()} == {RunState.INTERRUPTED}
    assert tasks_left() == []


async def test_a_stop_keeps_the_results_that_were_there():
    async def hang() -> None:
        await asyncio.Event().wait()

    lab = Lab(hang, add)

    results = await stopped(lab, [call("add", {"a": 1}), call("hang")], lambda: "tool_finished" in lab.kinds())

    assert [result.content for result in results] == ["2", runner_module.BEGUN]


async def test_a_stop_during_an_approval_runs_nothing_and_a_late_answer_is_refused():
    ran: list[int] = []

    def touch() -> None:
        ran.append(1)

    lab = Lab(touch, risk=Risk.WRITE)
    waiting: list[Any] = []

    def is_asked() -> bool:
        waiting[:] = lab.approvals.pending()
        return len(waiting) == 2

    results = await stopped(lab, [call("touch"), call("touch")], is_asked)

    assert [result.content for result in results] == [runner_module.NOT_BEGUN] * 2
    for approval in waiting:
        with pytest.raises(RequestError, match="does not wait any more"):
            approval.allow()
        with pytest.raises(RequestError, match="does not wait any more"):
            lab.approvals.find(approval.id)
    await asyncio.sleep(0)
    assert ran == []
    assert lab.approvals.pending() == []
    assert lab.kinds().count("approval_refused") == 2
    assert lab.waits == [RunState.WAITING_APPROVAL, None]
    assert tasks_left() == []


@pytest.mark.parametrize("turns_of_the_loop", range(12))
async def test_a_stop_at_any_point_after_the_click_leaves_one_result_and_no_task(turns_of_the_loop: int):
    async def hang() -> None:
        await asyncio.Event().wait()

    lab = Lab(hang, risk=Risk.WRITE)
    results: dict[int, ToolResultPart] = {}
    task = asyncio.create_task(lab.runner.run_all([call("hang")], lab.scope(), results))
    [approval] = await lab.asked()

    approval.allow()
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    [run] = lab.runs.all()
    assert run.state is RunState.INTERRUPTED
    assert len(results) == 1
    assert tasks_left() == []


class SlowKernel:
    """A kernel whose main thread is taken."""

    namespace: dict[str, Any] = {}

    def __init__(self) -> None:
        self.is_free = asyncio.Event()
        self.was_cancelled = False

    async def run_coroutine(self, make: Callable[[], Any], *, on_start: Callable[[], None]) -> Any:
        try:
            await self.is_free.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        # The main thread tells it.
        thread = threading.Thread(target=on_start)
        thread.start()
        await asyncio.to_thread(thread.join)
        return await make()


async def test_a_stop_while_a_call_waits_for_the_kernel_gives_it_up():
    ran: list[int] = []

    async def touch() -> None:
        ran.append(1)

    kernel = SlowKernel()
    lab = Lab(touch, kernel=kernel)  # type: ignore[arg-type]

    results = await stopped(lab, [call("touch")], lambda: lab.waits == [RunState.WAITING_KERNEL])

    assert results[0].is_error
    assert kernel.was_cancelled
    assert ran == []
    assert lab.waits == [RunState.WAITING_KERNEL, None]
    assert tasks_left() == []


async def test_the_wait_for_the_kernel_is_not_the_tools_own_time():
    async def quick() -> str:
        return "done"

    kernel = SlowKernel()
    lab = Lab(quick, kernel=kernel)  # type: ignore[arg-type]
    task = asyncio.create_task(lab.run("quick", timeout_s=1.0))
    await until(lambda: lab.waits == [RunState.WAITING_KERNEL])
    await asyncio.sleep(1.2)
    kernel.is_free.set()

    run = await task

    assert run.state is RunState.COMPLETE
    assert run.waited_s >= 1.1
    assert run.duration_s is not None
    assert run.duration_s < 1.0
    assert lab.waits == [RunState.WAITING_KERNEL, None]


async def test_a_tool_that_hangs_after_its_wait_for_the_kernel_is_stopped_at_its_limit():
    async def hang() -> None:
        await asyncio.Event().wait()

    kernel = SlowKernel()
    lab = Lab(hang, kernel=kernel)  # type: ignore[arg-type]
    kernel.is_free.set()

    run = await lab.run("hang", timeout_s=0.05)

    assert run.state is RunState.TIMEOUT


async def test_the_wait_for_the_kernel_has_a_limit_too_however_often_it_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runner_module, "KERNEL_WAIT_S", 0.1)

    async def nag(context: ToolContext) -> None:
        while True:
            context.kernel_needed()
            await asyncio.sleep(0.01)

    run = await Lab(nag).run("nag", timeout_s=60)

    assert run.state is RunState.TIMEOUT
    assert "given up" in run.error


async def test_the_wait_for_the_user_is_not_the_tools_own_time():
    async def quick() -> str:
        return "done"

    lab = Lab(quick, risk=Risk.WRITE)
    task = asyncio.create_task(lab.run("quick", timeout_s=1.0))
    [approval] = await lab.asked()
    await asyncio.sleep(1.2)
    approval.allow()

    run = await task

    assert run.state is RunState.COMPLETE
    assert run.approval == "allowed once"
    assert run.waited_s >= 1.1


async def test_cancelling_one_run_leaves_the_others():
    go = asyncio.Event()

    async def wait() -> str:
        await go.wait()
        return "done"

    lab = Lab(wait)
    task = asyncio.create_task(lab.run_all(call("wait"), call("wait"), call("wait")))
    await until(lambda: lab.kinds().count("tool_started") == 3)

    cancel = lab.runs.all()[1].cancel
    assert cancel is not None
    cancel()
    await until(lambda: lab.runs.all()[1].is_over)
    go.set()
    first, second, third = await task

    assert (first.content, third.content) == ("done", "done")
    assert second.is_error
    assert "The user cancelled it" in second.content


async def test_cancelling_one_run_twice_lets_it_tidy_up_once():
    tidied = asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            tidied.set()

    lab = Lab(slow_to_end)
    task = asyncio.create_task(lab.run("slow_to_end"))
    await until(lambda: "tool_started" in lab.kinds())
    cancel = lab.runs.all()[0].cancel
    assert cancel is not None

    for _ in range(3):
        cancel()
        await asyncio.sleep(0.005)
    run = await task

    assert tidied.is_set()
    assert run.state is RunState.INTERRUPTED
    assert tasks_left() == []


async def test_cancelling_a_run_that_waits_for_the_user_takes_the_card_away():
    lab = Lab(add, risk=Risk.WRITE)
    task = asyncio.create_task(lab.run("add", {"a": 1}))
    await lab.asked()

    cancel = lab.runs.all()[0].cancel
    assert cancel is not None
    cancel()
    run = await task

    assert run.state is RunState.INTERRUPTED
    assert lab.approvals.pending() == []


async def test_a_stop_ends_within_a_second_though_a_tool_ignores_it():
    async def stubborn() -> None:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    lab = Lab(stubborn)
    results: dict[int, ToolResultPart] = {}
    task = asyncio.create_task(lab.runner.run_all([call("stubborn")] * 3, lab.scope(), results))
    await until(lambda: lab.kinds().count("tool_started") == 3)
    start = time.monotonic()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    # One after the other they took three seconds.
    assert time.monotonic() - start < 2.9
    assert len(results) == 3


async def test_refused_calls_tell_the_model_why():
    lab = Lab(add, risk=Risk.WRITE)
    task = asyncio.create_task(lab.run_all(call("add", {"a": 1}), call("add", {"a": 2})))
    first, second = await lab.asked(2)

    first.deny("Use subtract instead.")
    second.deny()
    one, two = await task

    assert one.is_error
    assert "The user says: Use subtract instead." in one.content
    assert "Do not try it again" in two.content
    assert [run.state for run in lab.runs.all()] == [RunState.REFUSED] * 2


async def test_nobody_there_is_a_no_after_the_limit():
    run = await Lab(add, risk=Risk.WRITE, wait_s=0.02).run("add", {"a": 1})

    assert run.state is RunState.REFUSED
    assert "Nobody answered" in run.error


async def test_what_is_never_done_is_refused_before_anybody_is_asked():
    def forbid(arguments: Any) -> None:
        raise ToolError("'a' is out of the question.")

    tool = tool_of(add, risk=Risk.WRITE, forbid=forbid)
    lab = Lab(tool, mode=ApproveMode.ALLOW)
    lab.rules.add("add", "*")

    run = await lab.run("add", {"a": 1})

    assert run.state is RunState.ERROR
    assert run.error == "'a' is out of the question."
    assert "approval_asked" not in lab.kinds()


async def test_too_many_and_too_large_pictures_are_left_out_and_said():
    picture = ImagePart(media_type="image/png", data=b"\x89PNG")

    async def draw(arguments: dict[str, Any], context: ToolContext) -> ToolResult:
        large = ImagePart(media_type="image/png", data=bytes(6_000_000))
        return ToolResult(text="Pictures.", images=(large, *[picture] * 6))

    tool = Tool(
        definition=ToolDefinition(name="draw", description="", parameters={}),
        run=draw,
        check=lambda arguments: dict(arguments),
        risk=Risk.READ,
    )

    run = await Lab(tool).run("draw")

    assert len(run.images) == 4
    assert "3 images were left out" in (run.result.text if run.result else "")
