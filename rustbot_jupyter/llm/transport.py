"""HTTP over httpx, and what its exceptions mean. Imported with the first request only: httpx is slow to load."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager

import httpx

from rustbot_jupyter.certificates import BadCertificates, trusted
from rustbot_jupyter.errors import ConnectionFailed, InvalidAnswer, ModelError, ModelTimeout, StreamBroken
from rustbot_jupyter.llm.sentences import proxy_login
from rustbot_jupyter.llm.target import Target
from rustbot_jupyter.proxies import BadProxy, Proxy

KEEP_ALIVE_S = 60.0
EXPECTED = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
"""What can go wrong in the network; anything else is a bug of ours."""
Query = Callable[[], dict[str, str]]
"""Gives the fields of the user's own query."""
Trace = Callable[[str, dict[str, object]], Awaitable[None]]
"""Learns of the steps of a request, by the names that httpcore gives them."""


class Transport:
    """Sends requests to one base URL."""

    def __init__(
        self, base_url: str, *, connect_timeout_s: float, headers: dict[str, str], proxy: Proxy | None, query: Query
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._query = query
        # Only connecting has a limit here: what may take long later is up to whoever reads.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=connect_timeout_s),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=KEEP_ALIVE_S),
            headers={"Accept": "*/*", "Accept-Encoding": "identity", **headers},
            verify=_tls(self._base_url),
            follow_redirects=False,
            proxy=_through(proxy),
            # What the environment says is read by us: httpx trips over addresses in NO_PROXY, and looks for
            # certificates only where a proxy may stand.
            trust_env=False,
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
            extensions={"trace": trace, **self._target(path)},
        )

    def get(
        self, path: str, headers: dict[str, str], params: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """A GET whose answer is read as it comes."""
        return self._client.stream(
            "GET", self._base_url + path, headers=headers, params=params, extensions=self._target(path, params)
        )

    def _target(self, path: str, params: dict[str, str] | None = None) -> dict[str, bytes]:
        """The path with the user's query: beside the address, because httpx writes addresses into its log."""
        query = self._query()
        if not query:
            return {}
        return {"target": httpx.URL(self._base_url + path, params={**(params or {}), **query}).raw_path}

    async def open_connection(self) -> None:
        """Have a connection ready for the first request, if the server can be reached."""
        with contextlib.suppress(httpx.HTTPError):
            await self._client.head(self._base_url + "/models")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _tls(base_url: str) -> ssl.SSLContext:
    """Return the check of certificates; loading whom to trust takes long and is left out for plain http."""
    return trusted() if base_url.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _through(proxy: Proxy | None) -> httpx.Proxy | None:
    if proxy is None:
        return None
    return httpx.Proxy(proxy.url, ssl_context=trusted() if proxy.is_secure else None)


def failure(error: Exception, target: Target, *, has_begun: bool, has_head: bool) -> ModelError:
    """Return what an exception of httpx means to the user.

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
        found = _refused_by_proxy(error, target)
    elif isinstance(error, httpx.ConnectError):
        found = _not_connected(error, target)
    elif isinstance(error, httpx.DecodingError) or (
        isinstance(error, httpx.RemoteProtocolError) and not _just_ended(error)
    ):
        found = _bad_http(target, has_head=has_head)
    elif isinstance(error, httpx.TimeoutException):
        found = ModelTimeout(f"{target.host} did not answer in time. Try again.", retryable=True)
    elif isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError | OSError):
        found = ConnectionFailed(f"{target.host} closed the connection before the answer began. Try again.")
    else:
        found = ConnectionFailed(
            f"{target.host} could not be asked: {_one_line(error, target)}. Check the base URL, the key and the "
            "headers in the settings.",
            retryable=False,
        )
    return _caused_by(found, error, target)


def bad_proxy(error: Exception, target: Target) -> ModelError:
    """The error for proxy settings that cannot be used."""
    if isinstance(error, ImportError) and target.proxy is not None:
        proxy = target.proxy
        needs = f"The proxy {proxy.shown} ({proxy.variable}) needs the package socksio."
        what = f"{needs} Install it with `pip install socksio`"
    else:
        what = str(error) if isinstance(error, BadProxy) else "The proxy's address cannot be used."
        what += " Correct it"
    found = ConnectionFailed(f"{what}, or name {target.name} in NO_PROXY.", retryable=False)
    return _caused_by(found, error, target)


def bad_certificates(error: BadCertificates, target: Target) -> ModelError:
    """The error for certificates of the user's own that cannot be read."""
    found = ConnectionFailed(
        f"The certificates of {error} for a secure connection to {target.host} cannot be read. Correct the variable in "
        "the environment, or unset it.",
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


def _refused_by_proxy(error: Exception, target: Target) -> ModelError:
    proxy = target.proxy
    name, variable = (proxy.shown, proxy.variable) if proxy is not None else ("in between", "HTTPS_PROXY")
    said = _one_line(error, target)
    if said.startswith("407"):
        return ConnectionFailed(proxy_login(target), retryable=False)
    return ConnectionFailed(
        f"The proxy {name} ({variable}) did not connect to {target.host}: {said}. Check the base URL, or correct the "
        "variable."
    )


def _proxy_not_reached(cause: BaseException, proxy: Proxy, target: Target) -> ModelError:
    is_unknown = isinstance(cause, socket.gaierror)
    what = "was not found" if is_unknown else "could not be reached"
    return ConnectionFailed(
        f"The proxy {proxy.shown} ({proxy.variable}) {what}. Correct or unset the variable, or name "
        f"{target.name} in NO_PROXY.",
        retryable=not is_unknown or getattr(cause, "errno", None) == socket.EAI_AGAIN,
    )


def _one_line(error: Exception, target: Target) -> str:
    text = " ".join(target.redact(str(error)).split()).rstrip(". ")
    return text[:200] or "no reason was given"


def _not_connected(error: Exception, target: Target) -> ModelError:
    causes = list(_chain(error))
    if target.proxy is not None and not any(isinstance(cause, ssl.SSLError) for cause in causes):
        # Only the proxy is connected to by us.
        found = next((cause for cause in causes if isinstance(cause, socket.gaierror)), error)
        return _proxy_not_reached(found, target.proxy, target)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            # EAI_AGAIN is what a machine says that is offline for a moment.
            return ConnectionFailed(
                f"The name {target.host!r} was not found. Check the base URL and the network connection.",
                retryable=cause.errno == socket.EAI_AGAIN,
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ConnectionFailed(
                f"The certificate of {target.host} is not trusted ({cause.verify_message}). Check the base URL and the "
                "computer's clock; if your company or the server has an authority of its own, name the file with its "
                "certificate in SSL_CERT_FILE.",
                retryable=False,
            )
        if isinstance(cause, ssl.SSLError):
            return ConnectionFailed(
                f"A secure connection to {target.host} could not be made. Check whether its address begins with "
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
