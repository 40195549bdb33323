"""The long connections of the simulated Feishu: tickets, frames, and their acknowledgements."""

import asyncio
import base64
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from aiohttp import web

from channels.feishu import frames
from channels.feishu.frames import CONTROL, DATA, Frame
from channels.simulators.feishu.events import Account

SERVICE = 33554678


@dataclass(frozen=True)
class Ack:
    """How an event was acknowledged: the code, what a person who clicked is to see, and how long it took."""

    code: int
    answer: Any
    seconds: float


class Gateway:
    """Gives tickets and holds connections. `at_once` ends every new connection; `mute` answers no ping."""

    def __init__(self, account: Account, *, happened: Callable[[], None], learn: Callable[[object], None]) -> None:
        self.account = account
        self.connections: dict[str, tuple[web.WebSocketResponse, asyncio.Transport | None]] = {}
        self.opened: list[float] = []
        self.count: Counter[str] = Counter()
        self.broken: list[str] = []
        self.at_once: Literal["", "clean", "abrupt"] = ""
        self.mute = False
        self.busy = False
        self.ping_interval = 120
        self.host = ""
        self._tickets: set[str] = set()
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._happened = happened
        self._learn = learn

    def routes(self) -> list[web.RouteDef]:
        """The endpoint, and the connections themselves."""
        return [web.post("/callback/ws/endpoint", self._endpoint), web.get("/ws/v2", self._connect)]

    def _client(self) -> dict[str, int]:
        return {"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 1, "PingInterval": self.ping_interval}

    async def _endpoint(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.busy:
            return web.json_response({"code": 1000040343, "msg": "internal error", "data": None})
        if (body.get("AppID"), body.get("AppSecret")) != (self.account.app_id, self.account.app_secret):
            return web.json_response({"code": 514, "msg": "authorization failed", "data": None})
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        url = f"ws://{self.host or request.host}/ws/v2?device_id=d1&service_id={SERVICE}&ticket={ticket}"
        return web.json_response({"code": 0, "msg": "", "data": {"URL": url, "ClientConfig": self._client()}})

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        self.opened.append(time.monotonic())
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            self.broken.append("a ticket that was used before, or never given out")
            raise web.HTTPForbidden
        self._tickets.discard(ticket)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.connections[ticket] = (ws, request.transport)
        self._happened()
        if self.at_once:
            await self.drop(how=self.at_once)
        try:
            async for message in ws:
                if message.type == aiohttp.WSMsgType.BINARY:
                    await self._heard(ws, frames.read(message.data))
        finally:
            self.connections.pop(ticket, None)
            self._happened()
        return ws

    async def _heard(self, ws: web.WebSocketResponse, frame: Frame) -> None:
        self.count[frame.header("type")] += 1
        self._happened()
        if not frame.control:
            waiting = self._waiting.get(frame.header("message_id"))
            if waiting and not waiting.done():
                waiting.set_result(frame)
        elif frame.header("type") == "ping" and not self.mute:
            pong = frames.write(CONTROL, SERVICE, {"type": "pong"}, json.dumps(self._client()).encode())
            await ws.send_bytes(pong)

    async def push(self, event: object, *, pieces: int = 1, within: float = 4.0, kind: str = "event") -> Ack | None:
        """Delivers an event over one of the connections; its acknowledgement, None when none came in time."""
        self._learn(event)
        name, data = uuid.uuid4().hex, json.dumps(event, ensure_ascii=False).encode()
        self._waiting[name] = asyncio.get_running_loop().create_future()
        began, size = time.monotonic(), -(-len(data) // pieces)
        ws, _ = random.choice(list(self.connections.values()))  # noqa: S311 — which of them is of no importance
        try:
            for number in range(pieces):
                headers = {"type": kind, "message_id": name, "sum": str(pieces), "seq": str(number), "trace_id": "t"}
                part = data[number * size : (number + 1) * size]
                await ws.send_bytes(frames.write(DATA, SERVICE, headers, part))
            async with asyncio.timeout(within):
                said = json.loads((await self._waiting[name]).payload)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            del self._waiting[name]
        answer = json.loads(base64.b64decode(said["data"])) if said.get("data") else None
        return Ack(said["code"], answer, time.monotonic() - began)

    async def drop(self, *, how: Literal["clean", "abrupt"] = "abrupt") -> None:
        """Ends all connections at once."""
        for ws, transport in list(self.connections.values()):
            if how == "clean":
                await ws.close()
            elif transport is not None:
                transport.abort()
