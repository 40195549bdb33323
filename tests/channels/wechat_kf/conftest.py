"""Customer service behind a real server, and WeCom on the other side."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from channels.simulators.pushes import Account
from channels.simulators.wechat_kf import Entry, Service, account, entry, ring
from channels.wechat_kf.channel import CustomerService
from channels.wechat_kf.settings import Settings
from config import Secret
from hub.message import InboundMessage, OutboundMessage
from tests.channels.callback import AT, Warnings, outbound, serving
from tests.fakes import FakeInbox, FakeRecord, fake_site

CORP, SECRET, TOKEN, KEY = "wwkf00000000000001", "the-secret", "a-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
DESK, CUSTOMER = "wkDESK", "wmCUSTOMER"


@dataclass
class World:
    """One customer service, its channel, and WeCom."""

    channel: CustomerService
    service: Service
    account: Account
    http: aiohttp.ClientSession
    inbox: FakeInbox
    record: FakeRecord
    warnings: Warnings

    def outbound(self, text: str, **more: Any) -> OutboundMessage:
        return outbound(self.channel.site, DESK, CUSTOMER, text, **more)

    @property
    def asked(self) -> list[str]:
        """The words that the agent is asked."""
        return [message.text for message in self.inbox.messages if message.addressed]

    def message(self, key: str) -> InboundMessage:
        """The message that was stored under a key."""
        return next(message for message in self.inbox.messages if message.key == key)

    async def fetch(self, *pages: list[Entry], desk: str = DESK) -> None:
        """Messages wait at the desk, the bell rings, and all is fetched."""
        self.service.wait(desk, *pages)
        assert (await ring(self.http, self.account, desk)).statuses == [200]
        await self.idle()

    async def idle(self) -> None:
        """Returns when nothing is being fetched."""
        while tasks := list(self.channel._desks._tasks.values()):
            await tasks[0]


Make = Callable[..., Awaitable[World]]


def said(text: str = "", **changed: Any) -> Entry:
    """Something that the customer says."""
    return entry(DESK, CUSTOMER, text, at=AT, **changed)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes worlds; `record` is what an earlier process left."""
    async with AsyncExitStack() as stack:

        async def world(*, record: FakeRecord | None = None, service: Service | None = None, **changed: Any) -> World:
            warnings, http = Warnings(), await stack.enter_async_context(aiohttp.ClientSession())
            if service is None:
                service = await stack.enter_async_context(Service(CORP, SECRET, clock=lambda: float(AT)))
            given: dict[str, Any] = {
                "corp_id": CORP,
                "secret": Secret(SECRET),
                "token": Secret(TOKEN),
                "encoding_aes_key": Secret(KEY),
                "api_base": service.url,
            }
            settings, record = Settings(**(given | changed)), record or FakeRecord()
            clock = lambda: datetime.fromtimestamp(AT, UTC)  # noqa: E731 — shorter than a function
            site = fake_site(http, "kf", clock=clock, warn=warnings, record=record)
            channel = CustomerService(settings, site)
            stack.push_async_callback(channel.close)
            url = await stack.enter_async_context(serving(channel.routes()))
            side = account(settings, f"{url}/channels/kf", clock=lambda: float(AT))
            assert isinstance(site.inbox, FakeInbox)
            return World(channel, service, side, http, site.inbox, record, warnings)

        yield world
