"""Goals 7-11: a streamed answer in JupyterLab."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.lab import Bench, Seen, running_bench
from benchmarks.processes import Server
from benchmarks.replies import reply, words
from benchmarks.report import Line, claim_line, limit_line, median, ratio_line, show

CHUNKS = 10_000
REFERENCE_CHUNKS = 2_000
TEN_CHUNKS = 2_000
ENVELOPE_BYTES = 600
LONG_TASK_S = 0.050

_BOT = "import rustbot_jupyter as rb\nbot = rb.Rustbot(model='benchmark/fast', base_url={url!r})\nbot"

_TEN_BOTS = """
import threading
import rustbot_jupyter as rb
from IPython.display import display
bots = [rb.Rustbot(model='benchmark/fast', base_url={url!r}) for _ in range(10)]
for bot in bots:
    display(bot)
"""
_ASK_TEN = """
threads = [threading.Thread(target=bot.ask, args=("Say it all.",)) for bot in bots]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

_ASK = """
import time
before = time.process_time()
bot.ask("Say it all.")
time.sleep(0.3)
print("\\n", time.process_time() - before)
"""

_DISPLAY = """
import httpx, json, time
from IPython.display import Markdown, display
before = time.process_time()
handle, text, buffer = display(Markdown(""), display_id=True), "", b""
async with httpx.AsyncClient(timeout=None) as client:
    question = {{"messages": [], "stream": True}}
    async with client.stream("POST", {url!r} + "/chat/completions", json=question) as response:
        async for data in response.aiter_bytes():
            *events, buffer = (buffer + data).split(b"\\n\\n")
            for event in events:
                if event != b"data: [DONE]":
                    piece = json.loads(event[6:])["choices"][0]["delta"].get("content")
                    if piece:
                        text += piece
                        handle.update(Markdown(text))
time.sleep(0.3)
print("\\n", time.process_time() - before)
"""


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """An answer that a page is to show."""

    kind: str
    chunks: int
    rate: float

    @property
    def text(self) -> str:
        return reply(self.kind, self.chunks)

    @property
    def seconds(self) -> float:
        return self.chunks / self.rate if self.rate else 0.5

    def __str__(self) -> str:
        return f"{self.chunks:,} chunks" + (f" at {self.rate:,.0f}/s" if self.rate else ", unlimited")


def in_the_page(server: Server, wanted: set[int], quick: bool) -> Iterator[Line]:
    """Goals 7-11, as far as wanted."""
    with running_bench() as new_bench:
        if wanted & {7, 8}:
            yield from _plain(server, new_bench, wanted, quick)
        if 7 in wanted:
            yield from _ten_at_once(server, new_bench)
        if wanted & {9, 10}:
            yield from _markdown(server, new_bench, wanted, quick)
        if wanted & {8, 9, 10, 11}:
            yield from _beside_display(server, new_bench, wanted, quick)


