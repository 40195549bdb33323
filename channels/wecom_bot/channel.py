"""The channel: a bot that is called back, or one that holds a connection."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable

from aiohttp import web

from channels.kit.callback import Sealed
from channels.kit.connection import hold
from channels.kit.envelope import Envelope
from channels.wecom_bot.examination import examine
from channels.wecom_bot.media import fetch
from channels.wecom_bot.outbound import Outbound
from channels.wecom_bot.polls import Polls
from channels.wecom_bot.pushes import Pushes
from channels.wecom_bot.settings import Settings
from channels.wecom_bot.streams import Streams
from hub.channel import Channel, Finding, Live, Site, Traits
from hub.message import InboundMessage, Media, OutboundMessage, Receipt


class WecomBot(Channel[Settings]):
    """One bot."""

    kind = "wecom_bot"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._replica = uuid.uuid4().hex
        self._topic = f"wecom_bot:{site.name}"
        self._streams = Streams(settings, time=lambda: asyncio.get_running_loop().time(), tell=self._tell)
        self._outbound: Outbound | Pushes = Outbound(settings, site, self._streams)
        if settings.transport == "websocket":
            self._outbound = Pushes(settings, site, warn=lambda text: site.warn("connection", text))

    @property
    def traits(self) -> Traits:
        return Traits(text_bytes=self.settings.text_bytes, citations="links")

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        if self.settings.transport == "webhook":
            polls = Polls(self.settings, self.site, self._sealed(), self._streams)
            path = f"/channels/{self.name}"
            yield web.get(path, polls.check)
            yield web.post(path, polls.callback)

    def _sealed(self) -> Sealed:
        settings = self.settings
        token, key = settings.token, settings.encoding_aes_key
        envelope = Envelope(token.value if token else "", key.value if key else "", "")
        return Sealed(envelope, self.site.clock, settings.max_age, settings.body_bytes)

    async def run(self) -> None:
        if isinstance(self._outbound, Pushes):
            name = f"wecom_bot:{self.settings.bot_id}"
            await hold(self.site.coordination.leases, name, self._outbound.link.run)
            return
        async with self.site.coordination.live.listen(self._topic) as news:
            async for told in news:
                sender, _, text = told.partition(" ")
                if sender != self._replica:
                    self._streams.learn(text)

    async def _tell(self, text: str) -> None:
        await self.site.coordination.live.publish(self._topic, f"{self._replica} {text}")

    async def send(self, message: OutboundMessage) -> Receipt:
        return await self._outbound.send(message)

    async def live(self, message: InboundMessage) -> Live | None:
        return self._outbound.live(message)

    async def fetch(self, media: Media) -> bytes:
        return await fetch(self.settings, self.site.http, media)

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site)

    async def close(self) -> None:
        if isinstance(self._outbound, Pushes):
            await self._outbound.close()
