"""Customers' orders and their invoices, in SQLite. Every function is one transaction."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

Invoice = Literal["未申请", "已申请", "已开具"]

LATE = 180
"""Days after an order was completed in which its invoice may still be asked for; see knowledge/invoice.md."""
TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    row INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    number TEXT NOT NULL UNIQUE,
    product TEXT NOT NULL,
    amount INTEGER NOT NULL,
    ordered TEXT NOT NULL,
    completed TEXT NOT NULL,
    invoice TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer);
CREATE TABLE IF NOT EXISTS requests (key TEXT PRIMARY KEY, answer TEXT NOT NULL);
"""


class Impossible(Exception):
    """The order system does not do it; the text says why, for whoever asked."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `amount` is in yuan; `ordered` and `completed` are dates like "2026-10-24"."""

    number: str
    product: str
    amount: int
    ordered: str
    completed: str
    invoice: Invoice


@dataclass(frozen=True, slots=True)
class Sample:
    """An order that everybody is given: so many days old when they are first asked about."""

    product: str
    amount: int
    days: int
    invoice: Invoice


SAMPLES = (
    Sample("AP400 空气净化器", 1599, 0, "未申请"),
    Sample("H20 加湿器", 299, 40, "已开具"),
    Sample("电热水壶", 159, 260, "未申请"),
)


class Orders:
    """The orders in one file. `today` tells the shop's date."""

    def __init__(self, file: Path, *, today: Callable[[], date] = date.today) -> None:
        self._file = file
        self._today = today
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as connection:
            connection.executescript(TABLES)

    def of(self, customer: str, *, product: str = "") -> list[Order]:
        """The customer's orders, newest first; only those whose product holds these words where any are given."""
        with self._transaction() as connection:
            if not _known(connection, customer):
                self._welcome(connection, customer)
            found = connection.execute(
                "SELECT number, product, amount, ordered, completed, invoice FROM orders"
                " WHERE customer = ? AND instr(product, ?) ORDER BY ordered DESC",
                (customer, product),
            )
            return [Order(*row) for row in found]

    def all(self, *, product: str = "") -> list[Order]:
        """Everybody's orders: what the shop's own people see."""
        with self._transaction() as connection:
            found = connection.execute(
                "SELECT number, product, amount, ordered, completed, invoice FROM orders WHERE instr(product, ?)"
                " ORDER BY row",
                (product,),
            )
            return [Order(*row) for row in found]

    def request_invoice(self, customer: str, number: str, *, key: str) -> Order:
        """Asks for the invoice of an order. The same key for the same order does nothing and gives the same answer.

        Raises Impossible: no such order of this customer, an invoice that is there, an order that is too old.
        """
        with self._transaction() as connection:
            request = f"{customer} {number} {key}"
            done = connection.execute("SELECT answer FROM requests WHERE key = ?", (request,)).fetchone()
            if done:
                return Order(**json.loads(done[0]))
            order = self._requested(_find(connection, customer, number))
            connection.execute("UPDATE orders SET invoice = ? WHERE number = ?", (order.invoice, number))
            answer = json.dumps(asdict(order), ensure_ascii=False)
            connection.execute("INSERT INTO requests VALUES (?, ?)", (request, answer))
            return order

    def _requested(self, order: Order) -> Order:
        if order.invoice != "未申请":
            raise Impossible(f"订单 {order.number} 的发票{order.invoice}，不用再申请。")
        if self._today() - date.fromisoformat(order.completed) > timedelta(days=LATE):
            raise Impossible(f"订单 {order.number} 完成已超过 {LATE} 天，不能再补开发票。")
        return Order(**{**asdict(order), "invoice": "已申请"})

    def _welcome(self, connection: sqlite3.Connection, customer: str) -> None:
        for sample in SAMPLES:
            ordered = _last_month(self._today()) - timedelta(days=sample.days)
            row = connection.execute("SELECT coalesce(max(row), 0) + 1 FROM orders").fetchone()[0]
            number = f"QH{ordered:%Y%m%d}{row:04d}"
            completed = min(ordered + timedelta(days=5), self._today())
            values = (sample.product, sample.amount, ordered.isoformat(), completed.isoformat(), sample.invoice)
            connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (row, customer, number, *values))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=10, isolation_level="IMMEDIATE")) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection


def _known(connection: sqlite3.Connection, customer: str) -> bool:
    return connection.execute("SELECT 1 FROM orders WHERE customer = ? LIMIT 1", (customer,)).fetchone() is not None


def _find(connection: sqlite3.Connection, customer: str, number: str) -> Order:
    row = connection.execute(
        "SELECT number, product, amount, ordered, completed, invoice FROM orders WHERE customer = ? AND number = ?",
        (customer, number),
    ).fetchone()
    if row is None:
        raise Impossible(f"没有找到订单 {number[:40]}。")
    return Order(*row)


def _last_month(today: date) -> date:
    """A day in the month before this one."""
    return today.replace(day=1) - timedelta(days=8)
