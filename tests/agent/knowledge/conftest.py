"""A store and an archive, over SQLite and over PostgreSQL."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from agent.knowledge.archive import Archive
from agent.knowledge.library import now
from memory.migrate import migrate
from memory.store import PostgresStore, SqliteStore, Store
from tests.servers import POSTGRES, needs

TEMPLATE = f"knowledge_{os.getpid()}"


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database in a file, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "hub.db"
    migrate("", path)
    return path


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of an empty database in PostgreSQL, to be copied."""
    needs(5432)
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{TEMPLATE}"')
        migrate(_address(TEMPLATE), tmp_path_factory.mktemp("empty") / "hub.db")
        yield TEMPLATE
        server.execute(f'DROP DATABASE "{TEMPLATE}" WITH (FORCE)')


def _address(name: str) -> str:
    return POSTGRES.rpartition("/")[0] + f"/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty database."""
    if request.param == "sqlite":
        async with in_file(request.getfixturevalue("file"), tmp_path) as opened:
            yield opened
        return
    template, name = request.getfixturevalue("template"), f"{TEMPLATE}_{uuid4().hex[:8]}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        copy = PostgresStore(_address(name))
        try:
            yield copy
        finally:
            await copy.close()
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def in_file(file: Path, folder: Path) -> AsyncIterator[SqliteStore]:
    """A copy of the empty file, opened."""
    (folder / "data").mkdir()
    shutil.copy(file, folder / "data" / "hub.db")
    opened = SqliteStore(folder / "data" / "hub.db")
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def archive(store: Store) -> Archive:
    """A whole archive, empty."""
    opened = Archive(store, now)
    await opened.open()
    return opened


@pytest.fixture
async def local(file: Path, tmp_path: Path) -> AsyncIterator[Archive]:
    """The same over SQLite only."""
    async with in_file(file, tmp_path) as opened:
        archive = Archive(opened, now)
        await archive.open()
        yield archive
