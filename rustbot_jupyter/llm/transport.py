"""HTTP over httpx, and what its exceptions mean. Imported with the first request only: httpx is slow to load."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager

import httpx

from rustbot_jupyter.errors import ConnectionFailed, InvalidAnswer, ModelError, ModelTimeout, StreamBroken
from rustbot_jupyter.llm.target import Target

KEEP_ALIVE_S = 60.0
EXPECTED = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
"""What can go wrong in the network; anything else is a bug of ours."""
Trace = Callable[[str, dict[str, object]], Awaitable[None]]
"""Learns of the steps of a request, by the names that httpcore gives them."""


class Transport:
    """Sends requests to one base URL."""

    def __init__(self, base_url: str, *, connect_timeout_s: float, headers: dict[str, str], use_proxies: bool) -> None:
        self._base_url = base_url.rstrip("/")
        # Only connecting has a limit here: what may take long later is up to whoever reads.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=connect_timeout_s),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=KEEP_ALIVE_S),
            headers={"Accept": "*/*", "Accept-Encoding": "identity", **headers},
            verify=_tls(self._base_url),
            follow_redirects=False,
            trust_env=use_proxies,
        )

    def post(
        self, path: str, body: bytes, headers: dict[str, str], trace: Trace
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """A POST whose answer is read as it comes."""
        return self._client.stream(
            "POST",
            self._base_url + path,
            content=body,
            headers={"Content-Type": "application/json", **headers},
            extensions={"trace": trace},
        )

    def get(
        self, path: str, headers: dict[str, str], params: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """A GET whose answer is read as it comes."""
        return self._client.stream("GET", self._base_url + path, headers=headers, params=params)

    async def open_connection(self) -> None:
        """Have a connection ready for the first request, if the server can be reached."""
        with contextlib.suppress(httpx.HTTPError):
            await self._client.head(self._base_url + "/models")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _tls(base_url: str) -> ssl.SSLContext | bool:
    """How certificates are checked: all of them; loading whom to trust takes long and is left out for plain http."""
    return True if base_url.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def failure(error: Exception, target: Target, *, has_begun: bool, has_head: bool) -> ModelError:
    """What an exception of httpx means to the user.

    Args:
        error: The exception.
        target: Who was asked.
        has_begun: Whether a part of the answer had come.
        has_head: Whether status and headers had come.
    """
    if has_begun:
        found: ModelError = StreamBroken(
            f"The connection to {target.host} broke in the middle of the answer. What had arrived is kept."
        )
    elif isinstance(error, httpx.ConnectTimeout):
        found = ModelTimeout(
            f"{target.host} did not accept a connection in time. Check the base URL and the network, or try again.",
            retryable=True,
        )
    elif isinstance(error, httpx.ProxyError):
        found = ConnectionFailed(
            f"The proxy in the environment (HTTPS_PROXY or HTTP_PROXY) did not connect to {target.host}: "
            f"{target.redact(str(error))}. Check those variables."
        )
    elif isinstance(error, httpx.ConnectError):
        found = _not_connected(error, target)
    elif isinstance(error, httpx.DecodingError) or (
        isinstance(error, httpx.RemoteProtocolError) and not _just_ended(error)
    ):
        found = _bad_http(target, has_head=has_head)
    else:
        found = ConnectionFailed(f"{target.host} closed the connection before the answer began. Try again.")
    return _caused_by(found, error, target)


def bad_proxy(error: Exception, target: Target) -> ModelError:
    """The error for proxy settings that cannot be used."""
    found = ConnectionFailed(
        "The proxy settings in the environment cannot be used; HTTPS_PROXY and HTTP_PROXY must be http:// addresses. "
        f"Correct them, or name {target.host} in NO_PROXY.",
        retryable=False,
    )
    return _caused_by(found, error, target)


def bad_certificates(error: Exception, target: Target) -> ModelError:
    """The error for certificates of the user's own that cannot be read."""
    found = ConnectionFailed(
        f"The certificates for a secure connection to {target.host} cannot be read. Correct SSL_CERT_FILE and "
        "SSL_CERT_DIR in the environment, or unset them.",
        retryable=False,
    )
    return _caused_by(found, error, target)


def _caused_by(error: ModelError, cause: BaseException, target: Target) -> ModelError:
    """The error with its cause; without the frames, whose variables hold the request with its key."""
    for exc in _chain(cause):
        exc.__traceback__ = None
        exc.args = tuple(target.redact(item) if isinstance(item, str) else item for item in exc.args)
    error.__cause__ = cause
    return error


def _not_connected(error: Exception, target: Target) -> ModelError:
    for cause in _chain(error):
        if isinstance(cause, socket.gaierror):
            # EAI_AGAIN is what a machine says that is offline for a moment.
            return ConnectionFailed(
                f"The name {target.host!r} was not found. Check the base URL and the network connection.",
                retryable=cause.errno == socket.EAI_AGAIN,
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ConnectionFailed(
                f"The certificate of {target.host} is not trusted ({cause.verify_message}). Check the base URL and the "
                "computer's clock; a company's own certificate goes into SSL_CERT_FILE.",
                retryable=False,
            )
        if isinstance(cause, ssl.SSLError):
            return ConnectionFailed(
                f"No secure connection to {target.host} came about. Check whether its address begins with "
                "https:// or http://.",
                retryable=False,
            )
    step = "Start the server" if target.is_local else "Check the network"
    return ConnectionFailed(f"{target.host} could not be reached. {step}, or correct the base URL.")


def _just_ended(error: Exception) -> bool:
    return bool(re.search(r"disconnected without|without sending complete", str(error)))


def _bad_http(target: Target, *, has_head: bool) -> ModelError:
    what = "sent an answer that is damaged" if has_head else "answers, but not in HTTP"
    return InvalidAnswer(f"{target.host} {what}. Check the base URL, and try again.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and all that it came from, groups included."""
    waiting, seen = [error], set()
    while waiting:
        exc = waiting.pop()
        if exc is None or id(exc) in seen:
            continue
        seen.add(id(exc))
        yield exc
        waiting += [exc.__cause__, exc.__context__]
        if isinstance(exc, BaseExceptionGroup):
            waiting += exc.exceptions
