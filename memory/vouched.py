"""What platforms and directories vouch for: it joins people, and parts those of whom it says that they are two.

Two identities with the same verified id are one person, unless another verified id, or an account that both belong
to, says that they are two: a mobile may be that of a front desk, and a value that two people hold names neither.

An id may be learned later than the join, or change. When it then contradicts (the same kind of id, another value),
nobody can tell which of the joins of that person was the wrong one: it may be the id of long ago, or a code that a
colleague was talked into. So all of them are undone, since a person who has to link once more has lost a minute, and
two who are taken for one have lost their secrets. Refusing the newer id instead would leave them together. History
and facts go back to where they came from by themselves, the act is in the audit log, every side is told, and the ids
that do agree join again with the next message. What somebody says by a code, and an operator, after the ids were
known stands above them: one human may have two accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

import structlog
from sqlalchemy import Connection, select, update

from memory import audit
from memory.linking import IN_FORCE, join
from memory.tables import conversations, evidence, identities, joins, messages, persons

log = structlog.get_logger()

JOINING = frozenset({"unionid", "staff_id", "feishu_union_id", "dingtalk_union_id", "email", "mobile"})
"""Evidence that names the same human wherever it is seen; each is verified by the platform or its directory."""
WORD = frozenset({"code", "operator"})
"""Joins on somebody's word."""
HUB = "hub"
MOST_HOLDERS = 10
"""More people than that with one value, and it names nobody."""


@dataclass(frozen=True, slots=True)
class Parted:
    """An identity that was parted from others: where it can be told so, 0 where nowhere, and in which language."""

    place: int
    language: str


def join_by_evidence(connection: Connection, identity: int, *, trusted: frozenset[str], now: datetime) -> bool:
    """Joins the identity to whoever has the same evidence of a trusted kind; True when somebody had.

    Nobody who parted, on either side: people's own will stands above a platform's id.
    """
    mine = evidence.alias("mine")
    same = connection.execute(
        select(identities.c.person_id, evidence.c.kind)
        .join(evidence, evidence.c.identity_id == identities.c.id)
        .join(mine, (mine.c.kind == evidence.c.kind) & (mine.c.value == evidence.c.value))
        .where(mine.c.identity_id == identity, identities.c.id != identity, evidence.c.kind.in_(sorted(trusted)))
        .order_by(identities.c.id)
    ).all()
    person = _person(connection, identity)
    holders: dict[str, list[int]] = {}
    for row in same:
        if row.person_id != person and row.person_id not in holders.setdefault(row.kind, []):
            holders[row.kind].append(row.person_id)
    if not any(holders.values()) or _left(connection, person):
        return False
    for kind, others in holders.items():
        welcome = [other for other in others if not _left(connection, other)]
        if welcome and _names_one(connection, [person, *others], trusted):
            join(connection, person, welcome[0], by=HUB, why=kind, now=now)
            return True
    return False


def _names_one(connection: Connection, people: Sequence[int], trusted: frozenset[str]) -> bool:
    """Whether all who hold a value may be one person; one that surely two hold names neither of them."""
    return len(people) <= MOST_HOLDERS and not any(
        apart(connection, one, other, trusted=trusted) for one, other in combinations(people, 2)
    )


def apart(connection: Connection, one: int, other: int, *, trusted: frozenset[str]) -> bool:
    """Whether two people are surely two: evidence of one kind with two values, or two ids of one account."""
    held: dict[str, set[str]] = {}
    for row in _vouched(connection, [one, other], trusted):
        held.setdefault(row.kind, set()).add(row.value)
    if any(len(values) > 1 for values in held.values()):
        return True
    accounts = [
        select(identities.c.channel, identities.c.account).where(identities.c.person_id == person)
        for person in (one, other)
    ]
    here, there = ({tuple(row) for row in connection.execute(query)} for query in accounts)
    return not here.isdisjoint(there)


