"""Goals 1-4 and 6: the client beside the bare loop and other libraries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from benchmarks.clients import BOTS, OURS, PEERS, REFERENCE
from benchmarks.processes import Server, Worker, peers_are_installed, run_script
from benchmarks.replies import CHUNK_CHARACTERS
from benchmarks.report import Line, claim_line, limit_line, median, ratio_line, show

BURST = 20_000
PACE = 200
AT_ONCE = 50
ONE_PEER = ("openai",)
MISSING = "not installed"
WIRES = {"an event per HTTP chunk": 1, "50 events in one": 50}
"""How many events of a burst are one chunk of the HTTP body: servers flush each, proxies join them. Both must do."""

Results = dict[str, list[dict[str, Any]]]


def burst(server: Server, quick: bool) -> Iterator[Line]:
    """Goal 1: CPU over a burst of 20,000 chunks."""
    what = f"CPU, burst of {BURST:,} chunks"
    for wire, joined in WIRES.items():
        peers = PEERS if joined == 1 and not quick else ONE_PEER
        url, small = server.url("plain", BURST, joined=joined), server.url("plain", 10)
        found = _rounds(url, small, rounds=3 if quick else 7, ours=(OURS, BOTS), peers=peers)
        yield _beside(1, f"{what}, {wire}", found, "cpu_s", 1.3)
        yield _beside(1, f"{what}, {wire}: `bot.stream`", found, "cpu_s", 1.5, of=BOTS)
        openai, ours = _median(found, "openai", "cpu_s"), _median(found, OURS, "cpu_s")
        if openai is not None and ours is not None:
            yield ratio_line(1, f"{what}, {wire}, over openai's", ours, openai, 0.2, unit="s", of="openai")
        yield from _peers(1, f"{what}, {wire}", found, "cpu_s")


def paced(server: Server, quick: bool) -> Iterator[Line]:
    """Goal 2: CPU and latency at 200 chunks a second."""
    seconds = 2
    url = server.url("stamped", PACE * seconds, PACE)
    found = _rounds(
        url,
        server.url("stamped", 10, PACE),
        rounds=9 if quick else 15,
        peers=ONE_PEER if quick else PEERS,
        stamped=True,
    )
    yield _beside(2, f"CPU, {PACE} chunks/s", found, "cpu_s", 1.15)
    yield _beside(2, "latency per chunk, p50", found, "p50_s", 1.2)
    yield _beside(2, "latency per chunk, p99", found, "p99_s", 2.0)
    yield from _peers(2, f"CPU, {PACE} chunks/s", found, "cpu_s")


def memory(server: Server, quick: bool) -> Iterator[Line]:
    """Goal 3: the most memory that Python objects take during a stream of 20,000 chunks."""
    url, small = server.url("plain", BURST), server.url("plain", 10)
    found = _rounds(url, small, rounds=1, traced=True)
    limit = 2 * BURST * CHUNK_CHARACTERS + 1_000_000
    reference = f"{show(found[REFERENCE][0]['peak_bytes'], 'B')} {REFERENCE}"
    peak = found[OURS][0]["peak_bytes"]
    yield limit_line(3, "memory, stream of 20,000 chunks", peak, limit, unit="B", reference=reference)


def at_once(server: Server, quick: bool) -> Iterator[Line]:
    """Goal 4: 50 streams at the same time."""
    chunks = 400 if quick else 1_000
    whole = [chunks * CHUNK_CHARACTERS] * AT_ONCE
    for wire, joined in WIRES.items():
        url, small = server.url("plain", chunks, joined=joined), server.url("plain", 10)
        found = _rounds(
            url,
            small,
            rounds=3 if quick else 7,
            ours=(OURS, BOTS),
            peers=ONE_PEER if joined == 1 else (),
            streams=AT_ONCE,
        )
        complete = all(result["lengths"] == whole for name in (OURS, BOTS) for result in found[name])
        yield claim_line(4, f"{AT_ONCE} at once, {wire}: all complete", complete)
        yield _beside(4, f"CPU, {AT_ONCE} streams at once, {wire}", found, "cpu_s", 1.3)
        yield _beside(4, f"CPU, {AT_ONCE} bots at once, {wire}", found, "cpu_s", 2.5, of=BOTS)
        yield _beside(4, f"time to first token, {AT_ONCE} bots at once, {wire}", found, "ttft_s", 2.0, of=BOTS)
        yield from _peers(4, f"CPU, {AT_ONCE} streams at once, {wire}", found, "cpu_s", ONE_PEER if joined == 1 else ())


def first_token(server: Server, quick: bool) -> Iterator[Line]:
    """Goal 6: time to the first token, warm, and of the first message after the chat was opened."""
    url = server.url("plain", 10)
    peers = ONE_PEER if quick else PEERS
    found = _rounds(url, url, rounds=40 if quick else 100, ours=(OURS, BOTS), peers=peers, peer_rounds=20)
    yield _beside(6, "time to first token, warm", found, "ttft_s", 1.5)
    yield _beside(6, "time to first token, warm: `bot.stream`", found, "ttft_s", 1.5, of=BOTS)
    yield from _peers(6, "time to first token, warm", found, "ttft_s")
    chats = [run_script(_FIRST_MESSAGE, url) for _ in range(3 if quick else 7)]
    first, warm = (median([chat[name] for chat in chats]) for name in ("first_s", "warm_s"))
    what = "the first message after the chat was opened"
    yield ratio_line(6, what, first, warm, 1.3, unit="s", of="later ones", slack=0.005)


_FIRST_MESSAGE = """
import json, statistics, sys, threading, time

