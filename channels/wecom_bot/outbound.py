"""Answers of a bot that is called back: in the stream of the message, in that of a newer one, or by its response_url.

https://developer.work.weixin.qq.com/document/path/101138 (response_url: one call, one hour, no encryption)
"""

import structlog
from yarl import URL

from channels.kit.api import request
from channels.kit.hosts import trusted
from channels.kit.pump import Pump
from channels.wecom_bot import encode
from channels.wecom_bot.payload import Context, context_of, stream_id
from channels.wecom_bot.settings import HOSTS, Settings
from channels.wecom_bot.streams import Stream, Streams
from hub.channel import Live, Site
from hub.delivery import PASSIVE
from hub.errors import Closed
from hub.fit import sound
from hub.message import InboundMessage, OutboundMessage, Receipt
from hub.texts import beside

log = structlog.get_logger()


SHARED_EVERY = 0.3
"""Seconds between two tellings of an answer that grows."""


class Growing(Pump):
    """The live reply of a message: what its stream shows until the answer is there."""

    def __init__(self, stream: Stream, streams: Streams) -> None:
        super().__init__(stream.id, lambda text: streams.grow(stream, text), interval=SHARED_EVERY)
        self._stream = stream
        self._streams = streams

    async def grow(self, text: str) -> None:
        self._stream.live = sound(text)
        await super().grow(self._stream.live)

    async def close(self) -> None:
        await super().close()
        self._streams.fall_silent(self._stream)


class Outbound:
    """Sends for a bot with a callback."""

    def __init__(self, settings: Settings, site: Site, streams: Streams) -> None:
        self._settings = settings
        self._site = site
        self._streams = streams

    def live(self, message: InboundMessage) -> Live:
        """What a turn shows while it works."""
        later = bool(context_of(message.context).url)
        return Growing(self._streams.open(stream_id(message.key), message.conversation, later=later), self._streams)

    async def send(self, message: OutboundMessage) -> Receipt:
        """Raises DeliveryError; Closed where only the person's next message opens a way."""
        own = self._own(message)
        stream = own or self._streams.newest(message.conversation)
        if stream is None or not stream.takes(message.text, self._settings.text_bytes):
            return await self._elsewhere(message, own)
        if await self._streams.put(stream, message.text, finish=stream is own):
            return Receipt(PASSIVE)
        return await self._elsewhere(message, stream)

    async def _elsewhere(self, message: OutboundMessage, stream: Stream | None) -> Receipt:
        """By the response_url; a stream that was to show it says where it is."""
        words = beside(message.text)
        if stream is not None:
            await self._streams.conclude(stream, words.below)
        try:
            return await self._by_url(message)
        except Closed:
            if stream is not None:
                await self._streams.conclude(stream, words.pending)
            raise

    def _own(self, message: OutboundMessage) -> Stream | None:
        """The stream of the message that is answered, while somebody asks for it.

        After a restart it is not here, and may be asked for again all the same: then it is opened anew.
        """
        name = stream_id(message.reply_to)
        stream = self._streams.get(name)
        context = context_of(message.context)
        age = self._site.clock().timestamp() - context.at
        if stream is None and message.reply_to and age < self._settings.stream_seconds:
            stream = self._streams.open(name, message.conversation, age=max(age, 0.0), later=bool(context.url))
        return stream if stream is not None and self._streams.asked(stream) else None

    async def _by_url(self, message: OutboundMessage) -> Receipt:
        context = context_of(message.context)
        self._usable(context)
        outcome = await request(
            self._site.http, "POST", context.url, encode.markdown(message.text), timeout=self._settings.timeout
        )
        code = outcome.body.get("errcode", outcome.status)
        if outcome.status != 200 or code != 0:
            raise Closed("the response_url takes nothing more", code=str(code))
        return Receipt("response_url")

    def _usable(self, context: Context) -> None:
        """Raises Closed for a response_url that is missing, over, or leads elsewhere."""
        if not context.url or self._site.clock().timestamp() - context.at >= self._settings.url_seconds:
            raise Closed("nobody asks for the stream, and there is no response_url", code="no_way")
        if not trusted(context.url, self._settings.api_base, HOSTS):
            log.warning("wecom bot response_url of a foreign host", host=URL(context.url).host)
            raise Closed("the response_url leads to a foreign host", code="host")
