"""The HTTP client: OpenRouter and every server that speaks the same protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from rustbot_jupyter import __version__
from rustbot_jupyter.certificates import BadCertificates
from rustbot_jupyter.errors import AuthenticationFailed, ConnectionFailed, InvalidAnswer, ModelError, ModelTimeout
from rustbot_jupyter.llm import failures
from rustbot_jupyter.llm.adaptation import Adaptation
from rustbot_jupyter.llm.base import ChatRequest, ChatStream
from rustbot_jupyter.llm.exchange import Exchange, Limits
from rustbot_jupyter.llm.key_mask import KeyMask
from rustbot_jupyter.llm.keys import ApiKey, HiddenPairs, Secret
from rustbot_jupyter.llm.lessons import Lessons
from rustbot_jupyter.llm.packed import unpacked
from rustbot_jupyter.llm.refusals import Refusal
from rustbot_jupyter.llm.target import Target, host_name, split_url
from rustbot_jupyter.llm.tasks import apart
from rustbot_jupyter.llm.usage_shapes import read_generation
from rustbot_jupyter.proxies import BadProxy, Proxy, proxy_for
from rustbot_jupyter.this_machine import is_this_machine
from rustbot_jupyter.usage import Usage

if TYPE_CHECKING:
    import httpx

    from rustbot_jupyter.llm.transport import Trace, Transport

OPENROUTER_URL = "https://openrouter.ai/api/v1"
APP_TITLE = "Rustbot for Jupyter"
FIRST_TOKEN_S = 60.0
LOCAL_FIRST_TOKEN_S = 600.0
"""What the default first-token limit becomes for a server on this machine, which may have to load the model."""
_ASK_LIMIT_S = 20.0
_MAX_LIST_BYTES = 32 * 1024 * 1024


class ChatClient:
    """A `ChatModel` behind HTTP. Belongs to the event loop that uses it first.

    Args:
        base_url: The address before `/chat/completions`.
        api_key: The key for exactly this host, or None. Never sent over plain http to another machine.
        connect_timeout_s: Longest wait for a connection.
        first_token_timeout_s: Longest wait for the first content without a sign of life, and half the wait with
            signs of life. The default is ten minutes on a server of this machine.
        idle_timeout_s: Longest silence after the first content.
        redact: Masks keys in what the provider says; this client's own key is always masked.
        live_keys: The spellings of further keys that are masked in answers.
        app_url: Names the application to OpenRouter.
        headers: Sent with each request under the rules of the key; they win over what Rustbot sends itself.
        query: Put behind each address, likewise.
        lessons: What this server refused before, and where that is kept; None keeps it in this client.
    """

    def __init__(
        self,
        base_url: str = OPENROUTER_URL,
        api_key: str | Secret | None = None,
        *,
        connect_timeout_s: float = 5.0,
        first_token_timeout_s: float = FIRST_TOKEN_S,
        idle_timeout_s: float = 60.0,
        redact: Callable[[str], str] | None = None,
        live_keys: Callable[[], frozenset[str]] = frozenset,
        app_url: str = "",
        headers: Mapping[str, str | Secret] | None = None,
        query: Mapping[str, str | Secret] | None = None,
        lessons: Lessons | None = None,
    ) -> None:
        key = ApiKey(api_key)
        parts = split_url(base_url)
        self.base_url = base_url.strip()
        self.host = host_name(parts) if parts else base_url
        self.is_local = is_this_machine(parts.hostname or "") if parts else False
        self._is_valid = parts is not None
        self._key = key
        is_safe = parts is not None and (parts.scheme == "https" or self.is_local)
        self._own_headers = HiddenPairs(headers if is_safe else None)
        self._own_query = HiddenPairs(query if is_safe else None)
        self._target = Target(
            host=self.host,
            is_local=self.is_local,
            has_key=bool(key) or bool(headers),
            sends_key=(bool(key) or bool(headers)) and is_safe,
            redact=(lambda text: redact(key.redact(text))) if redact else key.redact,
        )
        self._live_keys = live_keys
        self._mask: KeyMask | None = None
        self._connect_timeout_s = connect_timeout_s
        loads_model = self.is_local and first_token_timeout_s == FIRST_TOKEN_S
        self._limits = Limits(
            first_token_s=LOCAL_FIRST_TOKEN_S if loads_model else first_token_timeout_s, idle_s=idle_timeout_s
        )
        self._app_url = app_url
        self._lessons = lessons or Lessons()
        self._opened: Transport | None = None

    def __repr__(self) -> str:
        return f"ChatClient({self.host!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A client with its key is not pickled; make a new one.")

    def __copy__(self) -> ChatClient:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ChatClient:
        return self

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatStream]:
        """Send the request once; leaving the context closes the connection, whatever happened.

        Raises:
            RequestError: The request cannot be written as JSON.
        """
        await self._lessons.ready()
        with suppress(ModelError):
            # Told by the request itself.
            self._transport()
        target = replace(self._target, model=request.model, mask=self._key_mask())
        exchange = Exchange(_Network(self, target, Adaptation(request, target, self._lessons)), target, self._limits)
        exchange.start()
        try:
            yield exchange
        finally:
            await exchange.close()

    async def warm_up(self) -> None:
        """Load the HTTP library and open a connection, while idle; never raises, sends neither key nor question."""
        with suppress(ModelError, TimeoutError):
            async with asyncio.timeout(self._connect_timeout_s):
                await apart(self._warm_up())

    async def settle(self, generation_id: str) -> Usage | None:
        """The billed usage of a stopped answer, or None if the provider does not know it (yet)."""
        # Only OpenRouter keeps the cost of a generation, and only its ids look like this.
        if not generation_id.startswith("gen-"):
            return None
        try:
            body = await self._ask("/generation", {"id": generation_id})
        except ModelError:
            return None
        data = body.get("data") if isinstance(body, dict) else None
        return read_generation(data) if isinstance(data, dict) else None

    async def list_models(self) -> list[Any]:
        """The entries of the provider's model list, as sent.

        Raises:
            ModelError: There is none to be had.
        """
        body = await self._ask("/models")
        entries = body.get("data") if isinstance(body, dict) else body
        if not isinstance(entries, list):
            raise InvalidAnswer(f"{self.host} sent a model list of an unknown shape. The last list is used.")
        return entries

    async def key_status(self) -> dict[str, Any]:
        """Return what the provider says about the key: limit, limit_remaining, usage, ... (US dollars).

        Raises:
            ModelError: It says nothing.
        """
        body = await self._ask("/key")
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            raise InvalidAnswer(f"{self.host} says nothing about the key. Only OpenRouter does.")
        # The label may hold a piece of the key.
        return {name: value for name, value in data.items() if name != "label"}

    async def aclose(self) -> None:
        """Close all connections."""
        await self._lessons.written()
        transport, self._opened = self._opened, None
        if transport is not None:
            await transport.aclose()

    def _key_mask(self) -> KeyMask | None:
        """Return what masks the keys that are alive now."""
        forms = self._key.forms | self._live_keys()
        if forms and (self._mask is None or not self._mask.is_of(forms)):
            self._mask = KeyMask(forms)
        return self._mask

    async def _warm_up(self) -> None:
        await asyncio.to_thread(import_module, "rustbot_jupyter.llm.transport")
        await self._transport().open_connection()

    async def _ask(self, path: str, params: dict[str, str] | None = None) -> Any:
        """The JSON that a GET gives, within limits of time and size.

        Raises:
            ModelError: There is none.
        """
        result = await apart(self._get(path, params))
        if isinstance(result, ModelError):
            raise result
        return result

    async def _get(self, path: str, params: dict[str, str] | None) -> Any:
        """The JSON, or the error: not raised here, so that its frames do not show the request."""
        try:
            async with (
                asyncio.timeout(_ASK_LIMIT_S),
                self._transport().get(path, self._key_headers(), params) as response,
            ):
                body = bytearray()
                encoding = response.headers.get("content-encoding", "")
                async for data in unpacked(response.aiter_raw(), encoding, self.host):
                    body += data
                    if len(body) > _MAX_LIST_BYTES:
                        return InvalidAnswer(
                            f"{self.host} sent more than {_MAX_LIST_BYTES // 2**20} MB at {path}. Check the base URL."
                        )
                status, headers = response.status_code, response.headers
        except TimeoutError:
            return ModelTimeout(f"{self.host} did not answer at {path} within {_ASK_LIMIT_S:.0f} s. Try again later.")
        except ModelError as error:
            return error
        except Exception as error:
            return self._failure(error, self._target, has_begun=False, has_head=False)
        if status // 100 != 2:
            return failures.from_http(status, headers, bytes(body), self._target)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return failures.not_an_answer(bytes(body), headers, status, self._target)

    def _transport(self) -> Transport:
        """The connections, opened on first use.

        Raises:
            ModelError: The base URL, the key or the proxy settings cannot be used.
        """
        if self._opened is None:
            if not self._is_valid:
                raise ConnectionFailed(
                    f"{self.base_url!r} is not an http:// or https:// address. Correct the base URL.", retryable=False
                )
            if self._key and not self._key.is_usable:
                raise AuthenticationFailed("The API key holds characters that no key has. Copy it again, whole.")
            self._opened = self._open()
        return self._opened

    def _open(self) -> Transport:
        from rustbot_jupyter.llm import transport

        try:
            return transport.Transport(
                self.base_url,
                connect_timeout_s=self._connect_timeout_s,
                headers=self._app_headers(),
                proxy=self._find_proxy(),
                query=self._own_query.reveal,
            )
        except (BadProxy, ValueError, ImportError) as error:
            raise transport.bad_proxy(error, self._target) from None
        except BadCertificates as error:
            raise transport.bad_certificates(error, self._target) from None

    def _find_proxy(self) -> Proxy | None:
        """Return what stands before the server now; errors of its connections name it."""
        proxy = proxy_for(self.base_url)
        self._target = replace(self._target, proxy=proxy)
        return proxy

    def _key_headers(self) -> dict[str, str]:
        own = self._own_headers.reveal()
        if not self._target.sends_key or any(name.lower() == "authorization" for name in own):
            return own
        return {**self._key.headers(), **own}

    def _app_headers(self) -> dict[str, str]:
        headers = {
            "User-Agent": f"rustbot-jupyter/{__version__}",
            "X-OpenRouter-Title": APP_TITLE,
            "X-Title": APP_TITLE,
        }
        return {**headers, "HTTP-Referer": self._app_url} if self._app_url else headers

    def _failure(self, error: Exception, target: Target, *, has_begun: bool, has_head: bool) -> Exception:
        from rustbot_jupyter.llm import transport

        if not isinstance(error, transport.EXPECTED):
            return error
        return transport.failure(error, target, has_begun=has_begun, has_head=has_head)


class _Network:
    """One request, ready to be sent."""

    def __init__(self, client: ChatClient, target: Target, adaptation: Adaptation) -> None:
        self._client = client
        self._target = target
        self._adaptation = adaptation
        self._body = adaptation.encoded()

    def adapt(self, refusal: Refusal | None) -> bool:
        """True if the request can do without what was refused; it is sent so from now on."""
        if refusal is None or not self._adaptation.learn(refusal):
            return False
        self._body = self._adaptation.encoded()
        return True

    def accepted(self) -> tuple[str, ...]:
        """Remember what the request had to do without, now that it was taken; sentences for the user, each once."""
        return self._adaptation.keep()

    def explained(self, error: ModelError) -> ModelError:
        """The error, with the way out where the user insists on what was refused."""
        return self._adaptation.explained(error)

    def post(self, trace: Trace) -> AbstractAsyncContextManager[httpx.Response]:
        """Send it."""
        return self._client._transport().post("/chat/completions", self._body, self._client._key_headers(), trace)

    def failure(self, error: Exception, *, has_begun: bool, has_head: bool) -> Exception:
        """Return what an exception of the network means; another exception stays what it is."""
        return self._client._failure(error, self._target, has_begun=has_begun, has_head=has_head)
