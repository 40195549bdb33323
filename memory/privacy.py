"""A person's data: shown, handed over whole, and erased for good (个人信息保护法, articles 44 to 50).

Erasing takes a person out of every table. What stays is a tombstone without content for each message (its key, or the
digest of a key that names the person, so that a late redelivery does not bring it back) and a line in the audit log
that names a number. The database file is rewritten afterwards, so that no page of it holds the old bytes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from memory import audit
from memory.inbox import ERASED, buried
from memory.tables import (
    bans,
    confirmations,
    conversations,
    evidence,
    facts,
    files,
    identities,
    joins,
    link_codes,
    link_tries,
    messages,
    notes,
    parts,
    persons,
    summaries,
    tool_calls,
)

BATCH = 500
"""Messages that are erased in one statement: a database takes so many values and no more."""


class SeveralPeople(Exception):
    """An id is unique within its account only: these accounts know it, and not as one person."""

    def __init__(self, accounts: Sequence[str]) -> None:
        super().__init__(", ".join(accounts))


def find(connection: Connection, channel: str, user: str, account: str = "") -> int | None:
    """The person behind CHANNEL:USER. Raises SeveralPeople where the account has to be named, too."""
    row = _named(connection, channel, user, account)
    return row.person_id if row else None


def identity(connection: Connection, channel: str, user: str, account: str = "") -> int:
    """The row of CHANNEL:USER, which is there. Raises SeveralPeople."""
    row = _named(connection, channel, user, account)
    assert row is not None  # noqa: S101 — its person was found
    return int(row.id)


def _named(connection: Connection, channel: str, user: str, account: str) -> Any:
    query = select(identities).where(identities.c.channel == channel, identities.c.user == user)
    if account:
        query = query.where(identities.c.account == account)
    rows = connection.execute(query.order_by(identities.c.id.desc())).all()
    if len({row.person_id for row in rows}) > 1:
        raise SeveralPeople(sorted(row.account for row in rows))
    return rows[0] if rows else None


def handed_over(connection: Connection, person: int, *, by: str, now: datetime) -> None:
    """Notes that somebody took everything out."""
    audit.write(connection, audit.Entry(by, "export", f"person {person}"), now=now)


def export(connection: Connection, person: int) -> dict[str, Any]:
    """Everything that is kept of a person, as plain values that make readable JSON."""
    mine = _identities(person)
    return {
        "person": person,
        "identities": _rows(connection, select(identities).where(identities.c.person_id == person)),
        "evidence": _rows(connection, select(evidence).where(evidence.c.identity_id.in_(mine))),
        "joins": _rows(connection, select(joins).where(joins.c.identity_id.in_(mine))),
        "facts": _rows(connection, select(facts).where(facts.c.identity_id.in_(mine))),
        "files": _rows(connection, select(files).where(files.c.identity_id.in_(mine))),
        "bans": _rows(connection, select(bans).where(bans.c.identity_id.in_(mine))),
        "summaries": _rows(connection, select(summaries).where(summaries.c.identity_id.in_(mine))),
        "said": _rows(connection, select(messages).where(messages.c.identity_id.in_(mine))),
        "told": _rows(connection, select(parts).where(parts.c.identity_id.in_(mine))),
        "confirmations": _rows(connection, select(confirmations).where(confirmations.c.identity_id.in_(mine))),
        "tool_calls": _rows(connection, select(tool_calls).where(tool_calls.c.message_id.in_(_messages(person)))),
    }


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    rows = connection.execute(query).mappings()
    return [{k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()} for row in rows]


def _identities(person: int) -> Any:
    return select(identities.c.id).where(identities.c.person_id == person)


def _messages(person: int) -> Any:
    return select(messages.c.id).where(messages.c.identity_id.in_(_identities(person)))


def forget(connection: Connection, person: int, *, by: str, now: datetime, spare: int = 0) -> None:
    """What the person said and was told, and what was made of it; the person and their links stay.

    `spare` is the message that asks for it: it is still to be answered.
    """
    mine = connection.execute(_identities(person)).scalars().all()
    _clear(connection, person, mine, spare)
    audit.write(connection, audit.Entry(by, "forget", f"person {person}"), now=now)


def erase(connection: Connection, person: int, *, by: str, now: datetime) -> None:
    """The person, too."""
    mine = connection.execute(_identities(person)).scalars().all()
    places = _private(connection, mine)
    homes = connection.execute(select(joins.c.from_person).where(joins.c.identity_id.in_(mine))).scalars().all()
    _clear(connection, person, mine, 0)
    connection.execute(delete(notes).where(notes.c.channel == "memory", notes.c.key.in_([f"forget {i}" for i in mine])))
    for table in (evidence, joins, link_codes, link_tries):
        connection.execute(delete(table).where(table.c.identity_id.in_(mine)))
    connection.execute(delete(identities).where(identities.c.id.in_(mine)))
    lived_in = select(identities.c.person_id)
    gone = persons.c.id.in_([person, *homes]) & persons.c.id.not_in(lived_in)
    connection.execute(delete(persons).where(gone))
    _leave(connection, places)
    audit.write(connection, audit.Entry(by, "erase", f"person {person}"), now=now)


def _clear(connection: Connection, person: int, mine: Sequence[int], spare: int) -> None:
    """Takes out the words; a message leaves its key behind."""
    rows = connection.execute(_messages(person).add_columns(messages.c.key)).all()
    users = connection.execute(select(identities.c.user).where(identities.c.id.in_(mine))).scalars().all()
    for table in (facts, bans, summaries, parts):
        connection.execute(delete(table).where(table.c.identity_id.in_(mine)))
    bury(connection, [(row.id, any(user and user in row.key for user in users)) for row in rows if row.id != spare])


def bury(connection: Connection, rows: Sequence[tuple[int, bool]]) -> None:
    """Leaves of these messages their keys only; a key that names a person (the second value) as its digest."""
    place, identity = _graveyard(connection)
    for first in range(0, len(rows), BATCH):
        some = rows[first : first + BATCH]
        theirs = [row for row, _ in some]
        for table in (facts, files, tool_calls, confirmations, parts):
            connection.execute(delete(table).where(table.c.message_id.in_(theirs)))
        grave = {
            "state": ERASED,
            "payload": "",
            "live": "",
            "conversation_id": place,
            "identity_id": identity,
            "event": 0,
        }
        connection.execute(update(messages).where(messages.c.id.in_(theirs)).values(**grave))
        naming = select(messages.c.id, messages.c.key).where(messages.c.id.in_([row for row, names in some if names]))
        for row in connection.execute(naming).all():
            connection.execute(update(messages).where(messages.c.id == row.id).values(key=buried(row.key)))


def _graveyard(connection: Connection) -> tuple[int, int]:
    """The conversation and the identity that all tombstones belong to."""
    place = connection.execute(select(conversations.c.id).where(conversations.c.channel == ERASED)).scalar()
    if place is None:
        values = {"channel": ERASED, "account": "", "key": "", "kind": "private", "last_event": 0}
        place = connection.execute(insert(conversations).values(values).returning(conversations.c.id)).scalar_one()
    identity = connection.execute(select(identities.c.id).where(identities.c.channel == ERASED)).scalar()
    if identity is None:
        now = datetime.fromtimestamp(0).astimezone()
        nobody = connection.execute(insert(persons).values(created_at=now).returning(persons.c.id)).scalar_one()
        values = {"person_id": nobody, "channel": ERASED, "account": "", "user": "", "created_at": now}
        identity = connection.execute(insert(identities).values(values).returning(identities.c.id)).scalar_one()
    return int(place), int(identity)


def _private(connection: Connection, mine: Sequence[int]) -> Sequence[int]:
    """The private conversations in which these identities spoke."""
    query = select(conversations.c.id).join(messages, messages.c.conversation_id == conversations.c.id)
    own = query.where(
        messages.c.identity_id.in_(mine), conversations.c.kind == "private", conversations.c.channel != ERASED
    )
    return connection.execute(own.distinct()).scalars().all()


def _leave(connection: Connection, places: Sequence[int]) -> None:
    """Those in which nobody is left, and nothing."""
    nothing = ~exists().where(messages.c.conversation_id == conversations.c.id)
    nobody = ~exists().where(parts.c.conversation_id == conversations.c.id)
    connection.execute(delete(conversations).where(conversations.c.id.in_(places), nothing, nobody))


def counts(connection: Connection, person: int) -> dict[str, int]:
    """How much is kept of a person."""
    mine = _identities(person)
    return {
        table.name: connection.execute(select(func.count()).where(table.c.identity_id.in_(mine))).scalar_one()
        for table in (messages, parts, facts)
    }
