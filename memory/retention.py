"""Erases what was said after so many days ([memory] days). Tombstones stay, so that nothing old comes back.

A batch is one short transaction: the hub works on beside it. What is still to be answered is left alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, delete, select, update

from hub.errors import NotStored
from memory import audit, privacy
from memory.inbox import ERASED
from memory.store import Store
from memory.tables import facts, identities, messages, parts, summaries

log = structlog.get_logger()

DAY = 24 * 3600.0
BATCH = 500


async def retain(
    store: Store, days: int, clock: Callable[[], datetime], *, rest: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Once a day while it runs; returns at once where nothing is to be erased. `rest` waits for so many seconds."""
    while days:
        try:
            count = await expire(store, days, now=clock())
        except NotStored:
            log.warning("old messages were not erased; it is tried again tomorrow")
        else:
            log.info("old messages were erased", count=count, days=days)
        await rest(DAY)


async def expire(store: Store, days: int, *, now: datetime) -> int:
    """Erases what is older; returns how many messages that were."""
    before, count = now - timedelta(days=days), 0
    older = partial(_older, before=before, after=0)
    while found := await store.read(older):
        await store.write(partial(privacy.bury, rows=found))
        older = partial(_older, before=before, after=found[-1][0])
        count += len(found)

    def last(connection: Connection) -> None:
        connection.execute(delete(facts).where(facts.c.said_at < before))
        connection.execute(update(summaries).where(summaries.c.since < before).values(text="", since=None))
        connection.execute(delete(parts).where(parts.c.message_id.is_(None), parts.c.stored_at < before))
        if count:
            entry = audit.Entry("hub", "retain", f"{count} messages", f"older than {days} days")
            audit.write(connection, entry, now=now)

    await store.write(last)
    if count:
        await store.scrub(whole=False)
    return count


def _older(connection: Connection, *, before: datetime, after: int) -> list[tuple[int, bool]]:
    """The next batch: rows, and whether the message's key names who sent it."""
    query = (
        select(messages.c.id, messages.c.key, identities.c.user)
        .join(identities, identities.c.id == messages.c.identity_id)
        .where(messages.c.id > after, messages.c.received_at < before, messages.c.state.not_in([ERASED, "open"]))
        .order_by(messages.c.id)
        .limit(BATCH)
    )
    return [(row.id, bool(row.user) and row.user in row.key) for row in connection.execute(query)]
