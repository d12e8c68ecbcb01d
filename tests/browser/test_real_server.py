"""A conversation of three turns with a real llama.cpp server: in the chat, in cells, and counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_notebook import Notebook
from servers.llama import llama_server

pytest.importorskip("xllamacpp")
pytest.importorskip("gguf")

pytestmark = pytest.mark.browser

COUNTED = "print(bot.usage()[['source', 'status', 'provider', 'output_tokens']].to_csv(index=False, header=False))"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as url:
        yield url


def test_three_turns_in_the_chat_and_three_in_cells_are_answered_and_counted(notebook: Notebook, base_url: str) -> None:
    chat = notebook.show(
        "import rustbot_jupyter as rb\n"
        f"bot = rb.Rustbot(base_url={base_url!r})\n"
        "bot.settings.max_tokens = 12\n"
        "rb.set_bot(bot)\n"
        "bot"
    )
    notebook.run("%reload_ext rustbot_jupyter")

    for number in range(3):
        chat.ask(f"Question {number}")
    for number in range(3):
        notebook.run(f"%%rustbot\nCell {number}")
    rows = [row.split(",") for row in notebook.run(COUNTED).split()]

    assert [row[:3] for row in rows] == [["chat", "complete", "local"]] * 3 + [["magic", "complete", "local"]] * 3
    # A random model may end its answer before the limit.
    assert all(0 < int(row[3]) <= 12 for row in rows)
