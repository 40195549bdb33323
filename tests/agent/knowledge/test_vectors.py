"""The process that owns the vectors, with the real model and the real Chroma; nothing of it reaches for a network."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from filelock import FileLock

from agent.knowledge.vectors import Address, Setup
from agent.knowledge.vectors.client import Away, Vectors

TEXTS = {
    "shipping": "标准配送需要三到五个工作日，偏远地区另加两天。",
    "refund": "收到商品后七天内可以无理由退货，退款原路返回。",
    "hours": "门店每天九点开门，晚上九点关门。",
}


WATCH = """
import sys
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open({file!r}, "a") as out:
            out.write(repr(args[1:] if event != "socket.getaddrinfo" else args[:1]) + chr(10))
sys.addaudithook(hook)
"""
"""Read by every Python that starts with its folder in its path: whatever it reaches for is written down."""


@pytest.fixture
async def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setup]:
    reached, folder = tmp_path / "reached", tmp_path / "watch"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WATCH.format(file=str(reached)), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    made = Setup(tmp_path / "vectors", "test")
    yield made
    await left(made)
    said = reached.read_text(encoding="utf-8").splitlines() if reached.exists() else []
    assert [line for line in said if "127.0.0.1" not in line] == []


async def left(setup: Setup) -> None:
    """Returns when no owner is left."""
    lock = FileLock(setup.folder / "owner.lock", timeout=20)
    await asyncio.to_thread(lock.acquire)
    await asyncio.to_thread(lock.release)


async def owner(setup: Setup) -> int:
    """The process that listens."""
    address = await asyncio.to_thread(Address.of, setup.folder)
    assert address is not None
    return address.pid


async def test_the_nearest_in_meaning_comes_out_for_every_client_also_after_a_crash(setup: Setup) -> None:
    first, second = Vectors(setup), Vectors(setup)
    try:
        assert await first.missing(list(TEXTS)) == (sorted(TEXTS), [])
        await asyncio.gather(first.put(TEXTS), second.put(TEXTS, urgent=True))
        near = await second.nearest("东西多久能寄到", limit=2, keys=["hours"])

        assert max(near, key=near.__getitem__) == "shipping"
        assert set(near) == {"shipping", "refund", "hours"}

        await second.drop(["hours"])

        assert await second.missing(["refund", "new"]) == (["new"], ["shipping"])

        os.kill(await owner(setup), signal.SIGSTOP)
        asking = asyncio.create_task(first.missing([]))
        await asyncio.sleep(0)
        os.kill(await owner(setup), signal.SIGKILL)
        with pytest.raises(Away, match="went away"):
            await asking

        assert await first.missing(list(TEXTS)) == (["hours"], [])
    finally:
        await first.close()
        await second.close()


async def test_the_address_is_for_this_user_alone_and_strangers_are_sent_away(setup: Setup) -> None:
    setup.folder.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        crashed = {"port": free.getsockname()[1], "token": "old", "name": setup.name, "pid": 0}
    (setup.folder / "owner.json").write_text(json.dumps(crashed), encoding="utf-8")
    vectors = Vectors(setup)
    try:
        await vectors.connect()
        address = await asyncio.to_thread(Address.of, setup.folder)
        assert address is not None
        assert (setup.folder / "owner.json").stat().st_mode & 0o777 == 0o600
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(json.dumps({"token": "guess", "name": address.name}).encode() + b"\n")

        assert json.loads(await reader.readline()) == {"ok": False}
        assert await reader.read() == b""

        writer.close()
        other = Vectors(replace(setup, embedding="openai", model="another"))
        with pytest.raises(Away, match="other settings"):
            await other.connect()
    finally:
        await vectors.close()


async def test_an_endpoint_makes_the_vectors_where_one_is_set(setup: Setup) -> None:
    asked = []

    async def embeddings(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append((request.headers["Authorization"], body["model"]))
        if "坏" in body["input"][0]:
            return web.json_response({"error": "full"}, status=429)
        rows = [
            {"index": n, "embedding": [float("运" in t), float("退" in t), 0.1]} for n, t in enumerate(body["input"])
        ]
        return web.json_response({"data": rows[::-1]})

    app = web.Application()
    app.router.add_post("/v1/embeddings", embeddings)
    async with TestServer(app) as server:
        url = str(server.make_url("/v1"))
        there = replace(setup, embedding="openai", model="m", url=url, key="secret", timeout=5)
        vectors = Vectors(there)
        try:
            await vectors.put({"a": "运费八元", "b": "退货七天"})
            near = await vectors.nearest("退款", limit=2, keys=[])
            with pytest.raises(Away, match="429"):
                await vectors.put({"c": "坏"})
        finally:
            await vectors.close()

    assert max(near, key=near.__getitem__) == "b"
    assert set(asked) == {("Bearer secret", "m")}
    await left(there)
