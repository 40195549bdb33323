"""The channel: a message is stored and acknowledged at once; its answer goes out by the API."""

from collections.abc import AsyncIterator, Iterable

from aiohttp import web

from channels.kit import xml
from channels.kit.callback import Sealed
from channels.kit.envelope import Envelope, only
from channels.kit.pushed import Push, decode
from channels.wecom.doctor import examine
from channels.wecom.openapi import OpenApi
from channels.wecom.settings import Settings
from hub.channel import Channel, Finding, Site, Traits
from hub.message import OutboundMessage, Receipt
from hub.texts import texts


class WeCom(Channel[Settings]):
    """One application."""

    kind = "wecom"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._api = OpenApi(settings, site)
        envelope = Envelope(settings.token.value, settings.encoding_aes_key.value, settings.corp_id)
        self._sealed = Sealed(envelope, site.clock, settings.max_age, settings.body_bytes)

    @property
    def traits(self) -> Traits:
        markdown = self.settings.markdown
        return Traits(
            text_bytes=self.settings.text_bytes, markdown=markdown, citations="links" if markdown else "lines"
        )

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        path = f"/channels/{self.name}"
        return [web.get(path, self._echo), web.post(path, self._receive)]

    async def _echo(self, request: web.Request) -> web.Response:
        return self._sealed.echo(request)

    async def _receive(self, request: web.Request) -> web.Response:
        fields = await self._sealed.fields(request)
        push = decode(fields, channel=self.name, account=self.settings.corp_id)
        await self.site.inbox.accept(push.message)
        return web.Response(body=self._welcome(request, push), content_type="text/xml", charset="utf-8")

    def _welcome(self, request: web.Request, push: Push) -> bytes:
        """The one thing that goes out in the HTTP answer: it belongs to no question. Else nothing does."""
        if push.want != "welcome":
            return b""
        at = int(self.site.clock().timestamp())
        words = self.settings.welcome or texts("zh").welcome
        reply = xml.reply(words, to=push.message.sender.user, sender=push.to, at=at)
        return xml.sealed(self._sealed.envelope.seal(reply, timestamp=str(at), nonce=only(request, "nonce")))

    async def send(self, message: OutboundMessage) -> Receipt:
        return Receipt(await self._api.send(message.recipient.user, message.text, retry=message.retry))

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site, self._api)
