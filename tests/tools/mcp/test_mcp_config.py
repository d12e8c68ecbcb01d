"""Files that name MCP servers: read, however broken, and written with all else kept."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.tools.mcp.config import MAX_SERVERS, add_server, read_servers, remove_server, server_of
from rustbot_jupyter.tools.mcp.expansion import expand
from rustbot_jupyter.tools.mcp.launch import launch_of, missing_inputs, shown

ENVIRON = {"A": "1", "EMPTY": "", "MY_TOKEN": "tok-4711", "PATH": "/bin", "LC_ALL": "C", "AWS_SECRET_KEY": "s"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".mcp.json"


def test_both_keys_and_both_kinds_of_servers_are_read(path):
    path.write_text(
        json.dumps(
            {
                "mcpServers": {
                    "files": {"command": "npx", "args": ["-y", "x"], "env": {"N": 1, "B": True}, "cwd": "sub"},
                    "far": {"type": "http", "url": "https://x.example/mcp", "headers": {"X-Id": "7"}},
                },
                "servers": {"near": {"url": "http://127.0.0.1:1/mcp"}, "typed": {"type": "stdio", "command": "c"}},
            }
        )
    )

    read = read_servers(path, "workspace")

    assert read.problems == ()
    assert [server.name for server in read.servers] == ["files", "far", "near", "typed"]
    assert read.servers[0].command == ("npx", "-y", "x")
    assert read.servers[0].env == {"N": "1", "B": "true"}
    assert read.servers[1].headers == {"X-Id": "7"}
    assert {server.origin for server in read.servers} == {"workspace"}


def test_a_file_that_is_not_there_names_no_servers(path):
    assert read_servers(path, "user").servers == ()
    assert read_servers(path, "user").problems == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no JSON (line 1"),
        (b'{"mcpServers": {"a": {"command": "x"},,}}', "is no JSON (line 1"),
        (b"// comment\n{", "is no JSON (line 2"),
        (b"/* no end {}", "is no JSON (line 1"),
        (b"[1]", "holds no JSON object"),
        (b"null", "holds no JSON object"),
        (b"\xff\xfe{", "is no JSON in UTF-8"),
        (b"{\xff}", "is no JSON in UTF-8"),
        (b"[" * 100_000, "is no JSON"),
        (b" " * 1_000_001, "is larger than 1,000,000 bytes"),
    ],
)
def test_a_broken_file_gives_one_sentence(path, content, reason):
    path.write_bytes(content)

    read = read_servers(path, "workspace")

    assert read.servers == ()
    (problem,) = read.problems
    assert reason in problem
    assert problem.startswith("'.mcp.json' ")
    with pytest.raises(SettingsError):
        add_server(path, "new", {"command": "x"}, "user")
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("fields", "seconds"), [({}, 120), ({"startup_timeout_sec": 30}, 30), ({"startup_timeout_ms": 1500}, 1.5)]
)
def test_how_long_a_start_may_take_can_be_said(fields, seconds):
    assert server_of("s", {"command": "x", **fields}, "user").start_timeout == seconds
    assert server_of("s", {"url": "http://x", **fields}, "user").start_timeout == seconds


def test_a_folder_in_the_place_of_the_file_is_a_problem(path):
    path.mkdir()

    assert "cannot be read" in read_servers(path, "user").problems[0]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (7, "is no object"),
        ({}, "needs a text as its 'command'"),
        ({"command": ""}, "needs a text as its 'command'"),
        ({"command": ["npx"]}, "needs a text as its 'command'"),
        ({"command": "x", "args": "y"}, "needs a list of texts as its 'args'"),
        ({"command": "x", "args": [1]}, "needs a list of texts as its 'args'"),
        ({"command": "x", "env": ["A=1"]}, "needs names and texts as its 'env'"),
        ({"command": "x", "env": {"A": {}}}, "needs names and texts as its 'env'"),
        ({"command": "x", "cwd": 7}, "needs a text as its 'cwd'"),
        ({"command": "x\0y"}, "NUL character"),
        ({"url": "ftp://x"}, "begins with http:// or https://"),
        ({"url": "http://x/a b"}, "begins with http:// or https://"),
        ({"url": 7}, "needs a text as its 'url'"),
        ({"type": "http"}, "needs a text as its 'url'"),
        ({"command": "x", "startup_timeout_sec": "60"}, "as its 'startup_timeout_sec', not '60'"),
        ({"command": "x", "startup_timeout_sec": 0}, "as its 'startup_timeout_sec', not 0"),
        ({"command": "x", "startup_timeout_ms": True}, "as its 'startup_timeout_ms', not True"),
        ({"type": "ws", "url": "ws://x"}, "has the type 'ws'"),
        ({"type": {"a": 1}, "command": "x"}, "has the type {'a': 1}"),
        ({"command": "x", "args": ["${command:pick}"]}, "uses '${command:pick}'"),
        ({"command": "x", "env": {"A": "${A:+b}"}}, "uses '${A:+b}'"),
    ],
)
def test_of_a_file_with_a_bad_server_the_good_ones_are_used(path, entry, reason):
    path.write_text(json.dumps({"mcpServers": {"good": {"command": "x"}, "bad": entry}}))

    read = read_servers(path, "workspace")

    assert [server.name for server in read.servers] == ["good"]
    (problem,) = read.problems
    assert reason in problem
    assert "'bad'" in problem


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, "\x1b[2J", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(name):
    with pytest.raises(SettingsError, match="cannot be the name of a server"):
        server_of(name, {"command": "x"}, "user")


JSONC = """{
  // which servers there are, "as VS Code has it"
  "inputs": [
    {"id": "key", "type": "promptString", "description": "The key", "password": true},
    {"id": "zone", "type": "pickString", "options": ["eu", {"label": "US", "value": "us"}], "default": "eu"}, null,
  ],
  "servers": {
    "web": {"url": "https://mcp.example/x//y/*z*/", /* far */ "headers": {"Authorization": "Bearer ${input:key}"}, },
    "near": {"command": "run", "args": ["${workspaceFolder}/a b", "${input:zone}", "${env:A}", "${userHome}", ],
      "envFile": "${workspaceFolder}/keys.env", "env": {"B": "mine", "N": null}, "dev": {"watch": "/**"}, "cwd": null},
    "off": {"command": "x", "enabled": false},
  }, // "the end",
  "gallery": true,
}
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_as_vs_code_writes_it_is_read_whole(tmp_path, encoding, line_end):
    path = tmp_path / "mcp.json"
    path.write_bytes(JSONC.replace("\n", line_end).encode(encoding))
    (tmp_path / "keys.env").write_text("B=of the file\nC='c c'\nOPENROUTER_API_KEY=k\n")

    read = read_servers(path, "workspace")
    web, near = read.servers
    launch = launch_of(near, ENVIRON, tmp_path)

    assert read.problems == ()
    assert web.url == "https://mcp.example/x//y/*z*/"
    assert launch.command == ("run", f"{tmp_path}/a b", "eu", "1", os.path.expanduser("~"))
    assert (launch.env["B"], launch.env["C"], launch.env["N"]) == ("mine", "c c", "")
    assert "OPENROUTER_API_KEY" not in launch.env
    assert f"with the variables of {tmp_path / 'keys.env'}" in shown(near, ENVIRON, tmp_path).text


