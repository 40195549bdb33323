"""A database of each kind, empty, and the journal over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from memory.journal import SqlJournal
from memory.store import Store
from tests.databases import KINDS, Database, empty


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    return empty(request.param, tmp_path)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    async with database.opened() as opened:
        yield opened


@pytest.fixture
def journal(store: Store) -> SqlJournal:
    return SqlJournal(store)
