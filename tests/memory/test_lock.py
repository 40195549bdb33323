"""One server works on a journal: another is refused on a folder, and stands by on PostgreSQL."""

import asyncio
from pathlib import Path

import pytest

from hub.errors import ConfigError
from memory import lock
from memory.lock import active, only_one
from tests.servers import POSTGRES, needs


def test_a_second_server_on_a_folder_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(ConfigError, match=r"another hub \(process \d+\)"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        assert (tmp_path / "hub.pid").exists()


async def test_a_second_server_on_postgresql_takes_over_when_the_first_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    needs(5432)
    monkeypatch.setattr("memory.lock.ASKED_EVERY", 0.05)
    monkeypatch.setattr("memory.lock.ACTIVE", 991_000 + id(monkeypatch) % 1000)
    order: list[str] = []
    first_works, release = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with active(POSTGRES, lambda: order.append("lost")):
            order.append("first")
            first_works.set()
            await release.wait()

    async def second() -> None:
        await first_works.wait()
        async with active(POSTGRES, lambda: order.append("lost")):
            order.append("second")

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        standby = group.create_task(second())
        await first_works.wait()
        await asyncio.sleep(0.2)
        assert not standby.done()
        release.set()

    assert order == ["first", "second"]


async def test_a_server_that_loses_the_database_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    needs(5432)
    monkeypatch.setattr("memory.lock.ASKED_EVERY", 0.05)
    monkeypatch.setattr("memory.lock.ACTIVE", 992_000 + id(monkeypatch) % 1000)
    lost = asyncio.Event()
    async with active(POSTGRES, lost.set):
        async with await psycopg.AsyncConnection.connect(POSTGRES, autocommit=True) as other:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s",
                (lock.ACTIVE,),
            )
        async with asyncio.timeout(10):
            await lost.wait()
