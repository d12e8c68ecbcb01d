from __future__ import annotations

import json
from collections import Counter

from tools.payloads_injections import INJECTIONS

KNOWN = {"run_shell", "run_code", "write_file", "delete_file", "edit_file", "fetch_page", "web_search"}


def test_there_are_enough_for_every_place_and_tool() -> None:
    assert len({each.text for each in INJECTIONS}) == len(INJECTIONS) >= 60
    assert min(Counter(each.place for each in INJECTIONS).values()) >= 10
    assert Counter(each.name for each in INJECTIONS).keys() == KNOWN


def test_a_model_could_make_each_call() -> None:
    for each in INJECTIONS:
        assert json.loads(json.dumps(each.arguments)) == each.arguments
