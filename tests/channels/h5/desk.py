"""A hub as small as it gets around the web channel: an inbox and a record in lists, and answers as they are told."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp

from channels.h5 import CHANNEL
from channels.h5.channel import H5
from config import Secret
from hub.channel import Recorded
from hub.errors import NotStored
from hub.message import Choice, Citation, Conversation, InboundMessage, OutboundMessage, Reply
from tests.channels.callback import serving
from tests.fakes import fake_site

ORIGIN = "https://shop.example"
SECRET = "a-secret-of-more-than-thirty-two-bytes"


@dataclass(frozen=True)
class Kept:
    """A ticket; nobody waits on it here."""

    event: int
    turn: str
    fresh: bool

    async def reply(self, *, within: float, rest: bool = False) -> OutboundMessage | None:
        raise NotImplementedError("web pages fetch their replies")

    async def written(self) -> None:
        raise NotImplementedError("web pages fetch their replies")


@dataclass
class Desk:
    """Stores what is said, once a key, and answers it by `answers`: the words asked → the reply, or its pieces."""

    channel: H5 = field(init=False)
    answers: dict[str, Reply | list[str]] = field(default_factory=dict)
    said: list[InboundMessage] = field(default_factory=list)
    broken: bool = False
    notes: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    """Seconds that it takes to read events."""
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers wait for it; set from the start."""
    _events: defaultdict[Conversation, list[Recorded]] = field(default_factory=lambda: defaultdict(list))
    _tickets: dict[tuple[str, str], Kept] = field(default_factory=dict)
    _erased: dict[Conversation, int] = field(default_factory=dict)
    _answering: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hold.set()

    # -- the inbox

    async def accept(self, message: InboundMessage) -> Kept:
        if self.broken:
            raise NotStored
        name = (message.conversation.channel, message.key)
        if name in self._tickets:
            return replace(self._tickets[name], fresh=False)
        self.said.append(message)
        ticket = Kept(self._store(message.conversation, message), f"turn{len(self.said)}", fresh=True)
        self._tickets[name] = ticket
        task = asyncio.create_task(self._answer(message, ticket.turn))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return ticket

    async def find(self, conversation: Conversation, key: str) -> Kept | None:
        if self.broken:
            raise NotStored
        return self._tickets.get((conversation.channel, key))

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        raise NotImplementedError("web pages take nothing back")

    async def give_back(self, conversation: Conversation) -> None:
        raise NotImplementedError("web pages have no people of their own")

    # -- the record

    async def events(self, conversation: Conversation, *, after: int, limit: int = 200) -> Sequence[Recorded]:
        if self.broken:
            raise NotStored
        await asyncio.sleep(self.slow)
        start = max(after, self._erased.get(conversation, 0))
        return self._events[conversation][start : start + limit]

    async def note(self, key: str) -> str | None:
        return self.notes.get(key)

    async def keep_note(self, key: str, value: str) -> None:
        self.notes[key] = value

    # -- the agent

    async def _answer(self, message: InboundMessage, turn: str) -> None:
        answer = self.answers.get(message.text, Reply(f"答：{message.text}"))
        live = await self.channel.live(message)
        assert live
        if isinstance(answer, list):
            for end in range(1, len(answer) + 1):
                await live.grow("".join(answer[:end]))
                await asyncio.sleep(0.02)
            answer = Reply("".join(answer))
        await self.hold.wait()
        await live.close()
        await self.say(message.conversation, answer, turn=turn, asked=message)

    async def say(
        self,
        conversation: Conversation,
        reply: Reply,
        *,
        turn: str = "told",
        asked: InboundMessage | None = None,
        wake: bool = True,
    ) -> None:
        """Stores a reply and, with `wake`, tells the channel, as the gateway does."""
        asker = asked or next(m for m in self.said if m.conversation == conversation)
        message = OutboundMessage(
            id=1,
            turn=turn,
            conversation=conversation,
            recipient=asker.sender,
            text=reply.text,
            event=len(self._events[conversation]) + 1,
            citations=reply.citations,
            choices=reply.choices,
            reply_to=asked.key if asked else "",
        )
        self._store(conversation, message)
        if wake:
            await self.channel.send(message)

    def _store(self, conversation: Conversation, message: InboundMessage | OutboundMessage) -> int:
        events = self._events[conversation]
        events.append(Recorded(len(events) + 1, message, datetime.now(UTC)))
        return len(events)

    def forget(self) -> None:
        """Erases what was said; keys stay, without numbers, and the count goes on."""
        self._tickets = {name: replace(ticket, event=0) for name, ticket in self._tickets.items()}
        self._erased = {conversation: len(events) for conversation, events in self._events.items()}

    def reopen(self) -> None:
        """Takes connections again after the channel was closed."""
        self.channel._visits.connections._closed = False

    async def close(self) -> None:
        for task in list(self._answering):
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)


CITED = Reply(
    "满 **99 元**免运费[1]。",
    citations=(Citation("1", "配送说明", "/docs/shipping", "满九十九元免运费，否则运费为八元。"),),
)
CHOICE = Reply("要转给同事吗？", choices=(Choice("好的", "确认"), Choice("不用", "取消")))


def channel(desk: Desk, http: aiohttp.ClientSession, **changed: Any) -> H5:
    """The channel over the desk, with these settings."""
    public_url = changed.pop("public_url", "")
    clock = changed.pop("clock", lambda: datetime.now(UTC))
    given = {"allowed_origins": (ORIGIN,), "identity_secret": Secret(SECRET), "rate": 0, "delta_interval": 0.0}
    settings = CHANNEL.settings_type(**{**given, **changed})
    site = fake_site(http, "web", inbox=desk, record=desk, public_url=public_url, clock=clock)
    desk.channel = H5(settings, site)
    return desk.channel


@asynccontextmanager
async def site(desk: Desk | None = None, **changed: Any) -> AsyncIterator[tuple[Desk, str]]:
    """A running hub with one web channel `web`; the desk and the address of the channel."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        desk = desk or Desk()
        made = channel(desk, http, **changed)
        base = await stack.enter_async_context(serving(made.routes()))
        stack.push_async_callback(made.close)
        stack.push_async_callback(desk.close)
        yield desk, f"{base}/channels/web"
