"""An answer that grows before the visitor's eyes: the newest text goes to the live topic, a few times a second."""

import asyncio

from channels.h5.protocol import Growing
from channels.h5.session import topic
from hub import coordination
from hub.channel import Live
from hub.message import Conversation


class Answering(Live):
    """Nothing of it is stored: whoever comes later reads the whole answer, so it needs no handle."""

    def __init__(self, live: coordination.Live, conversation: Conversation, turn: str, *, interval: float) -> None:
        self._live = live
        self._topic = topic(conversation)
        self._turn = turn
        self._interval = interval
        self._text = ""
        self._published = ""
        self._publishing: asyncio.Task[None] | None = None

    async def grow(self, text: str) -> None:
        self._text = text
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish())

    async def _publish(self) -> None:
        while self._published != self._text:
            self._published = self._text
            await self._live.publish(self._topic, Growing(self._turn, self._published).dump())
            await asyncio.sleep(self._interval)

    async def close(self) -> None:
        """What was not shown yet comes with the whole answer."""
        if self._publishing:
            self._publishing.cancel()
            await asyncio.gather(self._publishing, return_exceptions=True)
