"""One channel behind a real server, over the fakes, and an API that takes everything or fails as a test wants."""

import importlib
import io
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from channels.registry import KINDS, load
from hub.channel import Channel, Site
from hub.errors import NotStored
from hub.message import InboundMessage, OutboundMessage
from tests.channels.callback import inbox, serving
from tests.channels.conformance.case import Call, Case
from tests.fakes import FakeInbox, FakeRecord, fake_site

NAME = "main"
TOKEN = "token-that-the-api-gave-out"
TOKENS = {
    "errcode": 0,
    "code": 0,
    "access_token": TOKEN,
    "tenant_access_token": TOKEN,
    "accessToken": TOKEN,
    "expires_in": 7200,
    "expire": 7200,
    "expireIn": 7200,
}
"""A token in the words of every platform."""
TAKEN = {"errcode": 0, "code": 0, "errmsg": "ok", "data": {"message_id": "om_1"}, "processQueryKey": "q1"}

Answer = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Api:
    """The other side. `fails` is what calls for anything but a token come to."""

    url: str = ""
    fails: Callable[[web.Request], web.Response] | None = None
    serves: dict[str, Answer] = field(default_factory=dict)
    """What a Case itself answers, by path."""
    calls: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """The body of every call."""
    away: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Closed, nothing listens at `url` any more."""

    async def answer(self, request: web.Request) -> web.Response:
        """Every call of every platform."""
        raw = await request.read()
        self.calls.append(request.path)
        self.said.append(raw.decode())
        if "token" in request.path.lower():
            return web.json_response(TOKENS)
        if request.path in self.serves:
            return web.json_response(self.serves[request.path](json.loads(raw or b"{}")))
        return self.fails(request) if self.fails else web.json_response(TAKEN)


class Notes(FakeRecord):
    """A record that refuses to store while it is broken."""

    broken = False

    async def keep_note(self, key: str, value: str) -> None:
        if self.broken:
            raise NotStored
        await super().keep_note(key, value)


@dataclass
class World:
    """A channel and what it stands on."""

    case: Case
    api: Api
    http: aiohttp.ClientSession
    site: Site
    channel: Channel[Any]
    url: str = ""
    _keys: "itertools.count[int]" = field(default_factory=lambda: itertools.count(time.time_ns() // 1000))

    @property
    def inbox(self) -> FakeInbox:
        return inbox(self.channel)

    @property
    def messages(self) -> list[InboundMessage]:
        return self.inbox.messages

    def key(self) -> str:
        """A key that no message had yet, of digits as WeChat's are."""
        return str(next(self._keys))

    def call(self, words: str, key: str = "", *, age: float = 0.0) -> Call:
        """A message as the platform brings it."""
        return self.case.sign(self.case.message(words, key or self.key(), self.api), at=time.time() - age)

    async def post(self, call: Call) -> tuple[int, bytes]:
        """The status and the body of the answer, once the channel is done with the call."""
        async with self.http.post(
            self.url, params=dict(call.query), data=io.BytesIO(call.body), headers=dict(call.headers)
        ) as response:
            answered = response.status, await response.read()
        if not self.inbox.broken:  # else what was fetched is tried again for as long as it takes
            await self.case.settle(self.channel)
        return answered

    async def status(self, call: Call) -> int:
        """The status alone."""
        return (await self.post(call))[0]

    async def hear(self, words: str) -> InboundMessage:
        """A message that was taken."""
        before = len(self.messages)
        assert await self.status(self.call(words)) == 200
        assert len(self.messages) == before + 1
        return self.messages[-1]

    def reply(self, message: InboundMessage, text: str) -> OutboundMessage:
        """The answer to a message, as delivery hands it to the channel."""
        return OutboundMessage(
            id=1,
            turn="t1",
            conversation=message.conversation,
            recipient=message.sender,
            text=text,
            event=2,
            reply_to=message.key,
            context=message.context,
        )

    def storage(self, *, broken: bool) -> None:
        """From now on nothing can be stored, or all can again."""
        assert isinstance(self.site.record, Notes)
        self.site.record.broken = self.inbox.broken = broken

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        """The channel's routes, on a port of their own."""
        async with serving(self.channel.routes()) as url:
            self.url = f"{url}/channels/{NAME}{self.case.path}"
            try:
                yield
            finally:
                await self.channel.close()

    @asynccontextmanager
    async def restarted(self) -> AsyncIterator["World"]:
        """The hub as it is after the next start: a new channel over what was stored."""
        channel = load(self.case.kind)(self.channel.settings, self.site)
        world = World(self.case, self.api, self.http, self.site, channel, _keys=self._keys)
        async with world.serve():
            yield world


@asynccontextmanager
async def opened(case: Case) -> AsyncIterator[World]:
    """The world of one case."""
    api = Api()
    async with (
        aiohttp.ClientSession() as http,
        api.away,
    ):
        api.url = url = await api.away.enter_async_context(serving([web.route("*", "/{path:.*}", api.answer)]))
        site = fake_site(http, NAME, record=Notes())
        world = World(case, api, http, site, load(case.kind)(case.settings(url), site))
        async with world.serve():
            await case.begin(world)
            yield world


def cases() -> list[Case]:
    """Those of all kinds. Raises ModuleNotFoundError for a kind without any."""
    return [case for kind in KINDS for case in importlib.import_module(f"tests.channels.{kind}.case").CASES]
