"""Tokens, leases, limits, live events and a cache inside one process."""

import asyncio
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hub.coordination import Coordination, Lease, Token

EARLY = 300.0
"""Seconds before its end at which a token is fetched anew (stable_token gives a new one in its last 5 minutes)."""
KEPT = 256
"""Live events that a slow listener may be behind."""
CACHED = 2000
"""Values that the cache holds."""


class LocalTokens:
    """Single flight: all who ask while a fetch is under way get its result, or its error."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}
        self._fetches: dict[str, asyncio.Task[str]] = {}

    async def get(self, name: str, fetch: Callable[[], Awaitable[Token]], *, refused: str = "") -> str:
        value, until = self._tokens.get(name, ("", 0.0))
        if value and value != refused and self._clock() < until:
            return value
        if name not in self._fetches:
            self._fetches[name] = asyncio.create_task(self._fetch(name, fetch))
        return await asyncio.shield(self._fetches[name])

    async def _fetch(self, name: str, fetch: Callable[[], Awaitable[Token]]) -> str:
        try:
            token = await fetch()
            early = min(EARLY, token.seconds / 10)
            self._tokens[name] = (token.value, self._clock() + token.seconds - early)
            return token.value
        finally:
            del self._fetches[name]


class _Held:
    """A lease inside one process is never lost."""

    async def lost(self) -> None:
        await asyncio.Event().wait()


class LocalLeases:
    """One lock a name."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[Lease]:
        async with self._locks[name]:
            yield _Held()


class LocalLimits:
    """Sliding windows of the times at which something was taken."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: dict[str, deque[float]] = {}
        self._swept = 0.0

    async def take(self, name: str, *, limit: int, seconds: float) -> float:
        now = self._clock()
        self._sweep(now)
        taken = self._taken.setdefault(name, deque(maxlen=limit))
        while taken and taken[0] <= now:
            taken.popleft()
        if len(taken) >= limit:
            return taken[0] - now
        taken.append(now + seconds)
        return 0.0

    def _sweep(self, now: float) -> None:
        """Forgets windows that are over, so that a million visitors do not stay in memory."""
        if now - self._swept > 60:
            self._swept = now
            for name in [n for n, taken in self._taken.items() if not taken or taken[-1] <= now]:
                del self._taken[name]


class LocalLive:
    """A bounded queue for each listener; the oldest goes when it is full."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)

    async def publish(self, topic: str, data: str) -> None:
        for queue in self._listeners.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(data)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue(KEPT)
        self._listeners[topic].add(queue)
        try:
            yield _stream(queue)
        finally:
            self._listeners[topic].discard(queue)
            if not self._listeners[topic]:
                del self._listeners[topic]


async def _stream(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await queue.get()


class LocalCache:
    """The newest values; the one that was longest not asked for goes first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def get(self, name: str) -> str | None:
        until, value = self._kept.get(name, (0.0, ""))
        if until <= self._clock():
            self._kept.pop(name, None)
            return None
        self._kept.move_to_end(name)
        return value

    async def put(self, name: str, value: str, *, seconds: float) -> None:
        self._kept[name] = (self._clock() + seconds, value)
        self._kept.move_to_end(name)
        while len(self._kept) > CACHED:
            self._kept.popitem(last=False)


def local() -> Coordination:
    """All five, inside this process."""
    return Coordination(
        tokens=LocalTokens(), leases=LocalLeases(), limits=LocalLimits(), live=LocalLive(), cache=LocalCache()
    )
