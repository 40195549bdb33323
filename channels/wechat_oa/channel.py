"""The channel: a message comes in, and its answer goes out in the callback, by the API, or with the next message."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import structlog
from aiohttp import web

from channels.kit import xml
from channels.kit.allowance import Allowance
from channels.kit.callback import Sealed, body, plain
from channels.kit.envelope import Envelope, fresh, only, prove
from channels.kit.pushed import Push, decode
from channels.wechat_oa.doctor import examine
from channels.wechat_oa.followers import Followers
from channels.wechat_oa.openapi import OpenApi
from channels.wechat_oa.settings import Settings
from channels.wechat_oa.tries import Tries
from hub.channel import Channel, Finding, Live, Site, Ticket, Traits
from hub.errors import Closed, DeliveryError, Unknown, Unreadable
from hub.message import InboundMessage, Media, OutboundMessage, Receipt
from hub.texts import texts

log = structlog.get_logger()

PEEK = 0.2
"""Seconds between two looks whether WeChat has hung up."""


@dataclass(frozen=True, slots=True)
class Said:
    """What goes into the HTTP answer; `claimed`: it is the reply that the ticket gave."""

    text: str = ""
    claimed: bool = False


class OfficialAccount(Channel[Settings]):
    """One account."""

    kind = "wechat_oa"
    settings_type = Settings

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings, site)
        self._api = OpenApi(settings, site)
        self._tries = Tries(most=settings.tries, cut=settings.cut)
        self._allowance = Allowance(window=settings.window, quota=settings.quota, clock=site.clock)
        self._followers = Followers(self._api.unionid, within=settings.identify_within)
        self._typing: set[asyncio.Task[None]] = set()
        self._answering = _traits(settings)
        self._pushing = replace(self._answering, pushes=True, most_parts=settings.quota)
        self._sealed: Sealed | None = None
        if key := settings.encoding_aes_key:
            envelope = Envelope(settings.token.value, key.value, settings.app_id)
            self._sealed = Sealed(envelope, site.clock, settings.max_age, settings.body_bytes)

    @property
    def traits(self) -> Traits:
        return self._pushing if self._api.pushes else self._answering

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        path = f"/channels/{self.name}"
        return [web.get(path, self._echo), web.post(path, self._receive)]

    # ---- in

    async def _echo(self, request: web.Request) -> web.Response:
        """The check of the URL, the same in all modes."""
        self._prove(request)
        if not (echo := only(request, "echostr")):
            raise Unreadable("echostr is missing")
        return plain(echo.encode("utf-8", "replace"))

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        began = asyncio.get_running_loop().time()
        push = decode(await self._fields(request), channel=self.name, account=self.settings.app_id)
        push = await self._identified(push)
        ticket = await self.site.inbox.accept(push.message)
        self._allowance.wrote(push.message.sender.user)
        number = self._tries.number(
            push.message.key,
            fresh=ticket.fresh,
            sent_at=push.message.sent_at,
            signed_at=float(only(request, "timestamp")),
            now=self.site.clock(),
        )
        left = began + self.settings.answer_within - asyncio.get_running_loop().time()
        said = await self._say(push, ticket, within=max(left, 0.0), last=number == self.settings.tries)
        if said is None:
            return await self._run_out(request, until=began + 2 * self.settings.cut)
        response = web.Response(body=self._render(request, push, said.text), content_type="text/xml", charset="utf-8")
        if await self._written(request, response, began) and said.claimed:
            await ticket.written()
        return response

    async def _identified(self, push: Push) -> Push:
        if not self.settings.identify or push.want == "nothing":
            return push
        evidence = await self._followers.evidence(push.message.sender.user)
        return replace(push, message=replace(push.message, evidence=evidence))

    async def _fields(self, request: web.Request) -> dict[str, str]:
        """The fields of a body that is proven: by msg_signature where there is a key, else by signature."""
        if self._sealed:
            return await self._sealed.fields(request)
        raw = await body(request, most=self.settings.body_bytes)
        self._prove(request)
        return xml.read(raw)

    def _prove(self, request: web.Request) -> None:
        timestamp = only(request, "timestamp")
        prove(only(request, "signature"), self.settings.token.value, timestamp, only(request, "nonce"))
        fresh(timestamp, now=self.site.clock(), max_age=self.settings.max_age)

    # ---- the answer in the callback

    async def _say(self, push: Push, ticket: Ticket, *, within: float, last: bool) -> Said | None:
        """What this try is answered with; None: nothing, so that WeChat asks once more."""
        match push.want:
            case "reply":
                return await self._reply(ticket, within=within, last=last)
            case "welcome":
                return Said(self.settings.welcome or texts("zh").welcome)
            case "nothing":
                return Said()

    async def _reply(self, ticket: Ticket, *, within: float, last: bool) -> Said | None:
        push = self._api.pushes
        if reply := await ticket.reply(within=within, rest=last and not push):
            return Said(reply.text, claimed=True)
        if push:
            return Said()
        return Said(texts("zh").pending) if last else None

    async def _written(self, request: web.Request, response: web.Response, began: float) -> bool:
        """Writes the answer; whether WeChat has it.

        Whoever closes the connection after the write has read the answer, unless it is so late that WeChat may have
        hung up before it. A hub that is busy sees both ends of that at once.
        """
        await asyncio.sleep(0)  # the loop learns who hung up by now
        if _hung_up(request):
            return False
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            return False
        if asyncio.get_running_loop().time() - began < self.settings.answer_within:
            return True
        await asyncio.sleep(0)
        return not _hung_up(request)

    def _render(self, request: web.Request, push: Push, text: str) -> bytes:
        """The XML of a reply, sealed where there is a key; "success" when there is nothing to say."""
        if not xml.clean(text).strip():
            return b"success"
        at = int(self.site.clock().timestamp())
        reply = xml.reply(text, to=push.message.sender.user, sender=push.to, at=at)
        if not self._sealed:
            return reply
        return xml.sealed(self._sealed.envelope.seal(reply, timestamp=str(at), nonce=only(request, "nonce")))

    async def _run_out(self, request: web.Request, *, until: float) -> web.Response:
        """Answers nothing until WeChat hangs up and asks again; whoever does not hang up is cut off at `until`."""
        loop = asyncio.get_running_loop()
        while not _hung_up(request) and loop.time() < until:  # noqa: ASYNC110 — aiohttp has no event for it
            await asyncio.sleep(PEEK)
        if request.transport:
            request.transport.abort()
        return web.Response()

    # ---- out

    async def send(self, message: OutboundMessage) -> Receipt:
        if not self._api.pushes:
            raise Closed("the account may only answer", code="push")
        openid = message.recipient.user
        self._allowance.spend(openid)
        try:
            await self._api.send(openid, message.text)
        except Closed:
            self._allowance.shut(openid)
            raise
        except Unknown:
            raise
        except DeliveryError:
            self._allowance.give_back(openid)
            raise
        return Receipt()

    async def live(self, message: InboundMessage) -> Live | None:
        """The sign "is typing", once the answer takes a while. It costs nothing of the quota."""
        self._allowance.wrote(message.sender.user)
        if not self._api.pushes or not self.settings.typing_after:
            return None
        return Typing(self.settings.typing_after, partial(self._type, message.sender.user))

    def _type(self, openid: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._show_typing(openid))
        self._typing.add(task)
        task.add_done_callback(self._typing.discard)
        return task

    async def _show_typing(self, openid: str) -> None:
        try:
            await self._api.typing(openid)
        except DeliveryError as error:
            log.debug("no typing sign", channel=self.name, code=error.code)

    async def fetch(self, media: Media) -> bytes:
        return await self._api.media(media.reference)

    def doctor(self) -> AsyncIterator[Finding]:
        return examine(self.settings, self.site, self._api)

    async def close(self) -> None:
        for task in list(self._typing):
            task.cancel()
        await asyncio.gather(*self._typing, return_exceptions=True)


class Typing(Live):
    """A sign that ends by itself on the phone; nothing grows. It begins after `seconds`: most answers come sooner."""

    def __init__(self, seconds: float, begin: Callable[[], asyncio.Task[None]]) -> None:
        self._begin = begin
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(seconds, self._now)

    def _now(self) -> None:
        self._task = self._begin()

    async def grow(self, text: str) -> None:
        return None

    async def close(self) -> None:
        self._timer.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _traits(settings: Settings) -> Traits:
    """Of an account that may only answer."""
    return Traits(
        text_bytes=settings.text_bytes,
        markdown=False,
        citations="lines",
        answers_request=True,
        after_answer=settings.reply_pause,
        pushes=False,
    )


def _hung_up(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
