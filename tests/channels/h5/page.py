"""A web page's side of the protocol, over both transports."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.channels.h5.desk import ORIGIN

Event = dict[str, Any]


class Socket:
    """A page over WebSocket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.events: list[Event] = []

    async def hello(self, visitor: str = "", identity: str = "", last_event: int = 0) -> Event:
        """Says hello; the answer to it."""
        await self.say({"type": "hello", "visitor": visitor, "identity": identity, "last_event": last_event})
        return await self.next()

    async def say(self, said: object) -> None:
        await self.ws.send_str(said if isinstance(said, str) else json.dumps(said))

    async def message(self, text: str, name: str = "m1") -> None:
        await self.say({"type": "message", "id": name, "text": text})

    async def next(self, kind: str = "") -> Event:
        """The next event, or the next of a kind."""
        while True:
            event: Event = json.loads(await self.ws.receive_str(timeout=5))
            self.events.append(event)
            if kind in ("", event["type"]):
                return event

    async def ask(self, text: str, name: str = "m1") -> Event:
        """Says it; the reply to it."""
        await self.message(text, name)
        while (reply := await self.next("reply"))["reply_to"] != name:
            pass
        return reply

    async def closed(self) -> int | None:
        """The code with which the hub ends the connection."""
        while True:
            frame = await self.ws.receive(timeout=5)
            if frame.type is aiohttp.WSMsgType.TEXT:
                self.events.append(json.loads(frame.data))
            else:
                return self.ws.close_code


@asynccontextmanager
async def socket(base: str, origin: str | None = ORIGIN, **headers: str) -> AsyncIterator[Socket]:
    """A handshake; raises aiohttp.WSServerHandshakeError."""
    given = headers | ({"Origin": origin} if origin else {})
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{base}/ws", headers=given) as ws:
        yield Socket(ws)


@asynccontextmanager
async def posting(origin: str | None = ORIGIN, token: str = "", **headers: str) -> AsyncIterator[aiohttp.ClientSession]:
    """What sends POSTs and reads streams as this visitor."""
    given = headers | ({"Origin": origin} if origin else {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    async with aiohttp.ClientSession(headers=given) as http:
        yield http


async def posted(http: aiohttp.ClientSession, base: str, said: object) -> tuple[int, Event]:
    """Status and event of one POST."""
    async with http.post(f"{base}/messages", json=said) as response:
        return response.status, await response.json()


async def streamed(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Event]]:
    """Ids and events of a stream."""
    number = ""
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("id: "):
            number = line[4:]
        elif line.startswith("data: "):
            yield number, json.loads(line[6:])
            number = ""


async def first(events: AsyncIterator[tuple[str, Event]], count: int) -> list[tuple[str, Event]]:
    """So many of them."""
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(count)]
