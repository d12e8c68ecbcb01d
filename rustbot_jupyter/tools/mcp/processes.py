"""A server's process with all that it started, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil

from rustbot_jupyter.tools.mcp.launch import Launch
from rustbot_jupyter.tools.processes import has_keeper, keeper_command

EXIT_S = 1.0
"""How long a server may take to leave by itself once its input is closed, and again once it is told to."""
_POLL_S = 0.02
_MARK = "RUSTBOT_MCP_MARK"


class ServerProcess:
    """A running server; leader of a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process, mark: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self._process = process
        self._mark = mark
        self._is_over = False

    @classmethod
    async def start(cls, launch: Launch) -> ServerProcess:
        """A new process of this command.

        Raises:
            OSError: It cannot be started.
        """
        mark = uuid.uuid4().hex
        _check_program(launch)
        # A kernel that is killed closes a server's input; one that does not care would live on without a keeper.
        keeper = keeper_command(EXIT_S / 2, os.getpid()) if has_keeper() else []
        process = await asyncio.create_subprocess_exec(
            *keeper,
            *launch.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**launch.env, _MARK: mark},
            cwd=launch.cwd or None,
            start_new_session=True,
        )
        return cls(process, mark)

    @property
    def pid(self) -> int:
        """The number of the process, and of its group."""
        return self._process.pid

    @property
    def ending(self) -> str:
        """Return how it ended, in words; "" while it runs."""
        code = self._process.returncode
        if code is None:
            return ""
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    async def end(self) -> None:
        """End it and all it started: its input is closed, then it is told to leave, then killed."""
        with contextlib.suppress(OSError, RuntimeError):
            self.stdin.close()
        await self._becomes(lambda: self._process.returncode is not None)
        if self._is_group_alive():
            self._signal(signal.SIGTERM)
            await self._becomes(lambda: not self._is_group_alive())
        self.kill()
        await self._becomes(lambda: self._process.returncode is not None)
        self._is_over = True
        # A pipe that somebody still holds would keep it open.
        self._process._transport.close()  # type: ignore[attr-defined]

    def kill(self) -> None:
        """Kill it and all it started, at once; from any thread."""
        # Once all is over, its number may belong to somebody else.
        if not self._is_over:
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _signal(self, number: int) -> None:
        # The keeper is last: should we be killed meanwhile, it ends the others.
        for pid in self._others():
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _others(self) -> list[int]:
        """Return what it started and moved out of its group."""
        if sys.platform == "linux":
            return [pid for pid in _pids_with(f"{_MARK}={self._mark}".encode()) if pid != self.pid]
        with contextlib.suppress(psutil.Error):
            tree = psutil.Process(self.pid)
            return [each.pid for each in (*tree.children(recursive=True), tree)]
        return []

    def _is_group_alive(self) -> bool:
        if not hasattr(os, "killpg"):
            return self._process.returncode is None
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    async def _becomes(self, condition: Callable[[], bool]) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + EXIT_S
        while not condition():
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_POLL_S)
        return True


def _check_program(launch: Launch) -> None:
    """Raise the `OSError` of starting a program that is not there; a keeper could only tell of it."""
    name = launch.command[0]
    path = os.path.join(launch.cwd, name) if os.path.dirname(name) else name
    if shutil.which(path, path=launch.env.get("PATH", os.defpath)) is None:
        kind = errno.EACCES if os.path.exists(path) else errno.ENOENT
        raise OSError(kind, os.strerror(kind), name)


def _pids_with(entry: bytes) -> list[int]:
    """Our own processes whose environment holds this entry."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            # Others' processes cannot be read, and any may end meanwhile.
            with contextlib.suppress(OSError):
                if entry in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
    return found
