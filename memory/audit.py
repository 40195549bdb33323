"""Who did what to whom, append-only. Each row's digest covers the one before, so that a change or a gap shows.

Rows that are cut off at the end leave a chain that is whole, so the digest of the last row is to be kept elsewhere.

No row holds what somebody said, nor an id that a platform gave them: a person is named by our number, which
means nothing once they are erased.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, text

from memory.tables import audit

BEGINNING = "0" * 64
LOCK = 7_238_114_032
"""PostgreSQL's advisory lock: one row after the other, or two would follow the same one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `actor` is "person 7", "operator", "hub"; `subject` is whom it concerns."""

    actor: str
    act: str
    subject: str
    detail: str = ""


def write(connection: Connection, entry: Entry, *, now: datetime) -> None:
    """Appends a row, in the transaction of the act itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    before = _newest(connection)
    at = datetime.fromtimestamp(round(now.timestamp(), 3), now.tzinfo)
    values = {"at": at, "actor": entry.actor, "act": entry.act, "subject": entry.subject, "detail": entry.detail}
    connection.execute(insert(audit).values(**values, digest=_digest(before, at, entry)))


@dataclass(frozen=True, slots=True)
class Last:
    """How many rows there are, and the digest of the last one."""

    rows: int
    digest: str


def last(connection: Connection) -> Last:
    """Where the log ends."""
    return Last(connection.execute(select(func.count()).select_from(audit)).scalar_one(), _newest(connection))


def _newest(connection: Connection) -> str:
    digest = connection.execute(select(audit.c.digest).order_by(audit.c.id.desc()).limit(1)).scalar()
    return digest or BEGINNING


def holds(connection: Connection, digest: str) -> bool:
    """Whether the row with this digest is there, as it was when the digest was noted."""
    found = select(audit.c.id).where(audit.c.digest == digest)
    return digest == BEGINNING or connection.execute(found).first() is not None


def broken(connection: Connection) -> int | None:
    """The first row that does not follow from the one before; None when the log is whole."""
    before = BEGINNING
    for row in connection.execute(select(audit).order_by(audit.c.id)):
        before = _digest(before, row.at, Entry(row.actor, row.act, row.subject, row.detail))
        if before != row.digest:
            return int(row.id)
    return None


def _digest(before: str, at: datetime, entry: Entry) -> str:
    said = [before, round(at.timestamp() * 1000), entry.actor, entry.act, entry.subject, entry.detail]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
