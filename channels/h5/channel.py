"""The channel: its routes, and what the hub asks of it."""

from collections.abc import AsyncIterator, Iterable

import structlog
from aiohttp import web

from channels.h5.live import Answering
from channels.h5.origins import Origins
from channels.h5.script import Script
from channels.h5.session import WAKE, topic
from channels.h5.settings import Settings, origin
from channels.h5.streams import Streams
from channels.h5.visits import Visits
from channels.h5.websocket import WebSockets
from hub.channel import Channel, Finding, Live, Site, Traits
from hub.errors import NotStored
from hub.message import InboundMessage, OutboundMessage, Receipt

log = structlog.get_logger()


class H5(Channel[Settings]):
    """One web page's visitors."""

    kind = "h5"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._visits = Visits(settings, site)
        own = (origin(site.public_url),) if site.public_url else ()
        self._origins = Origins.of((*settings.allowed_origins, *own))
        self._sockets = WebSockets(self._visits, self._origins)
        self._streams = Streams(self._visits, self._origins)
        self._script = Script()

    @property
    def traits(self) -> Traits:
        return Traits(citations="own", choices=True, pulled=True)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        base = f"/channels/{self.name}"
        yield web.get(f"{base}/ws", self._sockets.serve)
        yield web.get(f"{base}/events", self._streams.get, allow_head=False)
        yield web.post(f"{base}/messages", self._streams.post)
        yield web.options(f"{base}/events", self._preflight)
        yield web.options(f"{base}/messages", self._preflight)
        yield web.get(f"{base}/widget.js", self._script.serve)

    async def _preflight(self, request: web.Request) -> web.Response:
        return self._origins.preflight(request)

    async def send(self, message: OutboundMessage) -> Receipt:
        """The reply is in the journal already; whoever is connected reads it there."""
        await self.site.coordination.live.publish(topic(message.conversation), WAKE)
        return Receipt()

    async def live(self, message: InboundMessage) -> Live | None:
        try:
            ticket = await self.site.inbox.find(message.conversation, message.key)
        except NotStored:
            return None
        if ticket is None:
            return None
        interval = self.settings.delta_interval
        return Answering(self.site.coordination.live, message.conversation, ticket.turn, interval=interval)

    async def doctor(self) -> AsyncIterator[Finding]:
        """There is nobody to ask: what can be wrong stands in the settings."""
        allowed = sorted(self._origins.allowed)
        yield Finding(
            "allowed_origins",
            ok=bool(allowed),
            text=", ".join(allowed) or "no web page may show the widget",
            advice="" if allowed else 'write the origins of your pages, like "https://shop.example"',
        )
        named = self.settings.identity_secret is not None
        yield Finding(
            "identity_secret", ok=True, text="visitors may be named by JWT" if named else "visitors stay anonymous"
        )

    async def close(self) -> None:
        """Ends every connection, so that pages connect to another replica, or again."""
        await self._visits.connections.close()
