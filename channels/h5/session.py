"""One open connection of a visitor: what it was sent so far, and what comes next.

A session keeps a cursor, the number of the last stored event that it sent, and whenever something may be new it
reads on from there in the journal. A wake-up on the live topic says when; a timer asks too, so that a wake-up that
got lost (Redis away, a listener too slow) costs seconds and no event. Replay and live are the same code: an
event is sent once and in order, whoever stored it, in whatever replica.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from channels.h5.identity import Visitor
from channels.h5.protocol import Event, Fault, Growing, delta, forgotten, stored
from hub.channel import Record, Site
from hub.message import Conversation, OutboundMessage

WAKE = ""
"""On the live topic: there is a new stored event. Anything else there is a Growing."""
PAGE = 100
"""Stored events that are read at once."""
LONGEST = 86_400.0
"""Seconds after which the clock is looked at again; an event loop does not sleep for years."""

Send = Callable[[Event], Awaitable[None]]
Work = Coroutine[Any, Any, None]


def topic(conversation: Conversation) -> str:
    """Where the news of a conversation are published."""
    return f"h5:{conversation.channel}:{conversation.id}"


class Session:
    """Sends a visitor the events of their conversation that have a number above `after`."""

    def __init__(self, site: Site, visitor: Visitor, *, after: int, send: Send) -> None:
        self._site = site
        self._visitor = visitor
        self._conversation = visitor.conversation(site.name)
        self._send = send
        self._cursor = after
        self._reading = asyncio.Lock()
        self._shown: dict[str, str] = {}
        self._answered: deque[str] = deque(maxlen=32)

    async def begin(self) -> None:
        """Before the visitor is welcomed: what they say afterwards is always above the number where this begins."""
        self._cursor = await reached(self._site.record, self._conversation, self._cursor)

    async def run(self, *work: Work, heartbeat: float) -> None:
        """Until one part of it ends; raises what that part raised: Fault, NotStored, ConnectionError."""
        parts = (self._follow(), self._beat(heartbeat), self._expire(), *work)
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def accepted(self, client_id: str, event: int) -> None:
        """The visitor's message has this number: sends its event in its place, or again where it was sent before."""
        if event > self._cursor:
            await self._catch_up()
        else:
            await self._send(await accepted(self._site.record, self._conversation, client_id, event))

    async def _follow(self) -> None:
        async with self._site.coordination.live.listen(topic(self._conversation)) as news:
            await self._catch_up()
            async for item in news:
                if item == WAKE:
                    await self._catch_up()
                else:
                    await self._grow(Growing.load(item))

    async def _beat(self, heartbeat: float) -> None:
        while True:
            await asyncio.sleep(heartbeat)
            await self._catch_up()

    async def _expire(self) -> None:
        """A person is one only as long as the page's server says so."""
        while (left := self._visitor.expires - self._site.clock().timestamp()) > 0:  # noqa: ASYNC110 — a time, no event
            await asyncio.sleep(min(left, LONGEST))
        raise Fault("identity_expired")

    async def _catch_up(self) -> None:
        async with self._reading:
            while page := await self._site.record.events(self._conversation, after=self._cursor, limit=PAGE):
                for recorded in page:
                    await self._send(stored(recorded))
                    self._cursor = recorded.event
                    if isinstance(recorded.message, OutboundMessage):
                        self._shown.pop(recorded.message.turn, None)
                        self._answered.append(recorded.message.turn)

    async def _grow(self, growing: Growing) -> None:
        """Sends what this connection was not shown yet."""
        turn, text = growing.turn, growing.text
        if turn in self._answered:
            return
        shown = self._shown.get(turn, "")
        self._shown[turn] = text
        if not text.startswith(shown):
            await self._send(delta(turn, text, anew=True))
        elif len(text) > len(shown):
            await self._send(delta(turn, text[len(shown) :]))


async def accepted(record: Record, conversation: Conversation, client_id: str, event: int) -> Event:
    """The event of a message that was accepted, now or long ago."""
    page = await record.events(conversation, after=event - 1, limit=1)
    return next((stored(recorded) for recorded in page if recorded.event == event), forgotten(client_id))


async def reached(record: Record, conversation: Conversation, wanted: int) -> int:
    """`wanted`, or the newest number where the conversation has not come so far: found by halving."""

    async def there(number: int) -> bool:
        return bool(await record.events(conversation, after=number - 1, limit=1))

    if wanted == 0 or await there(wanted):
        return wanted
    low, high = 0, wanted
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if await there(middle) else (low, middle)
    return low
