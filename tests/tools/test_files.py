"""The file tools: what they read, show, change and refuse."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from effort import SOON_S, cpu_at_most
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools import edits, file_search
from rustbot_jupyter.tools.base import BUILT_IN, Preview, Risk, Tool, ToolContext, ToolResult
from rustbot_jupyter.tools.files import file_tools
from rustbot_jupyter.tools.texts import decoded
from rustbot_jupyter.tools.workspace import Workspace


class Desk:
    """The tools of a workspace, called as the runner calls them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tools: dict[str, Tool] = {tool.name: tool for tool in file_tools(Workspace(root))}

    async def call(self, name: str, **arguments: Any) -> ToolResult:
        checked = self.tools[name].check(arguments)
        self.tools[name].forbid(checked)
        return await self.tools[name].run(checked, ToolContext())

    async def text(self, name: str, **arguments: Any) -> str:
        return (await self.call(name, **arguments)).text

    def preview(self, name: str, **arguments: Any) -> Preview:
        return self.tools[name].preview(self.tools[name].check(arguments))

    def covers(self, name: str, pattern: str, **arguments: Any) -> bool:
        return self.tools[name].patterns.matches(pattern, arguments)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    # On a busy machine it takes long until a search in a process of its own begins.
    monkeypatch.setattr(file_search, "MAX_SECONDS", 60.0)
    (tmp_path / "ws").mkdir()
    return Desk(tmp_path / "ws")


def test_the_tools_say_what_they_do_and_what_they_risk(desk: Desk) -> None:
    risks = {name: tool.risk for name, tool in desk.tools.items()}

    assert {name for name, risk in risks.items() if risk is Risk.WRITE} == {"write_file", "edit_file", "delete_file"}
    assert {name for name, risk in risks.items() if risk is Risk.READ} == {
        "read_file",
        "list_files",
        "find_files",
        "search_files",
    }
    for tool in desk.tools.values():
        assert tool.label
        assert tool.source == BUILT_IN
        assert len(tool.definition.description) > 60
        parameters = tool.definition.parameters["properties"].values()
        assert all(parameter.get("description") for parameter in parameters)


# Reading.


async def test_a_file_is_read_with_its_lines_and_encoding(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("one\ntwo\nthree\n")

    result = await desk.call("read_file", path="a.txt")

    assert result.text == "a.txt, lines 1 to 3 of 3, UTF-8:\none\ntwo\nthree"
    assert result.origin == "file a.txt"
    assert result.is_private


@pytest.mark.parametrize(
    ("first", "count", "heading", "last"),
    [
        (1, 2, "lines 1 to 2 of 50", "[goes on: read from first_line=3]"),
        (40, 100, "lines 40 to 50 of 50", "line 50"),
        (-3, 100, "lines 48 to 50 of 50", "line 50"),
        (-999, 1, "lines 1 to 1 of 50", "[goes on: read from first_line=2]"),
    ],
)
async def test_a_part_of_a_file_is_read(desk: Desk, first: int, count: int, heading: str, last: str) -> None:
    (desk.root / "a.txt").write_text("".join(f"line {number}\n" for number in range(1, 51)))

    lines = (await desk.text("read_file", path="a.txt", first_line=first, line_count=count)).split("\n")

    assert heading in lines[0]
    assert lines[-1] == last


async def test_the_parts_of_a_long_file_are_the_file(desk: Desk) -> None:
    lines = [f"{number} {'x' * (number % 90)}" for number in range(3_000)]
    (desk.root / "a.txt").write_text("\n".join(lines) + "\n")

    read: list[str] = []
    first = 1
    while True:
        text = await desk.text("read_file", path="a.txt", first_line=first)
        assert len(text) < 21_000
        body = text.split("\n")[1:]
        read += [line for line in body if not line.startswith("[goes on")]
        if not body[-1].startswith("[goes on"):
            break
        first = int(body[-1].rpartition("=")[2].rstrip("]"))

    assert read == lines


async def test_a_line_beyond_the_end_is_refused_with_the_number_there_is(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("one\n")

    with pytest.raises(ToolError, match="has 1 line"):
        await desk.call("read_file", path="a.txt", first_line=7)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("größe ✓\n".encode(), "UTF-8"),
        ("größe\n".encode("utf-8-sig"), "UTF-8 with a byte order mark"),
        ("größe ✓ 日本\n".encode("utf-16"), "UTF-16-LE"),
        (b"\xfe\xff" + "größe\n".encode("utf-16-be"), "UTF-16-BE"),
        ("größe\n".encode("utf-32"), "UTF-32-LE"),
        ("plain western text\n".encode("utf-16-le"), "UTF-16-LE"),
        ("plain western text\n".encode("utf-16-be"), "UTF-16-BE"),
        ("größe\n".encode("latin-1"), "Latin-1 (a guess"),
        (b"one\r\ntwo\r\n", "UTF-8, Windows line ends"),
        (b"\x1b[31mred\x1b[0m\n", "UTF-8"),
    ],
)
async def test_an_encoding_is_found_and_said(desk: Desk, data: bytes, encoding: str) -> None:
    (desk.root / "a.txt").write_bytes(data)

    text = await desk.text("read_file", path="a.txt")

    assert encoding in text.split("\n")[0]
    assert "gr\xf6\xdfe" in text or b"gr" not in data


