"""Identities, and the person behind each. New identities get a person of their own; only evidence joins people.

Statements of the hot path are built once: building one costs more than running it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, insert, select

from hub.person import Evidence, Identity, Language, Person
from memory.tables import INSERTS, evidence, identities, persons

PROOF = frozenset({"jwt_sub"})
"""Evidence that says by itself who somebody is, with no second identity."""


@dataclass(frozen=True, slots=True)
class Known:
    """An identity's row, and its person."""

    row: int
    person: Person


_same_person = identities.alias("same_person")
_count = (
    select(func.count())
    .select_from(_same_person)
    .where(_same_person.c.person_id == identities.c.person_id)
    .scalar_subquery()
)
_proven = exists().where(evidence.c.identity_id == identities.c.id, evidence.c.kind.in_(sorted(PROOF)))
FIND = select(
    identities.c.id, identities.c.person_id, persons.c.language, _count.label("joined"), _proven.label("proven")
).join(persons, persons.c.id == identities.c.person_id)


_BY_NAME = FIND.where(
    identities.c.channel == bindparam("channel"),
    identities.c.account == bindparam("account"),
    identities.c.user == bindparam("user"),
)
_NEW_PERSON = insert(persons).returning(persons.c.id)
_NEW_IDENTITY = {
    name: put(identities).on_conflict_do_nothing().returning(identities.c.id) for name, put in INSERTS.items()
}
_NEW_EVIDENCE = {name: put(evidence).on_conflict_do_nothing() for name, put in INSERTS.items()}


def known(connection: Connection, identity: Identity) -> Known | None:
    """The identity, when it was seen before."""
    found = connection.execute(_BY_NAME, asdict(identity)).first()
    if found is None:
        return None
    language: Language = "en" if found.language == "en" else "zh"
    return Known(found.id, Person(found.person_id, language, linked=found.joined > 1 or found.proven))


def meet(connection: Connection, identity: Identity, proofs: tuple[Evidence, ...], *, now: datetime) -> Known:
    """The identity and its person; both are made where they are new. Keeps what the platform vouches for."""
    met = known(connection, identity) or _new(connection, identity, now)
    if not proofs:
        return met
    put = _NEW_EVIDENCE[connection.dialect.name]
    for proof in proofs:
        connection.execute(put, {"identity_id": met.row, **asdict(proof), "first_seen_at": now})
    return known(connection, identity) or met


def _new(connection: Connection, identity: Identity, now: datetime) -> Known:
    person = connection.execute(_NEW_PERSON, {"language": "zh", "created_at": now}).scalar_one()
    values = {"person_id": person, **asdict(identity), "created_at": now}
    row = connection.execute(_NEW_IDENTITY[connection.dialect.name], values).scalar()
    if row is not None:
        return Known(row, Person(person))
    connection.execute(persons.delete().where(persons.c.id == person))  # another transaction was first
    met = known(connection, identity)
    assert met is not None  # noqa: S101 — the conflict says that it is there
    return met
