"""A real JupyterLab in a real Chromium, and what is measured in it."""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.processes import ROOT
from benchmarks.replies import LAST_WORD

# The same JupyterLab as in the browser tests.
sys.path.insert(0, str(ROOT / "tests" / "browser"))

PROBE = Path(__file__).with_name("probe.js").read_text(encoding="utf-8")
STREAMED = ("comm_msg", "update_display_data", "display_data")


@dataclass
class Traffic:
    """What the page's websockets received."""

    messages: int = 0
    size_bytes: int = 0
    is_counting: bool = False

    def on_frame(self, payload: str | bytes) -> None:
        """Count a frame that carries output."""
        if self.is_counting and isinstance(payload, bytes) and _kind(payload) in STREAMED:
            self.messages += 1
            self.size_bytes += len(payload)

    def start(self) -> None:
        """Count from here."""
        self.messages = self.size_bytes = 0
        self.is_counting = True


def _kind(payload: bytes) -> str:
    """The message's type, by the header that stands behind the channel's name."""
    count = struct.unpack_from("<Q", payload)[0]
    offsets = struct.unpack_from(f"<{count}Q", payload, 8)
    header = payload[offsets[1] : offsets[2]]
    return header.partition(b'"msg_type"')[2].split(b'"')[1].decode()


@dataclass(frozen=True, kw_only=True)
class Work:
    """CPU time of the page's main thread; what others do on the machine does not count."""

    tasks_s: list[float]
    """Each of its tasks."""
    longest_frame_s: float
    """The most between two animation frames."""


@dataclass(kw_only=True)
class Seen:
    """How an answer came into the page."""

    text: str = ""
    took_s: float
    messages: int
    size_bytes: int
    long_tasks_s: list[float]
    """Tasks of more than 50 ms by the clock, as the page itself is told."""
    longest_gap_s: float
    """Between two frames, by the clock."""
    last_word_at: float
    """When it was visible, in seconds since the epoch."""
    busy_tenths_s: list[float]
    """Work of the page's main thread in each tenth of the stream."""
    work: Work | None


class Trace:
    """What the page's main thread does, from now on."""

    def __init__(self, profiler: Any, page: Any) -> None:
        self._profiler, self._page = profiler, page
        self._events: list[dict[str, Any]] = []
        self._is_complete = False
        profiler.on("Tracing.dataCollected", lambda data: self._events.extend(data["value"]))
        profiler.on("Tracing.tracingComplete", lambda _: setattr(self, "_is_complete", True))
        profiler.send("Tracing.start", {"categories": "toplevel,devtools.timeline", "transferMode": "ReportEvents"})

    def end(self) -> Work:
        """What it did."""
        self._profiler.send("Tracing.end")
        while not self._is_complete:
            self._page.wait_for_timeout(50)
        named = [event for event in self._events if event["name"] == "thread_name"]
        main = {(event["pid"], event["tid"]) for event in named if event["args"]["name"] == "CrRendererMain"}
        events = sorted(
            (event for event in self._events if event["ph"] == "X" and (event["pid"], event["tid"]) in main),
            key=lambda event: event["ts"],
        )
        tasks, frames = [], [0.0]
        for event in events:
            if event["name"] == "FireAnimationFrame":
                frames.append(0.0)
            elif event["name"] == "ThreadControllerImpl::RunTask":
                tasks.append(event.get("tdur", event["dur"]) / 1e6)
                frames[-1] += tasks[-1]
        return Work(tasks_s=tasks, longest_frame_s=max(frames))


class Bench:
    """A notebook in the browser, its traffic and its probe."""

    def __init__(self, notebook: Any, page: Any, traffic: Traffic, profiler: Any) -> None:
        self.notebook = notebook
        self._page = page
        self._traffic = traffic
        self._profiler = profiler

    def show(self, code: str) -> Any:
        """The chat that a cell's last line shows, once its page has come to rest."""
        chat = self.notebook.show(code)
        self._page.wait_for_timeout(1_500)
        return chat

    def watch(self, element: Any, start: Callable[[], object], *, expected_s: float, with_work: bool = False) -> Seen:
        """Start an answer and watch `element` until its last word is there."""
        page, traffic = self._page, self._traffic
        element.evaluate("(element, word) => window.rustbotProbe.start(element, word)", LAST_WORD)
        trace = Trace(self._profiler, page) if with_work else None
        traffic.start()
        started, busy = time.monotonic(), [self._busy_s()]
        start()
        for tenth in range(1, 11):
            page.wait_for_timeout(max(0.0, started + expected_s * tenth / 10 - time.monotonic()) * 1000)
            busy.append(self._busy_s())
        page.wait_for_function("window.rustbotProbe.hasEnded()", timeout=120_000, polling=50)
        took_s = time.monotonic() - started
        # What comes with the end: status, usage, the tidied up last block.
        page.wait_for_timeout(500)
        traffic.is_counting = False
        found = page.evaluate("window.rustbotProbe.stop()")
        return Seen(
            took_s=took_s,
            messages=traffic.messages,
            size_bytes=traffic.size_bytes,
            long_tasks_s=[task / 1000 for task in found["longTasksMs"]],
            longest_gap_s=found["longestGapMs"] / 1000,
            last_word_at=found["lastWordAt"],
            busy_tenths_s=[after - before for before, after in pairwise(busy)],
            work=None if trace is None else trace.end(),
        )

    def _busy_s(self) -> float:
        metrics = self._profiler.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


@contextmanager
def running_bench() -> Iterator[Callable[[], Bench]]:
    """Makes benches, each with a notebook and a kernel of its own, closed when the next one is made."""
    from browser_lab import find_browser, launch, running_lab
    from browser_notebook import Notebook, open_lab
    from playwright.sync_api import sync_playwright

    executable = find_browser()
    if executable is None:
        sys.exit("Goals 7-11 need a Chrome or Chromium. Name one in CHROME, or run scripts/find_browser.py.")
    with (
        TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        sync_playwright() as playwright,
        launch(playwright, executable) as browser,
    ):
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        traffic = Traffic()
        open_notebooks: list[Any] = []
        context.on("page", lambda page: page.on("websocket", lambda ws: ws.on("framereceived", traffic.on_frame)))
        page = open_lab(context, lab)
        page.evaluate(PROBE)
        profiler = context.new_cdp_session(page)
        profiler.send("Performance.enable")

        def make() -> Bench:
            while open_notebooks:
                notebook = open_notebooks.pop()
                notebook.close()
                lab.ask("DELETE", f"api/kernels/{notebook.kernel}")
            open_notebooks.append(Notebook(lab, page, lab.start_kernel()))
            return Bench(open_notebooks[0], page, traffic, profiler)

        yield make
