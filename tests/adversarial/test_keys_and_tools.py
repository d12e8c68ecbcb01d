"""A key stays out of all that tools give, show, keep and start, also when a tool does its best to print it (row X1)."""

from __future__ import annotations

import base64
import json
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from IPython.core.interactiveshell import InteractiveShell
from servers.misbehaving import MisbehavingServer, answer, tool_call

import rustbot_jupyter as rb
from rustbot_jupyter.notebook.views import event_row
from rustbot_jupyter.notebook.views_tools import approval_view, run_view, server_views
from rustbot_jupyter.tools.base import Risk, ToolContext, ToolResult
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.runner import LONGEST_KEY
from rustbot_jupyter.tools.runs import OUTPUT_CHARS

SERVER = Path(__file__).parent.parent / "servers" / "mcp_misbehaving.py"
SOURCES = ("argument", "environment", ".env", "key file", "settings tab")
ENCODED = {
    "raw": "secret",
    "base64": "__import__('base64').b64encode(secret.encode()).decode()",
    "base64 behind something": "__import__('base64').b64encode(('k=' + secret).encode()).decode()",
    "percent": "__import__('urllib.parse').parse.quote(secret, safe='')",
    "json": "__import__('json').dumps({'k': secret})",
    "json in json": "__import__('json').dumps(__import__('json').dumps(secret))",
    "repr": "repr([secret])",
}


def key_of(source: str) -> str:
    """Another one for each source: what is masked once is masked for good."""
    return f'sk-or-v1-planted/+"{source.replace(" ", "-").replace(".", "")}-0123456789abcdef'


def forms_of(key: str) -> set[str]:
    whole = {key, quote(key, safe=""), json.dumps(key)[1:-1], json.dumps(json.dumps(key)[1:-1])[1:-1]}
    encoded = [base64.b64encode(b"\0" * shift + key.encode()).decode() for shift in range(3)]
    # The first and the last character also depend on what stands beside the key.
    return whole | {text[4:-4] for text in encoded}


@dataclass
class Told:
    """All that leaves the tools in one test."""

    pieces: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, what: object) -> None:
        text = what if isinstance(what, str) else json.dumps(what, default=repr)
        self.pieces[where] = self.pieces.get(where, "") + text + "\n"

    def leaks(self, key: str) -> list[str]:
        return [where for where, text in self.pieces.items() if any(form in text for form in forms_of(key))]


