"""A web page without a browser: `python -m hub simulate h5`, a chat in the terminal over the real WebSocket protocol.

Answers appear while they are written, with their sources below. A connection that ends is opened again where it
ended. `/as NAME` goes on as a person whom the page's server knows, with a JWT signed by the channel's
`identity_secret`; `/as` alone as somebody new.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import jwt

from channels.h5.settings import Settings
from channels.kit.connection import Backoff
from channels.simulators import chat
from config import Config
from hub.errors import ConfigError

AS = "/as"
ANSWERED_WITHIN = 180.0
SIGNED_FOR = 3600

Event = dict[str, Any]


class Page:
    """One visitor's page. `write` shows a piece of an answer, at once."""

    def __init__(self, url: str, secret: str, write: Callable[[str], object]) -> None:
        self.url = url
        self._secret = secret
        self._write = write
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, tuple[str, asyncio.Event]] = {}
        self._become("")

    def _become(self, sub: str) -> None:
        self._sub = sub
        self._visitor, self._last = "", 0
        self._shown: dict[str, str] = {}

    # -- what is typed

    async def say(self, line: str) -> None:
        """Says the line and returns once it is answered."""
        if line == AS or line.startswith(f"{AS} "):
            await self._change(line.removeprefix(AS).strip())
            return
        name, answered = uuid.uuid4().hex, asyncio.Event()
        self._waiting[name] = (line, answered)
        await self._send({"type": "message", "id": name, "text": line})
        with suppress(TimeoutError):
            await asyncio.wait_for(answered.wait(), ANSWERED_WITHIN)
        self._waiting.pop(name, None)

    async def _change(self, sub: str) -> None:
        if sub and not self._secret:
            chat.told("the channel has no identity_secret, so nobody can be named")
            return
        self._become(sub)
        if self._socket:
            await self._socket.close()

    async def _send(self, said: Event) -> None:
        """What can't be sent now is sent after the next welcome."""
        if self._socket and not self._socket.closed:
            with suppress(ConnectionError):
                await self._socket.send_json(said)

    # -- what arrives

    async def listen(self, http: aiohttp.ClientSession) -> None:
        """Stays connected until it is cancelled."""
        patience, failures = Backoff(first=0.2, most=10.0), 0
        while True:
            try:
                async with http.ws_connect(f"{self.url}/ws") as socket:
                    await socket.send_json(self._hello())
                    async for frame in socket:
                        await self._heard(socket, json.loads(frame.data))
            except aiohttp.ClientError as error:
                chat.told(f"no hub at {self.url} ({type(error).__name__}); start it with: make run")
            failures = 1 if self._socket else failures + 1
            self._socket = None
            await asyncio.sleep(patience.pause(failures))

    def _hello(self) -> Event:
        claims = {"sub": self._sub, "exp": int(time.time()) + SIGNED_FOR}
        identity = jwt.encode(claims, self._secret, algorithm="HS256") if self._sub else ""
        return {"type": "hello", "visitor": self._visitor, "identity": identity, "last_event": self._last}

    async def _heard(self, socket: aiohttp.ClientWebSocketResponse, event: Event) -> None:
        self._last = max(self._last, event.get("event", 0))
        match event["type"]:
            case "welcome":
                await self._welcomed(socket, event["visitor"])
            case "delta":
                self._grew(event)
            case "reply":
                self._replied(event)
            case "error":
                chat.told(event["message"])
                self._answered(event.get("id", ""))
            case _:
                pass

    async def _welcomed(self, socket: aiohttp.ClientWebSocketResponse, visitor: str) -> None:
        self._socket, self._visitor = socket, visitor
        for name, (text, _) in list(self._waiting.items()):
            await self._send({"type": "message", "id": name, "text": text})

    def _grew(self, event: Event) -> None:
        shown = "" if event.get("anew") else self._shown.get(event["turn"], "")
        self._write(event["text"] if shown else f"\n◀ {event['text']}")
        self._shown[event["turn"]] = shown + event["text"]

    def _replied(self, event: Event) -> None:
        shown = self._shown.pop(event["turn"], "")
        rest = event["text"].removeprefix(shown) if shown and event["text"].startswith(shown) else None
        self._write(f"\n◀ {event['text']}\n" if rest is None else f"{rest}\n")
        for citation in event["citations"]:
            chat.told(f"  [{citation['label']}] {citation['title']} {citation['url']}\n      {citation['quote']}")
        self._answered(event["reply_to"])

    def _answered(self, name: str) -> None:
        if name in self._waiting:
            self._waiting[name][1].set()


async def play(config: Config, name: str) -> None:
    """A chat in the terminal, as a visitor of the page, until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no h5 channel")
    secret = settings.identity_secret.value if settings.identity_secret else ""
    page = Page(chat.callback(config, name), secret, _write)
    chat.told(f"A visitor of {page.url}. Type a message; {AS} NAME goes on as somebody known; Ctrl-D ends.")
    async with aiohttp.ClientSession() as http:
        listening = asyncio.create_task(page.listen(http))
        try:
            await chat.converse(page.say)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
