"""How long the tests of many inputs look: a little by default, long in `make soak`."""

from __future__ import annotations

import os

_TIMES = int(os.environ.get("RUSTBOT_TEST_EFFORT", "1"))


def examples(few: int) -> int:
    """`few` generated inputs, and many times as many in `make soak`."""
    return few * _TIMES
