from __future__ import annotations

import asyncio
import json
import logging
import math
import stat
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from rustbot_jupyter.errors import SettingsError
from rustbot_jupyter.logs import log_context, log_to
from rustbot_jupyter.settings.secrets import Key

logger = logging.getLogger("rustbot_jupyter.engine.agent")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "rustbot.jsonl"


def lines(path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_importing_adds_a_null_handler_only_and_prints_nothing():
    code = (
        "import logging, rustbot_jupyter.logs\n"
        "root = logging.getLogger('rustbot_jupyter')\n"
        "assert [type(h).__name__ for h in root.handlers] == ['NullHandler'], root.handlers\n"
        "assert root.level == logging.NOTSET and not logging.getLogger().handlers\n"
        "root.error('nobody asked')\n"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_line_has_time_level_logger_message_and_ids(path):
    with log_to(path), log_context(conversation_id="conv-1"), log_context(turn_id="turn-1"):
        logger.info("sent to %s", "openrouter.ai", extra={"attempt": 2})

    (line,) = lines(path)
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "rustbot_jupyter.engine.agent",
        "message": "sent to openrouter.ai",
        "turn_id": "turn-1",
        "conversation_id": "conv-1",
        "extra": {"attempt": 2},
    }


def test_ids_belong_to_the_task_that_set_them(path):
    async def turn(name: str) -> None:
        with log_context(turn_id=name):
            await asyncio.sleep(0)
            logger.info(name)

    async def both() -> None:
        await asyncio.gather(turn("a"), turn("b"))

    with log_to(path):
        asyncio.run(both())
        logger.info("outside")

    assert [(line["message"], line["turn_id"]) for line in lines(path)] == [("a", "a"), ("b", "b"), ("outside", None)]


def test_the_level_decides_what_is_written_and_ends_with_the_log(path):
    log = log_to(path, "warning")
    logger.info("no")
    logger.warning("yes")
    log_to(path, logging.DEBUG)
    logger.debug("now too")
    log.close()
    logger.error("after")
    log.close()

    assert [line["message"] for line in lines(path)] == ["yes", "now too"]
    assert logging.getLogger("rustbot_jupyter").level == logging.NOTSET


def test_the_same_path_twice_writes_each_line_once(path, monkeypatch):
    path.parent.mkdir()
    monkeypatch.chdir(path.parent)

    with log_to(path) as one, log_to("./rustbot.jsonl") as two:
        logger.info("once")

    assert one is two
    assert len(lines(path)) == 1


def test_a_log_goes_on_where_an_earlier_one_ended(path):
    for word in ("first", "second"):
        with log_to(path):
            logger.info(word)

    assert [line["message"] for line in lines(path)] == ["first", "second"]


@given(text=st.text() | st.sampled_from(["\x1b[2J", "a\nb", "\u2028", "\x9b31m", "\x7f", "\u202e", "\ud800"]))
def test_any_text_is_one_line_of_printable_ascii(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("log") / "x.jsonl"

    with log_to(path):
        logger.info("%s", text, extra={"more": {text: [text]}})

    raw = path.read_bytes()
    assert raw.count(b"\n") == 1
    assert raw[:-1].decode("ascii").isprintable()
    assert lines(path)[0]["message"] == text


def test_no_line_holds_a_key(path):
    key = 'a-"quoted"-key/with+signs'
    Key(value=SecretStr(key), source="argument", host="openrouter.ai")

    with log_to(path):
        logger.warning("bad key %s", key, extra={"headers": {"Authorization": f"Bearer {key}"}, key: json.dumps([key])})
        try:
            raise ValueError(key)
        except ValueError:
            logger.exception("failed")

    text = path.read_text()
    assert key not in text
    assert json.dumps(key)[1:-1] not in text
    assert json.dumps(json.dumps(key)[1:-1])[1:-1] not in text
    assert "ValueError: [redacted]" in text


def test_odd_values_and_wrong_arguments_still_make_a_line(path, monkeypatch):
    # The test runner's own handler, further up, fails on wrong arguments.
    monkeypatch.setattr(logging.getLogger("rustbot_jupyter"), "propagate", False)
    endless: list[object] = []
    endless.append(endless)

    with log_to(path) as log:
        logger.info("%d apples", "many")
        logger.info("odd", extra={"nan": math.nan, "set": {1}, "path": path, "endless": endless})

    assert [line["message"] for line in lines(path)] == ["%d apples", "odd"]
    assert log.problem == ""


def test_many_threads_write_whole_lines(path):
    with log_to(path):
        threads = [threading.Thread(target=lambda: [logger.info("x" * 500) for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(lines(path)) == 200


def test_a_full_disk_is_remembered_and_disturbs_nobody(capsys):
    with log_to("/dev/full") as log:
        logger.info("lost")

        assert "could not be written" in log.problem

    assert capsys.readouterr().err == ""


def test_a_new_log_is_for_its_owner_only(path):
    log_to(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_wrong_path_or_level_is_one_sentence(path):
    with pytest.raises(SettingsError, match="'LOUD' is no log level"):
        log_to(path, "LOUD")
    with pytest.raises(SettingsError, match="choose another path"):
        log_to(path.parent.parent)
    with pytest.raises(SettingsError, match="choose another path"):
        log_to("nul\0byte")
