"""`%%rustbot` cells in a real kernel: updates in place, Stop, what the next cell gets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from effort import SOON_S
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

pytestmark = pytest.mark.kernel


@pytest.fixture
def magics(kernel: Any, server: MisbehavingServer) -> Iterator[Any]:
    """A kernel with the magics loaded, whose bot asks the misbehaving server."""
    kernel.run(
        "import rustbot_jupyter as rb\n"
        "%reload_ext rustbot_jupyter\n"
        f"rb.set_bot(rb.Rustbot(model='test/model', base_url={server.base_url!r}))\n"
        "rb.get_bot().settings.retries = 0"
    )
    yield kernel
    kernel.run("rb.get_bot().close()")


def displays(kernel: Any, parent: str) -> list[dict[str, Any]]:
    """The bundles that a cell showed, updates included, in order."""
    kinds = ("display_data", "update_display_data", "execute_result")
    return [
        message["content"]["data"]
        for message in list(kernel.messages)
        if message["parent_header"].get("msg_id") == parent and message["msg_type"] in kinds
    ]


def errors(kernel: Any, parent: str) -> list[str]:
    return [
        message["content"]["evalue"]
        for message in list(kernel.messages)
        if message["parent_header"].get("msg_id") == parent and message["msg_type"] == "error"
    ]


def finish(kernel: Any, parent: str) -> None:
    kernel.until_ended(parent)


def test_a_cell_streams_into_one_display_and_shows_no_second_result(magics: Any, server: MisbehavingServer) -> None:
    server.script(answer("Once ", "upon ", "a time", pause_s=0.15))

    parent = magics.start("%%rustbot\nTell me")
    finish(magics, parent)

    kinds = [
        message["msg_type"]
        for message in magics.messages
        if message["parent_header"].get("msg_id") == parent and "display" in message["msg_type"]
    ]
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) == {"update_display_data"}
    shown = displays(magics, parent)
    assert len(shown) == len(kinds)
    assert "Once upon a time" in shown[-1]["text/markdown"]
    assert magics.run("print(_.text)") == "Once upon a time\n"


@pytest.mark.parametrize("presses", [1, 10])
def test_stop_keeps_the_partial_answer_and_closes_the_connection(
    magics: Any, server: MisbehavingServer, presses: int
) -> None:
    server.script([*opening("Once "), HOLD], answer("Next"))
    parent = magics.start("reply = %rustbot tell me")
    magics.until(lambda: any("Once " in bundle["text/markdown"] for bundle in displays(magics, parent)))

    pressed = time.monotonic()
    for _ in range(presses):
        magics.interrupt()
    closed = server.chats[0].wait_closed()
    finish(magics, parent)

    assert closed - pressed < SOON_S
    assert time.monotonic() - pressed < SOON_S
    assert errors(magics, parent) == []
    assert displays(magics, parent)[-1]["text/markdown"].startswith("Once \n\n*Interrupted.")
    assert magics.run("print(reply.status, rb.get_bot().state)") == "interrupted idle\n"
    magics.run("after = %rustbot and now?")
    assert magics.run("print(after.text)") == "Next\n"


def test_stop_before_the_first_token_is_an_interrupted_answer_too(magics: Any, server: MisbehavingServer) -> None:
    server.script([HOLD])
    parent = magics.start("reply = %rustbot tell me")
    server.wait_until_held()

    magics.interrupt()
    finish(magics, parent)

    assert errors(magics, parent) == []
    assert magics.run("print(reply.status, repr(reply.text))") == "interrupted ''\n"


def test_the_kernels_own_interrupt_works_again_afterwards(magics: Any, server: MisbehavingServer) -> None:
    server.script([*opening("Once "), HOLD])
    asked = magics.start("%rustbot tell me")
    server.wait_until_held()
    magics.interrupt()
    finish(magics, asked)

    parent = magics.start("import time\nprint('begun')\ntime.sleep(30)")
    magics.until(lambda: any(message["content"].get("text") == "begun\n" for message in magics.messages))
    magics.interrupt()
    finish(magics, parent)

    assert any(m["msg_type"] == "error" and m["content"]["ename"] == "KeyboardInterrupt" for m in magics.messages)


def test_a_background_answer_lands_in_the_cell_that_asked(magics: Any, server: MisbehavingServer) -> None:
    server.script([*opening("Once "), HOLD, *answer("upon")[1:]])
    parent = magics.start("%%rustbot --bg --out later\nTell me")
    finish(magics, parent)
    server.wait_until_held()

    magics.run("x = 1")
    server.release()

    magics.run("import time\nwhile 'later' not in globals(): time.sleep(0.01)")

    first = next(
        m for m in magics.messages if m["msg_type"] == "display_data" and m["parent_header"]["msg_id"] == parent
    )
    display_id = first["content"]["transient"]["display_id"]
    magics.until(
        lambda: any(
            m["msg_type"] == "update_display_data"
            and m["content"]["transient"]["display_id"] == display_id
            and "<small>" in m["content"]["data"]["text/markdown"]
            for m in list(magics.messages)
        )
    )


def test_code_arrives_as_the_next_cell(magics: Any, server: MisbehavingServer) -> None:
    server.script(answer("Sure:\n```python\nx = 1\n```"))

    parent = magics.start("%%rustbot -f code\nSet x")
    reply = magics.client.get_shell_msg(timeout=20)
    while reply["parent_header"].get("msg_id") != parent:
        reply = magics.client.get_shell_msg(timeout=20)

    assert reply["content"]["payload"] == [{"source": "set_next_input", "text": "x = 1", "replace": False}]


def test_the_usage_names_the_cell_that_asked(magics: Any, server: MisbehavingServer) -> None:
    server.script(answer("Yes"))
    request = magics.client.session.msg("execute_request", {"code": "%rustbot are you there?"})
    request["metadata"]["cellId"] = "cell-7"

    magics.client.shell_channel.send(request)
    finish(magics, request["header"]["msg_id"])

    assert magics.run("print(rb.get_bot().usage()['cell_id'].iloc[-1])") == "cell-7\n"


def test_a_failure_is_one_line_and_stops_the_notebook(magics: Any, server: MisbehavingServer) -> None:
    parent = magics.start("%rustbot modles")
    finish(magics, parent)

    (message,) = [m for m in magics.messages if m["msg_type"] == "error" and m["parent_header"].get("msg_id") == parent]
    assert len(message["content"]["traceback"]) == 1
    assert message["content"]["ename"] == "RequestError"
    assert "did you mean 'models'?" in message["content"]["evalue"]
