"""The hub's end of the worker, against workers that a test writes: dead, hanging, refusing, replaced."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.engine import EngineFailed
from agent.engines.kotaemon.link import Link, Timing

GREETING = """
import asyncio, json, os, sys, time
import aiohttp
given = json.loads(sys.stdin.readline())

async def main():
    headers = {"Authorization": "Bearer " + given["token"]}
    async with aiohttp.ClientSession() as http, http.ws_connect(given["address"], headers=headers) as socket:
        await socket.send_json({"kind": "ready", "version": "9"})
        async for message in socket:
            told = json.loads(message.data)
            if told["kind"] == "ask":
                await asked(socket, told)
"""
ECHO = f"""{GREETING}
async def asked(socket, told):
    if told["question"] == "die":
        os._exit(1)
    if told["question"] == "hang":
        time.sleep(600)
    if told["question"] == "environment":
        told["question"] = " ".join(sorted(os.environ)) + " " + " ".join(sys.argv) + " " + os.getcwd()
    await socket.send_json({{"kind": "answer", "text": told["question"], "turn": told["turn"]}})

asyncio.run(main())
"""
IMPOSTOR = """
import asyncio, json, sys
import aiohttp
given = json.loads(sys.stdin.readline())

async def main():
    async with aiohttp.ClientSession() as http:
        try:
            await http.ws_connect(given["address"], headers={"Authorization": "Bearer guessed"})
        except aiohttp.WSServerHandshakeError as refused:
            sys.exit(0 if refused.status == 403 else 7)

asyncio.run(main())
"""
BROKEN = (
    GREETING.replace('"ready", "version": "9"', '"broken", "code": "ModuleNotFoundError theflow"')
    + "\nasyncio.run(main())"
)
SOON = Timing(start=60, ping=1, pauses=(0.05,))


@asynccontextmanager
async def linked(place: Path, text: str, timing: Timing = SOON) -> AsyncIterator[Link]:
    worker = place / "worker.py"
    worker.write_text(text, encoding="utf-8")
    link = Link(Path(sys.executable), worker=worker, timing=timing)
    try:
        yield link
    finally:
        await link.close()


async def told(link: Link, question: str) -> str:
    async with link.turn({"question": question}) as line:
        said = await line.told.get()
    return str(said.get("text") or said["code"])


async def back(link: Link) -> None:
    """Waits until there is a worker again."""
    while link.fault:  # noqa: ASYNC110 - a link tells nobody when it is whole again
        await asyncio.sleep(0.02)


async def test_a_turn_goes_out_and_its_answer_comes_back(tmp_path: Path) -> None:
    async with linked(tmp_path, ECHO) as link:
        assert await asyncio.gather(*(told(link, f"问题{n}") for n in range(20))) == [f"问题{n}" for n in range(20)]
        assert link.version == "9"


@pytest.mark.parametrize(("question", "why"), [("die", "ended"), ("hang", "hanging")])
async def test_a_worker_that_is_gone_fails_its_turns_and_is_replaced(tmp_path: Path, question: str, why: str) -> None:
    async with linked(tmp_path, ECHO) as link:
        assert await told(link, question) == why
        await back(link)
        assert await told(link, "在吗") == "在吗"


async def test_while_a_worker_is_gone_nobody_waits_for_it(tmp_path: Path) -> None:
    async with linked(tmp_path, ECHO, Timing(start=60, ping=1, pauses=(600,))) as link:
        await told(link, "die")
        with pytest.raises(EngineFailed):
            await told(link, "在吗")


async def test_the_token_stands_neither_in_the_arguments_nor_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_KEY", "sk-secret")
    async with linked(tmp_path, ECHO) as link:
        said = await told(link, "environment")

        assert "MODEL_KEY" not in said
        assert link._token not in said
        assert str(Path.cwd()) not in said.split()


async def test_who_does_not_know_the_token_is_refused(tmp_path: Path) -> None:
    async with linked(tmp_path, IMPOSTOR, Timing(start=60, ping=1, pauses=(600,))) as link:
        with pytest.raises(EngineFailed, match="ended"):
            await link.ready()


async def test_an_environment_that_is_not_whole_is_told(tmp_path: Path) -> None:
    async with linked(tmp_path, BROKEN, Timing(start=60, ping=1, pauses=(600,))) as link:
        with pytest.raises(EngineFailed, match="broken ModuleNotFoundError theflow"):
            await link.ready()


async def test_a_worker_that_never_comes_up_is_given_up(tmp_path: Path) -> None:
    async with linked(tmp_path, "import time; time.sleep(600)", Timing(start=0.2, ping=1, pauses=(600,))) as link:
        with pytest.raises(EngineFailed, match="slow_start"):
            await link.ready()


async def test_an_environment_that_is_not_there_is_told() -> None:
    link = Link(Path("/nowhere/bin/python"))
    with pytest.raises(EngineFailed, match="not_installed"):
        await link.ready()
    await link.close()


async def test_closing_ends_the_worker_and_its_turns(tmp_path: Path) -> None:
    async with linked(tmp_path, ECHO.replace('"kind": "answer"', '"kind": "call"')) as link:
        async with link.turn({"question": "x"}) as line:
            await line.told.get()
            await link.close()
            assert (await line.told.get())["kind"] == "failed"
        with pytest.raises(EngineFailed):
            await link.send({})
