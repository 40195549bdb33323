"""Identities, and the person behind each. New identities get a person of their own; only evidence joins people."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, or_, select

from hub.person import Evidence, Identity, Language, Person
from memory.prepared import Prepared
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
_proven = exists().where(
    evidence.c.identity_id == identities.c.id, or_(*[evidence.c.kind == kind for kind in sorted(PROOF)])
)
PERSON = (persons.c.id.label("person_id"), persons.c.language, _count.label("joined"), _proven.label("proven"))
"""What a query selects that wants to know the person of an identity; see `person`."""

_NAMED = (
    identities.c.channel == bindparam("channel"),
    identities.c.account == bindparam("account"),
    identities.c.user == bindparam("user"),
)
_FIND = Prepared(
    lambda _: select(identities.c.id, *PERSON).join(persons, persons.c.id == identities.c.person_id).where(*_NAMED)
)
_NEW_PERSON = Prepared(lambda _: insert(persons).returning(persons.c.id), ("language", "created_at"))
_NEW_IDENTITY = Prepared(
    lambda dialect: INSERTS[dialect](identities).on_conflict_do_nothing().returning(identities.c.id),
    ("person_id", "channel", "account", "user", "created_at"),
)
_NEW_EVIDENCE = Prepared(
    lambda dialect: INSERTS[dialect](evidence).on_conflict_do_nothing().returning(evidence.c.id),
    ("identity_id", "kind", "value", "first_seen_at"),
)
_OLD_EVIDENCE = Prepared(
    lambda _: delete(evidence).where(
        evidence.c.identity_id == bindparam("identity_id"),
        evidence.c.kind == bindparam("kind"),
        evidence.c.value != bindparam("value"),
    )
)


def person(row: int, language: str, joined: int, proven: bool) -> Person:
    """The person of what PERSON selected."""
    spoken: Language = "en" if language == "en" else "zh"
    return Person(row, spoken, linked=joined > 1 or bool(proven))


def known(connection: Connection, identity: Identity) -> Known | None:
    """The identity, when it was seen before."""
    found = _FIND.first(connection, _name(identity))
    return Known(found.id, person(found.person_id, found.language, found.joined, found.proven)) if found else None


def meet(connection: Connection, identity: Identity, proofs: tuple[Evidence, ...], *, now: datetime) -> Known:
    """The identity and its person; both are made where they are new. Keeps what the platform vouches for now.

    A number that somebody had before may be another's today: a new value of a kind takes the place of the old.
    """
    met = known(connection, identity) or _new(connection, identity, now)
    if not proofs:
        return met
    for proof in proofs:
        values = {"identity_id": met.row, **asdict(proof), "first_seen_at": now}
        if _NEW_EVIDENCE.first(connection, values):
            _OLD_EVIDENCE.run(connection, values)
    return known(connection, identity) or met


def _new(connection: Connection, identity: Identity, now: datetime) -> Known:
    made = _NEW_PERSON.one(connection, {"language": "zh", "created_at": now}).id
    row = _NEW_IDENTITY.first(connection, {"person_id": made, **_name(identity), "created_at": now})
    if row is not None:
        return Known(row.id, Person(made))
    connection.execute(persons.delete().where(persons.c.id == made))  # another transaction was first
    met = known(connection, identity)
    assert met is not None  # noqa: S101 — the conflict says that it is there
    return met


def _name(identity: Identity) -> dict[str, str]:
    return {"channel": identity.channel, "account": identity.account, "user": identity.user}


def proofs(connection: Connection, person: int) -> list[Evidence]:
    """What platforms vouch for about this person, on all their identities."""
    mine = select(evidence.c.kind, evidence.c.value).join(identities, identities.c.id == evidence.c.identity_id)
    found = connection.execute(mine.where(identities.c.person_id == person).order_by(evidence.c.id))
    return [Evidence(kind, value) for kind, value in found]
