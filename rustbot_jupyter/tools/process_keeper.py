"""Runs one command and sees to it that nothing of it is left: a script of its own, for Linux, beside the kernel.

    python -I -S process_keeper.py GRACE PARENT PROGRAM ARGUMENT...

What the command starts becomes this process's to end, also what left its session: orphans come to the nearest
ancestor that adopts them. All ends when the command ends, at a TERM, and when the kernel ends, however that may be.

PARENT 0: the command has no input. This process's own is held open by whoever started it, and ends everything.
Else it is the number of the process that started this; the command has the input, and is told to leave by its end.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> int:
    """The exit code of the command; 128 and the signal's number when a signal ended it."""
    grace, parent, argv = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    wake_in, wake_out = os.pipe()
    os.set_blocking(wake_in, False)
    os.set_blocking(wake_out, False)
    signal.set_wakeup_fd(wake_out, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if parent and os.getppid() != parent:
        return 128 + signal.SIGTERM
    child = _start(argv, has_input=parent != 0)
    if parent:
        _let_go_of_pipes()
    status = _watch(child, [wake_in] if parent else [0, wake_in], wake_in)
    _end_all(grace)
    if parent:
        _end_like(status)
    return 128 + signal.SIGTERM if status is None else _exit_code(status)


def _start(argv: list[str], *, has_input: bool) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        if not has_input:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _let_go_of_pipes() -> None:
    """Leave the pipes to the command alone: whoever holds the other ends is to see it close its own."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _watch(child: int, inputs: list[int], wake: int) -> int | None:
    """The status of the command when it has ended; None when everything is to end before."""
    while True:
        ready, _, _ = select.select(inputs, [], [])
        if wake in ready and bytes([signal.SIGTERM]) in os.read(wake, 4_096):
            return None
        if (status := _reaped(child)) is not None:
            return status
        if 0 in ready and not os.read(0, 4_096):
            return None


def _reaped(child: int) -> int | None:
    """Take note of all that has ended; the status of the command if it is among it."""
    found = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                found = ended[1]
    except ChildProcessError:
        pass
    return found


def _end_all(grace: float) -> None:
    _signal_all(signal.SIGTERM, until=time.monotonic() + grace, again=False)
    _signal_all(signal.SIGKILL, until=time.monotonic() + 5, again=True)


def _signal_all(number: int, *, until: float, again: bool) -> None:
    """Signal all that descends from here, and wait until nothing does or the time is over."""
    is_first = True
    while _reaped(0) is None and (left := _descendants()) and time.monotonic() < until:
        if is_first or again:
            for process in left:
                _signal(process, number)
                # One that is stopped would not notice.
                _signal(process, signal.SIGCONT)
        is_first = False
        time.sleep(0.01)


def _signal(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def _descendants() -> list[int]:
    """All living processes below this one."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    # The name in brackets can hold anything, brackets included.
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if state not in (b"Z", b"X"):
                parents.setdefault(int(parent), []).append(int(name))
    found, todo = [], [os.getpid()]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def _end_like(status: int | None) -> None:
    """End by the signal that ended the command, if one did."""
    number = signal.SIGTERM if status is None else os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number:
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if __name__ == "__main__":
    sys.exit(main())
