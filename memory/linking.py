"""Joins identities into one person, by evidence only, and parts them again.

What somebody said stays with the identity that said it: joining moves identities to a person, parting moves
them back, and history and facts go with them by themselves. Every join is kept with who, when and on which
evidence. The ways to a join:

- a one-time code, given on one channel and said on another: proof that one human reads both;
- the same UnionID, or another id that the platform itself vouches for across channels (memory/vouched.py);
- an operator.

Never a nickname, never an e-mail address that somebody typed.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from memory import audit
from memory.tables import identities, joins, link_codes, link_tries

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 and O, no 1, I and L: a code is read from one screen and typed into another."""
LENGTH = 8
LASTS = timedelta(minutes=10)
MOST_WRONG = 5
"""Wrong codes after which an identity's codes are refused, also right ones, until LOCKED has gone by."""
LOCKED = timedelta(minutes=10)
IN_FORCE = joins.c.parted_at.is_(None)


@dataclass(frozen=True, slots=True)
class Side:
    """An identity as the journal has it, and where it can be told something."""

    identity: int
    person: int
    place: int


def new_code(connection: Connection, side: Side, *, now: datetime) -> str:
    """A code for this identity; an older one of it is worth nothing from now on."""
    connection.execute(delete(link_codes).where(link_codes.c.identity_id == side.identity))
    connection.execute(delete(link_codes).where(link_codes.c.expires_at < now))
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    connection.execute(
        insert(link_codes).values(
            digest=_digest(code), identity_id=side.identity, conversation_id=side.place, expires_at=now + LASTS
        )
    )
    return code


def use_code(connection: Connection, side: Side, code: str, *, now: datetime) -> Side | None:
    """Joins this identity's person with the giver's; the giver, or None when the code is worth nothing.

    A wrong code counts against whoever said it. A code is used up by the first right use.
    """
    if _locked(connection, side, now):
        return None
    found = connection.execute(
        select(link_codes.c.identity_id, link_codes.c.conversation_id, link_codes.c.expires_at, identities.c.person_id)
        .join(identities, identities.c.id == link_codes.c.identity_id)
        .where(link_codes.c.digest == _digest(code))
    ).first()
    if found is None or found.expires_at < now or found.identity_id == side.identity:
        connection.execute(insert(link_tries).values(identity_id=side.identity, tried_at=now))
        return None
    if not connection.execute(delete(link_codes).where(link_codes.c.digest == _digest(code))).rowcount:
        return None  # somebody else was quicker
    giver = Side(found.identity_id, found.person_id, found.conversation_id)
    join(connection, side.person, giver.person, by=f"person {giver.person}", why="code", now=now)
    return giver


def _locked(connection: Connection, side: Side, now: datetime) -> bool:
    wrong = select(func.count()).where(link_tries.c.identity_id == side.identity, link_tries.c.tried_at > now - LOCKED)
    return connection.execute(wrong).scalar_one() >= MOST_WRONG


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().replace("-", "").upper().encode()).hexdigest()


def join(connection: Connection, person: int, into: int, *, by: str, why: str, now: datetime) -> None:
    """All identities of one person become those of another."""
    if person == into:
        return
    moved = connection.execute(select(identities.c.id).where(identities.c.person_id == person)).scalars().all()
    for identity in moved:
        connection.execute(
            insert(joins).values(
                identity_id=identity, from_person=person, to_person=into, by=by, why=why, joined_at=now
            )
        )
    connection.execute(update(identities).where(identities.c.person_id == person).values(person_id=into))
    audit.write(connection, audit.Entry(by, "join", f"person {person}", f"into person {into}, by {why}"), now=now)


def part(connection: Connection, identity: int, *, by: str, now: datetime) -> bool:
    """Undoes the join that brought this identity, else the newest one to it; False when it stands alone.

    What a join brought goes back together to the person it came from, so that either side, whichever of its
    identities speaks, is again exactly who it was before. The evidence that joined them does not join them again.
    """
    person = connection.execute(select(identities.c.person_id).where(identities.c.id == identity)).scalar_one()
    into = select(joins.c.from_person, joins.c.joined_at).where(joins.c.to_person == person, IN_FORCE)
    newest = into.join(identities, identities.c.id == joins.c.identity_id).where(identities.c.person_id == person)
    newest = newest.order_by(joins.c.id.desc()).limit(1)
    last = connection.execute(newest.where(joins.c.identity_id == identity)).first()
    last = last or connection.execute(newest).first()
    if last is None:
        return False
    same = (joins.c.from_person == last.from_person, joins.c.to_person == person, joins.c.joined_at == last.joined_at)
    came = select(joins.c.identity_id).where(*same, IN_FORCE)
    back = update(identities).where(identities.c.id.in_(came), identities.c.person_id == person)
    connection.execute(back.values(person_id=last.from_person))
    connection.execute(update(joins).where(*same, IN_FORCE).values(parted_at=now, parted_by=by))
    entry = audit.Entry(by, "part", f"person {person}", f"person {last.from_person} leaves")
    audit.write(connection, entry, now=now)
    return True


def mates(connection: Connection, identity: int) -> int:
    """With how many other identities this one is one person."""
    person = select(identities.c.person_id).where(identities.c.id == identity).scalar_subquery()
    return connection.execute(select(func.count()).where(identities.c.person_id == person)).scalar_one() - 1