def _plain(server: Server, new_bench: Callable[[], Bench], wanted: set[int], quick: bool) -> Iterator[Line]:
    sizes: dict[int, float] = {}
    slow = _Stream(kind="plain", chunks=2_000 if quick else CHUNKS, rate=200)
    for stream in (
        slow,
        _Stream(kind="plain", chunks=CHUNKS // 2, rate=1_000),
        _Stream(kind="plain", chunks=CHUNKS, rate=1_000),
        _Stream(kind="plain", chunks=CHUNKS, rate=0),
    ):
        _tell(f"goals 7, 8: plain text, {stream}")
        seen = _chat(server, new_bench(), stream)
        per_character = seen.size_bytes / len(stream.text)
        sizes[stream.chunks] = per_character if stream.rate == 1_000 else sizes.get(stream.chunks, 0.0)
        if 7 in wanted:
            yield claim_line(7, f"identical text, {stream}", _squeezed(seen.text) == _squeezed(stream.text))
            yield limit_line(7, f"messages a second, {stream}", seen.messages / max(1.0, seen.took_s), 35)
        if 8 in wanted:
            limit = 1.2 * len(stream.text) + ENVELOPE_BYTES * seen.messages
            what = f"websocket, {stream}, {seen.messages} flushes"
            yield limit_line(
                8, what, seen.size_bytes, limit, unit="B", reference=show(len(stream.text), "B") + " reply"
            )
    if 8 in wanted:
        double, half = sizes[CHUNKS], sizes[CHUNKS // 2]
        what = "bytes per character, a reply of twice the length"
        yield ratio_line(8, what, double, half, 1.1, unit="bytes", of="the half")


def _ten_at_once(server: Server, new_bench: Callable[[], Bench]) -> Iterator[Line]:
    stream = _Stream(kind="plain", chunks=TEN_CHUNKS, rate=200)
    _tell(f"goal 7: ten at once, each {stream}")
    bench = new_bench()
    bench.notebook.start(_TEN_BOTS.format(url=server.url(stream.kind, stream.chunks, stream.rate)))
    chats = bench.notebook.chats(10)
    for chat in chats:
        chat.expect_state("idle")
    seen = bench.watch(chats[-1].root, lambda: bench.notebook.start(_ASK_TEN), expected_s=stream.seconds)
    texts = [chat.answer.locator(".rb-answer").evaluate("(element) => element.textContent") for chat in chats]
    wrong = [text for text in texts if _squeezed(text) != _squeezed(stream.text)]
    yield claim_line(7, f"identical text, ten at once, {stream}", not wrong)
    yield limit_line(7, "messages a second, ten at once", seen.messages / seen.took_s, 200)


def _markdown(server: Server, new_bench: Callable[[], Bench], wanted: set[int], quick: bool) -> Iterator[Line]:
    stream = _Stream(kind="markdown", chunks=CHUNKS, rate=1_000)
    runs: list[Seen] = []
    late: list[float] = []
    for number in range(3 if quick else 5):
        _tell(f"goals 9, 10: Markdown, {stream}, run {number + 1}")
        runs.append(_chat(server, new_bench(), stream, with_work=True))
        late.append(runs[-1].last_word_at - server.last_byte_at())
    yield claim_line(
        9 if 9 in wanted else 10,
        f"all words, Markdown, {stream}",
        all(words(seen.text) == words(stream.text) for seen in runs),
    )
    if 9 in wanted:
        yield from _long_tasks(runs, stream)
    if 10 in wanted:
        yield limit_line(10, "last word visible after the server's last byte (median)", median(late), 0.100, unit="s")
        first, last = (median([seen.busy_tenths_s[at] for seen in runs]) for at in (0, -1))
        yield ratio_line(10, "page busy, last tenth", last, first, 1.5, unit="s", of="first tenth")


def _long_tasks(runs: list[Seen], stream: _Stream) -> Iterator[Line]:
    """By CPU time of the page's main thread: on a busy machine the clock counts the work of others too."""
    works = [seen.work for seen in runs if seen.work is not None]
    by_clock = f"{median([len(seen.long_tasks_s) for seen in runs]):g} by the clock"
    counts = [sum(task > LONG_TASK_S for task in work.tasks_s) for work in works]
    yield limit_line(9, f"long tasks, Markdown, {stream} (median)", median(counts), 0, reference=by_clock)
    longest = max((task for seen in runs for task in seen.long_tasks_s), default=0.0)
    by_clock = f"{show(longest, 's')} by the clock" if longest else ""
    task = max(task for work in works for task in work.tasks_s)
    yield limit_line(9, "longest task of all runs", task, 0.060, unit="s", reference=by_clock)
    by_clock = f"{show(median([seen.longest_gap_s for seen in runs]), 's')} by the clock"
    frame = median([work.longest_frame_s for work in works])
    yield limit_line(9, "longest work between two frames (median)", frame, 0.100, unit="s", reference=by_clock)


def _beside_display(server: Server, new_bench: Callable[[], Bench], wanted: set[int], quick: bool) -> Iterator[Line]:
    """The same answer by `update_display(Markdown)` for each chunk."""
    stream = _Stream(kind="markdown", chunks=REFERENCE_CHUNKS, rate=200)
    url = server.url(stream.kind, stream.chunks, stream.rate)
    ours_s, display_s = [], []
    for number in range(1 if quick or 11 not in wanted else 3):
        _tell(f"goal 11: beside update_display(Markdown), {stream}, round {number + 1}")
        bench = new_bench()
        root = bench.show(_BOT.format(url=url)).root
        ours, cpu_s = _cell(bench, root, _ASK, stream)
        ours_s.append(cpu_s)
        bench = new_bench()
        shown, cpu_s = _cell(bench, bench.notebook.panel, _DISPLAY.format(url=url), stream)
        display_s.append(cpu_s)
        late_s = shown.last_word_at - server.last_byte_at()
    of = "update_display"
    what = f"Markdown, {stream}"
    if 11 in wanted:
        yield ratio_line(11, f"kernel CPU, {what}", median(ours_s), median(display_s), 0.4, unit="s", of=of)
    if 8 in wanted:
        yield ratio_line(8, f"websocket, {what}", ours.size_bytes, shown.size_bytes, None, unit="B", of=of)
    if 9 in wanted:
        beside = f"{len(shown.long_tasks_s)} {of}"
        yield Line(goal=9, what=f"long tasks, {what}", ours=str(len(ours.long_tasks_s)), reference=beside)
    if 10 in wanted:
        yield Line(goal=10, what=f"last word visible, {what}", ours="", reference=f"{show(late_s, 's')} {of}")


def _cell(bench: Bench, watched: Any, code: str, stream: _Stream) -> tuple[Seen, float]:
    """Run a cell that shows an answer and prints the kernel's CPU time."""
    cells: list[Any] = []
    seen = bench.watch(watched, lambda: cells.append(bench.notebook.start(code)), expected_s=stream.seconds)
    return seen, float(bench.notebook.finish(cells[0]).split()[-1])


def _chat(server: Server, bench: Bench, stream: _Stream, *, with_work: bool = False) -> Seen:
    """Ask in the chat, as its user does."""
    chat = bench.show(_BOT.format(url=server.url(stream.kind, stream.chunks, stream.rate)))
    chat.prompt.fill("Say it all.")
    seen = bench.watch(chat.root, lambda: chat.prompt.press("Enter"), expected_s=stream.seconds, with_work=with_work)
    seen.text = chat.answer.locator(".rb-answer").evaluate("(element) => element.textContent")
    return seen


def _squeezed(text: str) -> str:
    """Without white space: paragraphs have none between them in the page."""
    return "".join(text.split())


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
