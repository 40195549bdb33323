"""The stream gateway of the simulated DingTalk: tickets, connections, frames, and their acknowledgements."""

import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from aiohttp import web

from channels.simulators.dingtalk.refusals import Refused

TOPIC = "/v1.0/im/bot/messages/get"
PRESSED = "/v1.0/card/instances/callback"
TICKET_SECONDS = 90


@dataclass
class Connection:
    """One WebSocket of a client. `leaving`: its end was announced, nothing more is delivered over it."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    opened: float
    leaving: bool = False
    closed: float = 0.0


@dataclass
class Gateway:
    """Gives tickets and holds connections. `at_once` ends every new connection; `mute` answers no ping of its own."""

    client_id: str
    secret: str
    tickets: dict[str, float] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    subscriptions: list[dict[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    opens: list[float] = field(default_factory=list)
    at_once: Literal["", "clean", "abrupt"] = ""
    autoping: bool = True
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    def open(self, body: dict[str, Any], host: str) -> dict[str, str]:
        """connections/open."""
        if (body.get("clientId"), body.get("clientSecret")) != (self.client_id, self.secret):
            raise Refused(401, "authFailed")
        self.subscriptions = body.get("subscriptions") or []
        ticket = f"{uuid.uuid4()}+/="
        self.tickets[ticket] = time.monotonic() + TICKET_SECONDS
        return {"endpoint": f"ws://{host}/connect", "ticket": ticket}

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """The WebSocket of one client, until it ends."""
        self.opens.append(time.monotonic())
        if self.tickets.pop(request.query.get("ticket", ""), 0.0) < time.monotonic():
            self.broken.append("a ticket that was used before, or never given out")
            raise web.HTTPUnauthorized
        ws = web.WebSocketResponse(autoping=self.autoping)
        await ws.prepare(request)
        here = Connection(ws, request.transport, time.monotonic())
        if self.at_once:
            await self.drop(here, how=self.at_once)
            return ws
        self.connections.append(here)
        self._tell()
        try:
            async for message in ws:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            here.closed = time.monotonic()
            self._tell()
        return ws

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    @property
    def live(self) -> list[Connection]:
        """Connections over which messages are delivered."""
        return [c for c in self.connections if not c.closed and not c.leaving]

    async def until(self, live: int, *, opens: int = 0) -> None:
        """Waits until so many connections are live, and at least so many were opened since the start."""
        while len(self.live) != live or len(self.opens) < opens:
            await self.changed.wait()

    def _acknowledged(self, text: str) -> None:
        try:
            ack = json.loads(text)
            waiting = self._waiting[ack["headers"]["messageId"]]
        except (ValueError, KeyError, TypeError):
            self.broken.append("an acknowledgement for no frame")
            return
        if not waiting.done():
            waiting.set_result(ack)

    async def frame(self, kind: str, topic: str, data: str, *, within: float = 4.0) -> dict[str, Any] | None:
        """Sends a frame over one of the live connections; its acknowledgement, None when none came in time."""
        name = uuid.uuid4().hex
        headers = {"messageId": name, "topic": topic, "contentType": "application/json", "time": "1700000000000"}
        self._waiting[name] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                while not self.live:
                    await self.changed.wait()
                here = random.choice(self.live)  # noqa: S311 — which of them is of no importance
                await here.ws.send_json({"specVersion": "1.0", "type": kind, "headers": headers, "data": data})
                return await self._waiting[name]
        except (TimeoutError, ConnectionError):
            return None
        finally:
            del self._waiting[name]

    async def push(self, message: object, *, topic: str = TOPIC, within: float = 4.0) -> dict[str, Any] | None:
        """Delivers a robot message, or what else comes under a topic; None also where nobody subscribed to that."""
        if self.live and topic not in [asked["topic"] for asked in self.subscriptions]:
            return None
        return await self.frame("CALLBACK", topic, json.dumps(message, ensure_ascii=False), within=within)

    async def announce_end(self) -> None:
        """Tells every client that its connection will end, and delivers no more over it."""
        for here in self.live:
            here.leaving = True
            data = json.dumps({"reason": "connection is expired"})
            await here.ws.send_json({"type": "SYSTEM", "headers": {"topic": "disconnect"}, "data": data})
        self._tell()

    async def drop(self, here: Connection, *, how: Literal["clean", "abrupt"] = "abrupt") -> None:
        """Ends a connection at once."""
        if how == "clean":
            await here.ws.close()
        elif here.transport is not None:
            here.transport.abort()
