"""A conversation is handed to people, and given back to the agent: by an operator, by the person, or after a while."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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

ASKS = re.compile(
    r"(?:我|请|麻烦|帮我|给我|能|能不能|可以|可不可以|想|要|需要)*(?:找|转接?|换|叫|联系|接|要)(?:一下|一个|个|到|成)?(?:人工|真人)"
    r"(?:客服|服务|坐席)?(?:可以|行|好)?(?:一下)?[吗吧呢]?|(?:人工|真人)(?:客服|服务)?"
    r"|(?:please )?(?:can i |i want to |let me )?(?:talk|speak) (?:to|with) (?:a |an )?(?:human|(?:real )?person)"
    r"(?: please)?",
    re.IGNORECASE,
)
"""The whole of a message that asks for people in other words than the command."""
LONGEST = 60
"""Characters of such a message."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When the agent leaves a conversation to people by itself.

    `topics` are words of which people speak and not the agent, `refusals` how often in a row the agent may say that it
    does not know; 0 = as often as it likes.
    """

    topics: tuple[str, ...] = ()
    refusals: int = 0


def wanted(words: str, rules: Rules) -> str:
    """Why these words are for people; "" where they are for the agent."""
    bare = words.strip(" 。.!！?？，,").lower()
    if len(bare) <= LONGEST and ASKS.fullmatch(bare):
        return "asked for"
    return "a topic for people" if any(topic.lower() in bare for topic in rules.topics) else ""


def hand_over(connection: Connection, place: int, why: str, *, now: datetime) -> None:
    """People answer in this conversation from now on; the first reason stays."""
    free = (conversations.c.id == place, conversations.c.handed == "")
    connection.execute(update(conversations).where(*free).values(handed=why, handed_at=now))


def why(connection: Connection, place: int) -> str:
    """Why people answer in this conversation."""
    return str(connection.execute(select(conversations.c.handed).where(conversations.c.id == place)).scalar() or "")


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
