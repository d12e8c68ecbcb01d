"""Bodies that come packed although that was not asked for, unpacked within limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from rustbot_jupyter.errors import InvalidAnswer
from rustbot_jupyter.unpacking import Unpacker

MAX_UNPACKED_BYTES = 64 * 1024 * 1024
"""More than any answer within the limits of an answer needs."""


async def unpacked(raw: AsyncIterator[bytes], encoding: str, host: str) -> AsyncIterator[bytes]:
    """The content of the body, in small pieces, each unpacked when it is asked for.

    Raises:
        InvalidAnswer: It is packed in another way than gzip or deflate, not as it says, or without an end.
    """
    try:
        unpacker = Unpacker(encoding)
    except ValueError:
        raise InvalidAnswer(
            f"{host} sent its answer packed as {encoding[:20]!r}, which was not asked for and cannot be read. Switch "
            "compression off there, or in the proxy before it."
        ) from None
    size = 0
    async for data in raw:
        try:
            for piece in unpacker.pieces(data):
                size += len(piece)
                if size > MAX_UNPACKED_BYTES:
                    raise InvalidAnswer(
                        f"{host} sent a packed answer of more than {MAX_UNPACKED_BYTES // 2**20} MB; the connection "
                        "was closed. Try again, or pick another model."
                    )
                yield piece
                # A few bytes can be a lot of work: others have their turn in between.
                await asyncio.sleep(0)
        except ValueError:
            raise InvalidAnswer(f"{host} sent an answer that is damaged. Check the base URL, and try again.") from None
