"""The lists of attacks are as long as promised, and no attack stands in one twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tools import payloads_addresses, payloads_injections, payloads_paths, payloads_shell

LISTS = {
    "paths that lead outside": payloads_paths.OUTSIDE,
    "paths to secrets": payloads_paths.SECRET,
    "lines for every rule": payloads_shell.FOR_EVERY_RULE,
    "lines for one rule": payloads_shell.FOR_ONE_RULE,
    "inner addresses": payloads_addresses.FORBIDDEN_HOSTS,
    "addresses that are none": payloads_addresses.UNREADABLE_URLS,
    "orders in what is read": [each.text for each in payloads_injections.INJECTIONS],
}


@pytest.mark.parametrize("name", LISTS)
def test_there_are_sixty_different_ones(name: str) -> None:
    payloads: Sequence[object] = LISTS[name]

    assert len(set(payloads)) == len(payloads) >= 60
