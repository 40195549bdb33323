"""Messages in: stored once, numbered, found again. Functions over a connection; see memory/journal.py."""

import hashlib
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, select, update

from hub.journal import Stored
from hub.message import Conversation, InboundMessage
from hub.person import Person
from memory import people
from memory.prepared import Prepared, Row
from memory.tables import INSERTS, IS_OPEN, conversations, identities, messages, persons

INBOUND: TypeAdapter[InboundMessage] = TypeAdapter(InboundMessage)
ERASED = "erased"
"""The state of a message whose person was erased: a key without content."""


def buried(key: str) -> str:
    """The key of such a message where the platform's own names the person, as an openid with a time does."""
    return f"{ERASED} {hashlib.sha256(key.encode()).hexdigest()}"


_STORED = (
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
_NAMED = (
    messages.c.channel == bindparam("channel"),
    messages.c.account == bindparam("account"),
    messages.c.key == bindparam("key"),
)
_EXISTS = Prepared(lambda _: select(messages.c.id).where(*_NAMED))
_BY_KEY = Prepared(lambda _: _STORED.where(*_NAMED))
_OPEN = Prepared(lambda _: _STORED.where(IS_OPEN).order_by(messages.c.conversation_id, messages.c.event))
_WITHDRAW = Prepared(lambda _: update(messages).where(*_NAMED, messages.c.state != ERASED).values(state="withdrawn"))
_BEGIN = Prepared(
    lambda _: (
        update(messages)
        .where(messages.c.id == bindparam("row"))
        .values(attempts=messages.c.attempts + 1)
        .returning(messages.c.attempts)
    )
)
_KEEP_LIVE = Prepared(
    lambda _: update(messages).where(messages.c.id == bindparam("row")).values(live=bindparam("handle"))
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


def find(connection: Connection, place: Conversation, key: str) -> Stored | None:
    """The message under this key; None also when its person was erased."""
    row = _BY_KEY.first(connection, {"channel": place.channel, "account": place.account, "key": key})
    return _stored(row) if row and row.state != ERASED else None


def unanswered(connection: Connection) -> list[Stored]:
    """All that are open, by conversation and event."""
    return [_stored(row) for row in _OPEN.all(connection, {})]


def withdraw(connection: Connection, place: Conversation, key: str) -> None:
    """No longer open, and not part of the history."""
    _WITHDRAW.run(connection, {"channel": place.channel, "account": place.account, "key": key})


def begin(connection: Connection, row: int) -> int:
    """Counts the attempt; 1 also when the message is gone."""
    begun = _BEGIN.first(connection, {"row": row})
    return begun.attempts if begun else 1


def keep_live(connection: Connection, row: int, handle: str) -> None:
    """The handle of the live reply."""
    _KEEP_LIVE.run(connection, {"row": row, "handle": handle})


def accept(connection: Connection, message: InboundMessage, payload: str, state: str, now: datetime) -> Stored:
    """Stores it, or finds what is there under its key."""
    place = message.conversation
    name = {"channel": place.channel, "account": place.account, "key": message.key}
    if _EXISTS.first(connection, name):
        return _again(connection, message, name)
    if message.sender.user in message.key and _EXISTS.first(connection, grave := {**name, "key": buried(message.key)}):
        return _again(connection, message, grave)
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
        return _again(connection, message, name)
    return Stored(
        id=added.id,
        place=row,
        event=event,
        turn=f"t{added.id}",
        message=message,
        person=met.person,
        received_at=now,
        fresh=True,
        open=state == "open",
        handed=handed,
    )


def _again(connection: Connection, message: InboundMessage, name: dict[str, str]) -> Stored:
    """What is there already. Of a message that was erased only that it was there, and nothing is done about it."""
    row = _BY_KEY.one(connection, name)
    if row.state != ERASED:
        return _stored(row)
    return Stored(row.id, row.conversation_id, 0, f"t{row.id}", message, Person(0), row.received_at, open=False)


def _next_event(connection: Connection, place: Conversation) -> tuple[int, int, bool]:
    """The conversation's row, made where it is new, the next number, and whether people answer there."""
    values = {"channel": place.channel, "account": place.account, "key": place.id, "kind": place.kind, "last_event": 1}
    row, event, handed = _PLACE.one(connection, values)
    return row, event, bool(handed)


def take_events(connection: Connection, place: int, count: int) -> int:
    """Takes `count` numbers of a conversation; returns the last of them."""
    return int(_TAKE_EVENTS.one(connection, {"place": place, "count": count}).last_event)


def _stored(row: Row) -> Stored:
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