def test_what_has_to_be_asked_for_is_known_and_its_value_is_never_shown(path, tmp_path):
    path.write_text(JSONC)
    web, near = read_servers(path, "workspace").servers

    assert [(each.id, each.description) for each in missing_inputs(web, {})] == [("key", "The key")]
    assert [each.options for each in missing_inputs(near, {})] == [("eu", "us")]
    assert missing_inputs(web, {"key": "s3cret"}) == []
    with pytest.raises(SettingsError, match=r"'key' is not known yet; `bot\.mcp\.start`"):
        launch_of(web, ENVIRON, tmp_path)
    launch = launch_of(web, ENVIRON, tmp_path, {"key": "s3cret"})
    assert launch.headers == {"Authorization": "Bearer s3cret"}
    assert "Bearer ${input:key}" in shown(web, ENVIRON, tmp_path).text


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ["/*", ",/*", '"\\"', ",", ", ", "//", "/", '"', "[,", "\\"])
def test_a_strangers_file_takes_no_time(path, piece):
    path.write_text("{" + piece * (900_000 // len(piece)))

    assert read_servers(path, "workspace").servers == ()


def test_comments_are_not_lost_by_adding_a_server(path):
    path.write_text('{"servers": {} /* mine */}')

    with pytest.raises(SettingsError, match="has comments, which would be lost"):
        add_server(path, "a", {"command": "x"}, "user")
    assert remove_server(path, "a") is False
    assert "/* mine */" in path.read_text()


def test_an_env_file_that_is_not_there_is_told(tmp_path):
    config = server_of("a", {"command": "x", "envFile": ".env"}, "user")

    with pytest.raises(SettingsError, match="there is no 'envFile'"):
        launch_of(config, {}, tmp_path)


@pytest.mark.parametrize(
    ("entry", "is_sse"),
    [
        ({"serverUrl": "https://x.example/mcp"}, False),
        ({"url": "https://x.example/sse"}, True),
        ({"url": "https://x.example/sse", "type": "http"}, False),
        ({"url": "https://x.example/mcp", "type": "sse", "command": None, "args": None, "env": None}, True),
    ],
)
def test_addresses_as_other_programs_write_them_are_read(entry, is_sse):
    server = server_of("a", entry, "user")

    assert (server.url, server.is_sse) == (entry.get("url", entry.get("serverUrl")), is_sse)


@pytest.mark.skipif(os.name == "nt", reason="another shell")
@pytest.mark.parametrize(
    ("command", "args", "runs"),
    [
        ("npx -y x", [], ("npx", "-y", "x")),
        ("npx -y", ["x y"], ("npx", "-y", "x y")),
        (" npx  -y ", [], ("npx", "-y")),
        ("'{dir}/my tool' --a 'b c'", [], ("{dir}/my tool", "--a", "b c")),
        ("{dir}/my\\ tool --a", [], ("{dir}/my tool", "--a")),
        ("{dir}/my tool", ["--a"], ("{dir}/my tool", "--a")),
        ("my tool", [], ("my tool",)),
        ("cmd /c npx -y x", [], ("cmd", "/c", "npx", "-y", "x")),
        ("npx 'no end", [], ("npx 'no end",)),
    ],
)
def test_a_command_on_one_line_is_split_unless_it_is_a_program(tmp_path, command, args, runs):
    program = tmp_path / "my tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    config = server_of("a", {"command": command.format(dir=tmp_path), "args": args}, "user")
    expected = tuple(part.format(dir=tmp_path) for part in runs)

    assert launch_of(config, {"PATH": str(tmp_path)}, tmp_path).command == expected
    assert shown(config, {"PATH": str(tmp_path)}, tmp_path).first_line == shlex.join(expected)


def test_a_server_gets_what_leads_through_a_proxy(tmp_path):
    names = ["HTTPS_PROXY", "http_proxy", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
    config = server_of("a", {"command": "x"}, "user")

    env = launch_of(config, {**dict.fromkeys(names, "v"), "AWS_SECRET_KEY": "s"}, tmp_path).env

    assert sorted(env) == sorted(names)


def test_a_server_that_is_switched_off_is_left_out(path):
    path.write_text(json.dumps({"mcpServers": {"a": {"command": "x", "disabled": True}}}))

    assert read_servers(path, "workspace").servers == ()


def test_too_many_servers_are_left_out(path):
    path.write_text(json.dumps({"mcpServers": {f"s{n}": {"command": "x"} for n in range(100)}}))

    read = read_servers(path, "workspace")

    assert len(read.servers) == MAX_SERVERS
    assert "names 100 servers" in read.problems[0]


def test_adding_and_removing_keeps_all_else_and_the_order(path):
    content = {"other": {"ü": [1]}, "mcpServers": {"z": {"command": "x", "note": "kept"}, "a": {"command": "y"}}}
    path.write_text("\ufeff" + json.dumps(content), encoding="utf-8")

    add_server(path, "new", {"command": "npx", "args": ["-y"], "extra": 1}, "user")

    added = {"command": "npx", "args": ["-y"], "extra": 1}
    assert json.loads(path.read_text()) == {**content, "mcpServers": {**content["mcpServers"], "new": added}}
    assert remove_server(path, "new")
    assert not remove_server(path, "new")
    assert list(json.loads(path.read_text())["mcpServers"]) == ["z", "a"]
    assert json.loads(path.read_text()) == content


def test_a_file_of_vs_code_keeps_its_own_key(path):
    path.write_text(json.dumps({"servers": {"a": {"command": "x"}}}))

    add_server(path, "b", {"command": "y"}, "workspace")

    assert json.loads(path.read_text()) == {"servers": {"a": {"command": "x"}, "b": {"command": "y"}}}


def test_a_new_file_is_made_with_its_folder(tmp_path):
    path = tmp_path / "config" / "mcp.json"

    add_server(path, "b", {"command": "y"}, "user")

    assert json.loads(path.read_text()) == {"mcpServers": {"b": {"command": "y"}}}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${A}", "1"),
        ("${env:A}", "1"),
        ("x${A}y${A}z", "x1y1z"),
        ("${NO:-default}", "default"),
        ("${NO:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${A:-default}", "1"),
        ("${NO:-${A}", "${A"),
        ("$A $(A) {A} $${A}", "$A $(A) {A} $1"),
        ("plain", "plain"),
    ],
)
def test_variables_are_expanded_once(text, expanded):
    assert expand(text, {**ENVIRON, "LOOP": "${A}"}) == expanded
    assert expand("${LOOP}", {"LOOP": "${A}"}) == "${A}"


@pytest.mark.parametrize("text", ["${OPENROUTER_API_KEY}", "${env:RUSTBOT_API_KEY}", "${OPENROUTER_API_KEY:-x}"])
def test_our_own_keys_are_never_expanded(text):
    with pytest.raises(SettingsError, match="Rustbot's own key"):
        expand(text, {"OPENROUTER_API_KEY": "k", "RUSTBOT_API_KEY": "k"})


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(SettingsError, match="'NO' is not set; set it, or write"):
        expand("${NO}", ENVIRON)


def test_what_is_shown_is_what_runs_without_its_secrets(tmp_path):
    entry = {
        "command": "run me",
        "args": ["--a=${A}", "--token=${MY_TOKEN}", "a b"],
        "env": {"NODE_OPTIONS": "--require ./x.js", "API_KEY": "written-secret", "OTHER": "${MY_TOKEN}"},
        "cwd": "sub",
    }
    config = server_of("s", entry, "workspace")

    text = shown(config, ENVIRON, tmp_path).text
    launch = launch_of(config, ENVIRON, tmp_path)

    assert text.splitlines() == [
        "run me --a=1 '--token=${MY_TOKEN}' 'a b'",
        f"in the folder {tmp_path}/sub",
        "with NODE_OPTIONS=--require ./x.js",
        "with API_KEY=••• (14 characters)",
        "with OTHER=${MY_TOKEN}",
    ]
    assert launch.command == ("run", "me", "--a=1", "--token=tok-4711", "a b")
    assert launch.env == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "NODE_OPTIONS": "--require ./x.js",
        "API_KEY": "written-secret",
        "OTHER": "tok-4711",
    }


