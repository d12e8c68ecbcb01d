"""The marketplace: what is found, what each would run, and that nothing happens without a yes."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from rustbot_jupyter.errors import RequestError, SettingsError
from rustbot_jupyter.tools.marketplace import MAX_BYTES, MAX_PAGES, Marketplace
from rustbot_jupyter.tools.mcp.config import read_servers
from rustbot_jupyter.tools.plugins import Plugin

FILES = {
    "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
    "name": "io.example/files",
    "description": "Reads and writes files.",
    "version": "1.0.2",
    "packages": [
        {
            "registryType": "npm",
            "identifier": "@example/server-files",
            "version": "1.0.2",
            "transport": {"type": "stdio"},
            "packageArguments": [
                {"type": "positional", "valueHint": "target_dir", "isRequired": True},
                {"type": "named", "name": "--mode", "default": "local"},
                {"type": "named", "name": "--verbose"},
                {"type": "named", "name": "--unset", "description": "Left out."},
            ],
            "environmentVariables": [
                {"name": "FILES_TOKEN", "isRequired": True, "isSecret": True},
                {"name": "LOG_LEVEL", "default": "info"},
                {"name": "OPTIONAL"},
            ],
        }
    ],
}
WEATHER = {
    "name": "io.example/weather",
    "description": "The weather of a city.",
    "version": "2.0.0",
    "remotes": [
        {"type": "sse", "url": "https://weather.example/sse"},
        {
            "type": "streamable-http",
            "url": "https://{tenant}.weather.example/mcp",
            "variables": {"tenant": {"isRequired": True}},
            "headers": [{"name": "X-API-Key", "value": "Bearer {key}", "variables": {"key": {"isSecret": True}}}],
        },
    ],
}
PLUGIN = Plugin(name="units", package="rustbot-plugin-units 1.0.0", description="Converts units.")


class Bazaar:
    """A marketplace, what it fetched and what it asked."""

    def __init__(self, folder: Path, registry: str = "") -> None:
        self.mcp_file = folder / ".mcp.json"
        self.questions = []
        self.fetched: list[str] = []
        self.pages: list[object] = []
        self.says_yes = True
        self.market = Marketplace(lambda: [PLUGIN], lambda: registry, self.get, self.ask, self.mcp_file)

    async def get(self, url: str) -> bytes:
        self.fetched.append(url)
        page = self.pages.pop(0) if self.pages else {"servers": []}
        return page if isinstance(page, bytes) else json.dumps(page).encode()

    async def ask(self, question) -> bool:
        self.questions.append(question)
        return self.says_yes


@pytest.fixture
def bazaar(tmp_path: Path) -> Bazaar:
    registry = tmp_path / "registry.json"
    registry.write_text(json.dumps({"servers": [{"server": FILES, "_meta": {}}, WEATHER, "odd", {"name": 7}]}))
    return Bazaar(tmp_path, str(registry))


async def test_plugins_and_servers_are_found_with_what_each_would_run(bazaar):
    plugin, files, weather = await bazaar.market.browse()

    assert (plugin.kind, plugin.name, plugin.runs) == ("plugin", "units", "rustbot-plugin-units 1.0.0")
    assert files.runs == "npx -y @example/server-files@1.0.2 '${TARGET_DIR}' --mode local --verbose"
    assert files.entry["env"] == {"FILES_TOKEN": "${FILES_TOKEN}", "LOG_LEVEL": "info"}
    assert weather.runs == "https://${TENANT}.weather.example/mcp"
    assert weather.entry["headers"] == {"X-API-Key": "Bearer ${KEY}"}


@pytest.mark.parametrize(
    ("words", "names"),
    [("", 3), ("WEATHER city", 1), ("reads io.example", 1), ("units", 1), ("city files", 0), ("e", 3)],
)
async def test_all_words_have_to_be_there(bazaar, words, names):
    assert len(await bazaar.market.browse(words)) == names


async def test_adding_one_asks_and_then_writes_what_was_shown(bazaar, tmp_path):
    bazaar.mcp_file.write_text(json.dumps({"other": 1, "mcpServers": {"there": {"command": "x"}}}))
    (files,) = await bazaar.market.browse("reads")

    name = await bazaar.market.add(files)

    (question,) = bazaar.questions
    assert question.text.splitlines() == [
        "npx -y @example/server-files@1.0.2 '${TARGET_DIR}' --mode local --verbose",
        "with FILES_TOKEN=${FILES_TOKEN}",
        "with LOG_LEVEL=info",
        f"is written into {bazaar.mcp_file} as 'files'; nothing is started now",
    ]
    written = json.loads(bazaar.mcp_file.read_text())
    assert written == {"other": 1, "mcpServers": {"there": {"command": "x"}, "files": files.entry}}
    server = read_servers(bazaar.mcp_file, "workspace").servers[1]
    assert (name, server.name) == ("files", "files")
    assert server.command[-1] == "--verbose"


async def test_without_a_yes_nothing_is_written(bazaar):
    bazaar.says_yes = False
    (files,) = await bazaar.market.browse("reads")

    with pytest.raises(RequestError, match="you said no"):
        await bazaar.market.add(files)

    assert not bazaar.mcp_file.exists()


async def test_a_name_that_is_taken_is_not_overwritten(bazaar):
    (files,) = await bazaar.market.browse("reads")
    await bazaar.market.add(files)

    with pytest.raises(RequestError, match="'files' already"):
        await bazaar.market.add(files)

    assert await bazaar.market.add(files, "second") == "second"
    assert len(bazaar.questions) == 2


async def test_a_plugin_needs_no_adding(bazaar):
    with pytest.raises(RequestError, match="is installed already"):
        await bazaar.market.add((await bazaar.market.browse("units"))[0])


async def test_a_broken_project_file_is_left_alone(bazaar):
    bazaar.mcp_file.write_text("{broken")
    (files,) = await bazaar.market.browse("reads")

    with pytest.raises(SettingsError, match="is no JSON"):
        await bazaar.market.add(files)

    assert bazaar.mcp_file.read_text() == "{broken"


def package(**fields):
    return {"registryType": "npm", "identifier": "x", "version": "1.0.0", "transport": {"type": "stdio"}, **fields}


@pytest.mark.parametrize(
    ("described", "runs"),
    [
        (package(), "npx -y x@1.0.0"),
        (package(registryType="pypi", identifier="mcp-x"), "uvx mcp-x@1.0.0"),
        (package(registryType="nuget", identifier="A.B"), "dnx A.B@1.0.0 --yes --"),
        (package(registryType="oci", identifier="ghcr.io/a/b"), "docker run -i --rm ghcr.io/a/b:1.0.0"),
        (package(registryType="oci", identifier="ghcr.io/a/b:2", version=None), "docker run -i --rm ghcr.io/a/b:2"),
        (
            package(registryType="oci", identifier="a/b", environmentVariables=[{"name": "K", "isRequired": True}]),
            "docker run -i --rm -e K a/b:1.0.0",
        ),
        (package(runtimeArguments=[{"type": "named", "name": "--quiet"}]), "npx -y --quiet x@1.0.0"),
        (
            {"registry_type": "npm", "identifier": "x", "version": "1", "package_arguments": [{"value": "mcp start"}]},
            "npx -y x@1 'mcp start'",
        ),
        (
            package(packageArguments=[{"value": "--db={path}/{other}", "variables": {"path": {"default": "/data"}}}]),
            "npx -y x@1.0.0 '--db=/data/{other}'",
        ),
        (package(packageArguments=[{"name": "2fa", "isRequired": True}]), "npx -y x@1.0.0 '${VALUE_2FA}'"),
    ],
)
async def test_a_package_becomes_a_command(tmp_path, described, runs):
    bazaar = Bazaar(tmp_path, str(tmp_path / "server.json"))
    (tmp_path / "server.json").write_text(json.dumps({"name": "a/b", "packages": [described]}))

    _, found = await bazaar.market.browse()

    assert (found.runs, found.problem) == (runs, "")


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        (package(version="latest"), "no exact version"),
        (package(version="^1.0.0"), "no exact version"),
        (package(version=">=1"), "no exact version"),
        (package(version=None), "no exact version"),
        (package(version="1 || rm"), "no exact version"),
        (package(registryType="oci", version=None), "no exact version"),
        (package(registryType="mcpb"), "of the kind 'mcpb'"),
        (package(registryType=None), "of the kind None"),
        (package(identifier="--registry=http://evil"), "cannot be one"),
        (package(identifier="https://evil/x.tgz"), "cannot be one"),
        (package(identifier="x y"), "cannot be one"),
        (package(identifier=None), "cannot be one"),
        (package(transport={"type": "streamable-http"}), "only stdio can be started"),
        (package(packageArguments=[{"value": "${AWS_SECRET_ACCESS_KEY}"}]), "which a registry may not"),
        (package(packageArguments=[{"default": "${HOME}"}]), "which a registry may not"),
        (package(packageArguments=[{"value": "a\u202eb"}]), "which a registry may not"),
        (package(environmentVariables=[{"name": "A=B", "value": "x"}]), "cannot be one"),
        (package(environmentVariables=[{"name": "A", "value": "${OPENROUTER_API_KEY}"}]), "which a registry may not"),
    ],
)
async def test_a_package_that_cannot_be_trusted_or_run_says_why(tmp_path, described, reason):
    bazaar = Bazaar(tmp_path, str(tmp_path / "server.json"))
    (tmp_path / "server.json").write_text(json.dumps([{"name": "a/b", "packages": [described]}]))

    _, found = await bazaar.market.browse()

    assert reason in found.problem
    assert (found.runs, found.entry) == ("", {})
    with pytest.raises(RequestError, match="cannot be added"):
        await bazaar.market.add(found)


@pytest.mark.parametrize(
    "remote",
    [
        {"type": "sse", "url": "https://x"},
        {"type": "streamable-http", "url": "file:///etc"},
        {"type": "streamable-http"},
    ],
)
async def test_an_address_that_cannot_be_used_says_why(tmp_path, remote):
    bazaar = Bazaar(tmp_path, str(tmp_path / "server.json"))
    (tmp_path / "server.json").write_text(json.dumps([{"name": "a/b", "remotes": [remote]}, {"name": "c"}]))

    _, first, second = await bazaar.market.browse()

    assert "its address is" in first.problem
    assert second.problem == "it names no package and no address"


async def test_an_address_is_asked_page_by_page(tmp_path):
    bazaar = Bazaar(tmp_path, "https://registry.example")
    bazaar.pages = [
        {"servers": [{"server": FILES}], "metadata": {"nextCursor": "a b"}},
        {"servers": [{"server": WEATHER}], "metadata": {}},
    ]

    found = await bazaar.market.browse("e")

    assert [each.name for each in found] == ["units", "io.example/files", "io.example/weather"]
    first, second = (urlsplit(url) for url in bazaar.fetched)
    assert first.geturl().startswith("https://registry.example/v0.1/servers?")
    assert parse_qs(first.query) == {"search": ["e"], "version": ["latest"], "limit": ["100"]}
    assert parse_qs(second.query)["cursor"] == ["a b"]


async def test_an_endless_registry_ends(tmp_path):
    bazaar = Bazaar(tmp_path, "https://registry.example/v0/servers/")
    bazaar.pages = [{"servers": [], "metadata": {"next_cursor": str(number)}} for number in range(100)]

    await bazaar.market.browse()

    assert len(bazaar.fetched) == MAX_PAGES
    assert bazaar.fetched[0].startswith("https://registry.example/v0/servers?")


@pytest.mark.parametrize("page", [b"<html>", b"\xff", b"[" * 100_000, b" " * (MAX_BYTES + 1)])
async def test_a_registry_that_makes_no_sense_is_told_in_a_sentence(tmp_path, page):
    bazaar = Bazaar(tmp_path, "https://registry.example")
    bazaar.pages = [page]

    with pytest.raises(RequestError, match=r"The MCP registry 'https://registry\.example'"):
        await bazaar.market.browse()


async def test_a_registry_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RequestError, match="cannot be read"):
        await Bazaar(tmp_path, str(tmp_path / "no.json")).market.browse()


async def test_without_a_registry_the_plugins_are_shown(tmp_path):
    bazaar = Bazaar(tmp_path)

    assert [each.name for each in await bazaar.market.browse()] == ["units"]
    assert bazaar.fetched == []
