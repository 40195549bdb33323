"""A reply while it grows: opens the channel's live reply, stores its handle before anything is shown, and feeds it."""

import asyncio
from typing import Any

import structlog

from hub.channel import Channel, Live
from hub.errors import NotStored
from hub.journal import Journal, Stored

log = structlog.get_logger()

END_SECONDS = 10.0
"""Seconds that a live reply has to show what it was given before the whole answer is sent."""


class Show:
    """One turn's live reply. Opened beside the agent's work, so that it costs the answer no time."""

    def __init__(self, channel: Channel[Any], stored: Stored, journal: Journal) -> None:
        self._stored = stored
        self._journal = journal
        self._text = ""
        self._live: Live | None = None
        self._channel = channel

    async def __aenter__(self) -> "Show":
        self._opening = asyncio.create_task(self._open(self._channel))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing more is shown; returns when nothing of it is under way."""
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._opening
                if self._live:
                    await self._live.close()
        except TimeoutError:
            log.warning("a live reply did not end in time")
        except Exception:
            log.exception("a live reply failed")
        finally:
            self._opening.cancel()

    async def _open(self, channel: Channel[Any]) -> None:
        if self._stored.live:
            return  # opened before a crash: the finished reply will find it
        live = await channel.live(self._stored.message)
        if live is None:
            return
        if live.handle:
            try:
                await self._journal.keep_live(self._stored, live.handle)
            except NotStored:
                await live.close()
                return
        self._live = live
        if self._text or live.handle:
            await live.grow(self._text)  # a card shows at once that an answer is coming

    async def grow(self, more: str) -> None:
        """The answer goes on."""
        self._text += more
        if self._live:
            await self._live.grow(self._text)

    async def restart(self) -> None:
        """The answer begins anew."""
        self._text = ""
