"""The long connection: one that is read, opened again with patience, and acknowledged only when a message is stored.

https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/request-url-configuration-case
The endpoint gives an address with a ticket for one connection, and says how often to ping. Feishu gives each event to
one of an app's connections and repeats what is not acknowledged.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from pydantic import BaseModel, Field, ValidationError
from yarl import URL

from channels.feishu import frames
from channels.feishu.envelope import parse
from channels.feishu.frames import Frame, Pieces
from channels.feishu.settings import HOSTS, Settings
from channels.kit.api import request
from channels.kit.connection import Backoff
from channels.kit.hosts import trusted
from hub.errors import ConfigError, DeliveryError, Faulty, NotStored, Refusal, Unreadable

log = structlog.get_logger()

Take = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Stores what an event says; the answer to it. Raises Refusal and NotStored."""

OK, NOT_NOW = 200, 500
REFUSED = {1000040344: "app_id or app_secret is missing", 514: "app_id or app_secret is refused", 403: "not allowed"}
SLACK = 5.0
"""Seconds beyond two pings after which a silent connection counts as dead."""
AT_ONCE = 256
"""Events in work; more are read only when one of these is done."""


class Client(BaseModel):
    """How the endpoint, and each pong, wants us to behave; of which the pings matter."""

    ping_interval: float = Field(120.0, alias="PingInterval", ge=1)


class Endpoint(BaseModel):
    """Where to connect."""

    url: str = Field(alias="URL", min_length=1)
    client: Client = Field(Client(PingInterval=120.0), alias="ClientConfig")


class Connection:
    """Keeps one connection open until it is cancelled. `warn` is told what is wrong, "" when it is right again."""

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
        await asyncio.to_thread(frames.wire)
        failures = 0
        while True:
            began = time.monotonic()
            pause = await self._once()
            steady = time.monotonic() - began > self.settings.reconnect_most
            failures = 1 if steady else failures + 1
            await asyncio.sleep(max(pause, self._backoff.pause(failures)))

    async def _once(self) -> float:
        """One connection from its beginning to its end; the seconds that must pass before the next."""
        try:
            endpoint = await open_endpoint(self.settings, self.http)
            async with asyncio.timeout(self.settings.timeout):
                address = URL(endpoint.url, encoded=True)
                ws = await self.http.ws_connect(address, timeout=aiohttp.ClientWSTimeout(ws_close=1.0))
            async with ws:
                log.info("feishu connection open")
                self.warn("")
                await Link(self, ws, endpoint).run()
            log.info("feishu connection ended", code=ws.close_code)
        except ConfigError as error:
            log.warning("feishu connection refused", reason=str(error))
            self.warn(f"no long connection to Feishu: {error}")
            return self.settings.reconnect_refused
        except DeliveryError as error:
            log.warning("feishu connection not possible", reason=str(error), code=error.code)
            self.warn(f"no long connection to Feishu: {error}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("feishu connection lost", error=type(error).__name__)
            self.warn(f"no long connection to Feishu ({type(error).__name__})")
        return 0.0


@dataclass
class Link:
    """One open connection: reads, pings, and answers each event when it is done with."""

    connection: Connection
    ws: aiohttp.ClientWebSocketResponse
    endpoint: Endpoint

    def __post_init__(self) -> None:
        self._pieces = Pieces()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Ends when the connection does, or when it has fallen silent."""
        async with asyncio.TaskGroup() as work:
            pinging = work.create_task(self._ping())
            try:
                await self._read(work)
            finally:
                pinging.cancel()

    async def _read(self, work: asyncio.TaskGroup) -> None:
        while True:
            try:
                message = await self.ws.receive(timeout=2 * self.endpoint.client.ping_interval + SLACK)
            except TimeoutError:
                log.warning("feishu connection is silent")
                return
            if message.type != aiohttp.WSMsgType.BINARY:
                return
            await self._begin(message.data, work)

    async def _begin(self, data: bytes, work: asyncio.TaskGroup) -> None:
        try:
            frame = frames.read(data)
            if frame.control:
                self._listen(frame)
            elif (payload := self._pieces.whole(frame)) is not None:
                await self._room.acquire()
                work.create_task(self._answer(frame, payload))
        except Unreadable as error:
            log.warning("feishu frame unreadable", reason=str(error))

    def _listen(self, frame: Frame) -> None:
        """A pong may change how often we ping."""
        if frame.header("type") == "pong" and frame.payload:
            try:
                self.endpoint.client = Client.model_validate_json(frame.payload)
            except ValidationError:
                log.info("feishu pong unreadable")

    async def _ping(self) -> None:
        service = URL(self.endpoint.url).query.get("service_id", "")
        number = int(service) if service.isascii() and service.isdigit() else 0
        while True:
            try:
                await self.ws.send_bytes(frames.ping(number))
            except ConnectionError:
                return  # the reader sees it too
            await asyncio.sleep(self.endpoint.client.ping_interval)

    async def _answer(self, frame: Frame, payload: bytes) -> None:
        began = time.monotonic()
        try:
            code, answer = await self._code(frame, payload)
            taken = int((time.monotonic() - began) * 1000)
            await self.ws.send_bytes(frames.acknowledge(frame, code, milliseconds=taken, answer=answer))
        except ConnectionError:
            log.info("feishu event not acknowledged", id=frame.header("message_id"))
        finally:
            self._room.release()

    async def _code(self, frame: Frame, payload: bytes) -> tuple[int, Mapping[str, Any] | None]:
        """What to acknowledge with: what could not be stored comes again, what can't be read would be no better."""
        try:
            return OK, await self.connection.take(parse(payload))
        except NotStored:
            log.warning("feishu event not stored", id=frame.header("message_id"))
            return NOT_NOW, None
        except Refusal as error:
            log.warning("feishu event refused", id=frame.header("message_id"), reason=str(error))
            return OK, None
        except Exception:
            log.exception("an event failed", id=frame.header("message_id"))
            return NOT_NOW, None


async def open_endpoint(settings: Settings, http: aiohttp.ClientSession) -> Endpoint:
    """The address of a new connection with its ticket. Raises DeliveryError and ConfigError."""
    url = settings.api_base.rstrip("/") + "/callback/ws/endpoint"
    body = {"AppID": settings.app_id, "AppSecret": settings.app_secret.value}
    outcome = await request(http, "POST", url, body, timeout=settings.timeout)
    code = outcome.body.get("code")
    if isinstance(code, int) and (why := REFUSED.get(code)):
        raise ConfigError(f"{why} ({code})")
    try:
        endpoint = Endpoint.model_validate(outcome.body.get("data"))
    except ValidationError:
        raise Faulty("the endpoint names no address", code=str(code)) from None
    if not trusted(endpoint.url, settings.api_base, HOSTS):
        raise Faulty("the endpoint names an address of a foreign host", code="endpoint")
    return endpoint
