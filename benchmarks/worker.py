"""One thing being measured, in a process of its own: `python -m benchmarks.worker CLIENT`.

Each line of standard input is a job, `{"url": ..., "streams": 1, "stamped": false, "traced": false}`; its result is a
line of standard output. The process and its connections stay warm from one job to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import time
import tracemalloc
from typing import Any

from benchmarks.clients import CLIENTS, Bots, Stream


class Take:
    """What one stream gave."""

    def __init__(self, *, stamped: bool) -> None:
        self.length = 0
        self.first_at: float | None = None
        self.latencies: list[float] = []
        self._stamps = "" if stamped else None

    def __call__(self, text: str) -> None:
        if self.first_at is None:
            self.first_at = time.perf_counter()
        self.length += len(text)
        if self._stamps is not None:
            now = time.monotonic_ns()
            *stamps, self._stamps = (self._stamps + text).split(" ")
            self.latencies += [(now - int(stamp)) / 1e9 for stamp in stamps]


async def run(stream: Stream, job: dict[str, Any]) -> dict[str, Any]:
    """Stream so many answers at once and say what it took."""
    takes = [Take(stamped=job["stamped"]) for _ in range(job["streams"])]
    if isinstance(stream, Bots):
        stream.renew()
    gc.collect()
    if job["traced"]:
        tracemalloc.start()
    before, start, cpu = tracemalloc.get_traced_memory()[0], time.perf_counter(), time.process_time()
    await asyncio.gather(*(stream(take) for take in takes))
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    latencies = sorted(latency for take in takes for latency in take.latencies)
    first = sorted((take.first_at or start) - start for take in takes)
    return {
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "lengths": [take.length for take in takes],
        "ttft_s": first[len(first) // 2],
        "peak_bytes": peak,
        "p50_s": latencies[len(latencies) // 2] if latencies else None,
        "p99_s": latencies[len(latencies) * 99 // 100] if latencies else None,
    }


async def main(name: str) -> None:
    """Do the jobs that come."""
    # Libraries print; only results may go where they are read.
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    make, streams = CLIENTS[name], {}
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        job = json.loads(line)
        try:
            if job["url"] not in streams:
                streams[job["url"]] = make(job["url"])
            result = await run(streams[job["url"]], job)
        except ImportError as error:
            result = {"missing": str(error)}
        print(json.dumps(result), file=results, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1]))
