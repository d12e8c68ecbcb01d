"""A JupyterLab server with folders of its own, and a Chromium that sees nothing but this machine."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).resolve().parents[2]
IPYKERNELS = Path(sys.prefix, "ipykernels")
"""Where `scripts/ipykernels.py` lays other versions beside the installed one."""
TOKEN = "only-for-these-tests"
PATIENCE_S = 60.0
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Every other name and address fails as if it did not exist.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def find_browser() -> str | None:
    """The Chrome or Chromium that CHROME names, or one that is installed."""
    return os.environ.get("CHROME") or runpy.run_path(str(ROOT / "scripts" / "find_browser.py"))["find"]()


def launch(playwright: Playwright, executable: str) -> Browser:
    """A Chromium without a window."""
    return playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)


@dataclass
class Seen:
    """What must not happen in the browser, as far as it did."""

    outside: list[str] = field(default_factory=list)
    """Requests to elsewhere than this machine; none got through."""
    dialogs: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Forget all of it."""
        self.outside.clear()
        self.dialogs.clear()


class Lab:
    """A running JupyterLab.

    Args:
        home: Where it and its kernels keep everything; notebooks are in `home/notebooks`.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.notebooks = home / "notebooks"
        self.notebooks.mkdir(parents=True)
        self._write_settings()
        self._write_older_kernel("6.31")
        self._log = (home / "lab.log").open("wb")
        self._process = subprocess.Popen(self._command(), env=self._environment(), stdout=self._log, stderr=self._log)
        # The server picks its port: one that was free a moment ago may be taken, and it tries a port before it serves.
        info = home / "runtime" / f"jpserver-{self._process.pid}.json"
        port = self._wait_for(lambda: json.loads(info.read_bytes())["port"])
        self.url = f"http://127.0.0.1:{port}"
        self._wait_for(lambda: self.ask("GET", "api/status"))

    def _command(self) -> list[str]:
        options = [
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            f"--ServerApp.root_dir={self.notebooks}",
            f"--IdentityProvider.token={TOKEN}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]
        as_root = ["--allow-root"] if os.geteuid() == 0 else []
        return [sys.executable, "-m", "jupyterlab", *options, *as_root]

    def _environment(self) -> dict[str, str]:
        left_out = ("JUPYTER", "RUSTBOT_", "PYTHONPATH")
        env = {k: v for k, v in os.environ.items() if not k.startswith(left_out) and not k.endswith("_API_KEY")}
        env |= {f"JUPYTER_{name}_DIR": str(self.home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        env |= {f"JUPYTERLAB_{name}_DIR": str(self.home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
        env |= {f"RUSTBOT_{name}_DIR": str(self.home / "rustbot") for name in ("CONFIG", "DATA")}
        # What is tested is this checkout, whatever is installed.
        env |= {"IPYTHONDIR": str(self.home / "ipython"), "PYTHONPATH": str(ROOT)}
        return env | {"JUPYTER_PREFER_ENV_PATH": "1"}

    def _write_settings(self) -> None:
        for plugin, values in {
            "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
            "docmanager-extension/plugin": {"autosave": False},
        }.items():
            path = self.home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")

    def _write_older_kernel(self, version: str) -> None:
        folder = self.home / "data" / "kernels" / f"ipykernel-{version}"
        folder.mkdir(parents=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": f"ipykernel {version}",
            "language": "python",
            "env": {"PYTHONPATH": os.pathsep.join([str(IPYKERNELS / version), str(ROOT)])},
        }
        (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")

    def _wait_for(self, look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return look()
            except (OSError, ValueError):
                is_over = self._process.poll() is not None or time.monotonic() > deadline
                assert not is_over, (self.home / "lab.log").read_text(errors="replace")
                time.sleep(0.05)

    def ask(self, method: str, path: str, data: Any = None) -> Any:
        """The server's answer to a request of its API."""
        request = urllib.request.Request(
            f"{self.url}/{path}",
            method=method,
            data=None if data is None else json.dumps(data).encode(),
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return json.loads(response.read() or b"null")

    def start_kernel(self, name: str = "python3") -> str:
        """The id of a new kernel."""
        kernel: str = self.ask("POST", "api/kernels", {"name": name})["id"]
        return kernel

    def restart_kernel(self, kernel: str) -> None:
        """Restart a kernel, whatever it does; it is ready afterwards."""
        self.ask("POST", f"api/kernels/{kernel}/restart")

    def close(self) -> None:
        """End the server and its kernels."""
        for kernel in self.ask("GET", "api/kernels"):
            self.ask("DELETE", f"api/kernels/{kernel['id']}")
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._log.close()


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """A JupyterLab for as long as the block runs."""
    lab = Lab(home)
    try:
        yield lab
    finally:
        lab.close()
