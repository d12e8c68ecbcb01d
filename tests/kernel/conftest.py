"""Real kernels, driven as a browser drives them: cells, comms, subshells."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from pages import Page
from servers.misbehaving import MisbehavingServer

IPYKERNELS = Path(sys.prefix, "ipykernels")
"""Where `scripts/ipykernels.py` lays other versions beside the installed one."""
PATIENCE_S = 20.0


class Kernel:
    """A kernel process with a client that listens to all it says."""

    def __init__(self, home: Path, ipykernel: str | None) -> None:
        env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        env |= {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        env |= {"IPYTHONDIR": str(home / "ipython"), "RUSTBOT_CONFIG_DIR": str(home), "RUSTBOT_DATA_DIR": str(home)}
        env |= {"PYTHONPATH": str(IPYKERNELS / ipykernel) if ipykernel else ""}
        specs = KernelSpecManager(kernel_dirs=[])
        self.home = home
        """Where it runs, with its settings."""
        self.manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
        self.manager.start_kernel(env=env, cwd=str(home))
        self.messages: list[dict[str, Any]] = []
        """Everything said on IOPub."""
        self.widgets: dict[str, Widget] = {}
        self._changed = threading.Condition()
        self._connect()

    def _connect(self) -> None:
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self._is_listening = True
        self._listener = threading.Thread(target=self._listen, name="kernel-listener", daemon=True)
        self._listener.start()

    @property
    def subshells(self) -> bool:
        """Whether this kernel has subshells."""
        return "kernel subshells" in self._ask("kernel_info_request", self.client.shell_channel).get(
            "supported_features", []
        )

    def start(self, code: str) -> str:
        """Run a cell without waiting; returns the id its messages have as parent."""
        parent: str = self.client.execute(code)
        return parent

    def run(self, code: str) -> str:
        """What a cell printed; fails if it raised."""
        parent = self.start(code)
        self.until_ended(parent)
        said = [message for message in self.messages if message["parent_header"].get("msg_id") == parent]
        errors = [message["content"] for message in said if message["msg_type"] == "error"]
        assert not errors, "\n".join(errors[0]["traceback"])
        return "".join(message["content"]["text"] for message in said if message["msg_type"] == "stream")

    def is_done(self, parent: str) -> bool:
        """Whether a cell has ended."""
        return any(
            message["msg_type"] == "status"
            and message["content"]["execution_state"] == "idle"
            and message["parent_header"].get("msg_id") == parent
            for message in list(self.messages)
        )

    def until_ended(self, parent: str) -> None:
        """Return once a cell has ended, and the kernel hears what is sent next.

        Before ipykernel 7.4 a request that comes while a reply is sent may lie unread until yet another one comes
        (https://github.com/ipython/ipykernel/pull/1529); "idle" can be here before the reply is sent.
        """
        self.until(lambda: self.is_done(parent))
        # Of a cell that was interrupted again while it failed there is no reply.
        with suppress(Empty):
            while self.client.get_shell_msg(timeout=2)["parent_header"].get("msg_id") != parent:
                pass

    def until(self, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Return once something is so, looked at after each message of the kernel."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout=patience_s), "it did not happen"

    def show(self, code: str) -> Widget:
        """The widget that a cell opens."""
        known = set(self.widgets)
        self.run(code)
        self.until(lambda: set(self.widgets) - known)
        (comm_id,) = set(self.widgets) - known
        return self.widgets[comm_id]

    def interrupt(self) -> None:
        """Press the notebook's Stop."""
        self.manager.interrupt_kernel()

    def restart(self) -> None:
        """Restart the kernel; all widgets are dead."""
        self._stop_listening()
        self.widgets.clear()
        self.manager.restart_kernel(now=False)
        self._connect()

    def close(self) -> None:
        """End the process."""
        self._stop_listening()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def create_subshell(self) -> str:
        """A new subshell's id."""
        subshell: str = self._ask("create_subshell_request", self.client.control_channel)["subshell_id"]
        return subshell

    def _ask(self, kind: str, channel: Any) -> dict[str, Any]:
        request = self.client.session.msg(kind)
        channel.send(request)
        while True:
            reply = channel.get_msg(timeout=PATIENCE_S)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                content: dict[str, Any] = reply["content"]
                return content

    def _stop_listening(self) -> None:
        self._is_listening = False
        self._listener.join()
        self.client.stop_channels()

    def _listen(self) -> None:
        while self._is_listening:
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except Empty:
                continue
            with self._changed:
                self.messages.append(message)
                self._deliver(message)
                self._changed.notify_all()

    def _deliver(self, message: dict[str, Any]) -> None:
        content = message["content"]
        # A widget brings its layout along, which is a widget too.
        if message["msg_type"] == "comm_open" and "_esm" in content["data"].get("state", {}):
            self.widgets[content["comm_id"]] = Widget(self, content["comm_id"], content["data"]["state"])
        widget = self.widgets.get(content.get("comm_id", ""))
        if widget is None:
            return
        if message["msg_type"] == "comm_close":
            widget.is_closed = True
        if message["msg_type"] == "comm_msg" and content["data"]["method"] == "custom":
            for page in widget.pages:
                page.receive(content["data"]["content"], message["buffers"])


class Widget:
    """A widget as the browser has it: its comm, its state, and pages that show it."""

    def __init__(self, kernel: Kernel, comm_id: str, state: dict[str, Any]) -> None:
        self.kernel = kernel
        self.comm_id = comm_id
        self.state = state
        self.is_closed = False
        self.pages = [Page()]
        self.subshell: str | None = None
        """Where messages to the kernel go, as JupyterLab sends them: a subshell of the comm's own if there are any."""

    @property
    def page(self) -> Page:
        """The first page."""
        return self.pages[0]

    def open(self) -> None:
        """Do what a browser does when it shows the widget."""
        if self.kernel.subshells:
            self.subshell = self.kernel.create_subshell()
        self.ask("sync")

    def send(self, name: str, page: Page | None = None, **fields: Any) -> str:
        """Send a command; returns its id."""
        command = (page or self.page).command(name, **fields)
        client = self.kernel.client
        data = {"method": "custom", "content": command}
        message = client.session.msg("comm_msg", {"comm_id": self.comm_id, "data": data})
        message["header"]["subshell_id"] = self.subshell
        client.shell_channel.send(message)
        number: str = command["id"]
        return number

    def ask(self, name: str, page: Page | None = None, **fields: Any) -> dict[str, Any]:
        """The result of a command that must succeed."""
        page = page or self.page
        number = self.send(name, page, **fields)
        self.kernel.until(lambda: number in page.acks)
        ack = page.acks[number][0]
        assert ack["ok"], ack
        result: dict[str, Any] = ack.get("result", {})
        return result

    def until_answered(self, text: str, status: str = "complete") -> float:
        """When the newest message was this answer (monotonic)."""
        self.kernel.until(lambda: self.page.texts[-1:] == [("assistant", text)] and self.page.last["status"] == status)
        return time.monotonic()


def _new_kernel(home: Path, ipykernel: str | None) -> Kernel:
    if ipykernel is not None and not (IPYKERNELS / ipykernel).exists():
        pytest.skip(f"ipykernel {ipykernel} is not there: python scripts/ipykernels.py")
    return Kernel(home, ipykernel)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str | None], Kernel]]:
    """Kernels by version of ipykernel, None for the installed one; each is started once a module."""
    running: dict[str | None, Kernel] = {}

    def get(ipykernel: str | None = None) -> Kernel:
        if ipykernel not in running:
            running[ipykernel] = _new_kernel(tmp_path_factory.mktemp("kernel"), ipykernel)
        return running[ipykernel]

    yield get
    for kernel in running.values():
        kernel.close()


@pytest.fixture
def kernel(kernels: Callable[[str | None], Kernel]) -> Kernel:
    """A kernel with the installed ipykernel, shared by the tests of a module."""
    return kernels(None)


@pytest.fixture
def own_kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of the test's own, to restart or shut down."""
    kernel = Kernel(tmp_path, None)
    yield kernel
    kernel.close()


@pytest.fixture
def chat_code(server: MisbehavingServer) -> str:
    """A cell that shows a chat which asks the misbehaving server."""
    return (
        "import rustbot_jupyter as rb\n"
        f"bot = rb.Rustbot(model='test/model', base_url={server.base_url!r})\n"
        "display(bot.chat())\n"
    )
