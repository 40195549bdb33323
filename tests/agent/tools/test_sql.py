"""Declared queries, on a real SQLite and a real PostgreSQL: they read, and what people say is only ever a value."""

import os
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pydantic import ValidationError

from agent.engine import ToolFailed
from agent.tools.sql import Sql, SqlSection
from agent.tools.tool import Call
from tests.servers import POSTGRES, needs

CALL = Call("t1", "t1-1")
QUERY = "SELECT number, status FROM shop_orders WHERE customer = :customer AND number LIKE :number ORDER BY number"
ROWS = [("1001", "c-17", "已发货"), ("1002", "c-17", "待付款"), ("2001", "c-18", "已发货")]
EVIL = ["' OR '1'='1", "%' OR 1=1 --", "'; DROP TABLE shop_orders; --", ":customer", "%(customer)s", "%"]


def filled(url: str) -> None:
    """The table and its rows."""
    if url.startswith("postgresql"):
        with psycopg.connect(url) as server:
            server.execute("CREATE TABLE shop_orders (number text, customer text, status text)")
            with server.cursor() as cursor:
                cursor.executemany("INSERT INTO shop_orders VALUES (%s, %s, %s)", ROWS)
        return
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        file.execute("CREATE TABLE shop_orders (number text, customer text, status text)")
        file.executemany("INSERT INTO shop_orders VALUES (?, ?, ?)", ROWS)
    file.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        filled(f"sqlite:///{tmp_path}/shop.db")
        yield f"sqlite:///{tmp_path}/shop.db"
        return
    needs(5432)
    name = f"hub_tool_{uuid4().hex[:10]}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            filled(POSTGRES.rpartition("/")[0] + f"/{name}")
            yield POSTGRES.rpartition("/")[0] + f"/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def section(url: str, **changed: Any) -> SqlSection:
    declared = {
        "kind": "sql",
        "description": "订单",
        "bind": {"customer": "evidence.jwt_sub"},
        "parameters": {"number": {}},
        "url": url,
        "query": QUERY,
    }
    return SqlSection.model_validate({**declared, **changed})


async def asked(section: SqlSection, **given: object) -> Any:
    (tool,) = Sql("orders", section).tools
    return await tool.act(given, CALL)


async def test_a_query_reads_what_is_the_person_s(url: str) -> None:
    assert await asked(section(url), customer="c-17", number="1001") == [{"number": "1001", "status": "已发货"}]
    assert await asked(section(url), customer="c-17", number="2001") == []


@pytest.mark.parametrize("evil", EVIL)
async def test_a_value_stays_a_value(url: str, evil: str) -> None:
    assert await asked(section(url), customer=evil, number="%") == []
    assert len(await asked(section(url), customer="c-17", number=evil)) == (2 if evil == "%" else 0)
    assert len(await asked(section(url), customer="c-18", number="%")) == 1


async def test_no_more_rows_are_read_than_declared(url: str) -> None:
    assert len(await asked(section(url, rows=1), customer="c-17", number="%")) == 1


async def test_a_query_that_writes_all_the_same_changes_nothing(url: str) -> None:
    writes = "WITH gone AS (DELETE FROM shop_orders RETURNING number) SELECT number FROM gone"

    with pytest.raises(ToolFailed):
        await asked(section(url, query=writes, bind={}, parameters={}))

    assert len(await asked(section(url), customer="c-17", number="%")) == 2


async def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed):
        await asked(section(f"sqlite:///{tmp_path}/none.db"), customer="c-17", number="%")

    assert os.listdir(tmp_path) == []


async def test_doctor_lets_the_database_look_at_the_query(url: str, tmp_path: Path) -> None:
    good = await Sql("orders", section(url)).doctor()
    bad = await Sql("orders", section(url, query=QUERY.replace("status", "colour"))).doctor()
    absent = await Sql("orders", section(f"sqlite:///{tmp_path}/none.db")).doctor()

    assert [finding.ok for finding in (good, bad, absent)] == [True, False, False]
    assert bad.setting == "query"


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"query": "DELETE FROM shop_orders"}, "query"),
        ({"query": "SELECT 1; DROP TABLE shop_orders"}, "query"),
        ({"query": "SELECT :nobody"}, "query"),
        ({"url": "mysql://db/shop"}, "url"),
        ({"rows": 0}, "rows"),
    ],
)
def test_a_wrong_declaration_is_refused_at_its_setting(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        section(**{"url": "sqlite:///shop.db", **changed})

    assert refused.value.errors()[0]["loc"][0] == key


def test_a_file_is_relative_to_the_configuration(tmp_path: Path) -> None:
    declared = SqlSection.model_validate(
        {"kind": "sql", "description": "x", "url": "sqlite:///shop.db", "query": "SELECT 1"},
        context={"folder": tmp_path},
    )

    assert declared.url.value == f"sqlite:///{tmp_path}/shop.db"


async def test_a_query_without_an_end_is_interrupted_by_its_database(url: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS all_of_them FROM n"

    with pytest.raises(ToolFailed):
        await asked(section(url, query=endless, bind={}, parameters={}, timeout=1))
