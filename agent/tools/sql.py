"""A tool that is one declared query: it only reads, and what a model or a person says is only ever bound to it."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import AfterValidator, Field, ValidationInfo
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from agent.engine import ToolFailed, ToolSpec
from agent.tools.parameters import Parameters, schema, titles
from agent.tools.threads import Threads
from agent.tools.tool import Call, Description, Tool, ToolSection, Unsure
from config.secret import Address, Secret
from config.settings import fault
from hub.channel import Finding

BROKEN = "查询没有成功。"
STEPS = 10_000
"""Instructions of SQLite, about a millisecond, between two looks at the clock. https://www.sqlite.org/c3ref/progress_handler.html"""
READS = re.compile(r"\s*(?:select|with|values)\b", re.IGNORECASE)


def _database(address: Secret, info: ValidationInfo) -> Secret:
    scheme = urlsplit(address.value).scheme
    if scheme == "postgresql":
        return address
    if scheme != "sqlite":
        raise fault('write "sqlite:///FILE", or an address that begins with postgresql://')
    folder = (info.context or {}).get("folder", Path())
    return Secret(f"sqlite:///{Path(folder, address.value.removeprefix('sqlite:///'))}")


def _query(query: str, info: ValidationInfo) -> str:
    if not READS.match(query) or ";" in query.rstrip().rstrip(";"):
        raise fault("is one query that reads, beginning with SELECT or WITH")
    known = {*info.data.get("bind", {}), *info.data.get("parameters", {})}
    for name in text(query)._bindparams:
        if name not in known:
            raise fault(f"names :{name}, which is neither in parameters nor in bind")
    return query.rstrip().rstrip(";")


class SqlSection(ToolSection):
    """One query."""

    description: Description
    """What it does and when it is used, for a model."""
    parameters: Parameters = Field(default_factory=dict)
    url: Annotated[Address, AfterValidator(_database)]
    """sqlite:///FILE, or postgresql://…"""
    query: Annotated[str, AfterValidator(_query)]
    """What is read; :NAME is a parameter."""
    rows: Annotated[int, Field(ge=1, le=1000)] = 20
    """The most rows that are read."""


SECTION = SqlSection


class Sql:
    """Makes the one tool of a section."""

    def __init__(self, name: str, section: SqlSection) -> None:
        self._section = section
        self._threads = Threads()
        self._engine = engine(section.url.value, section.timeout)
        spec = ToolSpec(name, section.description, schema(section.parameters), section.examples)
        manner = section.manner(name, titles(section.parameters))
        self.tools: Sequence[Tool] = (Tool(spec, section.policy("reads"), self._act, manner),)

    async def open(self) -> None:
        """Each query opens a connection of its own."""

    async def close(self) -> None:
        """Nothing to close."""

    async def doctor(self) -> Finding:
        """Lets the database look at the query, and read nothing."""
        names = dict.fromkeys((*self._section.parameters, *self._section.bind))
        query = f"SELECT * FROM ({self._section.query}) AS asked LIMIT 0"  # noqa: S608 — the operator's own query
        try:
            async with asyncio.timeout(self._section.timeout):
                await self._threads.run(lambda: self._read(query, names))
        except (SQLAlchemyError, TimeoutError) as error:
            why = type(getattr(error, "orig", None) or error).__name__
            return Finding("query", False, f"the database does not take it ({why})", "correct url or query")
        return Finding("query", True, "the database takes it")

    async def _act(self, given: Mapping[str, Any], call: Call) -> object:
        values = {name: given.get(name) for name in (*self._section.parameters, *self._section.bind)}
        try:
            return await self._threads.run(lambda: self._read(self._section.query, values))
        except SQLAlchemyError as error:
            lost = getattr(error, "connection_invalidated", False)
            raise Unsure(BROKEN) if lost else ToolFailed(BROKEN) from None

    def _read(self, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked = text(query)
        with self._engine.connect() as connection:
            found = connection.execute(asked, {name: values[name] for name in asked._bindparams})
            return [dict(row) for row in found.mappings().fetchmany(self._section.rows)]


def engine(url: str, seconds: float) -> Engine:
    """An engine whose connections only read, and give up after so many seconds."""
    if url.startswith("sqlite:"):
        return _sqlite(Path(url.removeprefix("sqlite:///")), seconds)
    limits = f"-c statement_timeout={int(seconds * 1000)} -c default_transaction_read_only=on"
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": max(2, int(seconds)), "options": limits},
        execution_options={"postgresql_readonly": True},
    )


def _sqlite(file: Path, seconds: float) -> Engine:
    """`mode=ro` makes no file where there is none. https://www.sqlite.org/uri.html"""
    address = URL.create("sqlite", database=f"file:{file}", query={"mode": "ro", "uri": "true"})
    made = create_engine(address, poolclass=NullPool, connect_args={"timeout": seconds, "check_same_thread": False})

    @event.listens_for(made, "engine_connect")
    def _limited(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        raw, end = connection.connection.driver_connection, time.monotonic() + seconds
        assert raw is not None  # noqa: S101 — for the type checker; it is connected
        raw.set_progress_handler(lambda: time.monotonic() > end, STEPS)

    return made


def make(name: str, section: SqlSection, http: aiohttp.ClientSession) -> Sql:
    """The tool of a section."""
    return Sql(name, section)
