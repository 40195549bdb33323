"""Messages in: stored once, numbered, found again. Functions over a connection; see memory/journal.py."""

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, bindparam, select, update

from hub.journal import Stored
from hub.message import Conversation, InboundMessage
from hub.person import Person
from memory import people
from memory.prepared import Prepared
from memory.tables import INSERTS, conversations, identities, messages, persons

INBOUND: TypeAdapter[InboundMessage] = TypeAdapter(InboundMessage)
ERASED = "erased"
"""The state of a message whose person was erased: a key without content."""

STORED = (
    select(
        messages.c.id,
        messages.c.conversation_id,
        messages.c.event,
        messages.c.state,
        messages.c.payload,
        messages.c.received_at,
        messages.c.attempts,
        messages.c.live,
        conversations.c.handed,
        *people.PERSON,
    )
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .join(identities, identities.c.id == messages.c.identity_id)
    .join(persons, persons.c.id == identities.c.person_id)
)
_EXISTS = Prepared(
    lambda _: select(messages.c.id).where(
        messages.c.channel == bindparam("channel"),
        messages.c.account == bindparam("account"),
        messages.c.key == bindparam("key"),
    )
)
_PLACE = Prepared(
    lambda dialect: (
        INSERTS[dialect](conversations)
        .on_conflict_do_update(
            index_elements=["channel", "account", "key"], set_={"last_event": conversations.c.last_event + 1}
        )
        .returning(conversations.c.id, conversations.c.last_event, conversations.c.handed)
    ),
    ("channel", "account", "key", "kind", "last_event"),
)
_NEW_MESSAGE = Prepared(
    lambda dialect: INSERTS[dialect](messages).on_conflict_do_nothing().returning(messages.c.id),
    ("channel", "account", "key", "conversation_id", "identity_id", "event", "state", "payload", "received_at"),
)
_TAKE_EVENTS = Prepared(
    lambda _: (
        update(conversations)
        .where(conversations.c.id == bindparam("place"))
        .values(last_event=conversations.c.last_event + bindparam("count"))
        .returning(conversations.c.last_event)
    )
)


def named(conversation: Conversation, key: str) -> tuple[Any, ...]:
    """The conditions that a message has this key."""
    return (
        messages.c.channel == conversation.channel,
        messages.c.account == conversation.account,
        messages.c.key == key,
    )


def by_key(conversation: Conversation, key: str) -> Select[Any]:
    """The query for one message."""
    return STORED.where(*named(conversation, key))


def accept(connection: Connection, message: InboundMessage, payload: str, state: str, now: datetime) -> Stored:
    """Stores it, or finds what is there under its key."""
    place = message.conversation
    name = {"channel": place.channel, "account": place.account, "key": message.key}
    if _EXISTS.first(connection, name):
        return _again(connection, message)
    met = people.meet(connection, message.sender, message.evidence, now=now)
    row, event, handed = _next_event(connection, place)
    values = {
        **name,
        "conversation_id": row,
        "identity_id": met.row,
        "event": event,
        "state": state,
        "payload": payload,
        "received_at": now,
    }
    added = _NEW_MESSAGE.first(connection, values)
    if added is None:  # another transaction was first: the number goes back, its row is still locked by us
        take_events(connection, row, -1)
        return _again(connection, message)
    return Stored(
        id=added[0],
        place=row,
        event=event,
        turn=f"t{added[0]}",
        message=message,
        person=met.person,
        received_at=now,
        fresh=True,
        open=state == "open",
        handed=handed,
    )


def _again(connection: Connection, message: InboundMessage) -> Stored:
    """What is there already. Of a message that was erased only that it was there, and nothing is done about it."""
    row = connection.execute(by_key(message.conversation, message.key)).one()
    if row.state != ERASED:
        return stored(row)
    return Stored(row.id, row.conversation_id, 0, f"t{row.id}", message, Person(0), row.received_at, open=False)


def _next_event(connection: Connection, place: Conversation) -> tuple[int, int, bool]:
    """The conversation's row, made where it is new, the next number, and whether people answer there."""
    values = {"channel": place.channel, "account": place.account, "key": place.id, "kind": place.kind, "last_event": 1}
    row, event, handed = _PLACE.one(connection, values)
    return row, event, bool(handed)


def take_events(connection: Connection, place: int, count: int) -> int:
    """Takes `count` numbers of a conversation; returns the last of them."""
    return int(_TAKE_EVENTS.one(connection, {"place": place, "count": count})[0])


def stored(row: Row[*tuple[Any, ...]]) -> Stored:
    """What STORED selected."""
    return Stored(
        id=row.id,
        place=row.conversation_id,
        event=row.event,
        turn=f"t{row.id}",
        message=INBOUND.validate_json(row.payload),
        person=people.person(row.person_id, row.language, row.joined, row.proven),
        received_at=row.received_at,
        open=row.state == "open",
        attempts=row.attempts,
        live=row.live,
        handed=bool(row.handed),
    )