def test_an_address_shows_its_headers_and_that_it_is_open(tmp_path):
    entry = {"url": "http://x.example/mcp", "headers": {"Authorization": "Bearer ${MY_TOKEN}", "X-Id": "7"}}

    text = shown(server_of("s", entry, "workspace"), ENVIRON, tmp_path).text

    assert text.splitlines() == [
        "http://x.example/mcp",
        "over plain http: others on the way can read it",
        "with Authorization=Bearer ${MY_TOKEN}",
        "with X-Id=7",
    ]


BASE = {"command": "c", "args": ["a"], "env": {"K": "v", "API_KEY": "s1"}, "cwd": "d"}


@pytest.mark.parametrize(
    "change",
    [
        {"command": "c2"},
        {"args": ["a", "b"]},
        {"args": ["a${A}"]},
        {"env": {"K": "v2", "API_KEY": "s1"}},
        {"env": {"K": "v", "API_KEY": "s2"}},
        {"env": {"K": "v", "API_KEY": "s1", "LD_PRELOAD": "x"}},
        {"cwd": "e"},
    ],
)
def test_whatever_would_run_differently_changes_the_digest(tmp_path, change):
    before = shown(server_of("s", BASE, "workspace"), ENVIRON, tmp_path).digest

    assert shown(server_of("s", BASE, "workspace"), ENVIRON, tmp_path).digest == before
    assert shown(server_of("s", {**BASE, **change}, "workspace"), ENVIRON, tmp_path).digest != before
    assert shown(server_of("t", BASE, "workspace"), ENVIRON, tmp_path).digest != before
    assert shown(server_of("s", BASE, "workspace"), ENVIRON, tmp_path / "other").digest != before


def test_a_new_value_of_a_secret_variable_asks_nobody_again(tmp_path):
    config = server_of("s", {"command": "c", "args": ["${MY_TOKEN}", "${A}"]}, "workspace")

    before = shown(config, ENVIRON, tmp_path).digest

    assert shown(config, {**ENVIRON, "MY_TOKEN": "other"}, tmp_path).digest == before
    assert shown(config, {**ENVIRON, "A": "other"}, tmp_path).digest != before
