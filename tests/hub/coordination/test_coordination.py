"""Tokens, leases, limits, live events, a cache: the same facts inside one process and among several over Redis."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from hub.coordination import Coordination, Token
from hub.coordination.local import CACHED, LocalCache, local
from hub.coordination.redis import shared
from tests.servers import REDIS, needs


@pytest.fixture(params=["local", "redis"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Coordination, Coordination]]:
    """Two who must agree: twice the same object inside a process, two connections over Redis."""
    if request.param == "local":
        both = local()
        yield both, both
        return
    needs(6379)
    prefix = f"hubtest:{uuid.uuid4().hex}:"
    async with shared(REDIS, prefix=prefix) as one, shared(REDIS, prefix=prefix) as other:
        yield one, other


class Source:
    """Gives tokens t1, t2 … and counts."""

    def __init__(self, seconds: float = 7200) -> None:
        self.count = 0
        self.seconds = seconds

    async def __call__(self) -> Token:
        self.count += 1
        mine = self.count
        await asyncio.sleep(0.02)
        return Token(f"t{mine}", self.seconds)


async def test_a_hundred_who_ask_at_once_cost_one_fetch(pair: tuple[Coordination, Coordination]) -> None:
    source = Source()
    got = await asyncio.gather(*(pair[n % 2].tokens.get("a", source) for n in range(100)))

    assert (set(got), source.count) == ({"t1"}, 1)


async def test_a_hundred_refusals_cost_one_refresh(pair: tuple[Coordination, Coordination]) -> None:
    source = Source()
    first = await pair[0].tokens.get("a", source)
    got = await asyncio.gather(*(pair[n % 2].tokens.get("a", source, refused=first) for n in range(100)))

    assert (set(got), source.count) == ({"t2"}, 2)


async def test_a_token_that_was_replaced_already_is_not_fetched_again(pair: tuple[Coordination, Coordination]) -> None:
    source = Source()
    await pair[0].tokens.get("a", source)
    await pair[0].tokens.get("a", source, refused="t1")

    assert await pair[0].tokens.get("a", source, refused="t1") == "t2"
    assert source.count == 2


async def test_what_a_fetch_raises_goes_to_all_and_the_next_one_tries_again(
    pair: tuple[Coordination, Coordination],
) -> None:
    async def broken() -> Token:
        await asyncio.sleep(0.01)
        raise LookupError

    both = await asyncio.gather(*(pair[0].tokens.get("a", broken) for _ in range(3)), return_exceptions=True)

    assert [type(error) for error in both] == [LookupError] * 3
    assert await pair[0].tokens.get("a", Source()) == "t1"


async def test_a_lease_is_held_by_one_and_then_by_the_other(pair: tuple[Coordination, Coordination]) -> None:
    order: list[str] = []

    async def hold(who: Coordination, name: str) -> None:
        async with who.leases.hold("line"):
            order.append(f"{name} in")
            await asyncio.sleep(0.05)
            order.append(f"{name} out")

    await asyncio.gather(hold(pair[0], "a"), hold(pair[1], "b"))

    assert order in (["a in", "a out", "b in", "b out"], ["b in", "b out", "a in", "a out"])


async def test_a_window_gives_so_many_and_says_when_there_is_one_again(
    pair: tuple[Coordination, Coordination],
) -> None:
    taken = [await pair[n % 2].limits.take("x", limit=3, seconds=0.4) for n in range(4)]

    assert taken[:3] == [0.0, 0.0, 0.0]
    assert 0.1 < taken[3] <= 0.4
    await asyncio.sleep(taken[3] + 0.02)
    assert await pair[0].limits.take("x", limit=3, seconds=0.4) == 0.0


async def test_live_events_reach_all_listeners_of_the_topic_only(pair: tuple[Coordination, Coordination]) -> None:
    async with pair[0].live.listen("a") as here, pair[1].live.listen("a") as there, pair[1].live.listen("b") as other:
        await asyncio.sleep(0.2)
        await pair[0].live.publish("a", "one")

        assert await asyncio.wait_for(anext(here), 2) == "one"
        assert await asyncio.wait_for(anext(there), 2) == "one"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(other), 0.05)


async def test_a_slow_listener_loses_the_oldest_and_nobody_waits_for_it() -> None:
    live = local().live
    async with live.listen("a") as events:
        for n in range(1000):
            await live.publish("a", str(n))

        assert int(await anext(events)) > 0


async def test_with_redis_away_a_replica_goes_on_alone() -> None:
    async with shared("redis://127.0.0.1:1/0") as alone:
        source = Source()

        assert await alone.tokens.get("a", source) == "t1"
        assert await alone.limits.take("x", limit=1, seconds=60) == 0.0
        assert await alone.limits.take("x", limit=1, seconds=60) > 0
        async with alone.live.listen("a") as events:
            await alone.live.publish("a", "here")
            assert await asyncio.wait_for(anext(events), 2) == "here"


async def test_what_one_keeps_the_other_finds(pair: tuple[Coordination, Coordination]) -> None:
    one, other = pair[0].cache, pair[1].cache
    await one.put("a", "运费八元", seconds=60)

    assert (await other.get("a"), await other.get("c")) == ("运费八元", None)


async def test_redis_drops_what_is_over() -> None:
    needs(6379)
    prefix = f"hubtest:{uuid.uuid4().hex}:"
    async with shared(REDIS, prefix=prefix) as coordination, Redis.from_url(REDIS) as redis:
        await coordination.cache.put("a", "v", seconds=60)

        assert 0 < await redis.pttl(f"{prefix}cache:a") <= 60_000


async def test_of_very_many_values_the_one_that_was_longest_not_asked_for_goes_first() -> None:
    cache = LocalCache()
    for n in range(CACHED):
        await cache.put(str(n), "v", seconds=60)
    await cache.get("0")
    await cache.put("new", "v", seconds=60)

    assert (await cache.get("0"), await cache.get("1")) == ("v", None)


async def test_a_cache_that_is_away_or_silent_holds_nothing() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, shared(f"redis://127.0.0.1:{port}") as hung, shared("redis://127.0.0.1:1") as away:
        for cache in (hung.cache, away.cache):
            await cache.put("a", "v", seconds=60)

            assert await cache.get("a") is None
