"""Questions awaited in a cell: the notebook's Stop reaches them while the server says nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from servers.misbehaving import HOLD, MisbehavingServer, answer, opening

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("presses", [1, 5])
@pytest.mark.parametrize(
    "cell", ["await bot.ask_async('Tell me')", "async for event in bot.stream('Tell me'): pass"], ids=["ask", "stream"]
)
def test_stop_closes_the_connection_within_a_second_and_keeps_the_text(
    kernel: Any, server: MisbehavingServer, cell: str, presses: int
) -> None:
    kernel.run(
        "import asyncio, rustbot_jupyter as rb\n"
        f"bot = rb.Rustbot(model='test/model', base_url={server.base_url!r})\n"
        "bot.settings.retries = 0"
    )
    server.script([*opening("Once "), HOLD], answer("Next"))
    parent = kernel.start(cell)
    server.wait_until_held()

    pressed = time.monotonic()
    for _ in range(presses):
        kernel.interrupt()
    closed = server.chats[0].wait_closed()
    kernel.until_ended(parent)

    assert closed - pressed < 1
    kernel.run("while bot.state != 'idle': await asyncio.sleep(0.01)")
    kept = kernel.run("last = bot.conversation.messages[-1]; print(last.status, repr(last.text))")
    assert kept == "interrupted 'Once '\n"
    assert kernel.run("print((await bot.ask_async('And now?')).text); bot.close()") == "Next\n"
