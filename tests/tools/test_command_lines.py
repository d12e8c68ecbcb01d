"""Rules over command lines: what they cover, and above all what they do not (rows X6, X8)."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from effort import cpu_at_most
from hypothesis import given
from hypothesis import strategies as st
from tools.payloads_shell import COVERED, FOR_EVERY_RULE, FOR_ONE_RULE, RULES, SUGGESTED

from rustbot_jupyter.tools.base import Tool
from rustbot_jupyter.tools.command_lines import covers, simple_words, touches
from rustbot_jupyter.tools.shell import shell_tools
from rustbot_jupyter.tools.workspace import Workspace

CANARY = "zebra-4711"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "ws"
    (root / "inner").mkdir(parents=True)
    (root / "src").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/canary.txt").write_text(CANARY)
    (root / "notes.md").write_text("needle\n")
    (root / "to_folder").symlink_to("../out")
    (root / "to_file").symlink_to("../out/canary.txt")
    (root / "inside_link").symlink_to("notes.md")
    return root


@pytest.fixture
def tool(root: Path) -> Tool:
    return shell_tools(Workspace(root), use_sandbox=False)[0]


def filled(text: str, root: Path, rule: str = "") -> str:
    return text.format(rule=rule, ws=root, out=root.parent / "out")


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_covers_a_line_that_does_more(tool: Tool, root: Path, rule: str) -> None:
    lines = [filled(line, root, rule) for line in FOR_EVERY_RULE]

    covered = [line for line in lines if tool.patterns.matches(f"{rule} *", {"command": line})]
    exactly = [line for line in lines if tool.patterns.matches(rule, {"command": line})]

    assert len(lines) >= 60
    assert covered == []
    assert exactly == []
    assert tool.patterns.matches(f"{rule} *", {"command": f"{rule} notes.md"})


@pytest.mark.parametrize(("pattern", "line"), FOR_ONE_RULE)
def test_a_rule_is_not_widened(tool: Tool, root: Path, pattern: str, line: str) -> None:
    assert not tool.patterns.matches(pattern, {"command": filled(line, root)})


def test_there_are_enough_payloads() -> None:
    assert len(FOR_ONE_RULE) >= 60
    assert len(COVERED) >= 60


@pytest.mark.parametrize(("pattern", "line"), COVERED)
def test_a_rule_covers_an_honest_line(tool: Tool, root: Path, pattern: str, line: str) -> None:
    assert tool.patterns.matches(pattern, {"command": filled(line, root)})


@pytest.mark.parametrize(("pattern", "line"), COVERED)
def test_a_covered_line_is_the_same_to_a_shell(root: Path, pattern: str, line: str) -> None:
    """What runs without a shell is what the line says to one."""
    line = filled(line, root)
    words = simple_words(line)
    assert words is not None

    script = f"show() {{ printf '%s\\0' \"$@\"; }}; show {line}"
    shown = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, cwd=root, check=True).stdout

    assert tuple(shown.split("\0")[:-1]) == words


@given(st.text(alphabet="ab \t\n'\"\\$`;&|<>(){}[]*?~#!=-/.\u00a0\u200bé", max_size=14))
def test_any_line_that_is_taken_apart_is_the_same_to_a_shell(text: str) -> None:
    line = f"x {text}"
    words = simple_words(line)
    if words is not None:
        script = f"set -f; show() {{ printf '%s\\0' \"$@\"; }}; show {line}"
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True)
        assert done.returncode == 0
        assert tuple(done.stdout.split("\0")[:-1]) == words
        assert tuple(shlex.split(line)) == words


@pytest.mark.parametrize(("line", "rule"), SUGGESTED)
def test_a_rule_is_suggested_only_where_it_is_narrow(tool: Tool, line: str, rule: str | None) -> None:
    suggested = tool.patterns.suggest({"command": line})

    assert suggested == rule
    assert suggested is None or tool.patterns.matches(suggested, {"command": line})


@pytest.mark.parametrize(("pattern", "line"), COVERED)
def test_the_network_is_never_given_by_a_rule(tool: Tool, pattern: str, line: str) -> None:
    assert not tool.patterns.matches(pattern, {"command": line, "network": True})
    assert tool.patterns.suggest({"command": line, "network": True}) is None


def _naive(pattern: str, line: str, is_off_limits: Callable[[str], bool]) -> bool:
    """How a rule would be read by whoever looks at the beginning of the text only."""
    return line.startswith(pattern.removesuffix(" *"))


@pytest.mark.parametrize(("matcher", "is_fooled"), [(_naive, True), (covers, False)])
def test_what_a_rule_covers_runs_and_touches_nothing_outside(
    root: Path, matcher: Callable[[str, str, Callable[[str], bool]], bool], is_fooled: bool
) -> None:
    """The payloads do what they say where a rule lets them: the check can fail."""
    workspace = Workspace(root)
    canary = root.parent / "out/canary.txt"

    def is_off_limits(path: str) -> bool:
        try:
            workspace.name_of(path)
        except Exception:
            return True
        return False

    touched = []
    for template in FOR_EVERY_RULE:
        line = filled(template, root, "echo")
        if "\0" not in line and matcher("echo *", line, is_off_limits):
            done = subprocess.run(
                ["/bin/sh", "-c", line], cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20
            )
            if CANARY in done.stdout or canary.read_text() != CANARY:
                touched.append(line)
            canary.write_text(CANARY)

    assert (len(touched) > 10) is is_fooled
    assert is_fooled or touched == []


def test_a_rule_decision_takes_no_long_time(tool: Tool) -> None:
    long = ["a " * 1_900, "a" * 3_900, "a," * 1_900, "'" + ";" * 3_900 + "'", "-" + "/" * 3_900, "a " * 9_000]

    with cpu_at_most(5):
        for line in long:
            tool.patterns.matches("ls *", {"command": f"ls {line}"})
            tool.patterns.suggest({"command": f"ls {line}"})


@pytest.mark.parametrize(
    "command",
    [
        "rm x",
        "/bin/rm -rf x",
        "cd data && rm x",
        "ls; rm x",
        "ls | xargs rm",
        "sudo rm x",
        "env A=1 rm x",
        "(rm x)",
        "true || rm x",
        "r'm' x && ls",
        "r\\m x",
        "$(echo r)m x",
        "X=rm; $X x",
        "`which rm` x",
        "find . -exec rm {} +",
        "sh -c 'rm x'",
        "\nrm x",
        "echo a\nrm x",
        "r?m x",
        'r"m" x',
        "RM x",
        "'rm' x",
        "sh -c 'r\"m\" x'",
        "sh -c 'r$@m x'",
    ],
)
def test_what_forbids_sees_a_command_wherever_it_stands_in_a_line(command: str) -> None:
    assert touches("rm *", command)


@pytest.mark.parametrize(
    "command", ["ls -la", "git status && ls", "cat farm.txt", "echo alarm", "rmdir x", "ls 'a b' | wc"]
)
def test_what_forbids_leaves_other_lines_alone(command: str) -> None:
    assert not touches("rm *", command)


def test_words_of_a_rule_may_have_options_between_them() -> None:
    assert touches("git push *", "git -C sub push origin")
    assert not touches("git push *", "git pull origin")
