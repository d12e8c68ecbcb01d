"""Prompts and resources of servers in what the user types: `/server:prompt words` and `@server:uri`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rustbot_jupyter.errors import RequestError, ToolError
from rustbot_jupyter.masking import masked
from rustbot_jupyter.messages import ImagePart
from rustbot_jupyter.tools.mcp.results import read_contents, read_resource
from rustbot_jupyter.tools.mcp.server import McpServer
from rustbot_jupyter.tools.results import cleaned, cut

if TYPE_CHECKING:
    from mcp import Client

WAIT_S = 20.0
"""For one prompt or resource, and for the lists of one server."""
MAX_CHARS = 20_000
"""Of one prompt or resource."""
MAX_REFERENCES = 8
"""In one message; further ones stay as they were typed."""
MAX_LISTED = 200
"""Prompts and resources of one server in the completion."""

# Longer names first would need a list of the servers; whether one is meant is looked up.
_PROMPT = re.compile(r"\s*/(?P<server>[^\s:/]+):(?P<prompt>\S+)(?P<words>.*)", re.DOTALL)
_RESOURCE = re.compile(r"(?<!\S)@(?P<server>[^\s:@]+):(?P<uri>\S+)")
_ENDING = ".,;!?)"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A prompt or resource that can be named in a message."""

    kind: Literal["prompt", "resource"]
    text: str
    """What is typed: `/server:prompt` or `@server:uri`."""
    description: str
    arguments: tuple[str, ...] = ()
    """What a prompt takes, in this order; an optional one ends with "?"."""


@dataclass(frozen=True, kw_only=True)
class Expanded:
    """A message with what it names."""

    text: str
    images: tuple[ImagePart, ...] = ()
    origins: tuple[str, ...] = ()
    """Whose words it now holds: "MCP server files"; they may lead the model."""


async def references_of(servers: Mapping[str, McpServer]) -> list[Reference]:
    """The prompts and resources of running servers; one that does not answer has none."""
    lists = await asyncio.gather(*(_listed(server) for server in servers.values()))
    return [reference for each in lists for reference in each]


async def _listed(server: McpServer) -> list[Reference]:
    async def ask(client: Client) -> list[Reference]:
        can = client.server_capabilities
        prompts = (await client.list_prompts()).prompts if can.prompts is not None else []
        resources = (await client.list_resources()).resources if can.resources is not None else []
        return [*(_prompt_reference(server.name, each) for each in prompts[:MAX_LISTED])] + [
            Reference(
                kind="resource", text=f"@{server.name}:{each.uri}", description=_short(each.description or each.name)
            )
            for each in resources[:MAX_LISTED]
        ]

    try:
        async with asyncio.timeout(WAIT_S):
            return await server.ask(ask, "its prompts and resources")
    except (TimeoutError, ToolError) as error:
        server.log.note(f"Its prompts and resources are not known: {error or 'no answer'}")
        return []


def _prompt_reference(server: str, prompt: Any) -> Reference:
    arguments = tuple(each.name if each.required else f"{each.name}?" for each in prompt.arguments or ())
    return Reference(
        kind="prompt",
        text=f"/{server}:{prompt.name}",
        description=_short(prompt.description or prompt.name),
        arguments=arguments,
    )


def _short(text: str) -> str:
    return cut(" ".join(cleaned(text).split()), 200)


async def expand(text: str, servers: Mapping[str, McpServer]) -> Expanded:
    """The text with its prompt replaced and its resources attached. What names no running server stays as typed.

    Raises:
        RequestError: A prompt lacks an argument.
        ToolError: A server failed at it, or took too long.
    """
    body, images, origins = text, list[ImagePart](), list[str]()
    found = _PROMPT.fullmatch(text)
    if found and (server := servers.get(found["server"])):
        body, prompt_images = await _within(_prompt(server, found["prompt"], found["words"].strip()), server)
        images += prompt_images
        origins.append(f"MCP server {server.name}")
    # Only what the user typed names resources, not what a server's prompt says.
    for server_name, uri in list(dict.fromkeys(_resources_in(text)))[:MAX_REFERENCES]:
        if server := servers.get(server_name):
            attached, attached_images = await _within(_resource(server, uri), server)
            body += attached
            images += attached_images
            origins.append(f"MCP server {server.name}")
    return Expanded(text=body, images=tuple(images), origins=tuple(dict.fromkeys(origins)))


def _resources_in(text: str) -> list[tuple[str, str]]:
    return [(found["server"], found["uri"].rstrip(_ENDING)) for found in _RESOURCE.finditer(text)]


async def _within(work: Any, server: McpServer) -> tuple[str, list[ImagePart]]:
    try:
        async with asyncio.timeout(WAIT_S):
            result: tuple[str, list[ImagePart]] = await work
            return result
    except TimeoutError:
        raise ToolError(f"The MCP server {server.name!r} did not answer within {WAIT_S:.0f} s.") from None


async def _prompt(server: McpServer, name: str, words: str) -> tuple[str, list[ImagePart]]:
    async def ask(client: Client) -> tuple[str, list[ImagePart]]:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        if name not in prompts:
            there = ", ".join(sorted(prompts)) or "none"
            raise RequestError(f"The MCP server {server.name!r} has no prompt {name!r}; it has: {there}.")
        answer = await client.get_prompt(name, _arguments(name, prompts[name].arguments or [], words))
        texts, images = [], list[ImagePart]()
        for message in answer.messages:
            said, shown = read_contents([message.content])
            texts += [f"{message.role}: {each}" if len(answer.messages) > 1 else each for each in said]
            images += shown
        return masked(cut(cleaned("\n\n".join(texts)), MAX_CHARS)), images

    return await server.ask(ask, f"the prompt {name!r}")


def _arguments(prompt: str, wanted: list[Any], words: str) -> dict[str, str]:
    """The words as a prompt's arguments: one each, the last takes the rest."""
    values = words.split(maxsplit=len(wanted) - 1) if wanted else []
    given = {each.name: value for each, value in zip(wanted, values, strict=False)}
    missing = [each.name for each in wanted if each.required and each.name not in given]
    if missing:
        usage = " ".join(each.name.upper() if each.required else f"[{each.name.upper()}]" for each in wanted)
        raise RequestError(f"The prompt {prompt!r} needs {missing[0]!r}. Write it as: {prompt} {usage}")
    return given


async def _resource(server: McpServer, uri: str) -> tuple[str, list[ImagePart]]:
    async def ask(client: Client) -> tuple[str, list[ImagePart]]:
        contents = (await client.read_resource(uri)).contents
        read = [read_resource(each) for each in contents]
        text = masked(cut(cleaned("\n".join(each for each in read if isinstance(each, str))), MAX_CHARS))
        images = [each for each in read if isinstance(each, ImagePart)]
        return f"\n\n[Resource {uri} of the MCP server {server.name}]\n{text}", images

    return await server.ask(ask, f"the resource {uri!r}")
