"""What is older than [memory] days is erased every day; what is newer, and the keys, stay."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from memory.retention import expire, retain
from memory.store import open_store
from memory.tables import audit, facts, messages, parts
from tests.hub.stage import migrated
from tests.memory.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    await asyncio.to_thread(migrated, tmp_path)
    async with open_store("", tmp_path) as store:
        yield World(store, now=datetime(2026, 1, 1, tzinfo=UTC))


async def _count(world: World) -> dict[str, int]:
    tables = (messages, parts, facts)
    return await world.store.read(
        lambda c: {t.name: c.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
    )


async def test_old_words_go_new_ones_and_the_keys_stay(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    world.now += timedelta(days=31)
    await world.say("oa:lin", "我的孩子叫豆豆")

    assert await expire(world.store, 30, now=world.now) == 1
    seen = await world.seen("oa:lin")
    assert ("花生" in seen, "豆豆" in seen) == (False, True)
    assert await _count(world) == {"messages": 3, "parts": 1, "facts": 1}
    acts = await world.store.read(lambda c: c.execute(select(audit.c.act, audit.c.detail)).all())
    assert [tuple(act) for act in acts] == [("retain", "older than 30 days")]
    assert await expire(world.store, 30, now=world.now) == 0


async def test_what_is_still_to_be_answered_is_left_alone(world: World) -> None:
    stored = await world.accept("oa:lin", "我对花生过敏")
    world.now += timedelta(days=31)

    assert await expire(world.store, 30, now=world.now) == 0
    assert (await world.journal.open())[0].id == stored.id


async def test_the_job_works_at_once_and_where_nothing_is_to_be_erased_it_ends(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    world.now += timedelta(days=31)
    await retain(world.store, 0, lambda: world.now)
    assert (await _count(world))["facts"] == 1
    rested = asyncio.Queue[float]()

    async def rest(seconds: float) -> None:
        await rested.put(seconds)
        await asyncio.Event().wait()

    task = asyncio.create_task(retain(world.store, 30, lambda: world.now, rest=rest))
    async with asyncio.timeout(10):
        assert await rested.get() == 24 * 3600
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert (await _count(world))["facts"] == 0
