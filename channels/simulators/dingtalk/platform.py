"""A DingTalk that speaks to a running hub over loopback: tokens, session webhooks, robot messages, files, cards.

It keeps the rules of the platform: https://open.dingtalk.com/document/orgapp/robot-overview
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from channels.dingtalk.signature import sign
from channels.simulators.dingtalk.cards import Cards
from channels.simulators.dingtalk.gateway import Gateway
from channels.simulators.dingtalk.refusals import Fault, Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
FREE = ("/v1.0/oauth2/accessToken", "/v1.0/gateway/connections/open", "/robot/sendBySession", "/connect")
"""Paths that need no token."""
MOST_BYTES = 20_000
BUTTONS = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
"""DingTalk's own template for Markdown with buttons."""


@dataclass(frozen=True)
class Shown:
    """What people read: in which conversation, by which way it came, and the text."""

    chat: str
    way: str
    text: str


class Platform:
    """One app with one robot, and the people who speak to it. `show` is called for every message."""

    def __init__(
        self,
        client_id: str,
        secret: str,
        *,
        robot: str = "",
        template: str = "",
        card_seconds: float = 0.05,
        show: Callable[[Shown], None] = lambda shown: None,
    ) -> None:
        self.client_id = client_id
        self.secret = secret
        self.robot = robot or client_id
        self.base = ""
        self.gateway = Gateway(client_id, secret)
        self.cards = Cards((template, BUTTONS), seconds=card_seconds)
        self.shown: list[Shown] = []
        self.faults: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self.chats: dict[str, str] = {}
        self.members: dict[str, dict[str, str]] = {}
        """What the directory holds of a member: `unionid`, `mobile`, `email`, `org_email`."""
        self.pressable = ""
        """The last card with buttons that somebody sees."""
        self.tokens: dict[str, float] = {}
        self._sessions: dict[str, tuple[str, float]] = {}
        self._show = show

    @property
    def broken(self) -> list[str]:
        """Rules of the platform that the hub broke."""
        return self.gateway.broken + self.cards.broken

    # what people do

    def message(self, text: str = "", *, user: str = "ming", group: str = "", **fields: Any) -> dict[str, Any]:
        """A robot message with a session webhook of its own; `lives` is how many seconds that is good for."""
        now, session = time.time(), uuid.uuid4().hex
        chat, lives = group or f"cid{user}=", fields.pop("lives", 5400.0)
        self.chats[chat] = chat
        self._sessions[session] = (chat, now + lives)
        if not group and fields.get("senderStaffId", True):
            self.chats[f"staff-{user}"] = chat
        message: dict[str, Any] = {
            "msgId": f"msg{uuid.uuid4().hex}==",
            "conversationId": chat,
            "conversationType": "2" if group else "1",
            "chatbotUserId": "$:LWCP_v1:$robot",
            "senderId": f"$:LWCP_v1:${user}",
            "senderStaffId": f"staff-{user}",
            "senderNick": user,
            "senderCorpId": "dingcorp",
            "robotCode": self.robot,
            "createAt": int(now * 1000),
            "sessionWebhook": f"{self.base}/robot/sendBySession?session={session}",
            "sessionWebhookExpiredTime": int((now + lives) * 1000),
            "msgtype": "text",
            "text": {"content": f" {text}" if group else text},
        }
        if group:
            message |= {"isInAtList": True, "atUsers": [{"dingtalkId": "$:LWCP_v1:$robot"}]}
        return {name: value for name, value in {**message, **fields}.items() if value is not None}

    def press(self, handle: str, number: int, *, user: str = "ming") -> dict[str, Any]:
        """The callback of a press on a button of a card; the first is 1."""
        chosen = {"cardPrivateData": {"actionIds": [self.cards.cards[handle].buttons[number - 1]["id"]], "params": {}}}
        return {
            "type": "actionCallback",
            "outTrackId": handle,
            "userId": f"staff-{user}",
            "userIdType": 1,
            "corpId": "dingcorp",
            "spaceType": "IM",
            "spaceId": self.cards.cards[handle].chat,
            "extension": "{}",
            "content": json.dumps(chosen, ensure_ascii=False),
        }

    async def post(
        self, http: aiohttp.ClientSession, url: str, message: object, *, age: float = 0.0, secret: str = ""
    ) -> int:
        """Calls the hub back as the HTTP mode does; the status of its answer."""
        at = str(int((time.time() - age) * 1000))
        headers = {"timestamp": at, "sign": sign(at, secret or self.secret), "Content-Type": "application/json"}
        data = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
        async with http.post(url, data=data, headers=headers) as response:
            return response.status

    # what the hub calls

    def app(self) -> web.Application:
        """The platform's server."""
        app = web.Application(middlewares=[self._middleware])
        app.add_routes(
            [
                web.post("/v1.0/oauth2/accessToken", self._token),
                web.post("/v1.0/gateway/connections/open", self._open),
                web.get("/connect", self.gateway.connect),
                web.post("/robot/sendBySession", self._by_session),
                web.post("/v1.0/robot/oToMessages/batchSend", self._to_people),
                web.post("/v1.0/robot/groupMessages/send", self._to_group),
                web.post("/v1.0/robot/messageFiles/download", self._download),
                web.get("/files/{code}", self._file),
                web.post("/v1.0/card/instances", self._create_card),
                web.post("/v1.0/card/instances/createAndDeliver", self._create_card),
                web.put("/v1.0/card/instances", self._update_card),
                web.put("/v1.0/card/streaming", self._stream_card),
                web.post("/topapi/v2/user/get", self._member),
            ]
        )
        return app

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls[request.path] += 1
        try:
            fault = self._fault(request.path)
            if fault and fault.cut != "after":
                return self._fail(request, fault)
            if not request.path.startswith((*FREE, "/files/")):
                token = request.headers.get("x-acs-dingtalk-access-token") or request.query.get("access_token", "")
                if self.tokens.get(token, 0.0) < time.time():
                    raise Refused(401, "InvalidAuthentication")
            response = await handler(request)
            return self._fail(request, fault) if fault else response
        except Refused as refused:
            return web.json_response({"code": refused.code, "message": "refused"}, status=refused.status)

    def _fault(self, path: str) -> Fault | None:
        found = next((fault for fault in self.faults if fault.times > 0 and fault.path in path), None)
        if found:
            found.times -= 1
        return found

    def _fail(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault.errcode:
            return web.json_response({"errcode": fault.errcode, "errmsg": "refused"})
        raise Refused(fault.status, fault.code)

    async def _token(self, request: web.Request) -> web.Response:
        body = await request.json()
        if (body.get("appKey"), body.get("appSecret")) != (self.client_id, self.secret):
            raise Refused(400, "invalidClientIdOrSecret")
        token = uuid.uuid4().hex
        self.tokens[token] = time.time() + 7200
        return web.json_response({"accessToken": token, "expireIn": 7200})

    async def _open(self, request: web.Request) -> web.Response:
        return web.json_response(self.gateway.open(await request.json(), request.host))

    async def _member(self, request: web.Request) -> web.Response:
        user = str((await request.json()).get("userid"))
        if user not in self.members:
            return web.json_response({"errcode": 33012, "errmsg": "no such member"})
        return web.json_response({"errcode": 0, "errmsg": "ok", "result": {"userid": user, **self.members[user]}})

    async def _by_session(self, request: web.Request) -> web.Response:
        """HTTP 200 whatever happens; what failed stands in errcode."""
        chat, until = self._sessions.get(request.query.get("session", ""), ("", 0.0))
        raw = await request.read()
        if until < time.time():
            return web.json_response({"errcode": 300001, "errmsg": "the session is over"})
        if len(raw) > MOST_BYTES:
            return web.json_response({"errcode": 460101, "errmsg": "message too long, exceed 20000 bytes"})
        words = json.loads(raw).get("markdown") or {}
        if not words.get("title") or not words.get("text"):
            return web.json_response({"errcode": 40035, "errmsg": "title or text is missing"})
        self._tell(chat, "session", words["text"])
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    def _tell(self, chat: str, way: str, text: str) -> None:
        shown = Shown(chat, way, text)
        self.shown.append(shown)
        self._show(shown)

    async def _robot(self, request: web.Request) -> tuple[dict[str, Any], str]:
        """The body of a robot message, and its text."""
        body = await request.json()
        words = json.loads(body.get("msgParam") or "{}")
        if body.get("robotCode") != self.robot or body.get("msgKey") != "sampleMarkdown" or not words.get("text"):
            raise Refused(400, "invalidParameter")
        return body, words["text"]

    async def _to_people(self, request: web.Request) -> web.Response:
        body, text = await self._robot(request)
        unknown = [user for user in body.get("userIds") or () if user not in self.chats]
        for user in body.get("userIds") or ():
            if user in self.chats:
                self._tell(self.chats[user], "oToMessages", text)
        return web.json_response({"processQueryKey": uuid.uuid4().hex, "invalidStaffIdList": unknown})

    async def _to_group(self, request: web.Request) -> web.Response:
        body, text = await self._robot(request)
        chat = body.get("openConversationId")
        if chat not in self.chats:
            raise Refused(400, "invalidParameter.openConversationId")
        self._tell(chat, "groupMessages", text)
        return web.json_response({"processQueryKey": uuid.uuid4().hex})

    async def _download(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("robotCode") != self.robot or not body.get("downloadCode"):
            raise Refused(400, "invalidParameter")
        return web.json_response({"downloadUrl": f"http://{request.host}/files/{body['downloadCode']}"})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=request.match_info["code"].encode(), content_type="application/octet-stream")

    async def _create_card(self, request: web.Request) -> web.Response:
        body = await request.json()
        made = self.cards.create(body, self.chats)
        card = self.cards.cards[body["outTrackId"]]
        if card.buttons and card.chat:
            self.pressable = body["outTrackId"]
            self._tell(card.chat, "card", card.text)
        return web.json_response(made)

    async def _update_card(self, request: web.Request) -> web.Response:
        return web.json_response(await self.cards.update(await request.json()))

    async def _stream_card(self, request: web.Request) -> web.Response:
        body = await request.json()
        done = await self.cards.stream(body)
        if card := self.cards.cards.get(str(body.get("outTrackId"))):
            self._show(Shown(card.chat, "card", card.text))
        return web.json_response(done)
