"""Answers of a bot that holds a connection: a stream that is pushed, and messages of their own for what comes later.

A stream is pushed with the req_id of its message. Once WeCom takes no more of it (846605, 846608: unknown or
expired after 6 minutes) the answer goes out as a message of its own.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import structlog

from channels.kit.pump import Pump
from channels.wecom_bot import encode
from channels.wecom_bot.link import Link
from channels.wecom_bot.payload import chat_of, context_of, decode, read, stream_id
from channels.wecom_bot.settings import Settings
from hub.channel import Live, Site
from hub.errors import Closed, DeliveryError, Faulty, NotStored, Refusal
from hub.fit import size, split
from hub.message import InboundMessage, OutboundMessage, Receipt
from hub.texts import texts

log = structlog.get_logger()

FREQUENT = frozenset({45009, 45033, 846607})
"""Codes for too much at a time."""
KEPT = 10_000
"""Streams that were ended without their answer, so that it goes out by itself."""


class Pushes:
    """Takes callbacks of the connection and answers over it."""

    def __init__(self, settings: Settings, site: Site, *, warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._site = site
        self.link = Link(settings, site.http, self.take, warn=warn)
        self._ends: dict[str, asyncio.Task[None]] = {}
        self._over: OrderedDict[str, None] = OrderedDict()

    # -- what comes in

    async def take(self, req: str, body: object) -> None:
        """One callback: a message is stored and its stream begun, an event is answered in its way."""
        try:
            callback = read(body)
            if callback.event is not None:
                await self._event(req, callback.event.eventtype)
                return
            message = decode(callback, self._settings, self._site.name, now=self._site.clock(), req=req)
        except Refusal as error:
            log.warning("wecom bot callback refused", reason=str(error))
            return
        await self._message(req, message)

    async def _message(self, req: str, message: InboundMessage) -> None:
        name = stream_id(message.key)
        try:
            ticket = await self._site.inbox.accept(message)
        except NotStored:  # it is not sent again, so the person is told to say it again
            log.exception("wecom bot message not stored")
            await self._try("aibot_respond_msg", encode.stream(name, texts("zh").failed, finish=True), req)
            return
        if ticket.fresh:
            await self._try("aibot_respond_msg", encode.stream(name, "", finish=False), req)

    async def _event(self, req: str, kind: str) -> None:
        log.info("wecom bot event", channel=self._site.name, kind=kind[:40])
        if kind == "enter_chat":
            words = encode.text(self._settings.welcome or texts("zh").welcome)
            await self._try("aibot_respond_welcome_msg", words, req)

    async def _try(self, cmd: str, body: encode.Body, req: str) -> None:
        """Something that is not worth a second try."""
        try:
            if code := await self.link.call(cmd, body, req=req):
                log.warning("wecom bot answer refused", cmd=cmd, code=code)
        except DeliveryError as error:
            log.warning("wecom bot answer lost", cmd=cmd, code=error.code)

    # -- what goes out

    def live(self, message: InboundMessage) -> Live:
        """The stream of a message, brought to its end before WeCom does it."""
        context = context_of(message.context)
        live = Pushed(self, stream_id(message.key), context.req, interval=self._settings.stream_interval)
        left = context.at + self._settings.stream_seconds - self._site.clock().timestamp()
        self.end_later(live, max(left, 0.0), texts("zh").later)
        return live

    async def respond(self, name: str, text: str, req: str, *, finish: bool = False) -> None:
        """The whole text of a stream. Raises DeliveryError; Closed where the stream takes nothing more."""
        most = self._settings.text_bytes
        shown = text if size(text) <= most else split(text, most)[0]
        if code := await self.link.call("aibot_respond_msg", encode.stream(name, shown, finish=finish), req=req):
            raise Closed("the stream takes nothing more", code=str(code))

    def fall_silent(self, live: "Pushed") -> None:
        """The turn is over; where no answer follows, the stream is ended after a while."""
        self.end_later(live, self._settings.silence_patience, texts("zh").received)

    def end_later(self, live: "Pushed", seconds: float, words: str) -> None:
        """Ends a stream after so many seconds, unless its answer comes before."""
        self._keep_open(live.handle)
        self._ends[live.handle] = asyncio.create_task(self._end(live, seconds, words))

    async def _end(self, live: "Pushed", seconds: float, words: str) -> None:
        await asyncio.sleep(seconds)
        self._over[live.handle] = None
        if len(self._over) > KEPT:
            self._over.popitem(last=False)
        try:
            await live.end(words)
        except DeliveryError as error:
            log.warning("wecom bot stream not ended", code=error.code)
        finally:
            self._ends.pop(live.handle, None)

    def _keep_open(self, name: str) -> None:
        if task := self._ends.pop(name, None):
            task.cancel()

    async def send(self, message: OutboundMessage) -> Receipt:
        """Raises DeliveryError."""
        name, context = stream_id(message.reply_to), context_of(message.context)
        self._keep_open(name)
        young = self._site.clock().timestamp() - context.at < self._settings.stream_seconds
        if message.first and context.req and young and name not in self._over:
            try:
                await self.respond(name, message.text, context.req, finish=True)
            except Closed as refused:
                log.info("wecom bot stream over", message=message.id, code=refused.code)
            else:
                return Receipt(name)
        return await self._by_itself(message)

    async def _by_itself(self, message: OutboundMessage) -> Receipt:
        body = {"chatid": chat_of(message.conversation), **encode.markdown(message.text)}
        code = await self.link.call("aibot_send_msg", body)
        if code in FREQUENT:
            raise Faulty("too many messages", code=str(code), after=60.0)
        if code:
            raise Closed("WeCom takes nothing for this person now", code=str(code))
        return Receipt()

    async def close(self) -> None:
        """Ends the timers of streams."""
        tasks = list(self._ends.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._ends.clear()


class Pushed(Pump):
    """The stream of one message while it grows."""

    def __init__(self, pushes: Pushes, name: str, req: str, *, interval: float) -> None:
        super().__init__(name, self._push, interval=interval)
        self._pushes = pushes
        self._req = req

    async def _push(self, text: str) -> None:
        if text:
            await self._pushes.respond(self.handle, text, self._req)

    async def close(self) -> None:
        await super().close()
        self._pushes.fall_silent(self)

    async def end(self, words: str) -> None:
        """The stream ends with what it shows and these words. Raises DeliveryError."""
        await super().close()
        text = f"{self._text}\n\n{words}" if self._text else words
        await self._pushes.respond(self.handle, text, self._req, finish=True)
