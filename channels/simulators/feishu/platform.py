"""A Feishu that speaks to a running hub over loopback: tokens, messages, cards, files, events with their retries.

It keeps the rules of the platform and writes down each one that is broken.
"""

import asyncio
import json
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from channels.simulators.feishu import cards as entities
from channels.simulators.feishu.cards import Cards
from channels.simulators.feishu.events import Account
from channels.simulators.feishu.gateway import Gateway
from channels.simulators.feishu.refusals import Fault, Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RETRIES = (15.0, 300.0, 3600.0, 21600.0)
"""Seconds between the tries of an event that was not answered with 200 within 3 s."""
DEADLINE = 3.0
FREE = ("/open-apis/auth/v3/tenant_access_token/internal", "/callback/ws/endpoint", "/ws/v2")
TEXT_BYTES, CARD_BYTES, CALLS, IN_A_CHAT = 150 * 1024, 30 * 1024, 50, 5
SCOPES = ("im:message", "im:message:send_as_bot", "im:message.p2p_msg:readonly", "im:message.group_at_msg:readonly")


@dataclass
class Shown:
    """A message that people see. `card` is the content of a card that stands in the message itself."""

    id: str
    chat: str
    kind: str
    content: dict[str, Any]
    reply_to: str = ""
    in_thread: bool = False
    entity: entities.Card | None = None

    @property
    def text(self) -> str:
        """What they read."""
        if self.entity:
            return self.entity.text
        return str(self.content.get("text", "")) if self.kind == "text" else "\n".join(entities.texts(self.content))

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """What its buttons send back."""
        return entities.buttons(self.entity.content if self.entity else self.content)


