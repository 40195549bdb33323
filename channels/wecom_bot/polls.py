"""The callback: verified, decrypted, and answered in one of the bot's ways.

https://developer.work.weixin.qq.com/document/path/101031
"""

import json
from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from channels.kit.callback import Sealed, body
from channels.kit.envelope import only
from channels.wecom_bot import encode
from channels.wecom_bot.payload import Callback, context_of, conversation, decode, key_of, read, stream_id
from channels.wecom_bot.settings import Settings
from channels.wecom_bot.sharing import State
from channels.wecom_bot.streams import Stream, Streams
from hub.channel import Site, Ticket
from hub.errors import Unreadable
from hub.message import Conversation
from hub.texts import texts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, and what to do when it was written: a stream or a ticket is told."""

    body: encode.Body | None = None
    stream: Stream | None = None
    state: State | None = None
    ticket: Ticket | None = None

    async def written(self, streams: Streams) -> None:
        """The answer is on its way to WeCom."""
        if self.stream is not None and self.state is not None:
            await streams.carry(self.stream, self.state)
        if self.ticket is not None:
            await self.ticket.written()


class Polls:
    """Answers messages, polls and events of one bot."""

    def __init__(self, settings: Settings, site: Site, sealed: Sealed, streams: Streams) -> None:
        self._settings = settings
        self._site = site
        self._sealed = sealed
        self._streams = streams

    async def check(self, request: web.Request) -> web.Response:
        """The check of the URL."""
        return self._sealed.echo(request)

    async def callback(self, request: web.Request) -> web.StreamResponse:
        """Everything else. Raises Refusal and NotStored."""
        inside = self._sealed.open(request, _encrypted(await body(request, most=self._settings.body_bytes)))
        answer = await self._answer(read(inside))
        raw = b""
        if answer.body is not None:
            now = int(self._site.clock().timestamp())
            raw = encode.seal(answer.body, self._sealed.envelope, now=now, nonce=only(request, "nonce"))
        response = web.Response(body=raw, content_type="application/json" if raw else "text/plain")
        await response.prepare(request)
        await response.write_eof()
        await answer.written(self._streams)
        return response

    async def _answer(self, callback: Callback) -> Answer:
        match callback.msgtype:
            case "stream":
                return await self._poll(callback)
            case "event":
                return self._event(callback)
            case _:
                return await self._message(callback)

    async def _message(self, callback: Callback) -> Answer:
        """Stored, and answered with the beginning of its stream; the same message again gets the same stream."""
        message = decode(callback, self._settings, self._site.name, now=self._site.clock())
        ticket = await self._site.inbox.accept(message)
        name = stream_id(message.key)
        stream = self._streams.get(name)
        if stream is None and not ticket.fresh:
            return await self._remembered(name, message.conversation, ticket)
        stream = stream or self._streams.open(name, message.conversation, later=bool(context_of(message.context).url))
        return self._shown(stream)

    async def _poll(self, callback: Callback) -> Answer:
        """A poll is a callback of its own: it is no message, and never taken for one."""
        name = callback.stream.id if callback.stream else ""
        stream = self._streams.get(name)
        if stream is not None and not self._streams.overdue(stream):
            return self._shown(stream)
        place = conversation(callback, self._settings, self._site.name)
        key = key_of(name)
        ticket = await self._site.inbox.find(place, key) if key else None
        if ticket is None and stream is not None:
            return self._shown(stream)
        if ticket is None:
            log.info("wecom bot stream of nobody", channel=self._site.name)
            return _whole(name, texts("zh").failed)
        return await self._remembered(name, place, ticket)

    async def _remembered(self, name: str, place: Conversation, ticket: Ticket) -> Answer:
        """A stream of an earlier process, or one whose answer is long on its way: it ends with the answer, or goes on.

        What the turn showed while it grew is the answer, too: ended with that, it would be said once more elsewhere.
        """
        reply = await ticket.reply(within=0)
        stream = self._streams.get(name)
        if reply and stream is None:
            return _whole(name, reply.text, ticket)
        stream = stream or self._streams.open(name, place)
        if not reply:
            return self._shown(stream)
        await self._streams.conclude(stream, reply.text)
        return replace(self._shown(stream), ticket=ticket)

    def _shown(self, stream: Stream) -> Answer:
        state = self._streams.poll(stream)
        shown = encode.stream(stream.id, state.content, finish=state.finish)
        return Answer(shown, stream=stream, state=state)

    def _event(self, callback: Callback) -> Answer:
        """A welcome for who opens the chat; nothing for all else, and never a second try."""
        kind = callback.event.eventtype if callback.event else ""
        log.info("wecom bot event", channel=self._site.name, kind=kind[:40])
        if kind == "enter_chat":
            return Answer(encode.text(self._settings.welcome or texts("zh").welcome))
        return Answer()


def _whole(name: str, text: str, ticket: Ticket | None = None) -> Answer:
    return Answer(encode.stream(name, text, finish=True), ticket=ticket)


def _encrypted(raw: bytes) -> str:
    """The ciphertext in a callback's body. Raises Unreadable."""
    try:
        outside = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("the body is no JSON") from None
    encrypted = outside.get("encrypt") if isinstance(outside, dict) else None
    if not isinstance(encrypted, str):
        raise Unreadable("there is nothing encrypted in the body")
    return encrypted
