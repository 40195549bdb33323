"""Statements of the hot path: written with Core, compiled once a database, and run on the driver's own cursor.

What Core does around a statement takes several times as long as the statement itself (measured on SQLite: 46 µs
through Connection.execute, 3 µs on the cursor; building a query with four conditions, 300 µs). A message is a
dozen of them, so these are worth it; all others are not. Values go in, and rows come out, as with Core.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

Statement = Select[Any] | Insert | Update | Delete
Values = Mapping[str, Any]
CURSOR = "cursor of prepared statements"
Row = Any
"""A named tuple with the columns that the statement selects or returns."""


class Prepared:
    """A statement with bound parameters; `columns` are those that an INSERT fills.

    `make` is given the name of the database, because their INSERTs are of different kinds.
    """

    def __init__(self, make: Callable[[str], Statement], columns: Iterable[str] = ()) -> None:
        self._make = make
        self._columns = list(columns) or None
        self._compiled: dict[str, _Compiled] = {}

    def all(self, connection: Connection, values: Values) -> list[Row]:
        """Runs it; all rows."""
        compiled = self._of(connection.dialect)
        rows: list[Row] = _run(connection, compiled.sql, compiled.values(values), compiled.all)
        return rows

    def first(self, connection: Connection, values: Values) -> Row | None:
        """Runs it; the first row, or None."""
        compiled = self._of(connection.dialect)
        return _run(connection, compiled.sql, compiled.values(values), compiled.first)

    def one(self, connection: Connection, values: Values) -> Row:
        """Runs it; the row that there surely is."""
        row = self.first(connection, values)
        assert row is not None  # noqa: S101 — the statement says so
        return row

    def run(self, connection: Connection, values: Values) -> None:
        """Runs it, for what it does."""
        compiled = self._of(connection.dialect)
        _run(connection, compiled.sql, compiled.values(values), _nothing)

    def _of(self, dialect: Dialect) -> "_Compiled":
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = _Compiled(self._make(dialect.name), self._columns, dialect)
        return known


class _Compiled:
    """A statement in the words of one driver, and what turns values into its values and its rows into rows."""

    def __init__(self, statement: Statement, columns: list[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql: str = compiled.string
        self.values = _values(compiled, dialect)
        self._named = partial(_named, statement, dialect)
        self._row: Callable[[Any], Row] | None = None

    def all(self, cursor: Any) -> list[Row]:
        row = self._row = self._row or self._named(cursor)
        return [row(one) for one in cursor.fetchall()]

    def first(self, cursor: Any) -> Row | None:
        row = self._row = self._row or self._named(cursor)
        rows = cursor.fetchall()  # to the end: a statement that is not, holds its snapshot
        return row(rows[0]) if rows else None


def _values(compiled: Any, dialect: Dialect) -> Callable[[Values], Any]:
    """From values by name to what the driver takes: by place or by name."""
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

    return positional if compiled.positiontup else named


def _named(statement: Statement, dialect: Dialect, cursor: Any) -> Callable[[Any], Row]:
    """From the driver's row to a named one. How a value is read depends on the type that the driver tells."""
    columns = statement.exported_columns
    kind: Any = namedtuple("Row", columns.keys())  # type: ignore[misc, arg-type]  # known when it is made
    make: Callable[[Iterable[Any]], Row] = kind._make
    told = [column[1] for column in cursor.description]
    out = [c.type.dialect_impl(dialect).result_processor(dialect, of) for c, of in zip(columns, told, strict=True)]
    if not any(out):
        return make
    return lambda row: make([process(value) if process else value for process, value in zip(out, row, strict=True)])


def command(connection: Connection, sql: str) -> None:
    """Runs one that takes no values, such as SAVEPOINT."""
    _run(connection, sql, (), _nothing)


def rows(connection: Connection, sql: str, values: Any) -> list[Any]:
    """The rows of one in the driver's own words, for what Core has none for (FTS5)."""
    found: list[Any] = _run(connection, sql, values, _all)
    return found


def _run(connection: Connection, sql: str, values: Any, take: Callable[[Any], Any]) -> Any:
    cursor = _cursor(connection)
    try:
        cursor.execute(sql, values)
        return take(cursor)
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, None, error, base, dialect=connection.dialect) from None


def _cursor(connection: Connection) -> Any:
    """One for the life of the driver's connection: every statement is read to its end before the next begins."""
    fairy = connection.connection
    cursor = fairy.info.get(CURSOR)
    if cursor is None:
        cursor = fairy.info[CURSOR] = fairy.cursor()
    return cursor


def _all(cursor: Any) -> list[Any]:
    return list(cursor.fetchall())


def _nothing(_: Any) -> None:
    """Its rows are of no interest."""
