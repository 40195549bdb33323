"""WeCom's end of the long connection: one connection a bot, acknowledgements, streams that expire."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

INVALID_REQ, EXPIRED, REFUSED, TOO_LONG = 846605, 846608, 853000, 40058
STREAM_BYTES = 20_480


@dataclass
class Shown:
    """A stream: its states in order."""

    states: list[str] = field(default_factory=list)
    finished: bool = False


@dataclass
class Gateway:
    """Serves wss://openws.work.weixin.qq.com for one bot. `mute` stops acknowledging, `at_once` ends connections."""

    bot_id: str
    secret: str
    stream_seconds: float = 360.0
    clock: Callable[[], float] = time.time
    streams: dict[str, Shown] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    """(chatid, content) of messages of their own."""
    welcomes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    opens: list[float] = field(default_factory=list)
    pings: int = 0
    mute: bool = False
    at_once: bool = False
    errcodes: dict[str, int] = field(default_factory=dict)
    """cmd → what it is answered with."""
    show: Callable[[str], None] = lambda text: None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    current: web.WebSocketResponse | None = None
    _asked: dict[str, float] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.add_routes([web.get("/", self._connect)])
        return app

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.opens.append(time.monotonic())
        self._tell()
        if self.at_once:
            await ws.close()
            return ws
        try:
            async for message in ws:
                if message.type == aiohttp.WSMsgType.TEXT:
                    await self._frame(ws, json.loads(message.data))
        finally:
            if self.current is ws:
                self.current = None
            self._tell()
        return ws

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def until(self, true: Callable[[], object]) -> None:
        """Waits until something of this is true."""
        while not true():
            await self.changed.wait()

    async def _frame(self, ws: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        cmd, req, body = frame.get("cmd", ""), frame["headers"]["req_id"], frame.get("body") or {}
        if req in self._busy:
            self.broken.append(f"two frames with one req_id at a time: {cmd}")
        if self.mute:
            return
        code = self.errcodes.get(cmd) or await self._done(ws, cmd, req, body)
        self._busy.add(req)
        await asyncio.sleep(0)
        self._busy.discard(req)
        await ws.send_json({"headers": {"req_id": req}, "errcode": code, "errmsg": "ok" if code == 0 else "refused"})
        if cmd == "aibot_subscribe" and code:
            await ws.close()
        self._tell()

    async def _done(self, ws: web.WebSocketResponse, cmd: str, req: str, body: dict[str, Any]) -> int:
        match cmd:
            case "aibot_subscribe":
                return await self._subscribe(ws, body)
            case "ping":
                self.pings += 1
                return 0
            case "aibot_respond_msg":
                return self._stream(req, body.get("stream") or {})
            case "aibot_send_msg":
                return self._send(str(body.get("chatid", "")), (body.get("markdown") or {}).get("content", ""))
            case "aibot_respond_welcome_msg":
                self.welcomes.append((body.get("text") or {}).get("content", ""))
                return 0 if req in self._asked else INVALID_REQ
            case _:
                self.broken.append(f"unknown cmd {cmd}")
                return 40058

    async def _subscribe(self, ws: web.WebSocketResponse, body: dict[str, Any]) -> int:
        if (body.get("bot_id"), body.get("secret")) != (self.bot_id, self.secret):
            return REFUSED
        if self.current is not None:
            await self.displace()
        self.current = ws
        return 0

    async def displace(self) -> None:
        """Another connection of the bot takes over."""
        if self.current is not None:
            old, self.current = self.current, None
            await self._push(
                old, "aibot_event_callback", {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
            )
            self._tell()

    def _stream(self, req: str, stream: dict[str, Any]) -> int:
        if req not in self._asked:
            return INVALID_REQ
        if self.clock() - self._asked[req] > self.stream_seconds:
            return EXPIRED
        content = str(stream.get("content", ""))
        if len(content.encode()) > STREAM_BYTES:
            return TOO_LONG
        shown = self.streams.setdefault(str(stream.get("id")), Shown())
        if shown.finished and not stream.get("finish"):
            self.broken.append("a finished stream was changed")
        shown.states.append(content)
        shown.finished = bool(stream.get("finish"))
        if shown.finished:
            self.show(content)
        return 0

    def _send(self, chat: str, content: str) -> int:
        if not chat or not content or len(content.encode()) > STREAM_BYTES:
            return 40058
        self.sent.append((chat, content))
        self.show(content)
        return 0

    async def say(self, body: dict[str, Any], *, req: str = "") -> str:
        """Tells the bot something; the req_id under which it may answer."""
        req = req or secrets.token_hex(8)
        self._asked[req] = self.clock()
        await self.until(lambda: self.current)
        cmd = "aibot_event_callback" if body.get("msgtype") == "event" else "aibot_msg_callback"
        if self.current is not None:
            await self._push(self.current, cmd, body, req)
        return req

    async def _push(self, ws: web.WebSocketResponse, cmd: str, body: dict[str, Any], req: str = "x") -> None:
        await ws.send_json({"cmd": cmd, "headers": {"req_id": req}, "body": body})
