"""Standing rules: what matches, what beats what, and the file that keeps them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.tools import rules as rules_module
from rustbot_jupyter.tools.base import BUILT_IN, USER, Patterns, Risk, Tool
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.rules import ANY, Decision, Rule, Rules

BY_START = Patterns(
    suggest=lambda arguments: str(arguments["path"]),
    matches=lambda pattern, arguments: str(arguments["path"]).startswith(pattern),
)


def make_tool(name: str = "write_file", risk: Risk = Risk.WRITE, source: str = BUILT_IN, **fields: Any) -> Tool:
    def function(path: str) -> str:
        return path

    return tool_of(function, name=name, risk=risk, source=source, **{"patterns": BY_START, **fields})


TOOLS = {
    tool.name: tool
    for tool in [
        make_tool(),
        make_tool("read_file", Risk.READ),
        make_tool("run_shell", Risk.EXECUTE),
        make_tool("fetch_page", Risk.NETWORK),
        make_tool("mine", Risk.EXECUTE, USER),
        make_tool("server__search", Risk.NETWORK, "mcp:server", fingerprint="f1"),
    ]
}


def rules_at(path: Path | None, workspace: str = "/work") -> Rules:
    return Rules(path, workspace, TOOLS.get)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "rules.json"


def decision(rules: Rules, tool: str = "write_file", path: str = "data/a", conversation: str = "c1") -> Decision | None:
    rule = rules.decide(TOOLS[tool], {"path": path}, conversation)
    return None if rule is None else rule.decision


def test_without_a_rule_nothing_is_decided():
    assert decision(rules_at(None)) is None
    assert repr(rules_at(None)) == "No rules: what only reads runs, all else asks."


@pytest.mark.parametrize("order", [["allow", "ask", "deny"], ["deny", "ask", "allow"], ["ask", "deny", "allow"]])
def test_deny_beats_ask_and_ask_beats_allow_in_any_order(order: list[str]):
    rules = rules_at(None)
    kept = {each: rules.add("write_file", "data/", each) for each in order}

    assert decision(rules) is Decision.DENY
    rules.remove(kept["deny"].id)
    assert decision(rules) is Decision.ASK
    rules.remove(kept["ask"].id)
    assert decision(rules) is Decision.ALLOW
    rules.remove(kept["allow"].id)
    assert decision(rules) is None


def test_an_allowing_rule_covers_its_pattern_of_its_tool_and_nothing_else():
    rules = rules_at(None)
    rules.add("write_file", "data/")

    assert decision(rules, path="data/x") is Decision.ALLOW
    assert decision(rules, path="other/x") is None
    assert decision(rules, "run_shell", "data/x") is None


@pytest.mark.parametrize(("pattern", "tool", "is_met"), [("*", "mine", True), ("server__*", "server__search", True)])
def test_asking_and_forbidding_rules_may_name_many_tools(pattern: str, tool: str, is_met: bool):
    rules = rules_at(None)
    rules.add(pattern, "*", "deny")

    assert decision(rules, tool) is Decision.DENY
    assert decision(rules, "write_file") is (Decision.DENY if pattern == "*" else None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run_shell", "*"), "can do anything"),
        (("fetch_page", "*"), "can do anything"),
        (("nothing", "x"), "There is no tool 'nothing'"),
        (("*", "x"), "There is no tool"),
        (("write_*", "x"), "There is no tool"),
        (("write_file", "x", "perhaps"), "cannot say 'perhaps'"),
        (("write_file", "x", "ALLOW"), "cannot say"),
        (("write_file", ""), "needs the name of a tool and a pattern"),
        (("", "x"), "needs the name of a tool and a pattern"),
        ((None, "x"), "needs the name of a tool and a pattern"),
        ((["write_file"], "x"), "needs the name of a tool and a pattern"),
        (("write_file", None), "needs the name of a tool and a pattern"),
        (("write_file", 5), "needs the name of a tool and a pattern"),
    ],
)
def test_a_rule_that_allows_too_much_or_says_nothing_is_refused(arguments: tuple[Any, ...], said: str):
    """X8."""
    rules = rules_at(None)

    with pytest.raises(RequestError, match=said.replace("*", r"\*")):
        rules.add(*arguments)

    assert len(rules) == 0


def test_what_is_allowed_holds_in_one_folder_only():
    with pytest.raises(RequestError, match="one folder only"):
        rules_at(None).add("write_file", "x", everywhere=True)


def test_a_file_cannot_allow_everything_to_a_built_in_tool_that_can_do_anything(path: Path):
    """Written by hand, or for a tool of the user's that had the name."""
    write(path, [entry(tool="run_shell", pattern="*"), entry(tool="mine", pattern="*", id="rule-2", **mine())])

    assert decision(rules_at(path), "run_shell") is None
    assert decision(rules_at(path), "mine") is Decision.ALLOW


