"""Statements of the hot path: written with Core, compiled once a database, and run on the driver's own cursor.

What Core does around a statement takes several times as long as the statement itself (measured on SQLite: 46 µs
through Connection.execute, 3 µs on the cursor). A message is a dozen of them, so these are worth it; all
others are not. Values go in as Core takes them; rows come out as the driver gives them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

Values = Mapping[str, Any]
Prepare = Callable[[Values], Any]
T = TypeVar("T")


class Prepared:
    """A statement with bound parameters; `columns` are those that an INSERT fills.

    `make` is given the name of the database, because their INSERTs are of different kinds.
    """

    def __init__(self, make: Callable[[str], ClauseElement], columns: Iterable[str] = ()) -> None:
        self._make = make
        self._columns = list(columns) or None
        self._compiled: dict[str, tuple[str, Prepare]] = {}

    def all(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """Runs it; all rows."""
        sql, prepare = self._of(connection.dialect)
        return _run(connection, sql, prepare(values), _all)

    def first(self, connection: Connection, values: Values) -> tuple[Any, ...] | None:
        """Runs it; the first row, or None."""
        sql, prepare = self._of(connection.dialect)
        return _run(connection, sql, prepare(values), _first)

    def one(self, connection: Connection, values: Values) -> tuple[Any, ...]:
        """Runs it; the row that there surely is."""
        row = self.first(connection, values)
        assert row is not None  # noqa: S101 — the statement says so
        return row

    def run(self, connection: Connection, values: Values) -> None:
        """Runs it, for what it does."""
        sql, prepare = self._of(connection.dialect)
        _run(connection, sql, prepare(values), _none)

    def _of(self, dialect: Dialect) -> tuple[str, Prepare]:
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = self._compile(dialect)
        return known

    def _compile(self, dialect: Dialect) -> tuple[str, Prepare]:
        compiled: Any = self._make(dialect.name).compile(dialect=dialect, column_keys=self._columns)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        to = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        fixed = {name: bind.value for name, bind in binds.items() if not bind.required}
        order = [(name, to[name]) for name in compiled.positiontup or binds]

        def positional(values: Values) -> tuple[Any, ...]:
            given = {**fixed, **values} if fixed else values
            return tuple([process(given[name]) if process else given[name] for name, process in order])

        def named(values: Values) -> dict[str, Any]:
            given = {**fixed, **values}
            return {name: process(given[name]) if process else given[name] for name, process in order}

        return compiled.string, positional if compiled.positiontup else named


def command(connection: Connection, sql: str) -> None:
    """Runs one that takes no values, such as SAVEPOINT."""
    _run(connection, sql, (), _none)


def _run(connection: Connection, sql: str, values: Any, take: Callable[[Any], T]) -> T:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, values)
        return take(cursor)
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, None, error, base, dialect=connection.dialect) from None
    finally:
        cursor.close()


def _all(cursor: Any) -> list[tuple[Any, ...]]:
    return list(cursor.fetchall())


def _first(cursor: Any) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _none(_: Any) -> None:
    """Nothing is asked for."""
