"""WeCom in front of a bot with a callback: sealed messages, polls of the streams, and the response_url.

Answers are opened with the platform's own rules, so that both sides can't share an error: the names without
underscores, the time as a number, the nonce of the call, at most 20,480 bytes.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from channels.kit.envelope import Envelope, sign
from channels.simulators.wecom_bot.people import message

STREAM_BYTES = 20_480


class Broken(Exception):
    """The answer is not what WeCom can read."""


@dataclass(frozen=True)
class Answered:
    """The status of one call, and what was inside the answer (None: it was empty)."""

    status: int
    inside: dict[str, Any] | None = None

    @property
    def stream(self) -> dict[str, Any]:
        """The state of the stream. Raises Broken."""
        if self.inside is None or self.inside.get("msgtype") != "stream":
            raise Broken(f"no stream: {self.status} {self.inside}")
        state: dict[str, Any] = self.inside["stream"]
        if len(str(state.get("content", "")).encode()) > STREAM_BYTES:
            raise Broken("the stream is too long")
        return state


@dataclass
class Caller:
    """Calls one bot back, and takes what it posts to response URLs. `base` is where those lead."""

    url: str
    token: str
    key: str
    base: str = ""
    clock: Callable[[], float] = time.time
    posted: list[str] = field(default_factory=list)
    """Contents of the messages that came by a response_url."""
    errcode: int = 0
    """What the next posts are answered with."""
    show: Callable[[str], None] = lambda text: None
    _urls: dict[str, float] = field(default_factory=dict)

    def response_url(self, *, seconds: float = 3600.0) -> str:
        """A new one, good for one call."""
        code = secrets.token_hex(8)
        self._urls[code] = self.clock() + seconds
        return f"{self.base}/cgi-bin/aibot/response?response_code={code}"

    def app(self) -> web.Application:
        """Where response URLs lead."""
        app = web.Application()
        app.add_routes([web.post("/cgi-bin/aibot/response", self._response)])
        return app

    async def _response(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.errcode:
            return web.json_response({"errcode": self.errcode, "errmsg": "refused"})
        if self._urls.pop(request.query.get("response_code", ""), 0.0) < self.clock():
            return web.json_response({"errcode": 60140, "errmsg": "invalid response_code"})
        content = (body.get("markdown") or {}).get("content", "") if body.get("msgtype") == "markdown" else ""
        if not content or len(content.encode()) > STREAM_BYTES:
            return web.json_response({"errcode": 40058, "errmsg": "invalid request parameter"})
        self.posted.append(content)
        self.show(content)
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    def sealed(self, inside: bytes, *, age: float = 0.0, receive_id: str = "") -> tuple[dict[str, str], bytes]:
        """The query and the body of one call."""
        at, nonce = str(int(self.clock() - age)), secrets.token_hex(6)
        sealed = Envelope(self.token, self.key, receive_id).seal(inside, timestamp=at, nonce=nonce)
        query = {"msg_signature": sealed.signature, "timestamp": at, "nonce": nonce}
        return query, json.dumps({"encrypt": sealed.encrypted}).encode()

    async def post(self, http: aiohttp.ClientSession, query: dict[str, str], body: bytes) -> Answered:
        """One call that is ready."""
        headers = {"Content-Type": "application/json"}
        async with http.post(self.url, params=query, data=body, headers=headers) as response:
            raw = await response.read()
            if response.status != 200 or not raw.strip():
                return Answered(response.status)
            return Answered(response.status, self._opened(raw, query["nonce"]))

    def _opened(self, raw: bytes, nonce: str) -> dict[str, Any]:
        try:
            part = json.loads(raw)
            encrypted, given, at = part["encrypt"], part["msgsignature"], part["timestamp"]
        except (ValueError, KeyError, TypeError):
            raise Broken(f"not an envelope: {raw[:100]!r}") from None
        if type(at) is not int or part.get("nonce") != nonce or given != sign(self.token, str(at), nonce, encrypted):
            raise Broken("timestamp, nonce or msgsignature is wrong")
        inside: dict[str, Any] = json.loads(Envelope(self.token, self.key, "").decrypt(encrypted))
        return inside

    async def call(self, http: aiohttp.ClientSession, callback: object) -> Answered:
        """Tells the bot something."""
        return await self.post(http, *self.sealed(json.dumps(callback, ensure_ascii=False).encode()))

    async def poll(self, http: aiohttp.ClientSession, stream: str, **who: str) -> dict[str, Any]:
        """Asks for a stream."""
        return (await self.call(http, message("stream", **who, stream={"id": stream}))).stream

    async def check(self, http: aiohttp.ClientSession, words: str, *, token: str = "") -> tuple[int, str]:
        """The check of the URL: status and body."""
        at, nonce = str(int(self.clock())), secrets.token_hex(6)
        sealed = Envelope(token or self.token, self.key, "").seal(words.encode(), timestamp=at, nonce=nonce)
        query = {"msg_signature": sealed.signature, "timestamp": at, "nonce": nonce, "echostr": sealed.encrypted}
        async with http.get(self.url, params=query) as response:
            return response.status, await response.text()
