"""Model servers on this machine: who answers on the usual ports, and with which models."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rustbot_jupyter.errors import InvalidAnswer
from rustbot_jupyter.llm.packed import unpacked

if TYPE_CHECKING:
    import httpx

USUAL_PORTS: Mapping[str, int] = MappingProxyType(
    {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000, "LiteLLM": 4000}
)
"""The ports these servers use when nobody chose another."""
LONGEST_WAIT_S = 1.5
_MOST_BYTES = 4_000_000
_MOST_MODELS = 500
_LONGEST_NAME = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalServer:
    """A server that speaks the protocol of chat completions."""

    name: str
    """What usually listens on this port; another program may."""
    base_url: str
    models: tuple[str, ...] = ()
    """Empty when it lists none, or wants a key first."""


async def find_servers(
    ports: Mapping[str, int] = USUAL_PORTS, longest_wait_s: float = LONGEST_WAIT_S
) -> list[LocalServer]:
    """The servers that answer on these ports of this machine, in their order. Asked all at once; never raises."""
    import httpx

    # No proxy from the environment: 127.0.0.1 is this machine. No certificates either: loading them takes longer.
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=longest_wait_s) as client:
        probes = [_probe(client, name, port, longest_wait_s) for name, port in ports.items()]
        found = await asyncio.gather(*probes)
    return [server for server in found if server is not None]


async def _probe(client: httpx.AsyncClient, name: str, port: int, longest_wait_s: float) -> LocalServer | None:
    import httpx

    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        async with asyncio.timeout(longest_wait_s):
            status, body = await _get(client, f"{base_url}/models")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, InvalidAnswer):
        return None
    models = _models(status, body)
    return None if models is None else LocalServer(name=name, base_url=base_url, models=models)


async def _get(client: httpx.AsyncClient, url: str) -> tuple[int, Any]:
    async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
        body = bytearray()
        encoding = response.headers.get("content-encoding", "")
        async for data in unpacked(response.aiter_raw(), encoding, url):
            body += data
            if len(body) > _MOST_BYTES:
                return response.status_code, None
    try:
        return response.status_code, json.loads(body)
    except (ValueError, RecursionError):
        return response.status_code, None


def _models(status: int, body: Any) -> tuple[str, ...] | None:
    """The models' names, or None when it is no such server."""
    if not isinstance(body, dict):
        return None
    if status in (401, 403):
        return () if "error" in body else None
    # Ollama without a model says `"data": null`.
    entries = body.get("data", False) or []
    if status != 200 or "data" not in body or not isinstance(entries, list):
        return None
    names = [entry.get("id") for entry in entries[:_MOST_MODELS] if isinstance(entry, dict)]
    return tuple(name for name in names if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME)
