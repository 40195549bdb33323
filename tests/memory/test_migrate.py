"""From nothing to the newest tables, once, whoever starts together."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from hub.errors import ConfigError
from memory.migrate import migrate, revisions
from memory.store import postgres_url
from memory.tables import metadata
from tests.databases import KINDS, Database, bare

ROOT = Path(__file__).parents[2]
SEARCH = {"passage_words", "passage_counts", "passage_tokens"}
"""Tables of the index by word, which each database has in its own way."""


@pytest.fixture(params=KINDS)
def nothing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with bare(request.param, tmp_path) as database:
        yield database


def engine(database: Database) -> Engine:
    return create_engine(
        postgres_url(database.url) if database.url else f"sqlite:///{database.file}", poolclass=NullPool
    )


async def start(database: Database) -> int:
    """The exit status of a process of its own."""
    code = "import sys, pathlib, memory.migrate; memory.migrate.migrate(sys.argv[1], pathlib.Path(sys.argv[2]))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, database.url, str(database.file), cwd=ROOT
    )
    return await process.wait()


async def test_processes_that_start_together_make_the_tables_once(nothing: Database) -> None:
    statuses = list(await asyncio.gather(start(nothing), start(nothing)))

    assert statuses == [0, 0]
    with engine(nothing).connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == revisions()[-1:]


def test_a_start_with_nothing_to_do_does_nothing(nothing: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(nothing.url, nothing.file)
    upgrades: list[Engine] = []
    monkeypatch.setattr("memory.migrate._upgrade", upgrades.append)
    migrate(nothing.url, nothing.file)

    assert upgrades == []


def test_the_migrations_make_the_tables_as_they_are_declared(nothing: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def named(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not name or not any(name.startswith(one) for one in SEARCH)

    migrate(nothing.url, nothing.file)
    with engine(nothing).connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": named, "compare_type": True})
        assert compare_metadata(context, metadata) == []
        conditions = {
            index["name"]: str(index["dialect_options"].get(f"{connection.dialect.name}_where"))
            for table in ("messages", "parts")
            for index in inspect(connection).get_indexes(table)
            if index.get("dialect_options")
        }

    assert "open" in conditions["messages_open"]
    assert "kept" in conditions["parts_unsent"]


def test_a_database_of_a_newer_hub_is_refused(nothing: Database) -> None:
    migrate(nothing.url, nothing.file)
    with engine(nothing).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match="newer hub"):
        migrate(nothing.url, nothing.file)


def test_a_database_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(ConfigError, match=r"hub\.db: the database says: file is not a database$"):
        migrate("", tmp_path / "hub.db")

    with pytest.raises(ConfigError) as refused:
        migrate("postgresql://somebody:geheim@127.0.0.1:1/hub", tmp_path / "hub.db")
    assert "geheim" not in str(refused.value)