import rustbot_jupyter as rb
from rustbot_jupyter.engine.plan import TurnRequest
from rustbot_jupyter.events import FirstToken
from rustbot_jupyter.messages import user_message
from rustbot_jupyter.notebook.protocol import PROTOCOL_VERSION

bot = rb.Rustbot(model="benchmark/fast", base_url=sys.argv[1])
chat = bot.chat()
chat._on_message(chat, {"rustbot": PROTOCOL_VERSION, "id": "c1", "view": "v1", "command": "sync"}, [])
# The person reads, types and sends: time in which the client is warmed.
time.sleep(4)
arrived = threading.Event()
bot.agent.bus.subscribe(lambda event: arrived.set(), (FirstToken,))

def ttft():
    arrived.clear()
    start = time.perf_counter()
    turn = bot.submit(TurnRequest(message=user_message("Say it all."), source="chat"))
    arrived.wait()
    took = time.perf_counter() - start
    turn.outcome.result()
    time.sleep(0.05)
    return took

first, *later = [ttft() for _ in range(21)]
print(json.dumps({"first_s": first, "warm_s": statistics.median(later)}))
bot.close()
"""


def _rounds(
    url: str,
    warm_up_url: str,
    *,
    rounds: int,
    ours: Iterable[str] = (OURS,),
    peers: Iterable[str] = (),
    peer_rounds: int = 1,
    **job: Any,
) -> Results:
    """What each client took in each round; they take turns, so that what disturbs one disturbs all."""
    found: Results = {}
    with _workers(ours, peers) as workers:
        for worker in workers.values():
            worker.stream(warm_up_url, streams=job.get("streams", 1), stamped=job.get("stamped", False))
        # A client keeps its connection per address: the first answer at the measured one is not counted either.
        for number in range(rounds + 1):
            for name, worker in workers.items():
                if number <= peer_rounds or name not in PEERS:
                    found.setdefault(name, []).append(worker.stream(url, **job))
    return {name: results[1:] for name, results in found.items()}


@contextmanager
def _workers(ours: Iterable[str], peers: Iterable[str]) -> Iterator[dict[str, Worker]]:
    with ExitStack() as stack:
        make = {name: partial(Worker, name) for name in (REFERENCE, *ours)}
        if peers_are_installed():
            make |= {name: partial(Worker, name, is_peer=True) for name in peers}
        yield {name: stack.enter_context(new()) for name, new in make.items()}


def _median(found: Results, name: str, key: str) -> float | None:
    results = found.get(name, [])
    return None if not results or any("missing" in result for result in results) else median([r[key] for r in results])


def _beside(goal: int, what: str, found: Results, key: str, limit: float, of: str = OURS) -> Line:
    """Rustbot beside the reference; each round's two figures are compared, as others use the machine too."""
    ours, reference = ([result[key] for result in found[name]] for name in (of, REFERENCE))
    ratios = [mine / its for mine, its in zip(ours, reference, strict=True)]
    return ratio_line(goal, what, median(ours), median(reference), limit, unit="s", ratio=median(ratios))


def _peers(goal: int, what: str, found: Results, key: str, names: Iterable[str] = tuple(PEERS)) -> Iterator[Line]:
    """How far other libraries are from the reference."""
    reference = _median(found, REFERENCE, key)
    for name in names:
        if name not in found and peers_are_installed():
            continue
        value = _median(found, name, key)
        ratio = "" if value is None or not reference else f"{value / reference:.2f}"
        beside = MISSING if value is None else f"{show(value, 's')} {name}"
        yield Line(goal=goal, what=f"{what}: {name}", ours="", reference=beside, ratio=ratio)
