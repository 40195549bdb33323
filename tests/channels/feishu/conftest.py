"""A simulated Feishu on loopback, and the channel that talks to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, cast

import aiohttp
import hypothesis
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.feishu.channel import Feishu
from channels.simulators.feishu import Account, Platform, Shown
from hub.message import InboundMessage, OutboundMessage
from hub.web import errors
from tests.channels.feishu.messages import ACCOUNT, settings
from tests.fakes import FakeInbox, FakeRecord, fake_site

hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no fault of an example
hypothesis.settings.load_profile("unhurried")


@dataclass
class World:
    """The platform, and the channel with what it stands on, behind a hub of its own at `url`."""

    platform: Platform
    channel: Feishu
    http: aiohttp.ClientSession
    url: str
    warnings: dict[str, str] = field(default_factory=dict)

    @property
    def inbox(self) -> FakeInbox:
        return cast(FakeInbox, self.channel.site.inbox)

    @property
    def record(self) -> FakeRecord:
        return cast(FakeRecord, self.channel.site.record)

    async def post(self, event: dict[str, Any], *, age: float = 0.0) -> tuple[int, Any]:
        """Feishu calls the hub back."""
        return await self.platform.post(self.http, self.url, event, age=age)

    async def raw(self, body: bytes, headers: dict[str, str]) -> int:
        """Somebody calls the hub."""
        async with self.http.post(self.url, data=body, headers=headers) as response:
            return response.status

    async def ask(self, text: str = "在吗", **fields: Any) -> InboundMessage:
        """Somebody writes; the message as the hub takes it."""
        status, _ = await self.post(self.platform.account.message(text, **fields))
        assert status == 200
        return self.inbox.messages[-1]

    def answer(self, message: InboundMessage, text: str = "答案", **fields: Any) -> OutboundMessage:
        """The reply to a message, as the gateway would give it to the channel."""
        return OutboundMessage(
            **{"id": 7, "turn": "t1", "event": 2, **fields},
            conversation=message.conversation,
            recipient=message.sender,
            text=text,
            reply_to=message.key,
            context=message.context,
        )

    async def until(self, fact: Callable[[], object]) -> None:
        """Waits until something is so on the platform's side."""
        async with asyncio.timeout(20):
            await self.platform.until(fact)

    @property
    def shown(self) -> list[Shown]:
        return self.platform.shown


Make = Callable[..., Awaitable[World]]


@pytest.fixture
async def world() -> AsyncIterator[Make]:
    """Makes a world with these settings; all of it ends with the test."""
    async with AsyncExitStack() as stack:

        async def serve(app: web.Application) -> str:
            server = TestServer(app)
            await server.start_server()
            stack.push_async_callback(server.close)
            return str(server.make_url("")).rstrip("/")

        async def make(account: Account = ACCOUNT, *, limits: bool = True, **changed: Any) -> World:
            platform = Platform(replace(account), limits=limits)
            base = await serve(platform.app())
            http = await stack.enter_async_context(aiohttp.ClientSession())
            warnings = dict[str, str]()
            site = fake_site(http, "fs", warn=warnings.__setitem__)
            quick = {"reconnect_first": 0.05, "reconnect_most": 0.2, "card_interval": 0.03}
            channel = Feishu(settings(account, api_base=base, **{**quick, **changed}), site)
            app = web.Application(middlewares=[errors])
            app.add_routes(channel.routes())
            url = await serve(app) + "/channels/fs"
            return World(platform, channel, http, url, warnings)

        yield make
