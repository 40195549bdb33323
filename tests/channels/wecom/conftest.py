"""An application behind a real server, and WeCom on the other side."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from channels.simulators.pushes import Account
from channels.simulators.wecom import WeCom as Platform
from channels.simulators.wecom import account, message
from channels.wecom.channel import WeCom
from channels.wecom.settings import Settings
from config import Secret
from hub.message import OutboundMessage
from tests.channels.callback import AT, Warnings, outbound, serving
from tests.fakes import FakeInbox, fake_site

CORP, SECRET, TOKEN, KEY = "ww1234567890abcdef", "the-secret", "a-token", "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlk0"
AGENT, MEMBER = 1000002, "ZhangSan"


@dataclass
class World:
    """One application, its channel, and WeCom."""

    channel: WeCom
    wecom: Platform
    account: Account
    http: aiohttp.ClientSession
    inbox: FakeInbox
    warnings: Warnings

    def outbound(self, text: str, **more: Any) -> OutboundMessage:
        return outbound(self.channel.site, CORP, MEMBER, text, **more)


Make = Callable[..., Awaitable[World]]


def said(kind: str = "text", **fields: str) -> bytes:
    """Something that the member does."""
    return message(CORP, MEMBER, kind, at=AT, AgentID=str(AGENT), **fields)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes worlds."""
    async with AsyncExitStack() as stack:

        async def world(**changed: Any) -> World:
            warnings, http = Warnings(), await stack.enter_async_context(aiohttp.ClientSession())
            wecom = await stack.enter_async_context(Platform(CORP, SECRET, AGENT, clock=lambda: float(AT)))
            given: dict[str, Any] = {
                "corp_id": CORP,
                "agent_id": AGENT,
                "secret": Secret(SECRET),
                "token": Secret(TOKEN),
                "encoding_aes_key": Secret(KEY),
                "api_base": wecom.url,
            }
            settings = Settings(**(given | changed))
            site = fake_site(http, "staff", clock=lambda: datetime.fromtimestamp(AT, UTC), warn=warnings)
            channel = WeCom(settings, site)
            url = await stack.enter_async_context(serving(channel.routes()))
            side = account(settings, f"{url}/channels/staff", clock=lambda: float(AT))
            assert isinstance(site.inbox, FakeInbox)
            return World(channel, wecom, side, http, site.inbox, warnings)

        yield world
