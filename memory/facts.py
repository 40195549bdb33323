"""What a person told us about themselves: kept with its origin, and read by relevance.

A fact is an observation: who said it, in which message, when. What holds now is worked out when it is read
(of a key that has one value the newest, without what was taken back, has ended or is not wanted), never by
changing older rows, so that parting two people gives each side back exactly what was its own. Facts come only
from a person's own words, never from documents, tools or the agent.

Where a fact was told decides where it may surface: one from a private conversation only in private ones,
one from a group only in that group.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, or_, select

from hub.turn import Remembered
from memory import sensitive, wishes
from memory.patterns import Fact
from memory.prepared import Prepared, Row
from memory.tables import facts, identities

TOLD = 12
"""Facts that the agent is told at most."""
LISTED = 50
"""Facts that /memory lists."""
PRIVATE = "private"
SINGLE = frozenset({"name", "mobile", "email", "address", "city", "age", "job", "company", "birthday"})
"""Keys that have one value at a time."""


@dataclass(frozen=True, slots=True)
class Told:
    """A stored fact."""

    id: int
    fact: Fact
    channel: str
    said_at: datetime
    pinned: bool
    until: datetime | None = None

    @property
    def single(self) -> bool:
        """Whether a newer value takes its place."""
        return _single(self.fact.key)


def _single(key: str) -> bool:
    return key in SINGLE or key.startswith("of mine:")


def keep(
    connection: Connection,
    identity: int,
    message: int,
    place: str,
    proposals: Iterable[Fact],
    *,
    now: datetime,
    policy: sensitive.Policy,
) -> int:
    """Stores facts with their origin; what the policy forbids is masked or left out. Returns how many were kept."""
    rows = []
    for fact in proposals:
        value, text = policy.kept(fact.value), policy.kept(fact.text) if fact.text else ""
        if value is None or text is None:
            continue
        rows.append(
            {
                "identity_id": identity,
                "message_id": message,
                "place": place,
                "kind": fact.kind,
                "key": fact.key,
                "value": value,
                "text": text,
                "said_at": now,
                "expires_at": fact.until or (now + fact.lasts if fact.lasts else None),
                "pinned": fact.pinned,
            }
        )
    if rows:
        connection.execute(insert(facts), rows)
    return len(rows)


_OF = Prepared(
    lambda _: (
        select(facts, identities.c.channel)
        .join(identities, identities.c.id == facts.c.identity_id)
        .where(
            identities.c.person_id == bindparam("person"),
            facts.c.place == bindparam("place"),
            or_(facts.c.expires_at.is_(None), facts.c.expires_at > bindparam("now")),
        )
        .order_by(facts.c.said_at.desc(), facts.c.id.desc())
    )
)


def of(connection: Connection, person: int, place: str, *, now: datetime) -> list[Told]:
    """What holds now of this person in such a place, newest first."""
    rows = _OF.all(connection, {"person": person, "place": place, "now": now})
    unwanted = wishes.bans(connection, person)
    pinned = {_mark(row) for row in rows if row.pinned}
    told, seen, taken_back = [], set[str](), list[Fact]()
    for row in rows:
        fact, mark = Fact(row.kind, row.key, row.value, row.text), _mark(row)
        if not fact.text:
            taken_back.append(fact)
        elif mark not in seen:
            seen.add(mark)
            if not _gone(fact, taken_back) and not wishes.unwanted(fact, unwanted):
                told.append(Told(row.id, fact, row.channel, row.said_at, mark in pinned, row.expires_at))
    return told


def listed(connection: Connection, person: int, place: str, *, now: datetime) -> list[Told]:
    """What a person is shown, in the order in which it is numbered: pinned facts first."""
    return sorted(of(connection, person, place, now=now), key=lambda one: not one.pinned)[:LISTED]


def numbered(told: Sequence[Told], number: str) -> Told | None:
    """The one with this number, from 1."""
    n = int(number) if number.isdecimal() else 0
    return told[n - 1] if 0 < n <= len(told) else None


def _mark(row: Row) -> str:
    """What two rows share of which only the newer holds."""
    return str(row.key) if _single(row.key) else f"{row.key} {row.value}"


def _gone(fact: Fact, taken_back: Sequence[Fact]) -> bool:
    """Whether it was said later that it is no longer so."""
    return any(
        fact.key == other.key and (fact.value in other.value or other.value in fact.value) for other in taken_back
    )


def relevant(told: Sequence[Told], question: str, *, most: int = TOLD) -> tuple[Remembered, ...]:
    """Pinned facts, then those that share characters with the question, then the newest."""
    asked = _pairs(question)

    def weight(item: tuple[int, Told]) -> tuple[bool, int, int]:
        place, one = item
        return one.pinned, len(asked & _pairs(one.fact.text)), -place

    ranked = sorted(enumerate(told), key=weight, reverse=True)
    return tuple(Remembered(one.fact.text, one.fact.kind) for _, one in ranked[:most])


def _pairs(text: str) -> set[str]:
    bare = re.sub(r"\W", "", text.lower())
    return {bare[n : n + 2] for n in range(len(bare) - 1)}
