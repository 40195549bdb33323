"""Documents and passages in the database. Functions over a Connection; each is short, so that nobody waits for them.

A document is replaced in steps: its new passages are put beside the old ones in small batches, under a new
generation; then one row says that this generation is the document's, and from then on the new passages are
found and the old ones are not; then the old ones are cleared away in small batches. Whatever a crash leaves
behind belongs to no document's generation and is cleared at the next start.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Row, and_, func, insert, select, update
from sqlalchemy.sql.expression import ColumnElement

from agent.knowledge.document import Document, Slice, searched
from agent.knowledge.index import Entry, Index
from memory.prepared import Prepared
from memory.tables import documents, knowledge, passages

BATCH = 50
"""Passages in one transaction: some 20 ms."""

State = Literal["read", "broken", "removed"]

GONE = "gone"
"""Why a document is removed whose file is no more."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a source.

    `state`: "read"; "broken" (`why` says what is wrong with it) and "removed" (by the operator) are not read
    again before the file changes. `watched`: it lies under one of the configured sources.
    """

    id: str
    source: str
    state: State
    title: str
    digest: str
    size: int
    modified: float
    watched: bool
    why: str = ""
    url: str = ""
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """A passage as it is found."""

    row: int
    key: str
    document: str
    source: str
    url: str
    headings: tuple[str, ...]
    anchor: str
    lead: str
    text: str

    @property
    def searched(self) -> str:
        """The text by which it is found."""
        return searched(self.document, self.headings, self.lead, self.text)


@dataclass(frozen=True, slots=True)
class Totals:
    """How large the knowledge is. `version` grows with every change; `length` is the mean of passages in tokens."""

    version: int
    identity: str
    tokens: str
    passages: int
    length: float


def opened(connection: Connection, tokens: str) -> None:
    """Makes the one row of the knowledge, where it is not there yet."""
    if connection.execute(select(knowledge.c.id)).first() is None:
        row = {"id": 1, "version": 1, "identity": secrets.token_hex(6), "tokens": tokens}
        connection.execute(insert(knowledge), row)


_VERSION = Prepared(lambda _: select(knowledge.c.version))


def version(connection: Connection) -> int:
    """Grows with every change, by whichever process."""
    row = _VERSION.first(connection, {})
    return int(row.version) if row else 0


def totals(connection: Connection) -> Totals:
    """Asked once for each version."""
    row = connection.execute(select(knowledge.c.version, knowledge.c.identity, knowledge.c.tokens)).one()
    count, length = connection.execute(select(func.count(), func.avg(passages.c.length)).select_from(passages)).one()
    return Totals(row.version, row.identity, row.tokens, count, float(length or 0))


def _changed(connection: Connection) -> None:
    connection.execute(update(knowledge).values(version=knowledge.c.version + 1))


def known(connection: Connection) -> dict[str, Known]:
    """Every source with what is known of it."""
    counted = (
        select(func.count())
        .where(passages.c.document_id == documents.c.id, passages.c.generation == documents.c.generation)
        .scalar_subquery()
    )
    columns = [documents.c[name] for name in Known.__slots__ if name != "passages"]
    rows = connection.execute(select(*columns, counted.label("passages")).order_by(documents.c.source))
    return {row.source: Known(**row._mapping) for row in rows}


def begin(connection: Connection, about: Known, now: datetime) -> int:
    """A generation that nobody else uses, under which the passages of this source may be put."""
    if connection.execute(select(documents.c.id).where(documents.c.id == about.id)).first() is None:
        values = _values(replace(about, state="broken", digest="", why="not read yet")) | {"text": "", "generation": 0}
        connection.execute(insert(documents).values(**values, read_at=now))
    return 1 + secrets.randbelow(2**31 - 1)


def put(
    connection: Connection, index: Index, document: str, generation: int, batch: Sequence[tuple[Slice, Entry]]
) -> None:
    """Puts passages beside those that are there; they are not found yet."""
    entries = {}
    for piece, entry in batch:
        values = {
            "document_id": document,
            "generation": generation,
            "key": piece.key,
            "start": piece.start,
            "end": piece.end,
            "headings": list(piece.headings),
            "anchor": piece.anchor,
            "lead": piece.lead,
            "length": len(entry.words),
        }
        made = connection.execute(insert(passages).returning(passages.c.id), values)
        entries[made.scalar_one()] = entry
    index.add(connection, entries)


class Disturbed(Exception):
    """Another process cleared away what was being put; put it again."""


def finish(connection: Connection, about: Known, document: Document | None, generation: int, now: datetime) -> None:
    """From now on the passages of this generation are the source's. Without a document it has none.

    Raises Disturbed.
    """
    mine = and_(passages.c.document_id == about.id, passages.c.generation == generation)
    there = connection.execute(select(func.count()).where(mine)).scalar()
    if document and there != len(document.slices):
        raise Disturbed
    values = _values(about) | {"generation": generation, "read_at": now, "text": document.text if document else ""}
    connection.execute(update(documents).where(documents.c.id == about.id).values(**values))
    _changed(connection)


def _values(about: Known) -> dict[str, object]:
    return {name: getattr(about, name) for name in Known.__slots__ if name != "passages"}


def touch(connection: Connection, about: Known) -> None:
    """The file has another time, but says the same."""
    connection.execute(update(documents).where(documents.c.id == about.id).values(**_values(about)))


def forget(connection: Connection, ids: Iterable[str], why: str) -> None:
    """Nothing of these sources is found any more. The rows of those whose file is gone go with their passages."""
    for document in ids:
        values = {"generation": -1, "state": "removed", "text": "", "why": why}
        connection.execute(update(documents).where(documents.c.id == document).values(**values))
    _changed(connection)


def stale(connection: Connection) -> list[str]:
    """Documents that have passages of another generation than their own, or are gone. Asked once at start."""
    others = select(passages.c.document_id).join(documents).where(passages.c.generation != documents.c.generation)
    gone = select(documents.c.id).where(documents.c.why == GONE)
    return list(connection.execute(others.union(gone)).scalars())


def sweep(connection: Connection, index: Index, document: str) -> bool:
    """Clears away some passages that are not of the document's generation; False when there are none left."""
    generation = select(documents.c.generation).where(documents.c.id == document).scalar_subquery()
    old = and_(passages.c.document_id == document, passages.c.generation != generation)
    rows = list(connection.execute(select(passages.c.id).where(old).limit(BATCH)).scalars())
    if rows:
        index.remove(connection, rows)
        connection.execute(passages.delete().where(passages.c.id.in_(rows)))
        return True
    connection.execute(documents.delete().where(documents.c.id == document, documents.c.why == GONE))
    return False


