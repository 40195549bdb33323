"""What replicas agree on: tokens, leases, limits, live events, and what one of them worked out for all.

local.py inside one process, redis.py among several.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """A platform's access token and the seconds that it still lasts."""

    value: str
    seconds: float


class Tokens(Protocol):
    """One token for all who need it."""

    async def get(self, name: str, fetch: Callable[[], Awaitable[Token]], *, refused: str = "") -> str:
        """The token called `name`; fetched once, however many ask at the same time.

        `refused` is a token that the platform no longer took: a new one is fetched only where that is
        still the current one, so that a hundred failures cost one refresh. What `fetch` raises goes to
        all who wait.
        """
        ...


class Lease(Protocol):
    """Held by one replica at a time."""

    async def lost(self) -> None:
        """Returns when the lease can no longer be relied on."""
        ...


class Leases(Protocol):
    """Who holds what."""

    def hold(self, name: str) -> AbstractAsyncContextManager[Lease]:
        """Waits until nobody else holds `name`, holds and renews it until the block ends."""
        ...


class Limits(Protocol):
    """Sliding windows."""

    async def take(self, name: str, *, limit: int, seconds: float) -> float:
        """Takes one of `limit` in `seconds`: 0.0 when there was one, else the seconds until there is."""
        ...


class Live(Protocol):
    """Events that are worth something now and nothing later."""

    async def publish(self, topic: str, data: str) -> None:
        """Gives data to all who listen to the topic now, in every replica. Raises nothing."""
        ...

    def listen(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """What is published from the moment the block is entered. A slow listener loses the oldest."""
        ...


class Cache(Protocol):
    """What can be worked out again, and is gone after a time."""

    async def get(self, name: str) -> str | None:
        """What was put there and is not over; None also where nobody can say. Raises nothing."""
        ...

    async def put(self, name: str, value: str, *, seconds: float) -> None:
        """Keeps it for so long, or not at all. Raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Coordination:
    """All five."""

    tokens: Tokens
    leases: Leases
    limits: Limits
    live: Live
    cache: Cache
