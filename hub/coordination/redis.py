"""Tokens, leases, limits, live events and a cache among several replicas, over Redis.

Every key begins with `prefix`. With Redis away nothing is lost: tokens and limits fall back to this process
(each replica then has its own), live events reach only this process's listeners, and a lease is given up,
so that two replicas never both believe that they hold it; the cache holds nothing.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from hub.coordination import Coordination, Lease, Token
from hub.coordination.local import EARLY, LocalLimits, LocalLive, LocalTokens

log = structlog.get_logger()

FETCH_SECONDS = 15
"""How long one replica may take to fetch a token before another tries."""
LEASE_SECONDS = 9.0
"""A lease that is not renewed for so long goes to another replica."""
RENEW_SECONDS = 3.0
CACHE_SECONDS = 0.5
"""How long somebody waits for what may be in the cache."""
AWAY = (RedisError, OSError, TimeoutError)

RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
FREE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
TAKE = """
local now, span, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('zremrangebyscore', KEYS[1], '-inf', now - span)
if redis.call('zcard', KEYS[1]) >= limit then
  local first = redis.call('zrange', KEYS[1], 0, 0, 'withscores')
  return tostring(tonumber(first[2]) + span - now)
end
redis.call('zadd', KEYS[1], now, ARGV[4])
redis.call('pexpire', KEYS[1], math.ceil(span * 1000))
return '0'
"""


class RedisTokens:
    """One replica fetches under a lock, the others wait for what it brought.

    The local single flight stands before it, so that one replica asks Redis once, however many ask it.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{prefix}token:"
        self._local = LocalTokens()

    async def get(self, name: str, fetch: Callable[[], Awaitable[Token]], *, refused: str = "") -> str:
        async def shared() -> Token:
            try:
                return await self._shared(self._prefix + name, fetch, refused)
            except AWAY as error:
                log.warning("redis is away, this replica fetches a token for itself", why=type(error).__name__)
                return await fetch()

        return await self._local.get(name, shared, refused=refused)

    async def _shared(self, key: str, fetch: Callable[[], Awaitable[Token]], refused: str) -> Token:
        mine = uuid.uuid4().hex
        while True:
            if token := await self._stored(key, refused):
                return token
            if await self._redis.set(f"{key}:lock", mine, nx=True, ex=FETCH_SECONDS):
                break
            await asyncio.sleep(0.05)
        try:
            token = await self._stored(key, refused)
            if token is None:
                token = await fetch()
                until = time.time() + token.seconds
                await self._redis.set(key, json.dumps([token.value, until]), px=max(int(token.seconds * 1000), 1))
            return token
        finally:
            with suppress(*AWAY):
                await self._redis.eval(FREE, 1, f"{key}:lock", mine)

    async def _stored(self, key: str, refused: str) -> Token | None:
        stored = await self._redis.get(key)
        if not stored:
            return None
        value, until = json.loads(stored)
        seconds = until - time.time()
        return Token(value, seconds) if value != refused and seconds > min(EARLY, seconds / 10) else None


class _RedisLease:
    """Renewed until it is lost."""

    def __init__(self, redis: Redis, key: str, mine: str) -> None:
        self._redis = redis
        self._key = key
        self._mine = mine
        self._gone = asyncio.Event()

    async def lost(self) -> None:
        await self._gone.wait()

    async def renew(self) -> None:
        """Renews in time; says that it is lost before another can have it."""
        last = time.monotonic()
        while not self._gone.is_set():
            await asyncio.sleep(RENEW_SECONDS)
            try:
                kept = await self._redis.eval(RENEW, 1, self._key, self._mine, str(int(LEASE_SECONDS * 1000)))
            except AWAY:
                kept = None
            if kept:
                last = time.monotonic()
            elif kept == 0 or time.monotonic() - last > LEASE_SECONDS - RENEW_SECONDS:
                self._gone.set()


class RedisLeases:
    """A key that only its holder renews; it ends by itself when the holder dies."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{prefix}lease:"

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[Lease]:
        key, mine = self._prefix + name, uuid.uuid4().hex
        await self._take(key, mine)
        lease = _RedisLease(self._redis, key, mine)
        renewing = asyncio.create_task(lease.renew())
        try:
            yield lease
        finally:
            renewing.cancel()
            with suppress(*AWAY):
                await self._redis.eval(FREE, 1, key, mine)

    async def _take(self, key: str, mine: str) -> None:
        while True:
            with suppress(*AWAY):
                if await self._redis.set(key, mine, nx=True, px=int(LEASE_SECONDS * 1000)):
                    return
            await asyncio.sleep(1.0)


class RedisLimits:
    """Sliding windows as sorted sets."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{prefix}limit:"
        self._local = LocalLimits()

    async def take(self, name: str, *, limit: int, seconds: float) -> float:
        args = (repr(time.time()), repr(seconds), str(limit), uuid.uuid4().hex)
        try:
            return max(float(await self._redis.eval(TAKE, 1, self._prefix + name, *args)), 0.0)
        except AWAY:
            return await self._local.take(name, limit=limit, seconds=seconds)


class RedisCache:
    """Values that Redis drops by itself. Whoever asks has something better to do than to wait for it."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{prefix}cache:"

    async def get(self, name: str) -> str | None:
        with suppress(*AWAY):
            async with asyncio.timeout(CACHE_SECONDS):
                value = await self._redis.get(self._prefix + name)
                return str(value) if value is not None else None
        return None

    async def put(self, name: str, value: str, *, seconds: float) -> None:
        with suppress(*AWAY):
            async with asyncio.timeout(CACHE_SECONDS):
                await self._redis.set(self._prefix + name, value, px=max(int(seconds * 1000), 1))


class RedisLive:
    """Publishes to all replicas; one subscription of this process feeds its own listeners."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{prefix}live:"
        self._local = LocalLive()
        self._mine = uuid.uuid4().hex
        self._reader: asyncio.Task[None] | None = None

    async def publish(self, topic: str, data: str) -> None:
        await self._local.publish(topic, data)
        with suppress(*AWAY):
            await self._redis.publish(self._prefix + topic, json.dumps([self._mine, data]))

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        async with self._local.listen(topic) as events:
            yield events

    async def _read(self) -> None:
        """Hands what other replicas publish to the listeners here; connects again when Redis was away."""
        while True:
            pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
            try:
                await pubsub.psubscribe(self._prefix + "*")
                await self._hand_on(pubsub)
            except AWAY as error:
                log.warning("redis is away, live events stay in this replica", why=type(error).__name__)
                await asyncio.sleep(1.0)
            finally:
                with suppress(*AWAY):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]  # its own package leaves it untyped

    async def _hand_on(self, pubsub: PubSub) -> None:
        async for message in pubsub.listen():
            sender, data = json.loads(message["data"])
            if sender != self._mine:
                await self._local.publish(message["channel"].removeprefix(self._prefix), data)

    async def close(self) -> None:
        """Ends the subscription."""
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)


@asynccontextmanager
async def shared(url: str, *, prefix: str = "hub:") -> AsyncIterator[Coordination]:
    """All five, over the Redis at `url`."""
    redis: Redis = Redis.from_url(url, decode_responses=True, socket_timeout=5, health_check_interval=15)
    live = RedisLive(redis, prefix)
    try:
        yield Coordination(
            tokens=RedisTokens(redis, prefix),
            leases=RedisLeases(redis, prefix),
            limits=RedisLimits(redis, prefix),
            live=live,
            cache=RedisCache(redis, prefix),
        )
    finally:
        await live.close()
        await redis.aclose()
