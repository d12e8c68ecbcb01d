"""Answers of servers as results: nothing is lost, and nothing is said twice."""

from __future__ import annotations

import pytest
from mcp.types import CallToolResult, TextContent

from rustbot_jupyter.tools.mcp.results import result_of_call


def answer(*texts, structured=None):
    content = [TextContent(type="text", text=text) for text in texts]
    return result_of_call(CallToolResult(content=content, structured_content=structured), "s")


@pytest.mark.parametrize(
    ("texts", "structured", "said"),
    [
        (["5"], {"result": 5}, "5"),
        (["Buy milk."], {"content": "Buy milk."}, "Buy milk."),
        (['{"a": 1}'], {"a": 1}, '{"a": 1}'),
        (['{"a": 1}'], {"result": {"a": 1}}, '{"a": 1}'),
        (["a", "b"], {"result": ["a", "b"]}, "a\nb"),
        (["See the data."], {"a": 1}, 'See the data.\n{"a": 1}'),
        (["a", "b"], {"result": ["a", "c"]}, 'a\nb\n{"result": ["a", "c"]}'),
        (["5"], {"result": 5, "unit": "m"}, '5\n{"result": 5, "unit": "m"}'),
        ([], {"a": 1}, '{"a": 1}'),
        ([], None, "Done. It returned nothing."),
    ],
)
def test_what_is_structured_is_said_once(texts, structured, said):
    result = answer(*texts, structured=structured)

    assert result.content == said
    assert result.data == structured
