"""bubblewrap around a command, where it is there and works: it writes in the workspace only, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path

from rustbot_jupyter.tools.workspace import Workspace

PROBE_SECONDS = 2.0
MAX_MASKS = 150
MAX_LOOKED_AT = 2_000

_HIDDEN_AT_HOME = """
    .ssh .gnupg .aws .azure .kube .docker .netrc .pypirc .npmrc .git-credentials .pgpass .my.cnf .kaggle .mozilla
    .ipython .password-store .jupyter .bash_history .zsh_history .python_history .cache/huggingface/token
    .config/gcloud .config/gh .config/google-chrome .config/chromium .config/op .config/rclone .config/rustbot-jupyter
    .local/share/rustbot-jupyter .local/share/keyrings .local/share/jupyter/runtime
"""


def has_sandbox(workspace: Workspace) -> bool:
    """True if commands in a workspace can be run in a sandbox; tried once."""
    program = _bubblewrap()
    is_whole_machine = workspace.root == Path(workspace.root.anchor)
    return program is not None and not is_whole_machine and _works(program, workspace.root)


def sandboxed(argv: list[str], workspace: Workspace, *, has_network: bool) -> list[str]:
    """The command line that runs `argv` in a sandbox, where there is one."""
    walls = _walls(_bubblewrap() or "bwrap", workspace.root, has_network=has_network)
    return [*walls, *_masks(workspace), "--", *argv]


def _bubblewrap() -> str | None:
    return shutil.which("bwrap") if sys.platform == "linux" else None


@cache
def _works(program: str, root: Path) -> bool:
    """Tried once for real: in many containers it is installed and not permitted."""
    command = [*_walls(program, root, has_network=False), "--", sys.executable, "-I", "-S", "-c", "pass"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _walls(program: str, root: Path, *, has_network: bool) -> list[str]:
    walls = [program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    # Sockets of services that act for whoever reaches them are in /run.
    walls += [word for folder in ("/tmp", "/var/tmp", "/run") if os.path.isdir(folder) for word in ("--tmpfs", folder)]
    if has_network:
        # Names of hosts are looked up by what this links to.
        resolver = os.path.realpath("/etc/resolv.conf")
        walls += ["--ro-bind-try", resolver, resolver] if resolver.startswith("/run/") else []
    else:
        walls += ["--unshare-net"]
    walls += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL", "--die-with-parent"]
    return [*walls, "--new-session", "--bind", str(root), str(root), "--chdir", str(root)]


def _masks(workspace: Workspace) -> Iterator[str]:
    """Yield options that empty or protect in there what is off limits for tools, as far as it exists now."""
    hidden = [*_at_home(os.environ), *workspace.own_folders]
    for path in islice(dict.fromkeys(hidden), MAX_MASKS):
        if path != workspace.root and path not in workspace.root.parents:
            yield from _hide(path)
    for path, is_secret in islice(_off_limits(workspace), MAX_MASKS):
        if is_secret:
            yield from _hide(path)
        elif not path.is_symlink():
            yield from ("--ro-bind-try", str(path), str(path))


def _hide(path: Path) -> Iterable[str]:
    if path.is_symlink() or not path.exists():
        return ()
    return ("--tmpfs", str(path)) if path.is_dir() else ("--ro-bind", "/dev/null", str(path))


def _at_home(environ: Mapping[str, str]) -> list[Path]:
    home = Path(os.path.realpath(os.path.expanduser("~")))
    runtime = [Path(environ["JUPYTER_RUNTIME_DIR"])] if environ.get("JUPYTER_RUNTIME_DIR") else []
    return [*(home / name for name in _HIDDEN_AT_HOME.split()), *runtime]


def _off_limits(workspace: Workspace) -> Iterator[tuple[Path, bool]]:
    """Each place in the workspace that tools do not touch, and whether it is to be hidden rather than protected."""
    left = MAX_LOOKED_AT
    for folder, names, files in os.walk(workspace.root):
        way = Path(folder).relative_to(workspace.root).parts
        left -= len(names) + len(files)
        if left < 0:
            return
        for name in (*names, *files):
            place = (*way, name)
            # git itself needs to read its settings, and must not change what it will run.
            is_of_git = ".git" in way
            if workspace.is_denied(place):
                yield Path(folder, name), not is_of_git
            elif name != ".git" and not is_of_git and workspace.is_denied(place, for_writing=True):
                yield Path(folder, name), False
        names[:] = [
            name for name in names if len(way) < 3 and not workspace.is_denied((*way, name)) and name not in _LARGE
        ]


_LARGE = frozenset({"node_modules", "objects", "__pycache__", ".venv", "venv", "site-packages"})
