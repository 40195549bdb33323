"""The sample shop as its customers meet it: a hub with one platform beside the web page, and the order system."""

import asyncio
import re
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port

from agent.models.scripted import Script, Scripted
from config import Config, load
from examples.orders.server import application
from examples.orders.store import Order, Orders
from hub import app
from hub.__main__ import kinds, tools
from tests.architecture.source import ROOT
from tests.bench.platforms import SIDES, Page, Robot, Side
from tests.bench.processes import HUB, MODEL, SECRETS

PATIENCE = 60.0
"""Seconds in which something must be read."""
TOOLS = re.compile(r"^\[agent\.tools\..*?(?=^\[(?!agent\.tools)|\Z)", re.MULTILINE | re.DOTALL)
"""What the configuration that comes along says of the order system."""
ORDERS = "http://127.0.0.1:8090"


class Visitors(Page):
    """People on the web page, who may say the same words twice."""

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        headers = {"Authorization": f"Bearer {self.tokens[person]}"}
        said = {"type": "message", "id": uuid.uuid4().hex, "text": words}
        async with http.post(f"{self.url}/messages", json=said, headers=headers) as response:
            return response.status


class StreamRobot(Robot):
    """A DingTalk robot that the hub holds a connection for."""

    section = Robot.section.replace("webhook", "stream")

    async def meet(self, http: aiohttp.ClientSession, stack: AsyncExitStack, people: list[str]) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.platform.gateway.until(1)

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        return 200 if await self.platform.gateway.push(self.platform.message(words, user=person)) else 0


@dataclass
class Heard:
    """What people read on one platform, each in order."""

    queues: defaultdict[str, asyncio.Queue[str]] = field(default_factory=lambda: defaultdict(asyncio.Queue))

    def read(self, person: str, text: str) -> None:
        """Somebody reads this."""
        self.queues[person].put_nowait(text)


CHANNELS: tuple[type[Side], ...] = tuple(Visitors if side is Page else side for side in SIDES)


@dataclass
class Shop:
    """`side` is the platform, `page` the web page beside it; `orders` what the order system holds."""

    side: Side
    page: Side
    http: aiohttp.ClientSession
    orders: Orders
    heard: dict[Side, Heard]
    hub: app.Hub
    model: Scripted | None

    async def ask(self, words: str, *, who: str = "lin", at: Side | None = None) -> str:
        """Somebody says something; what they read next."""
        side = at or self.side
        assert await side.say(self.http, who, words) == 200
        return await self.reads(who=who, at=side)

    async def reads(self, *, who: str = "lin", at: Side | None = None) -> str:
        """What somebody reads next."""
        async with asyncio.timeout(PATIENCE):
            return await self.heard[at or self.side].queues[who].get()

    async def link(self, *, who: str = "lin", other: str = "mei") -> None:
        """Somebody shows that they are also a visitor of the web page: what the code proves."""
        said = await self.ask("/link", who=other, at=self.page)
        code = re.search(r"/link (\w+)", said)
        assert code
        assert "绑定成功" in await self.ask(f"/link {code[1]}", who=who)

    async def ordered(self, product: str) -> list[Order]:
        """Orders of this product, whosever they are."""
        return await asyncio.to_thread(self.orders.all, product=product)


@asynccontextmanager
async def shop(
    folder: Path, kind: type[Side], monkeypatch: pytest.MonkeyPatch, *, script: Script | None = None, more: str = ""
) -> AsyncIterator[Shop]:
    """A hub with a channel of this kind and the web page; `more` is added to its configuration."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    async with AsyncExitStack() as stack:
        heard: dict[Side, Heard] = {}
        side = await _opened(stack, heard, kind)
        page = side if kind is Visitors else await _opened(stack, heard, Visitors)
        orders = await asyncio.to_thread(Orders, folder / "orders.db")
        system = TestServer(application(orders))
        await system.start_server()
        stack.push_async_callback(system.close)
        model = await stack.enter_async_context(Scripted(script)) if script else None
        file, port = folder / "hub.toml", unused_port()
        sides = {side.kind: side, page.kind: page}
        text = _configuration(port, list(sides.values()), model) + more
        await asyncio.to_thread(file.write_text, text.replace(ORDERS, str(system.make_url("")).rstrip("/")))
        hub = await stack.enter_async_context(app.open_hub(await asyncio.to_thread(_loaded, file)))
        await stack.enter_async_context(app._listening(hub))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for each in sides.values():
            await each.meet(http, stack, ["lin", "mei"])
        yield Shop(side, page, http, orders, heard, hub, model)


def _loaded(file: Path) -> Config:
    return load(file, kinds(), tools())


async def _opened(stack: AsyncExitStack, heard: dict[Side, Heard], kind: Callable[..., Side]) -> Side:
    mine = Heard()
    side = kind(mine.read)
    await side.open(stack)
    heard[side] = mine
    return side


def _configuration(port: int, sides: list[Side], model: Scripted | None) -> str:
    text = HUB.format(port=port).replace('"knowledge"', f'"{ROOT / "knowledge"}"')
    text += "\n".join(TOOLS.findall((ROOT / "hub.toml").read_text(encoding="utf-8")))
    text += MODEL.format(url=model.url) if model else ""
    for side in sides:
        base = f'api_base = "{side.api}"\n' if side.api else ""
        text += f'[channels.{side.kind}]\nkind = "{side.kind}"\n{base}{side.section}\n'
        side.url = f"http://127.0.0.1:{port}/channels/{side.kind}"
    return text
