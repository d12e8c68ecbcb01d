"""The workspace: nothing outside is touched, what is off limits stays so, honest paths work (rows X4, X5)."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.payloads_paths import HONEST, LINKS, OUTSIDE, RUN_LATER, SECRET

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.base import Tool, ToolContext
from rustbot_jupyter.tools.files import file_tools
from rustbot_jupyter.tools.folders import NamedFolder, OpenFolder
from rustbot_jupyter.tools.workspace import Workspace

CANARY = "zebra-4711"
NAME = "koala-0815"
"""A file outside has this in its name; no payload has."""

CALLS: dict[str, dict[str, Any]] = {
    "read_file": {},
    "write_file": {"text": "written"},
    "edit_file": {"old": CANARY, "new": "edited"},
    "list_files": {},
    "find_files": {"pattern": "*"},
    "search_files": {"query": "e"},
    "delete_file": {},
}


class Ground:
    """A workspace beside a folder that must stay as it is."""

    def __init__(self, folder: Path) -> None:
        self.root, self.out = folder / "ws", folder / "out"
        self._grow_outside()
        (self.root / "inner/deep").mkdir(parents=True)
        (self.root / "inner/a.txt").write_text("inner\n")

    def _grow_outside(self) -> None:
        (self.out / "sub").mkdir(parents=True)
        (self.out / "canary.txt").write_text(CANARY)
        (self.out / "sub/deeper.txt").write_text(CANARY)
        (self.out / NAME).write_text(CANARY)

    def add_hostile(self) -> None:
        for name, target in LINKS.items():
            (self.root / name).symlink_to(self.fill(target))
        (self.root / "inner/to_ws").symlink_to("..")
        os.link(self.out / "canary.txt", self.root / "hard_link.txt")
        os.link(self.out / "sub/deeper.txt", self.root / "inner/hard_link.txt")
        os.mkfifo(self.root / "pipe")
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.open(self.root, os.O_RDONLY)
            listener.bind(f"/proc/self/fd/{here}/socket")
            os.close(here)

    def fill(self, path: str) -> str:
        return path.format(ws=self.root, out=self.out)

    def names(self) -> set[str]:
        """All that is in the workspace, the root's absolute spelling included."""
        names = {os.path.relpath(path, self.root) for path in self.root.rglob("*")}
        return names | {f"{self.root}/{name}" for name in names} | {f"./{name}" for name in names}

    def outside(self) -> dict[str, bytes]:
        """All that is beside the workspace."""
        # The workspace itself is not walked: a folder in it may become a link meanwhile.
        return {
            str(path.relative_to(self.out)): path.read_bytes() if path.is_file() else b"folder"
            for path in self.out.rglob("*")
        } | {path.name: b"" for path in self.out.parent.iterdir() if path.name != "trash"}


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "trash"))
    return Ground(tmp_path)


async def called(tool: Tool, arguments: dict[str, Any]) -> str:
    """What a call gives, all that a card shows of it included; or its refusal."""
    seen = []
    try:
        arguments = tool.check(arguments)
        tool.forbid(arguments)
        seen = [repr(tool.preview(arguments)), str(tool.patterns.suggest(arguments))]
        result = await tool.run(arguments, ToolContext())
        return "\n".join([*seen, result.content, result.origin])
    except ToolError as error:
        return "\n".join([*seen, f"REFUSED {error}"])


@pytest.mark.parametrize("open_root", [OpenFolder.at, NamedFolder.at])
@pytest.mark.parametrize("name", CALLS)
async def test_no_path_leads_outside(ground: Ground, name: str, open_root: Callable[[Path], Any]) -> None:
    ground.add_hostile()
    before = ground.outside()
    tools = {tool.name: tool for tool in file_tools(Workspace(ground.root, open_root=open_root))}

    told = [await called(tools[name], {"path": ground.fill(path), **CALLS[name]}) for path in OUTSIDE]

    assert len(OUTSIDE) >= 60
    assert ground.outside() == before
    assert not [text for text in told if NAME in text or CANARY in text]
    assert sum("REFUSED" in text for text in told) > 0.7 * len(told)


async def test_whole_searches_do_not_leave_through_links(ground: Ground) -> None:
    ground.add_hostile()
    tools = {tool.name: tool for tool in file_tools(Workspace(ground.root))}

    listed = await called(tools["list_files"], {})
    found = await called(tools["find_files"], {"pattern": "**"})
    lines = await called(tools["search_files"], {"query": CANARY})

    assert "to_folder  (link)" in listed
    assert "inner/a.txt" in found
    assert NAME not in found
    assert "No line holds" in lines


