"""The database: SQLite under data_dir, or PostgreSQL by its URL. Functions over a Connection run on either."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from memory.store.postgresql import PostgresStore, postgres_url
from memory.store.sqlite import SqliteStore, sqlite_engine
from memory.store.threads import Job, Store

__all__ = ["Job", "PostgresStore", "SqliteStore", "Store", "open_store", "postgres_url", "sqlite_engine"]


@asynccontextmanager
async def open_store(url: str, data_dir: Path) -> AsyncIterator[Store]:
    """The database that the configuration names, brought to the newest revision."""
    from memory.migrate import migrate

    file = data_dir / "hub.db"
    await asyncio.to_thread(migrate, url, file)
    store: Store = PostgresStore(url) if url else SqliteStore(file)
    try:
        yield store
    finally:
        await store.close()
