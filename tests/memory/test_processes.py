"""Processes on one database: killed at any moment, on a full disk, side by side."""

import asyncio
import contextlib
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.message import Conversation
from memory.journal import SqlJournal
from tests.databases import Database

ROOT = Path(__file__).parents[2]
ROOM = Conversation("test", "", "room", "group")


@asynccontextmanager
async def writer(database: Database) -> AsyncIterator[Process]:
    """See tests/memory/writer.py; it is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.memory.writer",
        database.url,
        str(database.folder),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        assert await said(process) == "ready"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def said(process: Process) -> str:
    """The next line."""
    assert process.stdout
    return (await process.stdout.readline()).decode().strip()


async def ask(process: Process, line: str) -> str:
    """What it answers."""
    assert process.stdin
    process.stdin.write(f"{line}\n".encode())
    return await said(process)


async def stored(database: Database) -> list[str]:
    """The keys, in the order of their numbers, which have no gap."""
    async with database.opened() as store:
        events = await SqlJournal(store).events(ROOM, after=0, limit=100_000)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    return [message.key for _, message, _ in events if hasattr(message, "key")]


async def test_what_was_acknowledged_outlives_a_kill_in_the_midst_of_two_writing_processes(database: Database) -> None:
    async with writer(database) as one, writer(database) as two:
        lines = list(await asyncio.gather(ask(one, "*"), ask(two, "*")))
        for _ in range(100):
            lines += await asyncio.gather(said(one), said(two))
        one.kill()
        two.kill()
        for process in (one, two):
            assert process.stdout
            rest = (await process.stdout.read()).decode().splitlines(keepends=True)
            lines += [line.strip() for line in rest if line.endswith("\n")]

    assert {line.split()[0] for line in lines} == {"stored"}
    assert {line.split()[1] for line in lines} <= set(await stored(database))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_full_disk_refuses_and_works_again_without_a_restart(database: Database) -> None:
    async with writer(database) as process:
        assert await ask(process, "before") == "stored before"
        for number in range(2):
            usual = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            assert await ask(process, f"full{number}") == f"refused full{number}"
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, usual)
            assert await ask(process, f"after{number}") == f"stored after{number}"
        assert await ask(process, "full0") == "stored full0"

    assert await stored(database) == ["before", "after0", "after1", "full0"]
