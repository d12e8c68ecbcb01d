"""The `rustbot` command, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import misbehaving as wire
from servers.misbehaving import HOLD, MisbehavingServer

from rustbot_jupyter import __version__

KEY = "sk-or-v1-" + "planted" * 6


class Command:
    """Runs `rustbot` in an empty folder, with settings of its own."""

    def __init__(self, folder: Path) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
        self.folder = folder
        self.environ = {
            **kept,
            "HOME": str(folder),
            "RUSTBOT_CONFIG_DIR": str(folder / "config"),
            "RUSTBOT_DATA_DIR": str(folder / "data"),
            "PYTHONIOENCODING": "utf-8",
        }

    def use(self, server: MisbehavingServer) -> None:
        """Ask this server."""
        self.environ |= {"RUSTBOT_BASE_URL": server.base_url, "RUSTBOT_MODEL": "test/model", "RUSTBOT_RETRIES": "0"}

    def run(self, *arguments: str, stdin: str = "", code: str | None = None) -> subprocess.CompletedProcess[str]:
        """What came of it; with `code` Python runs that instead."""
        program = ["-c", code] if code is not None else ["-m", "rustbot_jupyter"]
        return subprocess.run(
            [sys.executable, *program, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            cwd=self.folder,
            env=self.environ,
            check=False,
        )


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    return Command(tmp_path)


def test_ask_streams_the_answer_to_the_terminal(command: Command, server: MisbehavingServer):
    server.script(wire.answer("Once ", "upon"))
    command.use(server)

    done = command.run("ask", "Tell", "me")

    assert (done.returncode, done.stdout, done.stderr) == (0, "Once upon\n", "")
    assert server.chats[0].json["messages"][-1]["content"] == "Tell me"


def test_ask_reads_the_question_from_standard_input(command: Command, server: MisbehavingServer):
    server.script(wire.answer("ok"))
    command.use(server)

    done = command.run("ask", "-", stdin="What is in this file?\n")

    assert done.stdout == "ok\n"
    assert server.chats[0].json["messages"][-1]["content"] == "What is in this file?\n"


def test_ask_without_a_key_is_answered_by_the_offline_demo(command: Command):
    done = command.run("ask", "repeat: hello there")

    assert (done.returncode, done.stdout.strip()) == (0, "hello there")


def test_a_failure_is_one_sentence_on_stderr_and_a_code(command: Command, server: MisbehavingServer):
    server.script(wire.error(401, "User not found."))
    command.use(server)

    done = command.run("ask", "hi")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rustbot: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_empty_question_is_not_sent(command: Command, server: MisbehavingServer):
    command.use(server)

    done = command.run("ask", "", stdin="  \n")

    assert done.returncode == 1
    assert "empty" in done.stderr
    assert server.chats == []


def test_control_characters_of_an_answer_do_not_steer_the_terminal(command: Command, server: MisbehavingServer):
    server.script(wire.answer("red \x1b[31malert\x07"))
    command.use(server)

    done = command.run("ask", "hi")

    assert "\x1b" not in done.stdout
    assert "alert" in done.stdout


def test_a_stream_that_breaks_keeps_what_came_and_says_so(command: Command, server: MisbehavingServer):
    server.script([*wire.opening("half of "), wire.RESET])
    command.use(server)

    done = command.run("ask", "hi")

    assert done.returncode == 1
    assert done.stdout.startswith("half of ")
    assert "rustbot: " in done.stderr


def test_models_lists_names_contexts_and_prices(command: Command, server: MisbehavingServer):
    pricing = {"prompt": "0.000002", "completion": "0.00001"}
    models = [{"id": "big/one", "context_length": 1000, "pricing": pricing}, {"id": "other/two"}]
    server.on("/v1/models", wire.json_answer({"data": models}))
    command.use(server)

    done = command.run("models", "big")

    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split() == ["big/one", "1000", "2.00", "10.00"]
    assert "other/two" not in done.stdout


def test_models_that_nobody_has_are_told(command: Command, server: MisbehavingServer):
    server.on("/v1/models", wire.json_answer({"data": [{"id": "big/one"}]}))
    command.use(server)

    done = command.run("models", "small")

    assert done.returncode == 1
    assert "'small'" in done.stderr


def test_doctor_finds_everything_well_with_a_server_that_answers(command: Command, server: MisbehavingServer):
    server.on("/v1/models", wire.json_answer({"data": [{"id": "test/model"}]}))
    command.use(server)

    done = command.run("doctor")

    assert done.returncode == 0, done.stdout
    assert "lists 1 models" in done.stdout
    assert all(line.split()[0] in ("ok", "warning", "→") for line in done.stdout.splitlines())


def test_doctor_names_the_next_step_when_the_server_is_away(command: Command):
    with wire.refusing_port() as port:
        command.environ |= {"RUSTBOT_BASE_URL": f"http://127.0.0.1:{port}/v1", "RUSTBOT_MODEL": "m"}

        done = command.run("doctor")

    lines = done.stdout.splitlines()
    problem = next(number for number, line in enumerate(lines) if line.startswith("problem"))
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in lines[problem]
    assert lines[problem + 1].strip().startswith("→")


def test_doctor_names_a_key_by_where_it_is_from_and_never_shows_it(command: Command, server: MisbehavingServer):
    server.on("/v1/models", wire.json_answer({"data": [{"id": "test/model"}]}))
    server.on("/v1/key", wire.json_answer({"data": {"limit_remaining": 12.5}}))
    command.use(server)
    command.environ["RUSTBOT_API_KEY"] = KEY

    done = command.run("doctor")

    assert "RUSTBOT_API_KEY" in done.stdout
    assert "$12.50 are left" in done.stdout
    assert KEY not in done.stdout + done.stderr


def test_doctor_suggests_a_name_for_a_model_that_is_not_listed(command: Command, server: MisbehavingServer):
    server.on("/v1/models", wire.json_answer({"data": [{"id": "test/model-2"}]}))
    command.use(server)

    done = command.run("doctor")

    assert done.returncode == 1
    assert "does not list 'test/model'" in done.stdout
    assert "test/model-2" in done.stdout


def test_doctor_tells_of_the_sandbox_and_of_mcp_servers_and_starts_none(command: Command, server: MisbehavingServer):
    server.on("/v1/models", wire.json_answer({"data": [{"id": "test/model"}]}))
    command.use(server)
    (command.folder / "config").mkdir()
    (command.folder / "config" / "mcp.json").write_text('{"mcpServers": {"files": {"command": "no-such-program"}}}')

    done = command.run("doctor")

    assert done.returncode == 0, done.stdout
    assert "sandbox" in done.stdout
    [line] = [line for line in done.stdout.splitlines() if "MCP server files" in line]
    assert line.startswith(("ok", "warning"))


def test_lab_without_jupyterlab_says_what_to_install(command: Command):
    hide = (
        "import importlib.util, sys; real = importlib.util.find_spec;"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'jupyterlab' else real(name, *rest);"
        "from rustbot_jupyter.cli import main; sys.exit(main(['lab']))"
    )

    done = command.run(code=hide)

    assert done.returncode == 1
    assert "pip install 'rustbot-jupyter[lab]'" in done.stderr


def test_the_version_is_the_packages(command: Command):
    assert command.run("--version").stdout.strip() == f"rustbot {__version__}"


def test_an_unknown_option_is_named(command: Command):
    done = command.run("models", "--tempreature")

    assert done.returncode == 2
    assert "'--tempreature'" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_ctrl_c_stops_the_answer_and_the_connection(command: Command, server: MisbehavingServer):
    import signal

    server.script([*wire.opening("Once "), HOLD])
    command.use(server)
    process = subprocess.Popen(
        [sys.executable, "-m", "rustbot_jupyter", "ask", "hi"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=command.folder,
        env=command.environ,
    )
    assert process.stdout is not None
    assert process.stdout.read(5) == "Once "

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)

    assert process.returncode == 130
    assert "Traceback" not in errors
    assert server.chats[0].wait_closed() > 0
