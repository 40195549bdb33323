"""Who is erased is gone from every place that the hub writes to, whichever channel they spoke on; nobody else is."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from agent.models.scripted import echo
from hub.__main__ import main
from tests.bench.platforms import SIDES, Page
from tests.scenarios.house import house
from tests.servers import REDIS, needs

KINDS = [side.kind for side in SIDES]
SHARED = REDIS.rpartition("/")[0] + "/13"


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    """A database of its own, empty before and after."""
    needs(6379)
    async with Redis.from_url(SHARED) as redis:
        await redis.flushdb()
        yield redis
        await redis.flushdb()


def secret(kind: str, who: str) -> str:
    """Words that one person says on one channel and nobody else anywhere."""
    return f"{kind.replace('_', '')}{who}whalefall"


async def test_no_byte_of_the_erased_is_left_in_files_or_in_redis_on_any_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis: Redis
) -> None:
    shared = f'[shared]\nurl = "{SHARED}"\n'
    async with house(tmp_path, monkeypatch, *SIDES, script=echo, agent=shared) as h, aiohttp.ClientSession() as http:
        async with h.running():
            await h.sides[Page.kind].meet(http, h.ends, ["lin"])
            said = [(kind, who) for kind in KINDS for who in ("lin", "hu") if (kind, who) != (Page.kind, "hu")]
            for kind, who in said:
                assert await h.say(kind, f"我的暗号是{secret(kind, who)}，请记住", who=who) == 200
            await asyncio.gather(*(h.until(kind, 1, who=who) for kind, who in said))
        before = await asyncio.to_thread(holding, tmp_path, said)
        for identity in await asyncio.to_thread(identities, tmp_path, "lin"):
            command = ["person", "erase", identity, "--yes", "--config", str(tmp_path / "hub.toml")]
            assert await asyncio.to_thread(main, command) == 0
        async with h.running():
            pass  # whatever a hub does when it starts again
        after = await asyncio.to_thread(holding, tmp_path, said)
        shown = [value async for value in values(redis)]

    assert before == set(said)
    assert after == {(kind, who) for kind, who in said if who == "hu"}
    assert not [one for kind, who in said for one in shown if secret(kind, who).encode() in one]


def identities(folder: Path, who: str) -> list[str]:
    """CHANNEL:USER of whoever said the words of this person; a page's visitor has no name."""
    of = "FROM messages m JOIN identities i ON i.id = m.identity_id WHERE payload LIKE ?"
    with contextlib.closing(sqlite3.connect(next(folder.rglob("hub.db")))) as db:
        return [
            f"{channel}:{user}"
            for channel, user in db.execute(f"SELECT DISTINCT i.channel, i.user {of}", (f"%{who}whalefall%",))
        ]


def holding(folder: Path, said: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Whose words stand in any file below this folder."""
    files = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return {one for one in said if any(secret(*one).encode() in held for held in files)}


async def values(redis: Redis) -> AsyncIterator[bytes]:
    """All keys, and what they hold."""
    async for key in redis.scan_iter():
        yield key
        yield await redis.dump(key) or b""
