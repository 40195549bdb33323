"""Small stand-ins for what a room is given: an inbox that keeps messages in a list, a record in a dictionary."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import aiohttp

from hub.channel import Recorded, Site
from hub.coordination.local import local
from hub.errors import NotStored
from hub.message import Conversation, InboundMessage, OutboundMessage


@dataclass
class FakeTicket:
    """A ticket whose reply a test puts into `answer`."""

    message: InboundMessage
    event: int
    turn: str
    fresh: bool = True
    answer: asyncio.Future[OutboundMessage] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    was_written: int = 0

    async def reply(self, *, within: float, rest: bool = False) -> OutboundMessage | None:
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(self.answer)
        except TimeoutError:
            return None

    async def written(self) -> None:
        self.was_written += 1


class FakeInbox:
    """Keeps what was accepted, once a key; `broken` makes it refuse to store."""

    def __init__(self) -> None:
        self.tickets: dict[tuple[str, str, str], FakeTicket] = {}
        self.withdrawn: list[str] = []
        self.given_back: list[Conversation] = []
        self.broken = False

    @property
    def messages(self) -> list[InboundMessage]:
        return [ticket.message for ticket in self.tickets.values()]

    async def accept(self, message: InboundMessage) -> FakeTicket:
        if self.broken:
            raise NotStored
        name = (message.conversation.channel, message.conversation.account, message.key)
        if name in self.tickets:
            return replace(self.tickets[name], fresh=False)
        number = len(self.tickets) + 1
        self.tickets[name] = FakeTicket(message, number, f"t{number}")
        return self.tickets[name]

    async def find(self, conversation: Conversation, key: str) -> FakeTicket | None:
        return self.tickets.get((conversation.channel, conversation.account, key))

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        self.withdrawn.append(key)

    async def give_back(self, conversation: Conversation) -> None:
        self.given_back.append(conversation)


class FakeRecord:
    """Notes in a dictionary, events in a list."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}
        self.recorded: list[Recorded] = []

    async def events(self, conversation: Conversation, *, after: int, limit: int = 200) -> Sequence[Recorded]:
        of = [r for r in self.recorded if r.message.conversation == conversation and r.event > after]
        return of[:limit]

    async def note(self, key: str) -> str | None:
        return self.notes.get(key)

    async def keep_note(self, key: str, value: str) -> None:
        self.notes[key] = value


def fake_site(http: aiohttp.ClientSession, name: str = "main", **changed: object) -> Site:
    """A site over the fakes; `site.inbox` and `site.record` are FakeInbox and FakeRecord."""
    site = Site(
        name=name,
        inbox=FakeInbox(),
        record=FakeRecord(),
        http=http,
        coordination=local(),
        clock=lambda: datetime.now(UTC),
    )
    return replace(site, **changed)  # type: ignore[arg-type]  # the names are checked by replace itself
