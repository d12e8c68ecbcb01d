"""How long a page keeps its processor busy, however busy the machine is besides."""

from __future__ import annotations

from typing import Self

from playwright.sync_api import Page


class PageWork:
    """Counts the work of the page's main thread for as long as the block runs."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def __enter__(self) -> Self:
        self._profiler = self._page.context.new_cdp_session(self._page)
        # The thread's own time: what other processes take from it does not count.
        self._profiler.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._before = self._total_s()
        return self

    def __exit__(self, *exc: object) -> None:
        self._profiler.detach()

    def busy_s(self) -> float:
        """Seconds of work since the block began."""
        return self._total_s() - self._before

    def _total_s(self) -> float:
        metrics = self._profiler.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
