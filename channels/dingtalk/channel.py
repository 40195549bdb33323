"""The channel: where messages come in, and which way replies go out."""

from collections.abc import AsyncIterator, Iterable

import structlog
from aiohttp import web

from channels.dingtalk.cards import Cards
from channels.dingtalk.examination import examine
from channels.dingtalk.media import fetch
from channels.dingtalk.openapi import OpenApi
from channels.dingtalk.outbound import Outbound
from channels.dingtalk.payload import decode, raw_object
from channels.dingtalk.settings import Settings
from channels.dingtalk.signature import verify
from channels.dingtalk.stream import Stream
from channels.kit.callback import body
from channels.kit.connection import hold
from hub.channel import Channel, Finding, Live, Site, Traits
from hub.message import InboundMessage, Media, OutboundMessage, Receipt

log = structlog.get_logger()


class DingTalk(Channel[Settings]):
    """One robot."""

    kind = "dingtalk"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._api = OpenApi(settings, site)
        self._outbound = Outbound(settings, site, self._api)
        self._cards = Cards(settings, site, self._api)

    @property
    def traits(self) -> Traits:
        return Traits(text_bytes=self.settings.text_bytes, citations="links")

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        if self.settings.transport == "webhook":
            yield web.post(f"/channels/{self.name}", self._callback)

    async def _callback(self, request: web.Request) -> web.Response:
        settings = self.settings
        verify(request.headers, settings.client_secret.value, now=self.site.clock(), max_age=settings.max_age)
        await self._take(raw_object(await body(request, most=settings.body_bytes)))
        return web.json_response({})

    async def _take(self, data: object) -> None:
        """Stores a robot message. Raises Refusal and NotStored."""
        message = decode(data, self.settings, self.name)
        if message is None:
            log.warning("dingtalk message for another robot", channel=self.name)
            return
        await self.site.inbox.accept(message)
        self._outbound.saw(message)

    async def run(self) -> None:
        if self.settings.transport == "stream":
            stream = Stream(self.settings, self.site.http, self._take, warn=self._warn)
            await hold(self.site.coordination.leases, f"dingtalk:{self.settings.client_id}", stream.run)

    def _warn(self, text: str) -> None:
        self.site.warn("stream", text)

    async def send(self, message: OutboundMessage) -> Receipt:
        if message.live and (receipt := await self._cards.finish(message)):
            return receipt
        return await self._outbound.send(message)

    async def fetch(self, media: Media) -> bytes:
        return await fetch(self.settings, self.site.http, self._api, media)

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site, self._api)

    async def live(self, message: InboundMessage) -> Live | None:
        return self._cards.open(message)