WIDE = {
    "Latin": "größe;Wert\r\n5,3 €;✓\r\n",
    "Cyrillic": "Привет, мир\nвторая строка\n",
    "Hebrew": "שלום עולם\n",
    "Japanese": "日本語のテキスト\nもう一行\n",
    "Chinese": "第一行\n第二行，还有更多\n",
    "emoji": "Done 🎉\n",
}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["bare", "marked"])
@pytest.mark.parametrize("script", WIDE)
async def test_utf_16_of_any_script_is_read_searched_and_edited(
    desk: Desk, script: str, bom: str, encoding: str
) -> None:
    text = WIDE[script]
    first, second = text.splitlines()[0], text.split()[-1]
    (desk.root / "a.txt").write_bytes((bom + text).encode(encoding))

    read = await desk.text("read_file", path="a.txt")
    found = await desk.text("search_files", query=second)
    await desk.call("edit_file", path="a.txt", old=first, new="Other")

    assert first in read.split("\n")[1]
    assert encoding.upper() in read.split("\n")[0]
    assert second in found.split("\n")[0]
    assert found.startswith("a.txt:")
    assert (desk.root / "a.txt").read_bytes() == (bom + text.replace(first, "Other")).encode(encoding)


@pytest.mark.parametrize("code", ["h", "i", "q", "f", "d"])
def test_numbers_in_a_file_are_no_text(code: str) -> None:
    numbers = [number * 37 % 9_001 - 900 for number in range(400)]

    assert decoded(struct.pack(f"<{len(numbers)}{code}", *numbers)) is None
    assert decoded(struct.pack(f">{len(numbers)}{code}", *numbers)) is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PAR1" + bytes(100), "Parquet table"),
        (b"SQLite format 3\0" + bytes(100), "SQLite database"),
        (b"%PDF-1.7\n\xe2\xe3\xcf\xd3\0", "PDF document"),
        (b"\x80\x04\x95\0\0\0\0\0", "binary file"),
        (bytes(range(256)) * 40, "binary file"),
        (b"PK\x03\x04\x14\0", "ZIP archive"),
        (b"\x7fELF\x02\x01\x01\0", "program"),
    ],
)
async def test_a_binary_file_is_described_and_not_shown(desk: Desk, data: bytes, kind: str) -> None:
    (desk.root / "a.bin").write_bytes(data)

    text = await desk.text("read_file", path="a.bin")

    assert text.startswith(f"a.bin: {kind}")
    assert f"{len(data):,} bytes" in text


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
async def test_an_image_is_given_as_an_image(desk: Desk, start: bytes, kind: str) -> None:
    data = start + bytes(500)
    (desk.root / "picture").write_bytes(data)

    (image,) = (await desk.call("read_file", path="picture")).images

    assert (image.media_type, image.data) == (kind, data)


async def test_an_image_beyond_5_mb_is_described(desk: Desk) -> None:
    (desk.root / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5_000_001))

    result = await desk.call("read_file", path="picture.png")

    assert result.images == ()
    assert result.text.startswith("picture.png: PNG image, 5,000,009 bytes")


