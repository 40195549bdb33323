"""Brings the database to the newest revision at start, under a lock, so that replicas may start together.

Alembic is imported only when there is something to do: a start with nothing to do asks for the revision once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from hub.errors import ConfigError
from memory.store import postgres_url, sqlite_engine

FOLDER = Path(__file__).with_name("migrations")
LOCK = 7_238_114_031
"""The advisory lock in PostgreSQL."""


def revisions() -> list[str]:
    """From the first to the newest: files are named by their number."""
    return sorted(file.name.split("_", 1)[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


def migrate(url: str, file: Path) -> None:
    """Blocking. `url` is "" for the SQLite file. Raises ConfigError where the operator must act."""
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(postgres_url(url), poolclass=NullPool) if url else sqlite_engine(file, reader=False)
    known = revisions()
    try:
        if _revision(engine, known) != known[-1]:
            with _lock(engine, file):
                if _revision(engine, known) != known[-1]:
                    _upgrade(engine)
    except DBAPIError as error:
        raise ConfigError(f"{'[storage] url' if url else file}: the database says: {_said(error)}") from None
    finally:
        engine.dispose()


def _revision(engine: Engine, known: Sequence[str]) -> str:
    with engine.begin() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        revision = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
    if revision and revision not in known:
        raise ConfigError(f"the database was written by a newer hub (revision {revision}); run that one, or a backup")
    return revision


def _said(error: DBAPIError) -> str:
    """The driver's first line; a password never stands in it."""
    return (str(error.orig).splitlines() or [type(error.orig).__name__])[0]


@contextmanager
def _lock(engine: Engine, file: Path) -> Iterator[None]:
    if engine.dialect.name == "sqlite":
        with FileLock(file.with_name("migrate.lock"), timeout=60):
            yield
        return
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        yield  # closing the connection frees the lock, also when we die


def _upgrade(engine: Engine) -> None:
    from alembic.command import upgrade
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        upgrade(config, "head")


def run_migrations(connection: Connection) -> None:
    """Called by Alembic's environment."""
    from alembic import context

    from memory.tables import metadata

    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
