"""People who take over a conversation: they are called by a webhook, answer by the hub's API, and hand back.

    GET  /api/conversations                    those that wait for people
    GET  /api/conversations/<id>               what was said in it
    POST /api/conversations/<id>/replies       {"text": "…"}: said to the person, in their channel
    POST /api/conversations/<id>/return        the agent answers again
    GET  /api/undelivered                      answers that did not reach anybody yet, and why

Every call carries `Authorization: Bearer <token>`, compared in constant time before anything is read; with
no token configured there is no API. A group robot of WeCom or Feishu is called in its own form, any other
address gets JSON. The call says that somebody waits and what they said last, and nothing else of them.
"""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

import aiohttp
import structlog
from aiohttp import web
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Connection, or_, select

from hub.errors import NotProven, Unreadable
from hub.journal import Stored
from hub.texts import texts
from memory import audit, handing
from memory.store import Store
from memory.tables import IS_UNSENT, conversations, messages, parts

log = structlog.get_logger()

SECONDS = aiohttp.ClientTimeout(total=10)
LATEST = 50
"""Messages that are shown of a conversation."""
Form = Literal["json", "wecom", "feishu"]


class Operators(Protocol):
    """Whoever is told that people are wanted."""

    async def called(self, stored: Stored, why: str) -> None:
        """Raises nothing: the person was told that somebody will come, and the list of those who wait is there."""
        ...


class Webhook:
    """Calls the operators' group or system."""

    def __init__(self, http: aiohttp.ClientSession, url: str, form: Form) -> None:
        self._http = http
        self._url = url
        self._form = form

    async def called(self, stored: Stored, why: str) -> None:
        body = call(self._form, stored, why)
        try:
            async with self._http.post(self._url, json=body, timeout=SECONDS, allow_redirects=False) as response:
                if response.status >= 300:
                    log.warning("the operators' webhook refused the call", status=response.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("the operators' webhook does not answer", why=type(error).__name__)


def call(form: Form, stored: Stored, why: str) -> dict[str, Any]:
    """The body of the call."""
    text = texts("zh").wanted.format(
        conversation=stored.place, channel=stored.message.conversation.channel, text=stored.message.text[:200]
    )
    if form == "wecom":
        return {"msgtype": "text", "text": {"content": text}}
    if form == "feishu":
        return {"msg_type": "text", "content": {"text": text}}
    return {
        "conversation": stored.place,
        "channel": stored.message.conversation.channel,
        "why": why,
        "text": stored.message.text,
    }


class Written(BaseModel):
    """What an operator says."""

    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class Desk:
    """The API for operators."""

    def __init__(
        self, store: Store, *, token: str, tell: Callable[[int, str], Awaitable[bool]], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._token = token.encode()
        self._tell = tell
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """All of them; none without a token."""
        if not self._token:
            return []
        return [
            web.get("/api/conversations", self.waiting),
            web.get(r"/api/conversations/{id:\d{1,18}}", self.read),
            web.post(r"/api/conversations/{id:\d{1,18}}/replies", self.reply),
            web.post(r"/api/conversations/{id:\d{1,18}}/return", self.give_back),
            web.get("/api/undelivered", self.undelivered),
        ]

    def _verify(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, b"Bearer " + self._token):
            raise NotProven

    async def waiting(self, request: web.Request) -> web.Response:
        """Conversations that wait for people."""
        self._verify(request)
        query = select(conversations).where(conversations.c.handed != "").order_by(conversations.c.id)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return web.json_response([{"conversation": r.id, "channel": r.channel, "why": r.handed} for r in rows])

    async def undelivered(self, request: web.Request) -> web.Response:
        """Parts of answers that were stored and not sent, the newest first: what is kept, put off, or given up."""
        self._verify(request)
        query = (
            select(parts.c.conversation_id, conversations.c.channel, parts.c.state, parts.c.why, parts.c.stored_at)
            .join(conversations, conversations.c.id == parts.c.conversation_id)
            .where(or_(IS_UNSENT, parts.c.state == "failed"))
            .order_by(parts.c.id.desc())
            .limit(LATEST)
        )
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        names = ("conversation", "channel", "state", "why")
        listed = [{**dict(zip(names, row, strict=False)), "at": row.stored_at.isoformat()} for row in rows]
        return web.json_response(listed)

    async def read(self, request: web.Request) -> web.Response:
        """The latest messages of one."""
        self._verify(request)
        place = int(request.match_info["id"])
        return web.json_response(await self._store.read(lambda connection: _latest(connection, place)))

    async def reply(self, request: web.Request) -> web.Response:
        """Says something in the hub's name."""
        self._verify(request)
        place = int(request.match_info["id"])
        try:
            written = Written.model_validate_json(await request.read())
        except ValidationError:
            raise Unreadable from None
        if not await self._tell(place, written.text):
            raise web.HTTPNotFound
        await self._replied(place)
        return web.json_response({"conversation": place}, status=202)

    async def give_back(self, request: web.Request) -> web.Response:
        """The agent answers again."""
        self._verify(request)
        place = int(request.match_info["id"])
        there, back = await self._store.write(lambda connection: self._give_back(connection, place))
        if not there:
            raise web.HTTPNotFound
        if back:
            await self._tell(place, back)
        return web.json_response({"conversation": place})

    def _give_back(self, connection: Connection, place: int) -> tuple[bool, str]:
        """Whether there is such a conversation, and what the person is told where people answered in it."""
        there = connection.execute(select(conversations.c.id).where(conversations.c.id == place)).first()
        given = handing.give_back(connection, place, by="operator", now=self._clock())
        return there is not None, handing.said(connection, place) if given else ""

    async def _replied(self, place: int) -> None:
        entry = audit.Entry("operator", "reply", f"conversation {place}")

        def job(connection: Connection) -> None:
            handing.touch(connection, place, now=self._clock())
            audit.write(connection, entry, now=self._clock())

        await self._store.write(job)


def _latest(connection: Connection, place: int) -> list[dict[str, Any]]:
    from memory.inbox import INBOUND  # here, because the inbox needs nothing of operators

    came = connection.execute(
        select(messages.c.event, messages.c.payload, messages.c.received_at)
        .where(messages.c.conversation_id == place, messages.c.payload != "")
        .order_by(messages.c.event.desc())
        .limit(LATEST)
    )
    went = connection.execute(
        select(parts.c.event, parts.c.text, parts.c.stored_at)
        .where(parts.c.conversation_id == place)
        .order_by(parts.c.event.desc())
        .limit(LATEST)
    )
    said = [(r.event, "person", INBOUND.validate_json(r.payload).text, r.received_at) for r in came]
    said += [(r.event, "hub", r.text, r.stored_at) for r in went]
    return [
        {"event": event, "by": by, "text": text, "at": at.isoformat()} for event, by, text, at in sorted(said)[-LATEST:]
    ]