async def test_huge_files_take_bounded_time_and_room(desk: Desk) -> None:
    with (desk.root / "huge.txt").open("wb") as file:
        file.write(b"x" * 50_000_000 + b"\n" + b"y\n" * 10)
        file.truncate(20_000_000_000)
    (desk.root / "one_line.txt").write_bytes(b"x" * 10_000_000)

    with cpu_at_most(10):
        huge = await desk.text("read_file", path="huge.txt")
        line = await desk.text("read_file", path="one_line.txt")

    assert len(huge) < 3_000
    assert "of the first 20,000,000 bytes" in huge
    assert len(line) < 3_000
    assert "cut; 10,000,000 characters in total" in line


async def test_an_empty_file_and_an_empty_folder_are_named_as_such(desk: Desk) -> None:
    (desk.root / "a.txt").touch()
    (desk.root / "folder").mkdir()

    assert await desk.text("read_file", path="a.txt") == "a.txt is empty."
    assert "It is empty." in await desk.text("list_files", path="folder")


@pytest.mark.parametrize("name", ["read_file", "list_files"])
async def test_what_is_missing_is_named_with_what_to_do(desk: Desk, name: str) -> None:
    with pytest.raises(ToolError, match=r"There is no 'no/such'.*list_files"):
        await desk.call(name, path="no/such")


async def test_a_folder_is_not_read_and_a_file_not_listed(desk: Desk) -> None:
    (desk.root / "folder").mkdir()
    (desk.root / "a.txt").touch()

    with pytest.raises(ToolError, match="'folder' is a folder"):
        await desk.call("read_file", path="folder")
    with pytest.raises(ToolError, match="no folder"):
        await desk.call("list_files", path="a.txt")


# Writing.


async def test_a_new_file_is_shown_as_a_whole_and_written_with_its_folders(desk: Desk) -> None:
    preview = desk.preview("write_file", path="new/folder/a.py", text="x = 1\n")

    assert not (desk.root / "new").exists()
    assert (preview.kind, preview.text, preview.note) == (
        "code",
        "x = 1\n",
        "A new file, new/folder/a.py: 1 line, 6 bytes.",
    )

    await desk.call("write_file", path="new/folder/a.py", text="x = 1\n")

    assert (desk.root / "new/folder/a.py").read_text() == "x = 1\n"


async def test_a_replaced_file_is_shown_as_a_difference_and_keeps_its_permissions(desk: Desk) -> None:
    (desk.root / "run.sh").write_text("one\ntwo\n")
    (desk.root / "run.sh").chmod(0o750)

    preview = desk.preview("write_file", path="run.sh", text="one\n2\n")
    await desk.call("write_file", path="run.sh", text="one\n2\n")

    assert preview.kind == "diff"
    assert preview.text == "--- run.sh\n+++ run.sh\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    assert (desk.root / "run.sh").stat().st_mode & 0o777 == 0o750
    assert [path.name for path in desk.root.iterdir()] == ["run.sh"]


