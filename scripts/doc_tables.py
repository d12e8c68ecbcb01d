"""Brings the pages up to date that repeat what the code says: flags, commands, settings, and the page of all tools.

    .venv/bin/python scripts/doc_tables.py

Each stands between two comments, `<!-- table: NAME -->` and `<!-- end -->`; `tests/test_docs.py` finds stale ones.
"""

import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from rustbot_jupyter.notebook.help_text import help_text
from rustbot_jupyter.rustbot import Rustbot
from rustbot_jupyter.settings.profile import field_schema

_ABOUT_TOOLS = """\
# Tools

What a model can have done. What only reads runs without asking; for all else see [consent](consent.md).
`bot.tools.docs()` gives this page for your own bot, with the tools that you, [plugins](plugins.md) and
[MCP servers](mcp.md) added.
"""
DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = ("magics.md", "settings.md")
LONGEST_DEFAULT = 30
SHOWN_UNITS = ("seconds", "tokens", "US dollars")
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def main() -> None:
    (DOCS / "tools.md").write_text(tools_page(), encoding="utf-8")
    for name in PAGES:
        path = DOCS / name
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(page: str) -> str:
    """The page with each marked table as the code would have it."""
    found = tables()
    return _MARKED.sub(lambda match: f"{match[1]}\n{found[match[2]]}\n\n{match[4]}", page)


def tools_page() -> str:
    """The reference of the built-in tools, as a notebook has them."""
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.instance()
    with closing(Rustbot(model="rustbot/demo")) as bot:
        return f"{_ABOUT_TOOLS}\n{bot.tools.docs().partition(chr(10))[2].lstrip()}"


def tables() -> dict[str, str]:
    """All tables by name."""
    _, commands, flags = re.split(r"\n\*\*(?:Commands|Flags)\*\*\n\n", help_text())
    return {"commands": _table(commands), "flags": _table(flags), "settings": settings_table()}


def _table(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def settings_table() -> str:
    """Every setting: name, what it takes, default, meaning."""
    rows = [
        f"| `{entry['name']}` | {_takes(entry)} | {_default(entry['default'])} | {entry['help']} |"
        for entry in field_schema()
    ]
    return "\n".join(["| setting | takes | default | meaning |", "|---|---|---|---|", *rows])


def _takes(entry: Mapping[str, Any]) -> str:
    low, high, unit = entry["min"], entry["max"], entry["unit"]
    match entry["type"]:
        case "number" | "integer":
            kind = "number" if entry["type"] == "number" else "whole number"
            return f"{kind}, {low:,} to {high:,}{f' {unit}' if unit in SHOWN_UNITS else ''}"
        case "choice":
            return ", ".join(f"`{choice}`" for choice in entry["choices"])
        case "list":
            return f"list of up to {high} texts"
        case "long_text":
            return f"text of up to {high:,} characters"
        case "boolean":
            return "`true` or `false`"
        case kind:
            return str(kind)


def _default(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "unset" if value is None else "empty"
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{shown}`" if len(shown) <= LONGEST_DEFAULT else "see below"


if __name__ == "__main__":
    main()
