"""The channel on loopback, and a simulated WeCom in front of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.simulators.wecom_bot import Answered, Caller, Gateway
from channels.wecom_bot.channel import WecomBot
from channels.wecom_bot.payload import stream_id
from channels.wecom_bot.settings import Settings
from config import Secret
from hub.channel import Live
from hub.errors import NotStored, Refusal
from hub.message import InboundMessage, OutboundMessage, Receipt
from tests.fakes import FakeInbox, FakeTicket, fake_site

TOKEN, KEY = "bot-token", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
QUICK: dict[str, Any] = {
    "poll_patience": 0.3,
    "silence_patience": 0.2,
    "reconnect_first": 0.02,
    "reconnect_most": 0.1,
    "stream_interval": 0.02,
    "ack_seconds": 1.0,
}


def settings(**changed: Any) -> Settings:
    """A bot with a callback, whose patience is short."""
    keys = {"kind": "wecom_bot", "token": Secret(TOKEN), "encoding_aes_key": Secret(KEY)}
    return Settings.model_validate({**keys, **QUICK, **changed})


@web.middleware
async def statuses(request: web.Request, handler: Any) -> web.StreamResponse:
    """What the hub makes of errors."""
    try:
        response: web.StreamResponse = await handler(request)
    except Refusal as refusal:
        return web.Response(status=refusal.status)
    except NotStored:
        return web.Response(status=503)
    return response


@dataclass
class World:
    """A channel, what it stands on, and WeCom. `late` is how far the hub's clock is ahead."""

    channel: WecomBot
    http: aiohttp.ClientSession
    caller: Caller
    gateway: Gateway
    warnings: dict[str, str] = field(default_factory=dict)
    late: timedelta = timedelta()
    warned: asyncio.Event = field(default_factory=asyncio.Event)

    def warn(self, key: str, text: str) -> None:
        self.warnings[key] = text
        self.warned.set()

    @property
    def inbox(self) -> FakeInbox:
        return cast(FakeInbox, self.channel.site.inbox)

    def ticket(self, message: InboundMessage) -> FakeTicket:
        place = message.conversation
        return self.inbox.tickets[(place.channel, place.account, message.key)]

    def restarted(self) -> None:
        """The hub was lost and is there again, with its journal."""
        self.channel = WecomBot(self.channel.settings, self.channel.site)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The channel's callback."""
        routes = [route for route in self.channel.routes() if isinstance(route, web.RouteDef)]
        handler = next(route.handler for route in routes if route.method == request.method)
        response: web.StreamResponse = await handler(request)
        return response

    async def call(self, callback: object) -> Answered:
        return await self.caller.call(self.http, callback)

    async def poll(self, stream: str, **who: str) -> dict[str, Any]:
        return await self.caller.poll(self.http, stream, **who)

    async def until_finished(self, stream: str, **who: str) -> dict[str, Any]:
        """Polls as WeCom does."""
        async with asyncio.timeout(20):
            while not (state := await self.poll(stream, **who))["finish"]:  # noqa: ASYNC110 — WeCom polls
                await asyncio.sleep(0.02)
        return state

    async def live(self, message: InboundMessage) -> Live:
        """The reply that grows, as a turn opens it."""
        live = await self.channel.live(message)
        assert live is not None
        assert live.handle == stream_id(message.key)
        return live

    def sending(self, message: InboundMessage, text: str = "答案", **more: Any) -> asyncio.Task[Receipt]:
        """The answer, as delivery sends it."""
        known = {"reply_to": message.key, "context": message.context}
        answer = OutboundMessage(1, "t1", message.conversation, message.sender, text, 2, **{**known, **more})
        return asyncio.create_task(self.channel.send(answer))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncio.Task[None]]:
        """The long connection, subscribed."""
        self.warned.clear()
        task = asyncio.create_task(self.channel.run())
        try:
            async with asyncio.timeout(20):
                await self.warned.wait()
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.channel.close()


Make = Callable[..., Awaitable[World]]


@pytest.fixture
async def world() -> AsyncIterator[Make]:
    """Makes a world with these settings; all of it ends with the test."""
    async with AsyncExitStack() as stack:

        async def served(app: web.Application) -> str:
            server = TestServer(app)
            await server.start_server()
            stack.push_async_callback(server.close)
            return str(server.make_url("")).rstrip("/")

        async def make(**changed: Any) -> World:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            caller, gateway = Caller("", TOKEN, KEY), Gateway("BOT", "bot-secret")
            caller.base = await served(caller.app())
            ws_url = (await served(gateway.app())).replace("http", "ws")
            site = fake_site(http, "bot")
            channel = WecomBot(settings(**{"api_base": caller.base, "ws_url": ws_url, **changed}), site)
            w = World(channel, http, caller, gateway)
            object.__setattr__(site, "clock", lambda: datetime.now(UTC) + w.late)
            object.__setattr__(site, "warn", w.warn)
            app = web.Application(middlewares=[statuses])
            app.add_routes([web.route("*", "/channels/bot", w.answer)])
            caller.url = f"{await served(app)}/channels/bot"
            return w

        yield make


@pytest.fixture
async def bot(world: Make) -> World:
    """A bot with a callback."""
    return await world()


@pytest.fixture
async def linked(world: Make) -> World:
    """A bot with a long connection."""
    return await world(transport="websocket", bot_id="BOT", secret=Secret("bot-secret"))
