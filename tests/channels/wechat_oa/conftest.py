"""An account behind a real server, and WeChat on the other side."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from channels.simulators.pushes import Account
from channels.simulators.wechat_oa import WeChat, account
from channels.wechat_oa.channel import OfficialAccount
from channels.wechat_oa.settings import Settings
from config import Secret
from hub.message import OutboundMessage
from tests.channels.callback import AT, Warnings, outbound, serving
from tests.fakes import FakeInbox, fake_site

APP_ID, SECRET, TOKEN, KEY = (
    "wx1234567890abcdef",
    "the-app-secret",
    "a-token",
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
)
OPENID = "oABCDEFGHIJKLMNOPQRSTUVWXYZ0"


@dataclass
class World:
    """One account, its channel, and WeChat."""

    channel: OfficialAccount
    wechat: WeChat
    account: Account
    http: aiohttp.ClientSession
    inbox: FakeInbox
    warnings: Warnings

    def answer(self, text: str, *, to: int = -1) -> None:
        """The agent's answer to one of the messages that were accepted."""
        ticket = list(self.inbox.tickets.values())[to]
        ticket.answer.set_result(self.outbound(text))

    def outbound(self, text: str, **more: Any) -> OutboundMessage:
        return outbound(self.channel.site, APP_ID, OPENID, text, **more)


Make = Callable[..., Awaitable[World]]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes worlds; WeChat waits 0.6 seconds in them, and the hub answers within 0.3."""
    async with AsyncExitStack() as stack:

        async def world(**changed: Any) -> World:
            warnings, http = Warnings(), await stack.enter_async_context(aiohttp.ClientSession())
            wechat = await stack.enter_async_context(WeChat(APP_ID, SECRET, clock=lambda: float(AT)))
            given: dict[str, Any] = {
                "app_id": APP_ID,
                "app_secret": Secret(SECRET),
                "token": Secret(TOKEN),
                "push": False,
                "api_base": wechat.url,
                "answer_within": 0.3,
                "cut": 0.6,
                "typing_after": 0.05,
            }
            settings = Settings(**(given | changed))
            site = fake_site(http, "oa", clock=lambda: datetime.fromtimestamp(AT, UTC), warn=warnings)
            channel = OfficialAccount(settings, site)
            stack.push_async_callback(channel.close)
            url = await stack.enter_async_context(serving(channel.routes()))
            side = account(settings, f"{url}/channels/oa", clock=lambda: float(AT))
            assert isinstance(site.inbox, FakeInbox)
            return World(channel, wechat, side, http, site.inbox, warnings)

        yield world
