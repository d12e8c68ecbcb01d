"""Libraries that the page asks for."""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import plotly.offline
import pytest

from rustbot_jupyter.errors import RequestError
from rustbot_jupyter.notebook import session_library
from rustbot_jupyter.notebook.session_library import read_library


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    read_library.cache_clear()
    yield
    read_library.cache_clear()


@pytest.mark.parametrize("name", ["katex", "markdown"])
def test_our_own_come_as_they_were_built(name: str) -> None:
    assert read_library(name) == ((session_library.STATIC / f"{name}.js.gz").read_bytes(), "gzip")


def test_plotly_is_the_installed_one_as_a_module_that_leaves_the_page_alone() -> None:
    packed, encoding = read_library("plotly")

    module = gzip.decompress(packed).decode()
    start, _, end = module.partition(plotly.offline.get_plotlyjs())
    assert encoding == "gzip"
    assert len(packed) < 2_000_000
    assert "module = { exports: {} }" in start
    assert "window.Plotly = before" in end
    assert "export default module.exports;" in end


def test_plotly_is_packed_once() -> None:
    assert read_library("plotly") is read_library("plotly")


def without_file(name: str) -> ModuleSpec:
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(Path(__file__).parent)]
    return spec


@pytest.mark.parametrize("find", [lambda name: None, without_file], ids=["missing", "without its file"])
def test_without_plotly_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, find: object) -> None:
    monkeypatch.setattr(session_library, "find_spec", find)

    with pytest.raises(RequestError, match="%pip install plotly"):
        read_library("plotly")

    monkeypatch.setattr(session_library, "find_spec", importlib.util.find_spec)
    assert read_library("plotly")


def test_nothing_else_can_be_read() -> None:
    with pytest.raises(RequestError, match="'katex', 'markdown', 'plotly'"):
        read_library("../widget")
