"""One lane per conversation: in order within, side by side between, bounded in number.

A lane gives one item at a time to a worker and goes to the end of the queue after it, so that somebody
who sends a hundred messages delays nobody else.

A few items begin in each round of the event loop, not all that wait. A round runs everything that is ready before it
looks at a socket: with a thousand turns in it a round takes seconds, and so does every acknowledgement, which takes
several rounds. Begun by the round, work slows down by itself where rounds grow long, whatever costs the time.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

A_ROUND = 4
"""Items that begin in two rounds of the event loop."""


class Lanes(Generic[Key, Item]):
    """Gives items to `work`, at most `most` at a time; `work` must not raise."""

    def __init__(self, work: Callable[[Item], Awaitable[None]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._door = asyncio.Semaphore(A_ROUND)
        self._lanes: dict[Key, deque[tuple[float, Item]]] = {}
        self._ready: deque[Key] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, key: Key, item: Item) -> None:
        """Puts an item at the end of the key's lane."""
        entry = (time.monotonic(), item)
        if lane := self._lanes.get(key):
            lane.append(entry)
            return
        self._lanes[key] = deque([entry])
        self._ready.append(key)
        self._idle.clear()
        if len(self._workers) < self._most:
            worker = asyncio.create_task(self._serve())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _serve(self) -> None:
        while self._ready:
            key = self._ready.popleft()
            lane = self._lanes[key]
            async with self._door:
                await asyncio.sleep(0)
            await self._work(lane[0][1])
            lane.popleft()
            if lane:
                self._ready.append(key)
            else:
                del self._lanes[key]
        if not self._lanes:
            self._idle.set()

    @property
    def depth(self) -> int:
        """Items that wait or are worked on."""
        return sum(map(len, self._lanes.values()))

    @property
    def oldest(self) -> float:
        """Seconds that the oldest of them has been here."""
        return max((time.monotonic() - lane[0][0] for lane in self._lanes.values()), default=0.0)

    async def drain(self, seconds: float) -> bool:
        """Waits until nothing is left; False when it takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Cancels what is in work and forgets the rest."""
        self._ready.clear()
        for worker in list(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._lanes.clear()
        self._idle.set()
