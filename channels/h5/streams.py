"""A visitor without WebSocket: POST …/messages says what a frame would say, GET …/events brings the events.

The visitor's token comes in the Authorization header and nowhere else: an address ends up in logs and histories.
The answer to a POST is the event that it caused.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from channels.h5.origins import Origins, address, language
from channels.h5.protocol import LAST, Event, Fault, Hello, Message, decode, encode, error, pong, welcome
from channels.h5.session import Session, accepted
from channels.h5.visits import Visits
from channels.kit.callback import body
from hub.errors import NotStored, TooLarge, Unreadable
from hub.texts import texts

log = structlog.get_logger()

STREAM = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx passes each event on at once: https://nginx.org/en/docs/http/ngx_http_proxy_module.html
}
BUSY = 5.0
"""Seconds after which to try again what could not be stored."""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Streams:
    """Serves …/messages and …/events."""

    def __init__(self, visits: Visits, origins: Origins) -> None:
        self._visits = visits
        self._origins = origins
        self._settings = visits.settings

    async def post(self, request: web.Request) -> web.StreamResponse:
        """The handler of …/messages."""
        return await self._told(request, self._post)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """The handler of …/events."""
        return await self._told(request, self._events)

    async def _told(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        """A fault is an event too, with a status for those who read nothing else."""
        try:
            self._origins.check(request)
            return await answer(request)
        except Fault as fault:
            return self._refused(request, fault)
        except NotStored:
            log.warning("a conversation can't be read just now", channel=self._visits.site.name)
            return self._refused(request, Fault("not_stored"))

    def _refused(self, request: web.Request, fault: Fault) -> web.Response:
        response = self._json(request, error(fault, texts(language(request))), status=fault.status)
        if fault.status in (429, 503):
            response.headers["Retry-After"] = str(round(fault.seconds or BUSY) + 1)
        return response

    def _json(self, request: web.Request, event: Event, *, status: int = 200) -> web.Response:
        headers = {"Cache-Control": "no-store"} | self._origins.headers(request)
        return web.Response(status=status, text=encode(event), content_type="application/json", headers=headers)

    # -- in

    async def _post(self, request: web.Request) -> web.StreamResponse:
        said = decode(await self._body(request), characters=self._settings.text_characters)
        match said:
            case Hello() as hello:
                visitor = await self._visits.greet(hello, _bearer(request))
                event = welcome(visitor.token, visitor.conversation(self._visits.site.name))
            case Message() as message:
                event = await self._accepted(request, message)
            case _:
                event = pong()
        return self._json(request, event)

    async def _accepted(self, request: web.Request, message: Message) -> Event:
        visitor = await self._visits.recognise(_bearer(request))
        who = address(request, self._settings.proxies)
        number = await self._visits.say(visitor, message, address=who)
        site = self._visits.site
        return await accepted(site.record, visitor.conversation(site.name), message.id, number)

    async def _body(self, request: web.Request) -> bytes:
        """The body, read no further than it may be long."""
        try:
            return await body(request, most=self._settings.frame_bytes)
        except TooLarge:
            raise Fault("too_large") from None
        except Unreadable:
            raise Fault("unreadable") from None

    # -- out

    async def _events(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visits.recognise(_bearer(request))
        after = _last_event(request)
        connections, settings = self._visits.connections, self._settings
        ending = asyncio.Event()
        with (
            connections.seat(address(request, settings.proxies), settings.address_connections),
            connections.seat(visitor.user, settings.visitor_connections),
            connections.open(_set(ending)),
        ):
            response = web.StreamResponse(headers=STREAM | self._origins.headers(request))
            writer = Writer(request, response, settings.slow)
            session = Session(self._visits.site, visitor, after=after, send=writer.send)
            await session.begin()
            await response.prepare(request)
            await self._stream(writer, session, ending)
        return response

    async def _stream(self, writer: "Writer", session: Session, ending: asyncio.Event) -> None:
        """Until the client is gone, the hub stops or the identity ends. Raises nothing that a client may cause."""
        every = self._settings.heartbeat
        try:
            try:
                await session.run(writer.pulse(every), _until(ending), heartbeat=every)
            except Fault as fault:
                await writer.send(error(fault, texts(language(writer.request))))
            except NotStored:
                log.warning("a conversation can't be read just now", channel=self._visits.site.name)
                await writer.send(error(Fault("not_stored"), texts(language(writer.request))))
        except ConnectionError:
            return


class Writer:
    """Writes events to an open answer."""

    def __init__(self, request: web.Request, response: web.StreamResponse, slow: float) -> None:
        self.request = request
        self._response = response
        self._slow = slow

    async def send(self, event: Event) -> None:
        """One event; Last-Event-ID names stored ones. Raises ConnectionError, also for a client that is too slow."""
        number = f"id: {event['event']}\n" if "event" in event else ""
        await self._write(f"{number}data: {encode(event)}\n\n")

    async def pulse(self, every: float) -> None:
        """A comment now and then keeps proxies patient and finds out who is gone."""
        while True:
            await self._write(":\n\n")
            await asyncio.sleep(every)

    async def _write(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._slow):
                await self._response.write(text.encode())
        except TimeoutError:
            if self.request.transport:
                self.request.transport.abort()
            raise ConnectionResetError("the client is too slow") from None


def _bearer(request: web.Request) -> str:
    """The token of the Authorization header, "" when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _last_event(request: web.Request) -> int:
    given = request.headers.get("Last-Event-ID", "0").strip() or "0"
    if not (given.isascii() and given.isdigit()) or len(given) > 16 or int(given) > LAST:
        raise Fault("unreadable")
    return int(given)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


def _set(event: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def end() -> None:
        event.set()

    return end
