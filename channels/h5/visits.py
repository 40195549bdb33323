"""What a visitor may do, whatever the transport: be greeted, be recognised, say something; and how often."""

import secrets

import structlog

from channels.h5.connections import Connections
from channels.h5.identity import Identities, IdentityRefused, Visitor
from channels.h5.markup import clean
from channels.h5.protocol import Fault, Hello, Message, key
from channels.h5.session import WAKE, topic
from channels.h5.settings import Settings
from hub.channel import Site
from hub.errors import NotStored
from hub.message import InboundMessage, Text

log = structlog.get_logger()

KEY_NOTE = "visitor_key"
MINUTE = 60.0


class Visits:
    """The one door behind both transports."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self.connections = Connections()
        self._identities: Identities | None = None

    async def greet(self, hello: Hello, token: str = "") -> Visitor:
        """Who says hello. Raises Fault where an identity does not hold: nobody becomes anonymous by mistake.

        A token that is not ours makes a new visitor, so that a page whose token the hub no longer knows goes on.
        """
        identities = await self._who()
        if hello.identity:
            try:
                return identities.named(hello.identity, self.site.clock())
            except IdentityRefused as why:
                log.warning("an identity was refused", channel=self.site.name, why=str(why))
                raise Fault("identity_refused") from None
        visitor = identities.known(token or hello.visitor)
        return self._valid(visitor) if visitor else identities.anonymous()

    async def recognise(self, token: str) -> Visitor:
        """Whose token it is. Raises Fault for one that is not ours, or whose time is over."""
        visitor = (await self._who()).known(token)
        if visitor is None:
            raise Fault("unknown_visitor")
        return self._valid(visitor)

    async def say(self, visitor: Visitor, message: Message, *, address: str) -> int:
        """Stores a message of the visitor; its number in the conversation. Raises Fault."""
        self._valid(visitor)
        await self._in_measure(visitor, message, address)
        name = self.site.name
        conversation = visitor.conversation(name)
        try:
            ticket = await self.site.inbox.accept(
                InboundMessage(
                    key=key(conversation, message.id),
                    conversation=conversation,
                    sender=visitor.identity(name),
                    parts=(Text(clean(message.text)),),
                    evidence=visitor.evidence,
                )
            )
        except NotStored:
            raise Fault("not_stored", message=message.id) from None
        if ticket.fresh:
            await self.site.coordination.live.publish(topic(conversation), WAKE)
        return ticket.event

    def _valid(self, visitor: Visitor) -> Visitor:
        if self.site.clock().timestamp() > visitor.expires:
            raise Fault("identity_expired")
        return visitor

    async def _in_measure(self, visitor: Visitor, message: Message, address: str) -> None:
        rate, name = self.settings.rate, self.site.name
        if not rate:
            return
        measures = ((visitor.user, rate), (address, rate * self.settings.address_rate))
        for who, limit in measures:
            wait = await self.site.coordination.limits.take(f"h5:{name}:{who}", limit=limit, seconds=MINUTE)
            if wait:
                raise Fault("rate_limited", message=message.id, seconds=wait)

    async def _who(self) -> Identities:
        """The signing key is made once, by one replica, and outlives restarts. Raises NotStored."""
        if self._identities is None:
            async with self.site.coordination.leases.hold(f"h5:{self.site.name}:{KEY_NOTE}"):
                made = await self.site.record.note(KEY_NOTE)
                if made is None:
                    made = secrets.token_hex(32)
                    await self.site.record.keep_note(KEY_NOTE, made)
            secret = self.settings.identity_secret
            self._identities = Identities(
                bytes.fromhex(made),
                secret.value if secret else "",
                leeway=self.settings.identity_leeway,
                longest=self.settings.identity_days * 86400,
            )
        return self._identities
