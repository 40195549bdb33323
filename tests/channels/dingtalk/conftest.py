"""A simulated DingTalk on loopback, and the channel that talks to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from channels.dingtalk.channel import DingTalk
from channels.simulators.dingtalk import Platform
from hub.channel import Site
from tests.channels.dingtalk.messages import ROBOT, SECRET, settings
from tests.fakes import FakeInbox, FakeRecord, fake_site


@dataclass
class World:
    """The platform, and the channel with what it stands on."""

    platform: Platform
    channel: DingTalk
    http: aiohttp.ClientSession
    warnings: dict[str, str] = field(default_factory=dict)
    warned: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def inbox(self) -> FakeInbox:
        return cast(FakeInbox, self.channel.site.inbox)

    @property
    def record(self) -> FakeRecord:
        return cast(FakeRecord, self.channel.site.record)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """The channel's long connection, live."""
        task = asyncio.create_task(self.channel.run())
        try:
            async with asyncio.timeout(20):
                await self.platform.gateway.until(1)
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


Make = Callable[..., Awaitable[World]]


@pytest.fixture
async def world() -> AsyncIterator[Make]:
    """Makes a world with these settings; all of it ends with the test."""
    async with AsyncExitStack() as stack:

        async def make(**changed: Any) -> World:
            platform = Platform(ROBOT, SECRET, template="template", card_seconds=0.01)
            server = TestServer(platform.app())
            await server.start_server()
            stack.push_async_callback(server.close)
            platform.base = str(server.make_url("")).rstrip("/")
            http = await stack.enter_async_context(aiohttp.ClientSession())
            warnings, warned = dict[str, str](), asyncio.Event()

            def warn(key: str, text: str) -> None:
                warnings[key] = text
                warned.set()

            site: Site = fake_site(http, "dd", warn=warn)
            quick = {"reconnect_first": 0.05, "reconnect_most": 0.2, "card_interval": 0.03}
            channel = DingTalk(
                settings(api_base=platform.base, directory_base=platform.base, **{**quick, **changed}), site
            )
            return World(platform, channel, http, warnings, warned)

        yield make
