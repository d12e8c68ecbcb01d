"""Differences between kernels: everything that touches names of ipykernel's own stands here."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, kw_only=True)
class KernelFacts:
    """The kernel this process is, as far as the chat cares."""

    ipykernel: str
    """Its version; "" when there is no kernel, or it is another one."""
    has_subshells: bool
    """True if messages of the page are read while a cell runs."""
    takes_input: bool = False
    """True if the cell that runs now may ask its user; False where nobody looks, as in nbconvert."""


def kernel_facts() -> KernelFacts:
    """Return what kernel this is; imports nothing."""
    package = sys.modules.get("ipykernel")
    base = sys.modules.get("ipykernel.kernelbase")
    if package is None or base is None or not base.Kernel.initialized():
        return KernelFacts(ipykernel="", has_subshells=False)
    kernel = base.Kernel.instance()
    return KernelFacts(
        ipykernel=str(getattr(package, "__version__", "")),
        has_subshells=bool(getattr(kernel, "_supports_kernel_subshells", False)),
        takes_input=bool(getattr(kernel, "_allow_stdin", False)),
    )


def is_in_cell() -> bool:
    """True if the caller is on the main thread while a cell runs or awaits there; in a kernel only."""
    is_main = threading.current_thread() is threading.main_thread()
    # Between what the page sends, ipykernel ignores interrupts.
    return is_main and bool(kernel_facts().ipykernel) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


@dataclass(frozen=True, kw_only=True)
class CellRun:
    """One run of a cell of a notebook."""

    cell_id: str
    run_id: str
    """Differs each time the cell is run."""


def running_cell(shell: Any) -> CellRun | None:
    """The cell that runs now, as JupyterLab and Notebook name it; None where nobody says it."""
    get_parent = getattr(shell, "get_parent", None)
    parent = (get_parent() if get_parent is not None else None) or {}
    cell_id = parent.get("metadata", {}).get("cellId")
    if not isinstance(cell_id, str):
        return None
    return CellRun(cell_id=cell_id, run_id=str(parent.get("header", {}).get("msg_id", "")))


def read_on_subshells(comm: Any) -> None:
    """Have a comm's messages handled where the page sent them: on a subshell, while a cell runs.

    ipykernel 7.4 sends a message of the page to the shell that last used the comm. We stream from a thread of our
    own, which counts as the main shell, so that a Stop would wait for the running cell.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default


def send_without_parent(comm: Any) -> None:
    """Have a comm's custom messages name no message of the page as their cause.

    ipykernel would name the last one it read, which is a third of the bytes of a streamed piece and tells nobody
    anything: only the echoes of trait changes are matched by it.
    """
    kernel = getattr(comm, "kernel", None)
    if kernel is None or not hasattr(comm, "publish_msg"):
        return
    publish = comm.publish_msg

    def publish_msg(msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **more: Any) -> None:
        if msg_type != "comm_msg" or not isinstance(data, dict) or data.get("method") != "custom":
            publish(msg_type, data=data, metadata=metadata, buffers=buffers, **more)
            return
        content = {"data": data, "comm_id": comm.comm_id}
        kernel.session.send(kernel.iopub_socket, msg_type, content, ident=comm.topic, buffers=buffers)

    comm.publish_msg = publish_msg


def loop_of(shell: Any) -> asyncio.AbstractEventLoop | None:
    """The loop on which a kernel runs its cells; None for a shell in a terminal, which has none between them."""
    io_loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    return getattr(io_loop, "asyncio_loop", None)
