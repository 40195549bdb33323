"""Functions in transactions: together in one commit, alone in failure."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text, update
from structlog.testing import capture_logs

from hub.errors import NotStored
from memory.store import SqliteStore, Store
from memory.tables import notes
from tests.databases import Database


class Mistake(Exception):
    """Of whoever wrote the job."""


def put(key: str, value: str = "x") -> Callable[[Connection], str]:
    """A job that stores a note."""

    def job(connection: Connection) -> str:
        connection.execute(insert(notes).values(channel="test", key=key, value=value))
        return key

    return job


def kept(connection: Connection) -> list[str]:
    return sorted(connection.execute(select(notes.c.key)).scalars())


def wait(connection: Connection, seconds: float) -> None:
    """Takes its time, in the way of the database: one has threads, the other a loop."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
    else:
        time.sleep(seconds)


async def test_what_is_written_is_read(store: Store) -> None:
    assert await store.write(put("a")) == "a"
    assert await store.read(kept) == ["a"]


async def test_a_job_that_fails_fails_alone(store: Store) -> None:
    await store.write(put("there"))

    def mistaken(connection: Connection) -> None:
        put("mistaken")(connection)
        raise Mistake

    def misspelt(connection: Connection) -> None:
        put("misspelt")(connection)
        connection.execute(text("SELECT nothing FROM nowhere"))

    jobs = [put("a"), mistaken, put("b"), put("there"), put("c"), misspelt, put("d")]
    results = await asyncio.gather(*(store.write(job) for job in jobs), return_exceptions=True)

    assert [type(one) for one in results] == [str, Mistake, str, NotStored, str, NotStored, str]
    assert await store.read(kept) == ["a", "b", "c", "d", "there"]


async def test_an_error_is_logged_once_and_without_what_people_said(store: Store) -> None:
    await store.write(put("a"))
    with capture_logs() as logs, pytest.raises(NotStored):
        await store.write(put("a", "geheim"))

    assert [line["log_level"] for line in logs] == ["error"]
    assert "geheim" not in str(logs)


async def test_a_read_sees_one_moment(store: Store) -> None:
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look(connection: Connection) -> tuple[list[str], list[str]]:
        before = kept(connection)
        loop.call_soon_threadsafe(began.set)
        wait(connection, 0.2)
        return before, kept(connection)

    reading = asyncio.create_task(store.read(look))
    await began.wait()
    await store.write(put("a"))

    assert await reading == ([], [])
    assert await store.read(kept) == ["a"]


async def test_who_is_cancelled_leaves_the_store_working(store: Store) -> None:
    waiting = [asyncio.create_task(store.write(put(str(number)))) for number in range(20)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await store.write(put("last"))

    assert {"1", "3", "19", "last"} <= set(await store.read(kept))


async def test_a_closed_store_has_finished_its_work_and_says_that_it_is_closed(database: Database) -> None:
    async with database.opened() as store:
        waiting = [asyncio.create_task(store.write(put(str(number)))) for number in range(5)]
        await asyncio.gather(*waiting)
        assert await store.answers()
    async with database.opened() as again:
        assert await again.read(kept) == ["0", "1", "2", "3", "4"]


async def test_jobs_that_wait_are_committed_together(store: Store) -> None:
    commits: list[str] = []
    loop, begun, release = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        put("held")(connection)
        loop.call_soon_threadsafe(begun.set)
        release.wait(10)

    def count(_: Connection) -> None:
        commits.append("")

    event.listen(Engine, "commit", count)
    try:
        first = asyncio.create_task(store.write(hold))
        await begun.wait()
        waiting = [asyncio.create_task(store.write(put(str(number)))) for number in range(100)]
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(first, *waiting)
    finally:
        event.remove(Engine, "commit", count)

    assert len(commits) == 2
    assert len(await store.read(kept)) == 101


async def test_a_reader_can_not_write(store: Store) -> None:
    with pytest.raises(NotStored):
        await store.read(put("a"))


async def test_readings_that_wait_share_a_snapshot_and_one_that_fails_fails_alone(store: Store) -> None:
    await store.write(put("a"))
    begun: list[str] = []

    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")

    def count(_: Connection) -> None:
        begun.append("")

    def wrong(_: Connection) -> None:
        raise ZeroDivisionError

    event.listen(Engine, "begin", count)
    try:
        jobs = [kept, broken, kept, wrong, kept]
        found = await asyncio.gather(*[store.read(job) for job in jobs], return_exceptions=True)
        for_each_failure = len(begun)
        await asyncio.gather(*[store.read(kept) for _ in range(5)])
    finally:
        event.remove(Engine, "begin", count)

    assert [found[0], found[2], found[4]] == [["a"]] * 3
    assert isinstance(found[1], NotStored)
    assert isinstance(found[3], ZeroDivisionError)
    assert (for_each_failure, len(begun)) == (3, 4)


async def test_a_reading_that_nobody_waits_for_any_more_harms_none(store: Store) -> None:
    await store.write(put("a"))
    left, other = asyncio.create_task(store.read(kept)), asyncio.create_task(store.read(kept))
    await asyncio.sleep(0)
    left.cancel()

    assert await other == ["a"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestSqlite:
    async def test_what_was_given_before_the_end_is_done_and_nothing_after(self, database: Database) -> None:
        store = SqliteStore(database.file)
        waiting = [asyncio.create_task(store.write(put(str(number)))) for number in range(50)]
        await asyncio.sleep(0)
        await store.close()
        await store.close()
        assert len(await asyncio.gather(*waiting)) == 50
        with pytest.raises(NotStored):
            await store.write(put("late"))

        assert not await store.answers()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestPostgresql:
    async def test_what_loses_to_another_process_is_run_again(self, store: Store, database: Database) -> None:
        await asyncio.gather(store.write(put("a")), store.write(put("b")))
        runs: list[str] = []

        def both(first: str, second: str) -> Callable[[Connection], None]:
            def job(connection: Connection) -> None:
                runs.append(first)
                for key in (first, second):
                    connection.execute(update(notes).where(notes.c.key == key).values(value=first))
                    wait(connection, 0.1)

            return job

        async with database.opened() as shell:
            await asyncio.gather(store.write(both("a", "b")), shell.write(both("b", "a")))

        assert len(runs) > 2

    async def test_a_connection_that_was_closed_while_it_was_idle_costs_nothing(self, store: Store) -> None:
        def others(connection: Connection) -> None:
            here = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {here}"))

        await store.write(put("a"))
        await store.read(others)

        assert await store.write(put("b")) == "b"

    async def test_a_lost_connection_costs_what_ran_on_it_and_no_more(self, store: Store) -> None:
        def lost(connection: Connection) -> None:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with pytest.raises(NotStored):
            await store.write(lost)

        assert await store.write(put("a")) == "a"
