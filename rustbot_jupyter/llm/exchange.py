"""One request and its answer: a reader task hands over what its bytes say, a clock watches the limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from rustbot_jupyter.errors import InvalidAnswer, ModelError, ModelTimeout, StreamBroken
from rustbot_jupyter.llm.base import Adapted, Answer, ChatStream, StreamEvent
from rustbot_jupyter.llm.intake import Intake
from rustbot_jupyter.llm.packed import unpacked
from rustbot_jupyter.llm.pauses import PauseTold
from rustbot_jupyter.llm.refusals import Refusal
from rustbot_jupyter.llm.stream import AnswerTooLong
from rustbot_jupyter.llm.target import Target
from rustbot_jupyter.llm.tasks import stop

if TYPE_CHECKING:
    import httpx

    from rustbot_jupyter.llm.transport import Trace

_MAX_UNREAD_BYTES = 4 * 1024 * 1024
_MAX_LATE_BYTES = 64 * 1024
_AFTER_FINISH_S = 5.0
"""How long the usage may come after the finish reason, when a server forgets to end the stream."""
_SECOND_LOOK_S = 0.05
_AFTER_DONE_S = 0.1
"""How long the end of the HTTP body may come after [DONE], so that the connection can be used again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits of waiting for an answer, in seconds."""

    first_token_s: float
    """Without a byte before the first content; with life signs it may be twice as long."""
    idle_s: float
    """Without a byte after the first content."""


class Sends(Protocol):
    """The part of the network that an exchange needs."""

    def post(self, trace: Trace) -> AbstractAsyncContextManager[httpx.Response]:
        """Send the request once more, the same bytes."""

    def failure(self, error: Exception, *, has_begun: bool, has_head: bool) -> Exception:
        """Return what an exception of the network means."""

    def adapt(self, refusal: Refusal | None) -> bool:
        """True if the request can do without what was refused; `post` sends it so from now on."""

    def accepted(self) -> tuple[str, ...]:
        """The server took the request: what it had to do without, in sentences for the user."""

    def explained(self, error: ModelError) -> ModelError:
        """The error of a refused request, with what the user can do."""


class _AskAgain(Exception):
    """The server refused the request inside its stream."""


class Exchange(ChatStream):
    """A running answer; `start` it, iterate it or take `each` piece, `close` it."""

    def __init__(self, network: Sends, target: Target, limits: Limits) -> None:
        self._network = network
        self._target = target
        self._limits = limits
        self._intake = Intake(target)
        self._builder = self._intake.builder
        self._unparsed: list[bytes] = []
        self._has_waited = True
        self._error: Exception | None = None
        self._untold: list[Adapted] = []
        self._over = False
        self._news = False
        self._waiter: asyncio.Future[None] | None = None
        self._taker: Callable[[StreamEvent], None] | None = None
        self._error_of_taker: Exception | None = None
        self._unread = 0
        self._room: asyncio.Future[None] | None = None
        self._is_new_connection = False
        self._clock: asyncio.TimerHandle | None = None
        self._is_late = False
        self._loop = asyncio.get_running_loop()
        self._started = self._last_byte = self._loop.time()

    @property
    def answer(self) -> Answer:
        """Return what has arrived so far."""
        return self._builder.answer()

    def start(self) -> None:
        """Send the request."""
        self._reader = self._loop.create_task(self._read())
        self._set_clock()

    async def close(self) -> None:
        """Close the connection, or leave it to the pool if the answer came to its end."""
        self._stop_clock()
        await stop(self._reader, grace_s=_AFTER_DONE_S if self._builder.is_done else 0.0)

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        while True:
            over = self._over
            self._news = False
            for event in self._take(final=over):
                yield event
            if over:
                break
            if not self._news:
                await self._wait()
        self._raise_verdict()

    async def each(self, take: Callable[[StreamEvent], None]) -> None:
        """Hand each piece to `take` in the very step that read it, without another turn of the loop.

        Raises:
            ModelError: The request failed.
        """
        self._taker = take
        try:
            self._tell()
            while not self._over:
                await self._wait()
        finally:
            self._taker = None
        if self._error_of_taker is not None:
            raise self._error_of_taker
        for event in self._take(final=True):
            take(event)
        self._raise_verdict()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _raise_verdict(self) -> None:
        error = self._intake.verdict(self._error)
        if error is not None:
            raise self._network.explained(error) if isinstance(error, ModelError) else error

    def _take(self, *, final: bool) -> list[StreamEvent]:
        self._unread = 0
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        adapted, self._untold = self._untold, []
        try:
            return [*adapted, *self._builder.take(final=final)]
        except AnswerTooLong:
            self._error, self._over = self._intake.too_long(), True
            return [*adapted]

    def _tell(self) -> None:
        """Hand over what is new, or wake who iterates; at the end both take the rest themselves."""
        if self._taker is not None and not self._over:
            try:
                for event in self._take(final=False):
                    self._taker(event)
            except Exception as error:
                self._error_of_taker, self._over = error, True
        if self._taker is None or self._over:
            self._news = True
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    # The reader task.

    async def _read(self) -> None:
        try:
            await self._send_until_taken()
        except asyncio.CancelledError:
            if self._error is None:
                raise
        except ModelError as error:
            self._error = error
        except Exception as error:
            # What the status said counts more than how its body ended.
            self._error = self._error or self._network.failure(
                error, has_begun=self._builder.has_begun, has_head=self._intake.has_head
            )
        finally:
            if self._error is not None:
                _without_frames(self._error)
            self._over = True
            self._tell()

    async def _send_until_taken(self) -> None:
        await self._send_and_receive()
        while self._network.adapt(self._intake.refusal()):
            self._intake = Intake(self._target)
            self._builder, self._error, self._unread = self._intake.builder, None, 0
            self._last_byte = self._loop.time()
            self._set_clock()
            await self._send_and_receive()
        if self._error is None and self._builder.error is None:
            self._accepted()

    def _accepted(self) -> None:
        self._untold += map(Adapted, self._network.accepted())

    async def _send_and_receive(self) -> None:
        try:
            await self._send_once()
        except Exception as error:
            if self._is_new_connection or self._intake.has_head or isinstance(error, ModelError):
                raise
            # A server may close a connection that waits in the pool just when it is used again.
            await self._send_once()

    async def _send_once(self) -> None:
        self._is_new_connection = False
        async with self._network.post(self._trace) as response:
            self._intake.begin(response.status_code, response.headers)
            if self._intake.is_success:
                await self._receive(response)
            else:
                await self._receive_error(response)

    async def _trace(self, name: str, info: dict[str, object]) -> None:
        if name == "connection.connect_tcp.started":
            self._is_new_connection = True

    async def _receive(self, response: httpx.Response) -> None:
        late_bytes = 0
        try:
            try:
                async for data in PauseTold(_pieces(response, self._target.host), self._on_pause):
                    if self._over:
                        late_bytes += len(data)
                        if late_bytes > _MAX_LATE_BYTES:
                            return
                        continue
                    self._unparsed.append(data)
                    if self._has_waited:
                        # Handed over now: asking httpx for more takes longer than that. What came along with it
                        # follows in one go, before the next wait.
                        self._has_waited = False
                        self._last_byte = self._loop.time()
                        has_begun = self._builder.has_begun
                        self._parse()
                        if self._builder.has_begun is not has_begun:
                            # The first word is shown before the rest is read; of fifty answers at once, too.
                            await asyncio.sleep(0)
                        if self._unread > _MAX_UNREAD_BYTES:
                            await self._wait_for_room()
            finally:
                self._parse()
        except _AskAgain:
            return
        self._intake.end()

    def _on_pause(self) -> None:
        """No more bytes are there; the reader is about to wait for some."""
        self._has_waited = True
        self._parse()

    def _parse(self) -> None:
        """Understand what has come and tell of it."""
        if not self._unparsed or self._over:
            return
        data = b"".join(self._unparsed)
        self._unparsed.clear()
        self._unread += len(data)
        builder = self._builder
        begun, finished = builder.has_begun, builder.has_finished
        try:
            self._intake.feed(data)
        except Exception as error:
            self._error, self._over = _without_frames(error), True
        if not self._over and builder.error is not None and builder.is_done and not builder.has_begun:
            # It may be asked again, so this is not over for the caller.
            raise _AskAgain
        self._over = self._over or builder.is_done
        if builder.has_begun is not begun or builder.has_finished is not finished:
            # Another limit holds from here on.
            self._set_clock()
            self._accepted()
        self._tell()

    async def _receive_error(self, response: httpx.Response) -> None:
        try:
            async for data in _pieces(response, self._target.host):
                if not self._intake.feed_error(data):
                    break
        except InvalidAnswer:
            # The status says what it was, packed as it may be.
            pass
        finally:
            self._error = self._intake.status_error()

    async def _wait_for_room(self) -> None:
        """Stop reading, so that the server has to wait too, until the caller has taken what there is."""
        self._room = self._loop.create_future()
        await self._room
        self._room = None
        self._last_byte = self._loop.time()

    # The limits.

    def _deadline(self) -> float:
        if self._builder.has_finished:
            return self._last_byte + min(self._limits.idle_s, _AFTER_FINISH_S)
        if self._builder.has_begun:
            return self._last_byte + self._limits.idle_s
        first = self._limits.first_token_s
        return min(self._last_byte + first, self._started + 2 * first)

    def _set_clock(self) -> None:
        self._stop_clock()
        self._clock = self._loop.call_at(self._deadline(), self._check_clock)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()

    def _check_clock(self) -> None:
        if self._room is not None:
            # It is the caller who is slow, not the server.
            self._last_byte = self._loop.time()
        if self._loop.time() < self._deadline():
            self._is_late = False
            self._set_clock()
            return
        if not self._is_late:
            # If this process stood still (a cell held the GIL), bytes may wait unread: look again a moment later.
            self._is_late = True
            self._clock = self._loop.call_later(_SECOND_LOOK_S, self._check_clock)
            return
        if not self._over:
            self._error = self._too_late()
        if not self._reader.cancelling():
            self._reader.cancel()

    def _too_late(self) -> ModelError:
        if self._intake.has_head and not self._intake.is_success:
            return self._intake.status_error()
        host = self._target.host
        if self._builder.has_begun:
            return StreamBroken(
                f"{host} sent nothing for {self._limits.idle_s:g} s in the middle of the answer. "
                "What had arrived is kept; ask it to go on."
            )
        waited = self._loop.time() - self._started
        return ModelTimeout(
            f"{host} did not begin to answer within {waited:.1f} s. Try again, or pick another model; "
            "a longer first-token limit can be set."
        )


def _without_frames(error: Exception) -> Exception:
    """The error; of one of ours without the frames, whose variables hold what the server sent: it may echo the key."""
    if isinstance(error, ModelError):
        error.__traceback__ = None
    return error


def _pieces(response: httpx.Response, host: str) -> AsyncIterator[bytes]:
    """The body as it comes, unpacked."""
    # What `aiter_raw` gives as well, with fewer generators around each piece.
    raw = aiter(cast("httpx.AsyncByteStream", response.stream))
    encoding = response.headers.get("content-encoding", "identity")
    return raw if encoding == "identity" else unpacked(raw, encoding, host)
