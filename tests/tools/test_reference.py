"""The reference of all tools."""

from __future__ import annotations

import enum
from typing import Literal

from pydantic import BaseModel

from rustbot_jupyter.tools.base import BUILT_IN, Risk, Tool, ToolDefinition
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.reference import reference
from rustbot_jupyter.tools.registry import ToolRegistry


class Unit(enum.Enum):
    C = "c"


class Place(BaseModel):
    name: str


def weather(
    city: str, days: int = 3, unit: Literal["c", "f"] = "c", near: tuple[Place, ...] = (), of: Unit | None = None
) -> str:
    """Look up the weather
    of a city.

    Not of the sea.

    Args:
        city: Name | in English.
        days: How many
            days.
    """
    return city


def test_a_tool_has_its_label_risk_text_and_parameters():
    text = reference([tool_of(weather, risk=Risk.NETWORK, label="Weather")])

    assert text.splitlines() == [
        "# Tools",
        "",
        "## Your own",
        "",
        "### weather",
        "",
        "*Weather: uses the network; asks first.*",
        "",
        "Look up the weather of a city.",
        "",
        "Not of the sea.",
        "",
        "| parameter | type | default | meaning |",
        "| --- | --- | --- | --- |",
        "| `city` | string |  | Name \\| in English. |",
        "| `days` | integer | `3` | How many days. |",
        '| `unit` | `c`, `f` | `"c"` |  |',
        "| `near` | array of `Place` | none |  |",
        "| `of` | `c` | none |  |",
    ]


def test_sources_have_a_section_each_and_no_tools_are_said():
    registry = ToolRegistry()
    for name, source in [("b", "mcp:time"), ("a", BUILT_IN), ("c", "user"), ("d", "plugin:x")]:
        registry.add(tool_of(lambda: None, name=name, source=source, risk=Risk.READ))

    headings = [line for line in reference(registry.all()).splitlines() if line.startswith("## ")]

    assert headings == ["## Built in", "## From `mcp:time`", "## From `plugin:x`", "## Your own"]
    assert reference([]) == "# Tools\n\nThere are none.\n"


def test_any_schema_of_somebody_elses_has_a_row_or_none():
    odd = {
        "types": {"type": ["string", "null"]},
        "no text": 5,
        "empty": {},
        "pipe|\nname": {"type": "str|ing", "description": "a\nb|c", "default": {"x": "|"}},
        "ref": {"$ref": "#/$defs/Thing"},
        "any": {"anyOf": ["x", {"type": "null"}, {"type": "string"}]},
        "enum": {"enum": ["a|b", 1, None]},
    }
    tool = Tool(
        definition=ToolDefinition(name="odd", description="", parameters={"properties": odd, "required": None}),
        run=lambda arguments, context: None,  # type: ignore[arg-type,return-value]
        check=lambda arguments: dict(arguments),
        risk=Risk.READ,
    )

    rows = [line for line in reference([tool]).splitlines() if line.startswith("| `")]

    assert len(rows) == 6
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)
    assert "string or null" in rows[0]
    assert "`Thing`" in rows[3]
