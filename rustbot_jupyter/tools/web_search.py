"""Asks a search service: SearXNG, Brave, Tavily, or search pages through ddgs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rustbot_jupyter.certificates import BadCertificates, trusted
from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.key_spellings import spellings
from rustbot_jupyter.proxies import BadProxy, proxy_for
from rustbot_jupyter.tools.addresses import read_address
from rustbot_jupyter.tools.short_text import clip_quietly
from rustbot_jupyter.tools.workers import in_worker
from rustbot_jupyter.unpacking import ACCEPTED, Unpacker

if TYPE_CHECKING:
    import httpx

BRAVE_URL = "https://api.search.brave.com/res/v1/web/search"
TAVILY_URL = "https://api.tavily.com/search"
LIMIT_S = 10.0
_MAX_ANSWER_BYTES = 2_000_000
_MAX_TITLE_CHARS = 200
_MAX_SNIPPET_CHARS = 500
_SHORTEST_MASKED = 6
_DDGS_PAGES = "duckduckgo, brave, mojeek"
"""All pages that ddgs knows would be more than a card can name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A page that a search found."""

    title: str
    url: str
    snippet: str


@dataclass(frozen=True, kw_only=True)
class SearchService:
    """A service to ask. A key lives in `ask` alone, where neither `repr` nor `vars` finds it."""

    name: str
    """As approval cards name it: "Brave Search", "SearXNG at localhost:8888"."""
    ask: Callable[[str, int], Awaitable[list[Found]]]
    """The pages for a query, at most so many.

    Raises:
        ToolError: There is no answer.
    """


def search_service(*, searxng_url: str = "", brave_key: str = "", tavily_key: str = "") -> SearchService:
    """The first service that is set up: SearXNG, Brave, Tavily; else search pages through ddgs.

    Args:
        searxng_url: Address of a SearXNG server, on this machine too; its settings must allow the format json.
        brave_key: Key of the Brave Search API.
        tavily_key: Key of Tavily.
    """
    if searxng_url.strip():
        return searxng(searxng_url.strip())
    if brave_key.strip():
        return brave(brave_key.strip())
    if tavily_key.strip():
        return tavily(tavily_key.strip())
    return through_ddgs()


def searxng(url: str) -> SearchService:
    """A SearXNG server: https://docs.searxng.org/dev/search_api.html."""
    place = _place(url)
    target = f"{url.rstrip('/').removesuffix('/search')}/search"

    async def send(query: str, count: int) -> _Answer:
        if not place:
            return _Answer(failure="has no http(s) address. Correct SEARXNG_URL.")
        # The user's own server, often on this machine: no proxy stands between.
        return await _send(_Request(url=target, params={"q": query, "format": "json"}, is_direct=True))

    return _service(
        f"SearXNG at {place or 'an unknown place'}",
        send,
        lambda answer: answer.get("results"),
        "content",
        _SEARXNG_HELP,
    )


def _place(url: str) -> str:
    """Host and port of an http(s) address, without user and password; "" for any other text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2] if parts.scheme in ("http", "https") else ""


def brave(key: str, url: str = BRAVE_URL) -> SearchService:
    """The Brave Search API: https://api-dashboard.search.brave.com/app/documentation/web-search."""

    async def send(query: str, count: int) -> _Answer:
        headers = {"X-Subscription-Token": key}
        return await _send(_Request(url=url, params={"q": query, "count": str(count)}, headers=headers))

    def entries(answer: dict[str, Any]) -> Any:
        web = answer.get("web")
        return web.get("results") if isinstance(web, dict) else None

    return _service("Brave Search", send, entries, "description", _KEY_HELP, _mask_of(key))


def tavily(key: str, url: str = TAVILY_URL) -> SearchService:
    """Tavily: https://docs.tavily.com/documentation/api-reference/endpoint/search."""

    async def send(query: str, count: int) -> _Answer:
        headers = {"Authorization": f"Bearer {key}"}
        return await _send(_Request(url=url, body={"query": query, "max_results": count}, headers=headers))

    return _service("Tavily", send, lambda answer: answer.get("results"), "content", _KEY_HELP, _mask_of(key))


def _service(
    name: str,
    send: Callable[[str, int], Awaitable[_Answer]],
    entries: Callable[[dict[str, Any]], Any],
    snippet_field: str,
    help_for: Mapping[int, str],
    mask: Callable[[str], str] = str,
) -> SearchService:
    # What is raised here has frames without a key: only `send` and `mask` know it.
    async def ask(query: str, count: int) -> list[Found]:
        answer = _answer(await send(query, count), name, help_for)
        return _found(entries(answer), snippet_field, count, mask=mask)

    return SearchService(name=name, ask=ask)


def through_ddgs() -> SearchService:
    """Public search pages, as the library ddgs reads them: without a key, and refused now and then."""

    async def ask(query: str, count: int) -> list[Found]:
        return _found(await in_worker(lambda: _ask_ddgs(query, count)), "body", count, url_field="href")

    return SearchService(name=f"public search pages ({_DDGS_PAGES})", ask=ask)


