"""A desk of MCP servers; when a test is over, no process of theirs is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from servers.mcp_bench import Bench, processes_with


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    for desk in bench.desks:
        await desk.close()
    assert processes_with(tmp_path) == [], "left running"
