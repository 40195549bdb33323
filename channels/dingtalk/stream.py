"""The stream connection: one that is read, and the next one before its end.

A link asks for an endpoint with a ticket (one use, 90 s), reads frames and answers each only when it is done
with. When DingTalk announces the end of a link it stops delivering over it at once, so the next link is opened
first, while the old one is still read. https://opensource.dingtalk.com/developerpedia/docs/learn/stream/protocol
"""

import asyncio
import platform
from collections.abc import Awaitable, Callable

import aiohttp
import structlog
from dingtalk_stream import AckMessage, CallbackMessage, EventMessage
from yarl import URL

from channels.dingtalk import frames
from channels.dingtalk.settings import HOSTS, Settings
from channels.kit.api import request
from channels.kit.connection import Backoff
from channels.kit.hosts import trusted
from hub.errors import ConfigError, DeliveryError, Faulty, NotStored, Refusal, Unreadable

log = structlog.get_logger()

Take = Callable[[str, object], Awaitable[None]]
"""Stores what came under a topic, a robot message or a press; raises Refusal and NotStored."""

AT_ONCE = 256
"""Frames of one link in work; more are read only when one of these is done."""
GRACE = 2.0
"""Seconds that frames in work have to be stored and acknowledged when a link ends."""


class Stream:
    """Keeps one link open until it is cancelled. `warn` is told what is wrong, "" when it is right again."""

    def __init__(
        self, settings: Settings, http: aiohttp.ClientSession, take: Take, *, warn: Callable[[str], None]
    ) -> None:
        self.settings = settings
        self.http = http
        self.take = take
        self.warn = warn
        self._backoff = Backoff(settings.reconnect_first, settings.reconnect_most)

    async def run(self) -> None:
        """Returns only by cancellation; then nothing of it is left running."""
        failures = 0
        async with asyncio.TaskGroup() as links:
            while True:
                link = Link(self)
                links.create_task(link.run())
                await link.over.wait()
                failures = 0 if link.steady else failures + 1
                if not (link.told and failures <= 1):
                    await asyncio.sleep(self._backoff.pause(max(failures, 1)))


class Link:
    """One connection. `over` is set when the next one is needed; `told` says that its end was announced."""

    def __init__(self, stream: Stream) -> None:
        self.over = asyncio.Event()
        self.told = False
        self._stream = stream
        self._settings = stream.settings
        self._opened = float("inf")
        self._work: set[asyncio.Task[None]] = set()
        self._limit = asyncio.timeout(None)

    @property
    def steady(self) -> bool:
        """Whether it lived for longer than the longest pause."""
        return asyncio.get_running_loop().time() - self._opened > self._settings.reconnect_most

    async def run(self) -> None:
        """Opens and reads the connection to its end; a failure of the network or of DingTalk is an end."""
        try:
            async with self._limit:
                await self._read(await open_endpoint(self._settings, self._stream.http))
            log.info("dingtalk stream ended")
        except (DeliveryError, ConfigError) as error:
            log.warning("dingtalk stream refused", reason=str(error))
            self._stream.warn(f"no stream connection to DingTalk: {error}")
        except (aiohttp.ClientError, OSError) as error:
            if not self.told:
                log.warning("dingtalk stream lost", error=type(error).__name__)
                self._stream.warn(f"no stream connection to DingTalk ({type(error).__name__})")
        finally:
            self.over.set()

    async def _read(self, url: URL) -> None:
        silence = self._settings.silence
        async with self._stream.http.ws_connect(
            url,
            heartbeat=silence / 1.5,  # aiohttp waits half of it for the pong: dead after `silence`
            timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
        ) as ws:
            self._opened = asyncio.get_running_loop().time()
            log.info("dingtalk stream open")
            self._stream.warn("")
            try:
                async for message in ws:
                    if message.type == aiohttp.WSMsgType.TEXT:
                        await self._begin(ws, message.data)
            finally:
                await self._finish()

    async def _begin(self, ws: aiohttp.ClientWebSocketResponse, raw: str) -> None:
        if len(self._work) >= AT_ONCE:
            await asyncio.wait(self._work, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._answer(ws, raw))
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("dingtalk frame failed", exc_info=error)

    async def _finish(self) -> None:
        """What is in work is stored and acknowledged while the connection is still there."""
        if self._work:
            _, late = await asyncio.wait(self._work, timeout=GRACE)
            for task in late:
                task.cancel()

    async def _answer(self, ws: aiohttp.ClientWebSocketResponse, raw: str) -> None:
        try:
            answer = await self._answer_to(*frames.read(raw))
            if answer is not None:
                await ws.send_str(answer)
        except Unreadable as error:
            log.warning("dingtalk frame unreadable", reason=str(error))
        except ConnectionError:
            log.info("dingtalk frame not acknowledged", reason="the connection is gone")

    async def _answer_to(self, frame: frames.Frame, data: str) -> str | None:
        """The acknowledgement; None where there must be none, so that DingTalk sends the message again."""
        topic = frame.headers.topic
        match frame:
            case CallbackMessage() if topic in (frames.TOPIC, frames.PRESSED):
                return await self._robot(frame, data)
            case CallbackMessage():
                return frames.acknowledge(frame, {}, AckMessage.STATUS_NOT_IMPLEMENT)
            case EventMessage():
                return frames.acknowledge(frame, {"status": "SUCCESS"})
            case _ if topic == "disconnect":
                self._leave()
                return None
            case _:  # a ping: its opaque comes back
                return frames.acknowledge(frame, frames.content(data))

    async def _robot(self, frame: CallbackMessage, data: str) -> str | None:
        try:
            await self._stream.take(frame.headers.topic, frames.content(data))
        except NotStored:
            log.exception("dingtalk message not stored", message=frame.headers.message_id)
            return None
        except Refusal as error:  # sent again it would be no better
            log.warning("dingtalk message refused", message=frame.headers.message_id, reason=str(error))
        return frames.acknowledge(frame, {"response": "OK"})

    def _leave(self) -> None:
        log.info("dingtalk stream will end")
        self.told = True
        self._limit.reschedule(asyncio.get_running_loop().time() + self._settings.leaving)
        self.over.set()


async def open_endpoint(settings: Settings, http: aiohttp.ClientSession) -> URL:
    """The address of a new connection with its ticket. Raises DeliveryError and ConfigError."""
    outcome = await request(
        http,
        "POST",
        settings.api_base.rstrip("/") + "/v1.0/gateway/connections/open",
        {
            "clientId": settings.client_id,
            "clientSecret": settings.client_secret.value,
            "subscriptions": frames.SUBSCRIPTIONS,
            "ua": f"agent-hub python/{platform.python_version()}",
            "localIp": "127.0.0.1",
        },
        timeout=settings.timeout,
    )
    if outcome.status in (400, 401, 403):
        raise ConfigError(f"client_id or client_secret is refused ({outcome.body.get('code', outcome.status)})")
    endpoint, ticket = outcome.body.get("endpoint"), outcome.body.get("ticket")
    if not isinstance(endpoint, str) or not isinstance(ticket, str):
        raise Faulty("the gateway named no endpoint", code=str(outcome.body.get("code", outcome.status)))
    if not trusted(endpoint, settings.api_base, HOSTS):
        raise Faulty("the gateway named an endpoint of a foreign host", code="endpoint")
    return URL(endpoint).update_query(ticket=ticket)