async def test_what_a_difference_does_not_show_is_noted(desk: Desk) -> None:
    (desk.root / "a.txt").write_bytes("größe\r\n".encode("utf-16"))
    (desk.root / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")

    text = desk.preview("write_file", path="a.txt", text="größe\n").note
    binary = desk.preview("write_file", path="b.png", text="größe\n").note

    assert "the encoding changes from UTF-16-LE, Windows line ends to UTF-8; the line ends change" in text
    assert binary == "Replaces b.png: PNG image, 9 bytes."


async def test_a_file_protected_from_writing_stays(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("one")
    (desk.root / "a.txt").chmod(0o444)

    with pytest.raises(ToolError, match=r"'a\.txt' is protected from writing"):
        await desk.call("write_file", path="a.txt", text="two")

    assert (desk.root / "a.txt").read_text() == "one"


@pytest.mark.parametrize("name", ["write_file", "edit_file"])
async def test_a_file_that_changed_since_it_was_shown_is_left(desk: Desk, name: str) -> None:
    arguments = {"text": "mine"} if name == "write_file" else {"old": "one", "new": "1"}
    tool = desk.tools[name]
    (desk.root / "a.txt").write_text("one\n")
    checked = tool.check({"path": "a.txt", **arguments})
    tool.preview(checked)
    (desk.root / "a.txt").write_text("one, and somebody else's line\n")

    with pytest.raises(ToolError, match="changed by somebody else since this was shown"):
        await tool.run(checked, ToolContext())
    assert (desk.root / "a.txt").read_text() == "one, and somebody else's line\n"

    await desk.call(name, path="a.txt", **arguments)
    assert (desk.root / "a.txt").read_text().startswith("mine" if name == "write_file" else "1, and")


async def test_a_file_that_appeared_since_the_new_one_was_shown_is_left(desk: Desk) -> None:
    tool = desk.tools["write_file"]
    checked = tool.check({"path": "a.txt", "text": "mine"})
    tool.preview(checked)
    (desk.root / "a.txt").write_text("somebody else's")

    with pytest.raises(ToolError, match="changed by somebody else"):
        await tool.run(checked, ToolContext())


# Editing.


async def test_an_edit_shows_its_difference_and_makes_it(desk: Desk) -> None:
    (desk.root / "a.py").write_text("".join(f"line {number}\n" for number in range(1, 1_001)))

    preview = desk.preview("edit_file", path="a.py", old="line 500\n", new="changed\n")
    result = await desk.text("edit_file", path="a.py", old="line 500\n", new="changed\n")

    assert preview.text.split("\n")[2:5] == ["@@ -497,7 +497,7 @@", " line 497", " line 498"]
    assert "-line 500\n+changed\n" in preview.text
    assert preview.text in result
    assert (desk.root / "a.py").read_text().count("changed") == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("missing", "x", "'old' is not in the file"),
        ("two", "x", r"'old' is in the file 2 times \(lines 2, 4\)"),
        ("one", "one", "nothing would change"),
        ("", "x", "'old' is empty"),
        ("aa", "x", "2 times"),
        ("Three", "x", "not in the file"),
    ],
)
async def test_an_edit_that_is_not_clear_is_refused_before_anyone_is_asked(
    desk: Desk, old: str, new: str, said: str
) -> None:
    (desk.root / "a.txt").write_text("one\ntwo\nthree\ntwo\naaa\n")
    tool = desk.tools["edit_file"]

    with pytest.raises(ToolError, match=said):
        tool.forbid(tool.check({"path": "a.txt", "old": old, "new": new}))


