"""The approved answers in the database, and the copy that the agent looks into."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, select

from agent.approved.answer import Approved, Known
from hub.errors import NotStored
from memory import audit
from memory.store import Store
from memory.tables import INSERTS, approved

TICK = 1.0
"""Seconds between two looks: a shell command or another replica may have changed them."""
COLUMNS = ("question", "answer", "source", "url")


@dataclass(frozen=True, slots=True)
class Row:
    """An approved answer under its id."""

    id: int
    approved: Approved


def rows(connection: Connection) -> list[Row]:
    """All of them, in the order of their ids."""
    columns = [approved.c[name] for name in COLUMNS]
    found = connection.execute(select(approved.c.id, *columns).order_by(approved.c.id))
    return [Row(row.id, Approved(*(row._mapping[name] for name in COLUMNS))) for row in found]


def put(connection: Connection, answers: Iterable[Approved], now: datetime) -> int:
    """Approves them; a question that has an answer gets the new one. Returns how many questions were new."""
    before = _count(connection)
    insert = INSERTS[connection.dialect.name]
    for one in answers:
        values = asdict(one) | {"normal": one.normal, "approved_at": now}
        connection.execute(
            insert(approved).values(values).on_conflict_do_update(index_elements=["normal"], set_=values)
        )
        audit.write(connection, audit.Entry("operator", "approved an answer", one.question[:80]), now=now)
    return _count(connection) - before


def remove(connection: Connection, ids: Sequence[int], now: datetime) -> list[int]:
    """Takes these out; returns those that were there."""
    gone = list(connection.execute(delete(approved).where(approved.c.id.in_(ids)).returning(approved.c.id)).scalars())
    for one in gone:
        audit.write(connection, audit.Entry("operator", "withdrew an answer", f"approved answer {one}"), now=now)
    return gone


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(approved)).scalar() or 0


def _stamp(connection: Connection) -> tuple[object, ...]:
    """Differs after every change: ids may come again, the time of the newest does not."""
    newest = (func.max(approved.c.id), func.max(approved.c.approved_at))
    return tuple(connection.execute(select(func.count(), *newest).select_from(approved)).one())


class Book:
    """What is approved, at the latest a second after it was. While the database is away, what was known before."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known = Known()
        self._stamp: tuple[object, ...] = ()
        self._looked = float("-inf")

    async def known(self) -> Known:
        """All approved answers."""
        if self._clock() >= self._looked + TICK:
            self._looked = self._clock()
            with suppress(NotStored):  # logged where the database is
                await self._look()
        return self._known

    async def _look(self) -> None:
        stamp = await self._store.read(_stamp)
        if stamp != self._stamp:
            found = await self._store.read(rows)
            self._known = await asyncio.to_thread(Known, [row.approved for row in found])
            self._stamp = stamp


def now() -> datetime:
    """The clock of approvals."""
    return datetime.now(UTC)
