"""The channel: where events come in, and which way replies go out."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import web

from channels.feishu import payload
from channels.feishu.cards import Cards
from channels.feishu.connection import Connection
from channels.feishu.doctor import examine
from channels.feishu.envelope import open_body
from channels.feishu.openapi import OpenApi
from channels.feishu.outbound import Outbound
from channels.feishu.payload import Callback, Withdrawn
from channels.feishu.settings import Settings
from channels.kit.callback import body
from channels.kit.connection import hold
from channels.kit.directory import Directory
from hub.channel import Channel, Finding, Live, Site, Traits
from hub.errors import DeliveryError, NotStored
from hub.message import InboundMessage, Media, OutboundMessage, Receipt
from hub.person import Evidence
from hub.texts import texts

log = structlog.get_logger()

MOST_BYTES = 1 << 20
"""The longest callback; a text message has at most 150 KB."""
PATIENCE = 2.0
"""Seconds that an event waits until we know who we are; it is to be acknowledged within 3."""


class Feishu(Channel[Settings]):
    """One app with a bot."""

    kind = "feishu"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._api = OpenApi(settings, site)
        self._outbound = Outbound(settings, site, self._api)
        self._cards = Cards(settings, site, self._api, self._outbound)
        self._directory = Directory(site, self._api.member, asked=settings.directory)
        self._bot = ""
        self._asking = asyncio.Lock()

    @property
    def traits(self) -> Traits:
        return Traits(text_bytes=self.settings.text_bytes, citations="links", choices=True)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        if self.settings.transport == "webhook":
            yield web.post(f"/channels/{self.name}", self._callback)

    async def _callback(self, request: web.Request) -> web.Response:
        raw = await body(request, most=MOST_BYTES)
        callback = payload.read(open_body(raw, request.headers, self.settings, now=self.site.clock()))
        if callback.type == "url_verification":
            return web.json_response({"challenge": callback.challenge})
        return web.json_response(await self._take(callback))

    async def run(self) -> None:
        if self.settings.transport == "websocket":
            connection = Connection(self.settings, self.site.http, self._take_event, warn=self._warn)
            await hold(self.site.coordination.leases, f"feishu:{self.settings.app_id}", connection.run)

    def _warn(self, text: str) -> None:
        self.site.warn("connection", text)

    async def _take_event(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._take(payload.read(event))

    async def _take(self, callback: Callback) -> Mapping[str, Any]:
        """Stores what the callback says; the answer to it. Raises Refusal and NotStored."""
        bot = await self._ourselves() if payload.mentions_somebody(callback) else ""
        said = payload.decode(callback, self.settings, self.name, bot=bot)
        match said:
            case None:
                log.debug("feishu event of no use", kind=callback.header.event_type, id=callback.header.event_id)
            case Withdrawn(conversation=conversation, key=key):
                await self.site.inbox.withdraw(conversation, key)
            case InboundMessage():
                await self.site.inbox.accept(said)
        clicked = said is not None and callback.header.event_type == "card.action.trigger"
        return _toast() if clicked else {}

    async def _ourselves(self) -> str:
        """Our own open_id, by which a mention of us is told from others. Raises NotStored: the event comes again."""
        if not self._bot:
            try:
                async with asyncio.timeout(PATIENCE), self._asking:
                    self._bot = await self._ask_who()
            except (TimeoutError, DeliveryError) as error:
                log.warning("feishu does not say who we are", error=type(error).__name__)
                raise NotStored("the bot's own open_id is not known yet") from None
        return self._bot

    async def _ask_who(self) -> str:
        note = f"bot {self.settings.app_id}"
        if known := await self.site.record.note(note):
            return known
        found = (await self._api.call("GET", "/bot/v3/info")).get("bot")
        bot = str(found.get("open_id") or "") if isinstance(found, Mapping) else ""
        if not bot:
            raise NotStored("Feishu names no open_id of the bot")
        await self.site.record.keep_note(note, bot)
        return bot

    async def send(self, message: OutboundMessage) -> Receipt:
        if message.live and (receipt := await self._cards.finish(message)):
            return receipt
        return await self._outbound.send(message)

    async def live(self, message: InboundMessage) -> Live | None:
        return await self._cards.open(message)

    async def vouch(self, user: str) -> tuple[Evidence, ...]:
        return await self._directory.vouch(user)

    async def fetch(self, media: Media) -> bytes:
        message, _, key = media.reference.partition("/")
        kind = "image" if media.kind == "image" else "file"
        path = f"/im/v1/messages/{quote(message, safe='')}/resources/{quote(key, safe='')}"
        return await self._api.download(path, {"type": kind})

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site, self._api)


def _toast() -> Mapping[str, Any]:
    """What the person sees after a click, in the language of their client."""
    zh, en = texts("zh").taken, texts("en").taken
    return {"toast": {"type": "success", "content": zh, "i18n": {"zh_cn": zh, "en_us": en}}}