async def test_all_occurrences_are_replaced_when_asked(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("two two\ntwo\n")

    await desk.call("edit_file", path="a.txt", old="two", new="2", replace_all=True)

    assert (desk.root / "a.txt").read_text() == "2 2\n2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_an_edit_keeps_encoding_and_line_ends(desk: Desk, encoding: str, end: str) -> None:
    before = f"größe{end}zwei{end}drei{end}"
    (desk.root / "a.txt").write_bytes(before.encode(encoding))

    await desk.call("edit_file", path="a.txt", old="größe\nzwei", new="maß\n2")

    assert (desk.root / "a.txt").read_bytes() == f"maß{end}2{end}drei{end}".encode(encoding)


async def test_a_character_that_the_encoding_lacks_is_refused(desk: Desk) -> None:
    (desk.root / "a.txt").write_bytes("größe".encode("latin-1"))
    tool = desk.tools["edit_file"]

    with pytest.raises(ToolError, match=r"latin-1, which has no '\\u2713'"):
        tool.forbid(tool.check({"path": "a.txt", "old": "größe", "new": "✓"}))


@given(st.text(alphabet="ab\n\r\x0c\u2028", max_size=60), st.text(alphabet="ab\n\r\x0c\u2028", max_size=60))
def test_a_difference_applied_to_the_old_text_is_the_new_one(before: str, after: str) -> None:
    diff = edits.difference(before, after, "x")

    assert (diff == "") == (before == after)
    if diff:
        assert _applied(before, diff) == after


def _applied(before: str, diff: str) -> str:
    """A unified diff applied by the book."""
    old, new, at = before.split("\n"), [], 0
    lines = diff.split("\n")[2:]
    for index, line in enumerate(lines):
        if line.startswith("@@"):
            start, _, count = line.split(" ")[1][1:].partition(",")
            begin = int(start) - (0 if count == "0" else 1)
            new += [f"{each}\n" for each in old[at:begin]]
            at = begin
        elif line[:1] in (" ", "-", "+"):
            end = "" if lines[index + 1 : index + 2] == ["\\ No newline at end of file"] else "\n"
            if line[0] != "+":
                assert old[at] == line[1:]
                at += 1
            if line[0] != "-":
                new.append(line[1:] + end)
    rest = old[at:]
    return "".join(new) + ("\n".join(rest) if rest else "")


def test_a_difference_of_long_texts_takes_no_long_time() -> None:
    before = "".join(f"{number % 7}\n" for number in range(100_000))
    after = "".join(f"{number % 5}\n" for number in range(100_000))

    with cpu_at_most(5):
        diff = edits.difference(before, after, "x")
        close = edits.difference(before, before.replace("3\n", "x\n", 1), "x")

    assert diff.count("\n+") > 90_000
    assert close.count("\n") == 11


# Deleting.


async def test_a_deleted_file_is_in_the_trash_with_its_way_back(desk: Desk, tmp_path: Path) -> None:
    (desk.root / "größe 1.txt").write_text("one")
    trash = tmp_path / "home/Trash"

    preview = desk.preview("delete_file", path="größe 1.txt")
    await desk.call("delete_file", path="größe 1.txt")
    (desk.root / "größe 1.txt").write_text("two")
    await desk.call("delete_file", path="größe 1.txt")

    assert (preview.text, preview.note) == ("größe 1.txt", "Goes to the trash: 3 bytes.")
    assert not (desk.root / "größe 1.txt").exists()
    assert sorted(path.read_text() for path in (trash / "files").iterdir()) == ["one", "two"]
    notes = [path.read_text().split("\n")[1] for path in (trash / "info").iterdir()]
    assert notes == [f"Path={desk.root}/gr%C3%B6%C3%9Fe%201.txt"] * 2


async def test_without_a_trash_nothing_is_deleted(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no_folder").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "no_folder"))
    (desk.root / "a.txt").write_text("one")

    with pytest.raises(ToolError, match=r"'a\.txt' was not deleted: there is no trash"):
        await desk.call("delete_file", path="a.txt")

    assert (desk.root / "a.txt").read_text() == "one"


async def test_a_folder_is_not_deleted(desk: Desk) -> None:
    (desk.root / "folder").mkdir()

    for path in ("folder", "."):
        with pytest.raises(ToolError, match="is a folder"):
            await desk.call("delete_file", path=path)


# Finding and searching.


@pytest.fixture
def tree(desk: Desk) -> Desk:
    names = "a.csv src/app.py src/deep/util.py src/deep/data.csv build/out.py logs/today.log logs/keep.log notes.md "
    names += "node_modules/x/index.js .git/HEAD src/__pycache__/app.pyc"
    for path in names.split():
        (desk.root / path).parent.mkdir(parents=True, exist_ok=True)
        (desk.root / path).write_text(f"needle in {path}\nother line\n")
    (desk.root / ".gitignore").write_text("build/\n*.log\n!keep.log\n")
    (desk.root / "src/.gitignore").write_text("/deep/data.csv\n")
    return desk


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.py", ["src/app.py", "src/deep/util.py"]),
        ("src/*.py", ["src/app.py"]),
        ("src/**/*.py", ["src/app.py", "src/deep/util.py"]),
        ("**/*.csv", ["a.csv"]),
        ("**", None),
        ("/notes.md", ["notes.md"]),
        ("deep", ["src/deep/"]),
        ("*.log", ["logs/keep.log"]),
        ("[an]*.[cm]*", ["a.csv", "notes.md"]),
        ("NOTES.md", []),
    ],
)
async def test_files_are_found_by_a_glob(tree: Desk, glob: str, expected: list[str] | None) -> None:
    text = await tree.text("find_files", pattern=glob)

    everything = (
        ".gitignore a.csv logs/ logs/keep.log notes.md src/ src/.gitignore src/app.py src/deep/ src/deep/util.py"
    )
    found = text.split("\n") if "Nothing below" not in text else []
    assert found == (everything.split() if expected is None else expected)


async def test_a_folder_that_is_left_out_is_searched_when_it_is_named(tree: Desk) -> None:
    assert await tree.text("find_files", pattern="*.py", path="build") == "build/out.py"
    assert "node_modules/x/index.js:1" in await tree.text("search_files", query="needle", path="node_modules")


