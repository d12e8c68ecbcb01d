"""A tunnel through the environment's proxy to an address that was checked. Imported with the first fetch only.

The proxy is asked for the checked IP address and never for the name: it may know another address by it, one within its
own network. TLS goes through the tunnel and checks the name as ever. A proxy that takes names only is told of.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

import httpcore

from rustbot_jupyter.certificates import trusted
from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.proxies import BadProxy, Proxy, proxy_for
from rustbot_jupyter.tools.addresses import IPAddress, WebAddress
from rustbot_jupyter.tools.short_text import clip_quietly

_USUAL_PORTS = {"http": 80, "https": 443}
_CONNECT_S = 5.0
_MAX_HEAD_BYTES = 16_384


def proxy_before(address: WebAddress, addresses: Iterable[IPAddress]) -> Proxy | None:
    """The proxy on the way to a page; None when it is asked directly.

    Raises:
        ToolError: A variable names none that can be used for pages.
    """
    # This machine is reached directly, whatever name stands for it.
    if all(each.is_loopback for each in addresses):
        return None
    try:
        proxy = proxy_for(address.origin)
    except BadProxy as error:
        raise ToolError(f"{error} Correct it; no page can be fetched until then.") from error
    if proxy is not None and proxy.parts.scheme not in _USUAL_PORTS:
        raise ToolError(
            f"Pages are not fetched through {proxy.shown} ({proxy.variable}): it must be http:// or https://."
        )
    return proxy


async def tunnel(
    backend: httpcore.AsyncNetworkBackend, proxy: Proxy, host: str, port: int
) -> httpcore.AsyncNetworkStream:
    """A connection to an IP address, through the proxy.

    Raises:
        ToolError: The proxy cannot be reached, or does not lead there.
    """
    parts = proxy.parts
    try:
        stream = await backend.connect_tcp(
            parts.hostname or "", parts.port or _USUAL_PORTS[parts.scheme], timeout=_CONNECT_S
        )
        if proxy.is_secure:
            stream = await stream.start_tls(trusted(), server_hostname=parts.hostname, timeout=_CONNECT_S)
    except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
        raise ToolError(
            f"The proxy {proxy.shown} ({proxy.variable}) could not be reached. Correct or unset that variable."
        ) from error
    try:
        status = await _asked(stream, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except BaseException:
        await stream.aclose()
        raise
    if not status.startswith("2"):
        await stream.aclose()
        raise ToolError(_refusal(proxy, status))
    return stream


async def _asked(stream: httpcore.AsyncNetworkStream, proxy: Proxy, target: str) -> str:
    """Return what the proxy answers: its status and reason."""
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.login is not None:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(':'.join(proxy.login).encode()).decode()}")
    await stream.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD_BYTES:
        data = await stream.read(4_096)
        if not data:
            break
        head += data
    match = re.match(r"HTTP/1\.[01] ([^\r\n]*)", head.decode("latin-1"))
    return match[1] if match else ""


def _refusal(proxy: Proxy, status: str) -> str:
    if status.startswith("407"):
        wish = "did not accept the login of that variable" if proxy.has_login else "wants a login"
        return f"The proxy {proxy.shown} ({proxy.variable}) {wish}. Write it there as http://user:password@proxy:port."
    said = clip_quietly(status, 100) or "no answer in HTTP"
    return (
        f"The proxy {proxy.shown} ({proxy.variable}) did not lead to the page: {said}. Pages are asked for by their "
        "checked IP address, which some proxies refuse. Name the host in NO_PROXY, or try another page."
    )
