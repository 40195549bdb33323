"""A card that grows: made first, named to the hub, shown when there is something to show, closed with the whole answer.

https://open.feishu.cn/document/cardkit-v1/streaming-updates-openapi-overview

The handle is the card's id and the time it was made. It is stored before anybody sees the card, so after a crash
`finish` finds the card and need not know how far it got: the changes of a card carry numbers that must grow (int32),
and ours count hundredths of a second since the card was made, so that they go on growing in any process; the message
that shows the card has a uuid made from the card's id, so that showing it again is harmless.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Self

import structlog

from channels.feishu import encode
from channels.feishu.openapi import OpenApi
from channels.feishu.outbound import TOO_MUCH, Outbound
from channels.feishu.payload import Place, place_of
from channels.feishu.settings import Settings
from channels.kit.pump import Pump
from hub.channel import Live, Site
from hub.errors import Blocked, DeliveryError, Faulty, Impossible
from hub.message import InboundMessage, OutboundMessage, Receipt
from hub.texts import beside

log = structlog.get_logger()

PATIENCE = 5.0
"""Seconds to wait for a new card; without one the answer comes as a whole."""
PAUSE = timedelta(minutes=10)
"""How long no card is tried after a refusal for want of permission."""
KEPT = 10_000
"""Cards of which this process knows how far they got."""
NOT_GROWING = "300317"
AHEAD = 100
"""How far the numbers of a process run ahead that found a card of an earlier one: both may live in the same moment."""
LEAP = 100_000
"""What is added to a number that was not greater than the one before: a clock was put back."""


@dataclass
class Entity:
    """A card and how far it got, as far as this process knows. `message` is the message that shows it."""

    id: str
    opened: int
    ahead: int = 0
    number: int = 0
    message: str = ""
    seen: bool = True
    """False while it is certain that nobody can see it."""

    @property
    def handle(self) -> str:
        """Its name for ever."""
        return f"{self.id}:{self.opened}"

    @property
    def key(self) -> str:
        """The uuid of the message that shows it, or that stands in its place."""
        return hashlib.sha256(f"card\n{self.id}".encode()).hexdigest()[:40]

    @classmethod
    def of(cls, handle: str) -> Self:
        """A card of an earlier process."""
        name, _, opened = handle.partition(":")
        return cls(name, int(opened), AHEAD)

    def next(self, now: datetime, *, leap: int = 0) -> int:
        """The number of the next change."""
        age = int(now.timestamp() * 100) - self.opened
        self.number = max(self.number, age + self.ahead, 0) + 1 + leap
        return self.number


class Cards:
    """The cards of one app."""

    def __init__(self, settings: Settings, site: Site, api: OpenApi, outbound: Outbound) -> None:
        self._settings = settings
        self._site = site
        self._api = api
        self._outbound = outbound
        self._known: OrderedDict[str, Entity] = OrderedDict()
        self._paused_until = site.clock()

    async def open(self, message: InboundMessage) -> Live | None:
        """A card for the answer to this message, not shown yet; None where there is none. Raises nothing."""
        if not self._settings.stream or self._site.clock() < self._paused_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                entity = await self._create()
        except Blocked as error:
            self._paused_until = self._site.clock() + PAUSE
            self._warn(f"answers do not grow, cards are refused ({error.code}): {error.advice}")
            return None
        except (TimeoutError, DeliveryError) as error:
            log.info("no feishu card", reason=type(error).__name__)
            return None
        self._warn("")
        self._known[entity.handle] = entity
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        show = partial(self._grow, entity, place_of(message.context))
        return Pump(entity.handle, show, interval=self._settings.card_interval)

    def _warn(self, text: str) -> None:
        self._site.warn("cards", text)

    async def _create(self) -> Entity:
        body = {"type": "card_json", "data": encode.growing()}
        data = (await self._api.call("POST", "/cardkit/v1/cards", body)).get("data")
        name = data.get("card_id") if isinstance(data, dict) else None
        if not isinstance(name, str) or not name:
            raise Faulty("no card in the answer", code="no_card")
        return Entity(name, int(self._site.clock().timestamp() * 100), seen=False)

    async def _grow(self, entity: Entity, place: Place, text: str) -> None:
        """Shows the text so far; what is more than a card holds is not shown before its end. Raises DeliveryError."""
        await self._show(entity, place)
        settings = self._settings
        content = encode.markdown(text, tables=settings.card_tables)
        if not content.strip() or len(encode.card(content).encode()) > settings.card_bytes:
            return
        await self._api.slot("growth", max(settings.app_rate // 2, 1))  # the other half is for whole answers
        path = f"/cardkit/v1/cards/{entity.id}/elements/{encode.ANSWER}/content"
        await self._change(entity, "PUT", path, {"content": content})

    async def _show(self, entity: Entity, place: Place) -> str:
        """Shows the card, if it is not shown; the id of the message. Raises DeliveryError."""
        if not entity.message:
            entity.seen = True
            entity.message = await self._outbound.post(place, "interactive", encode.shown(entity.id), entity.key)
        return entity.message

    async def _close(self, entity: Entity, card: str) -> None:
        """Writes the whole card and ends its growing. Raises DeliveryError."""
        path = f"/cardkit/v1/cards/{entity.id}"
        await self._change(entity, "PUT", path, {"card": {"type": "card_json", "data": card}})
        await self._change(entity, "PATCH", path + "/settings", {"settings": encode.grown()})

    async def _change(self, entity: Entity, method: str, path: str, body: dict[str, object]) -> None:
        await self._api.slot(f"card:{entity.id}", self._settings.card_rate)
        numbered = {**body, "sequence": entity.next(self._site.clock())}
        try:
            await self._api.call(method, path, numbered)
        except Impossible as error:
            if error.code != NOT_GROWING:
                raise
            await self._api.call(method, path, {**body, "sequence": entity.next(self._site.clock(), leap=LEAP)})

    async def finish(self, message: OutboundMessage) -> Receipt | None:
        """Brings the card to its whole text, and shows it if need be; None where it can't hold it.

        A card that nobody has seen is not needed: the answer goes out as a message of its own, in one call instead of
        three, with the card's uuid, so that after a crash here the card is not shown beside it. Raises DeliveryError.
        """
        entity = self._known.get(message.live) or Entity.of(message.live)
        if not entity.seen:
            return await self._outbound.send(message, key=entity.key)
        try:
            if not await self._fill(entity, message):
                return None
            receipt = Receipt(await self._show(entity, self._outbound.place(message)))
        except (Blocked, Impossible) as error:
            log.warning("feishu card not finished", message=message.id, code=error.code)
            return None
        return receipt

    async def _fill(self, entity: Entity, message: OutboundMessage) -> bool:
        """The fullest form that the card takes; else a word that the answer comes below, and False."""
        for card in self._outbound.cards(message):
            try:
                await self._close(entity, card)
            except Impossible as error:
                if error.code not in TOO_MUCH:
                    raise
                log.info("feishu card too full", message=message.id, code=error.code)
            else:
                return True
        await self._close(entity, encode.card(beside(message.text).below))
        return False