class Bench:
    """A bot with a key, and a model that makes the calls it is told to."""

    def __init__(self, source: str, server: MisbehavingServer, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.key, self.folder, self.server, self.told = key_of(source), folder, server, Told()
        self.shell = InteractiveShell.instance()
        self.shell.user_ns["secret"] = self.key
        options = {"api_key": self.key} if source == "argument" else {}
        if source == "environment":
            patch.setenv("OPENROUTER_API_KEY", self.key)
        if source == ".env":
            (folder / ".env").write_text(f"OPENROUTER_API_KEY='{self.key}'\n")
        self.bot = rb.Rustbot(model="test/model", base_url=server.base_url, **options)
        if source in ("key file", "settings tab"):
            self.bot.settings.remember_key(self.key, where="file" if source == "key file" else "memory")
        self.bot.settings.retries = 0
        self.scope = "once"
        self.bot.toolbox.approvals.on_change(self.answer)

    def answer(self) -> None:
        """Look at each card as a page does, and say yes."""
        for approval in self.bot.approvals:
            self.told.add("approvals", approval_view(approval))
            approval.allow(self.scope if self.scope in approval.scopes else "once")

    def call(self, *calls: tuple[str, dict[str, Any]]) -> list[str]:
        """What the model was told of these calls."""
        scripts = [
            tool_call(name, json.dumps(arguments), call_id=f"call_{number}")
            for number, (name, arguments) in enumerate(calls)
        ]
        self.server.script(*scripts, answer("Done."))
        with rb.log_to(self.folder / "rustbot.log", "DEBUG"):
            self.bot.ask("Go")
        messages = self.server.chats[-1].json["messages"]
        results = [message["content"] for message in messages if message["role"] == "tool"]
        assert len(results) >= len(calls)
        return [text if isinstance(text, str) else json.dumps(text) for text in results[-len(calls) :]]

    def collect(self, results: list[str]) -> list[str]:
        """The places where the key stands."""
        bot, told = self.bot, self.told
        told.add("results", "\n".join(results))
        told.add("tool_runs", bot.tool_runs().to_dict("records"))
        told.add("events", bot.events().to_dict("records"))
        told.add("event rows", [event_row(event) for event in bot.agent.log.all()])
        told.add("cards", [run_view(run) for run in bot.toolbox.runs.all()])
        told.add("servers", server_views(bot.toolbox.servers))
        told.add("shown", "\n".join(map(repr, (bot, bot.tools, bot.rules, bot.approvals, bot.toolbox.runs.all()))))
        told.add("figure", bot.figures.tools().to_json())
        for name in ("rules.json", "mcp.json", "mcp-approvals.json"):
            path = self.folder / "config" / name
            told.add(name, path.read_text() if path.exists() else "")
        told.add("log", (self.folder / "rustbot.log").read_text())
        return told.leaks(self.key)


@pytest.fixture
def bench(
    request: pytest.FixtureRequest,
    server: MisbehavingServer,
    own_folders: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bench]:
    bench = Bench(getattr(request, "param", "environment"), server, tmp_path, monkeypatch)
    yield bench
    bench.bot.close()


everywhere = pytest.mark.parametrize("bench", SOURCES, indirect=True)


def printed_by_tools(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    (bench.folder / "notes.txt").write_text(f"The key is {bench.key}.\n{json.dumps(bench.key)}\n")
    show = shlex.join([sys.executable, "-c", "import os; print(dict(os.environ))"])
    return [
        ("run_code", {"code": "import os; print(dict(os.environ)); os.environ"}),
        *(("run_code", {"code": f"print({code}); {code}"}) for code in ENCODED.values()),
        ("run_code", {"code": "raise ValueError(secret)"}),
        ("run_code", {"code": "import sys; sys.stderr.write(secret); from IPython.display import HTML; HTML(secret)"}),
        *(("evaluate", {"expression": code}) for code in ("secret", "repr(secret)", "{'a': [secret]}", "len(secret)")),
        ("describe_variable", {"name": "secret"}),
        ("list_variables", {}),
        ("recent_cells", {"count": 20}),
        ("last_error", {}),
        ("read_file", {"path": "notes.txt"}),
        ("read_file", {"path": ".env"}),
        ("search_files", {"query": "planted"}),
        ("run_shell", {"command": "env"}),
        ("run_shell", {"command": show}),
        ("run_shell", {"command": "cat .env notes.txt; base64 -w 0 notes.txt"}),
        ("system_info", {}),
    ]


@everywhere
def test_a_key_that_tools_try_to_print_reaches_nobody(bench: Bench) -> None:
    bench.shell.run_cell("own_copy = secret", store_history=True)

    results = bench.call(*printed_by_tools(bench))

    assert bench.collect(results) == []
    assert "[redacted]" in "\n".join(results)
    assert len(bench.told.pieces["approvals"]) > 1_000


def failing(key: str) -> Any:
    def fails() -> str:
        raise RuntimeError(f"cannot log in with {key}")

    return fails


@everywhere
def test_a_key_in_what_tools_of_the_users_give_reaches_nobody(bench: Bench) -> None:
    key = bench.key

    def gives_text() -> str:
        return f"{key} {base64.b64encode(key.encode()).decode()}"

    def gives_data() -> dict[str, Any]:
        return {"key": key, key: [quote(key, safe="")]}

    def gives_result() -> ToolResult:
        return ToolResult(text="", data={"k": key}, origin=f"page https://example.org/?k={key}")

    def tells(context: ToolContext) -> str:
        context.progress(f"logging in with {key}\n")
        return "ok"

    functions = (gives_text, gives_data, gives_result, tells, failing(key))
    for function in functions:
        bench.bot.tools.add(tool_of(function, risk=Risk.READ, description="Help."))

    results = bench.call(*((function.__name__, {}) for function in functions), (f"tool_{key}"[:60], {}))
    # What was read before is named on this card.
    results += bench.call(("run_code", {"code": "1"}))

    assert bench.collect(results) == []


@pytest.mark.parametrize("kept", [OUTPUT_CHARS, OUTPUT_CHARS + LONGEST_KEY])
def test_the_end_of_a_key_is_not_left_where_long_output_was_cut(bench: Bench, kept: int) -> None:
    key = bench.key
    # Keys that are masked take less room, and more of the beginning is kept.
    rest = f" {key}" * 100
    rest += "x" * (kept - len(key) + 5 - len(rest))

    def tells_much(context: ToolContext) -> str:
        context.progress("y" * 2 * OUTPUT_CHARS + key + rest)
        return "ok"

    bench.bot.tools.add(tool_of(tells_much, risk=Risk.READ, description="Help."))

    bench.call(("tells_much", {}))

    (run,) = bench.bot.toolbox.runs.all()
    assert key[10:] not in run.output
    assert run.output.endswith("[redacted]" + "x" * rest.count("x"))


def test_a_pattern_with_a_key_in_it_is_not_kept(bench: Bench) -> None:
    bench.scope = "always"

    def logs_in(word: str) -> str:
        return "ok"

    bench.bot.tools.add(tool_of(logs_in, risk=Risk.NETWORK, source="plugin:login", description="Help."))

    bench.call(("logs_in", {"word": "none"}), ("logs_in", {"word": bench.key}))

    assert [rule.pattern for rule in bench.bot.rules] == ['{"word": "none"}']
    rules = (bench.folder / "config" / "rules.json").read_text()
    assert [form for form in forms_of(bench.key) if form in rules] == []
    assert bench.bot.tool_runs()["approval"].tolist()[-1] == "allowed once"


@everywhere
def test_no_process_of_a_tool_has_a_key(bench: Bench) -> None:
    """What the processes themselves see, and not only what of it is shown."""
    pytest.importorskip("mcp")
    seen = bench.folder / "seen.json"
    code = f"import json, os; json.dump(dict(os.environ), open({str(seen)!r}, 'w'))"
    entry = {"command": sys.executable, "args": [str(SERVER), "good", str(bench.folder)]}
    (bench.folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"s": entry}}))

    bench.bot.mcp.start("s")
    results = bench.call(("run_shell", {"command": shlex.join([sys.executable, "-c", code])}), ("s__environment", {}))

    environments = [seen.read_text(), results[-1]]
    assert all("PATH" in text for text in environments)
    assert [form for form in forms_of(bench.key) for text in environments if form in text] == []
    assert "API_KEY" not in "".join(environments)
    assert bench.collect(results) == []
    assert os.environ.get("OPENROUTER_API_KEY") in (None, bench.key)
