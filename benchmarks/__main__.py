"""Measure, print one table, say which goals are met.

    python -m benchmarks                  all of it; some minutes
    python -m benchmarks --quick          fewer rounds
    python -m benchmarks --only 1,4       these goals

All figures are ratios within the run; CPU is the process's user and system time. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import Server, peers_are_installed
from benchmarks.report import Line, table

GOALS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 17)


def main() -> int:
    """Measure what is asked for; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast Rustbot is.")
    parser.add_argument("--only", help="goals to measure, as in 1,4 (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: minutes less, and less sure")
    options = parser.parse_args()
    wanted = {int(goal) for goal in options.only.split(",")} if options.only else set(GOALS)
    if unknown := wanted - set(GOALS):
        parser.error(f"There is no goal {min(unknown)}; choose of {', '.join(map(str, GOALS))}.")
    if not peers_are_installed():
        print("Other libraries are not installed; `make bench` installs them into .venv-bench.", file=sys.stderr)
    lines: list[Line] = []
    load = _load()
    with _isolated():
        for line in _measure(wanted, options.quick):
            lines.append(line)
            print(table([line]).splitlines()[-1], file=sys.stderr)
    print(table(sorted(lines, key=lambda line: line.goal)))
    missed = [line for line in lines if line.is_met is False]
    goals = sorted({line.goal for line in lines if line.is_met is not None})
    if load > 0.5:
        print(f"\nOthers keep this machine busy ({load:.1f} of each core): times of the page and latencies are unsure.")
    print(f"\nGoals measured: {len(goals)}, missed: {len({line.goal for line in missed})}.")
    return 1 if missed else 0


def _measure(wanted: set[int], quick: bool) -> Iterator[Line]:
    from benchmarks import pages, queueing, starting, streaming, tools

    steps = {
        1: streaming.burst,
        2: streaming.paced,
        3: streaming.memory,
        4: streaming.at_once,
        6: streaming.first_token,
    }
    with Server() as server:
        for goal, step in steps.items():
            if goal in wanted:
                print(f"goal {goal}: {(step.__doc__ or '').split(':')[1].strip()}", file=sys.stderr)
                yield from step(server, quick)
        if 5 in wanted:
            print("goal 5: what loading it costs", file=sys.stderr)
            yield from starting.start_up(quick)
        if 13 in wanted:
            print("goal 13: the event queue", file=sys.stderr)
            yield from queueing.event_queue(quick)
        if 17 in wanted:
            print("goal 17: frames, calls and approvals", file=sys.stderr)
            yield from tools.tools(quick)
        if wanted & {7, 8, 9, 10, 11}:
            yield from pages.in_the_page(server, wanted, quick)


def _load() -> float:
    """How much others ask of each core, before the run; 0 where the system does not say."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0


@contextmanager
def _isolated() -> Iterator[None]:
    """Keep away from the user's settings, keys and history, and from the network."""
    with TemporaryDirectory(prefix="rustbot-bench-") as folder:
        os.environ |= {
            "RUSTBOT_CONFIG_DIR": folder,
            "RUSTBOT_DATA_DIR": folder,
            "IPYTHONDIR": folder,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LLM_USER_PATH": folder,
            # Installed packages are compiled; a checkout need not be.
            "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled")),
        }
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.pop("OPENROUTER_API_KEY", None)
        yield


if __name__ == "__main__":
    sys.exit(main())
