"""A process that runs for a tool: its output as it comes, its end at a limit or a cancel, and nothing left of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import uuid
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rustbot_jupyter.tools.workers import in_worker

GRACE_S = 2.0
"""How long a process has to end by itself after it was told to."""
MAX_OUTPUT_BYTES = 200_000_000
"""A process that writes more is stopped; very little of it is kept anyway."""
MARK = "RUSTBOT_RUN"
"""In the environment of all that a run starts, so that it is found again."""

T = TypeVar("T")

_KEEPER = Path(__file__).with_name("process_keeper.py")
_SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASS(W|PHRASE|$)|PASSWD|CREDENTIAL|COOKIE|PRIVATE|AUTH(?!OR)|BEARER|SIGNATURE|DSN$|WEBHOOK|_PAT$|_PW$"
    r"|CONNECTION_?STRING|^DBUS_|^SSH_AGENT|^GPG_AGENT|^RUSTBOT|^JPY_|^JUPYTERHUB_|^AWS_|^AZURE_|^OPENROUTER|^OPENAI"
    r"|^ANTHROPIC",
    re.IGNORECASE,
)
# A password in an address, and the beginnings that vendors give their keys.
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@|\b(sk|pk|rk|ghp|gho|ghs|github_pat|glpat|hf|xox[abp])[-_][\w-]{12}|\bAKIA\w{12}"
)
_QUIET = {
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "MANPAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    # Nobody is there to close an editor.
    "EDITOR": "false",
    "VISUAL": "false",
    "GIT_EDITOR": "false",
    "PYTHONUNBUFFERED": "1",
    "NO_COLOR": "1",
}


class TooMuchOutput(Exception):
    """The process wrote without end."""


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process: no secrets, nothing of ours, and no program found in the working folder."""
    kept = {
        name: value
        for name, value in environ.items()
        if not _SECRET_NAME.search(name) and not _SECRET_VALUE.search(value)
    }
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    kept["PATH"] = os.pathsep.join(folder for folder in folders if os.path.isabs(folder))
    return kept | _QUIET


async def run_process(
    argv: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    timeout: float | None,
    on_output: Callable[[bytes], None],
) -> int:
    """The exit code of a program; 128 and the signal's number when a signal ended it.

    It has no terminal and no input. When it ends, at the limit, and on a cancel, all that it started ends with it.

    Args:
        argv: The program and its arguments.
        folder: The working folder.
        environment: All of its environment.
        timeout: Seconds; None for no limit.
        on_output: Called with each piece of what it writes, errors included.

    Raises:
        OSError: It could not be started.
        TimeoutError: It was stopped at the limit.
        TooMuchOutput: It was stopped since it wrote too much.
    """
    mark = uuid.uuid4().hex
    starting = asyncio.ensure_future(_start(argv, folder, {**environment, MARK: mark}))
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # It may be half started, and then nobody else could end it.
        await _to_the_end(_abandon(starting, mark))
        raise
    reading = asyncio.ensure_future(_read(process, on_output))
    try:
        async with asyncio.timeout(timeout):
            code = await _ended(process, reading)
            if not has_keeper() or code < 0:
                await in_worker(lambda: _end_marked(mark))
            await asyncio.wait([reading], timeout=GRACE_S)
    except BaseException:
        await _to_the_end(_stop(process, mark, reading))
        raise
    finally:
        reading.cancel()
    return 128 - code if code < 0 else code


async def _start(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Process:
    keeper = keeper_command(GRACE_S) if has_keeper() else []
    return await asyncio.create_subprocess_exec(
        *keeper,
        *argv,
        stdin=PIPE if keeper else DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )


def has_keeper() -> bool:
    """True if a process can be put under a keeper, which ends it with the kernel."""
    return sys.platform == "linux" and bool(sys.executable)


def keeper_command(grace_s: float, parent: int = 0) -> list[str]:
    """Return what is put before a command to have it kept.

    Args:
        grace_s: How long processes have to leave when they are told to, in seconds.
        parent: Our own number when the command is to have the input; 0 gives it none, and the input is what keeps it.
    """
    return [sys.executable, "-I", "-S", str(_KEEPER), str(grace_s), str(parent)]


async def _read(process: Process, on_output: Callable[[bytes], None]) -> None:
    assert process.stdout is not None
    total = 0
    while chunk := await process.stdout.read(1 << 16):
        on_output(chunk)
        total += len(chunk)
        if total > MAX_OUTPUT_BYTES:
            raise TooMuchOutput


async def _ended(process: Process, reading: asyncio.Task[None]) -> int:
    """The exit code, once the process has ended and all is read that it wrote."""
    while process.returncode is None:
        # What it left behind can hold its output open; some versions of asyncio then do not tell that it has ended.
        done, _ = await asyncio.wait([reading], timeout=0.2)
        if done:
            reading.result()
            return await process.wait()
    return process.returncode


async def _to_the_end(work: Awaitable[T]) -> T:
    """Return what the work gives. A cancel waits for it: it takes seconds at most, and without it something is left."""
    task = asyncio.ensure_future(work)
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            is_cancelled = not task.cancelled()
    if is_cancelled:
        raise asyncio.CancelledError from (None if task.cancelled() else task.exception())
    return task.result()


async def _abandon(starting: asyncio.Future[Process], mark: str) -> None:
    with contextlib.suppress(OSError):
        await _stop(await starting, mark, None)


async def _stop(process: Process, mark: str, reading: asyncio.Task[None] | None) -> None:
    """End a process and all that it started."""
    if reading is not None:
        reading.cancel()
        await asyncio.wait([reading])
    # Unread output would keep it from ending.
    draining = asyncio.ensure_future(_drain(process))
    if process.stdin is not None:
        process.stdin.close()
    else:
        _signal_group(process, "SIGTERM")
    await _exit(process, GRACE_S if process.stdin is None else GRACE_S + 6)
    _signal_group(process, "SIGKILL")
    if process.stdin is None or process.returncode is None or process.returncode < 0:
        await in_worker(lambda: _end_marked(mark))
    await _exit(process, GRACE_S)
    draining.cancel()


async def _drain(process: Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        continue


async def _exit(process: Process, limit: float) -> None:
    """Wait until a process has ended, for some seconds at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await process.wait()


def _signal_group(process: Process, name: str) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, getattr(signal, name))
        elif name == "SIGKILL":
            process.kill()
        else:
            process.terminate()


def _end_marked(mark: str) -> None:
    """Kill whatever has the run's mark in its environment, and what that started."""
    import psutil

    for _ in range(20):
        left = [process for process in psutil.process_iter() if _has_mark(process, mark)]  # type: ignore[no-untyped-call]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=0.2)  # type: ignore[no-untyped-call]


def _has_mark(process: Any, mark: str) -> bool:
    import psutil

    try:
        return bool(process.environ().get(MARK) == mark) and process.status() != psutil.STATUS_ZOMBIE
    # Gone, or somebody else's.
    except (psutil.Error, OSError):
        return False