class Platform:
    """One app with a bot, and the people who speak to it. `show` is called for every message."""

    def __init__(
        self, account: Account, *, limits: bool = True, show: Callable[[Shown], None] = lambda shown: None
    ) -> None:
        self.account = account
        self.cards = Cards(limits=limits)
        self.shown: list[Shown] = []
        self.faults: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self.chats: dict[str, str] = {}
        self.gone: set[str] = set()
        self.members: dict[str, dict[str, str]] = {}
        """What the directory holds of a member: `mobile`, `email`, `enterprise_email`."""
        self.tokens: dict[str, float] = {}
        self.scopes: set[str] = {*SCOPES, "cardkit:card:write"}
        self.activated = 2
        self._limits = limits
        self._windows: defaultdict[str, deque[float]] = defaultdict(deque)
        self._sent: dict[str, Shown] = {}
        self._broken: list[str] = []
        self.show = show
        self._changed = asyncio.Event()
        self.gateway = Gateway(account, happened=self.happened, learn=self.learn)

    @property
    def broken(self) -> list[str]:
        """Rules of the platform that the hub broke."""
        return self._broken + self.cards.broken + self.gateway.broken

    async def until(self, fact: Callable[[], object]) -> None:
        """Waits until something is so, looking again whenever something happened here."""
        while not fact():
            await self._changed.wait()

    def happened(self) -> None:
        """Wakes all who wait."""
        self._changed.set()
        self._changed = asyncio.Event()

    # what people do

    def learn(self, event: object) -> None:
        """A message that an event tells of can be answered."""
        match event:
            case {"event": {"message": {"message_id": str(message), "chat_id": str(chat)}}}:
                self.chats[message] = chat
            case _:
                pass

    async def post(
        self, http: aiohttp.ClientSession, url: str, event: dict[str, Any], *, age: float = 0.0
    ) -> tuple[int, Any]:
        """Calls the hub back once; the status and the JSON of its answer, (0, None) when it took more than 3 s."""
        self.learn(event)
        body, headers = self.account.sealed(event, age=age)
        try:
            timeout = aiohttp.ClientTimeout(total=DEADLINE)
            async with http.post(url, data=body, headers=headers, timeout=timeout) as response:
                is_json = response.content_type == "application/json"
                return response.status, await response.json() if is_json else None
        except (aiohttp.ClientError, TimeoutError):
            return 0, None

    async def push(
        self, http: aiohttp.ClientSession, url: str, event: dict[str, Any], *, pauses: Sequence[float] = RETRIES
    ) -> list[int]:
        """Calls the hub back until it answers 200, with the platform's pauses; the status of each try."""
        tries = [(await self.post(http, url, event))[0]]
        for pause in pauses:
            if tries[-1] == 200:
                break
            await asyncio.sleep(pause)
            tries.append((await self.post(http, url, event))[0])
        return tries

    # what the hub calls

    def app(self) -> web.Application:
        """The platform's server."""
        app = web.Application(middlewares=[self._middleware])
        im, kit = "/open-apis/im/v1/messages", "/open-apis/cardkit/v1/cards"
        app.add_routes(
            [
                web.post("/open-apis/auth/v3/tenant_access_token/internal", self._token),
                web.get("/open-apis/bot/v3/info", self._bot),
                web.get("/open-apis/application/v6/scopes", self._granted),
                web.get("/open-apis/contact/v3/users/{id}", self._member),
                web.post(im, self._create),
                web.post(im + "/{id}/reply", self._reply),
                web.get(im + "/{id}/resources/{key}", self._resource),
                web.post(kit, self._card),
                web.put(kit + "/{id}", self._card),
                web.patch(kit + "/{id}/settings", self._card),
                web.put(kit + "/{id}/elements/{element}/content", self._card),
                *self.gateway.routes(),
            ]
        )
        app.on_shutdown.append(self._leave)
        return app

    async def _leave(self, _: web.Application) -> None:
        """The server would wait for long connections, and they for it."""
        await self.gateway.drop(how="clean")

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Planned faults, the token, the limit of the app; refusals become answers."""
        if request.path == "/ws/v2":
            return await handler(request)
        self.calls[f"{request.method} {request.path}"] += 1
        fault = next((f for f in self.faults if f.fits(request.method, request.path)), None)
        try:
            if fault:
                return await self._fail(fault, request, handler)
            self._admit(request)
            return await handler(request)
        except Refused as refused:
            body = {"code": refused.code, "msg": str(refused)}
            return web.json_response(body, status=refused.status, headers=refused.headers)
        finally:
            self.happened()

    async def _fail(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault.times -= 1
        self.happened()
        await asyncio.sleep(fault.seconds)
        if fault.cut == "after":
            await handler(request)
        if fault.cut and request.transport:
            request.transport.abort()
            raise ConnectionResetError
        if fault.refused:
            raise fault.refused
        return await handler(request)

    def _admit(self, request: web.Request) -> None:
        if request.path in FREE:
            return
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0.0) < time.monotonic():
            raise Refused(99991663, "Invalid access token for authorization. Please make a test with correct token.")
        if self._over("app", CALLS):
            self._broken.append("more than 50 calls in a second")
            raise Refused(99991400, "frequency", status=429, headers={"x-ogw-ratelimit-reset": "1"})

    def _over(self, what: str, most: int) -> bool:
        """Whether this happened so often within the last second; else it is counted."""
        window, now = self._windows[what], time.monotonic()
        while window and window[0] < now - 1:
            window.popleft()
        if self._limits and len(window) >= most:
            return True
        window.append(now)
        return False

    async def _token(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("app_id") != self.account.app_id:
            raise Refused(10003, "invalid param")
        if body.get("app_secret") != self.account.app_secret:
            raise Refused(10014, "app secret invalid")
        token = next((t for t, until in self.tokens.items() if until > time.monotonic() + 1800), f"t-{uuid.uuid4()}")
        self.tokens.setdefault(token, time.monotonic() + 7200)
        return web.json_response({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": 7200})

    async def _bot(self, _: web.Request) -> web.Response:
        bot = {"activate_status": self.activated, "app_name": "Helper", "open_id": self.account.bot}
        return web.json_response({"code": 0, "msg": "ok", "bot": bot})

    async def _member(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.members:
            raise Refused(41050, "no user authority error")
        return _good({"user": {"open_id": request.match_info["id"], **self.members[request.match_info["id"]]}})

    async def _granted(self, _: web.Request) -> web.Response:
        scopes = [{"scope_name": name, "grant_status": 1, "scope_type": "tenant"} for name in self.scopes]
        return _good({"scopes": scopes})

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.query.get("receive_id_type") != "chat_id" or not body.get("receive_id"):
            raise Refused(230001, "invalid receive_id")
        return self._deliver(body, str(body["receive_id"]))

    async def _reply(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name in self.gone:
            raise Refused(230011, "The message is recalled.")
        if name not in self.chats:
            raise Refused(230001, "invalid message_id")
        return self._deliver(await request.json(), self.chats[name], name)

    def _deliver(self, body: dict[str, Any], chat: str, reply_to: str = "") -> web.Response:
        """One message; the same uuid again is the same message."""
        key = str(body.get("uuid") or "")
        if len(key) > 50:
            raise Refused(99992402, "field validation failed")
        if not (shown := self._sent.get(key)):
            shown = self._message(body, chat, reply_to)
            if self._over(f"chat {chat}", IN_A_CHAT):
                self._broken.append("more than 5 messages to a chat in a second")
                raise Refused(230020, "This operation triggers the frequency limit.")
            self.shown.append(shown)
            self.chats[shown.id] = chat
            self._sent[key or shown.id] = shown
            if not shown.entity or not shown.entity.streaming:
                self.show(shown)
        return _good({"message_id": shown.id, "chat_id": chat})

    def _message(self, body: dict[str, Any], chat: str, reply_to: str) -> Shown:
        kind, raw = str(body.get("msg_type")), body.get("content")
        try:
            content = json.loads(str(raw))
        except ValueError:
            raise Refused(230001, "content is not a string in json format") from None
        if len(str(raw).encode()) > (TEXT_BYTES if kind == "text" else CARD_BYTES):
            raise Refused(230025, "The length of the message content reaches its limit.")
        shown = Shown(f"om_{uuid.uuid4().hex}", chat, kind, content, reply_to, bool(body.get("reply_in_thread")))
        if kind == "interactive" and content.get("type") == "card":
            shown.entity = self.cards.show(str(content["data"]["card_id"]), shown.id)
        elif kind == "interactive":
            entities.checked(str(raw))
        elif kind != "text" or not str(content.get("text", "")).strip():
            raise Refused(230001, "invalid message content")
        return shown

    async def _resource(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.chats:
            raise Refused(234003, "File not in msg.")
        return web.Response(body=b"\x89PNG" + request.match_info["key"].encode() * 100)

    async def _card(self, request: web.Request) -> web.Response:
        if "cardkit:card:write" not in self.scopes:
            raise Refused(99991672, "Access denied. One of the following scopes is required: [cardkit:card:write].")
        body, name = await request.json(), request.match_info.get("id", "")
        match request.method, request.match_info.get("element", ""):
            case "POST", _:
                return _good(self.cards.create(body))
            case "PATCH", _:
                return self._settle(name, body)
            case _, "":
                return _good(self.cards.update(name, body))
            case _, element:
                return _good(self.cards.write(name, element, body))

    def _settle(self, name: str, body: dict[str, Any]) -> web.Response:
        """A card that has grown is read as a whole."""
        card = self.cards.settings(name, body)
        for shown in self.shown:
            if shown.entity is card and not card.streaming:
                self.show(shown)
        return _good({})


def _good(data: object) -> web.Response:
    return web.json_response({"code": 0, "msg": "success", "data": data})
