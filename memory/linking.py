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

import structlog
from sqlalchemy import Connection, delete, func, insert, select, update

from hub.person import Language
from memory import audit
from memory.tables import identities, joins, link_codes, link_tries, persons

log = structlog.get_logger()

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 and O, no 1, I and L: a code is read from one screen and typed into another."""
LENGTH = 8
LONG = 12
"""While many guess together, codes have so many characters, and a shorter one is worth nothing, also a right one.

Whoever is refused for that asks for a new code and is linked with it at once, so that guessing locks nobody out; and
a thousand guesses a second at a thousand long codes, as many as may stand at once, hit one in 25 000 years.
"""
LASTS = timedelta(minutes=10)
MOST_WRONG = 5
"""Wrong codes after which an identity's codes are refused, also right ones, until LOCKED has gone by."""
MOST_WRONG_OF_ALL = 100
"""Wrong codes of all identities together in LOCKED, after which codes have to be LONG: 14 400 guesses a day at
a thousand short codes hit one in 160 years."""
LOCKED = timedelta(minutes=10)
SWEPT = 20
"""Wrong tries of long ago that go with each new one, so that they are never many."""
IN_FORCE = joins.c.parted_at.is_(None)


@dataclass(frozen=True, slots=True)
class Side:
    """An identity as the journal has it, and where it can be told something."""

    identity: int
    person: int
    place: int
    language: Language = "zh"


def new_code(connection: Connection, side: Side, *, now: datetime) -> str:
    """A code for this identity; an older one of it is worth nothing from now on."""
    connection.execute(delete(link_codes).where(link_codes.c.identity_id == side.identity))
    connection.execute(delete(link_codes).where(link_codes.c.expires_at < now))
    length = LONG if _many_guess(connection, now) else LENGTH
    code = "".join(secrets.choice(ALPHABET) for _ in range(length))
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
        select(link_codes, identities.c.person_id, persons.c.language)
        .join(identities, identities.c.id == link_codes.c.identity_id)
        .join(persons, persons.c.id == identities.c.person_id)
        .where(link_codes.c.digest == _digest(code))
    ).first()
    short = len(_plain(code)) < LONG and _many_guess(connection, now)
    if found is None or found.expires_at < now or found.identity_id == side.identity or short:
        _note_wrong(connection, side, now)
        return None
    if not connection.execute(delete(link_codes).where(link_codes.c.digest == _digest(code))).rowcount:
        return None  # somebody else was quicker
    tongue: Language = "en" if found.language == "en" else "zh"
    giver = Side(found.identity_id, found.person_id, found.conversation_id, tongue)
    join(connection, side.person, giver.person, by=f"person {giver.person}", why="code", now=now)
    return giver


def _locked(connection: Connection, side: Side, now: datetime) -> bool:
    wrong = select(func.count()).where(link_tries.c.identity_id == side.identity, link_tries.c.tried_at > now - LOCKED)
    return connection.execute(wrong).scalar_one() >= MOST_WRONG


def _many_guess(connection: Connection, now: datetime) -> bool:
    """Whether so many wrong codes were said lately, by whomever, that somebody may be trying them out."""
    newest = select(link_tries.c.tried_at).order_by(link_tries.c.id.desc())
    reached = connection.execute(newest.offset(MOST_WRONG_OF_ALL - 1).limit(1)).scalar()
    return reached is not None and reached > now - LOCKED


def _note_wrong(connection: Connection, side: Side, now: datetime) -> None:
    before = _many_guess(connection, now)
    connection.execute(insert(link_tries).values(identity_id=side.identity, tried_at=now))
    oldest = select(link_tries.c.id).order_by(link_tries.c.id).limit(SWEPT).scalar_subquery()
    old = delete(link_tries).where(link_tries.c.id.in_(oldest), link_tries.c.tried_at <= now - LOCKED)
    connection.execute(old)
    if not before and _many_guess(connection, now):
        log.warning(
            "many wrong codes were said: codes to link accounts are longer for a while", wrong=MOST_WRONG_OF_ALL
        )


def _digest(code: str) -> str:
    return hashlib.sha256(_plain(code).encode()).hexdigest()


def _plain(code: str) -> str:
    return code.strip().replace("-", "").upper()


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
