"""What the writes of a turn cost on each database: a message in, its answer, the part sent; many people at once."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from hub.journal import Piece
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity
from hub.turn import Answer
from memory.journal import SqlJournal
from memory.migrate import migrate
from tests.databases import KINDS, Database, bare

Tell = Callable[[str], None]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many messages in all, so many of them at a time."""

    messages: int = 6_000
    at_once: int = 64


async def turns(journal: SqlJournal, who: int, count: int) -> None:
    """One person's messages, one after the other, each accepted, answered and sent."""
    name = f"p{who}"
    for number in range(count):
        place, sender = Conversation("oa", "acc", name), Identity("oa", "acc", name)
        message = InboundMessage(f"{name}-{number}", place, sender, (Text("你们几点开门？"),))
        stored = await journal.accept(message, now=NOW)
        parts = await journal.answer(stored, Answer("九点。"), [Piece("九点。")], now=NOW, states=["waiting"])
        for state in ("sending", "sent"):
            await journal.mark([part.id for part in parts], state, now=NOW)


async def measured(database: Database, crowd: Crowd) -> tuple[float, float]:
    """Messages a second, and milliseconds of this process's processor for each."""
    async with database.opened() as store:
        journal = SqlJournal(store)
        await asyncio.gather(*(turns(journal, -1 - n, 4) for n in range(crowd.at_once)))
        each = crowd.messages // crowd.at_once
        began, worked = time.perf_counter(), time.process_time()
        await asyncio.gather(*(turns(journal, n, each) for n in range(crowd.at_once)))
        seconds = time.perf_counter() - began
    done = each * crowd.at_once
    return done / seconds, (time.process_time() - worked) / done * 1000


async def writes(crowd: Crowd, tell: Tell) -> Table:
    """Both databases, alone and in a crowd."""
    table = Table(title=f"Four commits a message, {os.cpu_count()} cores", title_justify="left")
    for name in ("database", "at once", "messages/s", "CPU ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for kind in KINDS:
        for at_once in (1, crowd.at_once):
            tell(f"{kind}, {at_once} at once")
            few = Crowd(crowd.messages if at_once > 1 else crowd.messages // 10, at_once)
            with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder, _made(kind, Path(folder)) as database:
                rate, cost = await measured(database, few)
            table.add_row(kind, str(at_once), f"{rate:,.0f}", f"{cost:.2f}")
    return table


@contextmanager
def _made(kind: str, folder: Path) -> Iterator[Database]:
    with bare(kind, folder) as database:
        migrate(database.url, database.file)
        yield database
