"""Only one server works on a journal: two would both answer what is open in it. Shell commands need no lock.

On SQLite a second server on the same folder is refused. On PostgreSQL it waits as a stand-by and takes over
when the first one ends or loses the database; one that has lost it stops, since the other may be working.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from filelock import FileLock, Timeout

from hub.errors import ConfigError

if TYPE_CHECKING:
    import psycopg

log = structlog.get_logger()

ACTIVE = 7_238_114_033
"""PostgreSQL's advisory lock of the server that works."""
ASKED_EVERY = 2.0
"""Seconds between two tries of a stand-by, and between two looks at a lock that is held."""


@asynccontextmanager
async def active(url: str, lost: Callable[[], None]) -> AsyncIterator[None]:
    """Waits until no other server works on this PostgreSQL database; calls `lost` when that is no longer sure.

    Raises ConfigError when the database can't be reached.
    """
    import psycopg  # only where it is used

    try:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    except psycopg.OperationalError as error:
        raise ConfigError(f"[storage] url: the database says: {str(error).splitlines()[0]}") from None
    async with connection:
        await _acquire(connection)
        watching = asyncio.create_task(_watch(connection, lost))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _acquire(connection: "psycopg.AsyncConnection[tuple[bool]]") -> None:
    waiting = False
    while True:
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (ACTIVE,))).fetchone()
        if row and row[0]:
            return
        if not waiting:
            log.info("another hub works on this database; this one stands by")
        waiting = True
        await asyncio.sleep(ASKED_EVERY)


async def _watch(connection: "psycopg.AsyncConnection[tuple[bool]]", lost: Callable[[], None]) -> None:
    """The lock lives as long as its connection."""
    try:
        while True:
            await asyncio.sleep(ASKED_EVERY)
            async with asyncio.timeout(ASKED_EVERY * 2):
                await connection.execute("SELECT 1")
    except Exception as error:  # noqa: BLE001 — whatever it is, nobody watches over the lock any more
        log.error("the database was lost; this hub stops, so that another may work", why=type(error).__name__)
        lost()


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder for this process. Raises ConfigError when another server has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock, owner = FileLock(folder / "hub.lock"), folder / "hub.pid"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = owner.read_text(encoding="ascii").strip() if owner.exists() else "unknown"
        raise ConfigError(
            f"another hub (process {pid}) works in {folder}; stop it, or give this one another data_dir"
        ) from None
    owner.write_text(str(os.getpid()), encoding="ascii")
    try:
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
