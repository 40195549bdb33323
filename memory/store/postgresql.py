"""PostgreSQL: the jobs of a group in one transaction, and each in one of its own where one of them fails.

One writer, because a message is a dozen statements on rows that its neighbours share (the log of acts, the
conversation), and because a commit waits for the disk whatever is in it. Measured in turns on one busy machine, four
commits a message, 64 people at once: 160 to 230 messages a second and 3.5 to 4 ms of processor for each with a pool of
20 asyncio connections and a transaction a job, 460 to 500 and 0.9 ms so (`python -m tests.bench stores`).
Savepoints would cost each job two round trips; a group that is
run again job by job costs something only where one fails. What loses against another process (a shell command) is
run again, too, and what meets a connection that the server closed while it was idle. A commit whose outcome is unknown
is not.
"""

import time
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from memory.store.threads import Queued, Store, failed, json, not_stored
from memory.tables import OF_PEOPLE

if TYPE_CHECKING:
    import psycopg

READERS = 8
RETRIED = frozenset({"40001", "40P01"})
"""Serialization failure, deadlock."""
PAUSES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Seconds before such a job is run again."""
REWRITTEN_WITHIN = "3s"
"""How long a table that is to be written anew is waited for: behind us in the queue the hub waits for it, too."""
NO_LOCK = "55P03"
CONNECTION = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A server that is gone without a word is noticed within half a minute. https://www.postgresql.org/docs/current/libpq-connect.html"""


def postgres_url(url: str) -> str:
    """The URL with the driver that we use."""
    return "postgresql+psycopg://" + url.split("://", 1)[1]


def postgres_engine(url: str, *, reader: bool) -> Engine:
    """An engine for one writer, or for readers that see one moment and change nothing."""
    address = make_url(postgres_url(url))
    engine = create_engine(
        address,
        pool_size=READERS if reader else 1,
        max_overflow=0,
        pool_pre_ping=reader,
        json_serializer=json,
        connect_args={name: value for name, value in CONNECTION.items() if name not in address.query},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: "psycopg.Connection[object]", _: ConnectionPoolEntry) -> None:
        import psycopg  # only where it is used

        if reader:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True

    return engine


class PostgresStore(Store):
    """One connection that writes, some that read."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__(postgres_engine(url, reader=False), postgres_engine(url, reader=True), READERS)

    def _commit(self, jobs: list[Queued]) -> None:
        if len(jobs) > 1 and self._together(jobs):
            return
        for queued in jobs:
            if not queued.error:
                self._alone(queued)

    def _together(self, jobs: list[Queued]) -> bool:
        """All in one transaction; False when one of them failed, and none happened."""
        try:
            with self._writer.connect() as connection:
                connection.begin()  # prepared statements begin nothing, and what was not begun is not committed
                for queued in jobs:
                    queued.result = queued.job(connection)
                self._end_of(connection, jobs)
        except Exception:  # noqa: BLE001 — whose it is shows when each runs alone
            return False
        return True

    def _end_of(self, connection: Connection, jobs: list[Queued]) -> None:
        """Commits. A connection that breaks meanwhile leaves it unknown whether they happened: none is run again."""
        try:
            connection.commit()
        except SQLAlchemyError as error:
            failed(jobs, not_stored(error))

    def _alone(self, queued: Queued) -> None:
        for pause in (*PAUSES, None):
            try:
                with self._writer.connect() as connection:
                    connection.begin()
                    queued.result = queued.job(connection)
                    self._end_of(connection, [queued])
            except SQLAlchemyError as error:
                if pause and _again(error, first=pause == PAUSES[0]):
                    time.sleep(pause)
                    continue
                queued.error = not_stored(error)
            except Exception as error:  # noqa: BLE001 — it goes to whoever gave us the job
                queued.error = error
            return

    def _scrub(self, whole: bool) -> bool:
        """Writes the tables of people anew, one after the other: each is nobody else's for as long as that takes.

        A plain VACUUM marks the space of deleted rows as free and leaves their bytes in it.
        """
        if not whole:
            return True
        engine = postgres_engine(self._url, reader=False)
        try:
            with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql(f"SET lock_timeout = '{REWRITTEN_WITHIN}'")
                done = [_rewritten(connection, table.name) for table in OF_PEOPLE]
            return all(done)
        except SQLAlchemyError:
            return False
        finally:
            engine.dispose()


def _rewritten(connection: Connection, table: str) -> bool:
    """Whether the table could be written anew. Whoever holds it long is waited for, but not with all others behind."""
    for pause in PAUSES:
        try:
            connection.exec_driver_sql(f'VACUUM (FULL) "{table}"')
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != NO_LOCK:
                raise
            time.sleep(pause)
        else:
            return True
    return False


def _again(error: SQLAlchemyError, *, first: bool) -> bool:
    """Whether it may do better when it is run again."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return (first and lost) or getattr(getattr(error, "orig", None), "sqlstate", "") in RETRIED
