"""What a person's older words come to, in short: one text for each identity and place, so that parting parts it too."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from hub.turn import Remembered
from memory.prepared import Prepared
from memory.tables import INSERTS, identities
from memory.tables import summaries as table

TOLD = 300
"""Characters that the agent is told, of all channels together."""
BEGINS = "此前谈过："

_OF = Prepared(
    lambda _: (
        select(table.c.text)
        .join(identities, identities.c.id == table.c.identity_id)
        .where(identities.c.person_id == bindparam("person"), table.c.place == bindparam("place"), table.c.text != "")
        .order_by(table.c.written_at.desc())
    )
)


def of(connection: Connection, person: int, place: str) -> tuple[Remembered, ...]:
    """What the agent may be told of this person in such a place: one text, the newest first, or none."""
    told = " ".join(row.text for row in _OF.all(connection, {"person": person, "place": place}))
    return (Remembered(BEGINS + told[:TOLD], "summary"),) if told else ()


def get(connection: Connection, identity: int, place: str) -> tuple[str, int, datetime | None]:
    """The text, the last message that it covers, and the time of the oldest words in it."""
    query = select(table.c.text, table.c.covers, table.c.since)
    row = connection.execute(query.where(table.c.identity_id == identity, table.c.place == place)).first()
    return (row.text, row.covers, row.since) if row else ("", 0, None)


def put(
    connection: Connection, identity: int, place: str, text: str, covers: int, since: datetime | None, *, now: datetime
) -> None:
    """Stores it in the place of the one before."""
    values = {"text": text, "covers": covers, "since": since if text else None, "written_at": now}
    put = INSERTS[connection.dialect.name](table).values(identity_id=identity, place=place, **values)
    connection.execute(put.on_conflict_do_update(index_elements=["identity_id", "place"], set_=values))