@pytest.mark.skipif(shutil.which("git") is None, reason="git says what it leaves out")
async def test_what_git_leaves_out_is_left_out(desk: Desk) -> None:
    rules = ["*.tmp", "/top", "sub/*.x", "!sub/keep.x", "**/cache/", "a/**/z", "we ird", "q?.[ch]", "\\#hash", "dir/"]
    (desk.root / ".gitignore").write_text("\n".join(rules) + "\n# no rule\n\n")
    names = "b.tmp top n/top sub/1.x sub/keep.x n/sub/2.x k/cache/f a/z a/b/c/z q1.c q1.d n/q2.h #hash dir/f n/dir/g"
    for path in [*names.split(" "), "we ird", "n/we ird"]:
        (desk.root / path).parent.mkdir(parents=True, exist_ok=True)
        (desk.root / path).write_text("x")
    kept = _kept_by_git(desk.root)

    found = (await desk.text("find_files", pattern="**")).split("\n")

    assert sorted(name for name in found if not name.endswith("/")) == sorted(kept)


def _kept_by_git(folder: Path) -> list[str]:
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    listed = ["git", "ls-files", "--others", "--exclude-standard", "-z"]
    kept = subprocess.run(listed, cwd=folder, capture_output=True, text=True, check=True).stdout
    return kept.strip("\0").split("\0")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"query": "needle in src"},
            ["src/app.py:1: needle in src/app.py", "src/deep/util.py:1: needle in src/deep/util.py"],
        ),
        ({"query": "NEEDLE IN A"}, ["a.csv:1: needle in a.csv"]),
        ({"query": "NEEDLE", "match_case": True}, ["No line holds 'NEEDLE'."]),
        ({"query": "n..dle in [an]", "is_regex": True}, ["a.csv:1: needle in a.csv", "notes.md:1: needle in notes.md"]),
        ({"query": "n..dle in"}, ["No line holds 'n..dle in'."]),
        ({"query": "^other", "is_regex": True, "path": "notes.md"}, ["notes.md:2: other line"]),
        ({"query": "needle", "files": "*.md"}, ["notes.md:1: needle in notes.md"]),
    ],
)
async def test_lines_are_found(tree: Desk, arguments: dict[str, Any], expected: list[str]) -> None:
    assert (await tree.text("search_files", **arguments)).split("\n") == expected


async def test_a_search_names_the_files_it_read(tree: Desk) -> None:
    one = await tree.call("search_files", query="needle", path="a.csv")
    more = await tree.call("search_files", query="needle")

    assert one.origin == "file a.csv"
    assert more.origin == "files a.csv, logs/keep.log, notes.md and 2 more"
    assert one.is_private


@pytest.mark.parametrize("query", ["(", "[", "*", "(?P<a", "a{2,1}"])
async def test_a_broken_expression_is_told(tree: Desk, query: str) -> None:
    with pytest.raises(ToolError, match="is no regular expression"):
        await tree.call("search_files", query=query, is_regex=True)


@pytest.mark.parametrize("query", ["(a+)+$", "(a|aa)+$", r"(.*a){25}b", r"^(\w+\s?)*$", "(a*)*b"])
async def test_an_expression_that_takes_for_ever_is_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(file_search, "MAX_SECONDS", 0.7)
    (desk.root / "a.txt").write_text("a" * 5_000 + "!\n")
    start = time.perf_counter()

    with pytest.raises(ToolError, match="takes too long"):
        await desk.call("search_files", query=query, is_regex=True)

    assert time.perf_counter() - start < SOON_S


async def test_hostile_globs_and_gitignores_take_no_long_time(desk: Desk) -> None:
    name = "a" * 250
    (desk.root / "/".join(["a"] * 30)).mkdir(parents=True)
    (desk.root / name).write_text("x")
    (desk.root / ".gitignore").write_text(
        "\n".join(["*a" * 20 + "b", "**/" * 30 + "b", "*a*a*a*ab", "[", "!", "\\"] * 5)
    )

    with cpu_at_most(10):
        await desk.call("find_files", pattern="*a" * 60 + "b")
        await desk.call("find_files", pattern="**/" * 60 + "b")
        found = await desk.text("find_files", pattern="a*")

    assert name in found


async def test_a_search_through_very_much_ends_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_search, "MAX_SECONDS", 0.3)
    for number in range(60):
        (desk.root / f"{number}.txt").write_text("almost the needl\n" * 200_000)

    text = await desk.text("search_files", query="needle")

    assert "not all: it ended after" in text


