"""Replies that go out in the HTTP answer of the message they belong to.

A ticket waits for its reply; when the turn ends while somebody waits, the reply is committed as already
claimed, so that nothing else sends it. The same message asked again gets the same text again: a platform
asks again only when it did not get the answer. A claim that is never confirmed is released by delivery.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from hub.delivery import PASSIVE, Delivery, joined
from hub.fit import size
from hub.journal import Journal, Outgoing, PartState, Piece, Stored
from hub.message import OutboundMessage

KEPT_SECONDS = 60.0
"""Seconds for which a claim is remembered in memory; after that the journal tells."""


class Claims:
    """Who waits for which reply, and what was claimed for whom."""

    def __init__(self, journal: Journal, delivery: Delivery, clock: Callable[[], datetime]) -> None:
        self.journal = journal
        self.delivery = delivery
        self.clock = clock
        self._waiting: defaultdict[int, set[asyncio.Future[OutboundMessage | None]]] = defaultdict(set)
        self._claimed: dict[int, tuple[OutboundMessage, list[int]]] = {}
        self._done: dict[int, None] = {}

    def awaited(self, stored: Stored) -> bool:
        """Whether an HTTP answer is held open for this message."""
        return bool(self._waiting.get(stored.id))

    def split(self, stored: Stored, pieces: Sequence[Piece], room: int | None) -> tuple[list[Outgoing], int]:
        """What goes out in the open HTTP answer: older parts, and how many of the new pieces."""
        older, left = self.delivery.claimable(stored.place, room)
        count = 0
        for piece in pieces:
            cost = size(piece.text) + (2 if older or count else 0)
            if left is not None and cost > left:
                break
            left = None if left is None else left - cost
            count += 1
        return older, count

    def settle(self, stored: Stored, message: OutboundMessage | None, ids: list[int]) -> bool:
        """The turn ended: gives the claimed reply to all who wait; False when nobody does any more."""
        self._done[stored.id] = None
        waiting = [f for f in self._waiting.pop(stored.id, ()) if not f.done()]
        if message is not None:
            self.remember(stored.id, message, ids)
        for future in waiting:
            future.set_result(message)
        return bool(waiting)

    def remember(self, row: int, message: OutboundMessage, ids: list[int]) -> None:
        """The same message asked again within a minute gets the same text."""
        self._claimed[row] = (message, ids)
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._claimed.pop, row, None)

    def drop(self, row: int) -> None:
        """The claim was given back."""
        self._claimed.pop(row, None)

    def answered(self, stored: Stored) -> bool:
        """Whether the turn of this message ended, as far as this process knows."""
        return not stored.open or stored.id in self._done

    def forget(self, stored: Stored) -> None:
        """Nobody can ask for this message any more without the journal telling that it is answered."""
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._done.pop, stored.id, None)

    def known(self, row: int) -> tuple[OutboundMessage, list[int]] | None:
        """What was claimed for this message in the last minute."""
        return self._claimed.get(row)

    async def wait(self, stored: Stored, within: float) -> OutboundMessage | None:
        """The reply when the turn ends in time."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[OutboundMessage | None] = loop.create_future()
        self._waiting[stored.id].add(future)
        timer = loop.call_later(within, _give_up, future)
        try:
            return await future
        finally:
            timer.cancel()
            if waiting := self._waiting.get(stored.id):
                waiting.discard(future)
                if not waiting:
                    del self._waiting[stored.id]


def _give_up(future: asyncio.Future[OutboundMessage | None]) -> None:
    if not future.done():
        future.set_result(None)


class HubTicket:
    """A stored message whose reply may be asked for. See hub.channel.Ticket."""

    def __init__(self, stored: Stored, claims: Claims, *, room: int | None, pushes: bool) -> None:
        self._stored = stored
        self._claims = claims
        self._room = room
        self._pushes = pushes
        self.event = stored.event
        self.turn = stored.turn
        self.fresh = stored.fresh
        self._ids: list[int] = []

    async def reply(self, *, within: float, rest: bool = False) -> OutboundMessage | None:
        if claimed := self._claims.known(self._stored.id):
            return self._take(*claimed)
        if not self._claims.answered(self._stored):
            reply = await self._claims.wait(self._stored, within)
            if reply is not None and (claimed := self._claims.known(self._stored.id)):
                return self._take(*claimed)
            if not rest and not self._claims.answered(self._stored):
                return None
        return await self._earlier(rest)

    async def _earlier(self, rest: bool) -> OutboundMessage | None:
        """What this message's reply became, and what else waits in its conversation."""
        parts = await self._claims.journal.reply(self._stored)
        passive = [p.message for p in parts if p.state == "claimed" or (p.state == "sent" and p.receipt == PASSIVE)]
        if passive:
            return self._take(joined(passive, more=self._more(len(passive) < len(parts))), [p.id for p in passive])
        if parts and all(p.state == "sent" for p in parts) and not rest:
            return None
        await self._claims.delivery.stir(self._stored.place)
        older, _ = self._claims.delivery.claimable(self._stored.place, self._room)
        return await self._claim(older) if older else None

    async def _claim(self, older: Sequence[Outgoing]) -> OutboundMessage:
        ids = [part.message.id for part in older]
        place = self._stored.place
        self._claims.delivery.claimed(place, ids)
        await self._claims.journal.mark(ids, "claimed", now=self._claims.clock())
        left, _ = self._claims.delivery.claimable(place, None)
        message = joined([part.message for part in older], more=self._more(bool(left)))
        self._claims.remember(self._stored.id, message, ids)
        return self._take(message, ids)

    def _more(self, left: bool) -> bool:
        return left and not self._pushes

    def _take(self, message: OutboundMessage, ids: list[int]) -> OutboundMessage:
        self._ids = ids
        return message

    async def written(self) -> None:
        if self._ids:
            delivery, ids = self._claims.delivery, self._ids
            delivery.later(delivery.confirm(self._stored.place, ids))


def states(count: int, claimed: int, *, pulled: bool, pushes: bool, most: int | None) -> list[PartState]:
    """The state of each piece of a reply when it is stored."""
    if pulled:
        return ["sent"] * count
    usual: PartState = "waiting" if pushes else "kept"
    reach = count if most is None else most
    return ["claimed" if n < claimed else usual if n < reach else "kept" for n in range(count)]


def in_time(
    parts: Sequence[OutboundMessage], older: Sequence[Outgoing], claimed: int, *, pushes: bool
) -> OutboundMessage:
    """The text of the open HTTP answer."""
    message = joined([*(p.message for p in older), *parts[:claimed]], more=claimed < len(parts) and not pushes)
    return message if message.turn == parts[0].turn else replace(message, turn=parts[0].turn)