def part_contradicted(
    connection: Connection, identity: int, *, trusted: frozenset[str], now: datetime
) -> Sequence[Parted]:
    """Undoes all joins of this identity's person where verified ids contradict; whom to tell, nobody where none do."""
    person = _person(connection, identity)
    rows = _vouched(connection, [person], trusted)
    differing = [(a, b) for a, b in combinations(rows, 2) if a.kind == b.kind and a.value != b.value]
    if not differing:
        return ()
    chains = _chains(connection, person)
    kinds = sorted({a.kind for a, b in differing if not _in_full_knowledge(a, b, chains)})
    if not kinds:
        return ()
    _dissolve(connection, chains, now)
    detail = f"verified ids differ: {', '.join(kinds)}"
    audit.write(connection, audit.Entry(HUB, "part", f"person {person}", detail), now=now)
    log.warning("people were parted, because their verified ids differ", person=person, kinds=kinds)
    return [_parted(connection, one) for one in chains]


def _in_full_knowledge(one: Any, other: Any, chains: dict[int, list[Any]]) -> bool:
    """Whether somebody's word joined the two of whom these ids are, when both were known."""
    known = max(one.first_seen_at, other.first_seen_at)
    sides = [
        {(j.from_person, j.to_person, j.joined_at, j.why) for j in chains[row.identity_id]} for row in (one, other)
    ]
    return any(why in WORD and at >= known for _, _, at, why in sides[0] ^ sides[1])


def _chains(connection: Connection, person: int) -> dict[int, list[Any]]:
    """The joins in force of each identity of a person, the first one first; none for the one whom others came to."""
    mine = connection.execute(select(identities.c.id).where(identities.c.person_id == person)).scalars()
    chains: dict[int, list[Any]] = {identity: [] for identity in mine}
    query = select(joins).where(joins.c.identity_id.in_(list(chains)), IN_FORCE).order_by(joins.c.id)
    for row in connection.execute(query):
        chains[row.identity_id].append(row)
    return chains


def _dissolve(connection: Connection, chains: dict[int, list[Any]], now: datetime) -> None:
    """Everybody goes back to where they were before any join."""
    for identity, chain in chains.items():
        if chain:
            home = chain[0].from_person
            connection.execute(update(identities).where(identities.c.id == identity).values(person_id=home))
    undone = update(joins).where(joins.c.identity_id.in_(list(chains)), IN_FORCE)
    connection.execute(undone.values(parted_at=now, parted_by=HUB))


def _parted(connection: Connection, identity: int) -> Parted:
    private = (
        select(messages.c.conversation_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.identity_id == identity, conversations.c.kind == "private")
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    tongue = select(persons.c.language).where(persons.c.id == _person(connection, identity))
    return Parted(connection.execute(private).scalar() or 0, str(connection.execute(tongue).scalar_one()))


def _person(connection: Connection, identity: int) -> int:
    return int(connection.execute(select(identities.c.person_id).where(identities.c.id == identity)).scalar_one())


def _vouched(connection: Connection, people: Sequence[int], trusted: frozenset[str]) -> Sequence[Any]:
    """All that is vouched for of these people, of the kinds that count."""
    query = (
        select(evidence.c.identity_id, evidence.c.kind, evidence.c.value, evidence.c.first_seen_at)
        .join(identities, identities.c.id == evidence.c.identity_id)
        .where(identities.c.person_id.in_(people), evidence.c.kind.in_(sorted(trusted)))
    )
    return connection.execute(query).all()


def _left(connection: Connection, person: int) -> bool:
    """Whether one of this person's identities was parted from others by somebody, and not by us."""
    asked = (
        select(joins.c.id)
        .join(identities, identities.c.id == joins.c.identity_id)
        .where(identities.c.person_id == person, joins.c.parted_at.is_not(None), joins.c.parted_by != HUB)
        .limit(1)
    )
    return connection.execute(asked).first() is not None