def mine() -> dict[str, str]:
    return {"fingerprint": TOOLS["mine"].fingerprint}


def test_a_tool_that_says_something_else_of_itself_is_asked_about_again(path: Path):
    """X12."""
    rules = rules_at(path)
    rules.add("server__search", "data/")
    changed = make_tool("server__search", Risk.NETWORK, "mcp:server", fingerprint="f2")

    assert decision(rules, "server__search") is Decision.ALLOW
    assert rules.decide(changed, {"path": "data/a"}, "c1") is None


def test_an_answer_holds_for_the_tool_that_was_shown_not_for_what_took_its_name_meanwhile():
    rules = rules_at(None)
    shown = make_tool("server__search", Risk.NETWORK, "mcp:server", fingerprint="f0")

    rules.allow(shown, "data/")

    assert rules.decide(shown, {"path": "data/a"}, "c1") is not None
    assert decision(rules, "server__search") is None


def test_a_users_function_with_another_meaning_is_asked_about_again():
    def deploy(path: str) -> None:
        """Show what would be deployed."""

    shown = tool_of(deploy)
    deploy.__doc__ = "Deploy to production."
    changed = tool_of(deploy)
    rules = rules_at(None)
    rules.allow(shown, ANY)

    assert rules.decide(shown, {"path": "x"}, "c1") is not None
    assert rules.decide(changed, {"path": "x"}, "c1") is None


def test_rules_of_a_conversation_hold_there_and_end_with_it(path: Path):
    rules = rules_at(path)
    rules.add("write_file", "data/", conversation_id="c1")

    assert decision(rules, conversation="c1") is Decision.ALLOW
    assert decision(rules, conversation="c2") is None
    rules.end_conversation("c2")
    assert decision(rules, conversation="c1") is Decision.ALLOW
    rules.end_conversation("c1")
    assert decision(rules, conversation="c1") is None
    assert not path.exists()


# The file.


def write(path: Path, rules: list[Any], version: Any = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema_version": version, "rules": rules}))


def entry(**fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "tool": "write_file",
        "pattern": "data/",
        "decision": "allow",
        "conversation_id": "",
        "workspace": "/work",
        "fingerprint": "",
        "id": "rule-1",
    }
    return values | fields


def test_rules_are_kept_for_their_folder_and_readable_by_their_user_only(path: Path):
    rule = rules_at(path).add("write_file", "data/")
    rules_at(path).add("run_*", "*", "deny", everywhere=True)

    assert [each.id for each in rules_at(path)][:1] == [rule.id]
    assert decision(rules_at(path)) is Decision.ALLOW
    assert decision(rules_at(path, "/elsewhere")) is None
    assert decision(rules_at(path, "/elsewhere"), "run_shell") is Decision.DENY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("pattern", ["ä€😀", "\ud800", "a\nb\x00c", '"quoted\\"', "x" * 10_000])
def test_any_text_is_kept_as_it_is(path: Path, pattern: str):
    rules_at(path).add("write_file", pattern)

    assert [rule.pattern for rule in rules_at(path)] == [pattern]


def test_what_another_process_writes_is_seen_at_once(path: Path):
    rules = rules_at(path)
    mine = rules.add("write_file", "data/")
    code = (
        "import sys; from pathlib import Path; from rustbot_jupyter.tools.rules import Rules;"
        "rules = Rules(Path(sys.argv[1]), '/work'); rules.add('run_*', '*', 'deny'); rules.remove(sys.argv[2])"
    )

    subprocess.run([sys.executable, "-c", code, str(path), mine.id], check=True, timeout=60)

    assert decision(rules) is None
    assert decision(rules, "run_shell") is Decision.DENY


def test_a_file_of_the_same_size_in_the_same_instant_is_another_file(path: Path):
    rules = rules_at(path)
    write(path, [entry(decision="allow")])
    before = path.stat()
    assert decision(rules) is Decision.ALLOW

    other = path.with_suffix(".new")
    # As long, to the byte.
    other.write_text(path.read_text().replace('"allow"', '"deny" '))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(other, path)

    assert path.stat().st_size == before.st_size
    assert decision(rules) is Decision.DENY


DAMAGED = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b"5",
    b"\xff\xfe\x00",
    b"\x00" * 100,
    b'{"schema_version": 1}',
    b'{"schema_version": "1", "rules": []}',
    b'{"schema_version": null, "rules": []}',
    b'{"schema_version": 1, "rules": {}}' + b"x",
    b'{"schema_version": 1, "rules": [1]}',
    b'{"schema_version": 1, "rules": [{}]}',
    b'{"schema_version": 1, "rules": ["x"]}',
    b'{"schema_version": 1, "rules": null}',
    b"[" * 100_000,
    json.dumps({"schema_version": 1, "rules": [entry(decision="maybe")]}).encode(),
    json.dumps({"schema_version": 1, "rules": [entry(pattern=None)]}).encode(),
    json.dumps({"schema_version": 1, "rules": [entry(tool=["write_file"])]}).encode(),
    json.dumps({"schema_version": 1, "rules": [entry()]}).encode()[:-20],
    b" " * 10_000_001,
]


