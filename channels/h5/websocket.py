"""A visitor over WebSocket: hello within its time, then frames in and events out until one side ends it."""

import asyncio
from typing import Any

import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from channels.h5.identity import Visitor
from channels.h5.origins import Origins, address, language
from channels.h5.protocol import Event, Fault, Hello, Message, Ping, decode, encode, error, pong, welcome
from channels.h5.session import Session
from channels.h5.visits import Visits
from hub.errors import NotStored
from hub.texts import texts

log = structlog.get_logger()

CLOSE_WITHIN = 5.0
"""Seconds that a client may take to say goodbye too."""
PINGS = 2
"""Heartbeats after which a silent peer is gone."""

Socket = web.WebSocketResponse


class WebSockets:
    """Serves …/ws."""

    def __init__(self, visits: Visits, origins: Origins) -> None:
        self._visits = visits
        self._origins = origins
        self._settings = visits.settings

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The handler. Raises Fault before the handshake."""
        self._origins.check(request)
        who = address(request, self._settings.proxies)
        # Frames are small and many: a compression window for each connection costs more than it saves.
        socket = Socket(
            timeout=CLOSE_WITHIN,
            heartbeat=self._settings.heartbeat * PINGS,
            max_msg_size=self._settings.frame_bytes,
            compress=False,
        )
        connections = self._visits.connections
        with connections.seat(who, self._settings.address_connections), connections.open(_ending(socket)):
            await socket.prepare(request)
            peer = Peer(self._visits, socket, request, who)
            try:
                await peer.serve()
            finally:
                await socket.close()
        return socket


class Peer:
    """One client at the other end of a socket."""

    def __init__(self, visits: Visits, socket: Socket, request: web.Request, address: str) -> None:
        self._visits = visits
        self._settings = visits.settings
        self._socket = socket
        self._request = request
        self._address = address
        self._texts = texts(language(request))

    async def serve(self) -> None:
        """From the hello to the end. Raises nothing that a client may cause."""
        try:
            if hello := await self._hello():
                visitor = await self._visits.greet(hello)
                with self._visits.connections.seat(visitor.user, self._settings.visitor_connections):
                    await self._converse(visitor, hello.last_event)
        except Fault as fault:
            await self._refuse(fault, WSCloseCode.POLICY_VIOLATION)
        except NotStored:
            log.warning("a conversation can't be read just now", channel=self._visits.site.name)
            await self._refuse(Fault("not_stored"), WSCloseCode.TRY_AGAIN_LATER)
        except ConnectionError:
            return

    async def _hello(self) -> Hello | None:
        """The first frame that is a hello; None when the client is gone. Raises Fault when it takes too long."""
        try:
            async with asyncio.timeout(self._settings.hello_within):
                async for frame in self._socket:
                    said = await self._read(frame)
                    if isinstance(said, Hello):
                        return said
                    if isinstance(said, Message):
                        await self._tell(Fault("no_hello", message=said.id))
                return None
        except TimeoutError:
            raise Fault("no_hello") from None

    async def _converse(self, visitor: Visitor, last_event: int) -> None:
        site = self._visits.site
        session = Session(site, visitor, after=last_event, send=self._send)
        await session.begin()
        await self._send(welcome(visitor.token, visitor.conversation(site.name)))
        await session.run(self._listen(visitor, session), heartbeat=self._settings.heartbeat)

    async def _listen(self, visitor: Visitor, session: Session) -> None:
        async for frame in self._socket:
            match await self._read(frame):
                case Message() as message:
                    await self._take(visitor, session, message)
                case Hello():
                    await self._tell(Fault("greeted"))
                case _:
                    pass

    async def _take(self, visitor: Visitor, session: Session, message: Message) -> None:
        try:
            event = await self._visits.say(visitor, message, address=self._address)
        except Fault as fault:
            if fault.code == "identity_expired":
                raise
            await self._tell(fault)
        else:
            await session.accepted(message.id, event)

    async def _read(self, frame: WSMessage) -> Hello | Message | Ping | None:
        """What a frame says; a ping is answered, what can't be read is complained of."""
        try:
            said = decode(frame.data if frame.type is WSMsgType.TEXT else "", characters=self._settings.text_characters)
        except Fault as fault:
            await self._tell(fault)
            return None
        if isinstance(said, Ping):
            await self._send(pong())
        return said

    async def _tell(self, fault: Fault) -> None:
        await self._send(error(fault, self._texts))

    async def _send(self, event: Event) -> None:
        """Raises ConnectionError; also when the client takes its events too slowly: it will resume."""
        try:
            async with asyncio.timeout(self._settings.slow):
                await self._socket.send_str(encode(event))
        except TimeoutError:
            if self._request.transport:
                self._request.transport.abort()
            raise ConnectionResetError("the client is too slow") from None

    async def _refuse(self, fault: Fault, code: WSCloseCode) -> None:
        try:
            await self._tell(fault)
            await self._socket.close(code=code, message=fault.code.encode())
        except ConnectionError:
            return


def _ending(socket: Socket) -> Any:
    async def end() -> None:
        if socket.prepared:
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the hub is stopping")

    return end
