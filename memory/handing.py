"""A conversation is handed to people, and given back to the agent: by an operator, by the person, or after a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, select, update

from hub.errors import NotStored
from hub.texts import texts
from memory import audit
from memory.store import Store
from memory.tables import conversations, identities, messages, persons

log = structlog.get_logger()

LOOKED_EVERY = 60.0
"""Seconds between two looks for conversations that nobody gave back."""

Tell = Callable[[int, str], Awaitable[bool]]


def hand_over(connection: Connection, place: int, why: str, *, now: datetime) -> None:
    """People answer in this conversation from now on."""
    connection.execute(update(conversations).where(conversations.c.id == place).values(handed=why, handed_at=now))


def touch(connection: Connection, place: int, *, now: datetime) -> None:
    """People are still at it."""
    handed = (conversations.c.id == place, conversations.c.handed != "")
    connection.execute(update(conversations).where(*handed).values(handed_at=now))


def give_back(connection: Connection, place: int, *, by: str, now: datetime) -> bool:
    """The agent answers again; False where it does already."""
    handed = (conversations.c.id == place, conversations.c.handed != "")
    if not connection.execute(update(conversations).where(*handed).values(handed="", handed_at=None)).rowcount:
        return False
    audit.write(connection, audit.Entry(by, "return", f"conversation {place}"), now=now)
    return True


def of_person(connection: Connection, person: int) -> list[int]:
    """The conversations in which this person waits for people."""
    query = (
        select(conversations.c.id)
        .join(messages, messages.c.conversation_id == conversations.c.id)
        .join(identities, identities.c.id == messages.c.identity_id)
        .where(identities.c.person_id == person, conversations.c.handed != "")
    )
    return list(connection.execute(query.distinct()).scalars())


async def watch(
    store: Store,
    hours: float,
    tell: Tell,
    clock: Callable[[], datetime],
    *,
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """While it runs, gives back what people left alone for so many hours; returns at once where that is never."""
    while hours:
        try:
            await give_back_idle(store, hours, tell, now=clock())
        except NotStored:
            log.warning("conversations were not given back; it is tried again")
        await rest(LOOKED_EVERY)


async def give_back_idle(store: Store, hours: float, tell: Tell, *, now: datetime) -> int:
    """Gives back, and tells those who waited; returns how many conversations that were."""

    def job(connection: Connection) -> list[tuple[int, str]]:
        idle = select(conversations.c.id).where(
            conversations.c.handed != "", conversations.c.handed_at <= now - timedelta(hours=hours)
        )
        places = list(connection.execute(idle).scalars())
        return [(place, said(connection, place)) for place in places if give_back(connection, place, by="hub", now=now)]

    given = await store.write(job)
    for place, text in given:
        await tell(place, text)
    return len(given)


def said(connection: Connection, place: int) -> str:
    """What whoever wrote last in this conversation is told when the agent is back."""
    last = (
        select(persons.c.language)
        .join(identities, identities.c.person_id == persons.c.id)
        .join(messages, messages.c.identity_id == identities.c.id)
        .where(messages.c.conversation_id == place)
        .order_by(messages.c.event.desc())
        .limit(1)
    )
    return texts("en" if connection.execute(last).scalar() == "en" else "zh").returned
