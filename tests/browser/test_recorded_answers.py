"""A conversation in the chat and in cells with what OpenRouter once sent, and what is left of it in a notebook."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browser_notebook import Notebook
from playwright.sync_api import expect
from servers import naive_reading
from servers.misbehaving import MisbehavingServer, recording
from servers.naive_reading import RECORDINGS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not naive_reading.names(), reason="there are no recordings beside this checkout"),
]

TURNS = ["or-text-gpt4o-mini-azure", "or-reasoning-claude-2025", "or-text-2026-haiku-bedrock"]
COLUMNS = ["source", "input_tokens", "output_tokens", "reasoning_tokens", "cost_usd", "cost_is_estimate", "model"]


def expected(name: str, source: str) -> list[Any]:
    """The row of `bot.usage()` that a recording stands for."""
    sent = naive_reading.read(name)
    details = sent.usage.get("completion_tokens_details") or {}
    counts = [sent.usage[field] for field in ("prompt_tokens", "completion_tokens")]
    return [source, *counts, details.get("reasoning_tokens"), sent.usage["cost"], False, sent.model]


def test_three_recorded_turns_in_the_chat_and_in_cells_cost_what_the_server_sent(
    notebook: Notebook, bot_code: str, server: MisbehavingServer
) -> None:
    server.script(*([lambda _request, name=name: recording(RECORDINGS / name) for name in TURNS] * 2))
    chat = notebook.show(f"{bot_code}rb.set_bot(bot)\nbot")
    notebook.run("%reload_ext rustbot_jupyter")

    for number, name in enumerate(TURNS):
        shown = chat.ask(f"Question {number}?")
        first_words = " ".join(naive_reading.read(name).text.split()[:1]).strip("#*` ")
        expect(shown.locator(".rb-answer")).to_contain_text(first_words)
    for number in range(3):
        notebook.run(f"%%rustbot\nAgain {number}?")
    rows = json.loads(notebook.run(f"print(bot.usage()[{COLUMNS!r}].to_json(orient='values'))"))

    assert rows == [expected(name, source) for source in ("chat", "magic") for name in TURNS]
    assert len(server.chats) == 6
