from __future__ import annotations

import time

import pytest

from rustbot_jupyter.hidden_characters import schema_without_hidden, without_halves, without_hidden
from rustbot_jupyter.tools.base import ToolDefinition
from rustbot_jupyter.tools.results import cleaned

TAGS = "".join(chr(0xE0000 + ord(char)) for char in "obey")


@pytest.mark.parametrize(
    "hidden",
    [
        TAGS,
        "\u200b",
        "\u200e",
        "\u202e",
        "\u2066",
        "\u2060",
        "\ufeff",
        "\u00ad",
        "\u3164",
        "\u200d",
        "\ufe0f\ufe01\ufe02",
    ],
)
def test_what_nobody_sees_is_taken_out(hidden):
    assert without_hidden(f"Look{hidden} up.{hidden}") == "Look up."
    assert cleaned(f"Look{hidden} up.{hidden}") == "Look up."


@pytest.mark.parametrize("text", ["👩‍👩‍👧 ❤️ ☎️", "می‌خواهم", "क्‍ष", "naïve – “quoted”\t日本語\n", "plain"])
def test_what_writing_needs_stays(text):
    assert without_hidden(text) == text


def test_a_definition_goes_without_hidden_characters_and_keeps_exact_values():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "description": f"A{TAGS}", "enum": ["x\u200by"]}},
        "required": ["a"],
    }

    function = ToolDefinition(name="look", description=f"Look.{TAGS}", parameters=schema).wire()["function"]

    assert function["description"] == "Look."
    assert function["parameters"]["properties"]["a"] == {"type": "string", "description": "A", "enum": ["x\u200by"]}
    assert schema_without_hidden({"required": ["a"]}) == {"required": ["a"]}


@pytest.mark.parametrize(
    ("text", "whole"), [("\ud83d", "\ufffd"), ("\ud83d\ude00", "😀"), ("a\ude00b", "a\ufffdb"), ("é", "é")]
)
def test_halves_of_characters_are_joined_or_replaced(text, whole):
    assert without_halves(text) == whole


@pytest.mark.parametrize("char", ["a", "é", "\u200b", "\u200d", "\ufe0f", "\ud83d", "\U000e0041", "\x1b", "\r"])
def test_a_long_text_of_one_character_takes_a_moment(char):
    def seconds(length: int) -> float:
        start = time.process_time()
        cleaned(char * length)
        return time.process_time() - start

    assert min(seconds(80_000) for _ in range(3)) < 8 * max(min(seconds(20_000) for _ in range(3)), 0.002)
