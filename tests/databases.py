"""Migrated, empty databases for tests: a file of SQLite, or a database of this process in PostgreSQL."""

import atexit
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg

from memory.migrate import migrate
from memory.store import PostgresStore, SqliteStore, Store
from memory.tables import metadata
from tests.servers import POSTGRES, needs

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Database:
    """Where it is, as [storage] url and data_dir name it. It may be opened as often as a test likes."""

    url: str
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "hub.db"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        store: Store = PostgresStore(self.url) if self.url else SqliteStore(self.file)
        try:
            yield store
        finally:
            await store.close()


def empty(kind: str, folder: Path) -> Database:
    """With all tables and no rows. PostgreSQL has one for all tests of a process, so one test uses it at a time."""
    if kind == "sqlite":
        shutil.copy(_file(), folder / "hub.db")
        return Database("", folder)
    needs(5432)
    with psycopg.connect(_database()) as server:
        for table in reversed(metadata.sorted_tables):
            server.execute(f'DELETE FROM "{table.name}"'.encode())
    return Database(_database(), folder)


@contextmanager
def bare(kind: str, folder: Path) -> Iterator[Database]:
    """Without any table."""
    if kind == "sqlite":
        yield Database("", folder)
        return
    needs(5432)
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        name = f"hub_test_{os.getpid()}_{uuid4().hex[:8]}"
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield Database(_address(name), folder)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@cache
def _file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hub-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate("", folder / "hub.db")
    return folder / "hub.db"


@cache
def _database() -> str:
    opened = bare("postgresql", _file().parent)
    database = opened.__enter__()
    atexit.register(opened.__exit__, None, None, None)
    migrate(database.url, database.file)
    return database.url


def _address(name: str) -> str:
    return POSTGRES.rpartition("/")[0] + f"/{name}"
