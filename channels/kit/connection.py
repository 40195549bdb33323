"""What every long connection needs: one replica that holds it, and patience between two tries."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.coordination import Leases


async def hold(leases: Leases, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Runs `work` in the one replica that holds the lease, again after it was lost; ends when `work` ends by itself."""
    while True:
        async with leases.hold(name) as lease:
            working, losing = asyncio.ensure_future(work()), asyncio.ensure_future(lease.lost())
            try:
                await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return working.result()
            finally:
                working.cancel()
                losing.cancel()
                await asyncio.gather(working, losing, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from `first` to `most` seconds, each cut by up to half so that many do not come at once."""

    first: float
    most: float
    chance: Callable[[], float] = random.random

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, from 1."""
        longest = min(self.most, self.first * 2.0 ** min(failures - 1, 30))
        return longest * (0.5 + self.chance() / 2)
