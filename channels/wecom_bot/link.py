"""The long connection: subscribed, pinged, opened again when it is lost, and given up when another one took over.

Frames are JSON: {cmd, headers: {req_id}, body}; an acknowledgement has no cmd and the req_id of what it answers. One
frame with the same req_id is under way at a time. https://developer.work.weixin.qq.com/document/path/101463
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal
from weakref import WeakValueDictionary

import aiohttp
import structlog

from channels.kit.connection import Backoff
from channels.wecom_bot.settings import Settings
from hub.errors import Faulty, Unknown

log = structlog.get_logger()

Frame = Mapping[str, Any]
Take = Callable[[str, object], Awaitable[None]]
"""Is given a req_id and the body of a callback; raises nothing."""
End = Literal["lost", "refused", "displaced"]

MISSED = 2
"""Pings without an answer that mean that the connection is dead."""
AT_ONCE = 256
GRACE = 2.0
"""Seconds that callbacks in work have to be stored when the connection ends."""
REFUSED_PAUSE = 300.0
"""Seconds between two tries with a secret that was refused: WeCom bans the address of who tries too often."""


class Link:
    """The one connection of a bot. `warn` is told what is wrong, "" when it is right again."""

    def __init__(
        self, settings: Settings, http: aiohttp.ClientSession, take: Take, *, warn: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._http = http
        self._take = take
        self._warn = warn
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._acks: dict[str, asyncio.Future[int]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._work: set[asyncio.Task[None]] = set()
        self._displaced = False

    async def run(self) -> None:
        """Returns when another connection of this bot took over; else only by cancellation."""
        backoff = Backoff(self._settings.reconnect_first, self._settings.reconnect_most)
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            end = await self._once()
            if end == "displaced":
                log.error("wecom bot displaced")
                self._warn("another connection of this bot took over; stop that one, then restart this hub")
                return
            steady = loop.time() - began > self._settings.reconnect_most
            failures = 1 if steady else failures + 1
            await asyncio.sleep(REFUSED_PAUSE if end == "refused" else backoff.pause(failures))

    async def _once(self) -> End:
        """One connection from its beginning to its end."""
        self._displaced = False
        try:
            async with self._http.ws_connect(
                self._settings.ws_url, timeout=aiohttp.ClientWSTimeout(ws_close=1.0), max_msg_size=4 << 20
            ) as ws:
                return await self._hold(ws)
        except (aiohttp.ClientError, OSError) as error:
            log.warning("wecom bot connection lost", error=type(error).__name__)
            self._warn(f"no connection to WeCom ({type(error).__name__})")
            return "displaced" if self._displaced else "lost"

    async def _hold(self, ws: aiohttp.ClientWebSocketResponse) -> End:
        reading = asyncio.create_task(self._read(ws))
        pinging: asyncio.Task[None] | None = None
        try:
            if not await self._subscribed(ws):
                return "refused"
            pinging = asyncio.create_task(self._ping(ws))
            await asyncio.wait((reading,))  # not awaited itself: a cancellation must not end it before the rest
            reading.result()
        except (Faulty, Unknown):
            log.warning("wecom bot not subscribed")
        finally:
            self._ws = None
            await self._finish()
            tasks = [task for task in (reading, pinging) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._lose()
        return "displaced" if self._displaced else "lost"

    async def _subscribed(self, ws: aiohttp.ClientWebSocketResponse) -> bool:
        settings = self._settings
        body = {"bot_id": settings.bot_id, "secret": settings.secret.value if settings.secret else ""}
        code = await self._exchange(ws, "aibot_subscribe", body, f"aibot_subscribe_{uuid.uuid4().hex}")
        if code:
            log.error("wecom bot refused", code=code)
            self._warn(f"WeCom refuses bot_id or secret (errcode {code})")
            return False
        log.info("wecom bot connected")
        self._warn("")
        self._ws = ws
        return True

    async def _ping(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Closes a connection that stopped answering."""
        missed = 0
        while missed < MISSED:
            await asyncio.sleep(self._settings.ping_seconds)
            try:
                await self._exchange(ws, "ping", None, f"ping_{uuid.uuid4().hex}")
                missed = 0
            except Unknown:
                missed += 1
            except Faulty:
                break
        log.warning("wecom bot connection is dead")
        await ws.close()

    # -- what comes in

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            if message.type == aiohttp.WSMsgType.TEXT:
                await self._sort(message.data)
                if self._displaced:
                    return
        self._lose()

    async def _sort(self, raw: str) -> None:
        """An acknowledgement goes to who waits for it, a callback into work of its own."""
        try:
            frame = json.loads(raw)
            name, cmd, body = str(frame["headers"]["req_id"]), frame.get("cmd") or "", frame.get("body")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            log.warning("wecom bot frame unreadable")
            return
        if cmd in ("aibot_msg_callback", "aibot_event_callback"):
            if _event(body) == "disconnected_event":
                self._displaced = True
            else:
                await self._begin(name, body)
        elif (waiting := self._acks.get(name)) and not waiting.done():
            code = frame.get("errcode", 0)
            waiting.set_result(code if isinstance(code, int) else -1)

    async def _begin(self, name: str, body: object) -> None:
        if len(self._work) >= AT_ONCE:
            await asyncio.wait(self._work, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._taken(name, body))
        self._work.add(task)
        task.add_done_callback(self._done)

    async def _taken(self, name: str, body: object) -> None:
        await self._take(name, body)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("wecom bot frame failed", exc_info=error)

    async def _finish(self) -> None:
        if self._work:
            _, late = await asyncio.wait(self._work, timeout=GRACE)
            for task in late:
                task.cancel()

    def _lose(self) -> None:
        """Nothing that was under way is acknowledged any more."""
        for waiting in self._acks.values():
            if not waiting.done():
                waiting.set_exception(Unknown("the connection was lost", code="connection"))

    # -- what goes out

    async def call(self, cmd: str, body: object, *, req: str = "") -> int:
        """Sends a frame; the errcode of its acknowledgement. Raises Faulty (not sent) and Unknown (no answer)."""
        if self._ws is None:
            raise Faulty("not connected", code="connection", after=2.0)
        return await self._exchange(self._ws, cmd, body, req or f"{cmd}_{uuid.uuid4().hex}")

    async def _exchange(self, ws: aiohttp.ClientWebSocketResponse, cmd: str, body: object, req: str) -> int:
        frame: dict[str, object] = {"cmd": cmd, "headers": {"req_id": req}}
        if body is not None:
            frame["body"] = body
        turn = self._turns.setdefault(req, asyncio.Lock())
        async with turn:
            waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._acks[req] = waiting
            try:
                await ws.send_str(json.dumps(frame, ensure_ascii=False))
                async with asyncio.timeout(self._settings.ack_seconds):
                    return await waiting
            except ConnectionError:
                raise Faulty("the connection is gone", code="connection", after=2.0) from None
            except TimeoutError:
                raise Unknown("no acknowledgement", code="no_ack") from None
            finally:
                del self._acks[req]


def _event(body: object) -> object:
    event = body.get("event") if isinstance(body, dict) else None
    return event.get("eventtype") if isinstance(event, dict) else None