LIVE = and_(
    passages.c.document_id == documents.c.id,
    passages.c.generation == documents.c.generation,
    documents.c.state == "read",
)


def by_row(connection: Connection, rows: Sequence[int]) -> list[Stored]:
    """The passages of these rows that are a document's, in the order of the rows."""
    found = {stored.row: stored for stored in _stored(connection, passages.c.id.in_(rows))} if rows else {}
    return [found[row] for row in rows if row in found]


def by_key(connection: Connection, keys: Sequence[str]) -> list[Stored]:
    """The passages with these keys that are a document's."""
    return _stored(connection, passages.c.key.in_(keys)) if keys else []


def _stored(connection: Connection, which: ColumnElement[bool]) -> list[Stored]:
    said = func.substr(documents.c.text, passages.c.start + 1, passages.c.end - passages.c.start)
    query = select(passages, documents.c.title, documents.c.source, documents.c.url, said.label("said")).where(
        LIVE, which
    )
    return [_passage(row) for row in connection.execute(query)]


def _passage(row: Row[tuple[object, ...]]) -> Stored:
    return Stored(row.id, row.key, row.title, row.source, row.url, tuple(row.headings), row.anchor, row.lead, row.said)


def keys(connection: Connection) -> list[str]:
    """Of all passages that are a document's."""
    return list(connection.execute(select(passages.c.key).where(LIVE)).scalars())


def alive(connection: Connection, wanted: Sequence[str]) -> set[str]:
    """Which of these keys are a document's."""
    return set(connection.execute(select(passages.c.key).where(LIVE, passages.c.key.in_(wanted))).scalars())


def rows(connection: Connection, after: int) -> list[int]:
    """Some rows of passages above a number, in order."""
    some = select(passages.c.id).where(passages.c.id > after).order_by(passages.c.id).limit(BATCH)
    return list(connection.execute(some).scalars())


def indexed(connection: Connection, tokens: str) -> None:
    """The index is made of these tokens now."""
    connection.execute(update(knowledge).values(tokens=tokens))
    _changed(connection)
