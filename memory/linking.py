"""Joins identities into one person, by evidence only, and parts them again.

What somebody said stays with the identity that said it: joining moves identities to a person, parting moves
them back, and history and facts go with them by themselves. Every join is kept with who, when and on which
evidence. The ways to a join:

- a one-time code, given on one channel and said on another: proof that one human reads both;
- the same UnionID, or another id that the platform itself vouches for across channels (JOINING);
- an operator.

Never a nickname, never an e-mail address that somebody typed.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from memory import audit
from memory.tables import evidence, identities, joins, link_codes, link_tries, persons

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 and O, no 1, I and L: a code is read from one screen and typed into another."""
LENGTH = 8
LASTS = timedelta(minutes=10)
MOST_WRONG = 5
"""Wrong codes after which an identity's codes are refused, also right ones, until LOCKED has gone by."""
LOCKED = timedelta(minutes=10)
JOINING = frozenset({"unionid", "staff_id", "feishu_union_id", "dingtalk_union_id", "email", "mobile"})
"""Evidence that names the same human wherever it is seen; each is verified by the platform or its directory."""


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
    connection.execute(delete(link_codes).where(link_codes.c.digest == _digest(code)))
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
    """Takes the identity out of its person, with those that came along with it; False when it stands alone.

    What a join brought goes back together to the person it came from. An identity that others were joined
    to leaves alone. The evidence that joined it does not join it again by itself.
    """
    person = connection.execute(select(identities.c.person_id).where(identities.c.id == identity)).scalar_one()
    mates = connection.execute(select(func.count()).where(identities.c.person_id == person)).scalar_one()
    if mates < 2:
        return False
    last = connection.execute(
        select(joins.c.from_person, joins.c.joined_at)
        .where(joins.c.identity_id == identity, joins.c.to_person == person, joins.c.parted_at.is_(None))
        .order_by(joins.c.id.desc())
        .limit(1)
    ).first()
    if last:
        _undo(connection, last.from_person, person, last.joined_at, now)
        home = last.from_person
    else:
        home = _alone(connection, identity, now)
    audit.write(connection, audit.Entry(by, "part", f"person {person}", f"person {home} leaves"), now=now)
    return True


def _undo(connection: Connection, home: int, person: int, joined_at: datetime, now: datetime) -> None:
    """The identities that came in one join go back to the person they came from."""
    same = (joins.c.from_person == home, joins.c.to_person == person, joins.c.joined_at == joined_at)
    came = select(joins.c.identity_id).where(*same, joins.c.parted_at.is_(None))
    connection.execute(
        update(identities).where(identities.c.id.in_(came), identities.c.person_id == person).values(person_id=home)
    )
    connection.execute(update(joins).where(*same).values(parted_at=now))


def _alone(connection: Connection, identity: int, now: datetime) -> int:
    """The identity gets a person of its own."""
    old = identities.alias("old")
    language = select(persons.c.language).join(old, old.c.person_id == persons.c.id).where(old.c.id == identity)
    home = connection.execute(
        insert(persons)
        .values(language=connection.execute(language).scalar_one(), created_at=now)
        .returning(persons.c.id)
    ).scalar_one()
    connection.execute(update(identities).where(identities.c.id == identity).values(person_id=home))
    return int(home)


def join_by_evidence(connection: Connection, identity: int, *, trusted: frozenset[str], now: datetime) -> bool:
    """Joins the identity to whoever has the same evidence of a trusted kind; True when somebody had.

    Not one that was parted from there: people's own will stands above a platform's id. Nor two people whose
    evidence tells them apart: a mobile may be that of a front desk.
    """
    mine = evidence.alias("mine")
    same = connection.execute(
        select(identities.c.person_id, evidence.c.kind)
        .join(evidence, evidence.c.identity_id == identities.c.id)
        .join(mine, (mine.c.kind == evidence.c.kind) & (mine.c.value == evidence.c.value))
        .where(mine.c.identity_id == identity, identities.c.id != identity, evidence.c.kind.in_(sorted(trusted)))
        .order_by(identities.c.id)
    ).all()
    person = connection.execute(select(identities.c.person_id).where(identities.c.id == identity)).scalar_one()
    others = dict.fromkeys((row.person_id, row.kind) for row in same if row.person_id != person)
    if not others or _parted(connection, identity):
        return False
    for other, kind in others:
        if not apart(connection, person, other, trusted=trusted):
            join(connection, person, other, by="hub", why=kind, now=now)
            return True
    return False


def apart(connection: Connection, one: int, other: int, *, trusted: frozenset[str]) -> bool:
    """Whether two people are surely two: the same kind of evidence with other values, or two ids of one account."""
    verified = [
        select(evidence.c.kind, evidence.c.value)
        .join(identities, identities.c.id == evidence.c.identity_id)
        .where(identities.c.person_id == person, evidence.c.kind.in_(sorted(trusted)))
        for person in (one, other)
    ]
    accounts = [
        select(identities.c.channel, identities.c.account).where(identities.c.person_id == person)
        for person in (one, other)
    ]
    mine, theirs = (_grouped((row.kind, row.value) for row in connection.execute(query)) for query in verified)
    if any(mine[kind].isdisjoint(theirs[kind]) for kind in mine.keys() & theirs.keys()):
        return True
    here, there = ({tuple(row) for row in connection.execute(query)} for query in accounts)
    return not here.isdisjoint(there)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for kind, value in pairs:
        groups.setdefault(kind, set()).add(value)
    return groups


def _parted(connection: Connection, identity: int) -> bool:
    asked = select(joins.c.id).where(joins.c.identity_id == identity, joins.c.parted_at.is_not(None)).limit(1)
    return connection.execute(asked).first() is not None
