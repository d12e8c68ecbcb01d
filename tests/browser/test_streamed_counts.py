"""What a streamed answer costs the connection to the page: exact counts, whatever the machine."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser_notebook import COMPLETE, Chat
from playwright.sync_api import BrowserContext, Page
from servers.misbehaving import MisbehavingServer, flood

pytestmark = pytest.mark.browser

CHUNKS = 3_000
BINARY = 2
_MESSAGE_TYPE = re.compile(rb'"msg_type": ?"(\w+)"')


@pytest.fixture
def pieces(browsing: BrowserContext, lab_page: Page) -> Iterator[list[int]]:
    """The sizes of the messages that reach widgets in the page."""
    sizes: list[int] = []
    session = browsing.new_cdp_session(lab_page)
    session.on("Network.webSocketFrameReceived", lambda event: _note(sizes, event["response"]))
    session.send("Network.enable")
    yield sizes
    session.detach()


def _note(sizes: list[int], response: dict[str, Any]) -> None:
    # Binary frames come as base64, those of text as they are; JupyterLab has connections of both kinds.
    data = response["payloadData"]
    frame = base64.b64decode(data) if response["opcode"] == BINARY else data.encode()
    kind = _MESSAGE_TYPE.search(frame)
    if kind is not None and kind[1] == b"comm_msg":
        sizes.append(len(frame))


@pytest.mark.parametrize("rate", [1_000, None], ids=["1,000 chunks a second", "all at once"])
def test_a_streamed_answer_arrives_whole_in_few_and_small_messages(
    chat: Chat, server: MisbehavingServer, pieces: list[int], rate: float | None
) -> None:
    server.script(flood(CHUNKS, rate=rate))
    pieces.clear()

    chat.send("Say it all")

    chat.expect_answer("x" * CHUNKS, COMPLETE)
    seconds = max(1.0, CHUNKS / rate if rate else 0.0)
    # The first and the last ones carry the question, the states, the usage and the totals.
    around = 6
    assert len(pieces) <= 35 * seconds + around
    assert CHUNKS < sum(pieces) <= 1.2 * CHUNKS + 600 * len(pieces) + 1_500 * around
