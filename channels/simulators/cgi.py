"""The API of WeChat and WeCom as a hub sees it, as strict as the real one where that matters: errors come as HTTP 200.

A Platform serves paths below /cgi-bin. Each kind of account brings its own (wechat_oa.py, wecom.py, wechat_kf.py).
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

Answer = dict[str, Any]
Body = Mapping[str, Any]
OK: Answer = {"errcode": 0, "errmsg": "ok"}


def error(code: int, message: str = "error") -> Answer:
    """An answer that says no."""
    return {"errcode": code, "errmsg": f"{message} rid: {secrets.token_hex(4)}"}


@dataclass(slots=True)
class Call:
    """One call that was made, and the errcode that it got."""

    path: str
    body: Body
    query: Mapping[str, str]
    raw: bytes
    errcode: int = 0


@dataclass(slots=True)
class Fault:
    """From now on calls of `path` are answered with this, `times` times."""

    path: str
    answer: Answer
    times: int = 1 << 30
    status: int = 200


Serve = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass
class Tokens:
    """Access tokens of one account: the same while it lasts, a new one when it is forced."""

    seconds: float
    clock: Callable[[], float]
    issued: dict[str, float] = field(default_factory=dict)
    """token → until when it is good."""

    def give(self, *, fresh: bool) -> Answer:
        """A token as the platform answers it."""
        now = self.clock()
        live = [token for token, until in self.issued.items() if until > now]
        if fresh or not live:
            self.expire()
            live = [secrets.token_urlsafe(96)]
            self.issued[live[0]] = now + self.seconds
        return {"access_token": live[0], "expires_in": int(self.issued[live[0]] - now)}

    def expire(self) -> None:
        """None of them is good any more."""
        self.issued = dict.fromkeys(self.issued, 0.0)

    def refusal(self, token: str) -> Answer | None:
        """Why a token is not taken."""
        if not token:
            return error(41001, "access_token missing")
        if token not in self.issued:
            return error(40001, "invalid credential, access_token is invalid or not latest")
        return error(42001, "access_token expired") if self.issued[token] <= self.clock() else None


class Platform:
    """A server on loopback. `calls` are all that were made, in order; `faults` are what a test makes it answer."""

    def __init__(self, tokens: Tokens, *, open_paths: tuple[str, ...], paths: Mapping[str, Serve]) -> None:
        self.tokens = tokens
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.url = ""
        self.media: dict[str, bytes] = {}
        """Temporary files by media_id."""
        self.videos: dict[str, str] = {}
        """Where a video lies, by media_id: the Official Account's API names the address in place of the bytes."""
        self.delay = 0.0
        """Seconds that every call takes."""
        self._open, self._paths = open_paths, paths
        self._changed = asyncio.Event()

    def refuse(self, path: str, code: int, message: str = "injected", *, times: int = 1 << 30) -> None:
        """Answers the next calls of a path with an errcode."""
        self.faults.append(Fault(path, error(code, message), times))

    def of(self, path: str) -> list[Call]:
        """The calls of one path."""
        return [call for call in self.calls if call.path == path]

    async def until(self, ready: Callable[[], bool]) -> None:
        """Returns once `ready` holds; looks after every call."""
        while not ready():
            self._changed.clear()
            await self._changed.wait()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serves from now on; `url` says where."""
        app = web.Application(client_max_size=32 << 20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Serves no more."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = _object(raw)
        call = Call(request.path.removeprefix("/cgi-bin/"), body or {}, dict(request.query), raw)
        self.calls.append(call)
        await asyncio.sleep(self.delay)
        fault = self._fault(call)
        answer = fault.answer if fault else await self._answer(call) if body is not None else error(47001)
        call.errcode = answer.get("errcode", 0)
        self._changed.set()
        if call.path == "media/get" and not call.errcode and call.query["media_id"] in self.media:
            attached = {"Content-Disposition": 'attachment; filename="file"'}
            return web.Response(body=self.media[call.query["media_id"]], headers=attached)
        text = json.dumps(answer, ensure_ascii=False)
        return web.json_response(text=text, status=fault.status if fault else 200)

    def _fault(self, call: Call) -> Fault | None:
        for fault in self.faults:
            if fault.path == call.path and fault.times:
                fault.times -= 1
                return fault
        return None

    async def _answer(self, call: Call) -> Answer:
        serve = self._media if call.path == "media/get" else self._paths.get(call.path)
        if serve is None:
            return error(40066, "invalid url")
        if call.path not in self._open and (no := self.tokens.refusal(call.query.get("access_token", ""))):
            return no
        answer = serve(call)
        return answer if isinstance(answer, dict) else await answer

    def _media(self, call: Call) -> Answer:
        if video := self.videos.get(call.query.get("media_id", "")):
            return {"video_url": video}
        return dict(OK) if call.query.get("media_id") in self.media else error(40007, "invalid media_id")


def _object(raw: bytes) -> Answer | None:
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def too_long(text: object, most: int = 2048) -> Answer | None:
    """Why a text is not taken: its bytes count, not its characters."""
    if not isinstance(text, str) or not text:
        return error(44004, "empty content")
    return error(45002, "content size out of limit") if len(text.encode()) > most else None


@dataclass
class Windows:
    """What people's last messages allow: until when, and how many messages more."""

    seconds: float
    quota: int
    closed: int
    """The errcode after the window."""
    empty: int
    """The errcode beyond the quota."""
    clock: Callable[[], float]
    open: dict[str, tuple[float, int]] = field(default_factory=dict)

    def wrote(self, person: str) -> None:
        """The person said something."""
        self.open[person] = (self.clock(), self.quota)

    def spend(self, person: str) -> Answer | None:
        """Takes one message, or says why not."""
        since, left = self.open.get(person, (0.0, 0))
        if self.clock() - since > self.seconds:
            return error(self.closed, "response out of time limit or subscription is canceled")
        if left < 1:
            return error(self.empty, "out of response count limit")
        self.open[person] = (since, left - 1)
        return None