@pytest.mark.parametrize("raw", DAMAGED, ids=lambda raw: repr(raw[:20]))
def test_a_damaged_file_is_set_aside_said_and_makes_every_call_ask(path: Path, raw: bytes):
    path.parent.mkdir()
    path.write_bytes(raw)
    rules = rules_at(path)

    # Not the first time only: what it forbade is not known.
    assert [decision(rules, "read_file") for _ in range(3)] == [Decision.ASK] * 3
    assert decision(rules_at(path), "read_file") is Decision.ASK
    assert path.with_suffix(".damaged.json").read_bytes() == raw
    assert "was damaged, and was set aside as 'rules.damaged.json'" in rules.problem
    assert rules.problem in repr(rules)


def test_after_a_damage_a_new_rule_starts_anew_and_an_older_damaged_file_stays(path: Path):
    path.parent.mkdir()
    path.write_bytes(b"first")
    rules = rules_at(path)
    decision(rules)
    rules.add("write_file", "data/")
    assert (decision(rules), decision(rules, "read_file"), rules.problem) == (Decision.ALLOW, None, "")

    path.write_bytes(b"second")
    assert decision(rules) is Decision.ASK

    assert path.with_suffix(".damaged.json").read_bytes() == b"first"
    assert path.with_suffix(".damaged-2.json").read_bytes() == b"second"


def test_deleting_the_damaged_file_ends_the_asking(path: Path):
    path.parent.mkdir()
    path.write_bytes(b"?")
    rules = rules_at(path)
    assert decision(rules, "read_file") is Decision.ASK

    path.with_suffix(".damaged.json").unlink()

    assert decision(rules, "read_file") is None
    assert rules.problem == ""


def test_a_newer_file_is_left_as_it_is_and_makes_every_call_ask(path: Path):
    write(path, [{"anything": 1}], version=2)
    before = path.read_bytes()
    rules = rules_at(path)

    assert decision(rules, "read_file") is Decision.ASK
    with pytest.raises(RequestError, match="newer Rustbot"):
        rules.add("write_file", "data/")
    assert decision(rules) is Decision.ASK
    assert path.read_bytes() == before
    assert "newer Rustbot" in rules.problem
    # For this conversation it can be allowed, but a forbidding rule may be in the file.
    rules.add("write_file", "data/", conversation_id="c1")
    assert decision(rules) is Decision.ASK


as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


@as_user
def test_a_file_that_cannot_be_read_is_not_overwritten(path: Path):
    write(path, [entry(decision="deny")])
    path.chmod(0)
    rules = rules_at(path)

    assert decision(rules, "read_file") is Decision.ASK
    with pytest.raises(RequestError, match="cannot be read"):
        rules.add("write_file", "data/")

    path.chmod(0o600)
    assert decision(rules) is Decision.DENY
    assert rules.problem == ""


def test_a_folder_in_its_place_is_a_file_that_cannot_be_read(path: Path):
    path.mkdir(parents=True)
    rules = rules_at(path)

    assert decision(rules, "read_file") is Decision.ASK
    with pytest.raises(RequestError, match="cannot be read"):
        rules.add("write_file", "data/")
    assert path.is_dir()


def test_what_cannot_be_written_holds_for_this_kernel_and_is_said(tmp_path: Path):
    (tmp_path / "config").write_text("a file where the folder should be")
    rules = rules_at(tmp_path / "config" / "rules.json")

    # Reading fails in the same way, so nothing is known.
    assert decision(rules, "read_file") is Decision.ASK


