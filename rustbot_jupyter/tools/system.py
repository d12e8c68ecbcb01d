"""The tool that tells about the machine and the Python that the notebook runs on; no environment, no secrets."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any, Literal

from rustbot_jupyter.tools.base import BUILT_IN, Risk, Tool
from rustbot_jupyter.tools.functions import tool_of

MAX_PACKAGES = 400
CPU_SECONDS = 0.2
"""How long the load is measured."""

Topic = Literal["all", "time", "platform", "packages", "memory", "cpu", "disk", "process"]


def system_tools() -> list[Tool]:
    """The tool that tells about the machine."""
    return [tool_of(system_info, risk=Risk.READ, source=BUILT_IN, label="Look at the system")]


def system_info(topic: Topic = "all", word: str = "") -> str:
    """Tell about the machine: the time and its zone, platform and Python, installed packages with versions, memory,
    CPU, disk, and the notebook's own process.

    Use it before you write code that depends on a version, or when something is slow or out of memory. "all" leaves
    the packages out unless `word` is given.

    Args:
        topic: What to tell.
        word: Names only packages with this in their name: "torch".
    """
    topics = [name for name in _TOPICS if topic == name or (topic == "all" and (name != "packages" or word))]
    return "\n".join(f"{name}: {_told(name, word)}" for name in topics)


def _told(topic: str, word: str) -> str:
    # In some containers parts of /proc are closed; the rest is still worth telling.
    try:
        return _packages(word) if topic == "packages" else _TOPICS[topic]()
    except Exception as error:
        return f"cannot be told here ({type(error).__name__})"


def _time() -> str:
    now = datetime.now().astimezone()
    return f"{now:%A, %Y-%m-%d %H:%M:%S}, zone {now.tzname()} (UTC{now:%z})"


def _platform() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{platform.platform()}, {platform.machine()}; {python}, {sys.executable or 'no executable'}"


def _packages(word: str) -> str:
    found = sorted(set(_installed(word.casefold().replace("_", "-"))), key=str.casefold)
    if not found:
        return f"none has {word!r} in its name" if word else "none"
    more = f", … and {len(found) - MAX_PACKAGES} more: give a word" if len(found) > MAX_PACKAGES else ""
    return f"{len(found)}: {', '.join(found[:MAX_PACKAGES])}{more}"


def _installed(word: str) -> Iterator[str]:
    for package in metadata.distributions():
        # Broken leftovers of a package have no name.
        name = package.metadata["Name"] if package.metadata else None
        if name and word in name.casefold().replace("_", "-"):
            yield f"{name} {package.version}"


def _memory() -> str:
    memory, swap = _psutil().virtual_memory(), _psutil().swap_memory()
    return (
        f"{_size(memory.available)} free of {_size(memory.total)} ({memory.percent:.0f}% used); "
        f"swap {_size(swap.used)} used of {_size(swap.total)}"
    )


def _cpu() -> str:
    cores = f"{_psutil().cpu_count(logical=False) or '?'} cores, {os.cpu_count()} threads"
    affinity = f", {len(os.sched_getaffinity(0))} of them for this process" if hasattr(os, "sched_getaffinity") else ""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{cores}{affinity}; {_psutil().cpu_percent(interval=CPU_SECONDS):.0f}% busy{load}"


def _disk() -> str:
    disk = _psutil().disk_usage(os.getcwd())
    return f"{_size(disk.free)} free of {_size(disk.total)} ({disk.percent:.0f}% used) where the working folder is"


def _process() -> str:
    process = _psutil().Process()
    with process.oneshot():
        age = timedelta(seconds=int(datetime.now().timestamp() - process.create_time()))
        memory = process.memory_info().rss
        return (
            f"number {process.pid}, running for {age}, {_size(memory)} of memory, {process.num_threads()} threads, "
            f"{len(process.children(recursive=True))} processes started by it, working folder {os.getcwd()}"
        )


def _psutil() -> Any:
    # Imported when it is used; it tells no types of its functions.
    import psutil

    return psutil


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1_000:
            return f"{number:.4g} {unit}"
        number /= 1_000
    return f"{number:,.4g} TB"


_TOPICS: dict[str, Callable[..., str]] = {
    "time": _time,
    "platform": _platform,
    "packages": _packages,
    "memory": _memory,
    "cpu": _cpu,
    "disk": _disk,
    "process": _process,
}