@pytest.mark.parametrize("open_root", [OpenFolder.at, NamedFolder.at])
async def test_what_is_off_limits_is_neither_read_nor_written(ground: Ground, open_root: Callable[[Path], Any]) -> None:
    own = ground.root / "own"
    own.mkdir()
    (ground.root / "to_own").symlink_to("own")
    tools = file_tools(Workspace(ground.root, own_folders=[own], open_root=open_root))
    places = [ground.root / ground.fill(path) for path in SECRET]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(CANARY)

    told = {
        (tool.name, path): await called(tool, {"path": ground.fill(path), **CALLS[tool.name]})
        for tool in tools
        for path in SECRET
    }

    assert len(SECRET) >= 60
    assert [call for call, text in told.items() if "REFUSED" not in text or CANARY in text] == []
    assert [place for place in places if place.read_text() != CANARY] == []


async def test_searches_pass_over_what_is_off_limits(ground: Ground) -> None:
    for path in SECRET:
        place = ground.root / ground.fill(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(CANARY)
    own = [ground.root / "own", ground.root / "to_own"]
    tools = {tool.name: tool for tool in file_tools(Workspace(ground.root, own_folders=own))}

    assert "No line holds" in await called(tools["search_files"], {"query": CANARY})
    assert ".env" not in await called(tools["find_files"], {"pattern": "*"})
    assert ".env  (off limits)" in await called(tools["list_files"], {})


@pytest.mark.parametrize("path", RUN_LATER)
async def test_what_runs_later_is_read_and_never_written(ground: Ground, path: str) -> None:
    place = ground.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(CANARY)
    tools = file_tools(Workspace(ground.root))

    told = {tool.name: await called(tool, {"path": path, **CALLS[tool.name]}) for tool in tools}

    assert CANARY in told["read_file"]
    assert [told[name][:7] for name in ("write_file", "edit_file", "delete_file")] == ["REFUSED"] * 3
    assert place.read_text() == CANARY


@pytest.mark.parametrize("open_root", [OpenFolder.at, NamedFolder.at])
@pytest.mark.parametrize("path", HONEST)
async def test_an_honest_path_works(ground: Ground, path: str, open_root: Callable[[Path], Any]) -> None:
    path = ground.fill(path)
    (ground.root / "x").mkdir()
    (ground.root / "target").mkdir()
    (ground.root / "inside_link").symlink_to(ground.root / "target")
    (ground.root / "to_honest").symlink_to("target/honest.txt")
    tools = {tool.name: tool for tool in file_tools(Workspace(ground.root, open_root=open_root))}

    written = await called(tools["write_file"], {"path": path, "text": "first\nsecond\n"})
    edited = await called(tools["edit_file"], {"path": path, "old": "second", "new": "third"})
    read = await called(tools["read_file"], {"path": path})
    found = await called(tools["search_files"], {"query": "third", "path": path})
    in_folder = await called(tools["search_files"], {"query": "third"})

    assert (ground.root / path).read_text() == "first\nthird\n"
    assert "REFUSED" not in written + edited
    assert "first\nthird" in read
    assert ":2: third" in found
    assert ":2: third" in in_folder
    assert "moved to the trash" in await called(tools["delete_file"], {"path": path})
    assert path not in ground.names()


@pytest.mark.parametrize("path", ["pipe", "socket"])
@pytest.mark.parametrize("name", ["read_file", "write_file", "edit_file", "search_files"])
async def test_what_is_no_regular_file_is_refused_at_once(ground: Ground, name: str, path: str) -> None:
    ground.add_hostile()
    tools = {tool.name: tool for tool in file_tools(Workspace(ground.root))}

    told = await called(tools[name], {"path": path, **CALLS[name]})

    assert f"REFUSED '{path}' is a device, a pipe, a socket or a link" in told


async def test_a_link_stays_when_what_it_leads_to_is_written(ground: Ground) -> None:
    (ground.root / "link.txt").symlink_to("inner/a.txt")
    tools = {tool.name: tool for tool in file_tools(Workspace(ground.root))}

    await called(tools["write_file"], {"path": "link.txt", "text": "new"})

    assert (ground.root / "link.txt").is_symlink()
    assert (ground.root / "inner/a.txt").read_text() == "new"


async def test_a_deleted_link_leaves_what_it_leads_to(ground: Ground) -> None:
    (ground.root / "link.txt").symlink_to("../out/canary.txt")
    tools = {tool.name: tool for tool in file_tools(Workspace(ground.root))}

    told = await called(tools["delete_file"], {"path": "link.txt"})

    assert "the link, not what it leads to" in told
    assert (ground.out / "canary.txt").read_text() == CANARY
    assert not (ground.root / "link.txt").is_symlink()


def test_nothing_of_the_system_is_touched_where_the_root_is_the_whole_machine() -> None:
    workspace = Workspace(Path("/"))

    with pytest.raises(ToolError, match="belongs to the system"):
        workspace.read("/proc/self/environ", 100)
    with pytest.raises(ToolError, match="belongs to the system"):
        workspace.name_of("dev/sda")


def test_a_workspace_below_rustbots_own_folder_opens_nothing(ground: Ground) -> None:
    workspace = Workspace(ground.root, own_folders=[ground.root])

    with pytest.raises(ToolError, match="Rustbot keeps its own settings"):
        workspace.read("inner/a.txt", 100)


def test_a_root_reached_through_a_link_takes_both_spellings(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to("ws")
    workspace = Workspace(tmp_path / "other")

    assert workspace.name_of(str(tmp_path / "other/inner/a.txt")) == "inner/a.txt"
    assert workspace.name_of(str(tmp_path / "ws/inner/a.txt")) == "inner/a.txt"


def test_no_descriptor_is_left_open(ground: Ground) -> None:
    ground.add_hostile()
    workspace = Workspace(ground.root)
    before = len(os.listdir("/proc/self/fd"))

    for path in [*OUTSIDE, "inner/a.txt", "inner/to_ws/inner/a.txt"]:
        try:
            workspace.read(ground.fill(path), 100)
        except ToolError:
            continue

    assert len(os.listdir("/proc/self/fd")) == before


# A folder that becomes a link to one outside and back, all the time.


def _swap(root: str, out: str, is_going: Any, is_over: Any) -> None:
    folder, link = f"{root}/swapped".encode(), f"{root}/link".encode()
    os.symlink(out.encode(), link)
    exchange = ctypes.CDLL(None, use_errno=True).renameat2
    while not is_over.is_set():
        for _ in range(100):
            # AT_FDCWD and RENAME_EXCHANGE: at no moment is there nothing.
            if exchange(-100, folder, -100, link, 2):
                raise OSError(ctypes.get_errno(), "exchange")
        is_going.set()


@pytest.fixture
def swapped(ground: Ground) -> Iterator[Ground]:
    (ground.root / "swapped").mkdir()
    (ground.root / "swapped/canary.txt").write_text("inside")
    context = multiprocessing.get_context("spawn")
    is_going, is_over = context.Event(), context.Event()
    swapper = context.Process(target=_swap, args=(str(ground.root), str(ground.out), is_going, is_over), daemon=True)
    swapper.start()
    assert is_going.wait(30)
    yield ground
    is_over.set()
    swapper.join(30)
    assert swapper.exitcode == 0


def _tried(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except (ToolError, OSError):
        return None


def test_the_swapped_link_fools_whoever_checks_before_the_use(swapped: Ground) -> None:
    path = swapped.root / "swapped/canary.txt"

    def checked_first() -> str | None:
        return path.read_text() if path.resolve().is_relative_to(swapped.root) else None

    assert any(_tried(checked_first) == CANARY for _ in range(200_000))


@pytest.mark.timeout(240)
def test_a_swapped_link_never_leads_outside_in_10_000_rounds(swapped: Ground) -> None:
    workspace = Workspace(swapped.root)
    before = swapped.outside()
    inside = 0

    for round_number in range(10_000):
        content = _tried(lambda: workspace.read("swapped/canary.txt", 100))
        if content is not None:
            assert content.data != CANARY.encode()
            inside += 1
        if round_number % 10 == 0:
            _tried(lambda: workspace.write("swapped/canary.txt", b"inside"))
        if round_number % 10 == 5:
            assert NAME not in (_tried(lambda: _names(workspace, "swapped")) or [])

    assert inside > 100
    assert swapped.outside() == before


def _names(workspace: Workspace, path: str) -> list[str]:
    with workspace.folder(path) as place:
        return [entry.name for entry in place.folder.entries()]