@as_user
def test_in_a_folder_that_cannot_be_written_rules_hold_for_this_kernel(path: Path):
    path.parent.mkdir()
    path.parent.chmod(0o500)
    rules = rules_at(path)

    rules.add("write_file", "data/")

    assert [decision(rules) for _ in range(2)] == [Decision.ALLOW] * 2
    assert "cannot be written" in rules.problem
    path.parent.chmod(0o700)


def test_a_disk_that_is_full_keeps_the_rule_in_memory_until_it_can_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    rules = rules_at(path)
    with monkeypatch.context() as patch:
        patch.setattr(rules_module, "write_atomically", full)
        rules.add("write_file", "data/")
    assert [decision(rules) for _ in range(2)] == [Decision.ALLOW] * 2
    assert "No space left" in rules.problem

    rules.add("run_*", "*", "deny")

    assert decision(rules_at(path)) is Decision.ALLOW
    assert rules.all()
    assert rules.problem == ""


def test_threads_that_add_and_remove_lose_nothing(path: Path):
    rules = rules_at(path)

    def work(number: int) -> None:
        for each in range(5):
            rules.add("write_file", f"{number}/{each}")
            rules.remove(rules.add("write_file", "gone").id)
            rules.decide(TOOLS["write_file"], {"path": "x"}, "c1")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(rule.pattern for rule in rules_at(path)) == sorted(f"{n}/{e}" for n in range(4) for e in range(5))


def test_a_rule_that_is_not_there_cannot_be_removed(path: Path):
    with pytest.raises(RequestError, match="There is no rule 'rule-x'"):
        rules_at(path).remove("rule-x")


def test_a_listener_that_fails_does_not_undo_the_rule(path: Path):
    rules = rules_at(path)
    told: list[int] = []
    rules.on_change(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    rules.on_change(lambda: told.append(len(rules)))

    rules.add("write_file", "data/")

    assert told == [1]


# Random sets of rules, against the sentence "deny beats ask beats allow".

NAMES = st.sampled_from([*TOOLS, "*", "run_*", "server__*", "other"])
PATTERNS = st.sampled_from(["*", "data/", "data/secret", "x"])
RULE = st.builds(
    Rule,
    tool=NAMES,
    pattern=PATTERNS,
    decision=st.sampled_from(Decision),
    conversation_id=st.sampled_from(["", "c1", "c2"]),
    workspace=st.sampled_from(["", "/work", "/elsewhere"]),
    fingerprint=st.sampled_from(["", "f1", "f2", TOOLS["mine"].fingerprint]),
)


@given(kept=st.lists(RULE, max_size=12), tool=st.sampled_from(sorted(TOOLS)), value=st.sampled_from(["data/a", "x"]))
def test_the_strongest_of_the_rules_that_match_decides(
    tmp_path_factory: pytest.TempPathFactory, kept: list[Rule], tool: str, value: str
):
    path = tmp_path_factory.mktemp("rules") / "rules.json"
    write(path, [entry(**{name: getattr(rule, name) for name in entry()}) for rule in kept])
    called = TOOLS[tool]

    def speaks_of_it(rule: Rule) -> bool:
        is_here = rule.workspace in ("", "/work") and rule.conversation_id in ("", "c1")
        is_covered = rule.pattern == "*" or value.startswith(rule.pattern)
        named = rule.tool in ("*", tool) or (rule.tool.endswith("*") and tool.startswith(rule.tool[:-1]))
        if rule.decision is Decision.ALLOW:
            too_wide = rule.pattern == "*" and tool in ("run_shell", "fetch_page")
            named = rule.tool == tool and rule.fingerprint == called.fingerprint and not too_wide
        return is_here and is_covered and named

    said = {rule.decision for rule in kept if speaks_of_it(rule)}
    expected = next((each for each in (Decision.DENY, Decision.ASK, Decision.ALLOW) if each in said), None)

    assert decision(rules_at(path), tool, value) is expected


def test_kernels_that_add_rules_at_once_keep_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    code = (
        "import sys; from pathlib import Path; from rustbot_jupyter.tools.rules import Rules\n"
        "rules = Rules(Path(sys.argv[1]), '/w')\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for number in range(10): rules.add('shell', f'{sys.argv[2]} {number}', 'deny')\n"
    )
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    for kernel in kernels:
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.communicate("go\n")
        assert kernel.returncode == 0

    assert {rule.pattern for rule in Rules(path, "/w")} == {f"{name} {number}" for name in "ab" for number in range(10)}
