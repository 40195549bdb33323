"""The channel: the bell comes in, messages are fetched and stored, answers go out where the session is ours."""

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import web
from pydantic import ValidationError

from channels.kit.allowance import Allowance
from channels.kit.callback import Sealed
from channels.kit.connection import Backoff
from channels.kit.envelope import Envelope
from channels.wechat_kf.desks import Desks, Place
from channels.wechat_kf.doctor import examine
from channels.wechat_kf.leaving import Leaving
from channels.wechat_kf.openapi import SILENT, OpenApi, State, harmless
from channels.wechat_kf.payload import Item, Origin, decode, settle
from channels.wechat_kf.settings import Settings
from hub.channel import Channel, Finding, Site, Traits
from hub.errors import Closed, DeliveryError, Impossible, NotStored, Unknown
from hub.message import InboundMessage, Media, OutboundMessage, Receipt
from hub.person import Evidence
from hub.texts import texts

log = structlog.get_logger()

AT_ONCE = 8
"""Customers whose session is looked up, and whose messages are stored, side by side."""
ENDED = 3
"""The change by which a session ends: https://developer.work.weixin.qq.com/document/path/94670"""
KNOWN = 10_000
"""Customers whose UnionID was asked for by this process."""


class CustomerService(Channel[Settings]):
    """All desks of one corporation."""

    kind = "wechat_kf"
    settings_type = Settings
    own_people = True

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._api = OpenApi(settings, site)
        self._allowance = Allowance(window=settings.window, quota=settings.quota, clock=site.clock)
        envelope = Envelope(settings.token.value, settings.encoding_aes_key.value, settings.corp_id)
        self._sealed = Sealed(envelope, site.clock, settings.max_age, settings.body_bytes)
        place = Place(site.record, site.coordination.leases, settings.corp_id)
        self._desks = Desks(self._api, place, self._take, backoff=Backoff(first=1.0, most=60.0))
        self._known: OrderedDict[str, tuple[Evidence, ...]] = OrderedDict()
        patience = Backoff(first=1.0, most=300.0)
        self._leaving = Leaving(site.record, self._leave, clock=site.clock, backoff=patience, good=settings.window)

    @property
    def traits(self) -> Traits:
        return Traits(
            text_bytes=self.settings.text_bytes, markdown=False, citations="lines", most_parts=self.settings.quota
        )

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        path = f"/channels/{self.name}"
        return [web.get(path, self._echo), web.post(path, self._receive)]

    async def run(self) -> None:
        """Asks every desk that is known: bells may have rung while the hub was away."""
        for desk in await self._desks.known():
            self._desks.ring(desk)
        await self._leaving.run()

    # ---- in

    async def _echo(self, request: web.Request) -> web.Response:
        return self._sealed.echo(request)

    async def _receive(self, request: web.Request) -> web.Response:
        fields = await self._sealed.fields(request)
        desk = fields.get("OpenKfId", "")
        if fields.get("Event", "").lower() == "kf_msg_or_event" and desk:
            await self._desks.remember(desk)
            self._desks.ring(desk, fields.get("Token", ""))
        return web.Response()

    async def _take(self, desk: str, page: Sequence[dict[str, Any]], first: bool) -> None:
        """Stores a page, each customer's messages in their order, those of many side by side. Raises NotStored."""
        items = [item for raw in page if (item := _item(raw)) and item.customer]
        messages = [decode(item, channel=self.name, desk=desk) for item in items]
        asking = list(dict.fromkeys(message.sender.user for message in messages if message.addressed))
        known, silent = await asyncio.gather(self._identify(asking), self._silent(desk, asking))
        backlog = self.settings.backlog
        since = self.site.clock() - timedelta(seconds=backlog) if first and backlog else None
        said: defaultdict[str, list[tuple[Item, InboundMessage]]] = defaultdict(list)
        for item, message in zip(items, settle(messages, silent=silent, known=known, since=since), strict=True):
            said[item.customer].append((item, message))
        gate = asyncio.Semaphore(AT_ONCE)

        async def store(own: Sequence[tuple[Item, InboundMessage]]) -> None:
            async with gate:
                for item, message in own:
                    await self._store(desk, item, message)

        for outcome in await asyncio.gather(*map(store, said.values()), return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def _store(self, desk: str, item: Item, message: InboundMessage) -> None:
        if item.origin == Origin.CUSTOMER:
            self._allowance.wrote((desk, item.customer))
        if message.addressed and message.text.strip().lower() in self.settings.handover:
            message = await self._handed_over(desk, message)
        ticket = await self.site.inbox.accept(message)
        if ticket.fresh and item.origin == Origin.SYSTEM:
            await self._heed(item, message)

    async def _heed(self, item: Item, message: InboundMessage) -> None:
        """What an event asks of us."""
        event = item.event
        if event.event_type == "session_status_change" and event.change_type == ENDED:
            await self._leaving.forget((message.conversation.account, item.customer))
            await self.site.inbox.give_back(message.conversation)
        if event.event_type == "msg_send_fail":
            log.warning("a message did not reach the customer", message=event.fail_msgid, reason=event.fail_type)
        age = self.site.clock().timestamp() - item.send_time
        if event.welcome_code and age < self.settings.code_seconds:
            await self._hint(event.welcome_code, self.settings.welcome or texts("zh").welcome)

    async def _hint(self, code: str, text: str) -> None:
        """Says something that belongs to no question; nothing depends on its arrival."""
        try:
            await self._api.send_on_event(code, text)
        except DeliveryError as error:
            log.warning("a hint was not said", channel=self.name, code=error.code)

    async def _handed_over(self, desk: str, message: InboundMessage) -> InboundMessage:
        """Moves the customer into the queue for a person; where that fails, the hub answers in the usual way."""
        try:
            code = await self._api.move(desk, message.sender.user, State.QUEUE)
        except DeliveryError as error:
            log.warning("nobody takes the session over", channel=self.name, code=error.code)
            return message
        if code:
            await self._hint(code, texts("zh").queued)
        return replace(message, addressed=False)

    # ---- who it is, and whose session

    async def _identify(self, customers: Sequence[str]) -> dict[str, tuple[Evidence, ...]]:
        """What WeCom vouches for about each customer; asked once a process."""
        if not self.settings.identify:
            return {}
        strange = [customer for customer in customers if customer not in self._known]
        try:
            unionids = await self._api.unionids(strange) if strange else {}
        except DeliveryError as error:
            log.info("no UnionIDs", channel=self.name, code=error.code)
            return {customer: self._known.get(customer, ()) for customer in customers}
        for customer in strange:
            unionid = unionids.get(customer)
            own = Evidence("external_userid", f"{self.settings.corp_id}:{customer}")
            self._known[customer] = (own, Evidence("unionid", unionid)) if unionid else (own,)
        found = {customer: self._known[customer] for customer in customers}
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return found

    async def _silent(self, desk: str, customers: Sequence[str]) -> frozenset[str]:
        """Those whose session a person has, or who wait for one. Where WeCom does not say, sending will."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def owned(customer: str) -> bool:
            try:
                async with gate:
                    return await self._api.state(desk, customer) in SILENT
            except DeliveryError as error:
                log.info("no session state", channel=self.name, code=error.code)
                return False

        silent = await asyncio.gather(*map(owned, customers))
        return frozenset(customer for customer, is_owned in zip(customers, silent, strict=True) if is_owned)

    # ---- out

    async def hand_over(self, message: InboundMessage, turn: str) -> None:
        try:
            await self._leaving.intend((message.conversation.account, message.sender.user), turn)
        except NotStored:
            log.warning("who waits for people is not known; WeCom keeps the session", channel=self.name)

    async def send(self, message: OutboundMessage) -> Receipt:
        """The last part of a reply that announces a hand-over moves the session, and so does its refusal."""
        key = (message.conversation.account, message.recipient.user)
        leaves = message.last and await self._leaving.waits_for(key, message.turn)
        try:
            receipt = await self._send(*key, message)
        except (Closed, Impossible):
            if leaves:
                await self._leaving.go(key)
            raise
        if leaves:
            await self._leaving.go(key)
        return receipt

    async def _send(self, desk: str, customer: str, message: OutboundMessage) -> Receipt:
        self._allowance.spend((desk, customer))
        try:
            return Receipt(await self._api.send(desk, customer, message.text, msgid=msgid(message)))
        except Closed as error:
            if error.code == "95018":
                raise await self._not_ours(desk, customer, error) from None
            self._allowance.shut((desk, customer))
            raise
        except Unknown:
            raise
        except DeliveryError:
            self._allowance.give_back((desk, customer))
            raise

    async def _leave(self, desk: str, customer: str) -> None:
        await self._api.move(desk, customer, State.QUEUE)

    async def _not_ours(self, desk: str, customer: str, refusal: Closed) -> DeliveryError:
        """A person who took over has answered by the time the session is ours again: the answer is void."""
        self._allowance.give_back((desk, customer))
        try:
            state = await self._api.state(desk, customer)
        except DeliveryError as error:
            return harmless(error)
        if state in SILENT:
            return Impossible("a person has taken over the session", code=refusal.code)
        return refusal

    async def fetch(self, media: Media) -> bytes:
        return await self._api.media(media.reference)

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site, self._api)

    async def close(self) -> None:
        await self._leaving.close()
        await self._desks.close()


def _item(raw: dict[str, Any]) -> Item | None:
    try:
        return Item.model_validate(raw)
    except ValidationError as error:
        log.warning("a message can't be read", message=str(raw.get("msgid", ""))[:64], faults=error.error_count())
        return None


def msgid(message: OutboundMessage) -> str:
    """The id under which WeCom knows a message: the same at every try, at most 32 letters and digits."""
    return hashlib.sha256(f"{message.turn}:{message.id}".encode()).hexdigest()[:32]
