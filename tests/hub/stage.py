"""A hub on a real journal with a scripted agent and a channel that plays a platform in memory."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from aiohttp import web

from hub.channel import Channel, Live, Site, Traits
from hub.delivery import Delivery
from hub.errors import DeliveryError, Impossible
from hub.files import Files
from hub.gateway import Bounds, Gateway, HubRecord
from hub.memory import Forgetful, Memory
from hub.message import Conversation, InboundMessage, Media, OutboundMessage, Receipt, Text
from hub.observe import Metrics, new_metrics
from hub.person import Identity
from hub.turn import Answer, Delta, Restarted, Turn, TurnEvent
from memory.journal import SqlJournal
from memory.migrate import migrate
from memory.store import Store, open_store
from tests.fakes import fake_site

Events = Callable[[Turn], AsyncIterator[TurnEvent]]


async def echo(turn: Turn) -> AsyncIterator[TurnEvent]:
    """Says what was said."""
    yield Delta("echo:")
    yield Delta(turn.text)
    yield Answer(f"echo:{turn.text}", engine="scripted")


@dataclass
class ScriptedAgent:
    """Answers by `script` and remembers what it was asked."""

    script: Events = echo
    asked: list[Turn] = field(default_factory=list)

    def answer(self, turn: Turn) -> AsyncIterator[TurnEvent]:
        self.asked.append(turn)
        return self.script(turn)


class ScriptedChannel(Channel):  # type: ignore[type-arg]  # it has no settings
    """Takes what is sent; `outcomes` are raised one after the other before that."""

    kind = "scripted"

    def __init__(self, site: Site, traits: Traits) -> None:
        self.site = site
        self.shape = traits
        self.sent: list[OutboundMessage] = []
        self.tried: list[OutboundMessage] = []
        self.outcomes: list[DeliveryError | Exception | None] = []
        self.arrived = asyncio.Condition()
        self.shows: Live | None = None
        self.media: dict[str, bytes] = {}
        self.fetched: list[str] = []

    @property
    def traits(self) -> Traits:
        return self.shape

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return []

    async def live(self, message: InboundMessage) -> Live | None:
        return self.shows

    async def fetch(self, media: Media) -> bytes:
        self.fetched.append(media.reference)
        if media.reference not in self.media:
            raise Impossible("no such file", code="gone")
        return self.media[media.reference]

    async def send(self, message: OutboundMessage) -> Receipt:
        self.tried.append(message)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        async with self.arrived:
            if outcome is None:
                self.sent.append(message)
            self.arrived.notify_all()
        if outcome:
            raise outcome
        return Receipt(f"r{message.id}")

    async def until(self, condition: Callable[["ScriptedChannel"], bool]) -> None:
        """Waits until it holds."""
        async with self.arrived, asyncio.timeout(10):
            await self.arrived.wait_for(lambda: condition(self))

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.sent]


@dataclass
class Stage:
    """Everything that a test of the path needs."""

    gateway: Gateway
    delivery: Delivery
    journal: SqlJournal
    channel: ScriptedChannel
    agent: ScriptedAgent
    metrics: Metrics
    store: Store

    async def say(self, text: str, *, key: str = "", user: str = "lin", kind: str = "private") -> "object":
        return await self.gateway.accept(said(text, key=key, user=user))

    async def settled(self) -> None:
        """Nothing is in work any more."""
        await self.gateway._lanes.drain(10)
        await self.delivery.drain(10)


@cache
def _template() -> Path:
    """A migrated database, made once: a test that needs one copies it."""
    folder = Path(tempfile.mkdtemp(prefix="hub-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate("", folder / "hub.db")
    return folder / "hub.db"


def migrated(folder: Path) -> None:
    """Puts a migrated database into the folder, where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "hub.db").exists():
        shutil.copy(_template(), folder / "hub.db")


_keys = iter(range(1, 1_000_000))


def said(text: str, *, key: str = "", user: str = "lin", sent_at: datetime | None = None) -> InboundMessage:
    """A message of somebody."""
    return InboundMessage(
        key=key or f"k{next(_keys)}",
        conversation=Conversation("main", "acc", user),
        sender=Identity("main", "acc", user),
        parts=(Text(text),),
        sent_at=sent_at,
        context=f"context of {text}",
    )


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    traits: Traits | None = None,
    script: Events = echo,
    bounds: Bounds | None = None,
    memory: Memory | None = None,
    files: Callable[[Store], Files] | None = None,
    outcomes: Iterable[DeliveryError | Exception | None] = (),
) -> AsyncIterator[Stage]:
    """A hub on the journal in `folder`; leaving the block is a crash: nothing is drained."""
    await asyncio.to_thread(migrated, folder)
    async with open_store("", folder) as store:
        journal, metrics, agent = SqlJournal(store), new_metrics(), ScriptedAgent(script)
        channels: dict[str, ScriptedChannel] = {}
        delivery = Delivery(journal, channels, clock=lambda: datetime.now(UTC), metrics=metrics)
        gateway = Gateway(
            journal=journal,
            agent=agent,
            memory=memory or Forgetful(),
            channels=channels,
            delivery=delivery,
            metrics=metrics,
            clock=lambda: datetime.now(UTC),
            bounds=bounds or Bounds(),
            files=files(store) if files else None,
        )
        site = fake_site(None, inbox=gateway, record=HubRecord(journal, "main"))  # type: ignore[arg-type]  # no calls
        channel = channels["main"] = ScriptedChannel(site, traits or Traits(citations="own"))
        channel.outcomes.extend(outcomes)
        await gateway.start()
        try:
            yield Stage(gateway, delivery, journal, channel, agent, metrics, store)
        finally:
            await gateway.close()


__all__ = ["Restarted", "ScriptedAgent", "ScriptedChannel", "Stage", "echo", "migrated", "said", "stage"]
