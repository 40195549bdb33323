"""The sample order system: everybody's orders are their own, and an invoice is asked for once."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from examples.orders.server import application
from examples.orders.store import Orders
from tests.architecture.source import ROOT

TODAY = date(2026, 11, 25)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]  # of any request
    orders = await asyncio.to_thread(Orders, tmp_path / "orders.db", today=lambda: TODAY)
    async with TestClient(TestServer(application(orders))) as client:
        yield client


async def listed(shop: TestClient, customer: str, product: str = "") -> list[dict[str, str]]:  # type: ignore[type-arg]
    answer = await shop.get("/orders", params={"customer": customer, "product": product})
    orders: list[dict[str, str]] = (await answer.json())["orders"]
    return orders


async def asked(shop: TestClient, customer: str, number: str, key: str) -> tuple[int, dict[str, str]]:  # type: ignore[type-arg]
    path = f"/orders/{number}/invoice"
    answer = await shop.post(path, json={"customer": customer}, headers={"Idempotency-Key": key})
    return answer.status, await answer.json()


async def test_everybody_has_orders_of_their_own(shop: TestClient) -> None:  # type: ignore[type-arg]
    first, again, other = await listed(shop, "7"), await listed(shop, "7"), await listed(shop, "8")

    assert first == again
    assert not {order["number"] for order in first} & {order["number"] for order in other}


async def test_the_purifier_was_bought_last_month_and_lacks_its_invoice(shop: TestClient) -> None:  # type: ignore[type-arg]
    [order] = await listed(shop, "7", "空气净化器")

    assert (order["ordered"][:7], order["invoice"]) == ("2026-10", "未申请")


async def test_the_same_key_asks_for_an_invoice_once(shop: TestClient) -> None:  # type: ignore[type-arg]
    [order] = await listed(shop, "7", "空气净化器")
    first, again = await asked(shop, "7", order["number"], "k1"), await asked(shop, "7", order["number"], "k1")

    assert first == again == (200, {**order, "invoice": "已申请"})
    assert (await asked(shop, "7", order["number"], "k2"))[0] == 409


async def test_nobody_asks_for_the_invoice_of_somebody_else(shop: TestClient) -> None:  # type: ignore[type-arg]
    [order] = await listed(shop, "7", "空气净化器")

    assert (await asked(shop, "8", order["number"], "k1"))[0] == 409
    assert await listed(shop, "7", "空气净化器") == [order]


async def test_an_old_order_gets_no_invoice(shop: TestClient) -> None:  # type: ignore[type-arg]
    [order] = await listed(shop, "7", "电热水壶")
    status, answer = await asked(shop, "7", order["number"], "k1")

    assert (status, "180 天" in answer["error"]) == (409, True)


async def test_it_runs_beside_a_command_and_ends_with_it(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ("-m", "examples.orders", "--port", str(port), "--file", str(tmp_path / "o.db"), "--beside", "cat")
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert child.stdin
    assert child.stderr
    async with aiohttp.ClientSession() as http:
        told = (await child.stderr.readline()).decode().split()[-1]
        async with http.get(told) as answer:
            status = answer.status
        _, rest = await child.communicate(b"")  # its input ends, and with it the command

    assert (status, await child.wait(), rest) == (400, 0, b"")
