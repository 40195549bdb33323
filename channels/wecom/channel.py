"""The channel: a message is stored and acknowledged at once; its answer goes out by the API."""

from collections.abc import AsyncIterator, Iterable

import structlog
from aiohttp import web

from channels.kit import xml
from channels.kit.callback import Sealed
from channels.kit.directory import Directory
from channels.kit.envelope import Envelope, only
from channels.kit.pushed import Push, decode
from channels.wecom import cards
from channels.wecom.doctor import examine
from channels.wecom.openapi import OpenApi
from channels.wecom.settings import Settings
from hub.channel import Channel, Finding, Site, Traits
from hub.errors import Closed, Impossible
from hub.fit import spoken
from hub.message import Media, OutboundMessage, Receipt
from hub.person import Evidence
from hub.texts import beside, texts

log = structlog.get_logger()

GONE = frozenset({"invaliduser", "81013", "60111", "40003"})
"""The member can't be reached, in whatever form."""


class WeCom(Channel[Settings]):
    """One application."""

    kind = "wecom"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._api = OpenApi(settings, site)
        self._directory = Directory(site, self._api.member, asked=settings.directory)
        envelope = Envelope(settings.token.value, settings.encoding_aes_key.value, settings.corp_id)
        self._sealed = Sealed(envelope, site.clock, settings.max_age, settings.body_bytes)

    @property
    def traits(self) -> Traits:
        markdown = self.settings.markdown
        return Traits(
            text_bytes=self.settings.text_bytes,
            markdown=markdown,
            citations="links" if markdown else "lines",
            choices=self.settings.buttons,
            choices_bytes=cards.TEXT_BYTES,
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
        at = int(self.site.clock().timestamp())
        reply = self._at_once(push, fields.get("Event", ""), at)
        raw = b""
        if reply:
            raw = xml.sealed(self._sealed.envelope.seal(reply, timestamp=str(at), nonce=only(request, "nonce")))
        return web.Response(body=raw, content_type="text/xml", charset="utf-8")

    def _at_once(self, push: Push, event: str, at: int) -> bytes:
        """What goes out in the HTTP answer, since it belongs to no question: a welcome, a pressed button; else b""."""
        user = push.message.sender.user
        if push.want == "welcome":
            return xml.reply(self.settings.welcome or texts("zh").welcome, to=user, sender=push.to, at=at)
        return cards.pressed(user, push.to, at=at) if event == "template_card_event" else b""

    async def send(self, message: OutboundMessage) -> Receipt:
        member = message.recipient.user
        if message.choices and cards.fits(message.choices):
            try:
                return Receipt(await self._api.send_card(member, cards.card(message), retry=message.retry))
            except (Impossible, Closed) as error:
                if error.code in GONE:
                    raise
                log.info("wecom card not taken", message=message.id, code=error.code)
        words = spoken(message.text, message.choices, beside(message.text))
        return Receipt(await self._api.send(member, words, retry=message.retry))

    async def vouch(self, user: str) -> tuple[Evidence, ...]:
        return await self._directory.vouch(user)

    async def fetch(self, media: Media) -> bytes:
        return await self._api.media(media.reference)

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site, self._api)
