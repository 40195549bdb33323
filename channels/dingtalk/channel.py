"""The channel: where messages come in, and which way replies go out."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import structlog
from aiohttp import web

from channels.dingtalk import buttons
from channels.dingtalk.buttons import Buttons
from channels.dingtalk.cards import Cards
from channels.dingtalk.examination import examine
from channels.dingtalk.frames import PRESSED, TOPIC
from channels.dingtalk.media import fetch
from channels.dingtalk.openapi import OpenApi
from channels.dingtalk.outbound import Outbound
from channels.dingtalk.payload import decode, raw_object
from channels.dingtalk.settings import Settings
from channels.dingtalk.signature import verify
from channels.dingtalk.stream import Stream
from channels.kit.callback import body
from channels.kit.connection import hold
from channels.kit.directory import Directory
from hub.channel import Channel, Finding, Live, Site, Traits
from hub.fit import spoken
from hub.message import InboundMessage, Media, OutboundMessage, Receipt
from hub.person import Evidence
from hub.texts import beside

log = structlog.get_logger()


class DingTalk(Channel[Settings]):
    """One robot."""

    kind = "dingtalk"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._api = OpenApi(settings, site)
        self._directory = Directory(site, self._api.member, asked=settings.directory)
        self._outbound = Outbound(settings, site, self._api)
        self._cards = Cards(settings, site, self._api)
        self._buttons = Buttons(settings, site, self._api)

    @property
    def traits(self) -> Traits:
        return Traits(text_bytes=self.settings.text_bytes, citations="links", choices=self._buttons.offered)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        if self.settings.transport == "webhook":
            yield web.post(f"/channels/{self.name}", self._callback)

    async def _callback(self, request: web.Request) -> web.Response:
        settings = self.settings
        verify(request.headers, settings.client_secret.value, now=self.site.clock(), max_age=settings.max_age)
        await self._take(TOPIC, raw_object(await body(request, most=settings.body_bytes)))
        return web.json_response({})

    async def _take(self, topic: str, data: object) -> None:
        """Stores a robot message or a press. Raises Refusal and NotStored."""
        pressed = topic == PRESSED
        message = (buttons.decode if pressed else decode)(data, self.settings, self.name)
        if message is None:
            log.warning("dingtalk message for another robot or card", channel=self.name)
            return
        await self.site.inbox.accept(message)
        if not pressed:
            self._outbound.saw(message)

    async def run(self) -> None:
        if self.settings.transport == "stream":
            stream = Stream(self.settings, self.site.http, self._take, warn=self._warn)
            await hold(self.site.coordination.leases, f"dingtalk:{self.settings.client_id}", stream.run)

    def _warn(self, text: str) -> None:
        self.site.warn("stream", text)

    async def send(self, message: OutboundMessage) -> Receipt:
        if message.choices:
            if receipt := await self._buttons.send(message):
                await self._leave(message.live)
                return receipt
            message = replace(message, text=spoken(message.text, message.choices, beside(message.text)), choices=())
        if message.live and (receipt := await self._cards.finish(message)):
            return receipt
        return await self._outbound.send(message)

    async def _leave(self, live: str) -> None:
        """The card that may have grown before the question came says that something follows."""
        if live:
            await self._cards.leave(live)

    async def vouch(self, user: str) -> tuple[Evidence, ...]:
        return await self._directory.vouch(user)

    async def fetch(self, media: Media) -> bytes:
        return await fetch(self.settings, self.site.http, self._api, media)

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site, self._api)

    async def live(self, message: InboundMessage) -> Live | None:
        return self._cards.open(message)
