"""The wire between kernel and page: what Python says of it, what TypeScript says, and the fixtures of both."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from protocol_types import OP_KINDS, check_op

from rustbot_jupyter.notebook import protocol
from rustbot_jupyter.notebook.protocol import COMMANDS, PROTOCOL_VERSION, envelope, library_header, parse_command

ROOT = Path(__file__).parents[2]
TYPESCRIPT = (ROOT / "js" / "src" / "protocol.ts").read_text(encoding="utf-8")
FIXTURES = sorted((ROOT / "tests" / "fixtures" / "protocol").glob("*.json"))

VALUES: dict[type, Any] = {str: "text", int: 7, bool: True, dict: {"a": 1}}


def good(name: str) -> dict[str, Any]:
    """A command as the page sends it."""
    fields = {field: VALUES[kind] for field, kind in COMMANDS[name].items() if isinstance(kind, type)}
    return {"rustbot": PROTOCOL_VERSION, "id": "c1", "view": "v1", "command": name, **fields}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_understood(name: str) -> None:
    command = parse_command(good(name) | {"unknown": "ignored"})

    assert not isinstance(command, str)
    assert (command["id"], command["view"], command["name"]) == ("c1", "v1", name)
    assert set(command["fields"]) == set(COMMANDS[name])


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in COMMANDS.items() for field in ("id", "view", *fields)]
)
@pytest.mark.parametrize("value", [None, 1.5, [], "missing"])
def test_a_command_with_a_bad_field_is_refused_with_one_sentence(name: str, field: str, value: Any) -> None:
    message = good(name) | {field: value}
    if value == "missing":
        del message[field]

    refusal = parse_command(message)

    assert isinstance(refusal, str)
    assert field in refusal
    assert refusal.endswith(".")


def test_the_envelope_of_plain_text_carries_its_ops() -> None:
    ops: list[Any] = [{"op": "text", "id": "m", "offset": 0, "text": "ä 👩‍👩‍👧"}]

    content = envelope("life", 3, ops)

    assert content == {"rustbot": PROTOCOL_VERSION, "epoch": "life", "seq": 3, "ops": ops}


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\udc00\ud83d"])
def test_text_that_utf8_cannot_hold_travels_escaped(text: str) -> None:
    ops: list[Any] = [{"op": "text", "id": "m", "offset": 0, "text": text}]

    content = envelope("life", 3, ops)

    wire = json.dumps(content, ensure_ascii=False).encode("utf-8")
    assert json.loads(json.loads(wire)["escaped"]) == ops


def test_both_languages_know_the_same_commands_with_the_same_fields() -> None:
    block = TYPESCRIPT.partition("export interface Commands {")[2].partition("\n}")[0]
    commands = re.findall(r"(\w+): \{\s*fields: (Nothing|\{.*?\});", block, re.DOTALL)

    theirs = {name: set(re.findall(r"(\w+):", fields)) for name, fields in commands}

    assert theirs == {name: set(fields) for name, fields in COMMANDS.items()}


def test_both_languages_know_the_same_ops() -> None:
    block = TYPESCRIPT.partition('new Set<Op["op"]>([')[2].partition("]);")[0]

    assert set(re.findall(r'"(\w+)"', block)) == OP_KINDS


@pytest.mark.parametrize(
    "name",
    [
        "UsageView",
        "ErrorView",
        "CitationView",
        "MessageView",
        "RetryView",
        "StateView",
        "QueuedView",
        "ModelView",
        "TotalsView",
        "NoticeView",
        "EventRow",
        "FieldView",
        "KeyView",
        "SettingsView",
        "ImageView",
        "ToolRunView",
        "ApprovalView",
        "ToolView",
        "ServerView",
        "RuleView",
        "ToolsView",
        "ConversationView",
        "SnapshotOp",
        "AckOp",
    ],
)
def test_both_languages_know_the_same_fields(name: str) -> None:
    block = TYPESCRIPT.partition(f"export interface {name} {{")[2].partition("\n}")[0]

    theirs = set(re.findall(r"^  (\w+)\??:", block, re.MULTILINE))

    assert theirs == set(get_type_hints(getattr(protocol, name)))


def test_the_header_of_a_library_says_whom_it_answers() -> None:
    assert library_header("katex", "c1", "v1", "gzip") == {
        "rustbot": PROTOCOL_VERSION,
        "library": "katex",
        "id": "c1",
        "view": "v1",
        "encoding": "gzip",
    }


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_fixtures_of_both_languages_follow_the_protocol(path: Path) -> None:
    fixture = json.loads(path.read_text(encoding="utf-8"))

    match path.stem.partition("_")[0]:
        case "command":
            assert not isinstance(parse_command(fixture), str)
        case "envelope":
            for op in json.loads(fixture["escaped"]) if "escaped" in fixture else fixture["ops"]:
                check_op(op)
        case "op":
            check_op(fixture)
        case "library":
            assert set(fixture) == set(library_header("katex", "", "", "gzip"))


def test_there_is_a_fixture_of_each_command_and_op() -> None:
    names = {path.stem for path in FIXTURES}

    assert {f"command_{name}" for name in COMMANDS} <= names
    assert {f"op_{kind}" for kind in OP_KINDS} <= names