def _ask_ddgs(query: str, count: int) -> list[dict[str, Any]]:
    try:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException
    except ImportError as error:
        raise ToolError(
            "There is nothing to search the web with. Install it with `pip install rustbot-jupyter[web]`, or set "
            "SEARXNG_URL, BRAVE_API_KEY or TAVILY_API_KEY."
        ) from error
    try:
        return DDGS(timeout=int(LIMIT_S) // 2).text(query, max_results=count, backend=_DDGS_PAGES)
    except DDGSException as error:
        if "No results" in str(error):
            return []
        raise ToolError(
            f"The search pages gave no answer ({clip_quietly(str(error), 150)}). Try again later, or set SEARXNG_URL, "
            "BRAVE_API_KEY or TAVILY_API_KEY."
        ) from error


_SEARXNG_HELP = {403: "Add json to search.formats in its settings.yml."}
_KEY_HELP = {
    401: "Check its key.",
    403: "Check its key.",
    422: "Check its key.",
    429: "Its limit is reached: wait, or search less.",
    432: "The limit of its plan is reached.",
}


@dataclass(frozen=True, kw_only=True)
class _Request:
    url: str
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    is_direct: bool = False


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int = 0
    body: bytes = b""
    failure: str = ""


async def _send(request: _Request) -> _Answer:
    """Return what came back. A failure is not raised from here: its frames would show the key."""
    import asyncio

    import httpx

    headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED, **(request.headers or {})}
    method = "GET" if request.body is None else "POST"
    try:
        async with (
            asyncio.timeout(LIMIT_S),
            _client(request) as client,
            client.stream(method, request.url, params=request.params, json=request.body, headers=headers) as response,
        ):
            # What a failure says may hold the key.
            if response.status_code != 200:
                return _Answer(status=response.status_code)
            encoding = response.headers.get("Content-Encoding", "")
            return _Answer(status=response.status_code, body=await _read(response.aiter_raw(), Unpacker(encoding)))
    except BadProxy as error:
        return _Answer(failure=f"could not be asked: {error}")
    except BadCertificates as error:
        return _Answer(
            failure=f"could not be asked: the certificates of {error} cannot be read. Correct that variable."
        )
    except (TimeoutError, httpx.TimeoutException):
        return _Answer(failure=f"did not answer within {LIMIT_S:g} s. Try again later.")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return _Answer(failure=f"could not be asked ({type(error).__name__}). Check its address and the connection.")


def _client(request: _Request) -> httpx.AsyncClient:
    import httpx

    proxy = None if request.is_direct else proxy_for(request.url)
    return httpx.AsyncClient(
        trust_env=False,
        proxy=None if proxy is None else httpx.Proxy(proxy.url, ssl_context=trusted() if proxy.is_secure else None),
        verify=trusted() if request.url.lower().startswith("https:") else True,
        timeout=LIMIT_S,
    )


async def _read(pieces: AsyncIterator[bytes], unpacker: Unpacker) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += unpacker.feed(piece, _MAX_ANSWER_BYTES - len(body))
        if len(body) >= _MAX_ANSWER_BYTES:
            break
    return bytes(body)


def _answer(answer: _Answer, name: str, help_for: Mapping[int, str]) -> dict[str, Any]:
    """The JSON object that a service sent.

    Raises:
        ToolError: It sent none.
    """
    if answer.failure:
        raise ToolError(f"{name} {answer.failure}")
    if answer.status != 200:
        raise ToolError(f"{name} answered {answer.status}. {help_for.get(answer.status, 'Try again later.')}")
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ToolError(f"{name} sent no JSON object. Check its address.")
    return value


def _found(
    entries: Any, snippet_field: str, count: int, *, url_field: str = "url", mask: Callable[[str], str] = str
) -> list[Found]:
    """The entries that name a page, each page once."""
    pages: dict[str, Found] = {}
    for entry in entries if isinstance(entries, list) else []:
        url = _page_url(entry, url_field)
        if url and url not in pages:
            title = _plain(entry.get("title"), _MAX_TITLE_CHARS) or url
            snippet = _plain(entry.get(snippet_field), _MAX_SNIPPET_CHARS)
            pages[url] = Found(title=mask(title), url=mask(url), snippet=mask(snippet))
    return list(pages.values())[:count]


def _page_url(entry: Any, field: str) -> str:
    url = entry.get(field) if isinstance(entry, dict) else None
    try:
        return str(read_address(url)) if isinstance(url, str) else ""
    except ToolError:
        return ""


def _plain(text: Any, limit: int) -> str:
    """A text without tags, on one line."""
    if not isinstance(text, str):
        return ""
    return clip_quietly(html.unescape(re.sub(r"<[^<>]{0,100}>", "", text[: limit * 8])), limit)


def _mask_of(key: str) -> Callable[[str], str]:
    """Masks a key in what a service sends back, however it is spelled."""
    if len(key) < _SHORTEST_MASKED:
        return str
    forms = re.compile("|".join(map(re.escape, sorted(spellings(key), key=len, reverse=True))))
    return lambda text: forms.sub("[key]", text)
