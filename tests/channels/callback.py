"""A channel behind a real server, with the statuses that the hub gives, and a site of fakes underneath."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from hub.channel import Channel, Site
from hub.message import Conversation, OutboundMessage
from hub.person import Identity
from hub.web import errors
from tests.fakes import FakeInbox, FakeRecord

AT = 1_700_000_000
"""What every clock of these tests shows."""


def inbox(channel: Channel[Any]) -> FakeInbox:
    """The fake below a channel."""
    assert isinstance(channel.site.inbox, FakeInbox)
    return channel.site.inbox


def record(channel: Channel[Any]) -> FakeRecord:
    """The fake below a channel."""
    assert isinstance(channel.site.record, FakeRecord)
    return channel.site.record


class Warnings:
    """What a channel warned of, by key."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}

    def __call__(self, key: str, text: str) -> None:
        if text:
            self.shown[key] = text
        else:
            self.shown.pop(key, None)


async def until(ready: Callable[[], bool]) -> None:
    """Returns once `ready` holds; the test's own timeout ends what never comes."""
    while not ready():  # noqa: ASYNC110 — what it looks at has no event
        await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(routes: Iterable[web.AbstractRouteDef], *, port: int = 0) -> AsyncIterator[str]:
    """A server with these routes; yields its address."""
    app = web.Application(middlewares=[errors])
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def outbound(site: Site, account: str, user: str, text: str, **more: Any) -> OutboundMessage:
    """A message to one person, in private."""
    message = OutboundMessage(
        id=1,
        turn="t1",
        conversation=Conversation(site.name, account, user),
        recipient=Identity(site.name, account, user),
        text=text,
        event=2,
    )
    return replace(message, **more)