async def test_many_finds_are_cut_with_a_note(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("needle\n" * 5_000)
    for number in range(600):
        (desk.root / f"{number}.log").touch()

    lines = (await desk.text("search_files", query="needle")).split("\n")
    expression = (await desk.text("search_files", query="need.e", is_regex=True)).split("\n")
    names = (await desk.text("find_files", pattern="*.log")).split("\n")
    listed = (await desk.text("list_files")).split("\n")

    assert len(lines) == len(expression) == 201
    assert lines[-1].startswith("[not all: it ended after 200 finds")
    assert len(names) == 501
    assert listed[-1] == "… and 101 more."


async def test_a_find_in_a_long_line_is_shown_with_what_is_around(desk: Desk) -> None:
    (desk.root / "a.json").write_text("x" * 100_000 + "needle" + "y" * 100_000)

    for is_regex in (False, True):
        text = await desk.text("search_files", query="needle", is_regex=is_regex)
        assert "xneedley" in text
        assert len(text) < 500


async def test_binary_files_and_pipes_are_passed_over(desk: Desk) -> None:
    (desk.root / "a.bin").write_bytes(b"needle\0\x01\x02" * 100)
    (desk.root / "wide.txt").write_bytes("a needle\n".encode("utf-16"))
    os.mkfifo(desk.root / "pipe")

    assert await desk.text("search_files", query="needle") == "wide.txt:1: a needle"


# Rules.


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a.txt", "a.txt", True),
        ("a.txt", "./data/../a.txt", True),
        ("a.txt", "data/a.txt", False),
        ("data/*", "data/x.csv", True),
        ("data/*", "data/deep/x.csv", False),
        ("data/*", "data", False),
        ("data/*", "data/../a.txt", False),
        ("data/*", "datax/x.csv", False),
        ("data/*", "data/link/x.csv", False),
        ("data/**", "data/deep/x.csv", True),
        ("data/**", "data/../a.txt", False),
        ("data/**", "data/link/x.csv", False),
        ("data/**", "data/out/x.csv", False),
        ("data/**", "../x", False),
        ("data/**", "data/.env", False),
        ("other/*", "data/link/x.csv", True),
        ("*.txt", "a.txt", False),
    ],
)
def test_a_rule_covers_where_a_path_really_leads(desk: Desk, pattern: str, path: str, expected: bool) -> None:
    (desk.root / "data").mkdir()
    (desk.root / "other").mkdir()
    (desk.root / "data/link").symlink_to("../other")
    (desk.root / "data/out").symlink_to("/")

    assert desk.covers("write_file", pattern, path=path, text="x") is expected


def test_a_rule_is_suggested_for_the_one_file(desk: Desk) -> None:
    suggest = desk.tools["write_file"].patterns.suggest

    assert suggest({"path": "./data/../new/a.txt", "text": "x"}) is None or not (desk.root / "data").exists()
    assert suggest({"path": "new/a.txt"}) == "new/a.txt"
    assert suggest({"path": "*"}) is None
    assert suggest({"path": "../a.txt"}) is None


@given(st.binary(max_size=200))
def test_bytes_that_are_text_come_back_as_they_were(data: bytes) -> None:
    text = decoded(data)

    if text is not None:
        assert text.with_text(text.text) == data


async def test_the_mask_of_a_secret_is_not_written_over_it(desk: Desk) -> None:
    (desk.root / "a.ini").write_text("password = hunter2\nport = 1\n")
    (desk.root / "b.md").write_text("It reads [redacted].\n")

    for name, arguments in {
        "write_file": {"path": "a.ini", "text": "password = [redacted]\nport = 2\n"},
        "edit_file": {"path": "a.ini", "old": "port = 1", "new": "port = 2 # [redacted]"},
    }.items():
        with pytest.raises(ToolError, match="stands for a secret"):
            await desk.call(name, **arguments)
    await desk.call("edit_file", path="a.ini", old="port = 1", new="port = 2")
    await desk.call("edit_file", path="b.md", old="reads", new="says")

    assert (desk.root / "a.ini").read_text() == "password = hunter2\nport = 2\n"
    assert (desk.root / "b.md").read_text() == "It says [redacted].\n"
